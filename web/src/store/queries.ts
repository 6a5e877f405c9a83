/** TanStack Query as the store needs it: changes keep things fresh, not time; only what the server may answer later is asked again. */
import { QueryClient } from '@tanstack/react-query';
import { ApiError } from '../api/client';
import { isLive } from './keys';

/** How long something stays in memory that nothing shows. */
const KEPT_MS = 10 * 60_000;

export interface QueriesOptions {
  /** Whether this holds everything up to now. */
  isFresh: (hash: string) => boolean;
  /** Whether a query was given this data already. */
  isThere: (data: unknown) => boolean;
}

export function newQueryClient({ isFresh, isThere }: QueriesOptions): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: ({ queryKey, queryHash }) => (!isLive(queryKey) || isFresh(queryHash) ? Number.POSITIVE_INFINITY : 0),
        gcTime: KEPT_MS,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        structuralSharing: (before, data) => (before !== undefined && isThere(data) ? before : data),
        networkMode: 'always',
        retry: (_, error) => mayRetry(error),
        retryDelay: (failures, error) => (error instanceof ApiError && error.retryAfter !== undefined ? error.retryAfter * 1000 : Math.min(30_000, 1000 * 2 ** failures)),
      },
    },
  });
}

/** Whether the same request may be answered later. */
export function mayRetry(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 0 || error.status === 429 || error.status >= 500;
}

/** What a query that still tries may say of its trouble: nothing of the first time. */
export function errorOf({ error, failureCount, failureReason, data }: { error: unknown; failureCount: number; failureReason: unknown; data: unknown }): ApiError | null {
  const trouble = error ?? (data === undefined && failureCount > 1 ? failureReason : null);
  return trouble === null || trouble instanceof ApiError ? trouble : new ApiError(0, { code: 'network', message: String(trouble) });
}

import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { ApiError } from '../api/client';
import type { Template } from '../api/types';
import { useStore } from '../store/context';
import { errorOf } from '../store/queries';
import { keys } from '../store/store';

const STALE_MS = 5 * 60_000;

export interface Templates {
  /** undefined until the first answer. */
  readonly templates: readonly Template[] | undefined;
  readonly error: ApiError | null;
  /** When WhatsApp was asked for them, RFC 3339. */
  readonly refreshedAt: string | undefined;
  reload(): void;
}

/** The approved templates of a number's account; null: none are wanted now. */
export function useTemplates(phoneNumberId: string | null): Templates {
  const store = useStore();
  const result = useQuery({
    queryKey: keys.templates(phoneNumberId ?? ''),
    enabled: phoneNumberId !== null,
    queryFn: ({ signal }) => store.client.get('/api/live-chat/templates', { query: { phone_number_id: phoneNumberId ?? '' }, signal }),
    staleTime: STALE_MS,
  });
  const { data, refetch } = result;
  const reload = useCallback(() => void refetch(), [refetch]);
  return { templates: data?.templates, error: errorOf(result), refreshedAt: data?.refreshed_at, reload };
}

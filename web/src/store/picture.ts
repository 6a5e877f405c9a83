/** A few things of what was shown last, read before there is a store, so that the first drawing has them already. */
import { hashKey } from '@tanstack/react-query';
import { type Clock, systemClock } from '../core/clock';
import { openDisk } from './disk';

/** Something that was shown, as it stands on disk. */
export interface Row {
  readonly key: string;
  readonly queryKey: readonly unknown[];
  readonly data: unknown;
  readonly at: number;
  /** Of what is kept, so that another release does not take it for its own. */
  readonly form: number;
}

export interface Picture {
  /** Of the database that it is from, and so whose it is. */
  readonly name: string;
  readonly rows: readonly Row[];
}

export const FORM = 1;
const KEPT_MS = 7 * 86_400_000;

export function isUsable({ form, at }: Row, now: number): boolean {
  return form === FORM && at >= now - KEPT_MS;
}

/** What database `name` has under these keys; rejects where it cannot be read. */
export async function readPicture(name: string, queryKeys: readonly (readonly unknown[])[], factory: IDBFactory | null = globalThis.indexedDB ?? null, clock: Clock = systemClock): Promise<Picture> {
  const disk = await openDisk(name, factory, clock);
  try {
    const rows = await Promise.all(queryKeys.map((key) => disk.get<Row>('cache', hashKey(key))));
    return { name, rows: rows.filter((row) => row !== undefined && isUsable(row, clock.now())) as Row[] };
  } finally {
    disk.close();
  }
}

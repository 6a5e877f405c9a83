/** The agent's phone numbers as they are shown, with their unread totals. */
import type { QueryClient } from '@tanstack/react-query';
import type { Change, PhoneNumber } from '../api/types';
import { keys } from './keys';

export class PhoneNumbers {
  readonly #queries: QueryClient;

  constructor(queries: QueryClient) {
    this.#queries = queries;
  }

  all(): readonly PhoneNumber[] {
    return this.#queries.getQueryData<readonly PhoneNumber[]>(keys.phoneNumbers()) ?? [];
  }

  /** One as the server has it, which may be new. */
  put(number: PhoneNumber): void {
    const isKnown = this.all().some(({ phone_number_id: id }) => id === number.phone_number_id);
    if (isKnown) this.change((one) => (one.phone_number_id === number.phone_number_id ? number : one));
    else this.#queries.setQueryData<readonly PhoneNumber[]>(keys.phoneNumbers(), (numbers) => numbers && [...numbers, number]);
  }

  change(change: (number: PhoneNumber) => PhoneNumber): void {
    this.#queries.setQueryData<readonly PhoneNumber[]>(keys.phoneNumbers(), (numbers) => {
      const next = numbers?.map(change);
      return next?.some((number, index) => number !== numbers?.[index]) ? next : numbers;
    });
  }

  /** Adds to the total of a number, until the server tells its own; gives what takes that back, with the changes that were told since. */
  addUnread(id: string | null | undefined, difference: number): (changes: readonly Change[]) => void {
    const add = (difference: number) =>
      this.change((number) => (number.phone_number_id === id && difference !== 0 ? { ...number, unread_count: Math.max(0, number.unread_count + difference) } : number));
    add(difference);
    return (changes) => {
      if (!changes.some(({ phone_number: number }) => number?.phone_number_id === id)) add(-difference);
    };
  }
}

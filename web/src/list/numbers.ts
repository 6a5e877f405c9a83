import { useMemo } from 'react';
import type { PhoneNumber } from '../api/types';
import { usePhoneNumbers } from '../hooks/misc';

/** What a number is called, among others: the name that customers see, unless another has the same. */
export function labelOf(number: PhoneNumber, among: readonly PhoneNumber[]): string {
  const { verified_name: name, display_phone_number: display } = number;
  const isAlone = among.every((other) => other === number || other.verified_name !== name);
  return (isAlone ? name || display : display || name) || number.phone_number_id;
}

/** The names of the agent's numbers, by id. */
export function useNumberLabels(): ReadonlyMap<string, string> {
  const numbers = usePhoneNumbers();
  return useMemo(() => new Map(numbers?.map((number) => [number.phone_number_id, labelOf(number, numbers)])), [numbers]);
}

/** What stands for a customer's name and the like in quick replies: as the API fills it in. */
import type { Conversation, PhoneNumber } from '../../api/types';

export const VARIABLES = ['customer_name', 'customer_phone', 'customer_username', 'business_name'] as const;
export type Variable = (typeof VARIABLES)[number];

export function valueOf(name: string, conversation: Conversation | null | undefined, number: PhoneNumber | undefined): string | null {
  switch (name) {
    case 'customer_name':
      return conversation?.customer_name ?? null;
    case 'customer_phone':
      return conversation?.customer_phone ?? null;
    case 'customer_username':
      return conversation?.customer_username ?? null;
    case 'business_name':
      return number?.verified_name ?? null;
    default:
      return null;
  }
}

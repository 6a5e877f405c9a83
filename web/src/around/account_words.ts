import { useLingui } from '@lingui/react/macro';
import type { PhoneNumber } from '../api/types';

/** Why an account does not send, in a sentence or two: what happened, what to do, what becomes of messages. null: it sends. */
export function useAccountWords(): (number: PhoneNumber) => string | null {
  const { t } = useLingui();
  return (number) => {
    const name = number.display_phone_number ?? number.verified_name ?? number.phone_number_id;
    switch (number.account_status) {
      case 'active':
        return null;
      case 'reconnect_required':
        return t`${name} is disconnected from WhatsApp. An administrator has to connect it again; messages wait until then.`;
      case 'payment_required':
        return t`${name} cannot send: WhatsApp asks for a valid payment method. Messages wait until then.`;
      case 'registration_required':
        return t`${name} is not registered with WhatsApp yet. Messages wait until it is.`;
      case 'spam_limited':
        return t`WhatsApp has limited ${name} because of messages reported as spam. Messages wait until the limit ends.`;
      case 'restricted':
        return t`WhatsApp has restricted ${name}. Messages wait until the restriction ends.`;
      case 'disabled':
        return t`WhatsApp has disabled the account of ${name}. Messages wait; an administrator can ask for a review.`;
      case 'disable_scheduled':
        return t`WhatsApp is going to disable the account of ${name}. Messages wait; an administrator can ask for a review.`;
      case 'rejected':
        return t`WhatsApp has rejected the account of ${name}. It cannot send messages.`;
      case 'deleted':
        return t`The account of ${name} was deleted at WhatsApp. It cannot send messages.`;
      default:
        return t`${name} cannot send at present. Messages wait.`;
    }
  };
}

/** What keeps an account or a number from working, in words for those who work with it. */
import { useLingui } from '@lingui/react/macro';
import type { PhoneNumber } from '../api/types';

export interface AccountWords {
  /** In short. */
  readonly note: string;
  /** In a sentence or two: what happened, what to do, what becomes of messages. */
  readonly whole: string;
}

/** Why an account does not send; null where it does. */
export function useAccountWords(): (number: PhoneNumber) => AccountWords | null {
  const { t } = useLingui();
  return (number) => {
    const name = number.display_phone_number ?? number.verified_name ?? number.phone_number_id;
    switch (number.account_status) {
      case 'active':
        return null;
      case 'reconnect_required':
        return { note: t`Must be connected to WhatsApp again`, whole: t`${name} is disconnected from WhatsApp. An administrator has to connect it again; messages wait until then.` };
      case 'payment_required':
        return { note: t`WhatsApp wants a payment`, whole: t`${name} cannot send: WhatsApp asks for a valid payment method. Messages wait until then.` };
      case 'registration_required':
        return { note: t`Must be registered with WhatsApp`, whole: t`${name} is not registered with WhatsApp yet. Messages wait until it is.` };
      case 'spam_limited':
        return { note: t`Limited by WhatsApp after reports of spam`, whole: t`WhatsApp has limited ${name} because of messages reported as spam. Messages wait until the limit ends.` };
      case 'restricted':
        return { note: t`Restricted by WhatsApp`, whole: t`WhatsApp has restricted ${name}. Messages wait until the restriction ends.` };
      case 'disabled':
        return { note: t`Disabled by WhatsApp`, whole: t`WhatsApp has disabled the account of ${name}. Messages wait; an administrator can ask for a review.` };
      case 'disable_scheduled':
        return { note: t`WhatsApp will disable this account`, whole: t`WhatsApp is going to disable the account of ${name}. Messages wait; an administrator can ask for a review.` };
      case 'rejected':
        return { note: t`Rejected by WhatsApp`, whole: t`WhatsApp has rejected the account of ${name}. It cannot send messages.` };
      case 'deleted':
        return { note: t`Deleted at WhatsApp`, whole: t`The account of ${name} was deleted at WhatsApp. It cannot send messages.` };
      default:
        return { note: t`Cannot send at present`, whole: t`${name} cannot send at present. Messages wait.` };
    }
  };
}

/** What a quality rating means; null where all is well, or nothing is known. */
export function useQualityWords(): (rating: string | null) => string | null {
  const { t } = useLingui();
  return (rating) => {
    switch (rating) {
      case 'RED':
        return t`Low quality: customers block or report it`;
      case 'YELLOW':
        return t`Medium quality`;
      default:
        return null;
    }
  };
}

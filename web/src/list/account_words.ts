/** What keeps an account or a number from working, in words for those who work with it. */
import { useLingui } from '@lingui/react/macro';

/** What is wrong with an account of this `account_status`; null where nothing is. */
export function useAccountWords(): (status: string) => string | null {
  const { t } = useLingui();
  return (status) => {
    switch (status) {
      case 'active':
        return null;
      case 'reconnect_required':
        return t`Must be connected to WhatsApp again`;
      case 'payment_required':
        return t`WhatsApp wants a payment`;
      case 'registration_required':
        return t`Must be registered with WhatsApp`;
      case 'spam_limited':
        return t`Limited by WhatsApp after reports of spam`;
      case 'restricted':
        return t`Restricted by WhatsApp`;
      case 'disabled':
        return t`Disabled by WhatsApp`;
      case 'disable_scheduled':
        return t`WhatsApp will disable this account`;
      case 'rejected':
        return t`Rejected by WhatsApp`;
      case 'deleted':
        return t`Deleted at WhatsApp`;
      default:
        return t`Cannot send at present`;
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

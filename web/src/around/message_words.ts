import { plural } from '@lingui/core/macro';
import { useLingui } from '@lingui/react/macro';
import { useMemo } from 'react';
import type { AlertWords } from './alerts';
import type { PushWords } from './push_words';

/** What notifications say: here, and by the service worker. */
export function useMessageWords(): AlertWords & PushWords {
  const { t } = useLingui();
  return useMemo(() => {
    const types: Record<string, string> = {
      image: t`Photo`,
      video: t`Video`,
      audio: t`Voice message`,
      document: t`Document`,
      sticker: t`Sticker`,
      location: t`Location`,
      contacts: t`Contact`,
      order: t`Order`,
    };
    const untitled = t`New message`;
    return {
      types,
      untitled,
      message: (message) => message.content ?? message.media_caption ?? types[message.message_type ?? ''] ?? untitled,
      count: (count) => t({ message: plural(count, { one: '# new message', other: '# new messages' }) }),
    };
  }, [t]);
}

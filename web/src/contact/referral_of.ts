import type { Message } from '../api/types';

/** The ad or post that a customer came from. */
export interface Referral {
  readonly headline: string | null;
  readonly body: string | null;
  /** Where it is shown; only what is safe to open. */
  readonly url: string | null;
  readonly isAd: boolean;
}

/** What WhatsApp told of it with the first of these messages that has it, oldest first. */
export function referralOf(messages: readonly Message[] | undefined): Referral | null {
  for (const { referral } of messages ?? []) {
    if (typeof referral !== 'object' || referral === null) continue;
    const text = (name: string) => {
      const value = (referral as Record<string, unknown>)[name];
      return typeof value === 'string' && value.trim() !== '' ? value : null;
    };
    return { headline: text('headline'), body: text('body'), url: safeUrl(text('source_url')), isAd: text('source_type') !== 'post' };
  }
  return null;
}

function safeUrl(text: string | null): string | null {
  try {
    const url = new URL(text ?? '');
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}

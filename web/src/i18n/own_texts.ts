/** A host's own texts, made what a catalog has: by the ids that the build gives texts, and ready to be filled in. */
import { compileMessage } from '@lingui/message-utils/compileMessage';
import { generateMessageId } from '@lingui/message-utils/generateMessageId';

export function compileTexts(texts: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(texts).map(([text, own]) => [generateMessageId(text), compileMessage(own)]));
}

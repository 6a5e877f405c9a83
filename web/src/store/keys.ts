/** Where things stand in the cache. */
import type { ListParams } from './fold';

export const keys = {
  phoneNumbers: () => ['phone-numbers'] as const,
  conversations: (params: ListParams) => ['conversations', params] as const,
  conversation: (id: number) => ['conversation', id] as const,
  thread: (id: number) => ['thread', id] as const,
  outbox: (conversationId: number) => ['outbox', conversationId] as const,
  outboxTotals: () => ['outbox-totals'] as const,
  draft: (conversationId: number) => ['draft', conversationId] as const,
  drafted: () => ['drafted'] as const,
  /** Where a conversation went that is gone. */
  successor: (id: number) => ['successor', id] as const,
  status: () => ['status'] as const,
  typing: (conversationId: number) => ['typing', conversationId] as const,
  mediaLink: (messageId: string) => ['media', messageId] as const,
  templates: (phoneNumberId: string) => ['templates', phoneNumberId] as const,
  quickReplies: (conversationId: number | null) => ['quick-replies', conversationId] as const,
  search: (params: { q: string; phoneNumberId: string | null; conversationId: number | null }) => ['search', params] as const,
};

const LIVE: readonly unknown[] = ['phone-numbers', 'conversations', 'conversation', 'thread'];

/** Whether changes keep it as the server has it. */
export function isLive(key: readonly unknown[]): boolean {
  return LIVE.includes(key[0]);
}

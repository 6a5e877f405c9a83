import { describe, expect, it } from 'vitest';
import type { Change, Conversation, Message } from '../../src/api/types';
import { latestOfEach, newsOf } from '../../src/around/news';
import { isWanted } from '../../src/around/palette_match';
import { afterLeaving, neighbour, nextUnread } from '../../src/around/steps';
import { ENGLISH, toShown, wordsOf } from '../../src/page/push_notification';

const NOW = Date.parse('2026-11-20T12:00:00Z');

function created(message: Partial<Message>, more: Partial<Change> = {}): Change {
  const whole = { id: 1, conversation_id: 1, sender: 'customer', message_type: 'text', status: 'delivered', timestamp: '2026-11-20T11:59:00Z', reactions: [], ...message };
  return { type: 'message.created', truncated: false, phone_number_id: '5', message: whole, ...more };
}

describe('news', () => {
  it('are what customers write', () => {
    expect(newsOf([created({})], NOW)).toMatchObject([{ phoneNumberId: '5', message: { id: 1 } }]);
  });

  it('are neither what the business writes, nor what was read, deleted, edited or told by WhatsApp', () => {
    const others = [created({ sender: 'user' }), created({ status: 'read' }), created({ deleted_at: '2026-11-20T11:59:30Z' }), created({ message_type: 'system' }), created({}, { type: 'message.updated' })];
    expect(newsOf(others, NOW)).toEqual([]);
  });

  it('are not what was written more than an hour ago, as a history is', () => {
    expect(newsOf([created({ timestamp: '2026-11-20T10:59:59Z' })], NOW)).toEqual([]);
    expect(newsOf([created({ timestamp: '2026-11-20T11:00:00Z' })], NOW)).toHaveLength(1);
    expect(newsOf([created({ timestamp: null })], NOW)).toEqual([]);
  });

  it('are told once a conversation, by its last message', () => {
    const news = newsOf([created({ id: 1 }), created({ id: 2, conversation_id: 2 }), created({ id: 3 })], NOW);
    expect(latestOfEach(news).map(({ message }) => message.id)).toEqual([2, 3]);
  });
});

describe('steps', () => {
  const list = [[1, 0], [2, 3], [3, 0], [4, 1]].map(([id, unread_count]) => ({ id, unread_count }) as Conversation);

  it('go to the neighbours, and stop at the ends', () => {
    expect(neighbour(list, 2, 1)?.id).toBe(3);
    expect(neighbour(list, 2, -1)?.id).toBe(1);
    expect(neighbour(list, 4, 1)).toBeUndefined();
    expect(neighbour(list, 1, -1)).toBeUndefined();
  });

  it('begin at the top, or at the foot going back, when none of the list is open', () => {
    expect(neighbour(list, null, 1)?.id).toBe(1);
    expect(neighbour(list, 99, -1)?.id).toBe(4);
    expect(neighbour([], null, 1)).toBeUndefined();
  });

  it('find the next unread one below, and from the top again', () => {
    expect(nextUnread(list, 2)?.id).toBe(4);
    expect(nextUnread(list, 4)?.id).toBe(2);
    expect(nextUnread(list, null)?.id).toBe(2);
    expect(nextUnread(list.slice(0, 1), null)).toBeUndefined();
  });

  it('never find the open one itself unread', () => {
    expect(nextUnread([list[1] as Conversation], 2)).toBeUndefined();
  });

  it('go down after archiving, at the end up, else nowhere', () => {
    expect(afterLeaving(list, 1)?.id).toBe(2);
    expect(afterLeaving(list, 4)?.id).toBe(3);
    expect(afterLeaving(list.slice(0, 1), 1)).toBeUndefined();
    expect(afterLeaving(list.slice(1), 99)?.id).toBe(2);
  });
});

describe('actions of the palette', () => {
  it('are found by the beginnings of their words, in any order, without accents', () => {
    expect(isWanted('Archive and go to the next', 'next arch')).toBe(true);
    expect(isWanted('Configurações', 'configuraco')).toBe(true);
    expect(isWanted('Show +49 151 only', '+49')).toBe(true);
    expect(isWanted('Archive and go to the next', 'chive')).toBe(false);
    expect(isWanted('Anything', '')).toBe(true);
  });
});

describe('a push', () => {
  const push = { type: 'message', conversation_id: 7, phone_number_id: '5', unread_count: 2, title: 'Ada', body: 'Hello', message_type: 'text', timestamp: '2026-11-20T11:59:00Z' };

  it('becomes one notification a conversation', () => {
    expect(toShown(push, ENGLISH)).toMatchObject({ title: 'Ada', options: { body: 'Hello', tag: 'waba-live-chat 7', renotify: true, data: { conversationId: 7 } } });
  });

  it('says what a file is in the words that the page left', () => {
    const words = wordsOf({ untitled: 'Nova mensagem', types: { image: 'Foto' } });
    expect(toShown({ ...push, body: null, message_type: 'image' }, words)).toMatchObject({ options: { body: 'Foto' } });
    expect(toShown({ ...push, body: null, message_type: 'video' }, words)).toMatchObject({ options: { body: 'Video' } });
  });

  it('tells nothing of the message where no name is to be shown', () => {
    const shown = toShown({ ...push, title: null, body: null, message_type: 'image' }, ENGLISH);
    expect(shown?.title).toBe('New message');
    expect(shown?.options).not.toHaveProperty('body');
  });

  it('of an unknown type, or that is none of ours, shows nothing', () => {
    for (const other of [null, 'text', {}, { type: 'read', conversation_id: 7 }, { ...push, conversation_id: '7' }]) expect(toShown(other, ENGLISH)).toBeNull();
  });

  it('is shown in English where the page left nothing of use', () => {
    for (const kept of [null, [], { untitled: 1, types: { image: 2 } }]) expect(wordsOf(kept)).toEqual(ENGLISH);
  });
});

import type { Conversation } from '../../src/api/types';

/** A conversation as the API has it, but for what is given. */
export function conversation(given: Partial<Conversation> = {}): Conversation {
  return {
    id: 1,
    waba_id: '100',
    phone_number_id: '200',
    customer_phone: '+491511234567',
    customer_user_id: null,
    customer_username: null,
    customer_name: 'Ada Moreno',
    last_message: 'Hello',
    last_message_type: 'text',
    last_message_sender: 'customer',
    last_message_status: 'delivered',
    last_message_time: '2026-07-01T12:00:00Z',
    unread_count: 0,
    needs_reply: false,
    waiting_since: null,
    window_expires_at: '2026-07-02T12:00:00Z',
    status: 'active',
    marketing_opted_out_at: null,
    created_at: '2026-06-01T12:00:00Z',
    updated_at: '2026-07-01T12:00:00Z',
    ...given,
  };
}

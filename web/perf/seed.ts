/** Conversations that are too large to be written one message at a time. */
import pg from 'pg';
import { stack } from '../e2e/support';

/** Gives the demo agent's conversation with this customer `count` messages of the last weeks, both sides', without telling anybody. */
export async function seedMessages(customerPhone: string, count: number): Promise<number> {
  const client = new pg.Client({ connectionString: stack.database_url.replace('?sslmode=disable', '') });
  await client.connect();
  try {
    const found = await client.query<{ id: string }>('select id from chat_conversations where customer_phone = $1', [`+${customerPhone}`]);
    const id = Number(found.rows[0]?.id);
    await client.query(
      `insert into chat_messages (conversation_id, message_id, wa_message_id, content, message_type, sender, status, timestamp)
       select $1, gen_random_uuid()::text, 'wamid.seed.' || $1 || '.' || n,
              case n % 5 when 0 then 'Number ' || n when 1 then repeat('A longer line, as people write them when they explain. ', 1 + n % 7)
                when 2 then 'Yes.' when 3 then '*Bold* and _more_ at https://example.com/' || n else E'Two\\nlines' end,
              'text', case when n % 3 = 0 then 'user' else 'customer' end, case when n % 3 = 0 then 'read' else 'delivered' end,
              now() - interval '1 hour' - n * interval '40 seconds'
       from generate_series(1, $2::int) n`,
      [id, count],
    );
    return id;
  } finally {
    await client.end();
  }
}

/** Lets `count` messages of a conversation change, as statuses do. */
export async function changeMessages(conversationId: number, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: stack.database_url.replace('?sslmode=disable', '') });
  await client.connect();
  try {
    await client.query(
      `update chat_messages set content = content || '.' where id in (select id from chat_messages where conversation_id = $1 order by timestamp desc limit $2)`,
      [conversationId, count],
    );
  } finally {
    await client.end();
  }
}

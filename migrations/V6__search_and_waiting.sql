-- What lists are filtered and sorted by (who waits for an answer, whose window closes), and the words of messages and names for search. For the
-- rows that are there already the consumer's clock does it in portions: on a large database that takes longer than writers can be kept waiting.

alter table chat_conversations
  -- The time of the customer's first message after the agent's last one that did not fail; null where nobody waits.
  add column waiting_since timestamptz;

create index chat_messages_answers_idx on chat_messages
  (conversation_id, (coalesce("timestamp", created_at, timestamptz 'epoch')) desc, (coalesce(wa_message_id, message_id, '')) collate "C" desc)
  where sender = 'user' and status is distinct from 'failed';

-- waiting_since of a conversation as its messages say, by two index probes. An answer that the statement inserts itself, which it does not
-- see yet, is given beside.
create function chat_waiting_since(conversation bigint, answered_at timestamptz default null, answer text default null)
returns timestamptz language sql stable as $$
  with answer as (
    select time, key from (
      (select coalesce(m."timestamp", m.created_at, timestamptz 'epoch') as time, coalesce(m.wa_message_id, m.message_id, '') as key
       from chat_messages m
       where m.conversation_id = conversation and m.sender = 'user' and m.status is distinct from 'failed'
       order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch') desc, coalesce(m.wa_message_id, m.message_id, '') collate "C" desc
       limit 1)
      union all
      select answered_at, answer where answered_at is not null) known
    order by time desc, key collate "C" desc
    limit 1
  )
  select coalesce(m."timestamp", m.created_at, timestamptz 'epoch')
  from chat_messages m
  where m.conversation_id = conversation and m.sender = 'customer' and not m.is_history and m.message_type is distinct from 'system'
    and coalesce(m."timestamp", m.created_at, timestamptz 'epoch') between timestamptz '1000-01-01' and timestamptz '9000-01-01'
    and coalesce(m."timestamp", m.created_at, timestamptz 'epoch') >= coalesce((select time from answer), timestamptz '-infinity')
    and (coalesce(m."timestamp", m.created_at, timestamptz 'epoch') > coalesce((select time from answer), timestamptz '-infinity')
         or coalesce(m.wa_message_id, m.message_id, '') collate "C" > (select key from answer))
  order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch'), m.id
  limit 1
$$;

-- One for each list, so that a page is one scan of its rows alone.
create index chat_conversations_status_idx on chat_conversations
  (waba_id, phone_number_id, (coalesce(status, 'active')), (coalesce(last_message_time, created_at, timestamptz 'epoch')) desc, id desc);
create index chat_conversations_unread_page_idx on chat_conversations
  (waba_id, phone_number_id, (coalesce(last_message_time, created_at, timestamptz 'epoch')) desc, id desc) where unread_count > 0;
create index chat_conversations_waiting_idx on chat_conversations (waba_id, phone_number_id, waiting_since, id)
  where waiting_since is not null;
create index chat_conversations_unanswered_idx on chat_conversations
  (waba_id, phone_number_id, (coalesce(last_message_time, created_at, timestamptz 'epoch')) desc, id desc) where waiting_since is not null;
create index chat_conversations_answered_idx on chat_conversations
  (waba_id, phone_number_id, (coalesce(last_message_time, created_at, timestamptz 'epoch')) desc, id desc) where waiting_since is null;
create index chat_conversations_window_idx on chat_conversations (waba_id, phone_number_id, last_inbound_at)
  where last_inbound_at is not null;

-- How texts are compared: NFKC, small letters by Unicode's rules where the server has ICU, one sigma, no Arabic tatweel and vowel signs, no
-- accent that stays apart from its letter, nothing that only says how to set a text (WhatsApp puts such around phone numbers). An
-- installation keeps the form that it gets here.
do $$
declare
  marks constant text := '[\u00AD\u0300-\u036F\u0610-\u061A\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E8\u06EA-\u06ED'
                         '\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]';
  is_unicode constant boolean := current_setting('server_encoding') = 'UTF8';
  has_icu constant boolean := exists (select 1 from pg_collation where collname = 'und-x-icu' and collnamespace = 'pg_catalog'::regnamespace);
  folded text := 'lower($1)';
begin
  if is_unicode then
    folded := format('replace(regexp_replace(lower(normalize($1, NFKC)%s), %L, '''', ''g''), chr(962), chr(963))',
                     case when has_icu then ' collate "und-x-icu"' else '' end, marks);
  end if;
  execute format('create function chat_fold(text) returns text language sql immutable strict parallel safe as %L', 'select ' || folded);
end
$$;

-- The keys of grams in a scope: an account's search never reads another one's postings. Hashed, since 8 bytes are half of what scope and gram
-- take, and what two grams share the search looks at again. (Hash partitioning needs this hash to stay as it is, too.)
create function chat_gram_keys(scope text, grams text[]) returns bigint[] language sql immutable strict parallel safe as $$
  select array_agg(hashtextextended(gram, hashtextextended(scope, 0))) from unnest(grams) gram
$$;

-- The keys by which a folded text is found: of all its trigrams, and from `shortest` on of shorter grams. Where a character takes more than two
-- bytes (Chinese, Japanese, Korean, Thai, emoji), which may be a word by itself, it and its pairs are in too.
-- Measured: 0.06 ms for 100 characters, 2.2 ms for 4,096.
create function chat_grams(scope text, body text, shortest integer) returns bigint[] language plpgsql immutable strict parallel safe as $$
declare
  seed constant bigint := hashtextextended(scope, 0);
  keys bigint[] := '{}';
  is_wide boolean;
  was_wide boolean := false;
  one text;
  two text;
  three text;
begin
  foreach one in array string_to_array(left(body, 8192), null) loop
    is_wide := octet_length(one) > 2;
    if three is not null then
      keys := keys || hashtextextended(three || two || one, seed);
    end if;
    if (is_wide or was_wide or shortest < 3) and two is not null then
      keys := keys || hashtextextended(two || one, seed);
    end if;
    if is_wide or shortest < 2 then
      keys := keys || hashtextextended(one, seed);
    end if;
    three := two;
    two := one;
    was_wide := is_wide;
  end loop;
  return keys;
end
$$;

-- What can be found of a message: its content and caption, folded. There is no row where there is no text. `period` is the month of its time.
create table chat_message_texts (
  message_id bigint primary key constraint chat_message_texts_message_fkey references chat_messages(id) on delete cascade,
  waba_id text not null,
  phone_number_id text,
  period text not null,
  time timestamptz not null,
  body text not null
);

-- What can be found of a conversation: the digits of the phone number, the name and the username, with U+001F between them.
create table chat_conversation_texts (
  conversation_id bigint primary key
    constraint chat_conversation_texts_conversation_fkey references chat_conversations(id) on delete cascade,
  waba_id text not null,
  body text not null
);

-- A message whose time is none (infinite, or of no year that has four digits) is not found.
create function chat_put_message_texts(ids bigint[]) returns void language plpgsql as $$
begin
  delete from chat_message_texts where message_id = any(ids);
  insert into chat_message_texts (message_id, waba_id, phone_number_id, period, time, body)
  select m.id, c.waba_id, c.phone_number_id, to_char(w.time at time zone 'UTC', 'YYYYMM'), w.time, w.body
  from chat_messages m
  join chat_conversations c on c.id = m.conversation_id
  cross join lateral (
    select coalesce(m."timestamp", m.created_at, timestamptz 'epoch') as time,
           left(chat_fold(concat_ws(E'\n', m.content, m.media_caption)), 8192) as body) w
  where m.id = any(ids) and c.waba_id is not null and w.body <> ''
    and w.time >= timestamptz '1000-01-01' and w.time < timestamptz '9000-01-01'
  order by m.id desc
  -- The clock and a trigger may put the same one: whoever comes second waits here, and knows better.
  on conflict (message_id) do update
  set waba_id = excluded.waba_id, phone_number_id = excluded.phone_number_id, period = excluded.period, time = excluded.time, body = excluded.body;
end
$$;

create function chat_put_conversation_texts(ids bigint[]) returns void language plpgsql as $$
begin
  delete from chat_conversation_texts where conversation_id = any(ids);
  insert into chat_conversation_texts (conversation_id, waba_id, body)
  select c.id, c.waba_id,
         concat_ws(chr(31), case when c.customer_phone like 'bsuid:%' then '' else regexp_replace(c.customer_phone, '[^0-9]', '', 'g') end,
                   translate(chat_fold(coalesce(c.customer_name, '')), chr(31), ' '),
                   translate(chat_fold(coalesce(c.customer_username, '')), chr(31), ' '))
  from chat_conversations c
  where c.id = any(ids) and c.waba_id is not null
  order by c.id desc
  on conflict (conversation_id) do update set waba_id = excluded.waba_id, body = excluded.body;
end
$$;

-- Triggers, so that whoever else writes these tables need not know of search. A statement at a time; nothing is done for statuses and the like.
create function chat_index_messages() returns trigger language plpgsql security definer as $$
begin
  if tg_op = 'INSERT' then
    perform chat_put_message_texts(array(select id from after_rows));
  else
    perform chat_put_message_texts(ids) from (
      select array_agg(n.id) as ids
      from after_rows n join before_rows o on o.id = n.id
      where (n.content, n.media_caption, n.conversation_id, n."timestamp") is distinct from (o.content, o.media_caption, o.conversation_id, o."timestamp")
    ) changed where ids is not null;
  end if;
  return null;
end
$$;
create function chat_index_conversations() returns trigger language plpgsql security definer as $$
begin
  if tg_op = 'INSERT' then
    perform chat_put_conversation_texts(array(select id from after_rows));
  else
    perform chat_put_conversation_texts(ids) from (
      select array_agg(n.id) as ids
      from after_rows n join before_rows o on o.id = n.id
      where (n.waba_id, n.customer_phone, n.customer_name, n.customer_username)
            is distinct from (o.waba_id, o.customer_phone, o.customer_name, o.customer_username)
    ) changed where ids is not null;
    -- Its messages are its account's and number's.
    perform chat_put_message_texts(ids) from (
      select array_agg(m.id) as ids
      from after_rows n join before_rows o on o.id = n.id join chat_messages m on m.conversation_id = n.id
      where (n.waba_id, n.phone_number_id) is distinct from (o.waba_id, o.phone_number_id)
    ) moved where ids is not null;
  end if;
  return null;
end
$$;
create trigger chat_messages_index_new after insert on chat_messages
  referencing new table as after_rows for each statement execute function chat_index_messages();
create trigger chat_messages_index_changed after update on chat_messages
  referencing old table as before_rows new table as after_rows for each statement execute function chat_index_messages();
create trigger chat_conversations_index_new after insert on chat_conversations
  referencing new table as after_rows for each statement execute function chat_index_conversations();
create trigger chat_conversations_index_changed after update on chat_conversations
  referencing old table as before_rows new table as after_rows for each statement execute function chat_index_conversations();

-- What rows that were there before lack, until the consumer's clock has gone through them, the newest first. A row goes when that is done.
create table chat_backfills (
  name text primary key constraint chat_backfills_name_check check (name in ('conversations', 'messages')),
  -- Those with greater ids are done.
  next_id bigint not null default 9223372036854775807
);
insert into chat_backfills (name) values ('conversations'), ('messages');

create index chat_message_texts_time_idx on chat_message_texts (waba_id, time, message_id);
create index chat_message_texts_grams_idx on chat_message_texts using gin (chat_grams(waba_id || period, body, 3));
create index chat_conversation_texts_grams_idx on chat_conversation_texts using gin (chat_grams(waba_id, body, 1));
-- The planner learns nothing from statistics of hashes, and ANALYZE would compute them for 30,000 texts.
alter index chat_message_texts_grams_idx alter column 1 set statistics 0;
alter index chat_conversation_texts_grams_idx alter column 1 set statistics 0;

do $$
declare
  tables constant text[] := array['chat_message_texts', 'chat_conversation_texts', 'chat_backfills'];
  functions constant text[] := array['chat_put_message_texts(bigint[])', 'chat_put_conversation_texts(bigint[])', 'chat_index_messages()',
                                     'chat_index_conversations()'];
  name text;
  role text;
begin
  foreach name in array tables loop
    execute format('alter table %I enable row level security', name);
  end loop;
  -- Those that act with their owner's rights, and what they call: see V5.
  foreach name in array functions loop
    execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    execute format('revoke all on function %s from public', name);
  end loop;
  for role in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    foreach name in array functions loop
      execute format('revoke all on function %s from %I', name, role);
    end loop;
    foreach name in array tables loop
      execute format('revoke all on table %I from %I', name, role);
    end loop;
  end loop;
end
$$;

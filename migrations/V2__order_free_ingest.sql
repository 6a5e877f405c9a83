-- What the folds of the ingest need: absolute times, 64-bit ids, one message a wamid, events about messages, and the quarantine.

-- A time without a zone was always UTC here. A serial's sequence ends at 2^31 - 1 until it is told otherwise. Policies, which Supabase's
-- users have on such tables, forbid a column another type, so they step aside and come back as they were.
do $$
declare
  policies constant jsonb := (
    select coalesce(jsonb_agg(p), '[]') from pg_policies p
    where p.schemaname = current_schema() and p.tablename in ('chat_conversations', 'chat_messages'));
  policy record;
  item record;
  name text;
  sequence text;
begin
  for policy in select * from jsonb_to_recordset(policies) as p(policyname text, tablename text) loop
    execute format('drop policy %I on %I', policy.policyname, policy.tablename);
  end loop;
  for item in
    select c.table_name, c.column_name from information_schema.columns c
    where c.table_schema = current_schema() and c.table_name in ('chat_conversations', 'chat_messages')
      and c.data_type = 'timestamp without time zone'
  loop
    execute format('alter table %I alter column %I type timestamptz using %I at time zone ''UTC''',
                   item.table_name, item.column_name, item.column_name);
  end loop;
  foreach name in array array['chat_conversations', 'chat_messages'] loop
    execute format('alter table %I alter column id type bigint', name);
    sequence := pg_get_serial_sequence(name, 'id');
    if sequence is not null then
      execute format('alter sequence %s as bigint', sequence);
    end if;
  end loop;
  alter table chat_messages alter column conversation_id type bigint;
  for policy in
    select * from jsonb_to_recordset(policies)
      as p(policyname text, tablename text, permissive text, cmd text, roles name[], qual text, with_check text)
  loop
    execute format('create policy %I on %I as %s for %s to %s', policy.policyname, policy.tablename, policy.permissive, policy.cmd,
                   (select string_agg(quote_ident(role), ', ') from unnest(policy.roles) role))
      || coalesce(' using (' || policy.qual || ')', '') || coalesce(' with check (' || policy.with_check || ')', '');
  end loop;
end
$$;

alter table chat_conversations
  add column customer_user_id text,
  add column customer_username text,
  -- (time, wamid) of the message whose profile gave the name, so that the newest wins in any order of arrival.
  add column customer_name_time timestamptz,
  add column customer_name_wamid text,
  add column customer_name_by_agent boolean not null default false,
  add column customer_username_time timestamptz,
  add column customer_username_wamid text,
  add column last_message_id bigint,
  add column last_inbound_at timestamptz,
  -- The read position is a message: WhatsApp's clock has seconds, so a time alone would not tell two messages apart.
  add column read_time timestamptz,
  add column read_wamid text;

alter table chat_messages
  add column sent_at timestamptz,
  add column delivered_at timestamptz,
  add column read_at timestamptz,
  add column error jsonb,
  add column pricing jsonb,
  add column referral jsonb,
  add column reply_to_wa_message_id text;

update chat_messages set wa_message_id = null where wa_message_id = '';
update chat_messages set message_id = null where message_id = '';

-- Of two rows with one wamid in a conversation the later keeps its row and gives up the wamid.
update chat_messages m
set wa_message_id = null,
    metadata = case when jsonb_typeof(m.metadata) = 'object' then m.metadata
                    when m.metadata is null then '{}'::jsonb
                    else jsonb_build_object('metadata', m.metadata) end
               || jsonb_build_object('wa_message_id', m.wa_message_id)
from (
  select id, row_number() over (partition by conversation_id, wa_message_id order by id) as position
  from chat_messages
  where wa_message_id is not null
) d
where d.id = m.id and d.position > 1;

create unique index chat_messages_conversation_wamid_key on chat_messages (conversation_id, wa_message_id);

-- Page order. Rows of the first schema may lack a timestamp; they sort by their creation.
create index chat_messages_page_idx on chat_messages
  (conversation_id, (coalesce("timestamp", created_at, timestamptz 'epoch')) desc, id desc);
create index chat_conversations_page_idx on chat_conversations
  (waba_id, phone_number_id, (coalesce(last_message_time, created_at, timestamptz 'epoch')) desc, id desc);
create index chat_conversations_customer_user_id_idx on chat_conversations (phone_number_id, customer_user_id)
  where customer_user_id is not null;

create index chat_conversations_unread_idx on chat_conversations (waba_id, phone_number_id) include (unread_count)
  where unread_count > 0;
create index chat_messages_unseen_idx on chat_messages (conversation_id) where sender = 'customer' and status is distinct from 'read';

update chat_conversations c
set last_message_id = (
      select m.id from chat_messages m
      where m.conversation_id = c.id
      order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch') desc, m.wa_message_id collate "C" desc nulls last
      limit 1),
    last_inbound_at = (
      select max(m."timestamp") from chat_messages m where m.conversation_id = c.id and m.sender = 'customer');

-- Insert-only. What a message shows of its statuses is a fold over these rows; an event may come before its message.
create table chat_message_events (
  id bigint generated always as identity primary key,
  digest bytea not null constraint chat_message_events_digest_key unique,
  phone_number_id text not null,
  kind text not null constraint chat_message_events_kind_check check (kind in ('status')),
  wa_message_id text not null,
  message_id text,
  status text constraint chat_message_events_status_check check (status in ('sent', 'delivered', 'read', 'failed')),
  occurred_at timestamptz not null,
  error jsonb,
  pricing jsonb,
  item jsonb not null,
  received_at timestamptz not null default now()
);
create index chat_message_events_target_idx on chat_message_events (phone_number_id, wa_message_id);

-- Each inbound item as it came, beside its message: proof, and what decides between two items that claim one wamid.
create table chat_message_sources (
  message_id bigint primary key references chat_messages(id) on delete cascade,
  digest bytea not null,
  body bytea not null,
  received_at timestamptz not null default now()
);

create table chat_media (
  message_id bigint primary key references chat_messages(id) on delete cascade,
  wa_media_id text not null,
  state text not null default 'pending'
    constraint chat_media_state_check check (state in ('pending', 'stored', 'failed', 'expired')),
  mime_type text,
  filename text,
  sha256 text,
  voice boolean,
  animated boolean,
  received_at timestamptz not null default now(),
  next_try_at timestamptz not null default now()
);
create index chat_media_owed_idx on chat_media (next_try_at) where state = 'pending';

-- What we know of a business phone number beside what its owner registered.
create table chat_phone_numbers (
  phone_number_id text primary key,
  quality_rating text,
  last_webhook_at timestamptz
);

-- A message that an agent sends: what the idempotency key stands for, and the mark that is made before Graph is called.
create table chat_sends (
  message_id bigint primary key references chat_messages(id) on delete cascade,
  request_hash bytea not null,
  attempted_at timestamptz not null,
  settled_at timestamptz
);

create table chat_quarantine (
  id bigint generated always as identity primary key,
  digest bytea not null constraint chat_quarantine_digest_key unique,
  reason text not null,
  source text not null,
  waba_id text,
  phone_number_id text,
  field text,
  body bytea not null,
  received_at timestamptz not null default now()
);
create index chat_quarantine_phone_number_idx on chat_quarantine (phone_number_id, reason);

do $$
declare
  tables constant text[] := array['chat_message_events', 'chat_message_sources', 'chat_media', 'chat_phone_numbers', 'chat_sends',
                                  'chat_quarantine', 'chat_migrations'];
  name text;
  role text;
  sequence text;
begin
  foreach name in array tables loop
    execute format('alter table %I enable row level security', name);
  end loop;
  for role in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    foreach name in array tables loop
      execute format('revoke all on table %I from %I', name, role);
      for sequence in
        select s.oid::regclass::text from pg_class s join pg_depend d on d.objid = s.oid and d.classid = 'pg_class'::regclass
        where s.relkind = 'S' and d.refobjid = to_regclass(name)
      loop
        execute format('revoke all on sequence %s from %I', sequence, role);
      end loop;
    end loop;
  end loop;
end
$$;

-- Who a customer is (ids that belong together), events of every kind about messages, what webhooks say of numbers, accounts, templates
-- and contacts, and what is known of a file once it is fetched.

-- A person within one business portfolio. Their conversations, one a business phone number, follow when two of them prove to be one.
create table chat_customers (
  id bigint generated always as identity primary key,
  portfolio text not null,
  created_at timestamptz not null default now()
);

-- Every phone number (E.164 with +) and business-scoped user id that a customer was seen with. The one seen last, by (time, wamid), is shown.
create table chat_customer_ids (
  portfolio text not null,
  kind text not null constraint chat_customer_ids_kind_check check (kind in ('phone', 'user_id')),
  value text not null,
  customer_id bigint not null constraint chat_customer_ids_customer_fkey references chat_customers(id),
  seen_at timestamptz,
  seen_wamid text,
  constraint chat_customer_ids_pkey primary key (portfolio, kind, value)
);
create index chat_customer_ids_customer_idx on chat_customer_ids (customer_id);

-- What a webhook said last about something: a commutative newest-wins register, so that any order of arrival ends the same.
create table chat_facts (
  subject text not null constraint chat_facts_subject_check check (subject in ('contact', 'phone_number', 'account', 'template')),
  subject_id text not null,
  name text not null,
  value jsonb not null,
  occurred_at timestamptz not null,
  digest bytea not null,
  constraint chat_facts_pkey primary key (subject, subject_id, name)
);

alter table chat_conversations
  add column customer_id bigint,
  -- The name that the customer's profile gives; customer_name is what is shown.
  add column profile_name text,
  add column marketing_opted_out_at timestamptz;
update chat_conversations set profile_name = customer_name where customer_name is not null and not customer_name_by_agent;
create unique index chat_conversations_customer_key on chat_conversations (waba_id, phone_number_id, customer_id);
create index chat_conversations_customer_idx on chat_conversations (customer_id);

alter table chat_messages
  -- Imported from the phone: never unread, and it opens no window.
  add column is_history boolean not null default false,
  add column reactions jsonb,
  add column edited_at timestamptz,
  add column deleted_at timestamptz,
  -- {content, media_caption} as first received, where an edit or a revocation changed them.
  add column original jsonb;

-- Of two items with one wamid the one with the smaller (precedence, time, digest) stands.
alter table chat_message_sources add column precedence smallint not null default 0;

alter table chat_message_events
  drop constraint chat_message_events_kind_check,
  add constraint chat_message_events_kind_check check (kind in ('status', 'reaction', 'edit', 'revoke')),
  alter column item drop not null,
  -- The event's own wamid; statuses have none.
  add column event_wamid text,
  add column sender text constraint chat_message_events_sender_check check (sender in ('user', 'customer')),
  add column customer_id bigint,
  add column emoji text,
  add column edit jsonb,
  add column body bytea,
  -- Its message has not come yet.
  add column parked boolean not null default false;
create unique index chat_message_events_wamid_key on chat_message_events (phone_number_id, kind, event_wamid);
create index chat_message_events_customer_idx on chat_message_events (customer_id) where customer_id is not null;
create index chat_message_events_parked_idx on chat_message_events (received_at) where parked;
update chat_message_events e
set parked = true
where not exists (select 1 from chat_messages m
                  join chat_conversations c on c.id = m.conversation_id
                  where m.wa_message_id = e.wa_message_id and c.phone_number_id = e.phone_number_id);

alter table chat_media
  add column size bigint,
  add column width integer,
  add column height integer,
  add column duration_ms bigint,
  add column peaks smallint[],
  -- Where the file lies in the media bucket.
  add column object_key text,
  add column attempts integer not null default 0,
  -- A code that says why the last attempt failed.
  add column last_error text;

-- Files whose row is gone, however it went, are still to be taken out of the bucket. Whoever deletes a conversation need not know of it.
create table chat_discarded_files (
  object_key text primary key,
  discarded_at timestamptz not null default now()
);
create function chat_discard_file() returns trigger language plpgsql security definer set search_path from current as $$
begin
  insert into chat_discarded_files (object_key) values (old.object_key) on conflict do nothing;
  return null;
end
$$;
revoke all on function chat_discard_file() from public;
create trigger chat_media_discard after delete on chat_media
  for each row when (old.object_key is not null) execute function chat_discard_file();

do $$
declare
  tables constant text[] := array['chat_customers', 'chat_customer_ids', 'chat_facts', 'chat_discarded_files'];
  name text;
  role text;
  sequence text;
begin
  foreach name in array tables loop
    execute format('alter table %I enable row level security', name);
  end loop;
  for role in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    execute format('revoke all on function chat_discard_file() from %I', role);
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

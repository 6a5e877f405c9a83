-- Sending: what is owed to WhatsApp and when, what keeps an account or a number from sending, how fast it may, uploads, templates, quick
-- replies, read receipts and typing indicators.

-- A row is due at next_try_at until it is settled. attempted_at is written before Graph is asked: from then on nobody sends it again, and
-- next_try_at is when it counts as unconfirmed. While busy_until lies ahead somebody is at it.
alter table chat_sends
  drop constraint chat_sends_pkey,
  alter column message_id drop not null,
  alter column attempted_at drop not null,
  add column id bigint generated always as identity,
  add column conversation_id bigint constraint chat_sends_conversation_fkey references chat_conversations(id) on delete cascade,
  -- The idempotency key of a reaction, which has no message of its own.
  add column reaction_key text constraint chat_sends_reaction_key unique,
  add column request jsonb,
  add column reserved_at timestamptz not null default now(),
  add column next_try_at timestamptz,
  add column busy_until timestamptz,
  add column attempts integer not null default 0,
  -- Since when it is tried again and again; being held is another matter.
  add column trouble_since timestamptz,
  add column last_error jsonb,
  -- When it failed because nobody said what became of it; a status that comes later still counts.
  add column unconfirmed_at timestamptz,
  -- Wamids of attempts that WhatsApp took and reported as failed, before the agent sent the message again.
  add column former_wamids text[] not null default '{}';
alter table chat_sends
  add constraint chat_sends_pkey primary key (id),
  add constraint chat_sends_message_key unique (message_id);
update chat_sends s
set conversation_id = m.conversation_id, reserved_at = s.attempted_at,
    next_try_at = case when s.settled_at is null then s.attempted_at + interval '15 minutes' end
from chat_messages m
where m.id = s.message_id;
create index chat_sends_owed_idx on chat_sends (next_try_at) where settled_at is null;
create index chat_sends_turn_idx on chat_sends (conversation_id, id) where settled_at is null;

-- What keeps an account or a number from sending. Its messages wait until next_try_at, or until the account has another token.
create table chat_holds (
  scope text not null constraint chat_holds_scope_check check (scope in ('account', 'phone_number')),
  scope_id text not null,
  reason text not null,
  code bigint,
  since timestamptz not null default now(),
  next_try_at timestamptz not null,
  -- SHA-256 of the stored token that was refused.
  token_digest bytea,
  constraint chat_holds_pkey primary key (scope, scope_id)
);

alter table chat_phone_numbers
  -- When the next message may leave at a steady pace (generic cell rate algorithm).
  add column send_slot_at timestamptz,
  -- Where it is not the installation's default.
  add column messages_per_second integer constraint chat_phone_numbers_rate_check check (messages_per_second > 0);

-- What we owe and did in a conversation beside messages. Apart from chat_conversations, since none of it is shown.
create table chat_conversation_signals (
  conversation_id bigint primary key constraint chat_conversation_signals_conversation_fkey references chat_conversations(id) on delete cascade,
  -- As send_slot_at, for the pair of business and customer.
  pair_slot_at timestamptz,
  typing_sent_at timestamptz,
  -- The newest inbound message that is to be reported as read, and when; null once it is.
  receipt_wamid text,
  receipt_next_try_at timestamptz,
  receipt_attempts integer not null default 0,
  -- The last one that was reported.
  receipt_sent_wamid text
);
create index chat_conversation_signals_owed_idx on chat_conversation_signals (receipt_next_try_at) where receipt_next_try_at is not null;

create table chat_account_settings (
  waba_id text primary key,
  -- When a customer is told that their message was read.
  read_receipts text not null default 'on_reply'
    constraint chat_account_settings_read_receipts_check check (read_receipts in ('on_open', 'on_reply', 'never'))
);

-- Files that agents send. Where one lies is decided before the browser puts it there.
create table chat_uploads (
  id uuid primary key,
  user_id uuid not null,
  kind text not null constraint chat_uploads_kind_check check (kind in ('image', 'video', 'audio', 'document', 'sticker')),
  mime_type text not null,
  filename text,
  size bigint not null,
  object_key text not null constraint chat_uploads_object_key_key unique,
  created_at timestamptz not null default now(),
  -- When the file was found to be what was announced.
  checked_at timestamptz
);
create index chat_uploads_unchecked_idx on chat_uploads (created_at);
create trigger chat_uploads_discard after delete on chat_uploads for each row execute function chat_discard_file();

-- Meta's id of an uploaded file, for one business phone number; Meta keeps it for 30 days.
create table chat_upload_ids (
  upload_id uuid not null constraint chat_upload_ids_upload_fkey references chat_uploads(id) on delete cascade,
  phone_number_id text not null,
  wa_media_id text not null,
  uploaded_at timestamptz not null default now(),
  constraint chat_upload_ids_pkey primary key (upload_id, phone_number_id)
);

alter table chat_media
  alter column wa_media_id drop not null,
  -- The file of a message that an agent sent; it may be another message's too.
  add column upload_id uuid constraint chat_media_upload_fkey references chat_uploads(id);
create index chat_media_upload_idx on chat_media (upload_id) where upload_id is not null;

-- An account's templates as Graph listed them last.
create table chat_template_lists (
  waba_id text primary key,
  refreshed_at timestamptz not null
);
create table chat_templates (
  waba_id text not null constraint chat_templates_list_fkey references chat_template_lists(waba_id) on delete cascade,
  name text not null,
  language text not null,
  template_id text not null,
  status text not null,
  category text,
  quality text,
  parameter_format text,
  components jsonb not null,
  constraint chat_templates_pkey primary key (waba_id, name, language)
);
-- Whether a webhook said something of an account's templates since.
create index chat_facts_template_idx on chat_facts (split_part(subject_id, ':', 1), occurred_at) where subject = 'template';

create table chat_quick_replies (
  id bigint generated always as identity primary key,
  user_id uuid not null,
  shortcut text not null,
  content text,
  upload_id uuid constraint chat_quick_replies_upload_fkey references chat_uploads(id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index chat_quick_replies_shortcut_key on chat_quick_replies (user_id, lower(shortcut));
create index chat_quick_replies_upload_idx on chat_quick_replies (upload_id) where upload_id is not null;

do $$
declare
  tables constant text[] := array['chat_holds', 'chat_conversation_signals', 'chat_account_settings', 'chat_uploads', 'chat_upload_ids',
                                  'chat_template_lists', 'chat_templates', 'chat_quick_replies'];
  name text;
  role text;
  sequence text;
begin
  foreach name in array tables loop
    execute format('alter table %I enable row level security', name);
  end loop;
  for role in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    foreach name in array tables || array['chat_sends'] loop
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

-- What a page is told of while it is open, and after it was cut off: a log of changes, which triggers keep, so that whoever writes (a function,
-- an older release, another program) need not know of it; tickets and connections of the WebSocket.

-- One row a changed message, conversation or number and transaction. A reader's cursor is a snapshot: what it did not see is new to it, in
-- whatever order transactions commit. The rows say what changed, never how: readers load it as it is.
create table chat_changes (
  xid xid8 not null default pg_current_xact_id(),
  id bigint generated always as identity,
  waba_id text not null,
  phone_number_id text,
  entity text not null constraint chat_changes_entity_check check (entity in ('message', 'conversation', 'phone_number')),
  action text not null constraint chat_changes_action_check check (action in ('created', 'updated', 'deleted')),
  conversation_id bigint,
  message_id bigint,
  changed_at timestamptz not null default clock_timestamp(),
  constraint chat_changes_pkey primary key (xid, id)
);
create index chat_changes_account_idx on chat_changes (waba_id, xid, id);
create index chat_changes_time_idx on chat_changes (changed_at);

-- The log as a whole; one row. A cursor of another generation is of no use.
create table chat_change_log (
  is_only boolean primary key default true constraint chat_change_log_only_check check (is_only),
  -- With another value every page loads anew, which they have to after a backup was restored; the log is emptied then too.
  generation uuid not null default gen_random_uuid()
);
insert into chat_change_log default values;

-- Grows with every transaction that ends: of two readings of a row the one with the larger version is the newer.
create function chat_version() returns bigint language sql stable as $$
  select pg_snapshot_xmax(s)::text::bigint - (select count(*) from pg_snapshot_xip(s)) from pg_current_snapshot() s
$$;

-- Transactions whose changes no open page was told of yet. Whoever publishes takes what is here, also what somebody left who died.
create table chat_unpublished (
  xid xid8 primary key,
  committed_after timestamptz not null default clock_timestamp()
);

-- A ticket lets its user open one connection. Kept as SHA-256: who reads the table cannot use it.
create table chat_tickets (
  digest bytea primary key,
  user_id uuid not null,
  expires_at timestamptz not null
);
create index chat_tickets_expiry_idx on chat_tickets (expires_at);

create table chat_connections (
  connection_id text primary key,
  user_id uuid not null,
  connected_at timestamptz not null default now(),
  -- API Gateway closes a connection after two hours, and does not always say so.
  expires_at timestamptz not null,
  -- Until when its page counts as looked at; null where it is not.
  visible_until timestamptz
);
create index chat_connections_user_idx on chat_connections (user_id);
create index chat_connections_expiry_idx on chat_connections (expires_at);

create function chat_note_unpublished() returns trigger language plpgsql security definer as $$
begin
  insert into chat_unpublished (xid) select xid from logged limit 1 on conflict do nothing;
  return null;
end
$$;
create trigger chat_changes_logged after insert on chat_changes
  referencing new table as logged for each statement execute function chat_note_unpublished();

-- A message shows what it answers.
create index chat_messages_reply_idx on chat_messages (conversation_id, reply_to_wa_message_id) where reply_to_wa_message_id is not null;

-- Statements' triggers: one insert a statement, whatever its size. Whoever may write the tables need not have a right to the log.
create function chat_log_messages() returns trigger language plpgsql security definer as $$
begin
  insert into chat_changes (waba_id, phone_number_id, entity, action, conversation_id, message_id)
  select c.waba_id, c.phone_number_id, k.entity, k.action, c.id, k.message_id
  from (
    select m.conversation_id, 'message' as entity, tg_argv[0] as action, m.id as message_id from changed m
    union all
    -- Those that answer it show it.
    select m.conversation_id, 'message', 'updated', a.id
    from changed m
    join chat_messages a on a.conversation_id = m.conversation_id and a.reply_to_wa_message_id = m.wa_message_id
    union all
    -- A conversation shows its last message.
    select m.conversation_id, 'conversation', 'updated', null
    from changed m
    join chat_conversations c on c.id = m.conversation_id and c.last_message_id = m.id
  ) k
  -- Messages that go with their conversation are told by its going.
  join chat_conversations c on c.id = k.conversation_id
  where c.waba_id is not null
  order by k.entity desc, k.message_id;
  return null;
end
$$;
create trigger chat_messages_inserted after insert on chat_messages
  referencing new table as changed for each statement execute function chat_log_messages('created');
create trigger chat_messages_updated after update on chat_messages
  referencing new table as changed for each statement execute function chat_log_messages('updated');
create trigger chat_messages_deleted after delete on chat_messages
  referencing old table as changed for each statement execute function chat_log_messages('deleted');

create function chat_log_conversations() returns trigger language plpgsql security definer as $$
begin
  if tg_op = 'UPDATE' then
    -- Whoever had it before is told that it is gone.
    insert into chat_changes (waba_id, phone_number_id, entity, action, conversation_id)
    select o.waba_id, o.phone_number_id, 'conversation', 'deleted', o.id
    from former o join changed c using (id)
    where o.waba_id is not null and o.waba_id is distinct from c.waba_id;
  end if;
  insert into chat_changes (waba_id, phone_number_id, entity, action, conversation_id)
  select c.waba_id, c.phone_number_id, 'conversation', tg_argv[0], c.id from changed c where c.waba_id is not null order by c.id;
  return null;
end
$$;
create trigger chat_conversations_inserted after insert on chat_conversations
  referencing new table as changed for each statement execute function chat_log_conversations('created');
create trigger chat_conversations_updated after update on chat_conversations
  referencing new table as changed old table as former for each statement execute function chat_log_conversations('updated');
create trigger chat_conversations_deleted after delete on chat_conversations
  referencing old table as changed for each statement execute function chat_log_conversations('deleted');

-- A file shows as part of its message. That somebody claimed it, or failed once more, does not show.
create function chat_log_media() returns trigger language plpgsql security definer as $$
begin
  insert into chat_changes (waba_id, phone_number_id, entity, action, conversation_id, message_id)
  select c.waba_id, c.phone_number_id, 'message', 'updated', m.conversation_id, m.id
  from changed f
  join former o using (message_id)
  join chat_messages m on m.id = f.message_id
  join chat_conversations c on c.id = m.conversation_id
  where c.waba_id is not null
    and (o.state, o.mime_type, o.filename, o.sha256, o.voice, o.animated, o.size, o.width, o.height, o.duration_ms, o.peaks)
        is distinct from (f.state, f.mime_type, f.filename, f.sha256, f.voice, f.animated, f.size, f.width, f.height, f.duration_ms, f.peaks)
  order by m.id;
  return null;
end
$$;
-- A file's row comes with its message, in one transaction.
create trigger chat_media_updated after update on chat_media
  referencing new table as changed old table as former for each statement execute function chat_log_media();

-- What is shown of a number beside its conversations. The argument is the column that names a number or an account, or begins with it.
create function chat_log_number() returns trigger language plpgsql security definer as $$
declare
  subject constant text := split_part(to_jsonb(coalesce(new, old)) ->> tg_argv[0], ':', 1);
begin
  insert into chat_changes (waba_id, phone_number_id, entity, action)
  select distinct p.waba_id::text, p.phone_number_id::text, 'phone_number', 'updated' from phone_numbers p
  where p.waba_id is not null and (p.phone_number_id::text = subject or p.waba_id::text = subject);
  return null;
end
$$;
create trigger chat_holds_changed after insert or delete or update of reason on chat_holds
  for each row execute function chat_log_number('scope_id');
create trigger chat_account_settings_changed after insert or update on chat_account_settings
  for each row execute function chat_log_number('waba_id');
create trigger chat_facts_changed after insert or update on chat_facts
  for each row when (new.subject in ('phone_number', 'account')) execute function chat_log_number('subject_id');

-- What is emptied at once is not logged row by row: every page loads anew.
create function chat_begin_log() returns trigger language plpgsql security definer as $$
begin
  update chat_change_log set generation = gen_random_uuid();
  return null;
end
$$;
create trigger chat_messages_truncated after truncate on chat_messages for each statement execute function chat_begin_log();
create trigger chat_conversations_truncated after truncate on chat_conversations for each statement execute function chat_begin_log();

do $$
declare
  tables constant text[] := array['chat_changes', 'chat_change_log', 'chat_unpublished', 'chat_tickets', 'chat_connections'];
  functions constant text[] := array['chat_note_unpublished', 'chat_log_messages', 'chat_log_conversations', 'chat_log_media', 'chat_log_number', 'chat_begin_log'];
  name text;
  role text;
  sequence text;
begin
  -- They act with their owner's rights. Without pg_temp at the end, whoever calls them could put a table of their own before ours.
  foreach name in array functions || array['chat_discard_file'] loop
    execute format('alter function %I() set search_path = %I, pg_temp', name, current_schema());
    execute format('revoke all on function %I() from public', name);
  end loop;
  foreach name in array tables loop
    execute format('alter table %I enable row level security', name);
  end loop;
  for role in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    foreach name in array functions loop
      execute format('revoke all on function %I() from %I', name, role);
    end loop;
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

-- Web Push: the browsers that agents want notifications in, and the notifications that are owed to them.

create table chat_push_subscriptions (
  id bigint generated always as identity primary key,
  user_id uuid not null,
  -- Where the browser's push service takes messages for it. Whoever has it can send there: never logged.
  endpoint text not null constraint chat_push_subscriptions_endpoint_key unique,
  -- The browser's public key and secret (RFC 8291).
  p256dh bytea not null,
  auth bytea not null,
  -- Whether a notification says who wrote, and what.
  show_text boolean not null default true,
  expires_at timestamptz,
  created_at timestamptz not null default now(),
  -- When the browser named it last.
  renewed_at timestamptz not null default now(),
  -- Until when its push service wants to be left alone, after how many failures in a row.
  wait_until timestamptz,
  failures integer not null default 0
);
create index chat_push_subscriptions_user_idx on chat_push_subscriptions (user_id, renewed_at);

-- One row a conversation, however many messages: what it says is looked up when it is sent.
create table chat_push_owed (
  subscription_id bigint not null constraint chat_push_owed_subscription_fkey references chat_push_subscriptions(id) on delete cascade,
  conversation_id bigint not null constraint chat_push_owed_conversation_fkey references chat_conversations(id) on delete cascade,
  -- Of the messages, those that were stored since then are to be told.
  owed_since timestamptz not null default now(),
  next_try_at timestamptz not null default now(),
  -- Until when a worker has it, and whether something became owed meanwhile. Nobody else sends it then: the older notification might come last.
  leased_until timestamptz,
  again boolean not null default false,
  constraint chat_push_owed_pkey primary key (subscription_id, conversation_id)
);
create index chat_push_owed_due_idx on chat_push_owed (next_try_at);
create index chat_push_owed_conversation_idx on chat_push_owed (conversation_id);

do $$
declare
  tables constant text[] := array['chat_push_subscriptions', 'chat_push_owed'];
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

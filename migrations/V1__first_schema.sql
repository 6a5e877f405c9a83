-- The schema that installations may have created by hand before this project had migrations. Everything here succeeds both on an
-- empty database and on one where those tables stand, filled or not. A table that this file creates is closed to the roles by
-- which Supabase exposes `public` to browsers; a table that was there keeps the access its owner gave it (`migrate` reports it).
do $$
declare
  created text[] := '{}';
  name text;
  role text;
  sequence text;
begin
  if to_regclass('users') is null then
    create table users (id uuid primary key);
    created := created || 'users'::text;
  end if;
  if to_regclass('waba_accounts') is null then
    create table waba_accounts (
      waba_id varchar(255) primary key,
      user_id uuid references users(id),
      owner_business_id varchar(255),
      access_token text,
      created_at timestamp default current_timestamp
    );
    created := created || 'waba_accounts'::text;
  end if;
  if to_regclass('phone_numbers') is null then
    create table phone_numbers (
      id bigserial primary key,
      waba_id varchar(255) references waba_accounts(waba_id),
      phone_number_id varchar(255),
      display_phone_number varchar(255),
      verified_name varchar(255),
      is_registered boolean default false
    );
    create index phone_numbers_phone_number_id_idx on phone_numbers (phone_number_id);
    created := created || 'phone_numbers'::text;
  end if;
  if to_regclass('chat_conversations') is null then
    create table chat_conversations (
      id serial primary key,
      user_id uuid,
      waba_id varchar(255),
      phone_number_id varchar(255),
      customer_phone varchar(50) not null,
      customer_name varchar(255),
      customer_profile_pic text,
      last_message text,
      last_message_time timestamp,
      unread_count integer default 0,
      status varchar(50) default 'active',
      created_at timestamp default current_timestamp,
      updated_at timestamp default current_timestamp,
      unique (waba_id, phone_number_id, customer_phone)
    );
    created := created || 'chat_conversations'::text;
  end if;
  if to_regclass('chat_messages') is null then
    create table chat_messages (
      id serial primary key,
      conversation_id integer references chat_conversations(id) on delete cascade,
      message_id varchar(255) unique,
      wa_message_id varchar(255),
      content text,
      message_type varchar(50) default 'text',
      media_url text,
      media_caption text,
      sender varchar(50),
      status varchar(50) default 'sent',
      timestamp timestamp,
      metadata jsonb,
      created_at timestamp default current_timestamp
    );
    created := created || 'chat_messages'::text;
  end if;

  foreach name in array created loop
    execute format('alter table %I enable row level security', name);
  end loop;
  for role in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    foreach name in array created loop
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

create index if not exists idx_chat_conversations_user_id on chat_conversations (user_id);
create index if not exists idx_chat_conversations_waba_phone on chat_conversations (waba_id, phone_number_id);
create index if not exists idx_chat_conversations_updated_at on chat_conversations (updated_at desc);
create index if not exists idx_chat_messages_conversation_id on chat_messages (conversation_id, timestamp desc);
create index if not exists idx_chat_messages_wa_message_id on chat_messages (wa_message_id);

-- What the clock deletes once it has served its time, without looking at everything each minute.

-- How far it has gone through rows in the order of their ids.
create table chat_retention (
  name text primary key constraint chat_retention_name_check check (name in ('messages', 'events')),
  -- Those with smaller ids are done.
  next_id bigint not null default 0
);
insert into chat_retention (name) values ('messages'), ('events');

create index chat_sends_request_idx on chat_sends (settled_at)
  where request is not null and message_id is not null and settled_at is not null;
create index chat_quarantine_applied_idx on chat_quarantine (received_at) where reason like 'applied:%';
create index chat_quarantine_received_idx on chat_quarantine (received_at) where reason not like 'applied:%';

do $$
declare
  role text;
begin
  alter table chat_retention enable row level security;
  for role in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
    execute format('revoke all on table chat_retention from %I', role);
  end loop;
end
$$;

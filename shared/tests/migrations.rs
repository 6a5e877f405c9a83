//! The migrations on every database that they may meet.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use shared::db::backfills;
use shared::db::migrations::{self, Report};
use shared::db::settings::Settings;
use shared::testing::TestDatabase;

/// The tables as installations made them by hand, without the foreign key to users.
const FIRST_SCHEMA: &str = "
    create table users (id uuid primary key);
    create table waba_accounts (waba_id varchar(255) primary key, user_id uuid references users(id), owner_business_id varchar(255),
      access_token text, created_at timestamp default now());
    create table phone_numbers (id serial primary key, waba_id varchar(255) references waba_accounts(waba_id),
      phone_number_id varchar(255), display_phone_number varchar(50), verified_name varchar(255), is_registered boolean);
    create table chat_conversations (
      id serial primary key, user_id uuid, waba_id varchar(255), phone_number_id varchar(255),
      customer_phone varchar(50) not null, customer_name varchar(255), customer_profile_pic text, last_message text,
      last_message_time timestamp, unread_count integer default 0, status varchar(50) default 'active',
      created_at timestamp default now(), updated_at timestamp default now(), unique (waba_id, phone_number_id, customer_phone));
    create table chat_messages (
      id serial primary key, conversation_id integer references chat_conversations(id) on delete cascade,
      message_id varchar(255) unique, wa_message_id varchar(255), content text, message_type varchar(50) default 'text',
      media_url text, media_caption text, sender varchar(20), status varchar(50) default 'sent', timestamp timestamp,
      metadata jsonb, created_at timestamp default now());
    create index idx_messages on chat_messages (conversation_id, timestamp desc);";

/// Rows of a program that checked little.
const DIRTY_ROWS: &str = r#"
    insert into users values ('11111111-1111-4111-8111-111111111111');
    insert into waba_accounts values ('W', '11111111-1111-4111-8111-111111111111', 'B', 'EAAplain');
    insert into phone_numbers (waba_id, phone_number_id) values ('W', 'P');
    insert into chat_conversations (user_id, waba_id, phone_number_id, customer_phone, last_message_time, unread_count, created_at) values
      ('11111111-1111-4111-8111-111111111111', 'W', 'P', '+4912345678', '2026-01-01 12:00:00', 3, '2026-01-01'),
      ('11111111-1111-4111-8111-111111111111', 'W', 'P', '4912345678', null, null, null);
    insert into chat_messages (conversation_id, message_id, wa_message_id, content, sender, status, timestamp, metadata) values
      (1, 'a', 'wamid.1', 'first', 'customer', 'sent', '2026-01-01 10:00:00', null),
      (1, '', 'wamid.1', 'again', 'customer', 'weird', '2026-01-01 11:00:00', '{"kept": 1}'),
      (1, 'c', 'wamid.1', 'again', 'robot', 'sent', null, '[1, 2]'),
      (1, 'd', '', 'no wamid', 'user', 'sent', '2026-01-01 12:00:00', null),
      (2, 'e', 'wamid.1', 'elsewhere', 'customer', 'sent', '2026-01-01 10:00:00', null);"#;

async fn migrate(database: &TestDatabase) -> Report {
    let settings = Settings::from_url(&database.url).unwrap();
    migrations::run(&settings).await.unwrap()
}

/// What the consumer's clock does, as long as it can. Returns how many portions that were.
async fn catch_up(database: &TestDatabase) -> usize {
    let mut client = shared::testing::connect(&database.url).await;
    let mut portions = 0;
    while backfills::go_on(&mut client).await.unwrap() {
        portions += 1;
        assert!(portions < 50, "it has no end");
    }
    portions
}

async fn text(database: &TestDatabase, sql: &str) -> String {
    let rows = database.client.query(sql, &[]).await.unwrap();
    let rows: Vec<String> = rows
        .iter()
        .map(|row| row.get::<_, Option<String>>(0).unwrap_or_else(|| "null".to_owned()))
        .collect();
    rows.join(" ")
}

#[tokio::test]
async fn an_empty_database_is_migrated_once() {
    let database = TestDatabase::empty().await;
    assert_eq!(migrate(&database).await.applied.len(), 8);
    assert_eq!(migrate(&database).await.applied.len(), 0);
}

#[tokio::test]
async fn an_older_release_leaves_a_newer_schema_alone() {
    let database = TestDatabase::migrated().await;
    let newer = "insert into chat_migrations (version, name, applied_on, checksum) values (9000, 'newer', '2026-01-01T00:00:00Z', '1')";
    database.client.batch_execute(newer).await.unwrap();
    assert!(migrate(&database).await.applied.is_empty());
}

#[tokio::test]
async fn two_migrations_at_once_wait_for_each_other() {
    let database = TestDatabase::empty().await;
    let (one, other) = tokio::join!(migrate(&database), migrate(&database));
    assert_eq!(one.applied.len() + other.applied.len(), 8);
}

#[tokio::test]
async fn the_first_schema_keeps_its_rows_with_and_without_the_foreign_key() {
    let with_key = FIRST_SCHEMA.replace(
        "id serial primary key, user_id uuid, waba_id",
        "id serial primary key, user_id uuid references users(id) on delete cascade, waba_id",
    );
    assert_ne!(with_key, FIRST_SCHEMA);
    for schema in [FIRST_SCHEMA, &with_key] {
        let database = TestDatabase::empty().await;
        // Whoever reads a time without a zone in another zone is hours off.
        database
            .client
            .batch_execute("set time zone 'America/Sao_Paulo'")
            .await
            .unwrap();
        database.client.batch_execute(schema).await.unwrap();
        database.client.batch_execute(DIRTY_ROWS).await.unwrap();
        migrate(&database).await;

        assert_eq!(
            text(
                &database,
                "select coalesce(wa_message_id, '-') || '/' || coalesce(message_id, '-') from chat_messages order by id"
            )
            .await,
            "wamid.1/a -/- -/c -/d wamid.1/e"
        );
        assert_eq!(
            text(&database, "select metadata::text from chat_messages order by id").await,
            r#"null {"kept": 1, "wa_message_id": "wamid.1"} {"metadata": [1, 2], "wa_message_id": "wamid.1"} null null"#
        );
        assert_eq!(
            text(
                &database,
                "select status || '/' || sender from chat_messages order by id"
            )
            .await,
            "sent/customer weird/customer sent/robot sent/user sent/customer"
        );
        assert_eq!(
            text(
                &database,
                "select (timestamp at time zone 'UTC')::text from chat_messages order by id limit 1"
            )
            .await,
            "2026-01-01 10:00:00"
        );
        assert_eq!(
            text(
                &database,
                "select (last_message_time at time zone 'UTC')::text || '/' || (last_inbound_at at time zone 'UTC')::text || '/' || last_message_id
                 from chat_conversations where customer_phone = '+4912345678'"
            )
            .await,
            "2026-01-01 12:00:00/2026-01-01 11:00:00/3"
        );
        assert_eq!(
            text(&database, "select data_type from information_schema.columns where (table_name, column_name) in
                             (('chat_messages', 'id'), ('chat_messages', 'conversation_id'), ('chat_conversations', 'id'))").await,
            "bigint bigint bigint"
        );
        // What was written before can be found, and who waits is known, once the clock has struck.
        assert_eq!(database.count("select count(*) from chat_message_texts").await, 0);
        catch_up(&database).await;
        assert_eq!(
            text(&database, "select body from chat_message_texts order by message_id").await,
            "first again again no wamid elsewhere"
        );
        assert_eq!(
            text(
                &database,
                "select coalesce((waiting_since at time zone 'UTC')::text, 'nobody') from chat_conversations order by id"
            )
            .await,
            "nobody 2026-01-01 10:00:00"
        );
        // Rows that the old program goes on to write get ids beyond 2^31.
        database
            .client
            .batch_execute(
                "select setval(pg_get_serial_sequence('chat_messages', 'id'), 3000000000);
                 insert into chat_messages (conversation_id, message_id, sender) values (1, 'f', 'user');",
            )
            .await
            .unwrap();
        // Nobody asked for a lock on tables that were there.
        assert_eq!(
            text(
                &database,
                "select string_agg(relname, ' ' order by relname) from pg_class
                             where relrowsecurity and relname in ('users', 'waba_accounts', 'chat_messages')"
            )
            .await,
            "null"
        );
        assert_eq!(database.count("select count(*) from chat_conversations").await, 2);
        assert!(migrate(&database).await.applied.is_empty());
    }
}

#[tokio::test]
async fn rows_that_were_there_are_gone_through_once_in_portions_which_wait_for_nobody() {
    const TEXTS: &str =
        "select min(message_id)::text || '-' || max(message_id) || '/' || count(*) from chat_message_texts";
    let database = TestDatabase::empty().await;
    database.client.batch_execute(FIRST_SCHEMA).await.unwrap();
    let rows = r#"
        insert into users values ('11111111-1111-4111-8111-111111111111');
        insert into waba_accounts (waba_id, user_id) values ('W', '11111111-1111-4111-8111-111111111111');
        insert into chat_conversations (waba_id, phone_number_id, customer_phone, customer_name)
          select 'W', 'P', '+' || n, 'Ana' from generate_series(1, 700) n;
        insert into chat_messages (conversation_id, content, sender, "timestamp")
          select 1 + n % 700, 'text ' || n, 'customer', timestamp '2026-01-01' + n * interval '1 minute' from generate_series(1, 1200) n;
        -- Times that are none.
        insert into chat_messages (conversation_id, content, sender, "timestamp")
          select n, 'when?', 'customer', time from unnest(array['infinity', '-infinity', '12026-01-01', '0001-01-01 BC']::timestamp[])
          with ordinality as t(time, n);"#;
    database.client.batch_execute(rows).await.unwrap();
    migrate(&database).await;

    // Another clock is at it.
    let other = shared::testing::connect(&database.url).await;
    other
        .batch_execute("begin; select * from chat_backfills for update")
        .await
        .unwrap();
    assert_eq!(catch_up(&database).await, 0);
    // Somebody changes a conversation, somebody a message.
    other
        .batch_execute(
            "rollback; begin; update chat_conversations set customer_name = 'Bea' where id = 650;
             update chat_messages set content = 'changed' where id = 600",
        )
        .await
        .unwrap();
    // The update put its text by itself; nobody else sees that yet.
    catch_up(&database).await;
    let order = "select string_agg(name || next_id, ' ' order by name) from chat_backfills";
    assert_eq!(
        text(&database, order).await,
        "conversations650 messages9223372036854775807"
    );
    other.batch_execute("rollback").await.unwrap();
    other
        .batch_execute("begin; update chat_messages set content = 'changed' where id = 600")
        .await
        .unwrap();
    catch_up(&database).await;
    assert_eq!(text(&database, order).await, "messages600");
    assert_eq!(
        database.count("select count(*) from chat_conversation_texts").await,
        700
    );
    assert_eq!(
        database
            .count(
                "select count(*) from chat_conversations where waiting_since is not null and isfinite(waiting_since)"
            )
            .await,
        700
    );
    assert_eq!(text(&database, TEXTS).await, "101-1200/1099");
    other.batch_execute("commit").await.unwrap();
    catch_up(&database).await;
    assert_eq!(text(&database, TEXTS).await, "1-1200/1200");
    let changed = "select body from chat_message_texts where message_id = 600";
    assert_eq!(text(&database, changed).await, "changed");
    assert_eq!(database.count("select count(*) from chat_backfills").await, 0);
    assert_eq!(catch_up(&database).await, 0);
}

/// As Supabase makes its databases: roles for browsers, which get everything in `public` by default.
const SUPABASE: &str = "
    do $$ declare role text; begin
      foreach role in array array['anon', 'authenticated', 'service_role'] loop
        begin
          execute format('create role %I nologin', role);
        exception when duplicate_object or unique_violation then null;
        end;
      end loop;
    end $$;
    create schema auth;
    create table auth.users (id uuid primary key);
    grant usage on schema public to anon, authenticated, service_role;
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
    alter default privileges in schema public grant all on functions to anon, authenticated, service_role;";

async fn as_browser(database: &TestDatabase, role: &str, sql: &str) -> Result<u64, String> {
    let client = shared::testing::connect(&database.url).await;
    client.batch_execute(&format!("set role {role}")).await.unwrap();
    client.execute(sql, &[]).await.map_err(|error| {
        error
            .as_db_error()
            .map_or_else(|| error.to_string(), |error| error.code().code().to_owned())
    })
}

#[tokio::test]
async fn on_supabase_a_browser_reads_nothing_of_ours() {
    const DENIED: &str = "42501";
    let database = TestDatabase::empty().await;
    database.client.batch_execute(SUPABASE).await.unwrap();
    let report = migrate(&database).await;
    assert_eq!(report.exposed_tables, Vec::<String>::new());
    let tables = text(
        &database,
        "select tablename::text from pg_tables where schemaname = 'public' order by 1",
    )
    .await;
    assert!(tables.split(' ').count() >= 12, "{tables}");
    for role in ["anon", "authenticated"] {
        for table in tables.split(' ') {
            let denied = Err(DENIED.to_owned());
            assert_eq!(
                as_browser(&database, role, &format!("select * from {table}")).await,
                denied,
                "{table}"
            );
            assert_eq!(
                as_browser(&database, role, &format!("delete from {table}")).await,
                denied,
                "{table}"
            );
        }
        let sequences = text(
            &database,
            "select sequencename::text from pg_sequences where schemaname = 'public'",
        )
        .await;
        for sequence in sequences.split(' ') {
            let read = as_browser(&database, role, &format!("select last_value from {sequence}")).await;
            assert_eq!(read, Err(DENIED.to_owned()), "{sequence}");
        }
    }
    let secured = "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and not relrowsecurity";
    assert_eq!(database.count(secured).await, 0);
    let policies = "select count(*) from pg_policies where schemaname = 'public'";
    assert_eq!(database.count(policies).await, 0);
}

#[tokio::test]
async fn on_supabase_tables_that_were_there_are_reported() {
    let database = TestDatabase::empty().await;
    database.client.batch_execute(SUPABASE).await.unwrap();
    database.client.batch_execute(FIRST_SCHEMA).await.unwrap();
    database
        .client
        .batch_execute("alter table users enable row level security")
        .await
        .unwrap();
    let report = migrate(&database).await;
    assert_eq!(
        report.exposed_tables,
        ["chat_conversations", "chat_messages", "phone_numbers", "waba_accounts"]
    );
    assert_eq!(
        as_browser(&database, "anon", "select * from chat_quarantine").await,
        Err("42501".to_owned())
    );
    assert_eq!(
        as_browser(&database, "anon", "select * from chat_messages").await,
        Ok(0)
    );
}

#[tokio::test]
async fn a_failure_quotes_no_row() {
    let database = TestDatabase::empty().await;
    database.client.batch_execute(FIRST_SCHEMA).await.unwrap();
    database
        .client
        .batch_execute(
            "create function refuse() returns trigger language plpgsql as $$ begin
               raise exception 'refused' using detail = 'Key (customer_phone)=(+4915112345678)'; end $$;
             insert into chat_messages (message_id, wa_message_id) values ('a', '');
             create trigger refuse before update on chat_messages for each row execute function refuse();",
        )
        .await
        .unwrap();
    let settings = Settings::from_url(&database.url).unwrap();
    let error = migrations::run(&settings).await.unwrap_err().to_string();
    assert!(error.contains("refused") && !error.contains("4915112345678"), "{error}");
}

#[tokio::test]
async fn policies_on_tables_that_were_there_are_kept() {
    const POLICIES: &str = "select string_agg(policyname || ':' || tablename || ':' || permissive || ':' || cmd || ':' || roles::text || ':'
        || coalesce(qual, '') || ':' || coalesce(with_check, ''), ' ' order by policyname) from pg_policies";
    let database = TestDatabase::empty().await;
    database.client.batch_execute(SUPABASE).await.unwrap();
    database.client.batch_execute(FIRST_SCHEMA).await.unwrap();
    database
        .client
        .batch_execute(
            "alter table chat_messages enable row level security;
             create policy \"Own messages\" on chat_messages for select to authenticated, anon using (
               conversation_id in (select id from chat_conversations where last_message_time > '2020-01-01'));
             create policy nobody on chat_conversations as restrictive for insert with check (id < 0);",
        )
        .await
        .unwrap();
    let before = text(&database, POLICIES).await;
    assert!(
        before.contains("Own messages") && before.contains("RESTRICTIVE"),
        "{before}"
    );
    migrate(&database).await;
    let untyped = |text: String| {
        text.replace("::timestamp with time zone", "")
            .replace("::timestamp without time zone", "")
            .replace("+00'", "'")
    };
    assert_eq!(untyped(text(&database, POLICIES).await), untyped(before));
}

#[tokio::test]
async fn a_migration_that_fails_is_named_and_leaves_nothing_behind() {
    let database = TestDatabase::empty().await;
    database
        .client
        .batch_execute("create table chat_quarantine (mine int)")
        .await
        .unwrap();
    let settings = Settings::from_url(&database.url).unwrap();
    let error = migrations::run(&settings).await.unwrap_err().to_string();
    assert!(error.contains("chat_quarantine"), "{error}");
    assert_eq!(
        database
            .count("select count(*) from information_schema.columns where column_name = 'last_inbound_at'")
            .await,
        0
    );
    database
        .client
        .batch_execute("drop table chat_quarantine")
        .await
        .unwrap();
    assert_eq!(migrate(&database).await.applied.len(), 7);
}

/// A trigger acts with its owner's rights: a table of the caller's own must not take the place of ours.
#[tokio::test]
async fn triggers_do_not_write_to_tables_of_their_caller() {
    let database = TestDatabase::migrated().await;
    let role = format!("writer_{}", uuid::Uuid::new_v4().simple());
    database
        .client
        .batch_execute(&format!(
            "insert into chat_conversations (waba_id, phone_number_id, customer_phone) values ('1', '2', '+15550001');
             create role {role} bypassrls;
             grant select, insert, update, delete on chat_messages, chat_conversations to {role};
             grant usage on all sequences in schema public to {role};
             set role {role};
             create temp table chat_changes (xid xid8, waba_id text, phone_number_id text, entity text, action text,
                                             conversation_id bigint, message_id bigint);
             create temp table chat_unpublished (xid xid8);
             create temp table chat_message_texts (message_id bigint, waba_id text, period text, time timestamptz, body text);
             insert into chat_messages (conversation_id, content) select id, 'x' from chat_conversations;
             reset role"
        ))
        .await
        .unwrap();
    assert_eq!(
        database
            .count("select count(*) from public.chat_changes where entity = 'message'")
            .await,
        1
    );
    for table in ["chat_changes", "chat_unpublished", "chat_message_texts"] {
        let caught = database.count(&format!("select count(*) from pg_temp.{table}")).await;
        assert_eq!(caught, 0, "{table}");
    }
    // None of ours that acts with its owner's rights looks elsewhere.
    let open = "select count(*) from pg_proc p where p.proname like 'chat\\_%' and p.prosecdef
                and not coalesce(array_to_string(p.proconfig, ';') like '%, pg_temp%', false)";
    assert_eq!(database.count(open).await, 0);
    database
        .client
        .batch_execute(&format!("drop owned by {role}; drop role {role}"))
        .await
        .unwrap();
}

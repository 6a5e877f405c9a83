//! `chat_push_subscriptions` and `chat_push_owed`: the browsers that agents want notifications in, and what is owed to them. A try is leased:
//! whoever finds another time in `leased_until` when it settles leaves the row to somebody else. Subscriptions are locked before what is owed
//! to them, and that in the order of conversations.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Row};
use uuid::Uuid;

use super::DbError;
use crate::domain::push::{BrowserKeys, Endpoint, LIFETIME_SECONDS, MOST, Notification};

/// A browser that an agent wants notifications in.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Its id.
    pub id: i64,
    /// Where its push service takes messages for it: never logged, never shown.
    pub endpoint: String,
    /// Whether a notification says who wrote, and what.
    pub show_text: bool,
    /// When the agent made it.
    pub created_at: Timestamp,
}

fn subscription(row: &Row) -> Result<Subscription, DbError> {
    Ok(Subscription {
        id: row.try_get(0)?,
        endpoint: row.try_get(1)?,
        show_text: row.try_get(2)?,
        created_at: row.try_get(3)?,
    })
}

/// The agent's subscriptions, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &impl GenericClient, user_id: Uuid) -> Result<Vec<Subscription>, DbError> {
    const LIST: &str = "
        select id, endpoint, show_text, created_at from chat_push_subscriptions
        where user_id = $1 and (expires_at is null or expires_at > now())
        order by created_at desc, id desc";
    let rows = client.query_typed(LIST, &[(&user_id, Type::UUID)]).await?;
    rows.iter().map(subscription).collect()
}

/// Makes or renews the agent's subscription; above [`MOST`], those that were renewed longest ago go. Another agent's endpoint becomes this
/// one's where the keys are the same, since only its browser knows them: two people at one desk. `None` where they are not.
///
/// # Errors
/// When the database does not answer.
pub async fn upsert(
    client: &mut Client,
    user_id: Uuid,
    endpoint: &Endpoint,
    keys: &BrowserKeys,
    show_text: bool,
    expires_at: Option<Timestamp>,
) -> Result<Option<Subscription>, DbError> {
    const UPSERT: &str = "
        insert into chat_push_subscriptions as s (user_id, endpoint, p256dh, auth, show_text, expires_at)
        values ($1, $2, $3, $4, $5, $6)
        on conflict (endpoint) do update
        set user_id = excluded.user_id, p256dh = excluded.p256dh, auth = excluded.auth, show_text = excluded.show_text,
            expires_at = excluded.expires_at, renewed_at = now(),
            created_at = case when s.user_id = excluded.user_id then s.created_at else now() end
        where s.user_id = excluded.user_id or (s.p256dh, s.auth) = (excluded.p256dh, excluded.auth)
        returning id, endpoint, show_text, created_at";
    const MAKE_ROOM: &str = "
        delete from chat_push_subscriptions
        where id in (select id from chat_push_subscriptions where user_id = $1 order by renewed_at desc, id desc offset $2)";
    let transaction = client.transaction().await?;
    let row = transaction
        .query_typed_opt(
            UPSERT,
            &[
                (&user_id, Type::UUID),
                (&endpoint.as_str(), Type::TEXT),
                (&keys.p256dh.as_slice(), Type::BYTEA),
                (&keys.auth.as_slice(), Type::BYTEA),
                (&show_text, Type::BOOL),
                (&expires_at, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    transaction
        .execute_typed(MAKE_ROOM, &[(&user_id, Type::UUID), (&MOST, Type::INT8)])
        .await?;
    transaction.commit().await?;
    row.as_ref().map(subscription).transpose()
}

/// Deletes the agent's subscription with this endpoint, where there is one.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(client: &impl GenericClient, user_id: Uuid, endpoint: &str) -> Result<(), DbError> {
    const DELETE: &str = "delete from chat_push_subscriptions where user_id = $1 and endpoint = $2";
    client
        .execute_typed(DELETE, &[(&user_id, Type::UUID), (&endpoint, Type::TEXT)])
        .await?;
    Ok(())
}

/// Owes the agents of these conversations a notification of what is new there. Returns the conversations whose agents have a browser.
///
/// # Errors
/// When the database does not answer.
pub async fn owe(client: &impl GenericClient, conversations: &[i64]) -> Result<Vec<i64>, DbError> {
    // A row that is there goes on owing what it owed; a try that is under way does not end it then, and the next one waits for its end.
    const OWE: &str = "
        with subscribed as (
          select s.id, c.id as conversation_id, s.wait_until
          from chat_conversations c
          join waba_accounts a on a.waba_id = c.waba_id
          join chat_push_subscriptions s on s.user_id = a.user_id
          where c.id = any($1)
          order by s.id
          for key share of s
        )
        insert into chat_push_owed as o (subscription_id, conversation_id, next_try_at)
        select id, conversation_id, greatest(now(), wait_until) from subscribed
        order by id, conversation_id
        on conflict (subscription_id, conversation_id) do update set next_try_at = excluded.next_try_at, again = true
        returning o.conversation_id";
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let rows = client.query_typed(OWE, &[(&conversations, Type::INT8_ARRAY)]).await?;
    let mut owed: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    owed.sort_unstable();
    owed.dedup();
    Ok(owed)
}

/// A notification that one worker has taken.
#[derive(Debug)]
pub struct Owed {
    /// The subscription.
    pub subscription_id: i64,
    /// The conversation.
    pub conversation_id: i64,
    /// The `leased_until` of this try.
    lease: Timestamp,
    /// Where to; never logged.
    pub endpoint: String,
    /// The browser's public key.
    pub p256dh: Vec<u8>,
    /// The browser's secret.
    pub auth: Vec<u8>,
    /// Whether it says who wrote, and what.
    pub show_text: bool,
    /// Failures of the subscription in a row.
    pub failures: i32,
    /// Whether the subscription is over.
    pub is_expired: bool,
    /// What it says, and how old that is; `None` where there is nothing to tell any more: it was read, was deleted, is a day old, or is another
    /// agent's by now.
    pub news: Option<(Notification, Duration)>,
    /// Until when a page of the agent counts as looked at, where one does.
    pub visible_until: Option<Timestamp>,
}

/// Takes at most `limit` notifications that are due, of one conversation or of all, for as long as `lease`.
///
/// # Errors
/// When the database does not answer.
pub async fn claim(
    client: &impl GenericClient,
    conversation: Option<i64>,
    limit: i64,
    lease: Duration,
) -> Result<Vec<Owed>, DbError> {
    const CLAIM: &str = r#"
        with due as (
          select subscription_id, conversation_id from chat_push_owed
          where next_try_at <= now() and (leased_until is null or leased_until <= now()) and ($1 is null or conversation_id = $1)
          order by next_try_at
          limit $2
          for update skip locked
        ), taken as (
          update chat_push_owed o set leased_until = now() + make_interval(secs => $3), again = false
          from due
          where o.subscription_id = due.subscription_id and o.conversation_id = due.conversation_id
          returning o.*
        )
        select t.subscription_id, t.conversation_id, t.leased_until, s.endpoint, s.p256dh, s.auth, s.show_text, s.failures,
               coalesce(s.expires_at <= now(), false),
               c.phone_number_id::text, c.unread_count::int8, c.customer_name::text, c.customer_username, c.customer_phone::text,
               newest.text, newest.message_type, newest.time, extract(epoch from now() - newest.created_at)::float8,
               (select max(v.visible_until) from chat_connections v where v.user_id = s.user_id and v.visible_until > now())
        from taken t
        join chat_push_subscriptions s on s.id = t.subscription_id
        join chat_conversations c on c.id = t.conversation_id
        left join waba_accounts a on a.waba_id = c.waba_id
        left join lateral (
          select coalesce(m.content, m.media_caption) as text, coalesce(m.message_type, 'text')::text as message_type,
                 coalesce(m."timestamp", m.created_at) as time, m.created_at
          from chat_messages m
          where a.user_id = s.user_id and c.unread_count > 0
            and m.conversation_id = c.id and m.sender = 'customer' and m.status is distinct from 'read'
            and not m.is_history and m.message_type is distinct from 'system' and m.deleted_at is null
            and m.created_at >= t.owed_since and m.created_at > now() - $4 * interval '1 second'
          order by m."timestamp" desc, m.id desc
          limit 1
        ) newest on true
        order by t.subscription_id, t.conversation_id"#;
    let rows = client
        .query_typed(
            CLAIM,
            &[
                (&conversation, Type::INT8),
                (&limit, Type::INT8),
                (&lease.as_secs_f64(), Type::FLOAT8),
                (&LIFETIME_SECONDS, Type::INT8),
            ],
        )
        .await?;
    rows.iter().map(read_owed).collect()
}

fn read_owed(row: &Row) -> Result<Owed, DbError> {
    let conversation_id = row.try_get(1)?;
    let news = match (
        row.try_get::<_, Option<String>>(15)?,
        row.try_get::<_, Option<f64>>(17)?,
    ) {
        (Some(message_type), Some(age)) => {
            let key: Option<String> = row.try_get(13)?;
            let notification = Notification {
                conversation_id,
                phone_number_id: row.try_get::<_, Option<String>>(9)?.unwrap_or_default(),
                unread_count: row.try_get(10)?,
                title: Notification::title_of(row.try_get(11)?, row.try_get(12)?, &key.unwrap_or_default()),
                text: row.try_get(14)?,
                message_type,
                timestamp: row.try_get(16)?,
            };
            Some((notification, Duration::try_from_secs_f64(age).unwrap_or_default()))
        }
        _ => None,
    };
    Ok(Owed {
        subscription_id: row.try_get(0)?,
        conversation_id,
        lease: row.try_get(2)?,
        endpoint: row.try_get(3)?,
        p256dh: row.try_get(4)?,
        auth: row.try_get(5)?,
        show_text: row.try_get(6)?,
        failures: row.try_get(7)?,
        is_expired: row.try_get(8)?,
        news,
        visible_until: row.try_get(18)?,
    })
}

/// What became of a notification that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The push service took it.
    Delivered,
    /// It goes without having been taken.
    Dropped,
    /// The subscription is over, and all that is owed to it.
    Unsubscribed,
    /// It waits until nobody looks at a page.
    Seen(Timestamp),
    /// Everything for the subscription waits.
    Later(Duration),
}

/// Ends a try. What became owed while it was under way stays owed: returns whether it is due now.
///
/// # Errors
/// When the database does not answer.
pub async fn settle(client: &impl GenericClient, owed: &Owed, settlement: Settlement) -> Result<bool, DbError> {
    const RECOVERED: &str =
        "update chat_push_subscriptions set failures = 0, wait_until = null where id = $1 and failures > 0";
    const DONE: &str = "
        delete from chat_push_owed where subscription_id = $1 and conversation_id = $2 and leased_until = $3 and not again";
    // After the one before, which leaves nothing else with this lease.
    const AGAIN: &str = "
        update chat_push_owed set leased_until = null where subscription_id = $1 and conversation_id = $2 and leased_until = $3";
    // Once that time is over, the page is no longer looked at.
    const SEEN: &str = "
        update chat_push_owed set leased_until = null, next_try_at = $4::timestamptz + interval '1 second'
        where subscription_id = $1 and conversation_id = $2 and leased_until = $3";
    // Not where it was made anew meanwhile.
    const UNSUBSCRIBED: &str = "delete from chat_push_subscriptions where id = $1 and (p256dh, auth) = ($2, $3)";
    const LATER: &str = "
        with waiting as (
          update chat_push_subscriptions
          set failures = failures + 1, wait_until = greatest(wait_until, now() + make_interval(secs => $2))
          where id = $1
          returning wait_until
        ), locked as (
          select o.conversation_id from chat_push_owed o, waiting
          where o.subscription_id = $1
          order by o.conversation_id
          for update of o
        )
        -- What others try just now stays theirs.
        update chat_push_owed o
        set next_try_at = waiting.wait_until, leased_until = case when o.leased_until is distinct from $3 then o.leased_until end
        from locked, waiting
        where o.subscription_id = $1 and o.conversation_id = locked.conversation_id";
    let row: [(&(dyn ToSql + Sync), Type); 3] = [
        (&owed.subscription_id, Type::INT8),
        (&owed.conversation_id, Type::INT8),
        (&owed.lease, Type::TIMESTAMPTZ),
    ];
    match settlement {
        Settlement::Delivered | Settlement::Dropped => {
            if settlement == Settlement::Delivered {
                client.execute_typed(RECOVERED, &row[..1]).await?;
            }
            return Ok(client.execute_typed(DONE, &row).await? == 0 && client.execute_typed(AGAIN, &row).await? > 0);
        }
        Settlement::Seen(until) => {
            let [one, two, three] = row;
            let parameters = [one, two, three, (&until, Type::TIMESTAMPTZ)];
            client.execute_typed(SEEN, &parameters).await?
        }
        Settlement::Unsubscribed => {
            let subscription: [(&(dyn ToSql + Sync), Type); 3] = [
                (&owed.subscription_id, Type::INT8),
                (&owed.p256dh, Type::BYTEA),
                (&owed.auth, Type::BYTEA),
            ];
            client.execute_typed(UNSUBSCRIBED, &subscription).await?
        }
        Settlement::Later(wait) => {
            let wait = wait.as_secs_f64();
            let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
                (&owed.subscription_id, Type::INT8),
                (&wait, Type::FLOAT8),
                (&owed.lease, Type::TIMESTAMPTZ),
            ];
            client.execute_typed(LATER, &parameters).await?
        }
    };
    Ok(false)
}

/// Drops what was owed for a day, while nothing can be sent.
///
/// # Errors
/// When the database does not answer.
pub async fn drop_old(client: &impl GenericClient) -> Result<(), DbError> {
    const DROP: &str = "delete from chat_push_owed where owed_since <= now() - $1 * interval '1 second'";
    client.execute_typed(DROP, &[(&LIFETIME_SECONDS, Type::INT8)]).await?;
    Ok(())
}

//! `chat_message_events`: insert-only. What a message shows of its statuses is a fold over them, the same in any order of arrival.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::DbError;
use crate::domain::ingest::{Digest, MessageEvent, Quarantined, StatusEvent, What};

/// Into how many locks the wamids of one number are spread.
const LOCKS: u8 = 64;

/// Takes, until the end of the transaction, the locks of these (phone number id, wamid).
///
/// A status may be stored while the message that it is about is being stored by another transaction; neither would see the other, and
/// the status would never be applied. Whoever stores one of the two holds the wamid's lock. Spread over few locks, because the server's
/// lock table is small, and taken in order, so that nobody waits in a circle.
///
/// # Errors
/// When the database does not answer.
pub async fn lock_wamids<'a>(
    transaction: &impl GenericClient,
    wamids: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), DbError> {
    let mut locks: Vec<(i32, i32)> = wamids
        .map(|(phone_number_id, wamid)| {
            let [a, b, c, d, ..] = super::hash(phone_number_id);
            let bucket = super::hash(wamid)[0] % LOCKS;
            (i32::from_be_bytes([a, b, c, d]), i32::from(bucket))
        })
        .collect();
    if locks.is_empty() {
        return Ok(());
    }
    locks.sort_unstable();
    locks.dedup();
    let (numbers, buckets): (Vec<i32>, Vec<i32>) = locks.into_iter().unzip();
    transaction
        .execute_typed(
            "select pg_advisory_xact_lock(number, bucket) from unnest($1, $2) as locks(number, bucket)",
            &[(&numbers, Type::INT4_ARRAY), (&buckets, Type::INT4_ARRAY)],
        )
        .await?;
    Ok(())
}

/// Inserts statuses; those that are there already stay.
///
/// # Errors
/// When the database does not answer.
pub async fn insert_statuses(transaction: &impl GenericClient, events: &[&StatusEvent]) -> Result<(), DbError> {
    const INSERT: &str = "
        insert into chat_message_events
          (digest, phone_number_id, kind, wa_message_id, message_id, status, occurred_at, error, pricing, item, parked)
        select digest, phone_number_id, 'status', wa_message_id, message_id, status, occurred_at, error, pricing, item,
               not exists (select 1 from chat_messages m
                           join chat_conversations c on c.id = m.conversation_id
                           where m.wa_message_id = event.wa_message_id and c.phone_number_id = event.phone_number_id
                             and m.sender = 'user')
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
          as event(digest, phone_number_id, wa_message_id, message_id, status, occurred_at, error, pricing, item)
        order by digest
        on conflict (digest) do nothing";
    if events.is_empty() {
        return Ok(());
    }
    let error = |event: &StatusEvent| event.error.as_ref().map(|error| serde_json::json!(error));
    let column = |pick: fn(&StatusEvent) -> &str| column_of(events, pick);
    transaction
        .execute_typed(
            INSERT,
            &[
                (
                    &column_of(events, |event| event.origin.digest.as_slice()),
                    Type::BYTEA_ARRAY,
                ),
                (&column(|event| &event.origin.phone_number_id), Type::TEXT_ARRAY),
                (&column(|event| &event.wa_message_id), Type::TEXT_ARRAY),
                (
                    &column_of(events, |event| event.message_id.as_deref()),
                    Type::TEXT_ARRAY,
                ),
                (&column(|event| event.status.as_str()), Type::TEXT_ARRAY),
                (&column_of(events, |event| event.occurred_at), Type::TIMESTAMPTZ_ARRAY),
                (&column_of(events, error), Type::JSONB_ARRAY),
                (&column_of(events, |event| event.pricing.as_ref()), Type::JSONB_ARRAY),
                (&column_of(events, |event| &event.item), Type::JSONB_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

fn column_of<'a, T>(events: &[&'a StatusEvent], pick: impl Fn(&'a StatusEvent) -> T) -> Vec<T> {
    events.iter().map(|event| pick(event)).collect()
}

/// Gives messages whose answer from Graph was lost the wamid of the status that carries our id.
///
/// # Errors
/// When the database does not answer.
pub async fn bind_unanswered(transaction: &impl GenericClient, events: &[&StatusEvent]) -> Result<(), DbError> {
    const BIND: &str = "
        update chat_messages m
        set wa_message_id = event.wa_message_id
        from (select distinct on (message_id) * from unnest($1, $2, $3) as event(phone_number_id, message_id, wa_message_id)
              order by message_id, wa_message_id) event,
             chat_conversations c
        where m.message_id = event.message_id and m.wa_message_id is null and m.sender = 'user'
          and c.id = m.conversation_id and c.phone_number_id = event.phone_number_id
          and not exists (select 1 from chat_messages other
                          where other.conversation_id = m.conversation_id and other.wa_message_id = event.wa_message_id)";
    let ours: Vec<(&str, &str, &str)> = events
        .iter()
        .filter_map(|event| {
            let id = event.message_id.as_deref()?;
            Some((event.origin.phone_number_id.as_str(), id, event.wa_message_id.as_str()))
        })
        .collect();
    if ours.is_empty() {
        return Ok(());
    }
    let numbers: Vec<&str> = ours.iter().map(|(number, _, _)| *number).collect();
    let ids: Vec<&str> = ours.iter().map(|(_, id, _)| *id).collect();
    let wamids: Vec<&str> = ours.iter().map(|(_, _, wamid)| *wamid).collect();
    transaction
        .execute_typed(
            BIND,
            &[
                (&numbers, Type::TEXT_ARRAY),
                (&ids, Type::TEXT_ARRAY),
                (&wamids, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// An event about a message, and the customer in whose conversation it happened.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The event.
    pub event: &'a MessageEvent,
    /// The customer.
    pub customer_id: i64,
}

impl<'a> Told<'a> {
    fn key(&self) -> (&'a str, &'static str, &'a str) {
        let event = self.event;
        (&event.origin.phone_number_id, event.what.kind(), &event.event_wamid)
    }

    fn rank(&self) -> (Timestamp, Digest) {
        (self.event.occurred_at, self.event.origin.digest)
    }
}

/// Inserts reactions, edits and revocations. Of two with one wamid the one with the smaller (time, digest) stands; the other goes to
/// quarantine. Returns the (phone number id, wamid) of messages that an event was about until now.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    transaction: &impl GenericClient,
    events: &[Told<'_>],
    quarantined: &mut Vec<Quarantined>,
) -> Result<Vec<(String, String)>, DbError> {
    const EXISTING: &str = "
        select e.phone_number_id, e.kind, e.event_wamid, e.occurred_at, e.digest, e.body, e.wa_message_id
        from unnest($1, $2, $3) as k(phone_number_id, kind, event_wamid)
        join chat_message_events e
          on e.phone_number_id = k.phone_number_id and e.kind = k.kind and e.event_wamid = k.event_wamid";
    let mut standing: HashMap<(&str, &str, &str), Told<'_>> = HashMap::new();
    for told in events {
        match standing.entry(told.key()) {
            Entry::Vacant(entry) => {
                entry.insert(*told);
            }
            Entry::Occupied(mut entry) => {
                let other = *entry.get();
                let (winner, loser) = if told.rank() < other.rank() {
                    (*told, other)
                } else {
                    (other, *told)
                };
                if told.rank() != other.rank() {
                    quarantined.push(Quarantined::item(&loser.event.origin, CONFLICT));
                }
                entry.insert(winner);
            }
        }
    }
    if standing.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<(&str, &str, &str)> = standing.keys().copied().collect();
    let rows = transaction
        .query_typed(
            EXISTING,
            &[
                (&keys.iter().map(|key| key.0).collect::<Vec<_>>(), Type::TEXT_ARRAY),
                (&keys.iter().map(|key| key.1).collect::<Vec<_>>(), Type::TEXT_ARRAY),
                (&keys.iter().map(|key| key.2).collect::<Vec<_>>(), Type::TEXT_ARRAY),
            ],
        )
        .await?;
    let mut former = Vec::new();
    for row in &rows {
        let key: (&str, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let rank: (Timestamp, &[u8]) = (row.try_get(3)?, row.try_get(4)?);
        let Some(told) = standing.get(&key).copied() else {
            continue;
        };
        let origin = &told.event.origin;
        if rank.1 == origin.digest {
            standing.remove(&key);
        } else if (told.event.occurred_at, origin.digest.as_slice()) < rank {
            let body: Option<Vec<u8>> = row.try_get(5)?;
            let digest = rank.1.try_into().unwrap_or_default();
            quarantined.push(Quarantined::displaced(digest, CONFLICT, body.unwrap_or_default()));
            former.push((key.0.to_owned(), row.try_get(6)?));
        } else {
            quarantined.push(Quarantined::item(origin, CONFLICT));
            standing.remove(&key);
        }
    }
    let standing: Vec<Told<'_>> = standing.into_values().collect();
    put(transaction, &standing).await?;
    Ok(former)
}

/// Why an item that claims another item's wamid is kept aside.
pub(super) const CONFLICT: &str = "conflicting_wamid";

async fn put(transaction: &impl GenericClient, events: &[Told<'_>]) -> Result<(), DbError> {
    const PUT: &str = "
        insert into chat_message_events
          (digest, phone_number_id, kind, event_wamid, wa_message_id, sender, customer_id, occurred_at, emoji, edit, body, parked)
        select event.*,
               not exists (select 1 from chat_messages m
                           join chat_conversations c on c.id = m.conversation_id
                           where m.wa_message_id = event.wa_message_id and c.phone_number_id = event.phone_number_id
                             and c.customer_id = event.customer_id and (event.kind = 'reaction' or m.sender = event.sender))
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
          as event(digest, phone_number_id, kind, event_wamid, wa_message_id, sender, customer_id, occurred_at, emoji, edit, body)
        order by phone_number_id, kind, event_wamid
        on conflict (phone_number_id, kind, event_wamid) do update
        set digest = excluded.digest, wa_message_id = excluded.wa_message_id, sender = excluded.sender,
            customer_id = excluded.customer_id, occurred_at = excluded.occurred_at, emoji = excluded.emoji, edit = excluded.edit,
            body = excluded.body, parked = excluded.parked";
    if events.is_empty() {
        return Ok(());
    }
    macro_rules! column {
        (|$told:ident| $value:expr) => {
            &events.iter().map(|$told| $value).collect::<Vec<_>>()
        };
    }
    transaction
        .execute_typed(
            PUT,
            &[
                (column!(|told| told.event.origin.digest.as_slice()), Type::BYTEA_ARRAY),
                (column!(|told| told.key().0), Type::TEXT_ARRAY),
                (column!(|told| told.key().1), Type::TEXT_ARRAY),
                (column!(|told| told.key().2), Type::TEXT_ARRAY),
                (column!(|told| told.event.wa_message_id.as_str()), Type::TEXT_ARRAY),
                (column!(|told| told.event.sender.as_str()), Type::TEXT_ARRAY),
                (column!(|told| told.customer_id), Type::INT8_ARRAY),
                (column!(|told| told.event.occurred_at), Type::TIMESTAMPTZ_ARRAY),
                (
                    column!(|told| match &told.event.what {
                        What::Reaction { emoji } => Some(emoji.as_str()),
                        _ => None,
                    }),
                    Type::TEXT_ARRAY,
                ),
                (
                    column!(|told| match &told.event.what {
                        What::Edit(edit) => Some(edit),
                        _ => None,
                    }),
                    Type::JSONB_ARRAY,
                ),
                (column!(|told| told.event.origin.body.as_bytes()), Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Brings the messages with these (phone number id, wamid) to what all their events say, and returns the conversations that changed.
///
/// A state only ever gives way to one that outranks it (pending, sent, failed, delivered, read). Of each sender's reactions the newest
/// counts. Edits and revocations are their author's alone; a message that was revoked shows nothing of what it said, before or after.
///
/// # Errors
/// When the database does not answer.
pub async fn fold(transaction: &impl GenericClient, targets: &[(&str, &str)]) -> Result<Vec<i64>, DbError> {
    const FOLD: &str = r#"
        with target as (
          select distinct m.id, m.sender, c.phone_number_id, c.customer_id, m.wa_message_id
          from unnest($1, $2) as named(phone_number_id, wa_message_id)
          join chat_messages m on m.wa_message_id = named.wa_message_id
          join chat_conversations c on c.id = m.conversation_id and c.phone_number_id = named.phone_number_id
        ), event as (
          -- What an event is about is decided here and where it is inserted: statuses are of the business's messages, reactions within
          -- a conversation, edits and revocations by their message's author.
          select t.id as target, e.*
          from target t
          join chat_message_events e on e.phone_number_id = t.phone_number_id and e.wa_message_id = t.wa_message_id
          where case e.kind when 'status' then t.sender = 'user'
                            when 'reaction' then e.customer_id = t.customer_id
                            else e.customer_id = t.customer_id and e.sender = t.sender end
        ), waiting as (
          -- A message that gave its place to another item may leave its events without one.
          update chat_message_events e set parked = e.id not in (select id from event)
          from (select distinct * from unnest($1, $2) as k(phone_number_id, wa_message_id)) named
          where e.phone_number_id = named.phone_number_id and e.wa_message_id = named.wa_message_id
            and e.parked = (e.id in (select id from event))
        ), status as (
          select target,
                 max(array_position(array['pending', 'sent', 'failed', 'delivered', 'read'], status)) as rank,
                 min(occurred_at) filter (where status = 'sent') as sent_at,
                 min(occurred_at) filter (where status = 'delivered') as delivered_at,
                 min(occurred_at) filter (where status = 'read') as read_at,
                 (array_agg(error order by occurred_at, digest) filter (where status = 'failed' and error is not null))[1] as error,
                 (array_agg(pricing order by occurred_at desc, digest) filter (where pricing is not null))[1] as pricing
          from event where kind = 'status' group by target
        ), reaction as (
          select target, jsonb_agg(jsonb_build_object('emoji', emoji, 'sender', sender, 'timestamp', occurred_at)
                                   order by occurred_at, sender) as all
          from (select distinct on (target, sender) target, sender, emoji, occurred_at
                from event where kind = 'reaction'
                order by target, sender, occurred_at desc, event_wamid collate "C" desc) newest
          where emoji <> '' group by target
        ), edit as (
          select distinct on (target) target, edit as words, occurred_at
          from event where kind = 'edit'
          order by target, occurred_at desc, event_wamid collate "C" desc
        ), revoke as (
          select target, min(occurred_at) as at from event where kind = 'revoke' group by target
        ), base as (
          select m.id, case when m.original is null then m.content else m.original ->> 'content' end as content,
                 case when m.original is null then m.media_caption else m.original ->> 'media_caption' end as media_caption
          from target t join chat_messages m on m.id = t.id
        ), next as (
          select m.id,
                 case when s.rank > coalesce(array_position(array['pending', 'sent', 'failed', 'delivered', 'read'], m.status::text), 0)
                      then (array['pending', 'sent', 'failed', 'delivered', 'read'])[s.rank] else m.status end as status,
                 least(m.sent_at, s.sent_at) as sent_at, least(m.delivered_at, s.delivered_at) as delivered_at,
                 least(m.read_at, s.read_at) as read_at, coalesce(s.error, m.error) as error, coalesce(s.pricing, m.pricing) as pricing,
                 reaction.all as reactions, edit.occurred_at as edited_at, revoke.at as deleted_at,
                 case when revoke.at is not null then null when edit.words ? 'content' then edit.words ->> 'content'
                      else b.content end as content,
                 case when revoke.at is not null then null when edit.words ? 'media_caption' then edit.words ->> 'media_caption'
                      else b.media_caption end as media_caption,
                 case when coalesce(edit.target, revoke.target) is not null
                      then jsonb_build_object('content', b.content, 'media_caption', b.media_caption) end as original
          from base b
          join chat_messages m on m.id = b.id
          left join status s on s.target = m.id
          left join reaction on reaction.target = m.id
          left join edit on edit.target = m.id
          left join revoke on revoke.target = m.id
        ), discarded as (
          -- The file of a revoked message is owed another look: whoever fetches files takes it away.
          update chat_media f set state = 'pending', next_try_at = now(), attempts = 0
          from next n join chat_messages m on m.id = n.id
          where f.message_id = n.id and (n.deleted_at is null) <> (m.deleted_at is null)
        )
        update chat_messages m
        set status = n.status, sent_at = n.sent_at, delivered_at = n.delivered_at, read_at = n.read_at, error = n.error,
            pricing = n.pricing, reactions = n.reactions, edited_at = n.edited_at, deleted_at = n.deleted_at, content = n.content,
            media_caption = n.media_caption, original = n.original
        from next n
        where m.id = n.id
          and (m.status, m.sent_at, m.delivered_at, m.read_at, m.error, m.pricing, m.reactions, m.edited_at, m.deleted_at, m.content,
               m.media_caption, m.original)
              is distinct from
              (n.status, n.sent_at, n.delivered_at, n.read_at, n.error, n.pricing, n.reactions, n.edited_at, n.deleted_at, n.content,
               n.media_caption, n.original)
        returning m.conversation_id"#;
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let (numbers, wamids): (Vec<&str>, Vec<&str>) = targets.iter().copied().unzip();
    let rows = transaction
        .query_typed(FOLD, &[(&numbers, Type::TEXT_ARRAY), (&wamids, Type::TEXT_ARRAY)])
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The (phone number id, wamid) of the messages that these customers' events are about. Customers who prove to be one may have had the
/// message all along.
///
/// # Errors
/// When the database does not answer.
pub async fn find_targets(client: &impl GenericClient, customers: &[i64]) -> Result<Vec<(String, String)>, DbError> {
    const FIND: &str =
        "select distinct phone_number_id, wa_message_id from chat_message_events where customer_id = any($1)";
    let rows = client.query_typed(FIND, &[(&customers, Type::INT8_ARRAY)]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// How long events wait for their message.
const PARKED_DAYS: i32 = 30;

/// Drops events whose message never came, at most `limit` of them. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub async fn drop_parked(client: &impl GenericClient, now: Timestamp, limit: i64) -> Result<u64, DbError> {
    const DROP: &str = "
        delete from chat_message_events
        where id in (select id from chat_message_events
                     where parked and received_at < $1 - make_interval(days => $2)
                     order by received_at limit $3 for update skip locked)";
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 3] = [
        (&now, Type::TIMESTAMPTZ),
        (&PARKED_DAYS, Type::INT4),
        (&limit, Type::INT8),
    ];
    Ok(client.execute_typed(DROP, &parameters).await?)
}

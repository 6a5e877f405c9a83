//! Inserts events. They are never taken away; of two that claim one wamid the one with the better claim stands.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use tokio_postgres::types::{ToSql, Type};

use super::CONFLICT;
use crate::db::DbError;
use crate::domain::ingest::{Digest, MessageEvent, Quarantined, StatusEvent, What};
use crate::domain::message::Status;
use crate::whatsapp::errors::MessageError;

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
               and not exists (select 1 from chat_message_events reaction
                               where reaction.phone_number_id = event.phone_number_id and reaction.kind = 'reaction'
                                 and reaction.event_wamid = event.wa_message_id)
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

/// Gives what we sent the wamid of the status that carries our id, where Graph's answer was lost or has not come yet. Nobody sends it again
/// after that. Returns the (phone number id, wamid) of messages that got one, or a reaction.
///
/// # Errors
/// When the database does not answer.
pub async fn bind_unanswered(
    transaction: &impl GenericClient,
    events: &[&StatusEvent],
) -> Result<Vec<(String, String)>, DbError> {
    // A message that counted as failed before it had a wamid was sent after all, so that it begins anew with what its statuses say. The
    // wamids of attempts before the agent sent it again say nothing of this one.
    const BIND: &str = "
        with event as (
          select distinct on (m.id) m.id as message, s.id as send, event.wa_message_id
          from unnest($1, $2, $3, $4) as event(phone_number_id, message_id, wa_message_id, occurred_at)
          join chat_messages m on m.message_id = event.message_id
          join chat_conversations c on c.id = m.conversation_id and c.phone_number_id = event.phone_number_id
          left join chat_sends s on s.message_id = m.id
          where m.wa_message_id is null and m.sender = 'user' and event.wa_message_id <> all(coalesce(s.former_wamids, '{}'))
            and not exists (select 1 from chat_messages other
                            where other.conversation_id = m.conversation_id and other.wa_message_id = event.wa_message_id)
          order by m.id, event.occurred_at, event.wa_message_id
        ), settled as (
          update chat_sends s
          set settled_at = now(), unconfirmed_at = null, next_try_at = null, busy_until = null, trouble_since = null, last_error = null
          from event
          where s.id = event.send
        )
        update chat_messages m
        set wa_message_id = event.wa_message_id, status = 'pending', error = null
        from event
        where m.id = event.message";
    // WhatsApp's clock has seconds: a reaction is not older than one that was answered before it was sent.
    const BIND_REACTIONS: &str = "
        with event as (
          select distinct on (s.id) s.id, event.phone_number_id, event.wa_message_id, event.occurred_at, c.customer_id
          from unnest($1, $2, $3, $4) as event(phone_number_id, message_id, wa_message_id, occurred_at)
          join chat_sends s on s.reaction_key = event.message_id
          join chat_conversations c on c.id = s.conversation_id and c.phone_number_id = event.phone_number_id
          where (s.settled_at is null or s.last_error is not null) and c.customer_id is not null
            and event.wa_message_id <> all(s.former_wamids)
          order by s.id, event.occurred_at, event.wa_message_id
        )
        update chat_sends s
        set settled_at = now(), unconfirmed_at = null, next_try_at = null, busy_until = null, trouble_since = null, last_error = null
        from event
        where s.id = event.id
        returning event.phone_number_id, s.request ->> 'reply_to', event.wa_message_id, s.request -> 'object' ->> 'emoji',
                  greatest(event.occurred_at, s.attempted_at), event.customer_id";
    let ours: Vec<(&str, &str, &str, Timestamp)> = events
        .iter()
        .filter_map(|event| {
            let id = event.message_id.as_deref()?;
            let number = event.origin.phone_number_id.as_str();
            Some((number, id, event.wa_message_id.as_str(), event.occurred_at))
        })
        .collect();
    if ours.is_empty() {
        return Ok(Vec::new());
    }
    macro_rules! column {
        ($field:tt) => {
            &ours.iter().map(|it| it.$field).collect::<Vec<_>>()
        };
    }
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (column!(0), Type::TEXT_ARRAY),
        (column!(1), Type::TEXT_ARRAY),
        (column!(2), Type::TEXT_ARRAY),
        (column!(3), Type::TIMESTAMPTZ_ARRAY),
    ];
    transaction.execute_typed(BIND, &parameters).await?;
    let rows = transaction.query_typed(BIND_REACTIONS, &parameters).await?;
    let mut reactions = Vec::new();
    for row in &rows {
        let (target, emoji): (Option<&str>, Option<&str>) = (row.try_get(1)?, row.try_get(3)?);
        let (Some(target), emoji) = (target, emoji.unwrap_or_default()) else {
            continue;
        };
        let event = MessageEvent::own_reaction(row.try_get(0)?, target, row.try_get(2)?, emoji, row.try_get(4)?);
        reactions.push((event, row.try_get::<_, i64>(5)?));
    }
    let told: Vec<Told<'_>> = reactions
        .iter()
        .map(|(event, customer_id)| Told {
            event,
            customer_id: *customer_id,
        })
        .collect();
    put(transaction, &told).await?;
    Ok(reactions
        .into_iter()
        .map(|(event, _)| (event.origin.phone_number_id, event.wa_message_id))
        .collect())
}

/// The (phone number id, wamid) of messages with a reaction of ours that, by these statuses, WhatsApp took and could not deliver.
///
/// # Errors
/// When the database does not answer.
pub async fn find_failed_reactions(
    transaction: &impl GenericClient,
    events: &[&StatusEvent],
) -> Result<Vec<(String, String)>, DbError> {
    const FIND: &str = "
        select distinct e.phone_number_id, e.wa_message_id
        from unnest($1, $2) as failed(phone_number_id, wamid)
        join chat_message_events e on e.phone_number_id = failed.phone_number_id and e.kind = 'reaction' and e.event_wamid = failed.wamid
        where e.sender = 'user'";
    let failed = failures(events);
    if failed.is_empty() {
        return Ok(Vec::new());
    }
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [
        (&column_of(&failed, number_of), Type::TEXT_ARRAY),
        (
            &column_of(&failed, |event| event.wa_message_id.as_str()),
            Type::TEXT_ARRAY,
        ),
    ];
    let rows = transaction.query_typed(FIND, &parameters).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Ends what we sent as a reaction and WhatsApp could not deliver, by these statuses.
///
/// # Errors
/// When the database does not answer.
pub async fn fail_reactions(transaction: &impl GenericClient, events: &[&StatusEvent]) -> Result<(), DbError> {
    // The wamid is over with it: what comes later about it says nothing of a reaction that the agent sends again.
    const FAIL: &str = "
        update chat_sends s
        set settled_at = coalesce(s.settled_at, now()), next_try_at = null, busy_until = null, unconfirmed_at = null, trouble_since = null,
            last_error = failed.error, former_wamids = s.former_wamids || failed.wamid
        from unnest($1, $2, $3, $4) as failed(phone_number_id, wamid, message_id, error), chat_conversations c
        where s.reaction_key = failed.message_id and c.id = s.conversation_id and c.phone_number_id = failed.phone_number_id
          and failed.wamid <> all(s.former_wamids)";
    let failed = failures(events);
    if failed.is_empty() {
        return Ok(());
    }
    let error = |event: &StatusEvent| {
        let unknown = || MessageError::own("WhatsApp could not deliver it", None, false);
        serde_json::json!(event.error.clone().unwrap_or_else(unknown))
    };
    let parameters: [(&(dyn ToSql + Sync), Type); 4] = [
        (&column_of(&failed, number_of), Type::TEXT_ARRAY),
        (
            &column_of(&failed, |event| event.wa_message_id.as_str()),
            Type::TEXT_ARRAY,
        ),
        (
            &column_of(&failed, |event| event.message_id.as_deref()),
            Type::TEXT_ARRAY,
        ),
        (&column_of(&failed, error), Type::JSONB_ARRAY),
    ];
    transaction.execute_typed(FAIL, &parameters).await?;
    Ok(())
}

fn failures<'a>(events: &[&'a StatusEvent]) -> Vec<&'a StatusEvent> {
    let failed = events.iter().filter(|event| event.status == Status::Failed);
    failed.copied().collect()
}

fn number_of(event: &StatusEvent) -> &str {
    &event.origin.phone_number_id
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

async fn put(transaction: &impl GenericClient, events: &[Told<'_>]) -> Result<(), DbError> {
    // A status of a reaction of ours may have come before the reaction itself.
    const PUT: &str = "
        with put as (
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
              body = excluded.body, parked = excluded.parked
          returning phone_number_id, kind, event_wamid
        )
        update chat_message_events s set parked = false
        from put
        where put.kind = 'reaction' and s.phone_number_id = put.phone_number_id and s.wa_message_id = put.event_wamid and s.kind = 'status'
          and s.parked";
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

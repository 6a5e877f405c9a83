//! `chat_message_events`: insert-only. What a message shows of its statuses is a fold over them, the same in any order of arrival.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::DbError;
use crate::domain::ingest::StatusEvent;

/// The (phone number id, wamid) of each event's message.
pub fn wamids<'a>(events: &[&'a StatusEvent]) -> impl Iterator<Item = (&'a str, &'a str)> {
    events
        .iter()
        .map(|event| (event.origin.phone_number_id.as_str(), event.wa_message_id.as_str()))
}

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
            let [a, b, c, d, ..] = hash(phone_number_id);
            let bucket = hash(wamid)[0] % LOCKS;
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

fn hash(text: &str) -> [u8; 8] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut hash = [0; 8];
    hash.copy_from_slice(&digest.as_ref()[..8]);
    hash
}

/// Inserts statuses; those that are there already stay.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(transaction: &impl GenericClient, events: &[&StatusEvent]) -> Result<(), DbError> {
    const INSERT: &str = "
        insert into chat_message_events
          (digest, phone_number_id, kind, wa_message_id, message_id, status, occurred_at, error, pricing, item)
        select digest, phone_number_id, 'status', wa_message_id, message_id, status, occurred_at, error, pricing, item
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

/// Brings the agent's messages with these (phone number id, wamid) to what all their events say. A state only ever gives way to one that
/// outranks it (pending, sent, failed, delivered, read). Returns the conversations that changed.
///
/// # Errors
/// When the database does not answer.
pub async fn fold_statuses<'a>(
    transaction: &impl GenericClient,
    wamids: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<i64>, DbError> {
    const FOLD: &str = "
        with target as (
          select distinct m.id, m.conversation_id, c.phone_number_id, m.wa_message_id
          from unnest($1, $2) as named(phone_number_id, wa_message_id)
          join chat_messages m on m.wa_message_id = named.wa_message_id
          join chat_conversations c on c.id = m.conversation_id and c.phone_number_id = named.phone_number_id
          where m.sender = 'user'
        ), folded as (
          select t.id,
                 max(array_position(array['pending', 'sent', 'failed', 'delivered', 'read'], e.status)) as rank,
                 min(e.occurred_at) filter (where e.status = 'sent') as sent_at,
                 min(e.occurred_at) filter (where e.status = 'delivered') as delivered_at,
                 min(e.occurred_at) filter (where e.status = 'read') as read_at,
                 (array_agg(e.error order by e.occurred_at, e.digest) filter (where e.status = 'failed' and e.error is not null))[1] as error,
                 (array_agg(e.pricing order by e.occurred_at desc, e.digest) filter (where e.pricing is not null))[1] as pricing
          from target t
          join chat_message_events e on e.phone_number_id = t.phone_number_id and e.wa_message_id = t.wa_message_id
          where e.kind = 'status'
          group by t.id
        ), next as (
          select f.id, f.sent_at, f.delivered_at, f.read_at, f.error, f.pricing,
                 (array['pending', 'sent', 'failed', 'delivered', 'read'])[
                   greatest(f.rank, array_position(array['pending', 'sent', 'failed', 'delivered', 'read'], m.status::text))] as status
          from folded f join chat_messages m on m.id = f.id
        )
        update chat_messages m
        set status = n.status,
            sent_at = least(m.sent_at, n.sent_at),
            delivered_at = least(m.delivered_at, n.delivered_at),
            read_at = least(m.read_at, n.read_at),
            error = coalesce(n.error, m.error),
            pricing = coalesce(n.pricing, m.pricing)
        from next n
        where m.id = n.id
          and (m.status, m.sent_at, m.delivered_at, m.read_at, m.error, m.pricing) is distinct from
              (n.status, least(m.sent_at, n.sent_at), least(m.delivered_at, n.delivered_at), least(m.read_at, n.read_at),
               coalesce(n.error, m.error), coalesce(n.pricing, m.pricing))
        returning m.conversation_id";
    let (numbers, wamids): (Vec<&str>, Vec<&str>) = wamids.unzip();
    if wamids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = transaction
        .query_typed(FOLD, &[(&numbers, Type::TEXT_ARRAY), (&wamids, Type::TEXT_ARRAY)])
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

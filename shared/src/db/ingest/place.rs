//! Finds, makes and locks the conversations that a batch belongs to.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::batch::{Locked, Placed};
use crate::db::accounts::Number;
use crate::db::{DbError, events};
use crate::domain::customer::Customer;
use crate::domain::ingest::{NewMessage, StatusEvent};

/// The forms in which a customer may stand in `customer_phone`: rows older than this project may lack the `+`.
fn keys_of(customer: &Customer) -> (String, String) {
    let key = customer.key();
    let bare = key.trim_start_matches('+').to_owned();
    (key, bare)
}

/// Makes the conversations that the messages belong to and that are not there, in key order.
pub(super) async fn insert_missing_conversations(
    transaction: &Transaction<'_>,
    messages: &[(&NewMessage, &Number)],
) -> Result<(), DbError> {
    const INSERT: &str = "
        insert into chat_conversations (user_id, waba_id, phone_number_id, customer_phone, customer_user_id, unread_count, status)
        select k.owner, k.waba_id, k.number, k.key, k.user_id, 0, 'active'
        from unnest($1, $2, $3, $4, $5, $6) as k(owner, waba_id, number, key, bare, user_id)
        where not exists (select 1 from chat_conversations c
                          where c.waba_id = k.waba_id and c.phone_number_id = k.number and c.customer_phone in (k.key, k.bare))
          and not (k.key like 'bsuid:%'
                   and exists (select 1 from chat_conversations c
                               where c.phone_number_id = k.number and c.customer_user_id = k.user_id and c.waba_id = k.waba_id))
        order by k.waba_id, k.number, k.key
        on conflict do nothing";
    type Key<'a> = (&'a str, &'a str, String);
    let mut rows: HashMap<Key<'_>, (Option<Uuid>, String, Option<&str>)> = HashMap::new();
    for (message, number) in messages {
        let (key, bare) = keys_of(&message.customer);
        let id = (number.waba_id.as_str(), message.origin.phone_number_id.as_str(), key);
        let row = rows.entry(id).or_insert((number.user_id, bare, None));
        row.2 = row.2.or(message.customer.user_id.as_deref());
    }
    if rows.is_empty() {
        return Ok(());
    }
    let owners: Vec<Option<Uuid>> = rows.values().map(|(owner, _, _)| *owner).collect();
    let bare: Vec<&str> = rows.values().map(|(_, bare, _)| bare.as_str()).collect();
    let user_ids: Vec<Option<&str>> = rows.values().map(|(_, _, id)| *id).collect();
    let wabas: Vec<&str> = rows.keys().map(|(waba, _, _)| *waba).collect();
    let numbers: Vec<&str> = rows.keys().map(|(_, number, _)| *number).collect();
    let keys: Vec<&str> = rows.keys().map(|(_, _, key)| key.as_str()).collect();
    transaction
        .execute_typed(
            INSERT,
            &[
                (&owners, Type::UUID_ARRAY),
                (&wabas, Type::TEXT_ARRAY),
                (&numbers, Type::TEXT_ARRAY),
                (&keys, Type::TEXT_ARRAY),
                (&bare, Type::TEXT_ARRAY),
                (&user_ids, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Locks every conversation that the batch touches, in id order: consumers that share conversations wait in line, never in a circle.
pub(super) async fn lock_conversations(
    transaction: &Transaction<'_>,
    messages: &[(&NewMessage, &Number)],
    events: &[&StatusEvent],
) -> Result<Vec<Locked>, DbError> {
    const LOCK: &str = "
        select c.id, c.waba_id, c.phone_number_id, c.customer_phone, c.customer_user_id, c.read_time, c.read_wamid
        from chat_conversations c
        where c.id in (
          select c.id from unnest($1, $2, $3, $4) as k(number, key, bare, user_id)
          join chat_conversations c on c.phone_number_id = k.number and c.customer_phone in (k.key, k.bare)
          union
          select c.id from unnest($1, $4) as k(number, user_id)
          join chat_conversations c on c.phone_number_id = k.number and c.customer_user_id = k.user_id
          union
          select c.id from unnest($5, $6) as e(number, wamid)
          join chat_messages m on m.wa_message_id = e.wamid
          join chat_conversations c on c.id = m.conversation_id and c.phone_number_id = e.number
          union
          select c.id from unnest($5, $7) as e(number, message_id)
          join chat_messages m on m.message_id = e.message_id
          join chat_conversations c on c.id = m.conversation_id and c.phone_number_id = e.number
        )
        order by c.id
        for no key update of c";
    let keys: Vec<(String, String)> = messages.iter().map(|(message, _)| keys_of(&message.customer)).collect();
    let numbers: Vec<&str> = messages
        .iter()
        .map(|(message, _)| message.origin.phone_number_id.as_str())
        .collect();
    let user_ids: Vec<Option<&str>> = messages
        .iter()
        .map(|(message, _)| message.customer.user_id.as_deref())
        .collect();
    let (event_numbers, event_wamids): (Vec<&str>, Vec<&str>) = events::wamids(events).unzip();
    let event_ids: Vec<Option<&str>> = events.iter().map(|event| event.message_id.as_deref()).collect();
    let rows = transaction
        .query_typed(
            LOCK,
            &[
                (&numbers, Type::TEXT_ARRAY),
                (&keys.iter().map(|(key, _)| key).collect::<Vec<_>>(), Type::TEXT_ARRAY),
                (&keys.iter().map(|(_, bare)| bare).collect::<Vec<_>>(), Type::TEXT_ARRAY),
                (&user_ids, Type::TEXT_ARRAY),
                (&event_numbers, Type::TEXT_ARRAY),
                (&event_wamids, Type::TEXT_ARRAY),
                (&event_ids, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let (time, wamid): (Option<Timestamp>, Option<String>) = (row.try_get(5)?, row.try_get(6)?);
            Ok(Locked {
                id: row.try_get(0)?,
                waba_id: row.try_get::<_, Option<String>>(1)?.unwrap_or_default(),
                phone_number_id: row.try_get::<_, Option<String>>(2)?.unwrap_or_default(),
                customer_phone: row.try_get(3)?,
                customer_user_id: row.try_get(4)?,
                read_position: time.map(|time| (time, wamid.unwrap_or_default())),
            })
        })
        .collect()
}

/// Finds each message's conversation among the locked ones: by phone number, else by user id.
pub(super) fn place<'a>(
    messages: &[(&'a NewMessage, &'a Number)],
    locked: &[Locked],
) -> Result<Vec<Placed<'a>>, DbError> {
    let mut by_phone = HashMap::new();
    let mut by_user_id = HashMap::new();
    for (index, row) in locked.iter().enumerate() {
        let (waba, number) = (row.waba_id.as_str(), row.phone_number_id.as_str());
        by_phone.insert((waba, number, row.customer_phone.as_str()), index);
        if let Some(id) = &row.customer_user_id {
            by_user_id.entry((waba, number, id.as_str())).or_insert(index);
        }
    }
    messages
        .iter()
        .map(|(message, number)| {
            let (waba, id) = (number.waba_id.as_str(), message.origin.phone_number_id.as_str());
            let (key, bare) = keys_of(&message.customer);
            let by_id = message
                .customer
                .user_id
                .as_deref()
                .filter(|_| message.customer.phone.is_none())
                .and_then(|user_id| by_user_id.get(&(waba, id, user_id)));
            let conversation = by_id
                .or_else(|| by_phone.get(&(waba, id, key.as_str())))
                .or_else(|| by_phone.get(&(waba, id, bare.as_str())));
            Ok(Placed {
                message,
                number,
                conversation: *conversation.ok_or_else(|| DbError::Row("a conversation vanished".to_owned()))?,
            })
        })
        .collect()
}

//! Applies a [`Plan`] in one transaction, in a handful of statements whatever its size. Insert-only rows with unique keys, then folds over
//! them: the same plan twice changes nothing, and plans may come in any order and on several connections at once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Transaction};
use uuid::Uuid;

use super::accounts::{self, Number};
use super::{DbError, events, media, quarantine};
use crate::domain::customer::Customer;
use crate::domain::ingest::{NewMessage, Origin, Plan, Quarantined, StatusEvent};

/// What a batch changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Messages that are new.
    pub inserted_messages: usize,
    /// Items kept raw, among them those that were there already.
    pub quarantined: usize,
    /// The conversations that show something new.
    pub conversations: Vec<i64>,
}

/// A message whose number is known, and the conversation it belongs to.
struct Placed<'a> {
    message: &'a NewMessage,
    number: &'a Number,
    conversation: usize,
}

/// A conversation of the batch, locked.
struct Locked {
    id: i64,
    waba_id: String,
    phone_number_id: String,
    customer_phone: String,
    customer_user_id: Option<String>,
    read_position: Option<(Timestamp, String)>,
}

/// Applies the plan.
///
/// # Errors
/// Nothing was applied then.
pub async fn apply(client: &mut Client, plan: &Plan, now: Timestamp) -> Result<Applied, DbError> {
    let transaction = client.transaction().await?;
    let mut quarantined = plan.quarantined.clone();

    let origins = plan.messages.iter().map(|message| &message.origin);
    let origins = origins.chain(plan.events.iter().map(|event| &event.origin));
    let ids: HashSet<&str> = origins.map(|origin| origin.phone_number_id.as_str()).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    let numbers = accounts::find_numbers(&transaction, &ids).await?;
    let number_of = |origin: &Origin| -> Option<&Number> {
        let candidates = numbers.get(&origin.phone_number_id)?;
        let named = candidates
            .iter()
            .find(|number| Some(&number.waba_id) == origin.waba_id.as_ref());
        named.or(candidates.first())
    };

    let mut messages: Vec<(&NewMessage, &Number)> = Vec::new();
    for message in &plan.messages {
        match number_of(&message.origin) {
            Some(number) => messages.push((message, number)),
            None => quarantined.push(Quarantined::item(&message.origin, "unknown_phone_number")),
        }
    }
    let mut known_events: Vec<StatusEvent> = Vec::new();
    for event in &plan.events {
        if number_of(&event.origin).is_some() {
            known_events.push(event.clone());
        } else {
            quarantined.push(Quarantined::item(&event.origin, "unknown_phone_number"));
        }
    }

    let wamids = messages
        .iter()
        .map(|(message, _)| (message.origin.phone_number_id.as_str(), message.wa_message_id.as_str()))
        .chain(event_wamids(&known_events));
    events::lock_wamids(&transaction, wamids).await?;
    insert_missing_conversations(&transaction, &messages).await?;
    let locked = lock_conversations(&transaction, &messages, &known_events).await?;
    let placed = place(&messages, &locked)?;

    let changed = insert_messages(&transaction, &placed, &locked, &mut quarantined).await?;
    events::insert(&transaction, &known_events).await?;
    events::bind_unanswered(&transaction, &known_events).await?;
    let status_changes = events::fold_statuses(&transaction, event_wamids(&known_events)).await?;
    let mut conversations = fold_conversations(&transaction, &placed, &locked, &changed).await?;
    touch_conversations(&transaction, &status_changes).await?;
    conversations.extend(status_changes);
    conversations.sort_unstable();
    conversations.dedup();

    quarantine::insert(&transaction, &quarantined, "consumer").await?;
    let known: Vec<&str> = ids.into_iter().filter(|id| numbers.contains_key(*id)).collect();
    if !known.is_empty() {
        accounts::touch_numbers(&transaction, &known, now).await?;
    }
    transaction.commit().await?;
    Ok(Applied {
        inserted_messages: changed.values().filter(|change| change.is_new).count(),
        quarantined: quarantined.len(),
        conversations,
    })
}

fn event_wamids(events: &[StatusEvent]) -> impl Iterator<Item = (&str, &str)> {
    events
        .iter()
        .map(|event| (event.origin.phone_number_id.as_str(), event.wa_message_id.as_str()))
}

/// The forms in which a customer may stand in `customer_phone`: rows older than this project may lack the `+`.
fn keys_of(customer: &Customer) -> (String, String) {
    let key = customer.key();
    let bare = key.trim_start_matches('+').to_owned();
    (key, bare)
}

/// Makes the conversations that the messages belong to and that are not there, in key order.
async fn insert_missing_conversations(
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
async fn lock_conversations(
    transaction: &Transaction<'_>,
    messages: &[(&NewMessage, &Number)],
    events: &[StatusEvent],
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
    let (event_numbers, event_wamids): (Vec<&str>, Vec<&str>) = event_wamids(events).unzip();
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
fn place<'a>(messages: &[(&'a NewMessage, &'a Number)], locked: &[Locked]) -> Result<Vec<Placed<'a>>, DbError> {
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

/// What became of a message of the batch.
struct Change {
    /// Inserted, as opposed to corrected.
    is_new: bool,
}

/// Inserts the messages. Of two items with one wamid the one with the smaller (timestamp, digest) stands, whatever the order in which
/// they come; the other goes to quarantine. Returns the changes by index into `placed`.
async fn insert_messages(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    locked: &[Locked],
    quarantined: &mut Vec<Quarantined>,
) -> Result<HashMap<usize, Change>, DbError> {
    const EXISTING: &str = r#"
        select m.id, m.conversation_id, m.wa_message_id, m."timestamp", s.digest, s.body
        from unnest($1, $2) as k(conversation_id, wamid)
        join chat_messages m on m.conversation_id = k.conversation_id and m.wa_message_id = k.wamid
        left join chat_message_sources s on s.message_id = m.id"#;
    let rank = |index: usize| (placed[index].message.timestamp, placed[index].message.origin.digest);
    let mut standing: HashMap<(i64, &str), usize> = HashMap::new();
    for (index, row) in placed.iter().enumerate() {
        match standing.entry((locked[row.conversation].id, row.message.wa_message_id.as_str())) {
            Entry::Vacant(entry) => {
                entry.insert(index);
            }
            Entry::Occupied(mut entry) => {
                let other = *entry.get();
                if rank(index) == rank(other) {
                    continue;
                }
                let (winner, loser) = if rank(index) < rank(other) {
                    (index, other)
                } else {
                    (other, index)
                };
                quarantined.push(Quarantined::item(&placed[loser].message.origin, CONFLICT));
                entry.insert(winner);
            }
        }
    }
    let (conversations, wamids): (Vec<i64>, Vec<&str>) = standing.keys().copied().unzip();
    let existing = transaction
        .query_typed(
            EXISTING,
            &[(&conversations, Type::INT8_ARRAY), (&wamids, Type::TEXT_ARRAY)],
        )
        .await?;
    let mut changes = HashMap::new();
    let mut corrections = Vec::new();
    for row in &existing {
        let id: i64 = row.try_get(0)?;
        let key: (i64, &str) = (row.try_get(1)?, row.try_get(2)?);
        let Some(index) = standing.remove(&key) else {
            continue;
        };
        let (time, digest): (Option<Timestamp>, Option<&[u8]>) = (row.try_get(3)?, row.try_get(4)?);
        // Rows without a source were not made by an inbound item; there is nothing to compare.
        let (Some(time), Some(digest)) = (time, digest) else {
            continue;
        };
        let origin = &placed[index].message.origin;
        if digest == origin.digest {
            continue;
        }
        if rank(index) < (time, digest.try_into().unwrap_or_default()) {
            let body: Option<Vec<u8>> = row.try_get(5)?;
            quarantined.push(Quarantined {
                digest: digest.try_into().unwrap_or_default(),
                body: body.unwrap_or_default(),
                ..Quarantined::item(origin, CONFLICT)
            });
            corrections.push(id);
            changes.insert(index, Change { is_new: false });
            standing.insert(key_of(placed, locked, index), index);
        } else {
            quarantined.push(Quarantined::item(origin, CONFLICT));
        }
    }
    delete_messages(transaction, &corrections).await?;
    let mut rows: Vec<usize> = standing.into_values().collect();
    rows.sort_by_key(|index| (rank(*index), *index));
    write_messages(transaction, placed, locked, &rows).await?;
    for index in rows {
        changes.entry(index).or_insert(Change { is_new: true });
    }
    Ok(changes)
}

/// Why an item that claims another item's wamid is kept aside.
const CONFLICT: &str = "conflicting_wamid";

fn key_of<'a>(placed: &[Placed<'a>], locked: &[Locked], index: usize) -> (i64, &'a str) {
    let row = &placed[index];
    (locked[row.conversation].id, row.message.wa_message_id.as_str())
}

/// Takes away messages whose place another item has the better claim to; sources and media go with them.
async fn delete_messages(transaction: &Transaction<'_>, ids: &[i64]) -> Result<(), DbError> {
    if !ids.is_empty() {
        transaction
            .execute_typed(
                "delete from chat_messages where id = any($1)",
                &[(&ids, Type::INT8_ARRAY)],
            )
            .await?;
    }
    Ok(())
}

/// Inserts the rows, in the order of their times, with their sources and files.
async fn write_messages(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    locked: &[Locked],
    rows: &[usize],
) -> Result<(), DbError> {
    const INSERT: &str = r#"
        with inserted as (
          insert into chat_messages
            (conversation_id, message_id, wa_message_id, message_type, content, media_caption, sender, status, "timestamp", metadata,
             referral, reply_to_wa_message_id)
          select conversation_id, gen_random_uuid()::text, wamid, message_type, content, caption, 'customer', status, time, metadata,
                 referral, reply_to
          from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) with ordinality
            as m(conversation_id, wamid, message_type, content, caption, status, time, metadata, referral, reply_to, position)
          order by position
          returning id, conversation_id, wa_message_id
        ), source as (
          insert into chat_message_sources (message_id, digest, body)
          select i.id, s.digest, s.body
          from inserted i
          join unnest($1, $2, $11, $12) as s(conversation_id, wamid, digest, body)
            on s.conversation_id = i.conversation_id and s.wamid = i.wa_message_id
        )
        select id, conversation_id, wa_message_id from inserted"#;
    if rows.is_empty() {
        return Ok(());
    }
    let conversations: Vec<i64> = rows
        .iter()
        .map(|index| locked[placed[*index].conversation].id)
        .collect();
    let statuses: Vec<&str> = rows
        .iter()
        .map(|index| {
            if is_unread(&placed[*index], locked) {
                "delivered"
            } else {
                "read"
            }
        })
        .collect();
    let messages: Vec<&NewMessage> = rows.iter().map(|index| placed[*index].message).collect();
    let bodies: Vec<&[u8]> = messages.iter().map(|message| message.origin.body.as_bytes()).collect();
    let inserted = transaction
        .query_typed(
            INSERT,
            &[
                (&conversations, Type::INT8_ARRAY),
                (&column(&messages, |message| &message.wa_message_id), Type::TEXT_ARRAY),
                (&column(&messages, |message| message.message_type), Type::TEXT_ARRAY),
                (&column(&messages, |message| message.content.as_ref()), Type::TEXT_ARRAY),
                (
                    &column(&messages, |message| message.media_caption.as_ref()),
                    Type::TEXT_ARRAY,
                ),
                (&statuses, Type::TEXT_ARRAY),
                (&column(&messages, |message| message.timestamp), Type::TIMESTAMPTZ_ARRAY),
                (
                    &column(&messages, |message| message.metadata.as_ref()),
                    Type::JSONB_ARRAY,
                ),
                (
                    &column(&messages, |message| message.referral.as_ref()),
                    Type::JSONB_ARRAY,
                ),
                (
                    &column(&messages, |message| message.reply_to_wa_message_id.as_ref()),
                    Type::TEXT_ARRAY,
                ),
                (
                    &column(&messages, |message| message.origin.digest.as_slice()),
                    Type::BYTEA_ARRAY,
                ),
                (&bodies, Type::BYTEA_ARRAY),
            ],
        )
        .await?;
    let files: HashMap<(i64, &str), _> = rows
        .iter()
        .filter_map(|index| Some((key_of(placed, locked, *index), placed[*index].message.media.as_ref()?)))
        .collect();
    let mut owed = Vec::new();
    for row in &inserted {
        let key: (i64, &str) = (row.try_get(1)?, row.try_get(2)?);
        if let Some(file) = files.get(&key) {
            owed.push((row.try_get(0)?, *file));
        }
    }
    media::insert(transaction, &owed).await
}

fn column<'a, T>(messages: &[&'a NewMessage], pick: impl Fn(&'a NewMessage) -> T) -> Vec<T> {
    messages.iter().map(|message| pick(message)).collect()
}

/// Whether the message is newer than what the agent has read.
fn is_unread(row: &Placed<'_>, locked: &[Locked]) -> bool {
    let position = (row.message.timestamp, row.message.wa_message_id.clone());
    locked[row.conversation]
        .read_position
        .as_ref()
        .is_none_or(|read| position > *read)
}

/// What the batch says about a conversation.
#[derive(Default)]
struct Fold<'a> {
    owner: Option<Uuid>,
    customer_user_id: Option<&'a str>,
    name: Option<(Timestamp, &'a str, &'a str)>,
    username: Option<(Timestamp, &'a str, &'a str)>,
    new_unread: i32,
    is_new: bool,
    is_changed: bool,
}

/// Brings the conversations to what their messages say. Returns those that changed.
async fn fold_conversations(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    locked: &[Locked],
    changes: &HashMap<usize, Change>,
) -> Result<Vec<i64>, DbError> {
    const FOLD: &str = r#"
        update chat_conversations c
        set user_id = x.owner,
            customer_user_id = coalesce(c.customer_user_id, x.customer_user_id),
            customer_name = case when x.new_name then x.name else c.customer_name end,
            customer_name_time = case when x.new_name then x.name_time else c.customer_name_time end,
            customer_name_wamid = case when x.new_name then x.name_wamid else c.customer_name_wamid end,
            customer_username = case when x.new_username then x.username else c.customer_username end,
            customer_username_time = case when x.new_username then x.username_time else c.customer_username_time end,
            customer_username_wamid = case when x.new_username then x.username_wamid else c.customer_username_wamid end,
            unread_count = coalesce(c.unread_count, 0) + x.new_unread,
            status = case when x.is_new then 'active' else c.status end,
            last_message_id = newest.id, last_message = newest.preview, last_message_time = newest.time,
            last_inbound_at = inbound.time,
            updated_at = now()
        from (
          select k.*,
                 not o.customer_name_by_agent and k.name is not null
                   and (o.customer_name_time is null
                        or (k.name_time, k.name_wamid collate "C", k.name collate "C")
                           > (o.customer_name_time, o.customer_name_wamid collate "C", o.customer_name collate "C")) as new_name,
                 k.username is not null
                   and (o.customer_username_time is null
                        or (k.username_time, k.username_wamid collate "C", k.username collate "C")
                           > (o.customer_username_time, o.customer_username_wamid collate "C", o.customer_username collate "C"))
                   as new_username,
                 o.customer_user_id is null and k.customer_user_id is not null as new_user_id
          from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            as k(id, owner, customer_user_id, name, name_time, name_wamid, username, username_time, username_wamid, new_unread, is_new,
                 is_changed)
          join chat_conversations o on o.id = k.id
        ) x
        left join lateral (
          select m.id, coalesce(m.content, m.media_caption) as preview, m."timestamp" as time
          from chat_messages m
          where m.conversation_id = x.id
          order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch') desc,
                   coalesce(m.wa_message_id, m.message_id) collate "C" desc nulls last
          limit 1
        ) newest on true
        left join lateral (
          select m."timestamp" as time
          from chat_messages m
          where m.conversation_id = x.id and m.sender = 'customer'
          order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch') desc
          limit 1
        ) inbound on true
        where c.id = x.id and (x.is_changed or x.new_name or x.new_username or x.new_user_id)
        returning c.id"#;
    let mut folds: HashMap<usize, Fold<'_>> = HashMap::new();
    for (index, row) in placed.iter().enumerate() {
        let message = row.message;
        let fold = folds.entry(row.conversation).or_default();
        fold.owner = row.number.user_id;
        fold.customer_user_id = fold.customer_user_id.max(message.customer.user_id.as_deref());
        let said = |text: Option<&'_ String>| text.map(|_| (message.timestamp, message.wa_message_id.as_str()));
        if let (Some((time, wamid)), Some(name)) = (said(message.customer_name.as_ref()), &message.customer_name) {
            fold.name = fold.name.max(Some((time, wamid, name)));
        }
        if let (Some((time, wamid)), Some(name)) =
            (said(message.customer_username.as_ref()), &message.customer_username)
        {
            fold.username = fold.username.max(Some((time, wamid, name)));
        }
        if let Some(change) = changes.get(&index) {
            fold.is_changed = true;
            fold.is_new |= change.is_new;
            fold.new_unread += i32::from(change.is_new && is_unread(row, locked));
        }
    }
    let folds: Vec<(i64, Fold<'_>)> = folds
        .into_iter()
        .map(|(index, fold)| (locked[index].id, fold))
        .collect();
    if folds.is_empty() {
        return Ok(Vec::new());
    }
    macro_rules! column {
        (|$fold:ident| $value:expr) => {
            &folds.iter().map(|(_, $fold)| $value).collect::<Vec<_>>()
        };
    }
    let rows = transaction
        .query_typed(
            FOLD,
            &[
                (&folds.iter().map(|(id, _)| *id).collect::<Vec<_>>(), Type::INT8_ARRAY),
                (column!(|fold| fold.owner), Type::UUID_ARRAY),
                (column!(|fold| fold.customer_user_id), Type::TEXT_ARRAY),
                (column!(|fold| fold.name.map(|name| name.2)), Type::TEXT_ARRAY),
                (column!(|fold| fold.name.map(|name| name.0)), Type::TIMESTAMPTZ_ARRAY),
                (column!(|fold| fold.name.map(|name| name.1)), Type::TEXT_ARRAY),
                (column!(|fold| fold.username.map(|name| name.2)), Type::TEXT_ARRAY),
                (
                    column!(|fold| fold.username.map(|name| name.0)),
                    Type::TIMESTAMPTZ_ARRAY,
                ),
                (column!(|fold| fold.username.map(|name| name.1)), Type::TEXT_ARRAY),
                (column!(|fold| fold.new_unread), Type::INT4_ARRAY),
                (column!(|fold| fold.is_new), Type::BOOL_ARRAY),
                (column!(|fold| fold.is_changed), Type::BOOL_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// A conversation whose last message took another state has changed too.
async fn touch_conversations(transaction: &Transaction<'_>, ids: &[i64]) -> Result<(), DbError> {
    if !ids.is_empty() {
        transaction
            .execute_typed(
                "update chat_conversations set updated_at = now() where id = any($1)",
                &[(&ids, Type::INT8_ARRAY)],
            )
            .await?;
    }
    Ok(())
}

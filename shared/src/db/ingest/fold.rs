//! Brings conversations to what their messages, their customer's ids and the facts about their customer say.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::batch::{Placed, ReadPositions, is_unread};
use super::conversations::United;
use super::insert::Inserted;
use crate::db::DbError;

/// What the batch says about a conversation.
#[derive(Default)]
struct Fold<'a> {
    name: Option<(Timestamp, &'a str, &'a str)>,
    username: Option<(Timestamp, &'a str, &'a str)>,
    inbound_at: Option<Timestamp>,
    /// By how many its unread messages became more.
    unread: i32,
    /// A message of it is new or shows something else.
    has_changed: bool,
    /// Messages were taken from it: the time of the last inbound one is to be looked up.
    has_lost: bool,
}

/// What changed in conversations beside new messages.
pub(super) struct Touched<'a> {
    /// Something of their messages is shown differently.
    pub(super) changed: &'a [i64],
    /// Their messages are others.
    pub(super) united: &'a United,
    /// What is known of their customers may be new.
    pub(super) customers: &'a [i64],
}

/// k: what the batch says; p: whether its profiles are the newest; f: what all the tables say; n: what is shown of it.
const FOLD: &str = r#"
    with k as (
      select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        as k(id, name, name_time, name_wamid, username, username_time, username_wamid, inbound_at, unread, has_changed, has_lost)
      union all
      select c.id, null, null, null, null, null, null, null, 0, false, false
      from chat_conversations c where c.customer_id = any($12) and c.id <> all($1)
    ), p as (
      select k.*,
             k.name is not null and (c.customer_name_time is null
               or (k.name_time, k.name_wamid collate "C", k.name collate "C")
                  > (c.customer_name_time, c.customer_name_wamid collate "C", c.profile_name collate "C")) as has_name,
             k.username is not null and (c.customer_username_time is null
               or (k.username_time, k.username_wamid collate "C", k.username collate "C")
                  > (c.customer_username_time, c.customer_username_wamid collate "C", c.customer_username collate "C")) as has_username
      from k join chat_conversations c on c.id = k.id
    ), f as (
      select p.id, p.has_changed, coalesce(a.user_id, c.user_id) as user_id,
             coalesce(phone.value, 'bsuid:' || left(encode(sha256(convert_to(person.value, 'UTF8')), 'hex'), 32)) as key,
             coalesce(person.value, c.customer_user_id) as customer_user_id,
             case when p.has_name then p.name else c.profile_name end as profile_name, c.customer_name, c.customer_name_by_agent,
             c.waba_id, c.phone_number_id, c.customer_phone,
             case when p.has_name then p.name_time else c.customer_name_time end as name_time,
             case when p.has_name then p.name_wamid else c.customer_name_wamid end as name_wamid,
             case when p.has_username then p.username else c.customer_username end as username,
             case when p.has_username then p.username_time else c.customer_username_time end as username_time,
             case when p.has_username then p.username_wamid else c.customer_username_wamid end as username_wamid,
             contact.value #>> '{}' as contact_name, contact.occurred_at as contact_time,
             case when marketing.value #>> '{}' = 'stop' then marketing.occurred_at end as opted_out_at,
             coalesce(c.unread_count, 0) + p.unread as unread_count,
             case when p.inbound_at is not null then 'active' else c.status end as status,
             case when p.has_lost then inbound.at else greatest(c.last_inbound_at, p.inbound_at) end as last_inbound_at,
             newest.id as last_id, newest.preview, newest.time as last_time, chat_waiting_since(p.id) as waiting_since
      from p
      join chat_conversations c on c.id = p.id
      left join waba_accounts a on a.waba_id = c.waba_id
      left join lateral (
        select i.value from chat_customer_ids i where i.customer_id = c.customer_id and i.kind = 'phone'
        order by i.seen_at desc nulls last, i.seen_wamid collate "C" desc nulls last, i.value collate "C" desc limit 1
      ) phone on true
      left join lateral (
        select i.value from chat_customer_ids i where i.customer_id = c.customer_id and i.kind = 'user_id'
        order by i.seen_at desc nulls last, i.seen_wamid collate "C" desc nulls last, i.value collate "C" desc limit 1
      ) person on true
      left join lateral (
        select f.value, f.occurred_at from chat_customer_ids i
        join chat_facts f on f.subject = 'contact' and f.name = 'contact_name'
                         and f.subject_id = c.phone_number_id || ':' || i.kind || ':' || i.value
        where i.customer_id = c.customer_id order by f.occurred_at desc, f.digest desc limit 1
      ) contact on true
      left join lateral (
        select f.value, f.occurred_at from chat_customer_ids i
        join chat_facts f on f.subject = 'contact' and f.name = 'marketing'
                         and f.subject_id = c.phone_number_id || ':' || i.kind || ':' || i.value
        where i.customer_id = c.customer_id order by f.occurred_at desc, f.digest desc limit 1
      ) marketing on true
      left join lateral (
        select max(m."timestamp") as at from chat_messages m
        where p.has_lost and m.conversation_id = p.id and m.sender = 'customer' and not m.is_history and m.message_type <> 'system'
      ) inbound on true
      left join lateral (
        select m.id, coalesce(m.content, m.media_caption) as preview, m."timestamp" as time
        from chat_messages m
        where m.conversation_id = p.id
        order by coalesce(m."timestamp", m.created_at, timestamptz 'epoch') desc,
                 coalesce(m.wa_message_id, m.message_id) collate "C" desc nulls last
        limit 1
      ) newest on true
    ), n as (
      select f.*,
             case when f.customer_name_by_agent then f.customer_name
                  when f.contact_name is not null and (f.name_time is null or f.contact_time >= f.name_time) then f.contact_name
                  -- A name that came neither from a profile nor from the address book was given by another program.
                  else coalesce(f.profile_name, f.contact_name, case when f.contact_time is null then f.customer_name end)
                  end as shown_name,
             case when f.key is null or f.customer_phone = f.key
                    or exists (select 1 from chat_conversations o
                               where o.waba_id = f.waba_id and o.phone_number_id = f.phone_number_id and o.customer_phone = f.key)
                  then f.customer_phone else f.key end as shown_phone
      from f
    )
    update chat_conversations c
    set user_id = n.user_id,
        customer_phone = n.shown_phone,
        customer_user_id = n.customer_user_id,
        profile_name = n.profile_name, customer_name_time = n.name_time, customer_name_wamid = n.name_wamid,
        customer_name = n.shown_name,
        customer_username = n.username, customer_username_time = n.username_time, customer_username_wamid = n.username_wamid,
        marketing_opted_out_at = n.opted_out_at,
        unread_count = n.unread_count, status = n.status, last_inbound_at = n.last_inbound_at,
        last_message_id = n.last_id, last_message = n.preview, last_message_time = n.last_time,
        waiting_since = n.waiting_since,
        updated_at = now()
    from n
    where c.id = n.id
      and (n.has_changed
           or (c.user_id, c.customer_phone, c.customer_user_id, c.customer_name, c.profile_name, c.customer_name_time,
               c.customer_name_wamid, c.customer_username, c.customer_username_time, c.customer_username_wamid,
               c.marketing_opted_out_at, c.unread_count, c.last_inbound_at, c.last_message_id, c.last_message,
               c.waiting_since)
              is distinct from
              (n.user_id, n.shown_phone, n.customer_user_id, n.shown_name, n.profile_name, n.name_time,
               n.name_wamid, n.username, n.username_time, n.username_wamid,
               n.opted_out_at, n.unread_count, n.last_inbound_at, n.last_id, n.preview,
               n.waiting_since))
    returning c.id"#;

/// Brings the conversations to what the tables say. Returns those that show something new.
pub(super) async fn fold_conversations(
    transaction: &Transaction<'_>,
    placed: &[Placed<'_>],
    positions: &ReadPositions,
    inserted: &Inserted,
    touched: &Touched<'_>,
) -> Result<Vec<i64>, DbError> {
    let mut folds: HashMap<i64, Fold<'_>> = HashMap::new();
    for row in placed {
        let message = row.message;
        let fold = folds.entry(row.conversation).or_default();
        let (time, wamid) = (message.timestamp, message.wa_message_id.as_str());
        let name = message.customer_name.as_deref().map(|name| (time, wamid, name));
        let username = message.customer_username.as_deref().map(|name| (time, wamid, name));
        fold.name = fold.name.max(name);
        fold.username = fold.username.max(username);
    }
    for index in inserted.new.iter().chain(&inserted.corrected) {
        let row = &placed[*index];
        let fold = folds.entry(row.conversation).or_default();
        fold.has_changed = true;
        if row.message.is_inbound() {
            fold.inbound_at = fold.inbound_at.max(Some(row.message.timestamp));
            fold.unread += i32::from(is_unread(row, positions));
        }
    }
    for (id, unread) in inserted.removed.iter().chain(&touched.united.removed) {
        let fold = folds.entry(*id).or_default();
        fold.unread -= unread;
        fold.has_lost = true;
    }
    for id in touched.changed.iter().chain(&touched.united.conversations) {
        folds.entry(*id).or_default().has_changed = true;
    }
    let folds: Vec<(i64, Fold<'_>)> = folds.into_iter().collect();
    if folds.is_empty() && touched.customers.is_empty() {
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
                (column!(|fold| fold.name.map(|name| name.2)), Type::TEXT_ARRAY),
                (column!(|fold| fold.name.map(|name| name.0)), Type::TIMESTAMPTZ_ARRAY),
                (column!(|fold| fold.name.map(|name| name.1)), Type::TEXT_ARRAY),
                (column!(|fold| fold.username.map(|name| name.2)), Type::TEXT_ARRAY),
                (
                    column!(|fold| fold.username.map(|name| name.0)),
                    Type::TIMESTAMPTZ_ARRAY,
                ),
                (column!(|fold| fold.username.map(|name| name.1)), Type::TEXT_ARRAY),
                (column!(|fold| fold.inbound_at), Type::TIMESTAMPTZ_ARRAY),
                (column!(|fold| fold.unread), Type::INT4_ARRAY),
                (column!(|fold| fold.has_changed), Type::BOOL_ARRAY),
                (column!(|fold| fold.has_lost), Type::BOOL_ARRAY),
                (&touched.customers, Type::INT8_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

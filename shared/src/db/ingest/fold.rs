//! Brings conversations to what their messages say.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::batch::{Change, Locked, Placed, is_unread};
use crate::db::DbError;

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
pub(super) async fn fold_conversations(
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
        let (time, wamid) = (message.timestamp, message.wa_message_id.as_str());
        let name = message.customer_name.as_deref().map(|name| (time, wamid, name));
        let username = message.customer_username.as_deref().map(|name| (time, wamid, name));
        fold.name = fold.name.max(name);
        fold.username = fold.username.max(username);
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
pub(super) async fn touch_conversations(transaction: &Transaction<'_>, ids: &[i64]) -> Result<(), DbError> {
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

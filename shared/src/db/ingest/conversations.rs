//! Makes, unites and locks the conversations that a batch belongs to.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use tokio_postgres::Transaction;
use tokio_postgres::types::Type;

use super::batch::ReadPositions;
use super::identity::{ConversationKey, Merger};
use super::insert::{Removed, remove_messages};
use crate::db::accounts::Number;
use crate::db::events::CONFLICT;
use crate::db::{DbError, customers};
use crate::domain::customer::{Customer, Identity};
use crate::domain::ingest::Quarantined;

/// Conversations that took in another one, or got a customer.
#[derive(Default)]
pub(super) struct United {
    /// They.
    pub(super) conversations: Vec<i64>,
    /// What they lost on the way.
    pub(super) removed: Removed,
    /// Whose they are, where they were not before.
    pub(super) customers: Vec<i64>,
    /// The (phone number id, wamid) of messages that took the place of another one.
    pub(super) rivals: Vec<(String, String)>,
}

/// Makes one conversation of those that are one customer's on one number, for customers that became one and for conversations that had
/// none.
pub(super) async fn unite(
    transaction: &Transaction<'_>,
    merger: &Merger,
    quarantined: &mut Vec<Quarantined>,
) -> Result<United, DbError> {
    // Nobody may add a message to a conversation that goes: a new message holds its conversation's key.
    const LOCK: &str = "
        select c.id, c.waba_id, c.phone_number_id, c.customer_id
        from chat_conversations c
        where c.id in (
          select c.id from chat_conversations c where c.customer_id = any($1)
          union
          select unnest($2)
          union
          select c.id from unnest($2, $3) as k(id, customer_id)
          join chat_conversations o on o.id = k.id
          join chat_conversations c
            on c.waba_id = o.waba_id and c.phone_number_id = o.phone_number_id and c.customer_id = k.customer_id
        )
        order by c.id
        for update of c";
    if merger.customers.is_empty() && merger.orphans.is_empty() {
        return Ok(United::default());
    }
    let stays: HashMap<i64, i64> = merger.customers.iter().copied().collect();
    let adopted: HashMap<i64, i64> = merger.orphans.iter().copied().collect();
    let involved: Vec<i64> = merger
        .customers
        .iter()
        .flat_map(|(goes, stays)| [*goes, *stays])
        .collect();
    let (orphans, adopters): (Vec<i64>, Vec<i64>) = merger.orphans.iter().copied().unzip();
    let rows = transaction
        .query_typed(
            LOCK,
            &[
                (&involved, Type::INT8_ARRAY),
                (&orphans, Type::INT8_ARRAY),
                (&adopters, Type::INT8_ARRAY),
            ],
        )
        .await?;
    let mut groups: BTreeMap<(Option<String>, Option<String>, i64), Vec<i64>> = BTreeMap::new();
    let mut former: Vec<(i64, &str, i64)> = Vec::new();
    for row in &rows {
        let (id, before): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(3)?);
        let customer = adopted.get(&id).copied().or(before).unwrap_or_default();
        let customer = stays.get(&customer).copied().unwrap_or(customer);
        let key = (row.try_get(1)?, row.try_get(2)?, customer);
        groups.entry(key).or_default().push(id);
        if let (true, Some(before), Some(number)) = (adopted.contains_key(&id), before, row.try_get(2)?) {
            former.push((before, number, customer));
        }
    }
    customers::give_events(transaction, &former).await?;
    customers::unite(transaction, &merger.customers).await?;
    // (conversation, the one that stays, its customer); rows come in the order of their ids, so the oldest stays.
    let moves: Vec<(i64, i64, i64)> = groups
        .iter()
        .flat_map(|((_, _, customer), ids)| ids.iter().map(|id| (*id, ids[0], *customer)))
        .collect();
    let (removed, rivals) = move_messages(transaction, &moves, quarantined).await?;
    merge_rows(transaction, &moves).await?;
    Ok(United {
        conversations: groups.values().map(|ids| ids[0]).collect(),
        removed,
        customers: groups.keys().map(|(_, _, customer)| *customer).collect(),
        rivals,
    })
}

/// Moves the messages of conversations that go. Of two with one wamid the one with the better claim stands, as if both had come for the
/// conversation that stays.
async fn move_messages(
    transaction: &Transaction<'_>,
    moves: &[(i64, i64, i64)],
    quarantined: &mut Vec<Quarantined>,
) -> Result<(Removed, Vec<(String, String)>), DbError> {
    const RIVALS: &str = r#"
        select k.stays, m.id, m.wa_message_id, s.precedence, m."timestamp", s.digest, s.body, c.phone_number_id
        from unnest($1, $2) as k(id, stays)
        join chat_conversations c on c.id = k.id
        join chat_messages m on m.conversation_id = k.id
        left join chat_message_sources s on s.message_id = m.id
        where m.wa_message_id is not null
          and exists (select 1 from unnest($1, $2) as o(id, stays)
                      join chat_messages other on other.conversation_id = o.id and other.wa_message_id = m.wa_message_id
                      where o.stays = k.stays and other.id <> m.id)
        order by k.stays, m.wa_message_id, (s.digest is not null), s.precedence, m."timestamp", s.digest, m.id"#;
    const FORGET: &str = "
        update chat_messages
        set wa_message_id = null,
            metadata = case when jsonb_typeof(metadata) = 'object' then metadata else '{}'::jsonb end
                       || jsonb_build_object('wa_message_id', wa_message_id)
        where id = any($1)";
    const MOVE: &str = "
        with sends as (
          update chat_sends s set conversation_id = k.stays
          from unnest($1, $2) as k(id, stays) where s.conversation_id = k.id and k.id <> k.stays
        )
        update chat_messages m set conversation_id = k.stays
        from unnest($1, $2) as k(id, stays) where m.conversation_id = k.id and k.id <> k.stays";
    let ids: Vec<i64> = moves.iter().map(|(id, _, _)| *id).collect();
    let stays: Vec<i64> = moves.iter().map(|(_, stays, _)| *stays).collect();
    if ids == stays {
        return Ok((Removed::default(), Vec::new()));
    }
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&ids, Type::INT8_ARRAY), (&stays, Type::INT8_ARRAY)];
    let (mut deleted, mut nameless, mut rivals) = (Vec::new(), Vec::new(), Vec::new());
    let mut standing: Option<(i64, String)> = None;
    for row in transaction.query_typed(RIVALS, &parameters).await? {
        let key: (i64, String) = (row.try_get(0)?, row.try_get(2)?);
        if standing.as_ref() != Some(&key) {
            rivals.push((row.try_get(7)?, key.1.clone()));
            standing = Some(key);
            continue;
        }
        let (digest, body): (Option<&[u8]>, Option<Vec<u8>>) = (row.try_get(5)?, row.try_get(6)?);
        // What we sent ourselves has no source, and is never taken away.
        let Some(digest) = digest else {
            nameless.push(row.try_get::<_, i64>(1)?);
            continue;
        };
        deleted.push(row.try_get::<_, i64>(1)?);
        let digest = digest.try_into().unwrap_or_default();
        quarantined.push(Quarantined::displaced(digest, CONFLICT, body.unwrap_or_default()));
    }
    if !nameless.is_empty() {
        transaction
            .execute_typed(FORGET, &[(&nameless, Type::INT8_ARRAY)])
            .await?;
    }
    let mut removed = Removed::default();
    for (conversation, unread) in remove_messages(transaction, &deleted).await? {
        let at = ids.iter().position(|id| *id == conversation).unwrap_or_default();
        *removed.entry(stays[at]).or_default() += unread;
    }
    transaction.execute_typed(MOVE, &parameters).await?;
    Ok((removed, rivals))
}

/// Gives the conversations that stay what the others knew, and takes those away.
async fn merge_rows(transaction: &Transaction<'_>, moves: &[(i64, i64, i64)]) -> Result<(), DbError> {
    const STATEMENTS: [&str; 5] = [
        // Two conversations of one customer on one number stand side by side only until the end of this.
        "update chat_conversations c set customer_id = null from unnest($1, $2, $3) as k(id, stays, customer_id)
         where c.id = k.id and k.id <> k.stays",
        r#"update chat_conversations c
           set customer_id = g.customer_id, status = g.status, created_at = g.created_at, unread_count = g.unread_count,
               last_inbound_at = g.last_inbound_at,
               customer_name_by_agent = g.by_agent, customer_name = coalesce(g.agents_name, c.customer_name),
               profile_name = g.profile_name, customer_name_time = g.name_time, customer_name_wamid = g.name_wamid,
               customer_username = g.username, customer_username_time = g.username_time, customer_username_wamid = g.username_wamid,
               read_time = g.read_time, read_wamid = g.read_wamid
           from (
             select k.stays, k.customer_id,
                    case when bool_or(coalesce(o.status, 'active') <> 'archived') then 'active' else 'archived' end as status,
                    min(o.created_at) as created_at, sum(coalesce(o.unread_count, 0)) as unread_count,
                    max(o.last_inbound_at) as last_inbound_at, bool_or(o.customer_name_by_agent) as by_agent,
                    (array_agg(o.customer_name order by o.id) filter (where o.customer_name_by_agent))[1] as agents_name,
                    (array_agg(o.profile_name order by n))[1] as profile_name,
                    (array_agg(o.customer_name_time order by n))[1] as name_time,
                    (array_agg(o.customer_name_wamid order by n))[1] as name_wamid,
                    (array_agg(o.customer_username order by u))[1] as username,
                    (array_agg(o.customer_username_time order by u))[1] as username_time,
                    (array_agg(o.customer_username_wamid order by u))[1] as username_wamid,
                    (array_agg(o.read_time order by r))[1] as read_time,
                    (array_agg(o.read_wamid order by r))[1] as read_wamid
             from unnest($1, $2, $3) as k(id, stays, customer_id)
             join (select c.*,
                          row_number() over (order by (c.profile_name is null), c.customer_name_time desc nulls last,
                                             c.customer_name_wamid collate "C" desc nulls last, c.profile_name collate "C" desc) as n,
                          row_number() over (order by c.customer_username_time desc nulls last,
                                             c.customer_username_wamid collate "C" desc nulls last, c.customer_username collate "C" desc) as u,
                          row_number() over (order by c.read_time desc nulls last, c.read_wamid collate "C" desc nulls last) as r
                   from chat_conversations c where c.id = any($1)) o on o.id = k.id
             group by k.stays, k.customer_id
           ) g
           where c.id = g.stays"#,
        "insert into chat_conversation_signals as s
           (conversation_id, pair_slot_at, typing_sent_at, receipt_wamid, receipt_next_try_at, receipt_sent_wamid)
         select k.stays, max(o.pair_slot_at), max(o.typing_sent_at), (array_agg(o.receipt_wamid order by o.receipt_next_try_at desc nulls last))[1],
                max(o.receipt_next_try_at), (array_agg(o.receipt_sent_wamid order by o.conversation_id = k.stays desc))[1]
         from unnest($1, $2, $3) as k(id, stays, customer_id)
         join chat_conversation_signals o on o.conversation_id = k.id
         group by k.stays
         having bool_or(k.id <> k.stays)
         on conflict (conversation_id) do update
         set pair_slot_at = excluded.pair_slot_at, typing_sent_at = excluded.typing_sent_at, receipt_wamid = excluded.receipt_wamid,
             receipt_next_try_at = excluded.receipt_next_try_at, receipt_sent_wamid = excluded.receipt_sent_wamid",
        "insert into chat_push_owed as o (subscription_id, conversation_id, owed_since, next_try_at)
         select o.subscription_id, k.stays, min(o.owed_since), min(o.next_try_at)
         from unnest($1, $2, $3) as k(id, stays, customer_id)
         join chat_push_owed o on o.conversation_id = k.id
         where k.id <> k.stays
         group by o.subscription_id, k.stays
         order by o.subscription_id, k.stays
         on conflict (subscription_id, conversation_id) do update
         set owed_since = least(o.owed_since, excluded.owed_since), next_try_at = least(o.next_try_at, excluded.next_try_at), again = true",
        "delete from chat_conversations c using unnest($1, $2, $3) as k(id, stays, customer_id)
         where c.id = k.id and k.id <> k.stays",
    ];
    let ids: Vec<i64> = moves.iter().map(|(id, _, _)| *id).collect();
    let stays: Vec<i64> = moves.iter().map(|(_, stays, _)| *stays).collect();
    let customers: Vec<i64> = moves.iter().map(|(_, _, customer)| *customer).collect();
    for statement in STATEMENTS {
        transaction
            .execute_typed(
                statement,
                &[
                    (&ids, Type::INT8_ARRAY),
                    (&stays, Type::INT8_ARRAY),
                    (&customers, Type::INT8_ARRAY),
                ],
            )
            .await?;
    }
    Ok(())
}

/// Makes the conversations that these customers do not have on these numbers. Returns them.
pub(super) async fn insert_missing(
    transaction: &Transaction<'_>,
    missing: &[(&Number, i64, &Identity)],
) -> Result<Vec<(ConversationKey, i64)>, DbError> {
    // A row that names the customer already is one that no portfolio could be told of: its account is not registered any more.
    const INSERT: &str = "
        insert into chat_conversations (user_id, waba_id, phone_number_id, customer_phone, customer_user_id, customer_id, unread_count, status)
        select k.owner, k.waba_id, k.number, k.key, k.user_id, k.customer, 0, 'active'
        from unnest($1, $2, $3, $4, $5, $6) as k(owner, waba_id, number, key, user_id, customer)
        order by k.waba_id, k.number, k.key
        on conflict (waba_id, phone_number_id, customer_phone) do update set customer_id = excluded.customer_id
        returning waba_id, phone_number_id, customer_id, id";
    let mut rows: HashMap<(&str, &str, i64), (&Number, &Customer)> = HashMap::new();
    for (number, customer, identity) in missing {
        let key = (number.waba_id.as_str(), number.phone_number_id.as_str(), *customer);
        rows.entry(key).or_insert((number, &identity.customer));
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, &Number, &Customer)> = rows
        .into_iter()
        .map(|((_, _, id), (number, customer))| (id, number, customer))
        .collect();
    macro_rules! column {
        (|$row:pat_param| $value:expr) => {
            &rows.iter().map(|$row| $value).collect::<Vec<_>>()
        };
    }
    let inserted = transaction
        .query_typed(
            INSERT,
            &[
                (column!(|(_, number, _)| number.user_id), Type::UUID_ARRAY),
                (column!(|(_, number, _)| number.waba_id.as_str()), Type::TEXT_ARRAY),
                (
                    column!(|(_, number, _)| number.phone_number_id.as_str()),
                    Type::TEXT_ARRAY,
                ),
                (column!(|(_, _, customer)| customer.key()), Type::TEXT_ARRAY),
                (
                    column!(|(_, _, customer)| customer.user_id.as_deref()),
                    Type::TEXT_ARRAY,
                ),
                (column!(|(customer, _, _)| *customer), Type::INT8_ARRAY),
            ],
        )
        .await?;
    inserted
        .iter()
        .map(|row| Ok(((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?), row.try_get(3)?)))
        .collect()
}

/// Locks every conversation that the batch touches, in id order: consumers that share conversations wait in line, never in a circle.
/// These are the conversations of its customers on every number, since what they are called may change, and those of the messages
/// that its events are about. Returns how far each was read.
pub(super) async fn lock(
    transaction: &Transaction<'_>,
    customers: &[i64],
    targets: &[(&str, &str)],
    message_ids: &[(&str, &str)],
) -> Result<ReadPositions, DbError> {
    const LOCK: &str = "
        select c.id, c.read_time, c.read_wamid
        from chat_conversations c
        where c.id in (
          select c.id from chat_conversations c where c.customer_id = any($1)
          union
          select c.id from unnest($2, $3) as e(number, wamid)
          join chat_messages m on m.wa_message_id = e.wamid
          join chat_conversations c on c.id = m.conversation_id and c.phone_number_id = e.number
          union
          select c.id from unnest($4, $5) as e(number, message_id)
          join chat_messages m on m.message_id = e.message_id
          join chat_conversations c on c.id = m.conversation_id and c.phone_number_id = e.number
          union
          select s.conversation_id from unnest($5) as e(message_id)
          join chat_sends s on s.reaction_key = e.message_id
        )
        order by c.id
        for no key update of c";
    let (numbers, wamids): (Vec<&str>, Vec<&str>) = targets.iter().copied().unzip();
    let (id_numbers, ids): (Vec<&str>, Vec<&str>) = message_ids.iter().copied().unzip();
    let rows = transaction
        .query_typed(
            LOCK,
            &[
                (&customers, Type::INT8_ARRAY),
                (&numbers, Type::TEXT_ARRAY),
                (&wamids, Type::TEXT_ARRAY),
                (&id_numbers, Type::TEXT_ARRAY),
                (&ids, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let (time, wamid): (Option<Timestamp>, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
            Ok((row.try_get(0)?, time.map(|time| (time, wamid.unwrap_or_default()))))
        })
        .collect()
}

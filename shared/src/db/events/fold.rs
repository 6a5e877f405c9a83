//! What messages show of their events.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use crate::db::DbError;

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
          -- A message that gave its place to another item may leave its events without one. What a status says of a reaction of ours has
          -- its place there.
          update chat_message_events e set parked = not named.is_placed
          from (select e.id, e.id in (select id from event)
                         or e.kind = 'status' and exists (
                              select 1 from chat_message_events reaction
                              where reaction.phone_number_id = e.phone_number_id and reaction.kind = 'reaction'
                                and reaction.event_wamid = e.wa_message_id) as is_placed
                from (select distinct * from unnest($1, $2) as k(phone_number_id, wa_message_id)) k
                join chat_message_events e on e.phone_number_id = k.phone_number_id and e.wa_message_id = k.wa_message_id) named
          where e.id = named.id and e.parked = named.is_placed
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
                  -- What WhatsApp took of ours and could not deliver, nobody sees.
                  and (event.sender <> 'user' or not exists (
                    select 1 from chat_message_events failed
                    where failed.phone_number_id = event.phone_number_id and failed.wa_message_id = event.event_wamid
                      and failed.kind = 'status' and failed.status = 'failed'))
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
          -- The file of a revoked message is owed another look: whoever fetches files takes it away. An agent's upload may be another
          -- message's too, and stays.
          update chat_media f set state = 'pending', next_try_at = now(), attempts = 0
          from next n join chat_messages m on m.id = n.id
          where f.message_id = n.id and f.upload_id is null and (n.deleted_at is null) <> (m.deleted_at is null)
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

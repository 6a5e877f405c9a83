//! `chat_message_texts`: finds messages by what they say, newest first or, from a cursor up, oldest first. The newest texts are compared one
//! by one, since what is in many of them soon fills a page. Then the index of grams is asked, month by month in growing portions. Where
//! there are no grams, from a month on in which the index finds too much, and within a conversation, the comparison goes on instead.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::DbError;
use super::messages::{self, SORT_KEY};
use super::scan::{Scan, position};
use crate::domain::message::Message;
use crate::domain::page::{Page, Position, Section, Seek};
use crate::domain::search::{like_pattern, message_grams, snippet};

/// How many texts are compared at first, how many times as many in each portion that follows, and how many in one search: then it ends
/// with what it has and a cursor to go on from.
const COMPARED: i64 = 2_000;
const GROWTH: i64 = 8;
const MOST_COMPARED: i64 = 200_000;
/// How many texts the index may find in one search. They come in no order, so that a month with more of them is compared one by one.
const MOST_FOUND: i64 = 20_000;

/// Where to search.
#[derive(Debug, Clone)]
pub enum Scope {
    /// One conversation.
    Conversation(i64),
    /// All of the agent's, or those of one business phone number.
    Everywhere(Option<String>),
}

/// The form of a query in which the database compares it.
///
/// # Errors
/// When the database does not answer.
pub async fn fold(client: &impl GenericClient, query: &str) -> Result<String, DbError> {
    let row = client
        .query_typed_one("select chat_fold($1)", &[(&query, Type::TEXT)])
        .await?;
    Ok(row.try_get(0)?)
}

/// A page of the agent's messages that have the query in their content or caption, each with its snippet. Shorter than it might be, with a
/// cursor to go on from, where too much was compared.
///
/// # Errors
/// When the database does not answer.
pub async fn find_messages(
    client: &impl GenericClient,
    user_id: Uuid,
    scope: &Scope,
    query: &str,
    seek: Seek,
    limit: i64,
) -> Result<Page<Message>, DbError> {
    let folded = fold(client, query).await?;
    let search = Search {
        client,
        user_id,
        scope,
        pattern: like_pattern(&folded),
        scan: Scan::new(seek, limit),
    };
    let grams = match scope {
        Scope::Conversation(_) => Vec::new(),
        Scope::Everywhere(_) => message_grams(&folded),
    };
    let (mut found, mut reached) = search.compare(seek.position(), COMPARED, search.scan.limit).await?;
    if !search.is_full(&found) && reached.is_some() && !grams.is_empty() {
        reached = search.look_up(&grams, reached, &mut found).await?;
    }
    let (mut portion, mut compared) = (COMPARED, COMPARED);
    while let Some(position) = reached.filter(|_| !search.is_full(&found) && compared < MOST_COMPARED) {
        portion = (portion * GROWTH).min(MOST_COMPARED - compared);
        compared += portion;
        let missing = search.scan.limit - i64::try_from(found.len()).unwrap_or_default();
        let (more, next) = search.compare(Some(position), portion, missing).await?;
        found.extend(more);
        reached = next;
    }
    let end = reached.filter(|_| !search.is_full(&found));
    let positions = found.into_iter().map(|position| (position, position)).collect();
    let page = match end {
        Some(reached) => Page::searched_to(positions, seek, reached),
        None => Page::new(positions, seek, limit),
    };
    let ids: Vec<i64> = page.rows.iter().map(|position| position.id).collect();
    let messages = messages::find_all(client, user_id, &ids).await?;
    let mut messages: HashMap<i64, Message> = messages.into_iter().map(|message| (message.id, message)).collect();
    Ok(page.map(|position| {
        // What was deleted meanwhile is not found.
        let mut message = messages
            .remove(&position.id)
            .filter(|message| message.deleted_at.is_none())?;
        let texts = [message.content.as_deref(), message.media_caption.as_deref()];
        message.snippet = Some(snippet(&texts, query));
        Some(message)
    }))
}

/// A month of an account's texts.
struct Month {
    waba_id: String,
    period: String,
    /// From where on its texts are read.
    begin: Position,
}

struct Search<'a, C> {
    client: &'a C,
    user_id: Uuid,
    scope: &'a Scope,
    pattern: String,
    scan: Scan,
}

impl<C: GenericClient> Search<'_, C> {
    fn is_full(&self, found: &[Position]) -> bool {
        i64::try_from(found.len()).unwrap_or_default() >= self.scan.limit
    }

    /// Compares a portion of texts from `begin` on. Returns at most `limit` hits, and where the comparison may go on; `None` at the end.
    async fn compare(
        &self,
        begin: Option<Position>,
        portion: i64,
        limit: i64,
    ) -> Result<(Vec<Position>, Option<Position>), DbError> {
        let (comparison, order) = (self.scan.comparison, self.scan.order);
        let texts = match self.scope {
            Scope::Conversation(_) => format!(
                "select m.id, {SORT_KEY} as time, t.body, t.phone_number_id
                   from chat_messages m
                   cross join lateral (select t.body, t.phone_number_id from chat_message_texts t where t.message_id = m.id offset 0) t
                   where m.conversation_id = $2
                     and exists (select 1 from chat_conversations c join waba_accounts a on a.waba_id = c.waba_id
                                 where c.id = $2 and a.user_id = $1)
                     and ($4::timestamptz is null
                          or ({SORT_KEY}, m.id) {comparison} ($4, $5))
                   order by {SORT_KEY} {order}, m.id {order}
                   limit $6"
            ),
            Scope::Everywhere(_) => format!(
                "select t.id, t.time, t.body, t.phone_number_id
                 from waba_accounts a
                 cross join lateral (
                   select t.message_id as id, t.time, t.body, t.phone_number_id from chat_message_texts t
                   where t.waba_id = a.waba_id and ($4::timestamptz is null or (t.time, t.message_id) {comparison} ($4, $5))
                   order by t.time {order}, t.message_id {order}
                   limit $6
                 ) t
                 where a.user_id = $1
                 order by t.time {order}, t.id {order}
                 limit $6"
            ),
        };
        let sql = format!(
            "with compared as materialized ({texts})
             (select time, id, true from compared t where t.body like $7 and ($3::text is null or t.phone_number_id = $3)
              order by time {order}, id {order} limit $8)
             union all
             (select time, id, false from compared offset $6 - 1 limit 1)"
        );
        let (conversation_id, phone_number_id) = self.place();
        let rows = self
            .client
            .query_typed(
                &sql,
                &[
                    (&self.user_id, Type::UUID),
                    (&conversation_id, Type::INT8),
                    (&phone_number_id, Type::TEXT),
                    (&begin.map(Position::time), Type::TIMESTAMPTZ),
                    (&begin.map(|position| position.id), Type::INT8),
                    (&portion, Type::INT8),
                    (&self.pattern, Type::TEXT),
                    (&limit, Type::INT8),
                ],
            )
            .await?;
        let (mut found, mut reached) = (Vec::new(), None);
        for row in &rows {
            let at = position(row, 0, 1)?;
            if row.try_get(2)? {
                found.push(at);
            } else {
                reached = Some(at);
            }
        }
        Ok((found, reached))
    }

    /// Asks the index for what is beyond `begin`, from the newest month on or, up from a cursor, from the oldest, until the page is full.
    /// Returns from where on the index finds too much; `None` where it was asked for all.
    async fn look_up(
        &self,
        grams: &[String],
        begin: Option<Position>,
        found: &mut Vec<Position>,
    ) -> Result<Option<Position>, DbError> {
        let (comparison, order) = (self.scan.comparison, self.scan.order);
        let sql = format!(
            "with found as materialized (
               select t.*
               from unnest($2::text[], $4::text[]) s(waba_id, period)
               join waba_accounts a on a.waba_id = s.waba_id and a.user_id = $1
               -- By the index of grams alone: the planner does not know how few rows it finds, and must not choose another.
               cross join lateral (
                 select t.time, t.message_id as id,
                        t.waba_id || t.period = s.waba_id || s.period and t.body like $6
                        and ($3::text is null or t.phone_number_id = $3)
                        and ($7::timestamptz is null or (t.time, t.message_id) {comparison} ($7, $8)) as is_hit
                 from chat_message_texts t
                 where chat_grams(t.waba_id || t.period, t.body, 3) @> chat_gram_keys(s.waba_id || s.period, $5)
                 offset 0
               ) t
               limit $10
             )
             (select time, id, null::int8 from found where is_hit order by time {order}, id {order} limit $9)
             union all
             (select null, null, count(*) from found)"
        );
        let (_, phone_number_id) = self.place();
        let months = self.months(begin).await?;
        let (mut months, mut portion, mut growth, mut allowed) = (months.as_slice(), 1, 4, MOST_FOUND);
        while !months.is_empty() && !self.is_full(found) {
            // A month of all accounts stays together, or its hits would not be in order.
            let mut end = portion.min(months.len());
            while end < months.len() && months[end].period == months[end - 1].period {
                end += 1;
            }
            let (now, later) = months.split_at(end);
            let accounts: Vec<&str> = now.iter().map(|month| month.waba_id.as_str()).collect();
            let periods: Vec<&str> = now.iter().map(|month| month.period.as_str()).collect();
            let missing = self.scan.limit - i64::try_from(found.len()).unwrap_or_default();
            let parameters: [(&(dyn ToSql + Sync), Type); 10] = [
                (&self.user_id, Type::UUID),
                (&accounts, Type::TEXT_ARRAY),
                (&phone_number_id, Type::TEXT),
                (&periods, Type::TEXT_ARRAY),
                (&grams, Type::TEXT_ARRAY),
                (&self.pattern, Type::TEXT),
                (&begin.map(Position::time), Type::TIMESTAMPTZ),
                (&begin.map(|position| position.id), Type::INT8),
                (&missing, Type::INT8),
                (&(allowed + 1), Type::INT8),
            ];
            let mut rows = self.client.query_typed(&sql, &parameters).await?;
            let count: i64 = rows.pop().map_or(Ok(0), |row| row.try_get(2))?;
            if count > allowed && now[0].period == now[end - 1].period {
                return Ok(Some(now[0].begin));
            }
            if count > allowed {
                // Perhaps not the first of these months.
                (portion, growth) = (1, 1);
                continue;
            }
            for row in rows {
                found.push(position(&row, 0, 1)?);
            }
            allowed -= count;
            (months, portion) = (later, portion * growth);
        }
        Ok(None)
    }

    /// The months from which the agent has texts beyond `begin`, in the order in which they are read.
    async fn months(&self, begin: Option<Position>) -> Result<Vec<Month>, DbError> {
        // One index probe each.
        const MONTHS: &str = "
            with recursive month as (
              select a.waba_id::text as waba_id,
                     (select max(t.time) from chat_message_texts t
                      where t.waba_id = a.waba_id and t.time <= coalesce($2, timestamptz 'infinity')) as time
              from waba_accounts a
              where a.user_id = $1
              union all
              select m.waba_id,
                     (select max(t.time) from chat_message_texts t
                      where t.waba_id = m.waba_id and t.time < date_trunc('month', m.time at time zone 'UTC') at time zone 'UTC')
              from month m
              where m.time >= coalesce($3, timestamptz '-infinity')
            )
            select waba_id, to_char(month, 'YYYYMM'), month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC'
            from (select waba_id, date_trunc('month', time at time zone 'UTC') as month from month where time is not null) m
            order by month desc, waba_id";
        let is_down = self.scan.order == "desc";
        let time = begin.map(Position::time);
        let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
            (&self.user_id, Type::UUID),
            (&time.filter(|_| is_down), Type::TIMESTAMPTZ),
            (&time.filter(|_| !is_down), Type::TIMESTAMPTZ),
        ];
        let rows = self.client.query_typed(MONTHS, &parameters).await?;
        let months = rows.iter().map(|row| {
            let border: Timestamp = row.try_get(if is_down { 3 } else { 2 })?;
            let border = Position {
                section: Section::Only,
                micros: border.as_microsecond(),
                id: i64::MIN,
            };
            let is_within = |begin: &Position| (begin.micros < border.micros) == is_down;
            Ok(Month {
                waba_id: row.try_get(0)?,
                period: row.try_get(1)?,
                begin: begin.filter(is_within).unwrap_or(border),
            })
        });
        let mut months = months.collect::<Result<Vec<_>, DbError>>()?;
        if !is_down {
            months.reverse();
        }
        Ok(months)
    }

    fn place(&self) -> (Option<i64>, Option<&str>) {
        match self.scope {
            Scope::Conversation(id) => (Some(*id), None),
            Scope::Everywhere(phone_number_id) => (None, phone_number_id.as_deref()),
        }
    }
}

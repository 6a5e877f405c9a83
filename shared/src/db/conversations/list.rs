//! Pages of an agent's conversations. Each filter and order has its index, so that a page is a scan of its own rows, whatever else there is.

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{COLUMNS, from_row};
use crate::db::scan::{Scan, position};
use crate::db::{DbError, search};
use crate::domain::conversation::{Conversation, Narrowing, Sort};
use crate::domain::page::{Page, Position, Section, Seek};
use crate::domain::search::NameQuery;
use crate::domain::window;

/// The order of what is newest first; of the indexes `chat_conversations_*_idx`.
const SORT_KEY: &str = "coalesce(c.last_message_time, c.created_at, timestamptz 'epoch')";
/// How many rows are compared with a query one by one before the index of names is asked: what is in many names soon fills a page.
const COMPARED: i64 = 1_000;

/// What a list is narrowed to, and its order.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// One business phone number; all of the agent's where it is missing.
    pub phone_number_id: Option<String>,
    /// `active` or `archived`.
    pub status: Option<String>,
    /// Those that need something.
    pub narrowing: Option<Narrowing>,
    /// What name, username or phone number have in them.
    pub q: Option<String>,
    /// The order.
    pub sort: Sort,
    /// The present time, by which windows close.
    pub now: Timestamp,
}

/// A page of the agent's conversations.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    client: &Client,
    user_id: Uuid,
    filter: &Filter,
    seek: Seek,
    limit: i64,
) -> Result<Page<Conversation>, DbError> {
    let query = match &filter.q {
        None => None,
        Some(q) => Some(NameQuery::new(&search::fold(client, q).await?)),
    };
    let list = List {
        client,
        user_id,
        filter,
        query,
    };
    let mut rows = Vec::new();
    for (section, begin) in sections(filter.sort, seek) {
        let missing = limit - i64::try_from(rows.len()).unwrap_or_default();
        if missing >= 0 {
            let scan = Scan::of_section(section, seek, begin, missing);
            rows.extend(list.read(section, &scan).await?);
        }
    }
    Ok(Page::new(rows, seek, limit))
}

/// The sections that a page may reach into, in the order in which it reads them, and where it begins in each.
fn sections(sort: Sort, seek: Seek) -> Vec<(Section, Option<Position>)> {
    let begin = seek.position();
    if sort == Sort::Recent {
        return vec![(Section::Only, begin)];
    }
    match (seek, begin.map(|position| position.section)) {
        (Seek::After(_), Some(Section::Waiting)) => vec![(Section::Waiting, begin)],
        (Seek::After(_), _) => vec![(Section::Answered, begin), (Section::Waiting, None)],
        (_, Some(Section::Answered)) => vec![(Section::Answered, begin)],
        _ => vec![(Section::Waiting, begin), (Section::Answered, None)],
    }
}

/// A list that is being read.
struct List<'a> {
    client: &'a Client,
    user_id: Uuid,
    filter: &'a Filter,
    query: Option<NameQuery>,
}

impl List<'_> {
    /// The rows of a section.
    async fn read(&self, section: Section, scan: &Scan) -> Result<Vec<(Conversation, Position)>, DbError> {
        let Some(query) = &self.query else {
            return self.load(section, scan, &self.scanned(section, scan, "$6"), None).await;
        };
        let (scanned, order) = (self.scanned(section, scan, &COMPARED.to_string()), scan.order);
        let compared = format!(
            "select s.id, s.sort_key from ({scanned}) s
             -- One probe a row: `offset 0` keeps the planner from comparing all texts there are.
             cross join lateral (select t.body from chat_conversation_texts t where t.conversation_id = s.id offset 0) t
             where t.body like $7 or t.body like $9
             order by s.sort_key {order}, s.id {order}
             limit $6"
        );
        let rows = self.load(section, scan, &compared, Some(query)).await?;
        if i64::try_from(rows.len()).unwrap_or_default() == scan.limit {
            return Ok(rows);
        }
        let (key, conditions) = (key(section), self.conditions(section, scan));
        // What the index finds is few, or the comparison would have filled the page.
        let indexed = format!(
            "with found as materialized (
               select t.conversation_id as id
               from waba_accounts a
               join chat_conversation_texts t
                 on t.waba_id = a.waba_id
                and (chat_grams(t.waba_id, t.body, 1) @> chat_gram_keys(a.waba_id, $8) and t.body like $7
                     or chat_grams(t.waba_id, t.body, 1) @> chat_gram_keys(a.waba_id, $10) and t.body like $9)
               where a.user_id = $1)
             select c.id, {key} as sort_key
             from found
             join chat_conversations c on c.id = found.id
             where exists (select 1 from phone_numbers p
                           where p.waba_id = c.waba_id and p.phone_number_id = c.phone_number_id and ($2::text is null or p.phone_number_id = $2))
               and {conditions}
             order by 2 {order}, 1 {order}
             limit $6"
        );
        self.load(section, scan, &indexed, Some(query)).await
    }

    /// The ids and sort keys of the section's rows, one index scan a number, merged: the cost does not grow with the number of conversations.
    fn scanned(&self, section: Section, scan: &Scan, limit: &str) -> String {
        let (key, order, conditions) = (key(section), scan.order, self.conditions(section, scan));
        format!(
            "select c.id, c.sort_key
             from waba_accounts a
             join (select distinct waba_id, phone_number_id from phone_numbers) p on p.waba_id = a.waba_id
             cross join lateral (
               select c.id, {key} as sort_key from chat_conversations c
               where c.waba_id = a.waba_id and c.phone_number_id = p.phone_number_id and {conditions}
               order by {key} {order}, c.id {order}
               limit {limit}
             ) c
             where a.user_id = $1 and ($2::text is null or p.phone_number_id = $2)
             order by c.sort_key {order}, c.id {order}
             limit {limit}"
        )
    }

    /// Literal where an index is partial to it.
    fn conditions(&self, section: Section, scan: &Scan) -> String {
        let (key, comparison) = (key(section), scan.comparison);
        let mut conditions = vec![match section {
            Section::Only => "true",
            Section::Waiting => "c.waiting_since is not null",
            Section::Answered => "c.waiting_since is null",
        }];
        if self.filter.status.is_some() {
            conditions.push("coalesce(c.status, 'active') = $3");
        }
        conditions.extend(self.filter.narrowing.map(|narrowing| match narrowing {
            Narrowing::Unread => "c.unread_count > 0",
            Narrowing::Unanswered => "c.waiting_since is not null",
            Narrowing::WindowClosing => "c.last_inbound_at > $11 and c.last_inbound_at <= $12",
        }));
        let seek = format!("({key}, c.id) {comparison} ($4, $5)");
        if scan.time.is_some() {
            conditions.push(&seek);
        }
        conditions.join(" and ")
    }

    /// The rows whose ids and sort keys `found` selects.
    async fn load(
        &self,
        section: Section,
        scan: &Scan,
        found: &str,
        query: Option<&NameQuery>,
    ) -> Result<Vec<(Conversation, Position)>, DbError> {
        let order = scan.order;
        let sql = format!(
            "select {COLUMNS}, found.sort_key
             from ({found}) found
             join chat_conversations c on c.id = found.id
             left join chat_messages m on m.id = c.last_message_id
             order by found.sort_key {order}, c.id {order}"
        );
        let phone = query.and_then(|query| query.phone.as_ref());
        let rows = self
            .client
            .query_typed(
                &sql,
                &[
                    (&self.user_id, Type::UUID),
                    (&self.filter.phone_number_id, Type::TEXT),
                    (&self.filter.status, Type::TEXT),
                    (&scan.time, Type::TIMESTAMPTZ),
                    (&scan.id, Type::INT8),
                    (&scan.limit, Type::INT8),
                    (&query.map(|query| &query.pattern), Type::TEXT),
                    (&query.map(|query| &query.grams), Type::TEXT_ARRAY),
                    (&phone.map(|phone| &phone.0), Type::TEXT),
                    (&phone.map(|phone| &phone.1), Type::TEXT_ARRAY),
                    (&(self.filter.now - window::LENGTH), Type::TIMESTAMPTZ),
                    (&(self.filter.now - window::LENGTH + window::CLOSING), Type::TIMESTAMPTZ),
                ],
            )
            .await?;
        let in_section = |found: Position| Position { section, ..found };
        rows.iter()
            .map(|row| Ok((from_row(row)?, in_section(position(row, 20, 0)?))))
            .collect()
    }
}

/// By which a section is ordered.
fn key(section: Section) -> &'static str {
    match section {
        Section::Waiting => "c.waiting_since",
        Section::Only | Section::Answered => SORT_KEY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_by_waiting_reads_on_from_one_section_into_the_other() {
        let at = |section| Position {
            section,
            micros: 1,
            id: 1,
        };
        let names = |seek| -> Vec<Section> { sections(Sort::Waiting, seek).into_iter().map(|it| it.0).collect() };
        assert_eq!(names(Seek::Newest), [Section::Waiting, Section::Answered]);
        assert_eq!(
            names(Seek::Before(at(Section::Waiting))),
            [Section::Waiting, Section::Answered]
        );
        assert_eq!(names(Seek::Before(at(Section::Answered))), [Section::Answered]);
        assert_eq!(
            names(Seek::After(at(Section::Answered))),
            [Section::Answered, Section::Waiting]
        );
        assert_eq!(names(Seek::After(at(Section::Waiting))), [Section::Waiting]);
    }
}

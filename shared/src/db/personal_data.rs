//! What is kept of one customer, in whatever table: found, read whole, and erased. `TABLES` is the list that all three go by, and a test
//! holds it against the schema.

use futures_util::stream::{BoxStream, StreamExt};
use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Transaction};

use super::accounts::PORTFOLIO;
use super::{DbError, customers};
use crate::domain::customer::{Customer, CustomerId, phone_of};
use crate::whatsapp::unit;

/// The tables that hold something of a customer, and which of their rows `t` are one customer's: `$1` are conversations, `$2` customers, `$3`
/// events, `$4` rows of the quarantine, `$5` what facts are about.
pub const TABLES: [(&str, &str); 13] = [
    ("chat_customers", "t.id = any($2)"),
    ("chat_customer_ids", "t.customer_id = any($2)"),
    ("chat_facts", "t.subject = 'contact' and t.subject_id = any($5)"),
    ("chat_conversations", "t.id = any($1)"),
    ("chat_conversation_signals", "t.conversation_id = any($1)"),
    ("chat_messages", "t.conversation_id = any($1)"),
    (
        "chat_message_sources",
        "t.message_id in (select id from chat_messages where conversation_id = any($1))",
    ),
    (
        "chat_media",
        "t.message_id in (select id from chat_messages where conversation_id = any($1))",
    ),
    (
        "chat_uploads",
        "t.id in (select f.upload_id from chat_media f join chat_messages m on m.id = f.message_id where m.conversation_id = any($1))",
    ),
    ("chat_sends", "t.conversation_id = any($1)"),
    ("chat_push_owed", "t.conversation_id = any($1)"),
    ("chat_message_events", "t.id = any($3)"),
    ("chat_quarantine", "t.id = any($4)"),
];

/// Rows that say nothing beside those of [`TABLES`] and go with them.
pub const DERIVED: [&str; 3] = ["chat_message_texts", "chat_conversation_texts", "chat_upload_ids"];

/// How many rows are searched for a mention at once.
const SLICE: i64 = 20_000;

/// Whatever calls itself an id may be as short as a word, which would be found in everything (bytes).
const SHORTEST_NEEDLE: usize = 5;

/// All that is kept of a customer.
#[derive(Debug, Default)]
pub struct Person {
    /// Every id that they are known by.
    pub ids: Vec<CustomerId>,
    /// Their conversations.
    pub conversations: Vec<i64>,
    customers: Vec<i64>,
    events: Vec<i64>,
    quarantined: Vec<i64>,
    contacts: Vec<String>,
}

impl Person {
    /// Whether nothing is kept of them.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let lists = [&self.conversations, &self.customers, &self.events, &self.quarantined];
        lists.iter().all(|list| list.is_empty()) && self.contacts.is_empty()
    }

    fn parameters(&self) -> [(&(dyn ToSql + Sync), Type); 5] {
        [
            (&self.conversations, Type::INT8_ARRAY),
            (&self.customers, Type::INT8_ARRAY),
            (&self.events, Type::INT8_ARRAY),
            (&self.quarantined, Type::INT8_ARRAY),
            (&self.contacts, Type::TEXT_ARRAY),
        ]
    }
}

/// Finds what is kept of the customer with this id, under all the ids that they were seen with; of one account only where one is named.
/// Reads the quarantine and the statuses from one end to the other.
///
/// # Errors
/// When the database does not answer.
pub async fn find(client: &Client, given: &CustomerId, waba_id: Option<&str>) -> Result<Person, DbError> {
    const CONVERSATIONS: &str = "
        select c.id, c.customer_id, c.customer_phone::text, c.customer_user_id
        from chat_conversations c
        where (c.customer_id = any($1) or c.customer_phone = any($2) or c.customer_user_id = $3) and ($4::text is null or c.waba_id = $4)
        order by c.id";
    const IDS: &str = "select distinct kind, value from chat_customer_ids where customer_id = any($1)";
    const OF_OTHERS: &str = "
        select distinct customer_id from chat_conversations where customer_id = any($1) and waba_id is distinct from $2";
    let customers = format!(
        "select distinct i.customer_id from chat_customer_ids i
         where i.kind = $1 and i.value = $2
           and ($3::text is null
                or exists (select 1 from waba_accounts a where a.waba_id = $3 and {PORTFOLIO} = i.portfolio)
                or exists (select 1 from chat_conversations c where c.waba_id = $3 and c.customer_id = i.customer_id))"
    );
    let waba: (&(dyn ToSql + Sync), Type) = (&waba_id, Type::TEXT);
    let (kind, value) = (given.kind(), given.value());
    let rows = client
        .query_typed(&customers, &[(&kind, Type::TEXT), (&value, Type::TEXT), waba.clone()])
        .await?;
    let mut person = Person {
        ids: vec![given.clone()],
        customers: rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?,
        ..Person::default()
    };
    let (keys, user_id) = match given {
        // Rows older than this project may lack the +.
        CustomerId::Phone(phone) => (vec![phone.clone(), phone.trim_start_matches('+').to_owned()], None),
        CustomerId::UserId(user_id) => {
            let customer = Customer {
                phone: None,
                user_id: Some(user_id.clone()),
            };
            (vec![customer.key()], Some(user_id))
        }
    };
    let parameters: [(&(dyn ToSql + Sync), Type); 3] = [
        (&person.customers, Type::INT8_ARRAY),
        (&keys, Type::TEXT_ARRAY),
        (&user_id, Type::TEXT),
    ];
    let [customers, keys, user_id] = parameters;
    let rows = client
        .query_typed(CONVERSATIONS, &[customers, keys, user_id, waba.clone()])
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        person.conversations.push(row.try_get(0)?);
        found.extend(row.try_get::<_, Option<i64>>(1)?);
        let (phone, user_id): (String, Option<&str>) = (row.try_get(2)?, row.try_get(3)?);
        person.ids.extend(phone_of(&phone).map(CustomerId::Phone));
        person.ids.extend(user_id.map(|id| CustomerId::UserId(id.to_owned())));
    }
    person.customers.extend(found);
    person.customers.sort_unstable();
    person.customers.dedup();
    for row in client
        .query_typed(IDS, &[(&person.customers, Type::INT8_ARRAY)])
        .await?
    {
        let value: String = row.try_get(1)?;
        person.ids.push(match row.try_get::<_, &str>(0)? {
            "phone" => CustomerId::Phone(value),
            _ => CustomerId::UserId(value),
        });
    }
    person.ids.sort_unstable();
    person.ids.dedup();
    let numbers = find_numbers(client, waba_id).await?;
    person.contacts = find_contacts(client, &person.ids, numbers.as_deref()).await?;
    person.events = list_events(client, &person.conversations, &person.customers, numbers.as_deref()).await?;
    let scope = (waba_id, numbers.as_deref());
    person
        .events
        .extend(find_mentions(client, STATUSES, &person.ids, scope).await?);
    person.events.sort_unstable();
    person.events.dedup();
    person.quarantined = find_mentions(client, QUARANTINED, &person.ids, scope).await?;
    if waba_id.is_some() {
        let customers: (&(dyn ToSql + Sync), Type) = (&person.customers, Type::INT8_ARRAY);
        let rows = client.query_typed(OF_OTHERS, &[customers, waba]).await?;
        let shared: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        person.customers.retain(|customer| !shared.contains(customer));
    }
    Ok(person)
}

/// The numbers that the account has or had; `None` for all accounts.
async fn find_numbers(client: &Client, waba_id: Option<&str>) -> Result<Option<Vec<String>>, DbError> {
    const NUMBERS: &str = "
        select phone_number_id::text from phone_numbers where waba_id = $1 and phone_number_id is not null
        union
        select phone_number_id from chat_conversations where waba_id = $1 and phone_number_id is not null";
    if waba_id.is_none() {
        return Ok(None);
    }
    let rows = client.query_typed(NUMBERS, &[(&waba_id, Type::TEXT)]).await?;
    rows.iter()
        .map(|row| Ok(row.try_get(0)?))
        .collect::<Result<_, _>>()
        .map(Some)
}

async fn find_contacts(
    client: &Client,
    ids: &[CustomerId],
    numbers: Option<&[String]>,
) -> Result<Vec<String>, DbError> {
    const FIND: &str = "
        select distinct f.subject_id from chat_facts f join unnest($1) ending on right(f.subject_id, length(ending)) = ending
        where f.subject = 'contact' and ($2::text[] is null or left(f.subject_id, - length(ending)) = any($2))";
    let endings: Vec<String> = ids.iter().map(|id| format!(":{}:{}", id.kind(), id.value())).collect();
    let rows = client
        .query_typed(FIND, &[(&endings, Type::TEXT_ARRAY), (&numbers, Type::TEXT_ARRAY)])
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The events about the messages of these conversations, and those of these customers, with what was said of their own reactions.
async fn list_events(
    client: &impl GenericClient,
    conversations: &[i64],
    customers: &[i64],
    numbers: Option<&[String]>,
) -> Result<Vec<i64>, DbError> {
    const LIST: &str = "
        with about as (
          select c.phone_number_id, m.wa_message_id as wamid
          from chat_conversations c join chat_messages m on m.conversation_id = c.id
          where c.id = any($1) and m.wa_message_id is not null
          union
          select c.phone_number_id, wamid
          from chat_conversations c join chat_sends s on s.conversation_id = c.id cross join unnest(s.former_wamids) wamid
          where c.id = any($1)
        ), own as (
          select e.id, e.phone_number_id, e.event_wamid from chat_message_events e
          where e.customer_id = any($2) and ($3::text[] is null or e.phone_number_id = any($3))
        )
        select id from own
        union
        select e.id from (select * from about union select phone_number_id, event_wamid from own) k
        join chat_message_events e on e.phone_number_id = k.phone_number_id and e.wa_message_id = k.wamid";
    let rows = client
        .query_typed(
            LIST,
            &[
                (&conversations, Type::INT8_ARRAY),
                (&customers, Type::INT8_ARRAY),
                (&numbers, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

// Raw rows after the id `$1`: their id, what they say, and whether they are of the account `$3` with the numbers `$4`. `$2` bounds the slice.
const STATUSES: &str = "
    select id, coalesce(convert_to(item::text, 'UTF8'), body, ''), ($3::text is null or phone_number_id = any($4))
    from chat_message_events where id > $1 and kind = 'status' order by id limit $2";
const QUARANTINED: &str = "
    select id, body, ($3::text is null or waba_id = $3 or phone_number_id = any($4))
    from chat_quarantine where id > $1 order by id limit $2";

/// The rows that name one of these ids.
async fn find_mentions(
    client: &Client,
    rows: &str,
    ids: &[CustomerId],
    (waba_id, numbers): (Option<&str>, Option<&[String]>),
) -> Result<Vec<i64>, DbError> {
    // What the server can leave out it does: digits and ids are the same in every encoding of theirs. What was packed for SQS is looked at here.
    let search = format!(
        "with slice (id, said, is_in_scope) as ({rows})
         select array_agg(id) filter (where is_in_scope and (encode(said, 'escape') like any($5) or starts_with(encode(said, 'escape'), 'H4sI'))),
                max(id)
         from slice"
    );
    let read = format!("with slice (id, said, is_in_scope) as ({rows}) select id, said from slice where id = $5");
    let ids: Vec<&CustomerId> = ids.iter().filter(|id| needle(id).len() >= SHORTEST_NEEDLE).collect();
    let patterns: Vec<String> = ids.iter().map(|id| format!("%{}%", escape_like(needle(id)))).collect();
    let (mut after, mut found) = (0_i64, Vec::new());
    loop {
        let scope: [(&(dyn ToSql + Sync), Type); 4] = [
            (&after, Type::INT8),
            (&SLICE, Type::INT8),
            (&waba_id, Type::TEXT),
            (&numbers, Type::TEXT_ARRAY),
        ];
        let [start, limit, waba, numbers] = scope;
        let candidates = [
            start,
            limit,
            waba.clone(),
            numbers.clone(),
            (&patterns, Type::TEXT_ARRAY),
        ];
        let row = client.query_typed_one(&search, &candidates).await?;
        let Some(last) = row.try_get::<_, Option<i64>>(1)? else {
            return Ok(found);
        };
        for id in row.try_get::<_, Option<Vec<i64>>>(0)?.unwrap_or_default() {
            let before = id - 1;
            let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&before, Type::INT8), (&1_i64, Type::INT8)];
            let [start, limit] = parameters;
            let row = client
                .query_typed_opt(&read, &[start, limit, waba.clone(), numbers.clone(), (&id, Type::INT8)])
                .await?;
            let Some(row) = row else { continue };
            if is_named(row.try_get(1)?, &ids) {
                found.push(id);
            }
        }
        after = last;
    }
}

/// What stands in a webhook for an id: phone numbers have no + there.
fn needle(id: &CustomerId) -> &str {
    id.value().trim_start_matches('+')
}

fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Whether raw bytes name one of these ids: a phone number not as a part of a longer one, a user id as a whole JSON string.
fn is_named(said: &[u8], ids: &[&CustomerId]) -> bool {
    let unpacked = std::str::from_utf8(said).ok().and_then(|text| unit::decode(text, true));
    let said = unpacked.as_deref().unwrap_or(said);
    ids.iter().any(|id| {
        let needle = needle(id).as_bytes();
        let is_end = |byte: Option<&u8>| match id {
            CustomerId::Phone(_) => !byte.is_some_and(u8::is_ascii_digit),
            CustomerId::UserId(_) => byte == Some(&b'"'),
        };
        let mut places = said.windows(needle.len()).enumerate();
        places.any(|(at, window)| {
            window == needle
                && is_end(at.checked_sub(1).and_then(|before| said.get(before)))
                && is_end(said.get(at + needle.len()))
        })
    })
}

/// How many rows each of [`TABLES`] has of a customer, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn count(client: &impl GenericClient, person: &Person) -> Result<Vec<(&'static str, i64)>, DbError> {
    let mut counts = Vec::new();
    for (table, condition) in TABLES {
        let sql = format!("select count(*) from {table} t where {condition}");
        let row = client.query_typed_one(&sql, &person.parameters()).await?;
        counts.push((table, row.try_get(0)?));
    }
    Ok(counts)
}

/// The customer's rows of one of [`TABLES`], one after the other, each with all its columns. Raw items are texts.
///
/// # Errors
/// When the database does not answer.
pub async fn read(
    client: &Client,
    person: &Person,
    (table, condition): (&str, &str),
) -> Result<BoxStream<'static, Result<Value, DbError>>, DbError> {
    let sql = format!("select to_jsonb(t) from {table} t where {condition} order by t");
    let rows = client.query_typed_raw(&sql, person.parameters()).await?;
    Ok(rows.map(|row| Ok(readable(row?.try_get(0)?))).boxed())
}

/// PostgreSQL shows bytes as digits.
fn readable(mut row: Value) -> Value {
    if let Some(body) = row.get_mut("body")
        && let Some(bytes) = body
            .as_str()
            .and_then(|text| hex::decode(text.strip_prefix("\\x")?).ok())
    {
        *body = String::from_utf8_lossy(&bytes).into_owned().into();
    }
    row
}

/// Where a file of a customer lies.
#[derive(Debug)]
pub struct File {
    /// The message that it belongs to.
    pub message_id: i64,
    /// In the bucket.
    pub object_key: String,
    /// As it was declared.
    pub mime_type: Option<String>,
}

/// The files of a customer's messages, those that agents sent among them.
///
/// # Errors
/// When the database does not answer.
pub async fn list_files(client: &impl GenericClient, person: &Person) -> Result<Vec<File>, DbError> {
    const LIST: &str = "
        select f.message_id, coalesce(f.object_key, u.object_key), f.mime_type
        from chat_messages m join chat_media f on f.message_id = m.id left join chat_uploads u on u.id = f.upload_id
        where m.conversation_id = any($1) and coalesce(f.object_key, u.object_key) is not null
        order by f.message_id";
    let rows = client
        .query_typed(LIST, &[(&person.conversations, Type::INT8_ARRAY)])
        .await?;
    let file = |row: &tokio_postgres::Row| {
        Ok(File {
            message_id: row.try_get(0)?,
            object_key: row.try_get(1)?,
            mime_type: row.try_get(2)?,
        })
    };
    rows.iter().map(file).collect()
}

/// What came of the wish to erase a conversation.
#[derive(Debug, PartialEq, Eq)]
pub enum Erased {
    /// It is gone; these files are still in the bucket, and noted in `chat_discarded_files`.
    Gone(Vec<String>),
    /// A message of it is being sent just now, and what comes of it would be written down.
    Busy,
}

/// Erases a conversation with all that belongs to it, in one transaction.
///
/// # Errors
/// When the database does not answer; nothing was erased then.
pub async fn erase_conversation(client: &mut Client, id: i64) -> Result<Erased, DbError> {
    const PORTFOLIO_OF: &str = "
        select o.portfolio from chat_conversations c join chat_customers o on o.id = c.customer_id where c.id = $1";
    const LOCK: &str = "select customer_id, phone_number_id::text from chat_conversations where id = $1 for update";
    const SENDS: &str = "
        select coalesce(busy_until > now(), false) from chat_sends where conversation_id = $1 and settled_at is null order by id for update";
    const FILES: &str = "
        select f.object_key from chat_messages m join chat_media f on f.message_id = m.id
        where m.conversation_id = $1 and f.object_key is not null";
    const UPLOADS: &str = "
        select f.upload_id::text from chat_messages m join chat_media f on f.message_id = m.id
        where m.conversation_id = $1 and f.upload_id is not null
        union
        select lower(media_id #>> '{}') from chat_sends s, jsonb_path_query(s.request, '$.**.media_id') media_id
        where s.conversation_id = $1";
    // The same file may have been sent to somebody else.
    const DELETE_UPLOADS: &str = "
        delete from chat_uploads u
        where u.id::text = any($1)
          and not exists (select from chat_media f where f.upload_id = u.id)
          and not exists (select from chat_quick_replies q where q.upload_id = u.id)
          and not exists (select from chat_sends s, jsonb_path_query(s.request, '$.**.media_id') media_id
                          where s.settled_at is null and lower(media_id #>> '{}') = u.id::text)
        returning u.object_key";
    let one: (&(dyn ToSql + Sync), Type) = (&id, Type::INT8);
    let transaction = client.transaction().await?;
    // With the portfolio's lock alone nothing of its customers is being stored meanwhile.
    let portfolio = transaction
        .query_typed_opt(PORTFOLIO_OF, std::slice::from_ref(&one))
        .await?;
    lock_portfolios(&transaction, portfolio.as_slice()).await?;
    let Some(row) = transaction.query_typed_opt(LOCK, std::slice::from_ref(&one)).await? else {
        return Ok(Erased::Gone(Vec::new()));
    };
    let sends = transaction.query_typed(SENDS, std::slice::from_ref(&one)).await?;
    for send in &sends {
        if send.try_get(0)? {
            return Ok(Erased::Busy);
        }
    }
    let texts = async |sql: &str| -> Result<Vec<String>, DbError> {
        let rows = transaction.query_typed(sql, std::slice::from_ref(&one)).await?;
        let texts = rows.iter().map(|row| row.try_get::<_, Option<String>>(0));
        Ok(texts.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    };
    let (mut files, uploads) = (texts(FILES).await?, texts(UPLOADS).await?);
    let customers: Vec<i64> = row.try_get::<_, Option<i64>>(0)?.into_iter().collect();
    let number: Option<String> = row.try_get(1)?;
    let events = list_events(&transaction, &[id], &customers, Some(number.as_slice())).await?;
    delete(
        &transaction,
        "chat_message_events",
        "id = any($1)",
        (&events, Type::INT8_ARRAY),
    )
    .await?;
    delete(&transaction, "chat_conversations", "id = $1", one).await?;
    let gone = transaction
        .query_typed(DELETE_UPLOADS, &[(&uploads, Type::TEXT_ARRAY)])
        .await?;
    for row in &gone {
        files.push(row.try_get(0)?);
    }
    transaction.commit().await?;
    Ok(Erased::Gone(files))
}

/// Erases what is kept of a customer beside conversations. Who they are stays known where another account of the business, or a message
/// that came meanwhile, has a conversation with them.
///
/// # Errors
/// When the database does not answer; nothing was erased then.
pub async fn erase_rest(client: &mut Client, person: &Person) -> Result<(), DbError> {
    const PORTFOLIOS: &str = "select distinct portfolio from chat_customers where id = any($1)";
    const NOBODYS: &str = "
        select o.id from chat_customers o
        where o.id = any($1) and not exists (select 1 from chat_conversations c where c.customer_id = o.id)
          and not exists (select 1 from chat_message_events e where e.customer_id = o.id)";
    let customers: (&(dyn ToSql + Sync), Type) = (&person.customers, Type::INT8_ARRAY);
    let transaction = client.transaction().await?;
    let portfolios = transaction
        .query_typed(PORTFOLIOS, std::slice::from_ref(&customers))
        .await?;
    lock_portfolios(&transaction, &portfolios).await?;
    for (table, condition, ids) in [
        ("chat_message_events", "id = any($1)", &person.events),
        ("chat_quarantine", "id = any($1)", &person.quarantined),
    ] {
        delete(&transaction, table, condition, (ids, Type::INT8_ARRAY)).await?;
    }
    let contacts = "subject = 'contact' and subject_id = any($1)";
    delete(
        &transaction,
        "chat_facts",
        contacts,
        (&person.contacts, Type::TEXT_ARRAY),
    )
    .await?;
    let rows = transaction.query_typed(NOBODYS, &[customers]).await?;
    let nobodys: Vec<i64> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    for (table, condition) in [
        ("chat_customer_ids", "customer_id = any($1)"),
        ("chat_customers", "id = any($1)"),
    ] {
        delete(&transaction, table, condition, (&nobodys, Type::INT8_ARRAY)).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn lock_portfolios(transaction: &Transaction<'_>, rows: &[tokio_postgres::Row]) -> Result<(), DbError> {
    let names: Vec<&str> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    customers::lock_portfolios(transaction, names.into_iter().map(|name| (name, true))).await
}

async fn delete(
    transaction: &Transaction<'_>,
    table: &str,
    condition: &str,
    parameter: (&(dyn ToSql + Sync), Type),
) -> Result<(), DbError> {
    let sql = format!("delete from {table} where {condition}");
    transaction.execute_typed(&sql, &[parameter]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_named_as_a_whole_and_in_whatever_a_row_was_packed() {
        let ids = [
            CustomerId::Phone("+4915112345678".to_owned()),
            CustomerId::UserId("DE.17%_a".to_owned()),
        ];
        let ids: Vec<&CustomerId> = ids.iter().collect();
        let packed = unit::encode(&crate::whatsapp::split::Unit {
            group: None,
            body: "{\"from\":\"4915112345678\",\"text\":\"\u{fffe}\"}".into(),
        });
        assert!(packed[0].packed);
        for said in [
            "4915112345678",
            r#"{"from":"4915112345678"}"#,
            "+4915112345678,",
            "ä4915112345678ä",
            "x49151123456780 4915112345678",
            r#"{"user_id":"DE.17%_a"}"#,
            &packed[0].body,
        ] {
            assert!(is_named(said.as_bytes(), &ids), "{said}");
        }
        for said in [
            "",
            "49151123456789",
            "14915112345678",
            r#""DE.17%_abc""#,
            "4915112345",
            r#"{"text":"to DE.17%_a"}"#,
        ] {
            assert!(!is_named(said.as_bytes(), &ids), "{said}");
        }
        assert_eq!(escape_like("DE.17%_a\\"), "DE.17\\%\\_a\\\\");
    }
}

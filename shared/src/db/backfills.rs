//! `chat_backfills`: gives rows that were there before what came later (texts for search, since when somebody waits), in portions, from the
//! highest id downwards. A portion takes the rows that nobody changes just now and goes on from the first that it could not have, so that it
//! waits for nobody.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::DbError;

/// How many rows a portion has: half a second, for which writers may have to wait.
const PORTION: i64 = 500;

/// Does one portion in a transaction of its own. False where nothing is left to do, or others hold it.
///
/// # Errors
/// When the database does not answer.
pub async fn go_on(client: &mut Client) -> Result<bool, DbError> {
    const NEXT: &str = "select name, next_id from chat_backfills order by name limit 1 for update skip locked";
    const ADVANCE: &str = "update chat_backfills set next_id = $2 where name = $1";
    const END: &str = "delete from chat_backfills where name = $1";
    let transaction = client.transaction().await?;
    let Some(row) = transaction.query_typed_opt(NEXT, &[]).await? else {
        return Ok(false);
    };
    let (name, next_id): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
    let (take, put) = if name == "messages" {
        (TAKE_MESSAGES, PUT_MESSAGES)
    } else {
        (TAKE_CONVERSATIONS, PUT_CONVERSATIONS)
    };
    let taken: Row = transaction
        .query_typed_one(take, &[(&next_id, Type::INT8), (&PORTION, Type::INT8)])
        .await?;
    let (ids, reached, missed): (Vec<i64>, Option<i64>, Option<i64>) =
        (taken.try_get(0)?, taken.try_get(1)?, taken.try_get(2)?);
    // In a statement of its own, which sees what the locked rows have become.
    transaction.query_typed(put, &[(&ids, Type::INT8_ARRAY)]).await?;
    let now_next = missed.or(reached.map(|lowest| lowest.saturating_sub(1)));
    match now_next {
        Some(id) => {
            transaction
                .execute_typed(ADVANCE, &[(&name, Type::TEXT), (&id, Type::INT8)])
                .await?
        }
        None => transaction.execute_typed(END, &[(&name, Type::TEXT)]).await?,
    };
    transaction.commit().await?;
    Ok(now_next != Some(next_id))
}

// Each: the ids that are taken, the lowest of the portion, the highest that somebody else holds.

const TAKE_CONVERSATIONS: &str = "
    with portion as materialized (
      select id from chat_conversations where id <= $1 order by id desc limit $2
    ), taken as materialized (
      select c.id from chat_conversations c where c.id in (select id from portion) for no key update skip locked
    )
    select array(select id from taken), (select min(id) from portion), (select max(id) from portion where id not in (select id from taken))";

const PUT_CONVERSATIONS: &str = "
    with waiting as (
      update chat_conversations c set waiting_since = w.since
      from (select id, chat_waiting_since(id) as since from unnest($1) id offset 0) w
      where w.id = c.id and c.waiting_since is distinct from w.since
    )
    select chat_put_conversation_texts($1)";

// The conversation's lock keeps it with its account meanwhile.
const TAKE_MESSAGES: &str = "
    with portion as materialized (
      select id, conversation_id from chat_messages where id <= $1 order by id desc limit $2
    ), taken as materialized (
      select m.id
      from chat_messages m join chat_conversations c on c.id = m.conversation_id
      where m.id in (select id from portion)
      for share of m skip locked for key share of c skip locked
    )
    select array(select id from taken), (select min(id) from portion),
           (select max(p.id) from portion p join chat_conversations c on c.id = p.conversation_id where p.id not in (select id from taken))";

const PUT_MESSAGES: &str = "select chat_put_message_texts($1)";

//! `chat_quick_replies`: an agent's canned answers.

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::DbError;
use crate::domain::customer::phone_in_key;
use crate::domain::quick_reply::{MOST, QuickReply, QuickReplyMedia, Variables, variables_in};

const SELECT: &str = "
    select q.id, q.shortcut, q.content, u.id, u.kind, u.mime_type, u.filename, u.size, q.created_at, q.updated_at
    from chat_quick_replies q
    left join chat_uploads u on u.id = q.upload_id";

fn from_row(row: &Row) -> Result<QuickReply, DbError> {
    let content: Option<String> = row.try_get(2)?;
    let media = match row.try_get(3)? {
        None => None,
        Some(media_id) => Some(QuickReplyMedia {
            media_id,
            kind: row.try_get(4)?,
            mime_type: row.try_get(5)?,
            filename: row.try_get(6)?,
            size: row.try_get(7)?,
        }),
    };
    Ok(QuickReply {
        id: row.try_get(0)?,
        shortcut: row.try_get(1)?,
        variables: variables_in(content.as_deref()),
        content,
        media,
        rendered: None,
        missing: None,
        created_at: row.try_get(8)?,
        updated_at: row.try_get(9)?,
    })
}

/// The agent's quick replies, by shortcut.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &Client, user_id: Uuid) -> Result<Vec<QuickReply>, DbError> {
    let list = format!("{SELECT} where q.user_id = $1 order by lower(q.shortcut), q.id");
    let rows = client.query_typed(&list, &[(&user_id, Type::UUID)]).await?;
    rows.iter().map(from_row).collect()
}

async fn find(client: &Client, user_id: Uuid, id: i64) -> Result<Option<QuickReply>, DbError> {
    let find = format!("{SELECT} where q.id = $1 and q.user_id = $2");
    let row = client
        .query_typed_opt(&find, &[(&id, Type::INT8), (&user_id, Type::UUID)])
        .await?;
    row.as_ref().map(from_row).transpose()
}

/// What became of a quick reply that was to be stored.
#[derive(Debug)]
pub enum Stored {
    /// It stands.
    Stored(Box<QuickReply>),
    /// There is none, or it is not the agent's.
    NotFound,
    /// The agent has another one with this shortcut.
    ShortcutInUse,
    /// The agent has uploaded no such file.
    UnknownMedia,
    /// Neither content nor file would be left.
    Empty,
    /// The agent has as many as one may have.
    Full,
}

/// Makes a quick reply. The caller has looked at its fields.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    client: &Client,
    user_id: Uuid,
    shortcut: &str,
    content: Option<&str>,
    media_id: Option<Uuid>,
) -> Result<Stored, DbError> {
    const INSERT: &str = "
        insert into chat_quick_replies (user_id, shortcut, content, upload_id)
        select $1, $2, $3, $4
        where (select count(*) from chat_quick_replies where user_id = $1) < $5
        returning id";
    if !owns_media(client, user_id, media_id).await? {
        return Ok(Stored::UnknownMedia);
    }
    let inserted = client
        .query_typed_opt(
            INSERT,
            &[
                (&user_id, Type::UUID),
                (&shortcut, Type::TEXT),
                (&content, Type::TEXT),
                (&media_id, Type::UUID),
                (&MOST, Type::INT8),
            ],
        )
        .await;
    match violation(inserted)? {
        Ok(Some(row)) => Ok(stored(find(client, user_id, row.try_get(0)?).await?)),
        Ok(None) => Ok(Stored::Full),
        Err(conflict) => Ok(conflict),
    }
}

/// What is to become of a quick reply; `None` stays.
#[derive(Debug, Default)]
pub struct Change<'a> {
    /// The shortcut.
    pub shortcut: Option<&'a str>,
    /// The content, or that it goes.
    pub content: Option<Option<&'a str>>,
    /// The file, or that it goes.
    pub media_id: Option<Option<Uuid>>,
}

/// Changes a quick reply. The caller has looked at the fields.
///
/// # Errors
/// When the database does not answer.
pub async fn update(client: &Client, user_id: Uuid, id: i64, change: &Change<'_>) -> Result<Stored, DbError> {
    const UPDATE: &str = "
        update chat_quick_replies q
        set shortcut = coalesce($3, q.shortcut), content = case when $4 then $5 else q.content end,
            upload_id = case when $6 then $7 else q.upload_id end, updated_at = now()
        where q.id = $1 and q.user_id = $2
          and (case when $4 then $5 else q.content end is not null or case when $6 then $7 else q.upload_id end is not null)";
    let (has_content, has_media) = (change.content.is_some(), change.media_id.is_some());
    let (content, media_id) = (change.content.flatten(), change.media_id.flatten());
    if !owns_media(client, user_id, media_id).await? {
        return Ok(Stored::UnknownMedia);
    }
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&id, Type::INT8),
        (&user_id, Type::UUID),
        (&change.shortcut, Type::TEXT),
        (&has_content, Type::BOOL),
        (&content, Type::TEXT),
        (&has_media, Type::BOOL),
        (&media_id, Type::UUID),
    ];
    let changed = match violation(client.execute_typed(UPDATE, &parameters).await)? {
        Ok(changed) => changed,
        Err(conflict) => return Ok(conflict),
    };
    Ok(match find(client, user_id, id).await? {
        Some(_) if changed == 0 => Stored::Empty,
        found => stored(found),
    })
}

/// Deletes a quick reply. Tells whether there was one.
///
/// # Errors
/// When the database does not answer.
pub async fn delete(client: &Client, user_id: Uuid, id: i64) -> Result<bool, DbError> {
    const DELETE: &str = "delete from chat_quick_replies where id = $1 and user_id = $2";
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::INT8), (&user_id, Type::UUID)];
    Ok(client.execute_typed(DELETE, &parameters).await? == 1)
}

/// What one of the agent's conversations has for variables.
///
/// # Errors
/// When the database does not answer.
pub async fn find_variables(
    client: &Client,
    user_id: Uuid,
    conversation_id: i64,
) -> Result<Option<Variables>, DbError> {
    // A name that a webhook reported is newer than the registered one.
    const FIND: &str = r"
        select c.customer_name::text, c.customer_phone::text, c.customer_username::text, (
                 select coalesce(f.value #>> '{}', p.verified_name::text)
                 from phone_numbers p
                 left join chat_facts f
                   on f.subject = 'phone_number' and f.name = 'verified_name'
                  and f.subject_id = p.waba_id || ':' || regexp_replace(p.display_phone_number::text, '\D', '', 'g')
                 where p.waba_id = c.waba_id and p.phone_number_id = c.phone_number_id
                 order by p.id
                 limit 1)
        from chat_conversations c
        join waba_accounts a on a.waba_id = c.waba_id
        where c.id = $1 and a.user_id = $2";
    let row = client
        .query_typed_opt(FIND, &[(&conversation_id, Type::INT8), (&user_id, Type::UUID)])
        .await?;
    row.map(|row| {
        Ok(Variables {
            customer_name: row.try_get(0)?,
            customer_phone: phone_in_key(row.try_get(1)?),
            customer_username: row.try_get(2)?,
            business_name: row.try_get(3)?,
        })
    })
    .transpose()
}

async fn owns_media(client: &Client, user_id: Uuid, media_id: Option<Uuid>) -> Result<bool, DbError> {
    const OWNS: &str = "select 1 from chat_uploads where id = $1 and user_id = $2";
    let Some(media_id) = media_id else {
        return Ok(true);
    };
    let row = client
        .query_typed_opt(OWNS, &[(&media_id, Type::UUID), (&user_id, Type::UUID)])
        .await?;
    Ok(row.is_some())
}

fn stored(found: Option<QuickReply>) -> Stored {
    found.map_or(Stored::NotFound, |reply| Stored::Stored(Box::new(reply)))
}

/// Tells the constraints that an agent can violate from faults. A file may be cleaned away after it was looked up.
fn violation<T>(result: Result<T, tokio_postgres::Error>) -> Result<Result<T, Stored>, DbError> {
    let error = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(error) => DbError::from(error),
    };
    match &error {
        DbError::Refused {
            constraint: Some(name), ..
        } => match name.as_str() {
            "chat_quick_replies_shortcut_key" => Ok(Err(Stored::ShortcutInUse)),
            "chat_quick_replies_upload_fkey" => Ok(Err(Stored::UnknownMedia)),
            _ => Err(error),
        },
        _ => Err(error),
    }
}

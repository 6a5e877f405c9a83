//! `chat_uploads` and `chat_upload_ids`: the files that agents send, and Meta's ids of them. Ages are by the database's clock.

use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::DbError;
use crate::domain::upload::Upload;

/// What an agent may have announced within an hour and not used yet.
const OPEN_LIMIT: i64 = 200;

/// How many uploads one call of [`delete_unused`] looks at: some milliseconds.
const SLICE: i64 = 1000;

const COLUMNS: &str = "id, kind, mime_type, filename, size, object_key, created_at, checked_at is not null";

fn from_row(row: &Row) -> Result<Upload, DbError> {
    let size: i64 = row.try_get(4)?;
    Ok(Upload {
        id: row.try_get(0)?,
        kind: row.try_get(1)?,
        mime_type: row.try_get(2)?,
        filename: row.try_get(3)?,
        size: u64::try_from(size).map_err(|_| DbError::Row("a negative size".to_owned()))?,
        object_key: row.try_get(5)?,
        created_at: row.try_get(6)?,
        is_checked: row.try_get(7)?,
    })
}

/// What came of an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// The row stands.
    Accepted,
    /// The agent has no account to send with.
    NoAccount,
    /// The agent has announced 200 files within an hour that were not used yet.
    TooMany,
}

/// Remembers what an agent announces.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(client: &impl GenericClient, user_id: Uuid, upload: &Upload) -> Result<Announcement, DbError> {
    // Announcements at the same moment do not see each other and may go beyond the limit by their number.
    const INSERT: &str = "
        with agent as (
          select exists (select from waba_accounts where user_id = $2) as has_account,
                 (select count(*) from chat_uploads
                  where user_id = $2 and checked_at is null and created_at > now() - interval '1 hour') as open
        ), inserted as (
          insert into chat_uploads (id, user_id, kind, mime_type, filename, size, object_key)
          select $1, $2, $3, $4, $5, $6, $7 from agent where has_account and open < $8
          returning id
        )
        select has_account, exists (select from inserted) from agent";
    let size = i64::try_from(upload.size).unwrap_or(i64::MAX);
    let row = client
        .query_typed_one(
            INSERT,
            &[
                (&upload.id, Type::UUID),
                (&user_id, Type::UUID),
                (&upload.kind, Type::TEXT),
                (&upload.mime_type, Type::TEXT),
                (&upload.filename, Type::TEXT),
                (&size, Type::INT8),
                (&upload.object_key, Type::TEXT),
                (&OPEN_LIMIT, Type::INT8),
            ],
        )
        .await?;
    Ok(match (row.try_get(0)?, row.try_get(1)?) {
        (_, true) => Announcement::Accepted,
        (true, false) => Announcement::TooMany,
        (false, false) => Announcement::NoAccount,
    })
}

/// Those of these uploads that are the agent's, in no order.
///
/// # Errors
/// When the database does not answer.
pub async fn list_of(client: &impl GenericClient, user_id: Uuid, ids: &[Uuid]) -> Result<Vec<Upload>, DbError> {
    let sql = format!("select {COLUMNS} from chat_uploads where id = any($1) and user_id = $2");
    let rows = client
        .query_typed(&sql, &[(&ids, Type::UUID_ARRAY), (&user_id, Type::UUID)])
        .await?;
    rows.iter().map(from_row).collect()
}

/// These uploads, in no order, for a message that was accepted with them.
///
/// # Errors
/// When the database does not answer.
pub async fn list(client: &impl GenericClient, ids: &[Uuid]) -> Result<Vec<Upload>, DbError> {
    let sql = format!("select {COLUMNS} from chat_uploads where id = any($1)");
    let rows = client.query_typed(&sql, &[(&ids, Type::UUID_ARRAY)]).await?;
    rows.iter().map(from_row).collect()
}

/// Writes down that these are what was announced.
///
/// # Errors
/// When the database does not answer.
pub async fn mark_checked(client: &impl GenericClient, ids: &[Uuid]) -> Result<(), DbError> {
    const MARK: &str = "update chat_uploads set checked_at = now() where id = any($1) and checked_at is null";
    client.execute_typed(MARK, &[(&ids, Type::UUID_ARRAY)]).await?;
    Ok(())
}

/// Makes a checked upload the file of a message that was inserted just now. `false` where it was deleted since it was checked.
///
/// # Errors
/// When the database does not answer.
pub async fn attach(client: &impl GenericClient, message_id: i64, upload: &Upload) -> Result<bool, DbError> {
    const ATTACH: &str = "
        insert into chat_media (message_id, upload_id, state, mime_type, filename, size)
        select $1, id, 'stored', mime_type, filename, size from chat_uploads where id = $2
        for key share";
    let attached = client
        .execute_typed(ATTACH, &[(&message_id, Type::INT8), (&upload.id, Type::UUID)])
        .await?;
    Ok(attached == 1)
}

/// Meta's id of an upload for a number, where Meta keeps it for another day at least.
///
/// # Errors
/// When the database does not answer.
pub async fn find_wa_media_id(
    client: &impl GenericClient,
    upload_id: Uuid,
    phone_number_id: &str,
) -> Result<Option<String>, DbError> {
    // Meta keeps uploads for 30 days.
    const FIND: &str = "
        select wa_media_id from chat_upload_ids
        where upload_id = $1 and phone_number_id = $2 and uploaded_at > now() - interval '29 days'";
    let row = client
        .query_typed_opt(FIND, &[(&upload_id, Type::UUID), (&phone_number_id, Type::TEXT)])
        .await?;
    row.map(|row| Ok(row.try_get(0)?)).transpose()
}

/// Remembers Meta's id of what was uploaded just now; does nothing where the upload was deleted meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn remember_wa_media_id(
    client: &impl GenericClient,
    upload_id: Uuid,
    phone_number_id: &str,
    wa_media_id: &str,
) -> Result<(), DbError> {
    const REMEMBER: &str = "
        insert into chat_upload_ids (upload_id, phone_number_id, wa_media_id)
        select id, $2, $3 from chat_uploads where id = $1 for key share
        on conflict (upload_id, phone_number_id) do update
        set wa_media_id = excluded.wa_media_id, uploaded_at = excluded.uploaded_at";
    client
        .execute_typed(
            REMEMBER,
            &[
                (&upload_id, Type::UUID),
                (&phone_number_id, Type::TEXT),
                (&wa_media_id, Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

/// Forgets Meta's id of an upload for a number.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_wa_media_id(
    client: &impl GenericClient,
    upload_id: Uuid,
    phone_number_id: &str,
) -> Result<(), DbError> {
    const FORGET: &str = "delete from chat_upload_ids where upload_id = $1 and phone_number_id = $2";
    client
        .execute_typed(FORGET, &[(&upload_id, Type::UUID), (&phone_number_id, Type::TEXT)])
        .await?;
    Ok(())
}

/// Deletes uploads of a day ago that no message and no quick reply uses, among the thousand that follow the id `from`; returns how many.
/// With a random `from` a call costs the same however many there are, and in time all of them are looked at. A trigger on the table has
/// their files taken out of the bucket.
///
/// # Errors
/// When the database does not answer, or somebody begins to use one of them just now; then nothing is deleted.
pub async fn delete_unused(client: &impl GenericClient, from: Uuid) -> Result<u64, DbError> {
    // A message that is still owed may name files that are not its own: the header of a template.
    const DELETE: &str = "
        with slice as (
          (select id from chat_uploads where id >= $1 order by id limit $2)
          union all
          (select id from chat_uploads where id < $1 order by id limit $2)
          limit $2
        ), owed as materialized (
          select lower(media_id #>> '{}') as id
          from chat_sends s, jsonb_path_query(s.request, '$.**.media_id') media_id
          where s.settled_at is null
        )
        delete from chat_uploads u using slice
        where u.id = slice.id and coalesce(u.checked_at, u.created_at) < now() - interval '1 day'
          and not exists (select from chat_media f where f.upload_id = u.id)
          and not exists (select from chat_quick_replies q where q.upload_id = u.id)
          and u.id::text not in (select id from owed where id is not null)";
    let deleted = client
        .execute_typed(DELETE, &[(&from, Type::UUID), (&SLICE, Type::INT8)])
        .await?;
    Ok(deleted)
}

//! `chat_media`: the files of inbound messages, owed until they are stored.

use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;

use super::DbError;
use crate::domain::ingest::NewMedia;

/// Remembers the files of messages that were inserted just now.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(transaction: &impl GenericClient, files: &[(i64, &NewMedia)]) -> Result<(), DbError> {
    const INSERT: &str = "
        insert into chat_media (message_id, wa_media_id, mime_type, filename, sha256, voice, animated)
        select * from unnest($1, $2, $3, $4, $5, $6, $7)
        on conflict (message_id) do update
        set wa_media_id = excluded.wa_media_id, mime_type = excluded.mime_type, filename = excluded.filename,
            sha256 = excluded.sha256, voice = excluded.voice, animated = excluded.animated, state = 'pending', next_try_at = now()";
    if files.is_empty() {
        return Ok(());
    }
    let text = |pick: fn(&NewMedia) -> Option<&String>| -> Vec<Option<&String>> {
        files.iter().map(|(_, file)| pick(file)).collect()
    };
    let flag = |pick: fn(&NewMedia) -> Option<bool>| -> Vec<Option<bool>> {
        files.iter().map(|(_, file)| pick(file)).collect()
    };
    let ids: Vec<i64> = files.iter().map(|(id, _)| *id).collect();
    transaction
        .execute_typed(
            INSERT,
            &[
                (&ids, Type::INT8_ARRAY),
                (&text(|file| Some(&file.wa_media_id)), Type::TEXT_ARRAY),
                (&text(|file| file.mime_type.as_ref()), Type::TEXT_ARRAY),
                (&text(|file| file.filename.as_ref()), Type::TEXT_ARRAY),
                (&text(|file| file.sha256.as_ref()), Type::TEXT_ARRAY),
                (&flag(|file| file.voice), Type::BOOL_ARRAY),
                (&flag(|file| file.animated), Type::BOOL_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

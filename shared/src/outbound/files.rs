//! An agent's file on its way to Meta: from the bucket to Graph as it comes, once a business phone number, and again when Meta has
//! forgotten it.

use uuid::Uuid;

use crate::db::{self, Database, DbError};
use crate::domain::upload::Upload;
use crate::edge::graph::{Graph, GraphError};
use crate::edge::storage::{Storage, StorageError};

/// What a file needs on its way.
#[derive(Clone)]
pub struct Files {
    /// The database.
    pub database: Database,
    /// The bucket.
    pub storage: Storage,
    /// Meta.
    pub graph: Graph,
}

/// Why Meta has no id for a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Graph refused the file, or it did not come through; also where S3 ended in the middle of it.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// S3 did not begin to give it away.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database did not answer.
    #[error(transparent)]
    Database(#[from] DbError),
    /// It does not lie in the bucket (any more).
    #[error("the file is not in the bucket")]
    Missing,
}

impl FileError {
    /// Whether another try may succeed. None does harm: a file that is uploaded twice has two ids.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Graph(GraphError::Refused { error, .. }) => error.retryable,
            Self::Graph(GraphError::Unreachable | GraphError::Unanswered) | Self::Storage(_) => true,
            Self::Database(error) => error.is_transient(),
            Self::Missing => false,
        }
    }
}

/// Meta's id of a checked upload for one business phone number: the one that is remembered, or that of another upload. `token` is the
/// account's access token.
///
/// Takes at most 70 s for the largest file, and holds some 100 KB of it at a time.
///
/// # Errors
/// [`FileError::is_retryable`] tells what may pass.
pub async fn wa_media_id(
    files: &Files,
    token: &str,
    phone_number_id: &str,
    upload: &Upload,
) -> Result<String, FileError> {
    let database = &files.database;
    let known = database
        .run(async |client| db::uploads::find_wa_media_id(client, upload.id, phone_number_id).await)
        .await?;
    if let Some(id) = known {
        return Ok(id);
    }
    let outflow = files.storage.read(&upload.object_key).await?;
    let outflow = outflow.ok_or(FileError::Missing)?;
    let id = files
        .graph
        .upload_media(token, phone_number_id, &upload.mime_type, outflow.size, outflow.bytes)
        .await?;
    let remember = database
        .run(async |client| db::uploads::remember_wa_media_id(client, upload.id, phone_number_id, &id).await)
        .await;
    if let Err(error) = remember {
        // It is good all the same; the next message uploads again.
        tracing::warn!(upload_id = %upload.id, %error, "Meta's id of a file could not be remembered");
    }
    Ok(id)
}

/// Forgets Meta's id of an upload, which Graph says it does not know (any more): the next [`wa_media_id`] uploads again.
///
/// # Errors
/// When the database does not answer.
pub async fn forget(files: &Files, upload_id: Uuid, phone_number_id: &str) -> Result<(), DbError> {
    let forget = files
        .database
        .run(async |client| db::uploads::forget_wa_media_id(client, upload_id, phone_number_id).await);
    forget.await
}

//! An agent's file on its way to Meta: from the bucket to Graph as it comes, once a business phone number, and again when Meta has
//! forgotten it.

use std::time::Instant;

use serde_json::Value;
use uuid::Uuid;

use super::{ANSWER_TIME, Outbound, QUICK_SIZE, Room, refused};
use crate::db::outbound::Owed;
use crate::db::{Database, DbError, uploads};
use crate::domain::send::Outcome;
use crate::domain::upload::Upload;
use crate::edge::graph::upload::upload_time;
use crate::edge::graph::{Graph, GraphError};
use crate::edge::storage::{Storage, StorageError};
use crate::whatsapp::errors::MessageError;

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
        .run(async |client| uploads::find_wa_media_id(client, upload.id, phone_number_id).await)
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
        .run(async |client| uploads::remember_wa_media_id(client, upload.id, phone_number_id, &id).await)
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
        .run(async |client| uploads::forget_wa_media_id(client, upload_id, phone_number_id).await);
    forget.await
}

impl Outbound {
    fn files(&self) -> Files {
        Files {
            database: self.database.clone(),
            storage: self.storage.clone(),
            graph: self.graph.clone(),
        }
    }

    /// Meta's ids of the message's files.
    pub(super) async fn upload(&self, owed: &Owed, token: &str, room: Room) -> Result<Prepared, DbError> {
        let (ids, number) = (&owed.request.files, owed.phone_number_id.as_str());
        let listed = self
            .database
            .run(async |client| {
                let uploads = uploads::list(client, ids).await?;
                let mut known = Vec::new();
                for upload in uploads {
                    let wa_media_id = uploads::find_wa_media_id(client, upload.id, number).await?;
                    known.push((upload, wa_media_id));
                }
                Ok(known)
            })
            .await?;
        let unknown = listed.iter().filter(|(_, known)| known.is_none());
        let size: u64 = unknown.map(|(upload, _)| upload.size).sum();
        let time = upload_time(size) + ANSWER_TIME;
        if size > room.largest || (size > QUICK_SIZE && Instant::now() + time > room.until) {
            return Ok(Prepared::TooLong);
        }
        let files = self.files();
        let mut uploaded = Vec::new();
        for id in ids {
            let result = match listed.iter().find(|(upload, _)| upload.id == *id) {
                None => Err(FileError::Missing),
                Some((_, Some(wa_media_id))) => Ok((wa_media_id.clone(), true)),
                Some((upload, None)) => {
                    let wa_media_id = wa_media_id(&files, token, number, upload).await;
                    wa_media_id.map(|wa_media_id| (wa_media_id, false))
                }
            };
            match result {
                Ok((wa_media_id, was_known)) => uploaded.push(Uploaded {
                    id: *id,
                    wa_media_id,
                    was_known,
                }),
                Err(FileError::Database(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!(message_id = owed.message_id, upload_id = %id, %error, "a file did not get to WhatsApp");
                    return Ok(Prepared::Failed(file_outcome(error)));
                }
            }
        }
        Ok(Prepared::Files(uploaded))
    }

    /// Forgets ids of files that Graph may have forgotten before us. Whether another try, with new ones, may succeed.
    pub(super) async fn forget_stale(&self, owed: &Owed, error: &MessageError, uploaded: &[Uploaded]) -> bool {
        let stale: Vec<Uuid> = uploaded
            .iter()
            .filter(|file| file.was_known)
            .map(|file| file.id)
            .collect();
        if stale.is_empty() || !error.code.is_some_and(|code| UNKNOWN_FILE.contains(&code)) {
            return false;
        }
        let files = self.files();
        for id in stale {
            if let Err(error) = forget(&files, id, &owed.phone_number_id).await {
                tracing::warn!(message_id = owed.message_id, %error, "an old id of a file is not forgotten");
                return false;
            }
        }
        true
    }
}

/// Codes by which Graph says, among other things, that it does not know the id of a file.
const UNKNOWN_FILE: [i64; 2] = [100, 131_009];

/// A file that Meta has an id for.
pub(super) struct Uploaded {
    /// Ours.
    id: Uuid,
    /// Meta's.
    wa_media_id: String,
    /// Whether it was uploaded for another message.
    was_known: bool,
}

/// What came of a message's files.
pub(super) enum Prepared {
    Files(Vec<Uploaded>),
    /// They would take longer than there is time.
    TooLong,
    Failed(Outcome),
}

fn file_outcome(error: FileError) -> Outcome {
    let is_retryable = error.is_retryable();
    match error {
        FileError::Graph(GraphError::Refused { error, retry_after, .. }) => Outcome::Refused { error, retry_after },
        FileError::Missing => {
            let details = "The file is not stored any more.".to_owned();
            refused(MessageError::own(NO_FILE, Some(details), false))
        }
        _ => refused(MessageError::own(NO_FILE, None, is_retryable)),
    }
}

const NO_FILE: &str = "The file could not be given to WhatsApp";

/// Wherever one of our files is named, Graph gets its own name for it.
pub(super) fn put_ids(value: &mut Value, uploaded: &[Uploaded]) {
    match value {
        Value::Object(fields) => {
            let named = fields.get("media_id").and_then(|id| id.as_str()?.parse::<Uuid>().ok());
            if let Some(file) = named.and_then(|id| uploaded.iter().find(|file| file.id == id)) {
                fields.remove("media_id");
                fields.insert("id".to_owned(), file.wa_media_id.as_str().into());
            }
            fields.values_mut().for_each(|inner| put_ids(inner, uploaded));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| put_ids(inner, uploaded)),
        _ => {}
    }
}

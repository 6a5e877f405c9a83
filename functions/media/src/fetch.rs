//! One file's way: leased, asked for, fetched into a temporary file while it is hashed, looked at, stored, settled. The database is asked
//! between these steps and no connection is held during them.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use jiff::Timestamp;
use shared::db::media::Owed;
use shared::db::{self, DbError};
use shared::domain::media::{Ending, LARGEST, StoredFile, Trouble, decode_sha256, settle};
use shared::domain::served::media_type;
use shared::edge::graph::media::MediaLink;
use shared::metrics::{FetchOutcome, Metric, tell};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::probe::{Probe, probe};
use crate::{App, FETCH_TIME, LEASE};

/// What the names of temporary files begin with.
const PREFIX: &str = "live-chat-media-";
/// Nothing that is older belongs to a call that still runs.
const ABANDONED: Duration = Duration::from_mins(15);

/// A file on the disk that is what was announced.
struct Fetched {
    file: NamedTempFile,
    size: i64,
    sha256: Vec<u8>,
    mime_type: Option<String>,
}

/// What stops a fetch.
enum Stop {
    /// Said in the row.
    Trouble(Trouble),
    /// The row is somebody else's now.
    Lost,
    Database(DbError),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Database(error)
    }
}

/// Does what a message's file is owed, once. `false` where nothing is due, or somebody else is at it.
pub(crate) async fn fetch(app: &App, message_id: i64) -> Result<bool, DbError> {
    let begun = Instant::now();
    let claim = app
        .database
        .run(async |client| db::media::claim(client, message_id, LEASE).await);
    let Some(owed) = claim.await? else {
        return Ok(false);
    };
    let object_key = format!("inbound/{}/{}", owed.phone_number_id, Uuid::new_v4());
    let ending = match tokio::time::timeout(FETCH_TIME, attempt(app, &owed, &object_key)).await {
        Ok(Ok(ending)) => ending,
        Ok(Err(Stop::Trouble(trouble))) => Ending::Trouble(trouble),
        Ok(Err(Stop::Database(error))) => return Err(error),
        Ok(Err(Stop::Lost)) => {
            tracing::info!(message_id, "a file was taken over by another worker");
            return Ok(true);
        }
        Err(_) => Ending::Trouble(Trouble::TooSlow),
    };
    let was_stored = matches!(ending, Ending::Stored(_));
    let settlement = settle(&owed.history(), ending, Timestamp::now(), jitter());
    let is_settled = app
        .database
        .run(async |client| db::media::settle(client, &owed, &settlement).await)
        .await?;
    tell(Metric::MediaFetches(outcome_of(settlement.state)), 1);
    tracing::info!(
        message_id,
        state = settlement.state,
        last_error = settlement.last_error,
        attempts = settlement.attempts,
        size = settlement.file.as_ref().map(|file| file.size),
        duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        is_settled,
        "file attended to"
    );
    if was_stored && !is_settled {
        // The message is gone, or its file is another by now. A row that still names the object has it deleted by the next try.
        if let Err(error) = app.storage.delete(&object_key).await {
            tracing::warn!(message_id, %error, "a file that nobody wants could not be deleted");
        }
    }
    Ok(true)
}

fn outcome_of(state: &str) -> FetchOutcome {
    match state {
        "stored" => FetchOutcome::Stored,
        "failed" => FetchOutcome::Failed,
        "expired" => FetchOutcome::Expired,
        _ => FetchOutcome::Retried,
    }
}

async fn attempt(app: &App, owed: &Owed, object_key: &str) -> Result<Ending, Stop> {
    if let Some(forerunner) = &owed.object_key {
        // Left by a worker that died, or of a message that was deleted or displaced.
        delete(app, owed, forerunner).await?;
    }
    if owed.is_deleted {
        return Ok(Ending::Deleted);
    }
    if owed.history().is_expired(Timestamp::now()) {
        return Ok(Ending::Expired);
    }
    let fetched = fetch_from_meta(app, owed).await?;
    let probed = look_at(&fetched, owed).await;
    let is_ours = app
        .database
        .run(async |client| db::media::reserve_object(client, owed, object_key).await)
        .await?;
    if !is_ours {
        return Err(Stop::Lost);
    }
    let content_type = media_type(fetched.mime_type.as_deref());
    let put = app
        .storage
        .put_file(object_key, fetched.file.path(), &content_type, &fetched.sha256)
        .await;
    if let Err(error) = put {
        tracing::warn!(message_id = owed.message_id, %error, "a file could not be stored");
        return Err(Trouble::StorageUnavailable.into());
    }
    Ok(Ending::Stored(StoredFile {
        mime_type: fetched.mime_type,
        size: fetched.size,
        width: probed.width,
        height: probed.height,
        duration_ms: probed.duration_ms,
        peaks: probed.peaks,
    }))
}

async fn delete(app: &App, owed: &Owed, object_key: &str) -> Result<(), Trouble> {
    app.storage.delete(object_key).await.map_err(|error| {
        tracing::warn!(message_id = owed.message_id, %error, "a file could not be deleted");
        Trouble::StorageUnavailable
    })
}

async fn fetch_from_meta(app: &App, owed: &Owed) -> Result<Fetched, Trouble> {
    let resolve = app.tokens.resolve(&owed.waba_id, owed.access_token.as_deref());
    let token = resolve.await.map_err(|error| {
        tracing::error!(message_id = owed.message_id, %error, "no access token to fetch a file with");
        Trouble::NoToken
    })?;
    let link = app
        .graph
        .describe_media(&token, &owed.wa_media_id, &owed.phone_number_id)
        .await?;
    if link.file_size.is_some_and(|size| size > LARGEST) {
        return Err(Trouble::TooLarge);
    }
    let mut fetched = download(app, &token, &link).await?;
    let announced = owed.sha256.as_deref().and_then(decode_sha256);
    if [announced, link.sha256]
        .iter()
        .flatten()
        .any(|hash| hash.as_slice() != fetched.sha256)
    {
        return Err(Trouble::WrongHash);
    }
    fetched.mime_type = owed.mime_type.clone().or(link.mime_type);
    Ok(fetched)
}

/// Onto the disk piece by piece; ends as soon as more comes than was announced.
async fn download(app: &App, token: &str, link: &MediaLink) -> Result<Fetched, Trouble> {
    let mut download = app.graph.download(token, link).await?;
    let (most, too_much) = match link.file_size {
        Some(size) => (size, Trouble::WrongSize),
        None => (LARGEST, Trouble::TooLarge),
    };
    if download.length().is_some_and(|length| length > most) {
        return Err(too_much);
    }
    let disk = |error: std::io::Error| {
        tracing::error!(%error, "the temporary folder does not take a file");
        Trouble::Disk
    };
    let file = tempfile::Builder::new().prefix(PREFIX).tempfile().map_err(disk)?;
    let mut writer = File::from_std(file.reopen().map_err(disk)?);
    let mut hash = Context::new(&SHA256);
    let mut size = 0;
    while let Some(chunk) = download.chunk().await? {
        size += chunk.len() as u64;
        if size > most {
            return Err(too_much);
        }
        hash.update(&chunk);
        writer.write_all(&chunk).await.map_err(disk)?;
    }
    writer.flush().await.map_err(disk)?;
    if link.file_size.is_some_and(|announced| announced != size) {
        return Err(Trouble::WrongSize);
    }
    Ok(Fetched {
        file,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        sha256: hash.finish().as_ref().to_vec(),
        mime_type: None,
    })
}

/// Decoding takes a while, on a thread of its own. What cannot be looked at is stored all the same.
async fn look_at(fetched: &Fetched, owed: &Owed) -> Probe {
    let path = fetched.file.path().to_owned();
    let (mime_type, is_voice) = (fetched.mime_type.clone(), owed.is_voice);
    tokio::task::spawn_blocking(move || probe(&path, mime_type.as_deref(), is_voice))
        .await
        .unwrap_or_default()
}

/// From 0 to 1.
fn jitter() -> f64 {
    f64::from(Uuid::new_v4().as_bytes()[0]) / 255.0
}

/// Deletes what earlier calls left in the temporary folder when Lambda ended them: the folder outlives the process.
pub fn clean_up(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let age = entry.metadata().and_then(|data| data.modified()).map(|at| at.elapsed());
        if age.is_ok_and(|age| age.is_ok_and(|age| age > ABANDONED)) {
            // Somebody else may be faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

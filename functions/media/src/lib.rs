//! Fetches the files of inbound messages from Meta into the bucket. What is owed stands in `chat_media`: a message on the queue only says
//! that something new is there, and each minute a clock takes whatever is due, so that a lost trigger costs a minute and no file. The clock
//! also clears the bucket of what nobody has a use for any more.

mod fetch;
pub mod probe;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use shared::db::gauges::{Gauge, tell_gauges};
use shared::db::{self, Database, DbError};
use shared::domain::media::MediaTask;
use shared::edge::graph::media::GraphMedia;
use shared::edge::storage::Storage;
use shared::metrics::Work;
use shared::realtime::Realtime;
use shared::telemetry::correlated;
use shared::tokens::Tokens;
use shared::whatsapp::unit::correlation_id;
use uuid::Uuid;

pub use fetch::clean_up;
use fetch::fetch;

/// How long Meta may be silent, at a request or between two pieces of a file.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// How long one file may take, from asking Graph to storing it.
pub const FETCH_TIME: Duration = Duration::from_secs(75);
/// How long a worker has a file for itself: longer than the function's timeout, so that whoever had it before is gone.
pub const LEASE: Duration = Duration::from_secs(130);

/// What a file may take beside [`FETCH_TIME`]: waiting for the database before it and after it.
const MARGIN: Duration = Duration::from_secs(10);
/// How many files are fetched at once. Four of the largest fit the temporary folder of a function, 512 MB.
const AT_ONCE: usize = 4;
/// How many due files are looked up at once.
const ROUND: i64 = 40;

/// What the handler needs, made once an environment.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub database: Database,
    /// The bucket.
    pub storage: Storage,
    /// The accounts' tokens.
    pub tokens: Tokens,
    /// Meta.
    pub graph: GraphMedia,
    /// The open pages.
    pub realtime: Realtime,
}

/// Takes a batch of triggers, or, for any other event, what is due. `deadline` is when Lambda ends the call. Answers with the records that
/// have to come again.
pub async fn handle(app: &App, event: Value, deadline: SystemTime) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    if event.get("Records").is_none() {
        tell_gauges(&app.database, &[Gauge::Owed(Work::Media)]).await;
        work_off(app, deadline).await;
        let from = Uuid::new_v4();
        let clear = app
            .database
            .run(async |client| db::uploads::delete_unused(client, from).await);
        match clear.await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "unused uploads deleted"),
            Err(error) => tracing::error!(%error, "unused uploads could not be deleted"),
        }
        if let Err(error) = take_out_discarded(app).await {
            tracing::error!(%error, "discarded files stay in the bucket");
        }
        return response;
    }
    match serde_json::from_value::<SqsEvent>(event) {
        Ok(event) => response.batch_item_failures = take_triggers(app, event.records, deadline).await,
        Err(error) => tracing::error!(%error, "the event is none of SQS"),
    }
    response
}

/// Fetches what triggers name. All of them are done with, whatever becomes of the file: the row knows when it is due again. Only while the
/// database is away they come back.
async fn take_triggers(app: &App, records: Vec<SqsMessage>, deadline: SystemTime) -> Vec<BatchItemFailure> {
    let fetches = stream::iter(records).map(async |record| {
        let id = correlation_id(&record).map(str::to_owned);
        correlated(id, Box::pin(take_trigger(app, record, deadline))).await
    });
    fetches
        .buffer_unordered(AT_ONCE)
        .filter_map(async |failure| failure)
        .collect()
        .await
}

async fn take_trigger(app: &App, record: SqsMessage, deadline: SystemTime) -> Option<BatchItemFailure> {
    let Some(task) = record.body.as_deref().and_then(MediaTask::from_body) else {
        tracing::error!(record = record.message_id, "a trigger cannot be read");
        return None;
    };
    if !has_time(deadline) {
        return None;
    }
    let fetched = fetch(app, task.message_id).await;
    app.realtime.publish().await;
    let error = fetched.err()?;
    tracing::error!(message_id = task.message_id, %error, "a file could not be attended to");
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = record.message_id?;
    error.is_transient().then_some(failure)
}

/// Fetches what is due until nothing is, or no time is left; the next minute goes on.
async fn work_off(app: &App, deadline: SystemTime) {
    while has_time(deadline) {
        match work_off_round(app, deadline).await {
            // Nothing is due, or others have all of it.
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "due files could not be attended to");
                break;
            }
        }
    }
}

/// One look at what is due; how many files it took.
async fn work_off_round(app: &App, deadline: SystemTime) -> Result<usize, DbError> {
    let list = app
        .database
        .run(async |client| db::media::list_due(client, ROUND).await);
    let due = list.await?;
    let taken = AtomicUsize::new(0);
    stream::iter(due)
        .for_each_concurrent(AT_ONCE, async |message_id| {
            if !has_time(deadline) {
                return;
            }
            let fetched = fetch(app, message_id).await;
            app.realtime.publish().await;
            match fetched {
                Ok(was_due) => {
                    taken.fetch_add(usize::from(was_due), Ordering::Relaxed);
                }
                // The lease ends, and the file is due again.
                Err(error) => tracing::error!(message_id, %error, "a file could not be attended to"),
            }
        })
        .await;
    Ok(taken.into_inner())
}

/// Takes files out of the bucket whose messages are gone, a round each minute.
async fn take_out_discarded(app: &App) -> Result<(), DbError> {
    let list = app
        .database
        .run(async |client| db::media::list_discarded(client, ROUND).await);
    let gone: Vec<String> = stream::iter(list.await?)
        .map(async |object_key| match app.storage.delete(&object_key).await {
            Ok(()) => Some(object_key),
            Err(error) => {
                tracing::warn!(%error, "a discarded file could not be deleted");
                None
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(async |gone| gone)
        .collect()
        .await;
    if gone.is_empty() {
        return Ok(());
    }
    app.database
        .run(async |client| db::media::forget_discarded(client, &gone).await)
        .await
}

/// Whether a file that is begun now can be ended before Lambda ends the call.
fn has_time(deadline: SystemTime) -> bool {
    deadline
        .duration_since(SystemTime::now())
        .is_ok_and(|left| left > FETCH_TIME + MARGIN)
}

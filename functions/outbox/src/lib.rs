//! Sends what could not go out at once. What is owed stands in the database: a message on the queue only says that something may be due in a
//! conversation, and each minute a clock takes whatever is, so that a lost trigger costs a minute and no message. The clock also fails what
//! WhatsApp never confirmed, and lets accounts go on that were connected again. Notifications of what customers wrote are sent alike.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use shared::db::gauges::{Gauge, tell_gauges};
use shared::db::{self, DbError};
use shared::domain::push::PushTask;
use shared::domain::send::OutboxTask;
use shared::metrics::Work;
use shared::outbound::{Outbound, TURN_TIME};
use shared::push::Push;
use shared::realtime::Realtime;
use shared::telemetry::correlated;
use shared::whatsapp::unit::correlation_id;

/// How long a claim is held: longer than the function's timeout, so that whoever had it before is gone.
pub const LEASE: Duration = Duration::from_secs(130);

/// How many conversations are worked on at once.
const AT_ONCE: usize = 4;
/// How many due conversations, and how many unconfirmed messages, are looked up at once.
const ROUND: i64 = 100;

/// What the clock tells of the installation.
const GAUGES: [Gauge; 3] = [
    Gauge::Owed(Work::Sends),
    Gauge::Owed(Work::Pushes),
    Gauge::AccountsToReconnect,
];

/// What the handler needs, made once an environment.
#[derive(Clone)]
pub struct App {
    /// What sends.
    pub outbound: Outbound,
    /// The open pages.
    pub realtime: Realtime,
    /// What notifies.
    pub push: Push,
}

/// What a trigger asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Messages(i64),
    Notifications(i64),
}

impl Task {
    fn from_body(body: &str) -> Option<Self> {
        let messages = || OutboxTask::from_body(body).map(|task| Self::Messages(task.conversation_id));
        let notifications = || PushTask::from_body(body).map(|task| Self::Notifications(task.push_conversation_id));
        messages().or_else(notifications)
    }
}

/// Takes a batch of triggers, or, for any other event, what is due. `deadline` is when Lambda ends the call. Answers with the records that
/// have to come again.
pub async fn handle(app: &App, event: Value, deadline: Instant) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    if event.get("Records").is_none() {
        tell_gauges(&app.outbound.database, &GAUGES).await;
        // Beside each other: slow push services hold no message up, nor many messages a notification.
        let (messages, notifications) = tokio::join!(work_off(app, deadline), app.push.send_owed(None, deadline));
        for error in [messages, notifications].into_iter().filter_map(Result::err) {
            tracing::error!(%error, "what is due waits for the next minute");
        }
        return response;
    }
    match serde_json::from_value::<SqsEvent>(event) {
        Ok(event) => response.batch_item_failures = take_triggers(app, event.records, deadline).await,
        Err(error) => tracing::error!(%error, "the event is none of SQS"),
    }
    response
}

/// Works on the conversations that triggers name. All triggers are done with, whatever comes of it: the rows know when they are due again.
/// Only while the database is away they come back.
async fn take_triggers(app: &App, records: Vec<SqsMessage>, deadline: Instant) -> Vec<BatchItemFailure> {
    // Of several triggers for one conversation the first says from which request they follow.
    let mut triggers: BTreeMap<Task, (Option<String>, Vec<String>)> = BTreeMap::new();
    for record in records {
        let Some(task) = record.body.as_deref().and_then(Task::from_body) else {
            tracing::error!(record = record.message_id, "a trigger cannot be read");
            continue;
        };
        let (correlation, ids) = triggers.entry(task).or_default();
        *correlation = correlation
            .take()
            .or_else(|| correlation_id(&record).map(str::to_owned));
        ids.extend(record.message_id);
    }
    let work = stream::iter(triggers).map(async |(task, (correlation, ids))| {
        let is_over = correlated(correlation, Box::pin(take_task(app, task, deadline))).await;
        (!is_over).then_some(ids)
    });
    let failed: Vec<Option<Vec<String>>> = work.buffer_unordered(AT_ONCE).collect().await;
    let ids = failed.into_iter().flatten().flatten();
    ids.map(|id| {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        failure
    })
    .collect()
}

/// Whether the task is over; it comes back where it is not.
async fn take_task(app: &App, task: Task, deadline: Instant) -> bool {
    let ended = match task {
        Task::Messages(conversation_id) => {
            let ended = app.outbound.work_off(conversation_id, deadline).await;
            app.realtime.publish().await;
            ended
        }
        Task::Notifications(conversation_id) => app.push.send_owed(Some(conversation_id), deadline).await,
    };
    let Err(error) = ended else {
        return true;
    };
    tracing::error!(?task, %error, "a conversation could not be worked on");
    !error.is_transient()
}

/// Does what is due until nothing is, or no time is left; the next minute goes on.
async fn work_off(app: &App, deadline: Instant) -> Result<(), DbError> {
    let database = &app.outbound.database;
    let settle = database.run(async |client| {
        let released = db::outbound::release_reconnected(client).await?;
        let unconfirmed = db::outbound::fail_unconfirmed(client, ROUND).await?;
        Ok((released, unconfirmed))
    });
    let (released, unconfirmed) = settle.await?;
    app.realtime.publish().await;
    if released > 0 || unconfirmed > 0 {
        tracing::warn!(
            reconnected_accounts = released,
            unconfirmed_messages = unconfirmed,
            "the clock's work is done"
        );
    }
    while Instant::now() + TURN_TIME < deadline {
        let list = database.run(async |client| {
            let mut due = db::outbound::list_due(client, ROUND).await?;
            due.extend(db::signals::list_due_receipts(client, ROUND).await?);
            Ok(due)
        });
        let mut due = list.await?;
        due.sort_unstable();
        due.dedup();
        let is_all = due.len() < usize::try_from(ROUND).unwrap_or_default();
        let work = stream::iter(due).map(async |conversation_id| {
            let ended = app.outbound.work_off(conversation_id, deadline).await;
            app.realtime.publish().await;
            ended.inspect_err(|error| tracing::error!(conversation_id, %error, "a conversation could not be worked on"))
        });
        let ended: Vec<Result<(), DbError>> = work.buffer_unordered(AT_ONCE).collect().await;
        if let Some(outage) = ended.into_iter().filter_map(Result::err).find(DbError::is_outage) {
            return Err(outage);
        }
        if is_all {
            break;
        }
    }
    Ok(())
}

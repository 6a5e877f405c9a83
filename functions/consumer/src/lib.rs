//! SQS → Postgres → open pages. A batch is one transaction. A record that spoils it is found and kept in the quarantine while the rest commits; an
//! outage of the database gives all records back, for later. A clock replays what waited for its phone number to be registered, gives rows
//! what came after them, and deletes what has served its time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};
use jiff::Timestamp;
use serde::Deserialize;
use shared::db::gauges::{Gauge, tell_gauges};
use shared::db::ingest::{OwedFile, OwedPush};
use shared::db::retention::Retention;
use shared::db::{self, Database, DbError};
use shared::domain::ingest::{self, NewMessage, Plan, Quarantined};
use shared::domain::media::MediaTask;
use shared::domain::push::PushTask;
use shared::edge::queue::Queue;
use shared::metrics::{Metric, Work, tell, tell_all, tell_some};
use shared::realtime::Realtime;
use shared::telemetry::correlated;
use shared::whatsapp::unit::{
    self, ENCODING_ATTRIBUTE, GZIP_BASE64, PART_ATTRIBUTE, QueueMessage, RECEIVED_AT_ATTRIBUTE, attribute,
    correlation_id,
};
use shared::whatsapp::webhook;

/// How long one transaction may take: a batch is far below, the function's timeout above.
const DEADLINE: Duration = Duration::from_secs(20);
/// A record that is given back waits a tenth of its age, within these bounds: it comes back soon after a short outage, and costs little
/// in a long one.
const SHORTEST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// What the handler needs, made once an environment.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub database: Database,
    /// The queue that the records come from, to give them back for later.
    pub queue: Queue,
    /// Where files are asked for. A fast trigger only: what is owed stands in the database, and the media function has a clock.
    pub media_queue: Queue,
    /// Where notifications are asked for. A fast trigger only, too.
    pub outbox_queue: Queue,
    /// The open pages.
    pub realtime: Realtime,
    /// How long raw things are kept.
    pub retention: Retention,
}

/// What the function is called with: records of the queue, or whatever the clock sends, which has none.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// The records.
    #[serde(rename = "Records")]
    pub records: Option<Vec<SqsMessage>>,
}

/// How long a queue may take to be told of what is owed.
const TRIGGER_DEADLINE: Duration = Duration::from_secs(3);
/// How many items the clock replays or drops at once.
const PORTION: i64 = 200;

/// How long one portion of a backfill, or of what is deleted, may take.
const PORTION_DEADLINE: Duration = Duration::from_secs(8);

/// What the clock tells of the installation.
const GAUGES: [Gauge; 3] = [
    Gauge::Owed(Work::UnknownNumbers),
    Gauge::Owed(Work::ParkedEvents),
    Gauge::SilentNumbers,
];

/// What is due whatever the queue does: replays what came for a phone number that is registered by now, drops events whose message never
/// came, goes on with backfills, and deletes what is kept no longer. Ends when nothing is left, or the time is.
pub async fn handle_clock(app: &App, deadline: Instant) -> SqsBatchResponse {
    tell_gauges(&app.database, &GAUGES).await;
    loop {
        let now = Timestamp::now();
        let work = app.database.run_within(DEADLINE, async |client| {
            let replayed = db::ingest::replay_registered(client, PORTION, now).await?;
            let dropped = db::events::drop_parked(client, now, PORTION).await?;
            Ok((replayed, dropped))
        });
        let (replayed, dropped) = match work.await {
            Ok(done) => done,
            Err(error) => {
                tracing::warn!(%error, "the clock's work waits for its next turn");
                break;
            }
        };
        let replays = replayed.applied + replayed.quarantined;
        if replays > 0 || dropped > 0 {
            tracing::info!(
                applied = replayed.applied,
                quarantined = replayed.quarantined,
                dropped_parked_events = dropped,
                "the clock's work is done"
            );
        }
        let requests = Requests::default();
        tokio::join!(
            app.realtime.publish(),
            ask_for(app, &replayed.files, &replayed.pushes, &requests)
        );
        let is_done = replays == 0 && dropped == 0;
        if is_done || Instant::now() + DEADLINE > deadline {
            break;
        }
    }
    let database = &app.database;
    let fill = async || {
        let portion = database.run_within(PORTION_DEADLINE, async |client| db::backfills::go_on(client).await);
        portion.await
    };
    let now = Timestamp::now();
    let delete = async || {
        let portion = database.run_within(PORTION_DEADLINE, async |client| {
            db::retention::go_on(client, &app.retention, now).await
        });
        portion.await
    };
    let filled = go_on("a backfill", deadline, fill).await;
    let deleted = go_on("deleting what is kept no longer", deadline, delete).await;
    if filled + deleted > 0 {
        app.realtime.publish().await;
    }
    SqsBatchResponse::default()
}

/// Does portions of a work until nothing is left of it, or no time. Returns how many.
async fn go_on(what: &str, deadline: Instant, portion: impl AsyncFn() -> Result<bool, DbError>) -> usize {
    let mut portions = 0;
    while Instant::now() + PORTION_DEADLINE < deadline {
        match portion().await {
            Ok(true) => portions += 1,
            Ok(false) => break,
            Err(error) => {
                tracing::warn!(what, %error, "the clock's work waits for its next turn");
                break;
            }
        }
    }
    if portions > 0 {
        tracing::info!(what, portions, "the clock's work went on");
    }
    portions
}

/// From which request each message of a batch follows, by (phone number id, wamid).
type Requests<'a> = HashMap<(&'a str, &'a str), &'a str>;

/// Asks for the files of messages, and for notifications. Best effort, and never for long: the batch is committed.
async fn ask_for(app: &App, files: &[OwedFile], pushes: &[OwedPush], requests: &Requests<'_>) {
    let request_of = |number: &str, wamid: &str| requests.get(&(number, wamid)).map(|id| (*id).to_owned());
    let files: Vec<QueueMessage> = files
        .iter()
        .map(|file| {
            let task = MediaTask {
                message_id: file.message_id,
            };
            QueueMessage {
                correlation_id: request_of(&file.phone_number_id, &file.wa_message_id),
                ..task.to_message(&file.phone_number_id)
            }
        })
        .collect();
    let pushes: Vec<QueueMessage> = pushes
        .iter()
        .map(|push| {
            let task = PushTask {
                push_conversation_id: push.conversation_id,
            };
            QueueMessage {
                correlation_id: request_of(&push.phone_number_id, &push.wa_message_id),
                ..task.to_message(&push.phone_number_id)
            }
        })
        .collect();
    tokio::join!(
        app.media_queue.trigger(&files, TRIGGER_DEADLINE),
        app.outbox_queue.trigger(&pushes, TRIGGER_DEADLINE)
    );
}

/// Takes a batch; answers with the records that have to come again.
pub async fn handle(app: &App, records: Vec<SqsMessage>) -> SqsBatchResponse {
    let now = Timestamp::now();
    let plans: Vec<Plan> = records.iter().map(|record| plan(record, now)).collect();
    let batch = plans.iter().fold(Plan::default(), merge);
    let requests: Requests<'_> = records
        .iter()
        .zip(&plans)
        .filter_map(|(record, plan)| Some((correlation_id(record)?, plan)))
        .flat_map(|(id, plan)| plan.messages.iter().map(move |message| (key_of(message), id)))
        .collect();
    tell(Metric::BatchSize, records.len());
    let failed = match apply(app, &records, &batch, &requests, now).await {
        Ok(()) => Vec::new(),
        Err(error) if error.is_outage() => give_back(app, &records, &error, now).await,
        Err(error) => {
            tracing::warn!(%error, records = plans.len(), "a record spoils the batch, each goes by itself");
            one_by_one(app, &records, &plans, now).await
        }
    };
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed
        .into_iter()
        .map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
}

/// What one record does. A record that is no webhook is kept as it is.
fn plan(record: &SqsMessage, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let body = record.body.as_deref().unwrap_or_default();
    let packed = attribute(record, ENCODING_ATTRIBUTE) == Some(GZIP_BASE64);
    let Some(bytes) = unit::decode(body, packed) else {
        let opaque = Quarantined::opaque("undecodable", body.as_bytes().to_vec());
        plan.quarantined.push(opaque);
        return plan;
    };
    if let Some(part) = attribute(record, PART_ATTRIBUTE) {
        let opaque = Quarantined::opaque(&format!("oversized:{part}"), bytes);
        plan.quarantined.push(opaque);
        return plan;
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => ingest::plan(webhook::parse(text), received_at(record).unwrap_or(now), &mut plan),
        Err(_) => plan.quarantined.push(Quarantined::opaque("invalid_utf8", bytes)),
    }
    plan
}

fn key_of(message: &NewMessage) -> (&str, &str) {
    (&message.origin.phone_number_id, &message.wa_message_id)
}

/// Tells how old records were when they were committed, each in a line of its own for whoever follows a request.
async fn tell_committed(records: &[SqsMessage]) {
    let now = Timestamp::now();
    let mut ages = Vec::with_capacity(records.len());
    for record in records {
        let age = received_at(record).map(|at| now.as_millisecond() - at.as_millisecond());
        ages.extend(age.map(|age| age.max(0)));
        let say = async { tracing::info!(record = record.message_id, age_ms = age, "record committed") };
        correlated(correlation_id(record).map(str::to_owned), say).await;
    }
    tell_all(Metric::EventAge, &ages);
}

/// When the record reached the queue, or its first forerunner where it was put back since.
fn received_at(record: &SqsMessage) -> Option<Timestamp> {
    let first = attribute(record, RECEIVED_AT_ATTRIBUTE);
    let sent = first.or_else(|| record.attributes.get("SentTimestamp").map(String::as_str))?;
    Timestamp::from_millisecond(sent.parse().ok()?).ok()
}

fn merge(mut all: Plan, plan: &Plan) -> Plan {
    all.messages.extend_from_slice(&plan.messages);
    all.statuses.extend_from_slice(&plan.statuses);
    all.events.extend_from_slice(&plan.events);
    all.facts.extend_from_slice(&plan.facts);
    all.quarantined.extend_from_slice(&plan.quarantined);
    all
}

async fn apply(
    app: &App,
    records: &[SqsMessage],
    plan: &Plan,
    requests: &Requests<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let applied = app
        .database
        .run_within(DEADLINE, async |client| db::ingest::apply(client, plan, now).await)
        .await?;
    tracing::info!(
        messages = plan.messages.len(),
        statuses = plan.statuses.len(),
        events = plan.events.len(),
        facts = plan.facts.len(),
        inserted_messages = applied.inserted_messages,
        quarantined = applied.quarantined,
        conversations = applied.conversations.len(),
        "batch committed"
    );
    tell_some(Metric::Quarantined, applied.unapplied);
    tell_committed(records).await;
    tokio::join!(
        app.realtime.publish(),
        ask_for(app, &applied.files, &applied.pushes, requests)
    );
    Ok(())
}

/// Applies each record by itself. One that the database refuses goes to the quarantine whole.
async fn one_by_one(app: &App, records: &[SqsMessage], plans: &[Plan], now: Timestamp) -> Vec<String> {
    let mut failed = Vec::new();
    for (record, plan) in records.iter().zip(plans) {
        let id = correlation_id(record).map(str::to_owned);
        failed.extend(correlated(id, Box::pin(alone(app, record, plan, now))).await);
    }
    failed
}

/// Applies one record; its id where it is given back.
async fn alone(app: &App, record: &SqsMessage, plan: &Plan, now: Timestamp) -> Vec<String> {
    // What it asks for follows from its own request.
    let requests = Requests::default();
    let records = std::slice::from_ref(record);
    let mut result = apply(app, records, plan, &requests, now).await;
    if let Err(error @ (DbError::Refused { .. } | DbError::Row(_))) = &result {
        let body = record.body.clone().unwrap_or_default().into_bytes();
        let refused = Plan {
            quarantined: vec![Quarantined::opaque(&format!("refused: {error}"), body)],
            ..Plan::default()
        };
        result = apply(app, records, &refused, &requests, now).await;
    }
    match result {
        Ok(()) => Vec::new(),
        Err(error) => give_back(app, records, &error, now).await,
    }
}

/// Hides records for a while and names them as failed. While the database is away, records whose receives are half used up are put back as
/// new ones: an outage of any length leads nothing to the dead-letter queue, nor over the end of the queue's retention.
async fn give_back(app: &App, records: &[SqsMessage], error: &DbError, now: Timestamp) -> Vec<String> {
    tracing::error!(%error, records = records.len(), "records given back");
    let limit = if error.is_outage() {
        app.queue.max_receive_count().await
    } else {
        None
    };
    let (mut waits, mut failed) = (Vec::new(), Vec::new());
    for record in records {
        let received: u32 = record
            .attributes
            .get("ApproximateReceiveCount")
            .and_then(|count| count.parse().ok())
            .unwrap_or_default();
        let is_worn = limit.is_some_and(|limit| received.saturating_mul(2) >= limit);
        let id = correlation_id(record).map(str::to_owned);
        if is_worn && correlated(id, put_back(app, record, now)).await {
            continue;
        }
        waits.extend(
            record
                .receipt_handle
                .as_deref()
                .map(|receipt| (receipt, wait(record, now))),
        );
        failed.extend(record.message_id.clone());
    }
    app.queue.hide(&waits).await;
    failed
}

/// Puts a record into the queue once more, so that this one may go. Tells whether the queue has it.
async fn put_back(app: &App, record: &SqsMessage, now: Timestamp) -> bool {
    let again = QueueMessage {
        body: record.body.clone().unwrap_or_default(),
        packed: attribute(record, ENCODING_ATTRIBUTE) == Some(GZIP_BASE64),
        part: attribute(record, PART_ATTRIBUTE).map(str::to_owned),
        received_at: Some(received_at(record).unwrap_or(now).as_millisecond()),
        delay: wait(record, now),
        ..unit::message(
            String::new(),
            record.attributes.get("MessageGroupId").map(String::as_str),
        )
    };
    match app.queue.publish(&[again]).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "a record stays where it is");
            false
        }
    }
}

fn wait(record: &SqsMessage, now: Timestamp) -> Duration {
    let age = received_at(record).and_then(|at| Duration::try_from(now.duration_since(at)).ok());
    (age.unwrap_or_default() / 10).clamp(SHORTEST_WAIT, LONGEST_WAIT)
}

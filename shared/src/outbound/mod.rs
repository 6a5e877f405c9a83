//! A conversation's messages on their way out, as the send function and the outbox both do it: claimed in order, prepared, marked, asked of
//! Graph, settled. No connection to the database is held while Graph or S3 is asked.

pub mod files;
mod receipts;
mod settings;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

pub use settings::Settings;

use self::files::{Prepared, Uploaded, put_ids};
use crate::db::outbound::{self, Claim, Owed, Reserved};
use crate::db::{Database, DbError};
use crate::domain::customer::phone_of;
use crate::domain::send::{LONGEST_WAIT, OutboxTask, Outcome, Verdict, judge};
use crate::edge::graph::{Graph, GraphError};
use crate::edge::queue::Queue;
use crate::edge::storage::Storage;
use crate::metrics::{Metric, SendOutcome, tell};
use crate::tokens::{TokenError, Tokens};
use crate::whatsapp::bodies::{self, Accepted};
use crate::whatsapp::errors::{ErrorClass, MessageError, OPTED_OUT, WINDOW_CLOSED};

/// Within this time Graph answers, or it does not, and that is written down.
const ANSWER_TIME: Duration = Duration::from_secs(22);
/// What a file that takes the agent's time may have; larger ones are the outbox's (bytes).
const QUICK_SIZE: u64 = 5 * 1024 * 1024;

/// What one message may take once it is claimed: token, mark, Graph's answer, and writing it down.
pub const TURN_TIME: Duration = Duration::from_secs(25);
/// How long the queue may take to be told that something is due.
const TRIGGER_TIME: Duration = Duration::from_secs(2);
/// How long a turn that is not there yet is waited for at once; longer waits go over the queue.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// How often somebody else's turn is looked at.
const GLANCE: Duration = Duration::from_millis(60);
/// How often an outcome is written down before it is given up: then a status has to tell.
const SETTLE_ATTEMPTS: u32 = 4;

/// Sends what is owed.
#[derive(Clone)]
pub struct Outbound {
    /// The database.
    pub database: Database,
    /// The accounts' tokens.
    pub tokens: Tokens,
    /// Meta.
    pub graph: Graph,
    /// The bucket with the files.
    pub storage: Storage,
    /// Where what cannot go at once is asked for. A fast trigger only: what is owed stands in the database, and the outbox has a clock.
    pub queue: Queue,
    /// The operator's settings.
    pub settings: Settings,
    /// How long a claim is held: longer than the function may live.
    pub lease: Duration,
}

/// What a turn may take.
#[derive(Clone, Copy)]
struct Room {
    /// Until when all must be done.
    until: Instant,
    /// What may be uploaded for it (bytes).
    largest: u64,
}

/// What came of a turn.
enum Turn {
    /// Graph was asked, or it was clear that it need not be.
    Done,
    /// It wants more time than there is.
    Postponed,
}

impl Outbound {
    /// Sends what stands before a message in its conversation, and then the message, as far as its turn comes before `patience` ends and
    /// all is done before `until`. What is left is asked for by the queue.
    ///
    /// # Errors
    /// When the database does not answer. What is owed stays owed.
    pub async fn deliver(&self, reserved: Reserved, patience: Duration, until: Instant) -> Result<(), DbError> {
        let Reserved { id, conversation_id } = reserved;
        let deadline = Instant::now() + patience;
        let room = Room {
            until,
            largest: QUICK_SIZE,
        };
        let mut has_acted = false;
        loop {
            let pause = match self.claim(conversation_id).await? {
                Claim::Taken(owed) => {
                    has_acted = true;
                    match self.send(&owed, room).await? {
                        Turn::Postponed => break,
                        Turn::Done if owed.id == id => break,
                        Turn::Done => continue,
                    }
                }
                Claim::Wait(wait) => {
                    has_acted = true;
                    wait
                }
                Claim::Noted(wait) => wait,
                Claim::Busy => GLANCE,
                Claim::Idle => break,
            };
            let is_at_rest = self.database.run(async |client| outbound::is_at_rest(client, id).await);
            if is_at_rest.await? || Instant::now() + pause >= deadline {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        // Whoever else stands in the way, or noted when it is over, asks for the rest.
        if has_acted {
            self.ask_for_rest(conversation_id).await;
        }
        Ok(())
    }

    /// Sends all that is due in a conversation, as far as that goes before `until`. What is left is asked for by the queue.
    ///
    /// # Errors
    /// When the database does not answer. What is owed stays owed.
    pub async fn work_off(&self, conversation_id: i64, until: Instant) -> Result<(), DbError> {
        let room = Room {
            until,
            largest: u64::MAX,
        };
        let has_time = || Instant::now() + TURN_TIME < until;
        let mut has_acted = has_time() && self.report_read(conversation_id).await?;
        while has_time() {
            match self.claim(conversation_id).await? {
                Claim::Taken(owed) => {
                    has_acted = true;
                    match self.send(&owed, room).await? {
                        Turn::Done => {}
                        Turn::Postponed => break,
                    }
                }
                Claim::Wait(wait) => {
                    has_acted = true;
                    if wait > SHORT_WAIT {
                        break;
                    }
                    tokio::time::sleep(wait).await;
                }
                // Whoever is at it, or noted when it is over, asks for the rest.
                Claim::Noted(_) | Claim::Busy | Claim::Idle => break,
            }
        }
        if has_acted {
            self.ask_for_rest(conversation_id).await;
        }
        Ok(())
    }

    async fn claim(&self, conversation_id: i64) -> Result<Claim, DbError> {
        let (lease, terms) = (self.lease, (self.settings.pace, self.settings.patience.hold));
        let claim = self
            .database
            .run(async |client| outbound::claim(client, conversation_id, lease, terms, Timestamp::now()).await);
        claim.await
    }

    /// Makes the outbox look at the conversation when something is due. Best effort: the clock does so anyway.
    async fn ask_for_rest(&self, conversation_id: i64) {
        let next = self
            .database
            .run(async |client| outbound::next_turn(client, conversation_id).await);
        match next.await {
            Ok(Some((phone_number_id, wait))) => {
                let task = OutboxTask { conversation_id };
                let message = task.to_message(&phone_number_id, wait.min(LONGEST_WAIT));
                self.queue.trigger(&[message], TRIGGER_TIME).await;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "what is left in a conversation waits for the clock"),
        }
    }

    /// Sends what was claimed, once.
    async fn send(&self, owed: &Owed, room: Room) -> Result<Turn, DbError> {
        let begun = Instant::now();
        let outcome = match self.attempt(owed, room).await? {
            Attempt::Ended(outcome) => outcome,
            Attempt::TooLong => {
                self.database
                    .run(async |client| outbound::postpone(client, owed).await)
                    .await?;
                return Ok(Turn::Postponed);
            }
            Attempt::Lost => {
                tracing::warn!(
                    message_id = owed.message_id,
                    "a message was taken over by somebody else"
                );
                return Ok(Turn::Done);
            }
        };
        let verdict = judge(outcome, owed.history, &self.settings.patience, jitter());
        log(owed, &verdict, begun.elapsed());
        tell(Metric::Sends(outcome_of(&verdict)), 1);
        self.settle(owed, &verdict).await?;
        Ok(Turn::Done)
    }

    /// What Graph said exists nowhere else, so that it is written down even when the database is away for a moment.
    async fn settle(&self, owed: &Owed, verdict: &Verdict) -> Result<(), DbError> {
        let mut attempt = 1;
        loop {
            let settle = self
                .database
                .run(async |client| outbound::settle(client, owed, verdict, Timestamp::now()).await);
            match settle.await {
                Err(error) if error.is_transient() && attempt < SETTLE_ATTEMPTS => {
                    tracing::warn!(message_id = owed.message_id, %error, attempt, "an outcome is not written down yet");
                    tokio::time::sleep(Duration::from_millis(250 << attempt)).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn attempt(&self, owed: &Owed, room: Room) -> Result<Attempt, DbError> {
        if let Some(outcome) = refusal(owed, Timestamp::now()) {
            return Ok(Attempt::Ended(outcome));
        }
        let token = match self.token(owed).await? {
            Ok(token) => token,
            Err(outcome) => return Ok(Attempt::Ended(outcome)),
        };
        let mut uploaded = Vec::new();
        if !owed.request.files.is_empty() {
            match self.upload(owed, &token, room).await? {
                Prepared::Files(files) => uploaded = files,
                Prepared::TooLong => return Ok(Attempt::TooLong),
                Prepared::Failed(outcome) => return Ok(Attempt::Ended(outcome)),
            }
        }
        if Instant::now() + ANSWER_TIME > room.until {
            return Ok(Attempt::TooLong);
        }
        let confirmation = self.settings.patience.confirmation;
        let begin = self
            .database
            .run(async |client| outbound::begin(client, owed, confirmation).await);
        match begin.await {
            Ok(true) => {}
            Ok(false) => return Ok(Attempt::Lost),
            Err(error) => {
                // The mark may stand, and Graph is certainly not asked.
                let unmark = self.database.run(async |client| outbound::unmark(client, owed).await);
                if let Err(error) = unmark.await {
                    tracing::warn!(message_id = owed.message_id, %error, "a mark may stand for nothing");
                }
                return Err(error);
            }
        }
        let body = body_of(owed, &uploaded);
        let sent = self.graph.send_message(&token, &owed.phone_number_id, &body).await;
        let outcome = match sent {
            Ok(Accepted { wa_message_id, wa_id }) => Outcome::Accepted {
                wa_message_id,
                customer_phone: wa_id.as_deref().and_then(phone_of),
            },
            Err(GraphError::Refused {
                mut error, retry_after, ..
            }) => {
                error.retryable |= self.forget_stale(owed, &error, &uploaded).await;
                if error.class() == ErrorClass::Token {
                    self.tokens.renew(owed.access_token.as_deref()).await;
                }
                Outcome::Refused { error, retry_after }
            }
            Err(GraphError::Unreachable) => refused(unreachable()),
            Err(GraphError::Unanswered) => Outcome::Unanswered,
        };
        Ok(Attempt::Ended(outcome))
    }

    /// The account's token. One that cannot be decrypted may have been encrypted with another key since it was read.
    async fn token(&self, owed: &Owed) -> Result<Result<String, Outcome>, DbError> {
        let mut token = self.tokens.resolve(&owed.waba_id, owed.access_token.as_deref()).await;
        if let Err(TokenError::UnknownKey(_) | TokenError::Undecryptable) = token {
            let stored = self
                .database
                .run(async |client| outbound::stored_token(client, &owed.waba_id).await)
                .await?;
            if stored != owed.access_token {
                token = self.tokens.resolve(&owed.waba_id, stored.as_deref()).await;
            }
        }
        Ok(token.map_err(|error| {
            tracing::error!(message_id = owed.message_id, %error, "no access token to send with");
            // What is wrong with it, and the names of secrets, are the operator's business.
            if error.is_passing() {
                let details = "The account's access token cannot be read at the moment.".to_owned();
                refused(MessageError::own(NO_TOKEN, Some(details), true))
            } else {
                let details = "The account has to be connected again.".to_owned();
                Outcome::NoToken(MessageError::own(NO_TOKEN, Some(details), true))
            }
        }))
    }
}

/// How an attempt ended.
enum Attempt {
    Ended(Outcome),
    /// It would take longer than there is time.
    TooLong,
    /// The lease was over before Graph was asked.
    Lost,
}

const NO_TOKEN: &str = "The account's access token cannot be used";

/// Why Graph need not be asked: it waited for too long, or what was allowed when the agent sent it is not any more.
fn refusal(owed: &Owed, now: Timestamp) -> Option<Outcome> {
    let own = |code, title: &str, details: &str| {
        let error = MessageError::own(title, Some(details.to_owned()), false);
        Some(refused(MessageError {
            code: Some(code),
            ..error
        }))
    };
    if let Some(reason) = &owed.held_for {
        let details = format!("The account or the number could not send for too long: {reason}.");
        return Some(Outcome::NoToken(MessageError::own(HELD, Some(details), true)));
    }
    if !owed.is_in_window(now) {
        let details = "The customer service window closed before the message could be sent; a template can be sent.";
        return own(WINDOW_CLOSED, "Customer service window closed", details);
    }
    if owed.is_unwanted() {
        let details = "The customer asked for no marketing messages before the message could be sent.";
        return own(OPTED_OUT, "Customer wants no marketing messages", details);
    }
    None
}

const HELD: &str = "The account may not send";

fn body_of(owed: &Owed, uploaded: &[Uploaded]) -> Value {
    let request = &owed.request;
    let mut object = request.object.clone();
    put_ids(&mut object, uploaded);
    let mut reply_to = request.reply_to.as_deref();
    if request.is_reaction() {
        object["message_id"] = reply_to.take().into();
    }
    bodies::message(&owed.recipient, &request.kind, &object, reply_to, &owed.message_id)
}

fn refused(error: MessageError) -> Outcome {
    Outcome::Refused {
        error,
        retry_after: None,
    }
}

fn unreachable() -> MessageError {
    MessageError::own("WhatsApp could not be reached", None, true)
}

/// From 0 to 1.
fn jitter() -> f64 {
    f64::from(Uuid::new_v4().as_bytes()[0]) / 255.0
}

fn outcome_of(verdict: &Verdict) -> SendOutcome {
    match verdict {
        Verdict::Sent { .. } => SendOutcome::Sent,
        Verdict::Later { .. } => SendOutcome::Retried,
        Verdict::Held { .. } => SendOutcome::Held,
        Verdict::Failed(_) => SendOutcome::Failed,
        Verdict::Unanswered => SendOutcome::Unanswered,
    }
}

fn log(owed: &Owed, verdict: &Verdict, took: Duration) {
    let message_id = owed.message_id.as_str();
    let attempts = owed.history.attempts;
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match verdict {
        Verdict::Sent { .. } => tracing::info!(message_id, attempts, duration_ms, "message sent"),
        Verdict::Unanswered => {
            tracing::warn!(
                message_id,
                attempts,
                duration_ms,
                "a status has to tell what became of a message"
            );
        }
        Verdict::Failed(error) => {
            tracing::warn!(message_id, attempts, duration_ms, code = error.code, "message failed");
        }
        Verdict::Later { wait, error, .. } => {
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                message_id,
                attempts,
                duration_ms,
                code = error.code,
                wait_ms,
                "message waits for another try"
            );
        }
        // Somebody has to do something about it.
        Verdict::Held { hold, error } => tracing::error!(
            message_id,
            attempts,
            duration_ms,
            code = error.code,
            waba_id = owed.waba_id,
            phone_number_id = owed.phone_number_id,
            reason = hold.reason(),
            "an account or a number may not send, its messages wait"
        ),
    }
}

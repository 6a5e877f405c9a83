//! Sends the notifications that are owed: claimed, built from what the tables say now, encrypted, posted, settled. No connection to the
//! database is held while a push service is asked.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::db::push::{self, Owed, Settlement};
use crate::db::{Database, DbError};
use crate::domain::push::{BrowserKeys, Endpoint, LIFETIME_SECONDS, Notification, Verdict, back_off, topic};
use crate::edge::push::{ANSWER_TIMEOUT, Answer, PushClient, PushKeys, PushMessage, Vapid};
use crate::metrics::{Metric, PushOutcome, tell};

/// How many notifications are taken at once. Those of one subscription go one after the other.
const ROUND: usize = 40;
/// How many subscriptions are posted to at once.
const AT_ONCE: usize = 8;
/// What a round may take, if push services are slow.
const ROUND_TIME: Duration = Duration::from_secs(30);
/// A round begins no subscription's next notification after this long.
const BEGIN_TIME: Duration = Duration::from_secs(15);

const _: () = assert!(ROUND_TIME.as_secs() > BEGIN_TIME.as_secs() + ANSWER_TIMEOUT.as_secs());

/// Sends notifications.
#[derive(Clone)]
pub struct Push {
    /// The database.
    pub database: Database,
    /// Who we are to push services.
    pub keys: PushKeys,
    /// The push services.
    pub client: PushClient,
    /// How long a claim is held: longer than the function may live.
    pub lease: Duration,
}

impl Push {
    /// Sends what is due, of one conversation or of all, as far as that goes before `until`. The next minute goes on.
    ///
    /// # Errors
    /// When the database does not answer. What is owed stays owed.
    pub async fn send_owed(&self, conversation: Option<i64>, until: Instant) -> Result<(), DbError> {
        let vapid = match self.keys.current().await {
            Ok(Some(vapid)) => vapid,
            Ok(None) => return self.database.run(async |client| push::drop_old(client).await).await,
            Err(error) => {
                tracing::error!(%error, "notifications wait");
                return Ok(());
            }
        };
        let limit = i64::try_from(ROUND).unwrap_or_default();
        while Instant::now() + ROUND_TIME < until {
            let claim = self
                .database
                .run(async |client| push::claim(client, conversation, limit, self.lease).await);
            let claimed = claim.await?;
            let is_all = claimed.len() < ROUND;
            let begin_until = Instant::now() + BEGIN_TIME;
            let subscriptions = claimed.chunk_by(|one, other| one.subscription_id == other.subscription_id);
            let work = stream::iter(subscriptions).map(async |owed| {
                let mut is_due_again = false;
                for owed in owed {
                    // What is not begun is due again when its lease ends.
                    if Instant::now() > begin_until {
                        break;
                    }
                    let settlement = self.attempt(&vapid, owed).await;
                    let settle = self
                        .database
                        .run(async |client| push::settle(client, owed, settlement).await);
                    is_due_again |= settle.await?;
                    if matches!(settlement, Settlement::Unsubscribed | Settlement::Later(_)) {
                        break;
                    }
                }
                Ok(is_due_again)
            });
            let ended: Vec<Result<bool, DbError>> = work.buffer_unordered(AT_ONCE).collect().await;
            let due_again = ended.into_iter().collect::<Result<Vec<_>, _>>()?;
            if is_all && !due_again.contains(&true) {
                break;
            }
        }
        Ok(())
    }

    async fn attempt(&self, vapid: &Vapid, owed: &Owed) -> Settlement {
        // Rules may have become stricter since it was stored.
        let target = Endpoint::parse(&owed.endpoint, self.client.extra())
            .ok()
            .zip(browser_keys(owed));
        let (Some((endpoint, keys)), false) = (target, owed.is_expired) else {
            return Settlement::Unsubscribed;
        };
        let Some((notification, age)) = &owed.news else {
            return Settlement::Dropped;
        };
        if let Some(until) = owed.visible_until {
            return Settlement::Seen(until);
        }
        let lifetime = Duration::from_secs(LIFETIME_SECONDS.unsigned_abs()).saturating_sub(*age);
        let target = (&endpoint, &keys);
        let post = async |has_text| {
            let says = (owed.show_text, has_text);
            self.post(vapid, target, notification, says, lifetime).await
        };
        let mut answer = post(true).await;
        if answer.verdict == Verdict::TooLarge {
            answer = post(false).await;
        }
        let host = endpoint.host();
        let (subscription_id, status) = (owed.subscription_id, answer.status);
        tell(Metric::Pushes(outcome_of(&answer.verdict)), 1);
        match answer.verdict {
            Verdict::Done => Settlement::Delivered,
            Verdict::Gone => {
                tracing::info!(subscription_id, host, status, "a push subscription is over");
                Settlement::Unsubscribed
            }
            Verdict::TooLarge | Verdict::Dropped => {
                tracing::error!(subscription_id, host, status, "a push service refused a notification");
                Settlement::Dropped
            }
            Verdict::Later { retry_after } => {
                let wait = back_off(owed.failures.saturating_add(1), retry_after);
                tracing::warn!(
                    subscription_id,
                    host,
                    status,
                    wait_s = wait.as_secs(),
                    "a push service is left alone"
                );
                Settlement::Later(wait)
            }
        }
    }

    async fn post(
        &self,
        vapid: &Vapid,
        (endpoint, keys): (&Endpoint, &BrowserKeys),
        notification: &Notification,
        (has_names, has_text): (bool, bool),
        lifetime: Duration,
    ) -> Answer {
        let message = PushMessage {
            endpoint,
            keys,
            payload: &notification.payload(has_names, has_text),
            topic: &topic(&keys.auth, notification.conversation_id),
            lifetime,
        };
        self.client.post(vapid, &message, Timestamp::now()).await
    }
}

fn outcome_of(verdict: &Verdict) -> PushOutcome {
    match verdict {
        Verdict::Done => PushOutcome::Delivered,
        Verdict::Gone => PushOutcome::Gone,
        Verdict::TooLarge | Verdict::Dropped => PushOutcome::Refused,
        Verdict::Later { .. } => PushOutcome::Retried,
    }
}

fn browser_keys(owed: &Owed) -> Option<BrowserKeys> {
    Some(BrowserKeys {
        p256dh: owed.p256dh.as_slice().try_into().ok()?,
        auth: owed.auth.as_slice().try_into().ok()?,
    })
}

//! What follows from an attempt to send: the message's state, when it is tried again, and what its account or number has to wait for.
//! Waits are spans, because the clock that they are measured by is the database's.

use std::time::Duration;

use super::Outcome;
use crate::whatsapp::errors::{ErrorClass, MessageError};

/// No wait is longer: an SQS message can be delayed no further, and what is owed is looked at again soon.
pub const LONGEST_WAIT: Duration = Duration::from_mins(15);
/// How often an account or number that may not send is tried again: one message each time.
pub const HOLD_WAIT: Duration = Duration::from_mins(2);
/// The first wait after a passing trouble; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// How long what is owed may take; the operator's settings.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long a message is tried again after passing trouble.
    pub retry: Duration,
    /// How long a message waits for its account or number to be allowed to send again.
    pub hold: Duration,
    /// How long a message without an answer waits for a status that tells what became of it.
    pub confirmation: Duration,
}

/// What a message's row said when the attempt began.
#[derive(Debug, Clone, Copy)]
pub struct History {
    /// Attempts in a row, this one included.
    pub attempts: u32,
    /// Since the agent sent it, or sent it again.
    pub age: Duration,
    /// Since the first of these attempts that ended in passing trouble.
    pub trouble: Duration,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// WhatsApp has it.
    Sent {
        /// The wamid.
        wa_message_id: String,
        /// The customer's phone number by the answer, E.164 with `+`.
        customer_phone: Option<String>,
    },
    /// It is over.
    Failed(MessageError),
    /// It is tried again.
    Later {
        /// After this long.
        wait: Duration,
        /// Whether the number's other messages wait too.
        slows_number: bool,
        /// Why.
        error: MessageError,
    },
    /// It waits, and with it all of its account or number.
    Held {
        /// Whose messages wait.
        hold: Hold,
        /// Why.
        error: MessageError,
    },
    /// Nobody knows. A status tells, or it fails as unconfirmed.
    Unanswered,
}

/// What keeps messages from being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The account's token is refused or unusable.
    ReconnectRequired,
    /// Meta wants to be paid.
    PaymentRequired,
    /// The number's certificate is not in order.
    RegistrationRequired,
    /// The account is locked.
    Restricted,
    /// Customers reported the number too often.
    SpamLimited,
}

impl Hold {
    /// `chat_holds.reason`, and the account's state as the API shows it.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::ReconnectRequired => "reconnect_required",
            Self::PaymentRequired => "payment_required",
            Self::RegistrationRequired => "registration_required",
            Self::Restricted => "restricted",
            Self::SpamLimited => "spam_limited",
        }
    }

    /// `chat_holds.scope`.
    #[must_use]
    pub fn scope(self) -> &'static str {
        match self {
            Self::SpamLimited | Self::RegistrationRequired => "phone_number",
            _ => "account",
        }
    }

    /// What follows for the account or the number from an error of one message.
    #[must_use]
    pub fn of(error: &MessageError) -> Option<Self> {
        match (error.class(), error.code) {
            (ErrorClass::Token, _) => Some(Self::ReconnectRequired),
            (ErrorClass::Account, Some(131_042)) => Some(Self::PaymentRequired),
            (ErrorClass::Account, Some(131_045)) => Some(Self::RegistrationRequired),
            (ErrorClass::Account, _) => Some(Self::Restricted),
            (ErrorClass::SpamLimited, _) => Some(Self::SpamLimited),
            _ => None,
        }
    }
}

/// Judges an attempt. `jitter`, from 0 to 1, spreads what failed together.
#[must_use]
pub fn judge(outcome: Outcome, history: History, patience: &Patience, jitter: f64) -> Verdict {
    let (mut error, retry_after, hold) = match outcome {
        Outcome::Accepted {
            wa_message_id,
            customer_phone,
        } => {
            return Verdict::Sent {
                wa_message_id,
                customer_phone,
            };
        }
        Outcome::Unanswered => return Verdict::Unanswered,
        Outcome::NoToken(error) => (error, None, Some(Hold::ReconnectRequired)),
        Outcome::Refused { error, retry_after } => {
            let hold = Hold::of(&error);
            (error, retry_after, hold)
        }
    };
    if let Some(hold) = hold {
        // Once the cause is gone the agent may send it again.
        error.retryable = true;
        return if history.age + HOLD_WAIT > patience.hold {
            Verdict::Failed(error)
        } else {
            Verdict::Held { hold, error }
        };
    }
    let class = error.class();
    if !class.is_retryable() {
        return Verdict::Failed(error);
    }
    error.retryable = true;
    let wait = wait(class, history.attempts, jitter).max(retry_after.unwrap_or_default());
    let wait = wait.min(LONGEST_WAIT);
    if history.trouble + wait > patience.retry {
        return Verdict::Failed(error);
    }
    Verdict::Later {
        wait,
        slows_number: class == ErrorClass::Throttled,
        error,
    }
}

/// WhatsApp asks for 4^attempt seconds between a pair, and for a back-off with jitter otherwise.
fn wait(class: ErrorClass, attempts: u32, jitter: f64) -> Duration {
    if class == ErrorClass::PairThrottled {
        return Duration::from_secs(4_u64.saturating_pow(attempts));
    }
    let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    doubled.min(LONGEST_WAIT).mul_f64(0.5 + jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        retry: Duration::from_hours(1),
        hold: Duration::from_hours(24),
        confirmation: Duration::from_mins(15),
    };

    fn refused(code: i64) -> Outcome {
        Outcome::Refused {
            error: MessageError::from_meta(&serde_json::json!({"code": code})),
            retry_after: None,
        }
    }

    fn judged(outcome: Outcome, attempts: u32, age: Duration) -> Verdict {
        let history = History {
            attempts,
            age,
            trouble: age,
        };
        judge(outcome, history, &PATIENCE, 0.5)
    }

    #[test]
    fn a_pair_waits_four_to_the_power_of_the_attempt_and_never_longer_than_a_hop() {
        for (attempts, seconds) in [(1, 4), (2, 16), (3, 64), (4, 256), (5, 900), (60, 900)] {
            let verdict = judged(refused(131_056), attempts, Duration::ZERO);
            assert!(
                matches!(verdict, Verdict::Later { wait, slows_number: false, .. } if wait.as_secs() == seconds),
                "{attempts} {verdict:?}"
            );
        }
    }

    #[test]
    fn passing_trouble_waits_twice_as_long_each_time_until_it_is_given_up() {
        for (attempts, seconds) in [(1, 2), (2, 4), (3, 8), (9, 512), (10, 900), (100, 900)] {
            let verdict = judged(refused(131_016), attempts, Duration::ZERO);
            assert!(
                matches!(verdict, Verdict::Later { wait, .. } if wait.as_secs() == seconds),
                "{attempts} {verdict:?}"
            );
        }
        let spread: Vec<Duration> = [0.0, 1.0].map(|jitter| wait(ErrorClass::Temporary, 1, jitter)).to_vec();
        assert_eq!(spread, [Duration::from_secs(1), Duration::from_secs(3)]);
        let late = judged(refused(131_016), 1, Duration::from_secs(3599));
        assert!(matches!(late, Verdict::Failed(error) if error.retryable && error.code == Some(131_016)));
    }

    #[test]
    fn graph_may_ask_for_a_longer_wait() {
        let outcome = Outcome::Refused {
            error: MessageError::own("HTTP 429", None, true),
            retry_after: Some(Duration::from_mins(1)),
        };
        assert!(matches!(judged(outcome, 1, Duration::ZERO), Verdict::Later { wait, .. } if wait.as_secs() == 60));
    }

    #[test]
    fn every_code_has_its_consequence() {
        let held = |hold| move |verdict: &Verdict| matches!(verdict, Verdict::Held { hold: it, .. } if *it == hold);
        let later = |slows| move |verdict: &Verdict| matches!(verdict, Verdict::Later { slows_number, .. } if *slows_number == slows);
        let failed = |verdict: &Verdict| matches!(verdict, Verdict::Failed(error) if !error.retryable);
        let check = |codes: &[i64], expected: &dyn Fn(&Verdict) -> bool| {
            for code in codes {
                let verdict = judged(refused(*code), 1, Duration::ZERO);
                assert!(expected(&verdict), "{code} {verdict:?}");
            }
        };
        check(&[4, 80_007, 130_429], &later(true));
        check(&[131_056, 131_016, 131_057, 131_000, 135_000], &later(false));
        check(&[0, 3, 10, 190, 200, 250, 299, 131_005], &held(Hold::ReconnectRequired));
        check(&[368, 131_031], &held(Hold::Restricted));
        check(&[131_042], &held(Hold::PaymentRequired));
        check(&[131_045], &held(Hold::RegistrationRequired));
        check(&[131_048, 131_064], &held(Hold::SpamLimited));
        check(
            &[
                131_047, 131_026, 131_030, 131_021, 131_051, 131_008, 131_009, 132_000, 132_001, 132_015, 131_052,
                131_053, 131_062, 137_000, 131_049, 131_050, 130_497, 100, 77,
            ],
            &failed,
        );
        let gone = judged(refused(190), 9, Duration::from_hours(24));
        assert!(
            matches!(gone, Verdict::Failed(error) if error.retryable),
            "the agent may send it again"
        );
    }
}

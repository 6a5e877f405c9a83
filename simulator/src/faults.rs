//! Failures on demand: what a test or a developer asks Meta to get wrong, for whom and how often.
//! Faults are tried in the order they were set; at most one of each kind acts on a call.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids;
use crate::webhooks::Traits;

/// A fault as set by `POST /_simulator/faults`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fault {
    pub(crate) id: String,
    #[serde(rename = "match")]
    scope: Scope,
    /// How often it still acts; for ever when absent.
    times: Option<u32>,
    /// The share of matching calls that it acts on.
    probability: f64,
    #[serde(flatten)]
    pub(crate) kind: Kind,
}

/// Which calls a fault is for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Scope {
    phone_number_id: Option<String>,
    /// The customer: phone number or business-scoped id.
    to: Option<String>,
    /// The kind of Graph call; when absent `download` for faults of a file's bytes, `describe` for those of its link, `messages` for all
    /// others. Webhook faults do not look at it.
    operation: Option<Operation>,
}

/// The kinds of Graph calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Operation {
    /// Sending a message.
    Messages,
    /// A read receipt or a typing indicator.
    Read,
    /// Uploading media.
    Upload,
    /// `describe` and `download` alike.
    Media,
    /// Asking for an object by its id (media, a number), or deleting it.
    Describe,
    /// Fetching a file's bytes.
    Download,
    /// Listing templates.
    Templates,
    /// Anything else.
    Other,
}

impl Operation {
    /// Whether a fault that is set for this kind of call acts on a call of kind `call`.
    fn covers(self, call: Self) -> bool {
        self == call || (self == Self::Media && matches!(call, Self::Describe | Self::Download))
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Kind {
    /// Graph answers with an error instead of doing what it was asked.
    HttpError {
        status: u16,
        code: i64,
        message: Option<String>,
        details: Option<String>,
        is_transient: Option<bool>,
        retry_after: Option<u64>,
    },
    /// Graph takes its time, then goes on.
    Delay { ms: u64 },
    /// The message is accepted; the connection closes without an answer.
    NoAnswer {
        #[serde(default)]
        hang_ms: u64,
    },
    /// Nothing is accepted; the connection closes without an answer.
    NoAnswerBeforeAccept {
        #[serde(default)]
        hang_ms: u64,
    },
    /// Graph describes a file otherwise than it is.
    WrongDescription {
        /// Where it is said to lie.
        url: Option<String>,
        /// What it is said to have (bytes).
        file_size: Option<u64>,
        /// In either form.
        sha256: Option<String>,
    },
    /// A file comes as long as it is, with another content.
    WrongBytes {},
    /// A file comes with more bytes at its end.
    ExtraBytes {
        #[serde(default = "one")]
        bytes: usize,
    },
    /// A file comes in pieces, with a pause before each.
    SlowBody {
        #[serde(default = "one")]
        chunk_bytes: usize,
        pause_ms: u64,
    },
    /// The connection ends in the middle of a file.
    CutBody {
        #[serde(default)]
        after_bytes: usize,
    },
    /// A file's link answers with 302.
    Redirect { location: String },
    /// The message is accepted and fails later, by webhook.
    StatusFailed {
        code: i64,
        title: Option<String>,
        details: Option<String>,
        /// `sent` comes first.
        #[serde(default)]
        after_sent: bool,
    },
    /// No webhook about the message. This fault and the others about webhooks act on messages of
    /// customers too.
    NoWebhooks {},
    /// Every webhook about the message twice.
    DuplicateWebhooks {},
    /// The statuses of a message that the business sent, in the opposite order.
    ShuffleWebhooks {},
    /// Bodies with `\u` escapes instead of UTF-8.
    EscapeWebhooks {},
}

impl Kind {
    /// What the fault means for webhooks.
    pub(crate) fn change(&self, traits: &mut Traits) {
        match self {
            Self::NoWebhooks {} => traits.copies = 0,
            Self::DuplicateWebhooks {} => traits.copies = 2,
            Self::ShuffleWebhooks {} => traits.reversed = true,
            Self::EscapeWebhooks {} => traits.escaped = true,
            _ => {}
        }
    }

    /// The only kind of call that the fault can act on.
    fn own_operation(&self) -> Option<Operation> {
        match self {
            Self::WrongDescription { .. } => Some(Operation::Describe),
            Self::WrongBytes {}
            | Self::ExtraBytes { .. }
            | Self::SlowBody { .. }
            | Self::CutBody { .. }
            | Self::Redirect { .. } => Some(Operation::Download),
            _ => None,
        }
    }

    fn stage(&self) -> Stage {
        match self {
            Self::HttpError { .. }
            | Self::Delay { .. }
            | Self::NoAnswerBeforeAccept { .. }
            | Self::WrongDescription { .. }
            | Self::WrongBytes {}
            | Self::ExtraBytes { .. }
            | Self::SlowBody { .. }
            | Self::CutBody { .. }
            | Self::Redirect { .. } => Stage::Call,
            Self::NoAnswer { .. } | Self::StatusFailed { .. } | Self::ShuffleWebhooks {} => Stage::Acceptance,
            Self::NoWebhooks {} | Self::DuplicateWebhooks {} | Self::EscapeWebhooks {} => Stage::Webhooks,
        }
    }
}

fn one() -> usize {
    1
}

/// Where a fault acts.
#[derive(PartialEq, Eq)]
enum Stage {
    /// On the call itself, before Graph looks at what it was asked.
    Call,
    /// On an accepted message.
    Acceptance,
    /// On any message's webhooks.
    Webhooks,
}

/// The faults in force.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Sets a fault. A field that means nothing is refused: a fault that silently never acts
    /// makes a test pass for the wrong reason.
    pub(crate) fn set(&self, mut fields: Map<String, Value>) -> Result<Fault, String> {
        fn take<T: serde::de::DeserializeOwned>(
            fields: &mut Map<String, Value>,
            name: &str,
        ) -> Result<Option<T>, String> {
            fields
                .remove(name)
                .filter(|value| !value.is_null())
                .map(|value| serde_json::from_value(value).map_err(|error| format!("{name}: {error}")))
                .transpose()
        }
        let scope: Scope = take(&mut fields, "match")?.unwrap_or_default();
        let times = take(&mut fields, "times")?;
        let probability: f64 = take(&mut fields, "probability")?.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&probability) {
            return Err("probability: must be between 0 and 1".to_owned());
        }
        let kind: Kind = serde_json::from_value(Value::Object(fields)).map_err(|e| e.to_string())?;
        if let Kind::HttpError { status, .. } = kind
            && !(400..=599).contains(&status)
        {
            return Err("status: must be between 400 and 599".to_owned());
        }
        if let Kind::SlowBody { chunk_bytes: 0, .. } = kind {
            return Err("chunk_bytes: must be at least 1".to_owned());
        }
        if let (Some(own), Some(wanted)) = (kind.own_operation(), scope.operation)
            && !wanted.covers(own)
        {
            return Err("match.operation: this fault never acts on such calls".to_owned());
        }
        let fault = Fault {
            id: ids::make_object_id(),
            scope,
            times,
            probability,
            kind,
        };
        self.lock().push(fault.clone());
        Ok(fault)
    }

    /// The faults that act on a Graph call before it is looked at.
    pub(crate) fn take_for_call(&self, operation: Operation, phone_number_id: &str, to: &str) -> Vec<Kind> {
        self.take(phone_number_id, to, |fault| {
            let meant = fault.kind.own_operation().or(fault.scope.operation);
            fault.kind.stage() == Stage::Call && meant.unwrap_or(Operation::Messages).covers(operation)
        })
    }

    /// The faults that act on an accepted message and on its webhooks.
    pub(crate) fn take_for_message(&self, phone_number_id: &str, to: &str) -> Vec<Kind> {
        self.take(phone_number_id, to, |fault| fault.kind.stage() != Stage::Call)
    }

    /// How the webhook of a customer's message is treated.
    pub(crate) fn take_for_webhook(&self, phone_number_id: &str, from: &str) -> Traits {
        let mut traits = Traits::default();
        for kind in self.take(phone_number_id, from, |f| f.kind.stage() == Stage::Webhooks) {
            kind.change(&mut traits);
        }
        traits
    }

    fn take(&self, phone_number_id: &str, to: &str, is_meant: impl Fn(&Fault) -> bool) -> Vec<Kind> {
        let mut taken: Vec<Kind> = Vec::new();
        let mut faults = self.lock();
        for fault in faults.iter_mut() {
            let kind = std::mem::discriminant(&fault.kind);
            if !is_meant(fault)
                || taken.iter().any(|other| std::mem::discriminant(other) == kind)
                || !fault.scope.matches(phone_number_id, to)
                || !happens(fault.probability)
            {
                continue;
            }
            if let Some(times) = &mut fault.times {
                if *times == 0 {
                    continue;
                }
                *times -= 1;
            }
            taken.push(fault.kind.clone());
        }
        faults.retain(|fault| fault.times != Some(0));
        taken
    }
}

impl Scope {
    fn matches(&self, phone_number_id: &str, to: &str) -> bool {
        let same_customer =
            |wanted: &String| wanted == to || ids::phone_digits(wanted).is_some_and(|digits| digits == to);
        self.phone_number_id.as_deref().is_none_or(|id| id == phone_number_id)
            && self.to.as_ref().is_none_or(same_customer)
    }
}

fn happens(probability: f64) -> bool {
    let threshold = probability * 1_000_000.0;
    // Both are far below 2^52: exact in an f64.
    #[expect(clippy::cast_precision_loss)]
    let drawn = ids::random_below(1_000_000) as f64;
    drawn < threshold
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(faults: &Faults, fault: Value) -> Result<Fault, String> {
        let Value::Object(fields) = fault else {
            panic!("not an object")
        };
        faults.set(fields)
    }

    #[test]
    fn a_fault_acts_as_often_as_it_was_asked_to_and_only_where_it_matches() {
        let faults = Faults::default();
        set(
            &faults,
            json!({"kind": "delay", "ms": 1, "times": 2, "match": {"to": "+1 650 555 1234"}}),
        )
        .expect("a fault");
        let take = |to| faults.take_for_call(Operation::Messages, "1", to).len();
        assert_eq!(take("16505559999"), 0);
        assert_eq!(
            [take("16505551234"), take("16505551234"), take("16505551234")],
            [1, 1, 0]
        );
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        let faults = Faults::default();
        assert!(set(&faults, json!({"kind": "delay", "milliseconds": 1})).is_err());
        assert!(set(&faults, json!({"kind": "no_webhooks", "matches": {}})).is_err());
        assert!(set(&faults, json!({"kind": "http_error", "status": 200, "code": 1})).is_err());
        assert!(set(&faults, json!({"kind": "slow_body", "chunk_bytes": 0, "pause_ms": 1})).is_err());
        assert!(
            set(
                &faults,
                json!({"kind": "wrong_bytes", "match": {"operation": "describe"}})
            )
            .is_err()
        );
    }

    #[test]
    fn a_fault_of_media_acts_on_both_of_its_calls_and_one_of_a_files_bytes_only_on_them() {
        let faults = Faults::default();
        set(
            &faults,
            json!({"kind": "delay", "ms": 1, "match": {"operation": "media"}}),
        )
        .expect("a fault");
        set(&faults, json!({"kind": "wrong_bytes"})).expect("a fault");
        let take = |operation| faults.take_for_call(operation, "1", "").len();
        assert_eq!(
            [Operation::Describe, Operation::Download, Operation::Messages].map(take),
            [1, 2, 0]
        );
    }
}

//! What Meta's error codes mean for us. Branches on `code`, never on `title`, which Meta rewords.
//! Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes>.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::json::text;

/// Why a message failed, as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageError {
    /// Meta's error code, or null where the failure is our own.
    pub code: Option<i64>,
    /// Meta's short title; for people, not for branching.
    pub title: Option<String>,
    /// Meta's explanation of this case (`error_data.details`).
    pub details: Option<String>,
    /// Whether sending the same message again may succeed.
    pub retryable: bool,
}

impl MessageError {
    /// A failure before WhatsApp saw anything, or after it fell silent.
    #[must_use]
    pub fn own(title: &str, details: Option<String>, retryable: bool) -> Self {
        Self {
            code: None,
            title: Some(title.to_owned()),
            details,
            retryable,
        }
    }

    /// What it asks of the sender.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self.code.map_or(ErrorClass::Permanent, class_of) {
            // A code that we do not know, with the word that it passes.
            ErrorClass::Permanent if self.retryable => ErrorClass::Temporary,
            class => class,
        }
    }

    /// Reads one element of `errors` of a webhook, or the `error` of a Graph answer.
    #[must_use]
    pub fn from_meta(error: &Value) -> Self {
        let code = error.get("code").and_then(|code| {
            code.as_i64()
                .or_else(|| code.as_str().and_then(|digits| digits.parse().ok()))
        });
        let transient = error.get("is_transient").and_then(Value::as_bool) == Some(true);
        Self {
            code,
            title: text(error, "title").or_else(|| text(error, "message")),
            details: error.get("error_data").and_then(|data| text(data, "details")),
            retryable: transient || code.is_some_and(|code| class_of(code).is_retryable()),
        }
    }
}

/// What an error asks of the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// App, account or throughput limit: slow this number down and try again.
    Throttled,
    /// The pair of business and customer sends too fast: try again for this customer only.
    PairThrottled,
    /// Meta's own trouble: try again, a bounded number of times.
    Temporary,
    /// The token or its permissions: the account has to be connected again, and its messages wait.
    Token,
    /// The account is locked, unpaid or not registered: its messages wait until that is settled.
    Account,
    /// The number was reported too often: its messages wait.
    SpamLimited,
    /// This message can never be delivered as it is, or not for a day; trying again makes it worse.
    Permanent,
}

impl ErrorClass {
    /// Whether the same request may succeed without anybody changing anything.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Throttled | Self::PairThrottled | Self::Temporary)
    }
}

/// The customer wants no marketing messages.
pub const OPTED_OUT: i64 = 131_050;
/// More than 24 hours have passed since the customer's last message.
pub const WINDOW_CLOSED: i64 = 131_047;
/// Meta holds marketing messages back from this customer; trying again within a day makes it worse.
pub const HELD_BACK: i64 = 131_049;

/// The class of a Graph or webhook error code. Unknown codes are permanent: resending what is not understood may send it twice.
#[must_use]
pub fn class_of(code: i64) -> ErrorClass {
    match code {
        4 | 80_007 | 130_429 => ErrorClass::Throttled,
        131_056 => ErrorClass::PairThrottled,
        1 | 2 | 131_000 | 131_016 | 131_057 | 135_000 => ErrorClass::Temporary,
        0 | 3 | 10 | 190 | 200..=299 | 131_005 => ErrorClass::Token,
        368 | 131_031 | 131_042 | 131_045 => ErrorClass::Account,
        131_048 | 131_064 => ErrorClass::SpamLimited,
        _ => ErrorClass::Permanent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_both_of_metas_error_shapes() {
        let webhook = json!({"code": 131_026, "title": "Message undeliverable", "message": "Message undeliverable",
            "error_data": {"details": "Recipient is not on WhatsApp."}});
        assert_eq!(
            MessageError::from_meta(&webhook),
            MessageError {
                code: Some(131_026),
                title: Some("Message undeliverable".to_owned()),
                details: Some("Recipient is not on WhatsApp.".to_owned()),
                retryable: false,
            }
        );
        let graph = json!({"message": "(#130429) Rate limit hit", "type": "OAuthException", "code": "130429"});
        let error = MessageError::from_meta(&graph);
        assert_eq!(error.title.as_deref(), Some("(#130429) Rate limit hit"));
        assert!(error.retryable);
        assert!(MessageError::from_meta(&json!({"code": 77, "is_transient": true})).retryable);
        assert!(!MessageError::from_meta(&json!({})).retryable);
    }
}

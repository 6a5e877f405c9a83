//! The customer service window: free-form messages may be sent for 24 hours after the customer's last message.
//! Source: <https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages#customer-service-windows>.

use jiff::{SignedDuration, Timestamp};

/// How long the window stays open.
pub const LENGTH: SignedDuration = SignedDuration::from_hours(24);

/// A window that is open for no longer than this is about to close.
pub const CLOSING: SignedDuration = SignedDuration::from_hours(4);

/// When the window closes or closed; `None` for a conversation without an inbound message, whose window never was open.
#[must_use]
pub fn expires_at(last_inbound_at: Option<Timestamp>) -> Option<Timestamp> {
    last_inbound_at.map(|at| at + LENGTH)
}

/// Whether a free-form message may be sent at `now`.
#[must_use]
pub fn is_open(last_inbound_at: Option<Timestamp>, now: Timestamp) -> bool {
    expires_at(last_inbound_at).is_some_and(|closes| now < closes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_open_for_24_hours_after_the_last_inbound_message() {
        let inbound: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        assert!(is_open(Some(inbound), "2026-01-02T11:59:59Z".parse().unwrap()));
        assert!(!is_open(Some(inbound), "2026-01-02T12:00:00Z".parse().unwrap()));
        assert!(!is_open(None, inbound));
    }
}

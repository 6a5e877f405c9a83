//! What follows from a push service's answer. Sources: <https://www.rfc-editor.org/rfc/rfc8030>, and what each service says of its own.

use std::time::Duration;

use jiff::Timestamp;

/// What is to be done with a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The push service took it.
    Done,
    /// The subscription is over.
    Gone,
    /// It was too large.
    TooLarge,
    /// It would never be taken; the subscription may be good.
    Dropped,
    /// Later: everything for this subscription waits.
    Later {
        /// How long the push service wants to be left alone.
        retry_after: Option<Duration>,
    },
}

/// What push services say, in lower case, when a subscription was made with another key than the one we have.
const OTHER_KEY: [&str; 2] = [
    "vapidpkhashmismatch",
    "do not correspond to the credentials used to create",
];

/// Judges an answer by its status, `Retry-After` and the beginning of its body.
#[must_use]
pub fn judge(status: u16, retry_after: Option<Duration>, body: &str) -> Verdict {
    let is_other_key = || {
        let body = body.to_lowercase();
        OTHER_KEY.iter().any(|words| body.contains(words))
    };
    match status {
        200..=299 => Verdict::Done,
        404 | 410 => Verdict::Gone,
        403 if is_other_key() => Verdict::Gone,
        413 => Verdict::TooLarge,
        408 | 425 | 429 | 500..=599 => Verdict::Later { retry_after },
        _ => Verdict::Dropped,
    }
}

const FIRST_WAIT: Duration = Duration::from_secs(30);
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// A push service that wants to be left alone for longer than a notification is worth sending is asked no sooner.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// How long a subscription waits after so many failures in a row, this one included.
#[must_use]
pub fn back_off(failures: i32, retry_after: Option<Duration>) -> Duration {
    let doublings = u32::try_from(failures - 1).unwrap_or_default().min(16);
    let wait = (FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT);
    retry_after.map_or(wait, |asked| asked.min(LONGEST_RETRY_AFTER).max(wait))
}

/// Reads a `Retry-After`: seconds, or a date. Source: <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>.
#[must_use]
pub fn parse_retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_consequence() {
        let judged = |status| judge(status, None, "");
        for status in [200, 201, 202] {
            assert_eq!(judged(status), Verdict::Done);
        }
        for status in [404, 410] {
            assert_eq!(judged(status), Verdict::Gone);
        }
        for status in [301, 307, 400, 401, 403, 405] {
            assert_eq!(judged(status), Verdict::Dropped, "{status}");
        }
        for status in [429, 500, 502, 503] {
            assert_eq!(judged(status), Verdict::Later { retry_after: None });
        }
        assert_eq!(judged(413), Verdict::TooLarge);
        let mismatches = [
            r#"{"reason":"VapidPkHashMismatch"}"#,
            "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.",
        ];
        for body in mismatches {
            assert_eq!(judge(403, None, body), Verdict::Gone, "{body}");
            assert_eq!(judge(400, None, body), Verdict::Dropped, "{body}");
        }
    }

    #[test]
    fn waits_are_doubled_and_what_the_service_asks_for_is_kept() {
        let waits: Vec<u64> = (1..=9).map(|failures| back_off(failures, None).as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]);
        assert_eq!(back_off(i32::MAX, None), LONGEST_WAIT);
        assert_eq!(back_off(0, None), FIRST_WAIT);
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(back_off(1, asked(7_200)).as_secs(), 7_200);
        assert_eq!(back_off(3, asked(1)).as_secs(), 120);
        assert_eq!(back_off(1, asked(u64::MAX)), LONGEST_RETRY_AFTER);
    }

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        let read = |text| parse_retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(37));
        assert_eq!(read("Sun, 06 Nov 1994 08:48:37 GMT"), Some(0));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }
}

//! How fast a number may send, in all and to one customer: token buckets.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::errors::{Checked, GraphError};
use crate::config::Limits;

struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

/// The buckets of all numbers and pairs.
pub(crate) struct Rates {
    limits: Limits,
    buckets: Mutex<HashMap<(String, Option<String>), Bucket>>,
}

impl Rates {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            buckets: Mutex::default(),
        }
    }

    /// Counts one message, or refuses it with 130429 or 131056.
    pub(crate) fn count(&self, phone_number_id: &str, customer: &str) -> Checked<()> {
        let number = (phone_number_id.to_owned(), None);
        let a_second = Duration::from_secs(1);
        let each = a_second / self.limits.messages_per_second.max(1);
        if !self.take(number, self.limits.messages_per_second, each) {
            return Err(GraphError::refused(
                429,
                130_429,
                "Message failed to send because there were too many messages sent from this \
                 phone number in a short period of time",
            ));
        }
        let pair = (phone_number_id.to_owned(), Some(customer.to_owned()));
        let each = Duration::from_millis(self.limits.pair_interval_ms);
        if !self.take(pair, self.limits.pair_burst, each) {
            return Err(GraphError::refused(
                429,
                131_056,
                "Message failed to send because there were too many messages sent from this \
                 phone number to the same phone number in a short period of time.",
            ));
        }
        Ok(())
    }

    fn take(&self, key: (String, Option<String>), capacity: u32, refill_each: Duration) -> bool {
        let capacity = f64::from(capacity);
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(key).or_insert(Bucket {
            tokens: capacity,
            filled_at: now,
        });
        let refill =
            now.duration_since(bucket.filled_at).as_secs_f64() / refill_each.as_secs_f64().max(f64::MIN_POSITIVE);
        bucket.tokens = (bucket.tokens + refill).min(capacity);
        bucket.filled_at = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

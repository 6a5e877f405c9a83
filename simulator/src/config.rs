//! What a simulator is started with. Everything that differs between a desk, a test and a
//! stricter rehearsal is a value here; what Meta fixes for everybody is a constant beside its check.

use serde::{Deserialize, Serialize};

/// One simulated Meta: where its webhooks go, and the numbers it serves.
///
/// Only the first four fields have to be given: `Config { …, ..Config::default() }`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where webhooks are posted.
    pub webhook_url: String,
    /// The Meta app's secret: webhooks are signed with it.
    pub app_secret: String,
    /// The only Graph version that is served, for example `v26.0`.
    pub graph_version: String,
    /// The business phone numbers.
    pub numbers: Vec<Number>,
    /// When statuses follow an accepted message.
    pub delays: Delays,
    /// Sending rates.
    pub limits: Limits,
    /// Whether what the simulator has not seen itself counts as real: a customer who never wrote
    /// through it has an open customer service window, a well-formed wamid can be read or reacted
    /// to. On by default, because other tools sign and post webhooks too; off is as strict as Meta.
    pub trust_unseen: bool,
    /// How long a media link works, in seconds (Meta: 5 minutes).
    pub media_url_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            webhook_url: String::new(),
            app_secret: String::new(),
            graph_version: "v26.0".to_owned(),
            numbers: Vec::new(),
            delays: Delays::default(),
            limits: Limits::default(),
            trust_unseen: true,
            media_url_seconds: 300,
        }
    }
}

/// A business phone number, the account it belongs to, and the token that may act for both.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// Graph's id of the number.
    pub phone_number_id: String,
    /// The business account (WABA) it belongs to.
    pub waba_id: String,
    /// As shown to people: `+1 555 0100`.
    pub display_phone_number: String,
    /// The business's name.
    pub verified_name: String,
    /// The bearer token; it is valid for every number of its accounts.
    pub access_token: String,
}

/// Milliseconds from accepting a message to each of its statuses.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delays {
    /// To `sent` (and to `failed`).
    pub sent_ms: u64,
    /// To `delivered`.
    pub delivered_ms: u64,
    /// To `read`, while the customer's phone is open.
    pub read_ms: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            sent_ms: 50,
            delivered_ms: 150,
            read_ms: 300,
        }
    }
}

/// Sending rates; the defaults are Meta's.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Messages a second and number; above it 130429.
    pub messages_per_second: u32,
    /// Messages that one number may send to one customer at once; above it 131056.
    pub pair_burst: u32,
    /// Milliseconds until one more message to the same customer is allowed.
    pub pair_interval_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            messages_per_second: 80,
            pair_burst: 45,
            pair_interval_ms: 6_000,
        }
    }
}

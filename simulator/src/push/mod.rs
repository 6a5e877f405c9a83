//! A browser and its push service: subscriptions whose keys stay here, and notifications that are checked as strictly as by the services of
//! Chrome, Firefox and Safari together, and decrypted.

pub(crate) mod control;
mod decryption;
pub(crate) mod service;
mod vapid;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::rand;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Base64url as browsers write it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// All browsers.
#[derive(Default)]
pub(crate) struct Browsers(Mutex<Known>);

#[derive(Default)]
pub(crate) struct Known {
    /// By the last segment of the endpoint.
    subscriptions: BTreeMap<String, Subscription>,
    notifications: Vec<Notification>,
}

/// A browser that subscribed.
struct Subscription {
    /// What it subscribed with (`applicationServerKey`): nobody else may send.
    server_key: Vec<u8>,
    private_key: PrivateKey,
    public_key: Vec<u8>,
    auth: [u8; 16],
    is_over: bool,
    /// How the next messages are answered.
    answers: VecDeque<Answer>,
}

/// How a message is answered instead of being taken.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Answer {
    /// The status; null checks and takes the message as usual, after the delay.
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    body: String,
    delay_ms: u64,
    /// How often.
    times: Option<usize>,
}

/// What reached the push service.
#[derive(Debug, Clone, Serialize)]
struct Notification {
    time: Timestamp,
    subscription: String,
    /// What the push service answered.
    status: u16,
    /// Why it was not taken.
    problem: Option<String>,
    topic: Option<String>,
    urgency: Option<String>,
    ttl: Option<u64>,
    /// Bytes of the encrypted message.
    size: usize,
    /// What the browser read; null where nothing came through.
    payload: Option<Value>,
    /// Bytes of what the browser read, without padding.
    payload_size: Option<usize>,
}

impl Browsers {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// A new browser. Its endpoint's last segment.
    fn subscribe(&mut self, server_key: Vec<u8>) -> Option<String> {
        let private_key = PrivateKey::generate(&ECDH_P256).ok()?;
        let public_key = private_key.compute_public_key().ok()?.as_ref().to_vec();
        let (mut auth, mut id) = ([0; 16], [0; 24]);
        rand::fill(&mut auth).ok()?;
        rand::fill(&mut id).ok()?;
        let id = BASE64URL.encode(id);
        let subscription = Subscription {
            server_key,
            private_key,
            public_key,
            auth,
            is_over: false,
            answers: VecDeque::new(),
        };
        self.subscriptions.insert(id.clone(), subscription);
        Some(id)
    }
}

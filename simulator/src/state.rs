//! What the simulator remembers, all of it in memory: conversations as the customers' phones show
//! them, media, and the means to tell others of a change. Every part of the crate works on this.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;

use crate::config::{Config, Number};
use crate::faults::Faults;
use crate::graph::rates::Rates;
use crate::graph::sample_templates;
use crate::ids;
use crate::push::Browsers;
use crate::requests::RequestLog;
use crate::webhooks::{Deliveries, Traits};

/// The running simulator.
pub(crate) struct Simulator {
    pub(crate) config: Config,
    /// Where this simulator is reached, without a slash at the end.
    pub(crate) base_url: String,
    pub(crate) deliveries: Deliveries,
    pub(crate) faults: Faults,
    pub(crate) requests: RequestLog,
    pub(crate) rates: Rates,
    pub(crate) browsers: Browsers,
    pub(crate) changes: broadcast::Sender<Change>,
    world: Mutex<World>,
}

/// Says that a conversation is no longer what it was.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Change {
    pub(crate) phone_number_id: String,
    pub(crate) customer: String,
}

/// Everything that was said.
pub(crate) struct World {
    pub(crate) conversations: Vec<Conversation>,
    /// The message templates of every account, as Graph lists them.
    pub(crate) templates: Vec<Value>,
    pub(crate) media: HashMap<String, Media>,
    /// Customers (by key) whose phone is put away: messages are delivered, not read.
    pub(crate) closed_phones: HashSet<String>,
    /// Accounts of which the app gets no webhooks.
    pub(crate) silent_accounts: HashSet<String>,
}

/// A customer as one business sees them.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Customer {
    pub(crate) wa_id: Option<String>,
    pub(crate) user_id: String,
    pub(crate) username: Option<String>,
    pub(crate) name: Option<String>,
}

impl Customer {
    /// What names the customer in this crate: the phone number where it is visible.
    pub(crate) fn key(&self) -> &str {
        self.wa_id.as_deref().unwrap_or(&self.user_id)
    }
}

/// One customer and one business number.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    pub(crate) phone_number_id: String,
    pub(crate) customer: Customer,
    pub(crate) last_inbound: Option<Timestamp>,
    pub(crate) typing_until: Option<Timestamp>,
    pub(crate) messages: Vec<Message>,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sender {
    Customer,
    /// Through Graph.
    Business,
    /// From the business's own phone.
    BusinessApp,
}

/// A message of a conversation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) sender: Sender,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The message as it was asked for or as the webhook carried it.
    pub(crate) body: Value,
    pub(crate) timestamp: Timestamp,
    /// Statuses reached, in the order they were reached.
    pub(crate) statuses: Vec<&'static str>,
    /// Of a customer's message: the business marked it as read.
    pub(crate) read_by_business: bool,
}

impl Message {
    pub(crate) fn has_reached(&self, status: &str) -> bool {
        self.statuses.contains(&status)
    }
}

/// A stored file.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) phone_number_id: String,
    pub(crate) mime_type: String,
    pub(crate) bytes: axum::body::Bytes,
    pub(crate) expires_at: Timestamp,
}

impl Default for World {
    fn default() -> Self {
        Self {
            conversations: Vec::new(),
            templates: sample_templates(),
            media: HashMap::new(),
            closed_phones: HashSet::new(),
            silent_accounts: HashSet::new(),
        }
    }
}

impl World {
    pub(crate) fn conversation(&self, phone_number_id: &str, customer: &str) -> Option<&Conversation> {
        self.conversations
            .iter()
            .find(|c| c.phone_number_id == phone_number_id && c.is_with(customer))
    }

    /// The conversation with `customer`, begun where there is none; what is newly known about the
    /// customer is kept.
    pub(crate) fn open_conversation(&mut self, phone_number_id: &str, customer: Customer) -> &mut Conversation {
        let known = self.conversations.iter().position(|c| {
            c.phone_number_id == phone_number_id && (c.is_with(customer.key()) || c.is_with(&customer.user_id))
        });
        let index = known.unwrap_or_else(|| {
            self.conversations.push(Conversation {
                id: ids::make_conversation_id(),
                phone_number_id: phone_number_id.to_owned(),
                customer: customer.clone(),
                last_inbound: None,
                typing_until: None,
                messages: Vec::new(),
            });
            self.conversations.len() - 1
        });
        let conversation = &mut self.conversations[index];
        let known = &mut conversation.customer;
        known.name = customer.name.or(known.name.take());
        known.username = customer.username.or(known.username.take());
        conversation
    }

    /// The message `wamid` of one number, with its conversation.
    pub(crate) fn find_message(&self, phone_number_id: &str, wamid: &str) -> Option<(&Conversation, &Message)> {
        self.conversations
            .iter()
            .filter(|c| c.phone_number_id == phone_number_id)
            .find_map(|c| Some((c, c.messages.iter().rev().find(|m| m.id == wamid)?)))
    }

    pub(crate) fn message_mut(&mut self, phone_number_id: &str, wamid: &str) -> Option<&mut Message> {
        self.conversations
            .iter_mut()
            .filter(|c| c.phone_number_id == phone_number_id)
            .find_map(|c| c.messages.iter_mut().rev().find(|m| m.id == wamid))
    }
}

impl Conversation {
    fn is_with(&self, customer: &str) -> bool {
        self.customer.key() == customer || self.customer.user_id == customer
    }
}

impl Simulator {
    pub(crate) fn new(config: Config, base_url: String, deliveries: Deliveries) -> Self {
        Self {
            rates: Rates::new(config.limits),
            config,
            base_url,
            deliveries,
            faults: Faults::default(),
            requests: RequestLog::default(),
            browsers: Browsers::default(),
            changes: broadcast::channel(256).0,
            world: Mutex::default(),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        // A panic elsewhere must not take the whole simulator down with it.
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn number(&self, phone_number_id: &str) -> Option<&Number> {
        self.config
            .numbers
            .iter()
            .find(|n| n.phone_number_id == phone_number_id)
    }

    /// Posts a planned webhook of this number, unless the app is not subscribed to its account.
    pub(crate) async fn deliver(&self, phone_number_id: &str, payload: &Value, traits: Traits) {
        let account = self.number(phone_number_id).map(|number| &number.waba_id);
        if account.is_some_and(|id| self.world().silent_accounts.contains(id)) {
            self.deliveries.settle();
        } else {
            self.deliveries.post(payload, traits).await;
        }
    }

    /// Tells the pages that watch.
    pub(crate) fn announce(&self, phone_number_id: &str, customer: &str) {
        // Nobody watching is fine.
        let _ = self.changes.send(Change {
            phone_number_id: phone_number_id.to_owned(),
            customer: customer.to_owned(),
        });
    }
}

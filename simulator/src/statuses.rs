//! What becomes of an accepted message: `sent`, `delivered`, `read` or `failed`, each its own
//! webhook after its own delay.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::graph::{callback_data, error_title, template_category};
use crate::state::{Conversation, Message, Sender, Simulator};
use crate::webhooks::{Traits, envelope};

/// How far a message gets.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// To the customer's eyes.
    Read,
    /// Reactions have no other status.
    Sent,
    Failed {
        code: i64,
        title: Option<String>,
        details: Option<String>,
        after_sent: bool,
    },
}

impl Outcome {
    pub(crate) fn failed(code: i64, details: &str) -> Self {
        Self::Failed {
            code,
            title: None,
            details: Some(details.to_owned()),
            after_sent: false,
        }
    }

    fn errors(&self) -> Option<Value> {
        let Self::Failed {
            code, title, details, ..
        } = self
        else {
            return None;
        };
        let title = title.as_deref().unwrap_or_else(|| error_title(*code));
        Some(json!([{
            "code": code,
            "title": title,
            "message": title,
            "error_data": {"details": details.as_deref().unwrap_or(title)},
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        }]))
    }
}

/// Plans the statuses of a message that was just accepted.
pub(crate) fn plan(simulator: &Arc<Simulator>, phone_number_id: &str, wamid: &str, outcome: &Outcome, traits: Traits) {
    let delays = simulator.config.delays;
    let steps = match outcome {
        Outcome::Read => vec![
            ("sent", delays.sent_ms),
            ("delivered", delays.delivered_ms),
            ("read", delays.read_ms),
        ],
        Outcome::Sent => vec![("sent", delays.sent_ms)],
        Outcome::Failed { after_sent: true, .. } => vec![("sent", delays.sent_ms), ("failed", delays.delivered_ms)],
        Outcome::Failed { .. } => vec![("failed", delays.sent_ms)],
    };
    let mut pauses: Vec<u64> = steps.iter().map(|(_, delay)| *delay).collect();
    if traits.reversed {
        pauses.reverse();
    }
    let accepted_at = Timestamp::now();
    for ((status, delay), pause) in steps.into_iter().zip(pauses) {
        let happened_at = accepted_at + SignedDuration::from_millis(i64::try_from(delay).unwrap_or_default());
        plan_one(
            simulator,
            phone_number_id,
            wamid,
            Step {
                status,
                happened_at,
                errors: outcome.errors().filter(|_| status == "failed"),
            },
            Duration::from_millis(pause),
            traits,
        );
    }
}

/// The customer takes the phone in hand: what was delivered meanwhile is read.
pub(crate) fn read_delivered(simulator: &Arc<Simulator>, customer: &str) {
    let unread: Vec<(String, String)> = simulator
        .world()
        .conversations
        .iter()
        .filter(|conversation| conversation.customer.key() == customer)
        .flat_map(|conversation| {
            conversation
                .messages
                .iter()
                .filter(|m| m.sender == Sender::Business)
                .filter(|m| m.has_reached("delivered") && !m.has_reached("read"))
                .map(|m| (conversation.phone_number_id.clone(), m.id.clone()))
        })
        .collect();
    for (phone_number_id, wamid) in unread {
        let step = Step {
            status: "read",
            happened_at: Timestamp::now(),
            errors: None,
        };
        plan_one(
            simulator,
            &phone_number_id,
            &wamid,
            step,
            Duration::ZERO,
            Traits::default(),
        );
    }
}

struct Step {
    status: &'static str,
    happened_at: Timestamp,
    errors: Option<Value>,
}

fn plan_one(
    simulator: &Arc<Simulator>,
    phone_number_id: &str,
    wamid: &str,
    step: Step,
    pause: Duration,
    traits: Traits,
) {
    let (own, phone_number_id, wamid) = (Arc::clone(simulator), phone_number_id.to_owned(), wamid.to_owned());
    simulator.deliveries.plan(async move {
        sleep(pause).await;
        match reach(&own, &phone_number_id, &wamid, &step) {
            Some(payload) if traits.copies > 0 => own.deliver(&phone_number_id, &payload, traits).await,
            _ => own.deliveries.settle(),
        }
    });
}

/// Notes the status and makes its webhook; nothing when the phone is put away, or twice.
fn reach(simulator: &Simulator, phone_number_id: &str, wamid: &str, step: &Step) -> Option<Value> {
    let number = simulator.number(phone_number_id)?;
    let mut world = simulator.world();
    let customer = world.find_message(phone_number_id, wamid)?.0.customer.key().to_owned();
    if step.status == "read" && world.closed_phones.contains(&customer) {
        return None;
    }
    let message = world.message_mut(phone_number_id, wamid)?;
    if message.has_reached(step.status) {
        return None;
    }
    message.statuses.push(step.status);
    let (conversation, message) = world.find_message(phone_number_id, wamid)?;
    let status = describe(&world.templates, conversation, message, step);
    let mut contact = json!({"user_id": conversation.customer.user_id});
    if let Some(wa_id) = &conversation.customer.wa_id {
        contact["wa_id"] = wa_id.as_str().into();
    }
    drop(world);
    simulator.announce(phone_number_id, &customer);
    Some(envelope(
        number,
        "messages",
        json!({"contacts": [contact], "statuses": [status]}),
    ))
}

fn describe(templates: &[Value], conversation: &Conversation, message: &Message, step: &Step) -> Value {
    let mut status = json!({
        "id": message.id,
        "status": step.status,
        "timestamp": step.happened_at.as_second().to_string(),
        "recipient_user_id": conversation.customer.user_id,
    });
    if let Some(wa_id) = &conversation.customer.wa_id {
        status["recipient_id"] = wa_id.as_str().into();
    }
    if let Some(data) = callback_data(&message.body) {
        status["biz_opaque_callback_data"] = data.into();
    }
    if let Some(errors) = &step.errors {
        status["errors"] = errors.clone();
        return status;
    }
    let category = if message.kind == "template" {
        template_category(templates, &message.body)
    } else {
        "service".to_owned()
    };
    let is_free = category == "service";
    status["conversation"] = json!({"id": conversation.id, "origin": {"type": category}});
    if step.status == "sent" {
        let expires = message.timestamp + SignedDuration::from_hours(24);
        status["conversation"]["expiration_timestamp"] = expires.as_second().to_string().into();
    }
    status["pricing"] = json!({
        "billable": !is_free,
        "pricing_model": "PMP",
        "type": if is_free { "free_customer_service" } else { "regular" },
        "category": category,
    });
    status
}

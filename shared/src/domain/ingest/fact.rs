//! What webhooks say of contacts, phone numbers, accounts and templates. Of each such fact only the newest counts.
//! Source: <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference>.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::event::StatusEvent;
use super::{Digest, Origin, Plan, Quarantined, item_digest, origin, timestamp};
use crate::domain::customer::{Customer, Identity};
use crate::whatsapp::errors::OPTED_OUT;
use crate::whatsapp::json::text;
use crate::whatsapp::webhook::Item;

/// One thing that a webhook says.
#[derive(Debug, Clone)]
pub struct Fact {
    /// Of what.
    pub subject: Subject,
    /// What of it.
    pub name: &'static str,
    /// The value.
    pub value: Value,
    /// As of when.
    pub occurred_at: Timestamp,
    /// Decides between two of the same time.
    pub digest: Digest,
    /// Where it came in; only what is about a contact names one of our phone numbers.
    pub origin: Option<Origin>,
    /// Whether a status says it, which is kept as an event.
    pub is_of_status: bool,
}

impl Fact {
    /// The customer wants no marketing messages, as Graph says in its answer to one.
    #[must_use]
    pub fn opt_out(phone_number_id: &str, customer: &Customer, now: Timestamp) -> Self {
        let digest = super::digest(&[b"opt_out", phone_number_id.as_bytes(), customer.key().as_bytes()]);
        let origin = Origin {
            waba_id: None,
            phone_number_id: phone_number_id.to_owned(),
            field: None,
            digest,
            body: String::new(),
        };
        Self::of_contact(origin, customer, MARKETING, json!(STOP), now)
    }

    fn of_contact(
        origin: Origin,
        customer: &Customer,
        name: &'static str,
        value: Value,
        occurred_at: Timestamp,
    ) -> Self {
        Self {
            subject: Subject::Contact(Identity::linked(customer)),
            name,
            value,
            occurred_at,
            digest: origin.digest,
            origin: Some(origin),
            is_of_status: false,
        }
    }
}

/// The name of a customer's wish about marketing messages, and its value against them.
const MARKETING: &str = "marketing";
const STOP: &str = "stop";

/// What a status says of its customer: that they want no marketing messages.
pub(super) fn opt_out_of(status: &StatusEvent, customer: &Customer) -> Option<Fact> {
    let code = status.error.as_ref()?.code?;
    (code == OPTED_OUT).then(|| Fact {
        is_of_status: true,
        ..Fact::of_contact(
            status.origin.clone(),
            customer,
            MARKETING,
            json!(STOP),
            status.occurred_at,
        )
    })
}

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A customer as one of our numbers knows them.
    Contact(Identity),
    /// A business phone number. Such webhooks name it by its digits, not by its id.
    PhoneNumber {
        /// Its account.
        waba_id: String,
        /// As people write it, digits only.
        digits: String,
    },
    /// An account.
    Account {
        /// Its id.
        waba_id: String,
    },
    /// A message template.
    Template {
        /// Its account.
        waba_id: String,
        /// Meta's id of it.
        template_id: String,
    },
}

impl Subject {
    /// Whether its ids have the length of ids: an index row has room for little more.
    fn fits(&self) -> bool {
        let ids: &[&String] = match self {
            // Its ids were looked at before they became a customer's.
            Self::Contact(_) => &[],
            Self::PhoneNumber { waba_id, digits } => &[waba_id, digits],
            Self::Account { waba_id } => &[waba_id],
            Self::Template { waba_id, template_id } => &[waba_id, template_id],
        };
        ids.iter().all(|id| id.chars().count() <= super::COLUMN_LENGTH)
    }
}

/// A contact of the address book in the WhatsApp Business app: its name, or that it was removed.
pub(super) fn plan_contact(item: &Item, sync: &Value, received_at: Timestamp, plan: &mut Plan) -> Result<(), String> {
    let contact = sync
        .get("contact")
        .filter(|_| text(sync, "type").as_deref() == Some("contact"))
        .ok_or_else(|| format!("state_sync:{}", text(sync, "type").unwrap_or_default()))?;
    let customer = Customer::new(
        text(contact, "phone_number")
            .or_else(|| text(contact, "wa_id"))
            .as_deref(),
        text(contact, "user_id").as_deref(),
    )
    .ok_or("missing_contact")?;
    let occurred_at = timestamp(sync.get("metadata").unwrap_or(sync), received_at)?;
    let name = text(contact, "full_name").or_else(|| text(contact, "first_name"));
    let name = name.filter(|_| text(sync, "action").as_deref() != Some("remove"));
    let name: Option<String> = name.map(|name| name.chars().take(super::COLUMN_LENGTH).collect());
    apply_contact(item, &customer, "contact_name", json!(name), occurred_at, plan)
}

/// Whether a customer wants marketing messages.
pub(super) fn plan_preference(
    item: &Item,
    preference: &Value,
    received_at: Timestamp,
    plan: &mut Plan,
) -> Result<(), String> {
    let category = text(preference, "category").unwrap_or_default();
    if category != "marketing_messages" {
        return Err(format!("preference:{category}"));
    }
    let customer = Customer::new(
        text(preference, "wa_id").as_deref(),
        text(preference, "user_id").as_deref(),
    )
    .ok_or("missing_contact")?;
    let value = text(preference, "value").ok_or("missing_value")?;
    let occurred_at = timestamp(preference, received_at)?;
    apply_contact(item, &customer, MARKETING, json!(value), occurred_at, plan)
}

fn apply_contact(
    item: &Item,
    customer: &Customer,
    name: &'static str,
    value: Value,
    occurred_at: Timestamp,
    plan: &mut Plan,
) -> Result<(), String> {
    let origin = origin(item)?;
    plan.facts
        .push(Fact::of_contact(origin, customer, name, value, occurred_at));
    Ok(())
}

/// What a change says of an account, a phone number or a template.
pub(super) fn plan_update(
    item: &Item,
    value: &Value,
    time: Option<i64>,
    received_at: Timestamp,
    plan: &mut Plan,
) -> Result<(), String> {
    let field = item.field.clone().unwrap_or_default();
    let digest = item_digest(item);
    let entry = item.waba_id.clone().ok_or("missing_waba_id")?;
    let occurred_at = match time {
        None => received_at,
        Some(time) => time_of(time)
            .filter(|time| *time <= received_at + SignedDuration::from_hours(24))
            .ok_or("invalid_timestamp")?,
    };
    let facts: Vec<(Subject, &'static str, Value)> = match field.as_str() {
        "account_update" | "account_review_update" => account_fact(value, entry).into_iter().collect(),
        "phone_number_name_update" | "phone_number_quality_update" => {
            number_fact(&field, value, entry).into_iter().collect()
        }
        _ => template_facts(value, &entry),
    };
    if facts.is_empty() {
        return Err(format!("field:{field}"));
    }
    if facts.iter().any(|(subject, _, _)| !subject.fits()) {
        return Err("id_too_long".to_owned());
    }
    plan.quarantined.push(Quarantined {
        digest,
        reason: format!("applied:{field}"),
        field: item.field.clone(),
        waba_id: item.waba_id.clone(),
        phone_number_id: item.phone_number_id.clone(),
        body: item.body.clone().into_bytes(),
    });
    plan.facts.extend(facts.into_iter().map(|(subject, name, value)| Fact {
        subject,
        name,
        value,
        occurred_at,
        digest,
        origin: None,
        is_of_status: false,
    }));
    Ok(())
}

/// Unix time in seconds, or in milliseconds where it is too large for that.
fn time_of(time: i64) -> Option<Timestamp> {
    const YEAR_5138: i64 = 100_000_000_000;
    let time = if time > YEAR_5138 {
        Timestamp::from_millisecond(time)
    } else {
        Timestamp::from_second(time)
    };
    time.ok().filter(|time| *time > Timestamp::UNIX_EPOCH)
}

/// What the event means for sending and receiving. A solution partner's webhooks name the account within.
fn account_fact(value: &Value, entry: String) -> Option<(Subject, &'static str, Value)> {
    let event = text(value, "event").or_else(|| text(value, "decision"))?;
    let status = match event.as_str() {
        "ACCOUNT_DELETED" => "deleted",
        "ACCOUNT_OFFBOARDED" | "PARTNER_REMOVED" | "PARTNER_APP_UNINSTALLED" => "reconnect_required",
        "ACCOUNT_RECONNECTED" | "PARTNER_ADDED" | "PARTNER_APP_INSTALLED" | "APPROVED" => "active",
        "ACCOUNT_RESTRICTION" => "restricted",
        "REJECTED" => "rejected",
        "DISABLED_UPDATE" => match value.pointer("/ban_info/waba_ban_state").and_then(Value::as_str)? {
            "DISABLE" => "disabled",
            "REINSTATE" => "active",
            _ => "disable_scheduled",
        },
        _ => return None,
    };
    let until = value
        .get("restriction_info")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|restriction| time_of(text(restriction, "expiration")?.parse().ok()?))
        .max();
    let waba_id = value.get("waba_info").and_then(|info| text(info, "waba_id"));
    let subject = Subject::Account {
        waba_id: waba_id.unwrap_or(entry),
    };
    Some((
        subject,
        "status",
        json!({"status": status, "event": event, "until": until}),
    ))
}

fn number_fact(field: &str, value: &Value, waba_id: String) -> Option<(Subject, &'static str, Value)> {
    let digits: String = text(value, "display_phone_number")?
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let subject = Subject::PhoneNumber { waba_id, digits };
    if field == "phone_number_name_update" {
        let name = text(value, "requested_verified_name")?;
        let is_approved = text(value, "decision").as_deref() == Some("APPROVED");
        return is_approved.then(|| (subject, "verified_name", json!(name)));
    }
    // A number is flagged while its quality is low; what it is otherwise, the webhook does not say.
    let rating = match text(value, "event")?.as_str() {
        "FLAGGED" => "RED",
        "UNFLAGGED" => "UNKNOWN",
        _ => {
            let limit = text(value, "current_limit").or_else(|| text(value, "max_daily_conversations_per_business"))?;
            return Some((subject, "messaging_limit", json!(limit)));
        }
    };
    Some((subject, "quality_rating", json!(rating)))
}

fn template_facts(value: &Value, waba_id: &str) -> Vec<(Subject, &'static str, Value)> {
    let Some(template_id) = text(value, "message_template_id") else {
        return Vec::new();
    };
    let subject = Subject::Template {
        waba_id: waba_id.to_owned(),
        template_id,
    };
    // Told apart by what they hold: Meta's own samples name the wrong field.
    [
        ("status", "event"),
        ("category", "new_category"),
        ("quality", "new_quality_score"),
        ("components", "message_template_element"),
    ]
    .iter()
    .filter(|(_, key)| value.get(*key).is_some_and(|it| !it.is_null()))
    .map(|(name, _)| (subject.clone(), *name, value.clone()))
    .collect()
}

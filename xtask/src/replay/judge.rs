//! Compares an expectation with what was seen of its item: pure, so that a rule of the API is a line here and a case of a test.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use shared::domain::customer::phone_of;
use shared::domain::message::{MEDIA_TYPES, Status};

use super::expect::{Expectation, Outcome};
use super::items::{Item, Kind};

/// The types that the API shows under their own name; every other is `unsupported`.
const OTHER_TYPES: [&str; 7] = [
    "text",
    "location",
    "contacts",
    "interactive",
    "button",
    "order",
    "system",
];
/// Messages that make no message of their own.
const EVENT_TYPES: [&str; 3] = ["reaction", "edit", "revoke"];
/// What the ingest takes for an id (characters).
const ID_LENGTH: usize = 255;
/// How far ahead of our clock a time may be (seconds).
const AHEAD: i64 = 24 * 60 * 60;

/// What the system shows and keeps after the payloads were posted.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// The phone numbers of the agent.
    pub(super) numbers: HashSet<String>,
    /// The messages that the API shows, by (phone number id, wamid).
    pub(super) messages: HashMap<(String, String), Vec<Shown>>,
    pub(super) events: Vec<Event>,
    /// The reasons for which the items with a key are in the quarantine.
    pub(super) quarantined: HashMap<String, Vec<String>>,
    /// The customers that a phone number or a user id was seen with.
    pub(super) customers: HashMap<String, HashSet<i64>>,
}

/// A message as the API shows it, and whose conversation it is in.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    pub(super) customer_phone: Option<String>,
    pub(super) customer_user_id: Option<String>,
    pub(super) message: ApiMessage,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct ApiMessage {
    pub(super) wa_message_id: Option<String>,
    pub(super) message_type: Option<String>,
    pub(super) content: Option<String>,
    pub(super) media_caption: Option<String>,
    pub(super) sender: Option<String>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) reactions: Vec<Reaction>,
    pub(super) edited_at: Option<Timestamp>,
    pub(super) deleted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Reaction {
    pub(super) emoji: String,
    pub(super) sender: String,
}

/// A row of `chat_message_events`.
#[derive(Debug, Clone, Default)]
pub(super) struct Event {
    pub(super) phone_number_id: String,
    pub(super) kind: String,
    /// The wamid of the message that it is about.
    pub(super) target: String,
    pub(super) wamid: Option<String>,
    pub(super) sender: Option<String>,
    pub(super) status: Option<String>,
    pub(super) occurred_at: Timestamp,
}

/// Judges one expectation; `now` is when the payloads had been posted.
pub(super) fn judge(expectation: &Expectation, item: Option<&Item>, seen: &Observed, now: Timestamp) -> Outcome {
    let Some(item) = item else {
        return Outcome::Missing;
    };
    let reasons = reasons(item, seen);
    if matches!(expectation.kind, Kind::ValueError | Kind::OtherField) {
        return reasons
            .first()
            .map_or(Outcome::Missing, |reason| Outcome::Quarantined((*reason).clone()));
    }
    // What was applied and is kept beside must be shown too.
    let mut reasons = reasons.into_iter().filter(|reason| !reason.starts_with("applied:"));
    if let Some(reason) = reasons.next() {
        let judged = if may_be_refused(item, reason, seen, now) {
            Outcome::Quarantined
        } else {
            Outcome::Refused
        };
        return judged(reason.clone());
    }
    let judged = match (item.kind, item.text("type").as_deref()) {
        (Kind::Status, _) => status(expectation, item, seen),
        (_, Some(kind)) if EVENT_TYPES.contains(&kind) => event(expectation, item, kind, seen),
        _ => message(expectation, item, seen),
    };
    judged.unwrap_or_else(|outcome| outcome)
}

/// For which reasons all of the item is in the quarantine.
fn reasons<'a>(item: &Item, seen: &'a Observed) -> Vec<&'a String> {
    let kept = |keys: &&Vec<String>| keys.iter().all(|key| seen.quarantined.contains_key(key));
    let keys = item.keys.iter().find(kept).into_iter().flatten();
    keys.flat_map(|key| &seen.quarantined[key]).collect()
}

fn may_be_refused(item: &Item, reason: &str, seen: &Observed, now: Timestamp) -> bool {
    let field = item.field.as_deref().unwrap_or("messages");
    let carries_messages = ["messages", "smb_message_echoes", "history"].contains(&field);
    let is_group = item.text("group_id").is_some() || item.text("recipient_type").as_deref() == Some("group");
    let is_unknown_status =
        item.kind == Kind::Status && Status::from_webhook(&item.text("status").unwrap_or_default()).is_none();
    reason == "conflicting_wamid"
        || (reason == "group" && is_group)
        || is_unknown_status
        || !carries_messages
        || !is_complete(item, seen, now)
}

/// Whether the item has all that the ingest needs: an id, a sender, a time, and a number that is known.
fn is_complete(item: &Item, seen: &Observed, now: Timestamp) -> bool {
    let is_there = |text: Option<String>| text.is_some_and(|text| !text.trim().is_empty());
    let any = |names: &[&str]| names.iter().any(|name| is_there(item.text(name)));
    let has_contact = ["wa_id", "user_id"].iter().any(|name| is_there(item.in_contact(name)));
    let has_customer = match item.kind {
        Kind::Message => any(&["from", "from_user_id"]) || has_contact,
        Kind::Echo => any(&["to", "to_user_id"]) || has_contact,
        Kind::History => item.thread.is_some() || any(&["from", "from_user_id", "to"]),
        Kind::Status | Kind::ValueError | Kind::OtherField => true,
    };
    let seconds = item.text("timestamp").and_then(|seconds| seconds.parse::<i64>().ok());
    let has_id = item.text("id").is_some_and(|id| id.chars().count() <= ID_LENGTH);
    let has_time = seconds.is_some_and(|seconds| (1..=now.as_second() + AHEAD).contains(&seconds));
    let has_number = item
        .phone_number_id
        .as_ref()
        .is_some_and(|id| seen.numbers.contains(id));
    has_id && has_time && has_number && has_customer
}

type Judged = Result<Outcome, Outcome>;

fn same<T: PartialEq + std::fmt::Debug>(field: &'static str, expected: &T, got: &T) -> Result<(), Outcome> {
    if expected == got {
        return Ok(());
    }
    Err(Outcome::Mismatch {
        field,
        expected: format!("{expected:?}"),
        got: format!("{got:?}"),
    })
}

fn time_of(expectation: &Expectation) -> Option<Timestamp> {
    Timestamp::from_second(expectation.timestamp?).ok()
}

fn key(item: &Item, wamid: Option<String>) -> (String, String) {
    (
        item.phone_number_id.clone().unwrap_or_default(),
        wamid.unwrap_or_default(),
    )
}

fn status(expectation: &Expectation, item: &Item, seen: &Observed) -> Judged {
    let (number, wamid) = key(item, expectation.wamid.clone());
    let expected = expectation.status.as_deref().and_then(Status::from_webhook);
    let stored = seen.events.iter().any(|event| {
        event.kind == "status"
            && (&event.phone_number_id, &event.target) == (&number, &wamid)
            && event.status.as_deref() == expected.map(Status::as_str)
            && time_of(expectation).is_none_or(|time| time == event.occurred_at)
    });
    if !stored {
        return Err(Outcome::Missing);
    }
    // A customer's message has no such status, whatever wamid a sample gives it.
    let shown = seen.messages.get(&(number, wamid)).into_iter().flatten();
    let Some(shown) = shown
        .map(|shown| &shown.message)
        .find(|message| message.sender.as_deref() == Some("user"))
    else {
        return Ok(Outcome::Parked);
    };
    let state = serde_json::from_value::<Status>(shown.status.clone().into()).ok();
    if state < expected {
        same("status", &expected, &state)?;
    }
    Ok(Outcome::Found)
}

fn event(expectation: &Expectation, item: &Item, kind: &str, seen: &Observed) -> Judged {
    let (number, wamid) = key(item, expectation.wamid.clone());
    let stored = seen.events.iter().find(|event| {
        event.kind == kind && event.phone_number_id == number && event.wamid.as_deref() == Some(wamid.as_str())
    });
    let event = stored.ok_or(Outcome::Missing)?;
    if let Some(time) = time_of(expectation) {
        same("timestamp", &time, &event.occurred_at)?;
    }
    let (body, name) = match kind {
        "reaction" => ("reaction", "message_id"),
        _ => (kind, "original_message_id"),
    };
    let target = item
        .value
        .get(body)
        .and_then(|body| shared::whatsapp::json::text(body, name));
    same("target", &target.unwrap_or_default(), &event.target)?;
    let sender = sender(item).unwrap_or("customer");
    let customer = customer(expectation, item);
    let messages = seen.messages.get(&(number, event.target.clone())).into_iter().flatten();
    let Some(shown) = messages.into_iter().find(|shown| is_customer(shown, &customer, seen)) else {
        return Ok(Outcome::Parked);
    };
    let shown = &shown.message;
    // Only the newest of a sender shows.
    let is_newest = !seen.events.iter().any(|other| {
        (&other.kind, &other.phone_number_id, &other.target, &other.sender)
            == (&event.kind, &event.phone_number_id, &event.target, &event.sender)
            && (other.occurred_at, &other.wamid) > (event.occurred_at, &event.wamid)
    });
    match kind {
        "reaction" if is_newest && shown.deleted_at.is_none() => {
            let emoji = shown
                .reactions
                .iter()
                .find(|reaction| reaction.sender == sender)
                .map(|it| it.emoji.clone());
            same("reaction", &expectation.text, &emoji)?;
        }
        // Nobody changes somebody else's message.
        "edit" | "revoke" if shown.sender.as_deref() != Some(sender) => {}
        "edit" if shown.deleted_at.is_none() => {
            same("edited", &true, &shown.edited_at.is_some())?;
            if is_newest && expectation.text.is_some() && shown.content != expectation.text {
                same("content", &expectation.text, &shown.media_caption)?;
            }
        }
        "revoke" => {
            same("deleted", &true, &shown.deleted_at.is_some())?;
            same("content", &None, &shown.content)?;
        }
        _ => {}
    }
    Ok(Outcome::Found)
}

fn message(expectation: &Expectation, item: &Item, seen: &Observed) -> Judged {
    let candidates = seen.messages.get(&key(item, expectation.wamid.clone()));
    let candidates = candidates.filter(|shown| !shown.is_empty()).ok_or(Outcome::Missing)?;
    let customer = customer(expectation, item);
    let Some(shown) = candidates.iter().find(|shown| is_customer(shown, &customer, seen)) else {
        let ids = |shown: &Shown| {
            [&shown.customer_phone, &shown.customer_user_id]
                .into_iter()
                .flatten()
                .cloned()
                .collect()
        };
        let got: Vec<String> = candidates
            .iter()
            .flat_map(|shown| -> Vec<String> { ids(shown) })
            .collect();
        return Err(Outcome::Mismatch {
            field: "customer",
            expected: customer.join(" or "),
            got: got.join(", "),
        });
    };
    let shown = &shown.message;
    let declared = item.text("type").unwrap_or_default();
    let shown_type = shown.message_type.clone().unwrap_or_default();
    // A history first says that there is a file, and later brings it under the same wamid.
    if declared == "media_placeholder" && MEDIA_TYPES.contains(&shown_type.as_str()) {
        return Ok(Outcome::Found);
    }
    same("message_type", &type_of(&declared, item), &shown_type.as_str())?;
    if let Some(sender) = sender(item) {
        same("sender", &Some(sender), &shown.sender.as_deref())?;
    }
    if let Some(time) = time_of(expectation) {
        same("timestamp", &Some(time), &shown.timestamp)?;
    }
    text(expectation, item, shown)?;
    Ok(Outcome::Found)
}

fn type_of<'a>(declared: &'a str, item: &Item) -> &'a str {
    let is_known = OTHER_TYPES.contains(&declared) || MEDIA_TYPES.contains(&declared);
    // WhatsApp leaves the body out where it could not deliver it, and gives errors instead.
    let is_empty = declared == "interactive" && item.value.get("interactive").is_none();
    if is_known && !is_empty { declared } else { "unsupported" }
}

fn text(expectation: &Expectation, item: &Item, shown: &ApiMessage) -> Result<(), Outcome> {
    if shown.deleted_at.is_some() {
        return same("content", &None, &shown.content);
    }
    if shown.edited_at.is_some() {
        return Ok(());
    }
    let shown_type = shown.message_type.as_deref().unwrap_or_default();
    if MEDIA_TYPES.contains(&shown_type) {
        same("content", &None, &shown.content)?;
        return same("media_caption", &expectation.text, &shown.media_caption);
    }
    match (shown_type, &expectation.text) {
        ("unsupported", _) => same("content", &None, &shown.content),
        // Several contacts stand in one line; the expectation names the first.
        ("contacts", Some(first)) if shown.content.as_ref().is_some_and(|all| all.starts_with(first)) => Ok(()),
        ("order", None) => {
            let lines = item
                .value
                .pointer("/order/product_items")
                .and_then(|lines| Some(lines.as_array()?.len()));
            let count = match lines.unwrap_or_default() {
                1 => "1 item".to_owned(),
                count => format!("{count} items"),
            };
            same("content", &Some(count), &shown.content)
        }
        (_, Some(_)) => same("content", &expectation.text, &shown.content),
        (_, None) => Ok(()),
    }
}

/// Who wrote it; `None` where the item does not say.
fn sender(item: &Item) -> Option<&'static str> {
    match (item.kind, &item.thread) {
        (Kind::Echo, _) => Some("user"),
        (Kind::History, Some(thread)) if item.text("from").as_ref() != Some(thread) => Some("user"),
        (Kind::History, None) => None,
        _ => Some("customer"),
    }
}

/// Every form in which the event names its customer.
fn customer(expectation: &Expectation, item: &Item) -> Vec<String> {
    let in_contact = ["wa_id", "user_id"].iter().filter_map(|name| item.in_contact(name));
    expectation.customer.iter().cloned().chain(in_contact).collect()
}

/// Whether the message is in a conversation with this customer, under this name or another that was seen with it.
fn is_customer(shown: &Shown, customer: &[String], seen: &Observed) -> bool {
    let customers = |id: &String| seen.customers.get(id).into_iter().flatten().copied();
    let shown: Vec<&String> = [&shown.customer_phone, &shown.customer_user_id]
        .into_iter()
        .flatten()
        .collect();
    let mut forms = customer
        .iter()
        .flat_map(|id| [Some(id.clone()), phone_of(id)])
        .flatten();
    customer.is_empty()
        || forms.any(|id| {
            let known: HashSet<i64> = customers(&id).collect();
            shown
                .iter()
                .any(|other| **other == id || customers(other).any(|other| known.contains(&other)))
        })
}

#[cfg(test)]
mod tests;

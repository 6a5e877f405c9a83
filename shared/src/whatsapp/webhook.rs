//! A unit from the queue → items. Each item knows the change it came in, so that it can be kept as a webhook body of its own.

use serde_json::Value;

use super::envelope::{Change, Part, parts};
use super::json::{parse_clean, text};

/// One thing that a webhook tells us.
#[derive(Debug)]
pub struct Item {
    /// The entry's WABA id.
    pub waba_id: Option<String>,
    /// The business phone number's id.
    pub phone_number_id: Option<String>,
    /// The change's `field`.
    pub field: Option<String>,
    /// What it is.
    pub content: Content,
    /// The item as a webhook body: the envelope and this item alone, its own text untouched.
    pub body: String,
}

/// The content of an item.
#[derive(Debug)]
pub enum Content {
    /// An element of `messages`, cleaned, with the contacts beside it.
    Message {
        /// The message.
        message: Value,
        /// The elements of `contacts` that the message names.
        contacts: Vec<Value>,
    },
    /// An element of `statuses`, cleaned.
    Status(Value),
    /// What is kept raw, with a code that says why.
    Unknown {
        /// A code for the quarantine.
        reason: String,
    },
}

/// Reads a unit's body. Never fails: what cannot be read becomes an item that says so.
#[must_use]
pub fn parse(body: &str) -> Vec<Item> {
    parts(body)
        .into_iter()
        .flat_map(|part| match part {
            Part::Malformed { reason, body } => vec![Item {
                waba_id: None,
                phone_number_id: None,
                field: None,
                content: Content::Unknown {
                    reason: reason.to_owned(),
                },
                body,
            }],
            Part::Change(change) => change_items(&change),
        })
        .collect()
}

fn change_items(change: &Change<'_>) -> Vec<Item> {
    let field = change.field();
    let item = |content, body| Item {
        waba_id: change.waba_id(),
        phone_number_id: change.phone_number_id(),
        field: field.clone(),
        content,
        body,
    };
    let unknown = |reason: &str| Content::Unknown {
        reason: reason.to_owned(),
    };
    let name = field.as_deref().unwrap_or("none");
    if name != "messages" {
        return vec![item(unknown(&format!("field:{name}")), change.to_body())];
    }
    let mut items = Vec::new();
    for list in ["messages", "statuses", "errors"] {
        for raw in change.items(list) {
            let body = change.body_with(list, &[raw]);
            let content = match (list, parse_clean(raw)) {
                ("errors", _) => unknown("value_error"),
                (_, None) => unknown("unreadable_item"),
                ("messages", Some(message)) => Content::Message {
                    contacts: contacts_in(&body),
                    message,
                },
                (_, Some(status)) => Content::Status(status),
            };
            items.push(item(content, body));
        }
    }
    if items.is_empty() {
        items.push(item(unknown("no_items"), change.to_body()));
    }
    items
}

/// The contacts that [`Change::body_with`] left beside the item.
fn contacts_in(body: &str) -> Vec<Value> {
    parts(body)
        .iter()
        .filter_map(|part| match part {
            Part::Change(change) => Some(change.items("contacts")),
            Part::Malformed { .. } => None,
        })
        .flatten()
        .filter_map(parse_clean)
        .collect()
}

/// The contact that an item's sender is: the one with its `wa_id` or `user_id`, or the only one.
#[must_use]
pub fn contact_of<'a>(contacts: &'a [Value], phone: Option<&str>, user_id: Option<&str>) -> Option<&'a Value> {
    let named = contacts.iter().find(|contact| {
        let is = |key, id: Option<&str>| id.is_some() && text(contact, key).as_deref() == id;
        is("wa_id", phone) || is("user_id", user_id)
    });
    match contacts {
        [only] => named.or(Some(only)),
        _ => named,
    }
}

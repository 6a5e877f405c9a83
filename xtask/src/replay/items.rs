//! The items of a payload, read from its raw text: what an expectation is about, and how an item is known again in the quarantine. Nothing
//! here asks how the ingest reads them.

use std::collections::HashSet;

use serde_json::Value;
use shared::whatsapp::envelope::{Change, ITEM_LISTS, Part, parts};
use shared::whatsapp::json::{elements, member, members, parse_clean, scalar, text};
use shared::whatsapp::webhook::contact_of;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// From a customer.
    Message,
    /// Of a message.
    Status,
    /// A message that the business wrote on its phone.
    Echo,
    /// A message from before the number came here.
    History,
    /// An error beside the items of a change.
    ValueError,
    /// A change without any of these.
    OtherField,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Status => "status",
            Self::Echo => "echo",
            Self::History => "history",
            Self::ValueError => "value_error",
            Self::OtherField => "other_field",
        }
    }
}

/// An item with what its change says of it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) field: Option<String>,
    pub(super) phone_number_id: Option<String>,
    /// The item, cleaned as the ingest cleans it; null where it is too deep to be read.
    pub(super) value: Value,
    /// The contact whose item it is.
    pub(super) contact: Option<Value>,
    /// The customer whose thread of a history it is in.
    pub(super) thread: Option<String>,
    /// The same item has the same keys in every webhook that carries it. It is found where all of the keys of one of these lists are.
    pub(super) keys: Vec<Vec<String>>,
}

impl Item {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(&self.value, name)
    }

    /// A text of the contact.
    pub(super) fn in_contact(&self, name: &str) -> Option<String> {
        text(self.contact.as_ref()?, name)
    }
}

/// The items of a payload, each kind in its order.
pub(super) fn items(payload: &str) -> Vec<Item> {
    let part_items = |part: &Part<'_>| match part {
        Part::Change(change) => items_of(change),
        Part::Malformed { body, .. } => vec![Item {
            kind: Kind::OtherField,
            field: None,
            phone_number_id: None,
            value: Value::Null,
            contact: None,
            thread: None,
            keys: vec![vec![canonical(body)]],
        }],
    };
    parts(payload).iter().flat_map(part_items).collect()
}

/// The phone numbers that a payload names.
pub(super) fn phone_number_ids(payload: &str) -> Vec<String> {
    let numbers = parts(payload).into_iter().filter_map(|part| match part {
        Part::Change(change) => change.phone_number_id(),
        Part::Malformed { .. } => None,
    });
    numbers.collect()
}

/// The keys of everything in a webhook body.
pub(super) fn keys(body: &str) -> HashSet<String> {
    let items = items(body).into_iter().flat_map(|item| item.keys).flatten();
    let changes = parts(body).into_iter().filter_map(|part| match part {
        Part::Change(change) => Some(change_key(&change)),
        Part::Malformed { .. } => None,
    });
    items.chain(changes).collect()
}

fn items_of(change: &Change<'_>) -> Vec<Item> {
    let field = change.field();
    let is_history = field.as_deref() == Some("history");
    let contacts: Vec<Value> = change.items("contacts").into_iter().filter_map(parse_clean).collect();
    let item = |kind, raw, thread: Option<&String>| {
        let value = parse_clean(raw).unwrap_or_default();
        let (person, person_id) = match kind {
            Kind::Echo => ("to", "to_user_id"),
            _ => ("from", "from_user_id"),
        };
        let contact = contact_of(
            &contacts,
            text(&value, person).as_deref(),
            text(&value, person_id).as_deref(),
        );
        Item {
            kind,
            field: field.clone(),
            phone_number_id: change.phone_number_id(),
            contact: contact.cloned(),
            thread: thread.cloned(),
            keys: vec![vec![item_key(change, raw)]],
            value,
        }
    };
    let mut items = Vec::new();
    for raw in change.items("messages") {
        let kind = if is_history { Kind::History } else { Kind::Message };
        items.push(item(kind, raw, None));
    }
    items.extend(
        change
            .items("statuses")
            .into_iter()
            .map(|raw| item(Kind::Status, raw, None)),
    );
    items.extend(
        change
            .items("message_echoes")
            .into_iter()
            .map(|raw| item(Kind::Echo, raw, None)),
    );
    for history in change.items("history").into_iter().filter_map(members) {
        for thread in list(&history, "threads").into_iter().filter_map(members) {
            let customer = member(&thread, "id").and_then(scalar);
            for raw in list(&thread, "messages") {
                items.push(item(Kind::History, raw, customer.as_ref()));
            }
        }
        for raw in list(&history, "errors") {
            items.push(item(Kind::ValueError, raw, None));
        }
    }
    items.extend(
        change
            .items("errors")
            .into_iter()
            .map(|raw| item(Kind::ValueError, raw, None)),
    );
    if items.is_empty() {
        let mut other = item(Kind::OtherField, "null", None);
        // Kept as a whole, or element by element.
        other.keys = vec![vec![change_key(change)]];
        let lists = ITEM_LISTS.iter().flat_map(|list| change.items(list));
        let elements: Vec<String> = lists.map(|raw| item_key(change, raw)).collect();
        if !elements.is_empty() {
            other.keys.push(elements);
        }
        items.push(other);
    }
    items
}

/// The elements of a list of an object; none where it is missing or no array.
fn list<'a>(object: &[(String, &'a str)], name: &str) -> Vec<&'a str> {
    member(object, name).and_then(elements).unwrap_or_default()
}

fn item_key(change: &Change<'_>, raw: &str) -> String {
    format!("{} {}", change.phone_number_id().unwrap_or_default(), canonical(raw))
}

fn change_key(change: &Change<'_>) -> String {
    let value = parse_clean(&change.to_body()).and_then(|body| body.pointer("/entry/0/changes/0/value").cloned());
    format!(
        "{} {} {}",
        change.waba_id().unwrap_or_default(),
        change.field().unwrap_or_default(),
        value.map_or_else(|| change.to_body(), |value| value.to_string())
    )
}

/// The same text for the same JSON; what cannot be read is itself.
fn canonical(raw: &str) -> String {
    parse_clean(raw).map_or_else(|| raw.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhook(field: &str, mut value: Value) -> String {
        value["metadata"] = json!({"phone_number_id": "P"});
        json!({"object": "whatsapp_business_account", "entry": [{"id": "W", "changes": [{"field": field, "value": value}]}]}).to_string()
    }

    #[test]
    fn every_kind_of_item_is_found_in_its_list() {
        let history =
            json!([{"threads": [{"id": "49", "messages": [{"id": "h1"}, {"id": "h2"}]}], "errors": [{"code": 2}]}]);
        let of = |field, value| -> Vec<(Kind, Option<String>, Option<String>)> {
            let items = items(&webhook(field, value));
            items
                .into_iter()
                .map(|item| (item.kind, item.text("id"), item.thread))
                .collect()
        };
        let id = |id: &str| Some(id.to_owned());
        assert_eq!(
            of(
                "messages",
                json!({"messages": [{"id": "a"}], "statuses": [{"id": "b"}], "errors": [{}]})
            ),
            [
                (Kind::Message, id("a"), None),
                (Kind::Status, id("b"), None),
                (Kind::ValueError, None, None)
            ]
        );
        assert_eq!(
            of("history", json!({"history": history, "messages": [{"id": "m"}]})),
            [
                (Kind::History, id("m"), None),
                (Kind::History, id("h1"), id("49")),
                (Kind::History, id("h2"), id("49")),
                (Kind::ValueError, None, None)
            ]
        );
        assert_eq!(
            of("smb_message_echoes", json!({"message_echoes": [{"id": "e"}]})),
            [(Kind::Echo, id("e"), None)]
        );
        assert_eq!(
            of("calls", json!({"calls": [{"id": "c"}]})),
            [(Kind::OtherField, None, None)]
        );
    }

    #[test]
    fn an_item_is_known_again_in_the_webhook_that_was_made_of_it() {
        let body = webhook(
            "messages",
            json!({"messages": [{"id": "a", "x": 1}, {"id": "b"}], "statuses": [{"id": "c"}]}),
        );
        let items = items(&body);
        for part in parts(&body) {
            let Part::Change(change) = part else { panic!() };
            let raw = change.items("messages")[1];
            let kept = keys(&change.body_with("messages", &[raw]));
            let known: Vec<bool> = items.iter().map(|item| kept.contains(&item.keys[0][0])).collect();
            assert_eq!(known, [false, true, false]);
        }
        // The same item for another number is another item.
        assert!(!keys(&body.replace("\"P\"", "\"Q\"")).contains(&items[0].keys[0][0]));
    }

    #[test]
    fn what_has_another_shape_is_known_as_it_is() {
        let body = r#"{"entry": [{"object": "whatsapp_business_account"}]}"#;
        let [item] = &items(body)[..] else { panic!() };
        assert_eq!((item.kind, item.keys.len()), (Kind::OtherField, 1));
        assert!(keys(body).contains(&item.keys[0][0]));
        assert!(!keys("{}").contains(&item.keys[0][0]));
    }

    #[test]
    fn a_change_is_known_as_a_whole_and_by_its_elements() {
        let body = webhook(
            "user_preferences",
            json!({"user_preferences": [{"value": "stop"}, {"value": "resume"}]}),
        );
        let [item] = &items(&body)[..] else { panic!() };
        assert_eq!(item.kind, Kind::OtherField);
        assert_eq!(item.keys.len(), 2);
        assert!(keys(&body).contains(&item.keys[0][0]));
        let alone = webhook("user_preferences", json!({"user_preferences": [{"value": "stop"}]}));
        assert!(keys(&alone).contains(&item.keys[1][0]));
        assert!(!keys(&alone).contains(&item.keys[1][1]));
        assert!(!keys(&alone).contains(&item.keys[0][0]));
    }
}

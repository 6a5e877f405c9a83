//! bytes → units: what of a signed webhook goes to the queue, and in which pieces. A unit is a webhook body with one change; a
//! change that is too large is divided by its items.

use super::envelope::{Change, ITEM_LISTS, Part, parts, with_member};
use super::json::{elements, member, members};

/// A change up to this size (bytes) travels as it came. SQS bills by 64 KiB and takes 1 MiB for ten messages together, so that a
/// batch of ten units of this size still fits one call.
pub const UNIT_SIZE: usize = 96 * 1024;

/// What goes to the queue as one message.
#[derive(Debug, PartialEq, Eq)]
pub struct Unit {
    /// The tenant for fair queueing: the phone number id, else the WABA id.
    pub group: Option<String>,
    /// A webhook body, or bytes that are none.
    pub body: Vec<u8>,
}

/// Why a signed body is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a JSON object")]
pub struct NotAnObject;

/// Divides a signed body into units.
///
/// # Errors
/// When the body is readable text but no JSON object. Text that is not UTF-8 is a unit as a whole: it was signed, so it is kept.
pub fn split(body: &[u8]) -> Result<Vec<Unit>, NotAnObject> {
    let Ok(text) = std::str::from_utf8(body) else {
        return Ok(vec![Unit {
            group: None,
            body: body.to_vec(),
        }]);
    };
    members(text).ok_or(NotAnObject)?;
    let parts = parts(text);
    let whole = parts.len() == 1 && text.len() <= UNIT_SIZE;
    Ok(parts
        .iter()
        .flat_map(|part| match part {
            Part::Malformed { body, .. } => vec![Unit {
                group: None,
                body: body.clone().into_bytes(),
            }],
            Part::Change(change) => {
                let bodies = if whole {
                    vec![text.to_owned()]
                } else {
                    change_bodies(change)
                };
                let group = change.phone_number_id().or_else(|| change.waba_id());
                bodies
                    .into_iter()
                    .map(|body| Unit {
                        group: group.clone(),
                        body: body.into_bytes(),
                    })
                    .collect()
            }
        })
        .collect())
}

fn change_bodies(change: &Change<'_>) -> Vec<String> {
    let whole = change.to_body();
    if whole.len() <= UNIT_SIZE {
        return vec![whole];
    }
    let mut bodies = Vec::new();
    for list in ITEM_LISTS {
        bodies.extend(change.misshapen(list).map(|raw| change.body_with_value(list, raw)));
        let pieces: Vec<String> = change
            .items(list)
            .into_iter()
            .flat_map(|item| {
                if list == "history" {
                    history_pieces(item)
                } else {
                    vec![item.to_owned()]
                }
            })
            .collect();
        for chunk in chunks(&pieces) {
            bodies.push(change.body_with(list, &chunk));
        }
    }
    if bodies.is_empty() { vec![whole] } else { bodies }
}

/// An element of `value.history` holds up to thousands of messages in threads; each piece is such an element with a part of one
/// thread.
fn history_pieces(item: &str) -> Vec<String> {
    let whole = || vec![item.to_owned()];
    if item.len() <= UNIT_SIZE {
        return whole();
    }
    let (Some(history), mut pieces) = (members(item), Vec::new()) else {
        return whole();
    };
    let Some(threads) = member(&history, "threads").and_then(elements) else {
        return whole();
    };
    for thread in threads {
        let thread_members = members(thread).unwrap_or_default();
        match member(&thread_members, "messages").and_then(elements) {
            Some(messages) if !messages.is_empty() => {
                for chunk in chunks(&messages) {
                    let thread = with_member(&thread_members, "messages", &format!("[{}]", chunk.join(",")));
                    pieces.push(with_member(&history, "threads", &format!("[{thread}]")));
                }
            }
            _ => pieces.push(with_member(&history, "threads", &format!("[{thread}]"))),
        }
    }
    if pieces.is_empty() { whole() } else { pieces }
}

/// Consecutive items, together below [`UNIT_SIZE`] or alone.
fn chunks<T: AsRef<str>>(items: &[T]) -> Vec<Vec<&str>> {
    let mut chunks: Vec<Vec<&str>> = Vec::new();
    let mut size = 0;
    for item in items.iter().map(AsRef::as_ref) {
        match chunks.last_mut() {
            Some(chunk) if size + item.len() <= UNIT_SIZE => chunk.push(item),
            _ => {
                chunks.push(vec![item]);
                size = 0;
            }
        }
        size += item.len();
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn body(changes: &Value) -> String {
        json!({"object": "whatsapp_business_account", "entry": [{"id": "W", "changes": changes}]}).to_string()
    }

    fn message(id: usize, text: &str) -> Value {
        json!({"from": format!("49{id}"), "id": format!("wamid.{id}"), "text": {"body": text}, "type": "text"})
    }

    #[test]
    fn a_small_change_travels_as_it_came() {
        let text = body(
            &json!([{"field": "messages", "value": {"metadata": {"phone_number_id": "P"}, "messages": [message(1, "a")]}}]),
        );
        assert_eq!(
            split(text.as_bytes()).unwrap(),
            [Unit {
                group: Some("P".to_owned()),
                body: text.into_bytes()
            }]
        );
    }

    #[test]
    fn several_changes_become_units_of_their_own() {
        let change = |number: &str| json!({"field": "messages", "value": {"metadata": {"phone_number_id": number}, "messages": []}});
        let units = split(body(&json!([change("P"), change("Q"), 5])).as_bytes()).unwrap();
        let groups: Vec<_> = units.iter().map(|unit| unit.group.as_deref()).collect();
        assert_eq!(groups, [Some("P"), Some("Q"), None]);
        let second: Value = serde_json::from_slice(&units[1].body).unwrap();
        assert_eq!(second.to_string(), body(&json!([change("Q")])));
    }

    #[test]
    fn a_large_change_is_divided_and_loses_nothing() {
        let text = "x".repeat(1000);
        let messages: Vec<Value> = (0..1000).map(|id| message(id, &text)).collect();
        let contacts: Vec<Value> = (0..1000)
            .map(|id| json!({"wa_id": format!("49{id}"), "profile": {"name": format!("n{id}")}}))
            .collect();
        let value = json!({"metadata": {"phone_number_id": "P"}, "contacts": contacts, "messages": messages,
            "errors": [{"code": 1}]});
        let units = split(body(&json!([{"field": "messages", "value": value}])).as_bytes()).unwrap();
        let mut seen = Vec::new();
        for unit in &units {
            assert!(unit.body.len() < 2 * UNIT_SIZE);
            let unit: Value = serde_json::from_slice(&unit.body).unwrap();
            let value = &unit["entry"][0]["changes"][0]["value"];
            for (message, contact) in value["messages"]
                .as_array()
                .into_iter()
                .flatten()
                .zip(value["contacts"].as_array().unwrap())
            {
                assert_eq!(message["from"], contact["wa_id"]);
                seen.push(message.clone());
            }
        }
        assert_eq!(seen, messages);
        assert!(units.len() > 10);
        assert!(String::from_utf8_lossy(&units.last().unwrap().body).contains(r#""errors":[{"code":1}]"#));
    }

    #[test]
    fn a_large_history_is_divided_within_its_threads() {
        let text = "x".repeat(3000);
        let messages: Vec<Value> = (0..100).map(|id| message(id, &text)).collect();
        let history = json!([{"metadata": {"phase": 0}, "threads": [
            {"id": "491", "messages": messages[..60]}, {"id": "492", "messages": messages[60..]}]}]);
        let units = split(
            body(&json!([{"field": "history", "value": {"metadata": {"phone_number_id": "P"}, "history": history}}]))
                .as_bytes(),
        )
        .unwrap();
        let mut seen = Vec::new();
        for unit in &units {
            assert!(unit.body.len() < 2 * UNIT_SIZE);
            let unit: Value = serde_json::from_slice(&unit.body).unwrap();
            for element in unit["entry"][0]["changes"][0]["value"]["history"].as_array().unwrap() {
                assert_eq!(element["metadata"]["phase"], 0);
                for message in element["threads"][0]["messages"].as_array().unwrap() {
                    seen.push(message.clone());
                }
            }
        }
        assert_eq!(seen, messages);
    }

    #[test]
    fn what_is_no_object_is_refused_and_what_is_no_text_is_kept() {
        assert_eq!(split(b"hello"), Err(NotAnObject));
        assert_eq!(split(b"[1]"), Err(NotAnObject));
        assert_eq!(split(b""), Err(NotAnObject));
        assert_eq!(
            split(b"{\"a\":\"\xff\"}").unwrap(),
            [Unit {
                group: None,
                body: b"{\"a\":\"\xff\"}".to_vec()
            }]
        );
        assert_eq!(split(b"{}").unwrap().len(), 1);
    }
}

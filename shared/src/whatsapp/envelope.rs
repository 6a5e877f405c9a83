//! The envelope of a webhook: `{object, entry:[{id, time, changes:[{field, value}]}]}`, taken apart by raw slices and put together
//! again around fewer items. What leaves here is always a webhook body of its own, so that a unit on the queue, a row in the
//! quarantine and what Meta posted are read by the same code.

use super::json::{elements, member, members, scalar};

/// The lists of a change's `value` whose elements are items of their own.
pub const ITEM_LISTS: [&str; 7] = [
    "messages",
    "statuses",
    "message_echoes",
    "history",
    "state_sync",
    "user_preferences",
    "errors",
];

/// One part of a webhook body.
#[derive(Debug)]
pub enum Part<'a> {
    /// A change of the documented shape.
    Change(Change<'a>),
    /// Something signed that has another shape, as a body of its own.
    Malformed {
        /// A code for the quarantine.
        reason: &'static str,
        /// The part, in an envelope where it had one.
        body: String,
    },
}

/// A change with the envelope it came in.
#[derive(Debug)]
pub struct Change<'a> {
    object: &'a str,
    entry: Vec<(String, &'a str)>,
    members: Vec<(String, &'a str)>,
    value: Vec<(String, &'a str)>,
}

/// Takes a webhook body apart into its changes.
#[must_use]
pub fn parts(body: &str) -> Vec<Part<'_>> {
    let malformed = |reason| {
        vec![Part::Malformed {
            reason,
            body: body.to_owned(),
        }]
    };
    let Some(top) = members(body) else {
        return malformed("not_an_object");
    };
    let object = match member(&top, "object") {
        Some(raw) if scalar(raw).as_deref() == Some("whatsapp_business_account") => raw,
        _ => return malformed("not_whatsapp"),
    };
    match member(&top, "entry").and_then(elements) {
        Some(entries) if !entries.is_empty() => entries
            .into_iter()
            .flat_map(|entry| entry_parts(object, entry))
            .collect(),
        _ => malformed("no_entries"),
    }
}

fn entry_parts<'a>(object: &'a str, raw: &'a str) -> Vec<Part<'a>> {
    let malformed = |reason| {
        vec![Part::Malformed {
            reason,
            body: format!(r#"{{"object":{object},"entry":[{raw}]}}"#),
        }]
    };
    let Some(entry) = members(raw) else {
        return malformed("malformed_entry");
    };
    match member(&entry, "changes").and_then(elements) {
        Some(changes) if !changes.is_empty() => changes
            .into_iter()
            .map(|raw| change_part(object, &entry, raw))
            .collect(),
        _ => malformed("no_changes"),
    }
}

fn change_part<'a>(object: &'a str, entry: &[(String, &'a str)], raw: &'a str) -> Part<'a> {
    let change = members(raw);
    let value = change
        .as_ref()
        .and_then(|change| member(change, "value"))
        .and_then(members);
    match (change, value) {
        (Some(change), Some(value)) => Part::Change(Change {
            object,
            entry: entry.to_vec(),
            members: change,
            value,
        }),
        _ => Part::Malformed {
            reason: "malformed_change",
            body: wrap(object, entry, raw),
        },
    }
}

impl<'a> Change<'a> {
    /// The WABA id of the entry.
    #[must_use]
    pub fn waba_id(&self) -> Option<String> {
        member(&self.entry, "id").and_then(scalar)
    }

    /// When the webhook was made, in unix seconds; most fields have a time of their own.
    #[must_use]
    pub fn time(&self) -> Option<i64> {
        member(&self.entry, "time").and_then(scalar)?.parse().ok()
    }

    /// What the change is about; where it does not say so, what the lists that it carries belong to.
    #[must_use]
    pub fn field(&self) -> Option<String> {
        const FIELD_OF: [(&str, &str); 6] = [
            ("messages", "messages"),
            ("statuses", "messages"),
            ("message_echoes", "smb_message_echoes"),
            ("history", "history"),
            ("state_sync", "smb_app_state_sync"),
            ("user_preferences", "user_preferences"),
        ];
        match member(&self.members, "field") {
            Some(raw) => scalar(raw),
            None => FIELD_OF
                .iter()
                .find(|(list, _)| !self.items(list).is_empty())
                .map(|(_, field)| (*field).to_owned()),
        }
    }

    /// The business phone number's id, from `value.metadata`.
    #[must_use]
    pub fn phone_number_id(&self) -> Option<String> {
        let metadata = members(self.value_member("metadata")?)?;
        member(&metadata, "phone_number_id")
            .and_then(scalar)
            .filter(|id| !id.is_empty())
    }

    /// The raw `value`.
    #[must_use]
    pub fn value(&self) -> &'a str {
        member(&self.members, "value").unwrap_or("{}")
    }

    /// The raw value of a member of `value`.
    #[must_use]
    pub fn value_member(&self, key: &str) -> Option<&'a str> {
        member(&self.value, key)
    }

    /// The raw elements of a list of `value`; none where it is missing or no array.
    #[must_use]
    pub fn items(&self, list: &str) -> Vec<&'a str> {
        self.value_member(list).and_then(elements).unwrap_or_default()
    }

    /// The change as a body of its own.
    #[must_use]
    pub fn to_body(&self) -> String {
        self.body_around(self.value())
    }

    /// The raw value of a list of `value` that is no array.
    #[must_use]
    pub fn misshapen(&self, list: &str) -> Option<&'a str> {
        self.value_member(list)
            .filter(|raw| *raw != "null" && elements(raw).is_none())
    }

    /// A body with only `items` of `list`: the other item lists are left out, everything else of `value` stays, and of the contacts
    /// those that the items name (all where none is named).
    #[must_use]
    pub fn body_with(&self, list: &str, items: &[&str]) -> String {
        self.body_with_list(list, &format!("[{}]", items.join(",")), &self.contacts_named_by(items))
    }

    /// A body with only `raw` as `list`, whatever it is.
    #[must_use]
    pub fn body_with_value(&self, list: &str, raw: &str) -> String {
        self.body_with_list(list, raw, &self.items("contacts"))
    }

    fn body_with_list(&self, list: &str, raw: &str, contacts: &[&str]) -> String {
        let mut value: Vec<String> = self
            .value
            .iter()
            .filter(|(key, _)| key != "contacts" && !ITEM_LISTS.contains(&key.as_str()))
            .map(|(key, raw)| object_member(key, raw))
            .collect();
        if !contacts.is_empty() {
            value.push(object_member("contacts", &format!("[{}]", contacts.join(","))));
        }
        value.push(object_member(list, raw));
        self.body_around(&format!("{{{}}}", value.join(",")))
    }

    fn body_around(&self, value: &str) -> String {
        let change: Vec<String> = self
            .members
            .iter()
            .map(|(key, raw)| object_member(key, if key == "value" { value } else { raw }))
            .collect();
        wrap(self.object, &self.entry, &format!("{{{}}}", change.join(",")))
    }

    /// The raw contacts that the items name; all where none is named.
    #[must_use]
    pub fn contacts_named_by(&self, items: &[&str]) -> Vec<&'a str> {
        let contacts = self.items("contacts");
        if contacts.len() < 2 {
            return contacts;
        }
        let named: std::collections::HashSet<String> = items.iter().flat_map(|item| people_of(item)).collect();
        let matching: Vec<&str> = contacts
            .iter()
            .copied()
            .filter(|contact| {
                let contact = members(contact).unwrap_or_default();
                ["wa_id", "user_id"]
                    .iter()
                    .filter_map(|key| member(&contact, key).and_then(scalar))
                    .any(|id| named.contains(&id))
            })
            .collect();
        if matching.is_empty() { contacts } else { matching }
    }
}

/// The ids by which an item names people.
fn people_of(item: &str) -> Vec<String> {
    let item = members(item).unwrap_or_default();
    [
        "from",
        "from_user_id",
        "to",
        "to_user_id",
        "recipient_id",
        "recipient_user_id",
        "wa_id",
        "user_id",
    ]
    .iter()
    .filter_map(|key| member(&item, key).and_then(scalar))
    .filter(|id| !id.is_empty())
    .collect()
}

fn wrap(object: &str, entry: &[(String, &str)], change: &str) -> String {
    let entry: Vec<String> = entry
        .iter()
        .filter(|(key, _)| key != "changes")
        .map(|(key, raw)| object_member(key, raw))
        .chain([format!(r#""changes":[{change}]"#)])
        .collect();
    format!(r#"{{"object":{object},"entry":[{{{}}}]}}"#, entry.join(","))
}

/// The object `members` with `key` replaced by `raw`.
#[must_use]
pub fn with_member(members: &[(String, &str)], key: &str, raw: &str) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, old)| object_member(name, if name == key { raw } else { old }))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn object_member(key: &str, raw: &str) -> String {
    format!("{}:{raw}", serde_json::Value::from(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"object":"whatsapp_business_account","entry":[{"id":"1","time":7,"changes":[
        {"field":"messages","value":{"metadata":{"phone_number_id":5},"contacts":[{"wa_id":"11"},{"wa_id":"22"}],
         "messages":[{"from":"11","text":{"body":"\u00e9"}},{"from":"22"}],"errors":[]}},
        {"field":"x","value":3}]},
        {}, 5]}"#;

    #[test]
    fn takes_a_body_apart_and_keeps_what_is_malformed() {
        let parts = parts(BODY);
        assert_eq!(parts.len(), 4);
        let Part::Change(change) = &parts[0] else {
            panic!("{parts:?}")
        };
        assert_eq!(change.waba_id().as_deref(), Some("1"));
        assert_eq!(change.field().as_deref(), Some("messages"));
        assert_eq!(change.phone_number_id().as_deref(), Some("5"));
        let reasons: Vec<_> = parts[1..]
            .iter()
            .map(|part| match part {
                Part::Malformed { reason, .. } => *reason,
                Part::Change(_) => "change",
            })
            .collect();
        assert_eq!(reasons, ["malformed_change", "no_changes", "malformed_entry"]);
    }

    #[test]
    fn puts_one_item_into_an_envelope_of_its_own_without_rewriting_it() {
        let parts = parts(BODY);
        let Part::Change(change) = &parts[0] else {
            panic!("{parts:?}")
        };
        let first = change.items("messages")[0];
        assert_eq!(
            change.body_with("messages", &[first]),
            r#"{"object":"whatsapp_business_account","entry":[{"id":"1","time":7,"changes":[{"field":"messages","value":{"metadata":{"phone_number_id":5},"contacts":[{"wa_id":"11"}],"messages":[{"from":"11","text":{"body":"\u00e9"}}]}}]}]}"#
        );
    }

    #[test]
    fn names_what_is_no_webhook() {
        for (body, expected) in [
            ("[]", "not_an_object"),
            ("{}", "not_whatsapp"),
            (r#"{"object":"page","entry":[]}"#, "not_whatsapp"),
            (r#"{"object":"whatsapp_business_account","entry":{}}"#, "no_entries"),
        ] {
            match &parts(body)[..] {
                [Part::Malformed { reason, body: kept }] => {
                    assert_eq!((*reason, kept.as_str()), (expected, body));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

//! A unit from the queue → items. Each item knows the change it came in, so that it can be kept as a webhook body of its own.

use serde_json::Value;

use super::envelope::{Change, ITEM_LISTS, Part, parts, with_member};
use super::json::{elements, member, members, parse_clean, scalar, text};

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

/// The content of an item. Values are cleaned.
#[derive(Debug)]
pub enum Content {
    /// A message, or an event about one (reaction, edit, revoke).
    Message {
        /// The message.
        message: Value,
        /// The elements of `contacts` that the message names.
        contacts: Vec<Value>,
        /// The way it took to us.
        via: Via,
    },
    /// An element of `statuses`.
    Status(Value),
    /// An element of `state_sync`: the address book of the WhatsApp Business app.
    ContactSync(Value),
    /// An element of `user_preferences`.
    Preference(Value),
    /// The value of a change about an account, a phone number or a template.
    Update {
        /// The value.
        value: Value,
        /// The entry's time, in unix seconds.
        time: Option<i64>,
    },
    /// What is kept raw, with a code that says why.
    Unknown {
        /// A code for the quarantine.
        reason: String,
    },
}

/// The way a message took to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// The customer wrote it just now.
    Live,
    /// The business wrote it in the WhatsApp Business app.
    Echo,
    /// It was on the phone before the number was connected. Names the customer of its thread, where it came in one.
    History(Option<Thread>),
}

/// The customer of a thread of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The thread's id: the customer's phone number, or whatever stands for it.
    pub id: String,
    /// The business-scoped user id.
    pub user_id: Option<String>,
}

/// Fields whose value is about an account, a phone number or a template, and changes what the API says of it.
const UPDATE_FIELDS: [&str; 9] = [
    "account_update",
    "account_review_update",
    "message_template_components_update",
    "message_template_quality_update",
    "message_template_category_update",
    "message_template_status_update",
    "phone_number_name_update",
    "phone_number_quality_update",
    "template_category_update",
];

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
                content: unknown(reason),
                body,
            }],
            Part::Change(change) => change_items(&change),
        })
        .collect()
}

fn change_items(change: &Change<'_>) -> Vec<Item> {
    let field = change.field();
    let item = |(content, body)| Item {
        waba_id: change.waba_id(),
        phone_number_id: change.phone_number_id(),
        field: field.clone(),
        content,
        body,
    };
    let name = field.as_deref().unwrap_or("none");
    let lists: &[&str] = match name {
        "messages" => &["messages", "statuses", "errors"],
        "smb_message_echoes" => &["message_echoes", "errors"],
        "history" => &["history", "messages", "errors"],
        "smb_app_state_sync" => &["state_sync", "errors"],
        "user_preferences" => &["user_preferences", "errors"],
        _ => return vec![item((update(change, name), change.to_body()))],
    };
    let mut items: Vec<Item> = Vec::new();
    for list in lists {
        for raw in change.items(list) {
            if *list == "history" {
                items.extend(history_items(change, raw).into_iter().map(item));
                continue;
            }
            let body = change.body_with(list, &[raw]);
            let content = match (*list, parse_clean(raw)) {
                ("errors", _) => unknown("value_error"),
                (_, None) => unknown("unreadable_item"),
                ("statuses", Some(status)) => Content::Status(status),
                ("state_sync", Some(contact)) => Content::ContactSync(contact),
                ("user_preferences", Some(preference)) => Content::Preference(preference),
                (_, Some(message)) => Content::Message {
                    contacts: contacts_of(change, raw),
                    message,
                    via: match (name, *list) {
                        (_, "message_echoes") => Via::Echo,
                        ("history", _) => Via::History(None),
                        _ => Via::Live,
                    },
                },
            };
            items.push(item((content, body)));
        }
    }
    if items.is_empty() {
        return vec![item((unknown("no_items"), change.to_body()))];
    }
    // What stands beside good items and has no place among them is kept by itself.
    for list in ITEM_LISTS {
        let strange = if lists.contains(&list) {
            change.misshapen(list)
        } else {
            let is_filled = !change.items(list).is_empty();
            change
                .misshapen(list)
                .or(change.value_member(list).filter(|_| is_filled))
        };
        items.extend(strange.map(|raw| item((unknown("unexpected_list"), change.body_with_value(list, raw)))));
    }
    items
}

fn update(change: &Change<'_>, field: &str) -> Content {
    if !UPDATE_FIELDS.contains(&field) {
        return unknown(&format!("field:{field}"));
    }
    match parse_clean(change.value()) {
        None => unknown("unreadable_item"),
        Some(value) => Content::Update {
            value,
            time: change.time(),
        },
    }
}

/// The messages of an element of `history`, which holds them in threads, each in an envelope of its own.
fn history_items(change: &Change<'_>, raw: &str) -> Vec<(Content, String)> {
    let whole = |reason| vec![(unknown(reason), change.body_with("history", &[raw]))];
    let Some(history) = members(raw) else {
        return whole("unreadable_item");
    };
    let threads = member(&history, "threads").and_then(elements).unwrap_or_default();
    let has = |key| {
        member(&history, key)
            .and_then(elements)
            .is_some_and(|all| !all.is_empty())
    };
    let mut items = Vec::new();
    // The business did not share its history, or something went wrong on the way.
    if has("errors") {
        let errors = with_member(&history, "threads", "[]");
        items.push((unknown("value_error"), change.body_with("history", &[&errors])));
    }
    for raw in threads {
        let thread = members(raw).unwrap_or_default();
        let Some(messages) = member(&thread, "messages").and_then(elements) else {
            let alone = with_member(&history, "threads", &format!("[{raw}]"));
            items.push((unknown("malformed_thread"), change.body_with("history", &[&alone])));
            continue;
        };
        for message in messages {
            let own_thread = with_member(&thread, "messages", &format!("[{message}]"));
            let own_history = with_member(&history, "threads", &format!("[{own_thread}]"));
            let body = change.body_with("history", &[&own_history]);
            let content = match parse_clean(message) {
                None => unknown("unreadable_item"),
                Some(message) => Content::Message {
                    contacts: contacts_of(change, &own_history),
                    message,
                    via: Via::History(thread_of(&thread)),
                },
            };
            items.push((content, body));
        }
    }
    if items.is_empty() { whole("no_items") } else { items }
}

fn thread_of(thread: &[(String, &str)]) -> Option<Thread> {
    let context = member(thread, "context").and_then(members).unwrap_or_default();
    let user_id = [thread, &context]
        .iter()
        .find_map(|members| member(members, "user_id").and_then(scalar));
    let id = member(thread, "id").and_then(scalar).filter(|id| !id.is_empty());
    Some(Thread {
        id: id.or_else(|| user_id.clone())?,
        user_id,
    })
}

fn unknown(reason: &str) -> Content {
    Content::Unknown {
        reason: reason.to_owned(),
    }
}

/// The contacts that [`Change::body_with`] leaves beside the item.
fn contacts_of(change: &Change<'_>, raw: &str) -> Vec<Value> {
    let contacts = change.contacts_named_by(&[raw]);
    contacts.into_iter().filter_map(parse_clean).collect()
}

/// The contact that a person is: the one with their `wa_id` or `user_id`, else the only one, unless it names somebody else.
#[must_use]
pub fn contact_of<'a>(contacts: &'a [Value], phone: Option<&str>, user_id: Option<&str>) -> Option<&'a Value> {
    let named = contacts.iter().find(|contact| {
        let is = |key, id: Option<&str>| id.is_some() && text(contact, key).as_deref() == id;
        is("wa_id", phone) || is("user_id", user_id)
    });
    match contacts {
        [only] => named.or_else(|| {
            let differs =
                |key, id: Option<&str>| id.is_some() && text(only, key).is_some_and(|other| Some(&*other) != id);
            (!differs("wa_id", phone) && !differs("user_id", user_id)).then_some(only)
        }),
        _ => named,
    }
}

//! Each rule of the API, met and broken.

use serde_json::{Value, json};

use super::*;
use crate::replay::{expect, items};

const TIME: i64 = 1_782_907_200;
const NUMBER: &str = "P";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn members(object: Value) -> serde_json::Map<String, Value> {
    match object {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

/// What becomes of one element of a list of a change.
struct Case {
    field: &'static str,
    list: &'static str,
    element: Value,
    expected: Value,
    seen: Observed,
}

impl Case {
    /// An inbound message with these members beside id, sender and time; the agent has its number, and nothing is stored yet.
    fn message(kind: &str, rest: Value) -> Self {
        let mut element = json!({"from": "4912345678", "id": "w", "timestamp": TIME.to_string(), "type": kind});
        let expected = json!({"file": "f", "kind": "message", "wamid": "w", "type": kind, "from": "4912345678", "timestamp": TIME.to_string()});
        for (name, value) in members(rest) {
            element[name] = value;
        }
        let mut seen = Observed::default();
        seen.numbers.insert(NUMBER.to_owned());
        let (field, list) = ("messages", "messages");
        Self {
            field,
            list,
            element,
            expected,
            seen,
        }
    }

    fn of_kind(mut self, kind: &str, field: &'static str, list: &'static str) -> Self {
        self.expected["kind"] = kind.into();
        (self.field, self.list) = (field, list);
        self
    }

    fn expects(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.expected[name] = value.into();
        self
    }

    /// The API shows such a message with this wamid in the customer's conversation.
    fn shows(mut self, wamid: &str, message: Value) -> Self {
        let mut shown =
            json!({"wa_message_id": wamid, "message_type": "text", "sender": "customer", "timestamp": at(TIME)});
        for (name, value) in members(message) {
            shown[name] = value;
        }
        let shown = Shown {
            customer_phone: Some("+4912345678".to_owned()),
            customer_user_id: None,
            message: serde_json::from_value(shown).unwrap(),
        };
        let key = (NUMBER.to_owned(), wamid.to_owned());
        self.seen.messages.entry(key).or_default().push(shown);
        self
    }

    fn stores(mut self, event: Event) -> Self {
        self.seen.events.push(event);
        self
    }

    fn payload(&self) -> String {
        let mut value = json!({"metadata": {"phone_number_id": NUMBER}});
        value[self.list] = json!([self.element]);
        json!({"object": "whatsapp_business_account", "entry": [{"changes": [{"field": self.field, "value": value}]}]})
            .to_string()
    }

    fn quarantines(mut self, reason: &str) -> Self {
        for key in items::keys(&self.payload()) {
            self.seen.quarantined.insert(key, vec![reason.to_owned()]);
        }
        self
    }

    fn judge(&self) -> Outcome {
        let (expectations, _) = expect::read(&self.expected.to_string(), &[std::path::Path::new("f")]).unwrap();
        let items = [items::items(&self.payload())];
        let found = expect::find_items(&expectations, &items);
        judge(found[0].0, found[0].1, &self.seen, at(TIME + 60))
    }
}

fn mismatch(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Mismatch { field, .. } => field,
        other => panic!("{other:?}"),
    }
}

fn event(kind: &str, target: &str, sender: &str) -> Event {
    Event {
        phone_number_id: NUMBER.to_owned(),
        kind: kind.to_owned(),
        target: target.to_owned(),
        wamid: Some("w".to_owned()),
        sender: Some(sender.to_owned()),
        status: None,
        occurred_at: at(TIME),
    }
}

#[test]
fn a_message_is_found_with_its_text_sender_and_time() {
    let case = || Case::message("text", json!({})).expects("text", "Hi");
    assert_eq!(case().judge(), Outcome::Missing);
    assert_eq!(case().shows("w", json!({"content": "Hi"})).judge(), Outcome::Found);
    for (shown, field) in [
        (json!({"content": "Ho"}), "content"),
        (json!({"content": "Hi", "message_type": "button"}), "message_type"),
        (json!({"content": "Hi", "sender": "user"}), "sender"),
        (json!({"content": "Hi", "timestamp": at(TIME + 1)}), "timestamp"),
    ] {
        assert_eq!(mismatch(&case().shows("w", shown).judge()), field);
    }
    let other = case()
        .expects("from", "4900000000")
        .shows("w", json!({"content": "Hi"}));
    assert_eq!(mismatch(&other.judge()), "customer");
}

#[test]
fn a_customer_who_changed_the_number_is_the_same_customer() {
    let mut case = Case::message("text", json!({}))
        .expects("from", "4900000000")
        .shows("w", json!({}));
    for (id, customer) in [("+4900000000", 1), ("+4912345678", 2)] {
        case.seen.customers.insert(id.to_owned(), HashSet::from([customer]));
    }
    assert_eq!(mismatch(&case.judge()), "customer");
    case.seen.customers.insert("+4900000000".to_owned(), HashSet::from([2]));
    assert_eq!(case.judge(), Outcome::Found);
}

#[test]
fn types_that_nobody_can_show_appear_as_unsupported() {
    for (kind, rest) in [
        ("unsupported", json!({})),
        ("unknown", json!({})),
        ("hologram", json!({})),
        ("interactive", json!({"errors": [{"code": 1}]})),
    ] {
        let case = || Case::message(kind, rest.clone());
        let unsupported = json!({"message_type": "unsupported"});
        assert_eq!(case().shows("w", unsupported).judge(), Outcome::Found, "{kind}");
        let as_text = json!({"message_type": "text"});
        assert_eq!(mismatch(&case().shows("w", as_text).judge()), "message_type");
        let with_text = json!({"message_type": "unsupported", "content": "x"});
        assert_eq!(mismatch(&case().shows("w", with_text).judge()), "content");
    }
    let reply = Case::message("interactive", json!({"interactive": {"type": "button_reply"}})).expects("text", "Yes");
    let shown = json!({"message_type": "interactive", "content": "Yes"});
    assert_eq!(reply.shows("w", shown).judge(), Outcome::Found);
}

#[test]
fn a_caption_is_no_content_and_the_first_contact_begins_it() {
    let image = || Case::message("image", json!({})).expects("text", "A caption");
    let shown =
        |caption: Value, content: Value| json!({"message_type": "image", "media_caption": caption, "content": content});
    assert_eq!(
        image().shows("w", shown("A caption".into(), Value::Null)).judge(),
        Outcome::Found
    );
    assert_eq!(
        mismatch(&image().shows("w", shown(Value::Null, Value::Null)).judge()),
        "media_caption"
    );
    assert_eq!(
        mismatch(&image().shows("w", shown("A caption".into(), "x".into())).judge()),
        "content"
    );

    let contacts = || Case::message("contacts", json!({})).expects("text", "Ada");
    let shown = |content: &str| json!({"message_type": "contacts", "content": content});
    assert_eq!(contacts().shows("w", shown("Ada, Ben")).judge(), Outcome::Found);
    assert_eq!(mismatch(&contacts().shows("w", shown("Ben, Ada")).judge()), "content");
}

#[test]
fn an_order_without_a_text_says_how_many_items_it_has() {
    for (count, content) in [(1, "1 item"), (2, "2 items")] {
        let lines = vec![json!({}); count];
        let order = || Case::message("order", json!({"order": {"product_items": lines}}));
        let shown = |content: &str| json!({"message_type": "order", "content": content});
        assert_eq!(order().shows("w", shown(content)).judge(), Outcome::Found);
        assert_eq!(mismatch(&order().shows("w", shown("3 items")).judge()), "content");
    }
}

#[test]
fn a_message_that_was_changed_since_is_not_held_against_its_first_text() {
    let case = || Case::message("text", json!({})).expects("text", "Hi");
    let edited = json!({"content": "Ho", "edited_at": at(TIME)});
    assert_eq!(case().shows("w", edited).judge(), Outcome::Found);
    let deleted = json!({"content": null, "deleted_at": at(TIME)});
    assert_eq!(case().shows("w", deleted).judge(), Outcome::Found);
    let showing = json!({"content": "Hi", "deleted_at": at(TIME)});
    assert_eq!(mismatch(&case().shows("w", showing).judge()), "content");
}

#[test]
fn echoes_are_the_businesss_and_history_is_whose_it_was() {
    let echo = Case::message("text", json!({"from": "15550", "to": "4912345678"}))
        .of_kind("echo", "smb_message_echoes", "message_echoes")
        .expects("to", "4912345678");
    let echo = echo.shows("w", json!({"sender": "user"}));
    assert_eq!(echo.judge(), Outcome::Found);
    for (from, sender) in [("4912345678", "customer"), ("15550", "user")] {
        let history = || {
            let mut case = Case::message("text", json!({}))
                .of_kind("history", "history", "history")
                .expects("thread", "4912345678");
            case.element = json!({"threads": [{"id": "4912345678", "messages": [
                {"from": from, "id": "w", "timestamp": TIME.to_string(), "type": "text"}]}]});
            case
        };
        assert_eq!(history().shows("w", json!({"sender": sender})).judge(), Outcome::Found);
        assert_eq!(
            mismatch(&history().shows("w", json!({"sender": "nobody"})).judge()),
            "sender"
        );
    }
}

#[test]
fn a_status_waits_for_its_message_and_shows_on_it() {
    let case = |shown: &str| {
        let status = Event {
            status: Some("read".to_owned()),
            ..event("status", "w", "")
        };
        let mut case = Case::message("", json!({}))
            .of_kind("status", "messages", "statuses")
            .expects("status", shown);
        case.element = json!({"id": "w", "status": shown, "timestamp": TIME.to_string()});
        case.stores(status)
    };
    assert_eq!(case("read").judge(), Outcome::Parked);
    assert_eq!(case("played").judge(), Outcome::Parked);
    assert_eq!(case("sent").judge(), Outcome::Missing);
    assert_eq!(case("read").expects("timestamp", TIME + 1).judge(), Outcome::Missing);
    assert_eq!(
        case("read").shows("w", json!({"sender": "customer"})).judge(),
        Outcome::Parked
    );
    let shows = |status: &str| json!({"sender": "user", "status": status});
    assert_eq!(case("read").shows("w", shows("read")).judge(), Outcome::Found);
    assert_eq!(mismatch(&case("read").shows("w", shows("sent")).judge()), "status");
}

#[test]
fn a_reaction_waits_for_its_message_and_the_newest_shows() {
    let case = |emoji: Option<&str>| {
        Case::message("reaction", json!({"reaction": {"message_id": "t", "emoji": emoji}}))
            .expects("text", emoji)
            .stores(event("reaction", "t", "customer"))
    };
    let shows = |emoji: &str| json!({"reactions": [{"emoji": emoji, "sender": "customer"}]});
    assert_eq!(case(Some("👍")).judge(), Outcome::Parked);
    assert_eq!(case(Some("👍")).shows("t", shows("👍")).judge(), Outcome::Found);
    assert_eq!(mismatch(&case(Some("👍")).shows("t", shows("👎")).judge()), "reaction");
    assert_eq!(mismatch(&case(None).shows("t", shows("👎")).judge()), "reaction");
    assert_eq!(case(None).shows("t", json!({})).judge(), Outcome::Found);
    let newer = Event {
        wamid: Some("x".to_owned()),
        ..event("reaction", "t", "customer")
    };
    assert_eq!(
        case(Some("👍")).stores(newer).shows("t", shows("👎")).judge(),
        Outcome::Found
    );
    let mut elsewhere = case(Some("👍"));
    elsewhere.seen.events[0].target = "u".to_owned();
    assert_eq!(mismatch(&elsewhere.judge()), "target");
    elsewhere.seen.events.clear();
    assert_eq!(elsewhere.judge(), Outcome::Missing);
}

#[test]
fn an_edit_or_a_revocation_shows_on_the_senders_own_message() {
    let case = |kind: &str| {
        let mut body = json!({});
        body[kind] = json!({"original_message_id": "t"});
        Case::message(kind, body).stores(event(kind, "t", "customer"))
    };
    let edit = || case("edit").expects("text", "New");
    assert_eq!(edit().judge(), Outcome::Parked);
    let edited =
        |content: Value, caption: Value| json!({"content": content, "media_caption": caption, "edited_at": at(TIME)});
    assert_eq!(
        edit().shows("t", edited("New".into(), Value::Null)).judge(),
        Outcome::Found
    );
    assert_eq!(
        edit().shows("t", edited(Value::Null, "New".into())).judge(),
        Outcome::Found
    );
    assert_eq!(
        mismatch(&edit().shows("t", edited("Old".into(), Value::Null)).judge()),
        "content"
    );
    assert_eq!(
        mismatch(&edit().shows("t", json!({"content": "New"})).judge()),
        "edited"
    );
    assert_eq!(edit().shows("t", json!({"sender": "user"})).judge(), Outcome::Found);

    let revoke = || case("revoke");
    assert_eq!(
        revoke().shows("t", json!({"deleted_at": at(TIME)})).judge(),
        Outcome::Found
    );
    assert_eq!(
        mismatch(&revoke().shows("t", json!({"content": "x"})).judge()),
        "deleted"
    );
    assert_eq!(
        mismatch(
            &revoke()
                .shows("t", json!({"content": "x", "deleted_at": at(TIME)}))
                .judge()
        ),
        "content"
    );
}

#[test]
fn only_what_lacks_something_or_lost_to_another_may_be_in_the_quarantine() {
    let quarantined = |reason: &str| Outcome::Quarantined(reason.to_owned());
    let refused = |reason: &str| Outcome::Refused(reason.to_owned());
    let text = |rest: Value| Case::message("text", rest);
    assert_eq!(
        text(json!({})).quarantines("conflicting_wamid").judge(),
        quarantined("conflicting_wamid")
    );
    assert_eq!(
        text(json!({})).quarantines("message_type:text").judge(),
        refused("message_type:text")
    );
    for (reason, rest) in [
        ("invalid_timestamp", json!({"timestamp": "later"})),
        (
            "invalid_timestamp",
            json!({"timestamp": (TIME + 2 * AHEAD).to_string()}),
        ),
        ("missing_sender", json!({"from": null})),
        ("group", json!({"group_id": "g"})),
    ] {
        assert_eq!(text(rest).quarantines(reason).judge(), quarantined(reason));
    }
    assert_eq!(text(json!({})).quarantines("group").judge(), refused("group"));
    let mut unknown = text(json!({})).quarantines("unknown_phone_number");
    assert_eq!(unknown.judge(), refused("unknown_phone_number"));
    unknown.seen.numbers.clear();
    assert_eq!(unknown.judge(), quarantined("unknown_phone_number"));
    // Applied, and kept beside: it has to be shown as well.
    assert_eq!(text(json!({})).quarantines("applied:x").judge(), Outcome::Missing);
    assert_eq!(
        text(json!({})).quarantines("applied:x").shows("w", json!({})).judge(),
        Outcome::Found
    );
}

#[test]
fn what_is_no_message_is_in_the_quarantine_also_where_it_was_applied() {
    for (kind, list, reason) in [
        ("value_error", "errors", "value_error"),
        ("other_field", "user_preferences", "applied:user_preferences"),
    ] {
        let case = || {
            Case::message("", json!({}))
                .of_kind(kind, "user_preferences", list)
                .expects("wamid", Value::Null)
        };
        assert_eq!(case().judge(), Outcome::Missing);
        assert_eq!(
            case().quarantines(reason).judge(),
            Outcome::Quarantined(reason.to_owned())
        );
    }
}

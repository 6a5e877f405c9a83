//! The targets and what each promises, beyond that nothing panics.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::change::Cursor;
use shared::domain::ingest;
use shared::domain::page::Seek;
use shared::domain::push::{BrowserKeys, Endpoint};
use shared::domain::send::{SendRequest, plan};
use shared::domain::template::{Listed, Template};
use shared::http::auth::Authenticator;
use shared::testing::{ISSUER, JWT_SECRET};
use shared::whatsapp::{signature, split, unit, webhook};
use uuid::Uuid;

/// Signs the webhooks of the target `signature`.
pub const APP_SECRET: &str = "an app secret";

/// A name, and what runs on the bytes of the engine.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 6] = [
    ("payload", payload),
    ("signature", signed),
    ("cursor", cursor),
    ("token", token),
    ("template", template_parameters),
    ("subscription", subscription),
];

/// A body goes through the queue as it is, and in its pieces says what it says as a whole.
fn payload(body: &[u8]) {
    let Ok(units) = split::split(body) else { return };
    let whole = String::from_utf8_lossy(body);
    let mut items = Vec::new();
    for unit in &units {
        let [message] = &unit::encode(unit)[..] else { continue };
        assert_eq!(
            unit::decode(&message.body, message.packed).as_deref(),
            Some(&unit.body[..]),
            "a unit comes back as it went"
        );
        if let Ok(text) = std::str::from_utf8(&unit.body) {
            items.extend(webhook::parse(text));
        }
    }
    if std::str::from_utf8(body).is_ok() {
        let of_whole = webhook::parse(&whole);
        let bodies = |items: &[webhook::Item]| items.iter().map(|item| item.body.clone()).collect::<Vec<_>>();
        assert_eq!(bodies(&of_whole), bodies(&items), "no item is lost, doubled or changed");
    }
    for item in items {
        let body = item.body.clone();
        let mut planned = ingest::Plan::default();
        ingest::plan(vec![item], Timestamp::UNIX_EPOCH, &mut planned);
        let count = planned.messages.len()
            + planned.statuses.len()
            + planned.events.len()
            + planned.facts.len()
            + planned.quarantined.len();
        assert!(count > 0, "every item is applied or kept: {body}");
    }
}

/// A header and, after a line end, a body: accepted only with the digest of the secret.
fn signed(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (header, body) = (std::str::from_utf8(&data[..end]).ok(), &data[end + 1..]);
    let secrets = [String::new(), APP_SECRET.to_owned()];
    let good = signature::sign(APP_SECRET, body);
    let is_good =
        header.is_some_and(|header| header.trim().eq_ignore_ascii_case(&good) && header.trim().starts_with("sha256="));
    assert_eq!(signature::verify(&secrets, header, body), is_good);
    assert!(!signature::verify(&[], header, body) && !signature::verify(&secrets[..1], header, body));
}

/// What is taken for a cursor is one of ours, to the letter or, of changes, in what it says.
fn cursor(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(seek) = Seek::from_cursor(text) {
        assert_eq!(seek.to_cursor().as_deref(), Some(text));
        assert!(
            seek.position()
                .is_some_and(|position| position.time().as_microsecond() == position.micros)
        );
    }
    if let Some(cursor) = Cursor::from_text(text) {
        assert_eq!(Cursor::from_text(&cursor.to_text()), Some(cursor));
    }
}

/// Only a token that was signed with the secret is good, whatever is changed about it.
fn token(data: &[u8]) {
    static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
    });
    static AUTHENTICATOR: LazyLock<Authenticator> = LazyLock::new(|| {
        let _context = RUNTIME.enter();
        Authenticator::new(ISSUER, Some("http://127.0.0.1:9/"), Some(JWT_SECRET)).expect("the issuer is a URL")
    });
    let Ok(text) = std::str::from_utf8(data) else { return };
    // A published key would be fetched: those that name one are for the tests of `shared`.
    if jsonwebtoken::decode_header(text).is_ok_and(|header| header.alg != jsonwebtoken::Algorithm::HS256) {
        return;
    }
    if RUNTIME.block_on(AUTHENTICATOR.verify(text)).is_ok() {
        let signed = text.rsplit_once('.').expect("a token has a signature");
        assert!(is_signed(signed.0, signed.1), "forged: {text}");
    }
}

fn is_signed(text: &str, signature: &str) -> bool {
    let key = jsonwebtoken::EncodingKey::from_secret(JWT_SECRET.as_bytes());
    let good = jsonwebtoken::crypto::sign(text.as_bytes(), &key, jsonwebtoken::Algorithm::HS256);
    good.is_ok_and(|good| good == signature)
}

/// A template as Graph lists it.
pub fn template() -> Value {
    json!({"id": "1", "name": "order", "language": "en", "status": "APPROVED", "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Hello {{1}}"},
        {"type": "BODY", "text": "{{1}} comes on {{2}}"},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://example.com/{{1}}"}]}]})
}

/// A request to send; or a template of Graph's and, after a line end, the parameters of an agent. Whatever the check lets through is shown.
fn template_parameters(data: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<SendRequest>(data) {
        if let Ok(first) = plan(&request, Uuid::nil()) {
            let again = plan(&request, Uuid::nil()).expect("the same request is planned again");
            assert_eq!(first.content.object, again.content.object);
        }
        return;
    }
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
    let (Some(listed), Some(components)) = (read(&data[..end]), read(&data[end + 1..])) else {
        return;
    };
    let Some(listed) = Listed::from_graph(&listed) else {
        return;
    };
    let template = Template::from(listed);
    let checked = shared::domain::template::check(&template, &components);
    let rendered = shared::domain::template::render(&template, &components);
    if checked.is_ok() {
        let _ = rendered.words();
    }
}

/// An endpoint that is taken leads to a push service by https and nowhere else, read again it is the same, and keys that are taken have their size.
fn subscription(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let (endpoint, point, secret) = (lines.next().unwrap_or_default(), lines.next(), lines.next());
    if let Ok(taken) = Endpoint::parse(endpoint, None) {
        let host = taken.host();
        let below = [".push.services.mozilla.com", ".notify.windows.com", ".push.apple.com"];
        assert!(
            host == "fcm.googleapis.com" || below.iter().any(|domain| host.ends_with(domain)),
            "{endpoint}"
        );
        let start = format!("https://{host}/");
        assert!(
            taken.as_str().starts_with(&start) && taken.audience() == start.trim_end_matches('/'),
            "{endpoint}"
        );
        let Ok(again) = Endpoint::parse(taken.as_str(), None) else {
            panic!("what was taken is taken again: {endpoint}");
        };
        assert_eq!(again.as_str(), taken.as_str());
    }
    if let Ok(keys) = BrowserKeys::parse(point.unwrap_or_default(), secret.unwrap_or_default()) {
        assert_eq!(keys.p256dh[0], 4, "an uncompressed point");
    }
}

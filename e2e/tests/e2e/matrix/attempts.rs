//! What somebody asks of each route who knows another tenant's ids.

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::tenant::Tenant;
use crate::stack::Stack;

pub(super) struct Attempt {
    pub(super) path: String,
    pub(super) body: Option<Value>,
    /// The statuses that may come back.
    pub(super) expected: &'static [u16],
}

impl Attempt {
    pub(super) fn request(&self, stack: &Stack, method: &Method) -> RequestBuilder {
        let url = format!("{}{}", stack.get("api_url"), self.path);
        // A redirect is an answer.
        let http = Client::builder().redirect(Policy::none()).build().unwrap();
        let request = http.request(method.clone(), url);
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}

/// A request that is not for them.
const NOT_FOUND: &[u16] = &[404];
/// A field that names what is not theirs.
const INVALID: &[u16] = &[422];
/// A request that is for everybody, and shows everybody their own.
const OWN: &[u16] = &[200, 201];

/// The attempts on a route, by `own`, with the ids of `victim`; what is `own`'s besides makes them plausible.
pub(super) fn attempts(method: &Method, route: &str, victim: &Tenant, own: &Tenant) -> Vec<Attempt> {
    let filled = |path: &str| {
        path.replace("{id}", &victim.conversation.to_string())
            .replace("{message_id}", &victim.message_id)
            .replace("{phone_number_id}", &victim.number)
    };
    let at = |path: String, body: Option<Value>, expected| Attempt { path, body, expected };
    let get = |query: String, expected| at(format!("{}{query}", filled(route)), None, expected);
    let post = |body: Value, expected| at(filled(route), Some(body), expected);
    let (conversation, number, phone) = (victim.conversation, &victim.number, &victim.phone);
    let text = json!({"conversation_id": conversation, "message": "mine?"});
    let own_text = |change: Value| {
        let mut text = json!({"conversation_id": own.conversation, "message": "mine?"});
        let fields = text.as_object_mut().unwrap();
        fields.extend(change.as_object().unwrap().clone());
        if fields.contains_key("message_type") {
            fields.remove("message");
        }
        text
    };
    let named = route.strip_prefix("/api/live-chat/").unwrap_or(route);
    match (method.as_str(), named) {
        ("GET", "changes") => vec![
            get(format!("?after={}", victim.cursor), &[200, 410]),
            get(String::new(), OWN),
        ],
        ("GET", "conversations") => vec![
            get(format!("?user_id={}", victim.user), &[403]),
            get(format!("?phone_number_id={number}"), NOT_FOUND),
            get(format!("?cursor={}", victim.page), OWN),
            get(format!("?q={}", phone.trim_start_matches('+')), OWN),
            get(format!("?q={}", victim.secrets[1]), OWN),
            get(String::new(), OWN),
        ],
        ("PATCH", "conversations/{id}") => vec![
            post(json!({"status": "archived"}), NOT_FOUND),
            post(json!({"customer_name": "Mallory"}), NOT_FOUND),
        ],
        ("GET", "conversations/{id}")
        | ("POST", "conversations/{id}/read" | "conversations/{id}/unread" | "media/{message_id}/retry") => {
            vec![get(String::new(), NOT_FOUND)]
        }
        // It names nothing of anybody's.
        ("POST", "media") => vec![post(json!({"mime_type": "image/jpeg", "size": 4}), OWN)],
        ("GET", "media/{message_id}") => vec![
            get(String::new(), NOT_FOUND),
            get("?redirect=1".to_owned(), NOT_FOUND),
            at(format!("/api/live-chat/media/{}", victim.upload), None, NOT_FOUND),
        ],
        ("GET", "messages") => vec![
            get(format!("?conversation_id={conversation}"), NOT_FOUND),
            get(format!("?conversation_id={conversation}&q=secret"), NOT_FOUND),
            get(format!("?phone_number_id={number}&q=secret"), NOT_FOUND),
            get(format!("?q={}", victim.secrets[2]), OWN),
            get(
                format!("?conversation_id={}&around={}", own.conversation, victim.message_id),
                INVALID,
            ),
            get(
                format!("?conversation_id={}&before={}", own.conversation, victim.message_id),
                INVALID,
            ),
            get(
                format!("?conversation_id={}&after={}", own.conversation, victim.wamid),
                INVALID,
            ),
        ],
        ("GET", "phone-numbers" | "push-subscriptions") | ("POST", "realtime-ticket") => vec![get(String::new(), OWN)],
        ("PATCH", "phone-numbers/{phone_number_id}") => vec![post(json!({"read_receipts": "never"}), NOT_FOUND)],
        ("POST", "push-subscriptions") => {
            // Whoever knows an address, and not the browser's keys, does not get its notifications.
            let mut taken = victim.subscription();
            if victim.user != own.user {
                taken["keys"]["auth"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
            }
            vec![post(taken, INVALID)]
        }
        ("DELETE", "push-subscriptions") => vec![post(json!({"endpoint": victim.endpoint}), OWN)],
        ("GET", "quick-replies") => {
            vec![
                get(format!("?conversation_id={conversation}"), NOT_FOUND),
                get(String::new(), OWN),
            ]
        }
        ("POST", "quick-replies") => {
            vec![post(
                json!({"shortcut": "theirs", "content": "x", "media_id": victim.upload}),
                INVALID,
            )]
        }
        ("PATCH" | "DELETE", "quick-replies/{id}") => {
            let body = (method == Method::PATCH).then(|| json!({"content": "taken"}));
            vec![at(
                format!("/api/live-chat/quick-replies/{}", victim.quick_reply),
                body,
                NOT_FOUND,
            )]
        }
        ("POST", "send-message") => vec![
            post(text, NOT_FOUND),
            post(
                json!({"conversation_id": conversation, "message_type": "reaction",
                        "reaction": {"message_id": victim.wamid, "emoji": "👍"}}),
                NOT_FOUND,
            ),
            post(own_text(json!({"phone_number_id": number})), INVALID),
            post(own_text(json!({"to": phone})), INVALID),
            post(own_text(json!({"reply_to": victim.wamid})), INVALID),
            post(own_text(json!({"reply_to": victim.message_id})), INVALID),
            post(own_text(json!({"message_id": victim.message_id})), &[409, 422]),
            post(
                own_text(json!({"message_type": "image", "image": {"media_id": victim.upload}})),
                INVALID,
            ),
            post(
                own_text(json!({"message_type": "reaction", "reaction": {"message_id": victim.wamid, "emoji": "👍"}})),
                &[404, 422],
            ),
            post(
                own_text(
                    json!({"message_type": "template", "template": {"name": victim.secrets[4], "language": {"code": "en"}}}),
                ),
                INVALID,
            ),
        ],
        ("GET", "templates") => vec![get(format!("?phone_number_id={number}"), NOT_FOUND)],
        ("POST", "typing") => vec![post(json!({"conversation_id": conversation}), NOT_FOUND)],
        // An agent's token is nothing to the webhook.
        ("GET", super::WEBHOOK) => {
            vec![get(
                "?hub.mode=subscribe&hub.verify_token=guess&hub.challenge=1".to_owned(),
                &[403],
            )]
        }
        ("POST", super::WEBHOOK) => vec![post(json!({"object": "whatsapp_business_account"}), &[401])],
        _ => panic!("{method} {route} has no row here: add what somebody may try who knows another tenant's ids"),
    }
}

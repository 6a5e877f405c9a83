//! Conversations that a template begins, and what is refused before anything is stored.

use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Desk, NUMBER, post_as};

const CUSTOMER: &str = "+4915112345678";

/// A template for which nobody has to be asked.
fn update(to: &str) -> Value {
    json!({"phone_number_id": NUMBER, "to": to, "message_type": "template", "template": {
        "name": "order_update", "language": {"code": "en_US"}, "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "A-1001"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "Friday"}]}]}})
}

/// A template that is marketing.
fn offer(to: &str) -> Value {
    json!({"phone_number_id": NUMBER, "to": to, "message_type": "template", "template": {
        "name": "season_offer", "language": {"code": "en_US"}, "components": [{"type": "body", "parameters": [
            {"type": "text", "parameter_name": "first_name", "text": "Ada"},
            {"type": "text", "parameter_name": "discount", "text": "20%"}]}]}})
}

fn with(mut request: Value, changes: &Value) -> Value {
    let changes = changes.as_object().unwrap().clone();
    request.as_object_mut().unwrap().extend(changes);
    request
}

impl Desk {
    /// How many conversations, messages and sends there are.
    async fn rows(&self) -> [i64; 4] {
        let counts = ["chat_conversations", "chat_messages", "chat_sends", "chat_customers"]
            .map(|table| format!("select count(*) from {table}"));
        let mut rows = [0; 4];
        for (row, count) in rows.iter_mut().zip(counts) {
            *row = self.database.count(&count).await;
        }
        rows
    }

    /// Sends what is refused; the status and the error. Nothing is left behind.
    async fn refused(&self, request: Value) -> (u16, Value) {
        let (rows, asked) = (self.rows().await, self.requests().await.len());
        let (status, mut reply) = self.send(request).await;
        assert_eq!(
            (self.rows().await, self.requests().await.len()),
            (rows, asked),
            "{reply}"
        );
        (status.as_u16(), reply["error"].take())
    }
}

#[tokio::test]
async fn a_template_begins_the_conversation_with_a_new_customer() {
    let desk = Desk::new().await;
    let key = Uuid::new_v4().to_string();
    let request = with(update("+49 151 1234-5678"), &json!({"message_id": key}));
    let (status, reply) = desk.send(request.clone()).await;
    assert_eq!(
        (status, &reply["result"]),
        (StatusCode::OK, &json!("accepted")),
        "{reply}"
    );
    let conversation = reply["message"]["conversation_id"].as_i64().unwrap();
    desk.reaches(&key, "read").await;
    let shown = "select jsonb_build_array(id, customer_phone, status, last_message, unread_count, last_inbound_at) from chat_conversations";
    assert_eq!(
        desk.database.json(shown).await,
        [json!([
            conversation,
            CUSTOMER,
            "active",
            "Order A-1001\n\nHello Ada, your order will arrive on Friday.",
            0,
            null
        ])]
    );
    let (status, reply) = desk.send(request).await;
    assert_eq!(
        (status, &reply["result"], &reply["message"]["conversation_id"]),
        (StatusCode::OK, &json!("replayed"), &json!(conversation))
    );
    assert_eq!(desk.accepted().await.len(), 1);
    let (status, reply) = desk
        .send(json!({"conversation_id": conversation, "message": "Hi"}))
        .await;
    assert_eq!(
        (status, &reply["error"]["code"], &reply["error"]["closed_at"]),
        (
            StatusCode::CONFLICT,
            &json!("customer_service_window_closed"),
            &Value::Null
        )
    );
    let (again, _) = desk.customer_writes(CUSTOMER, "Thanks").await;
    assert_eq!(again, conversation, "the answer comes into the same conversation");
    assert_eq!(desk.text(conversation, "You are welcome").await.1, "sent");
}

#[tokio::test]
async fn a_template_to_a_known_customer_goes_into_the_conversation_that_there_is() {
    let desk = Desk::new().await;
    let (conversation, _) = desk.customer_writes(CUSTOMER, "Hello?").await;
    let close = "update chat_conversations set last_inbound_at = now() - interval '25 hours', status = 'archived'";
    desk.database.client.batch_execute(close).await.unwrap();
    let (status, reply) = desk.send(update(CUSTOMER)).await;
    assert_eq!(
        (status, &reply["message"]["conversation_id"]),
        (StatusCode::OK, &json!(conversation))
    );
    // By its conversation it goes too, the window being closed.
    let mut request = update(CUSTOMER);
    request["conversation_id"] = json!(conversation);
    let (status, reply) = desk.send(request).await;
    assert_eq!(
        (status, &reply["message"]["conversation_id"]),
        (StatusCode::OK, &json!(conversation))
    );
    // A conversation that another program made, before anything was known of its customer.
    let other = "+4915112345679";
    let made = desk.conversation(other).await;
    let (status, reply) = desk.send(update(other)).await;
    assert_eq!(
        (status, &reply["message"]["conversation_id"]),
        (StatusCode::OK, &json!(made))
    );
    assert_eq!(desk.database.count("select count(*) from chat_conversations").await, 2);
}

#[tokio::test]
async fn a_key_stands_for_one_template_to_one_customer() {
    let desk = Desk::new().await;
    let key = json!({"message_id": Uuid::new_v4()});
    let (status, reply) = desk.send(with(update(CUSTOMER), &key)).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    for request in [
        update("+4915112345679"),
        offer(CUSTOMER),
        with(
            update(CUSTOMER),
            &json!({"template": {"name": "hello_world", "language": {"code": "en_US"}}}),
        ),
    ] {
        let (status, error) = desk.refused(with(request, &key)).await;
        assert_eq!((status, &error["code"]), (409, &json!("message_id_in_use")));
    }
    let stranger = desk.database.add_number("900399", "700399").await;
    let mut request = with(update("+4915112345680"), &key);
    request["phone_number_id"] = json!("700399");
    let (status, reply) = post_as(
        stranger,
        desk.send_function(None),
        "/api/live-chat/send-message",
        &request,
    )
    .await;
    assert_eq!(
        (status, &reply["error"]["code"], reply.get("message")),
        (StatusCode::CONFLICT, &json!("message_id_in_use"), None)
    );
    assert_eq!(desk.accepted().await.len(), 1);
}

#[tokio::test]
async fn two_at_once_begin_one_conversation() {
    let desk = Desk::new().await;
    // The list of templates is there before, so that they come to the database together.
    desk.send(update("+4915112345600")).await;
    let key = Uuid::new_v4();
    let same = (0..5).map(|_| with(update(CUSTOMER), &json!({"message_id": key})));
    let others = (0..5).map(|_| update(CUSTOMER));
    let replies = join_all(same.chain(others).map(|request| desk.send(request))).await;
    let mut conversations: Vec<i64> = replies
        .iter()
        .map(|(status, reply)| {
            assert!(status.is_success(), "{status} {reply}");
            reply["message"]["conversation_id"].as_i64().unwrap()
        })
        .collect();
    conversations.dedup();
    assert_eq!(conversations.len(), 1);
    desk.tick().await;
    let of_customer = desk.accepted().await;
    let of_customer = of_customer
        .iter()
        .filter(|message| message["customer"] == "4915112345678");
    assert_eq!(of_customer.count(), 6);
    assert_eq!(desk.rows().await[..3], [2, 7, 7]);
}

#[tokio::test]
async fn a_number_with_two_forms_is_one_customer_in_one_conversation() {
    let desk = Desk::new().await;
    let written = "+5531987654321";
    let (status, reply) = desk.send(update(written)).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    let conversation = reply["message"]["conversation_id"].clone();
    let phones = "select to_jsonb(customer_phone) from chat_conversations";
    assert_eq!(desk.database.json(phones).await, [json!("+553187654321")]);
    for to in [written, "+553187654321"] {
        let (status, reply) = desk.send(update(to)).await;
        assert_eq!(
            (status, &reply["message"]["conversation_id"]),
            (StatusCode::OK, &conversation),
            "{to}"
        );
        let mut request = update(to);
        request["conversation_id"] = conversation.clone();
        assert_eq!(desk.send(request).await.0, StatusCode::OK, "{to}");
    }
    let (answered, _) = desk.customer_writes("+553187654321", "Obrigada").await;
    assert_eq!(json!(answered), conversation);
    assert_eq!(desk.accepted().await.len(), 5);
}

#[tokio::test]
async fn who_wants_no_marketing_gets_no_offer_and_still_learns_of_an_order() {
    let desk = Desk::new().await;
    let (conversation, _) = desk.customer_writes(CUSTOMER, "Hello?").await;
    assert_eq!(desk.send(offer(CUSTOMER)).await.0, StatusCode::OK);
    desk.fault(json!({"kind": "http_error", "status": 400, "code": 131_050, "times": 1}))
        .await;
    assert_eq!(desk.send(offer(CUSTOMER)).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let mut by_conversation = offer(CUSTOMER);
    by_conversation["conversation_id"] = json!(conversation);
    for request in [offer(CUSTOMER), by_conversation] {
        let (status, error) = desk.refused(request).await;
        assert_eq!(
            (status, &error["code"], error["opted_out_at"].is_string()),
            (409, &json!("marketing_opted_out"), true)
        );
    }
    assert_eq!(desk.send(update(CUSTOMER)).await.0, StatusCode::OK);
    assert_eq!(desk.text(conversation, "Hi").await.1, "sent");
}

#[tokio::test]
async fn who_opts_out_while_an_offer_waits_does_not_get_it() {
    let desk = Desk::new().await;
    desk.customer_writes(CUSTOMER, "Hello?").await;
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 131_016, "times": 1}))
        .await;
    let key = Uuid::new_v4().to_string();
    let (status, _) = desk.send(with(offer(CUSTOMER), &json!({"message_id": key}))).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let stop = "update chat_conversations set marketing_opted_out_at = now()";
    desk.database.client.batch_execute(stop).await.unwrap();
    desk.pass_time().await;
    desk.tick().await;
    let (status, error) = desk.state(&key).await;
    assert_eq!((status.as_str(), &error["code"]), ("failed", &json!(131_050)));
    assert!(desk.accepted().await.is_empty());
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let desk = Desk::new().await;
    // Asks for the list of templates, which stays.
    desk.send(update("+4915112345600")).await;
    desk.database.add_number("900399", "700399").await;
    for number in ["700399", "1", "700300 "] {
        let (status, error) = desk
            .refused(with(update(CUSTOMER), &json!({"phone_number_id": number})))
            .await;
        assert_eq!((status, &error["code"]), (404, &json!("not_found")), "{number}");
    }
    let template = |template: Value| with(update(CUSTOMER), &json!({ "template": template }));
    let english = json!({"code": "en_US"});
    let body = |count: usize| {
        let parameters = vec![json!({"type": "text", "text": "x"}); count];
        let header = json!({"type": "header", "parameters": [{"type": "text", "text": "A"}]});
        template(
            json!({"name": "order_update", "language": english, "components": [header, {"type": "body", "parameters": parameters}]}),
        )
    };
    for (request, field) in [
        (
            json!({"message_type": "template", "template": {"name": "hello_world", "language": english}, "to": CUSTOMER}),
            "phone_number_id",
        ),
        (
            json!({"message_type": "template", "template": {"name": "hello_world", "language": english}, "phone_number_id": NUMBER}),
            "to",
        ),
        (
            json!({"message": "Hi", "to": CUSTOMER, "phone_number_id": NUMBER}),
            "conversation_id",
        ),
        (with(update(CUSTOMER), &json!({"to": "Ada"})), "to"),
        (
            with(update(CUSTOMER), &json!({"reply_to": "wamid.unknown"})),
            "reply_to",
        ),
        (
            template(json!({"name": "nothing", "language": english})),
            "template.name",
        ),
        (
            template(json!({"name": "hello_world", "language": {"code": "de"}})),
            "template.name",
        ),
        (
            template(json!({"name": "come_back", "language": english})),
            "template.name",
        ),
        (
            template(json!({"name": "new_opening_hours", "language": english})),
            "template.name",
        ),
        (
            template(json!({"name": "free_money", "language": english})),
            "template.name",
        ),
        (body(1), "template.components[1].parameters"),
        (body(3), "template.components[1].parameters"),
        (
            template(json!({"name": "order_update", "language": english})),
            "template.components",
        ),
    ] {
        let (status, error) = desk.refused(request.clone()).await;
        assert_eq!((status, &error["field"]), (422, &json!(field)), "{request} {error}");
    }
}

#[tokio::test]
async fn a_number_and_a_customer_that_are_named_must_be_the_conversations() {
    let desk = Desk::new().await;
    let (conversation, _) = desk.customer_writes(CUSTOMER, "Hello?").await;
    for (changes, field) in [
        (json!({"phone_number_id": "700301"}), "phone_number_id"),
        (json!({"to": "+4915112345679"}), "to"),
    ] {
        for request in [
            json!({"message": "Hi", "conversation_id": conversation}),
            with(update(CUSTOMER), &json!({"conversation_id": conversation})),
        ] {
            let (status, error) = desk.refused(with(request, &changes)).await;
            assert_eq!((status, &error["field"]), (422, &json!(field)), "{error}");
        }
    }
    for to in [CUSTOMER, "4915112345678", "+49 (151) 1234-5678"] {
        let request = json!({"message": "Hi", "conversation_id": conversation, "to": to, "phone_number_id": NUMBER});
        assert_eq!(desk.send(request).await.0, StatusCode::OK, "{to}");
    }
}

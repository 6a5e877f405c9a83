//! Files on their way out: from the browser into the bucket, from there to WhatsApp, once, and again when WhatsApp has forgotten them.

use axum::http::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Desk, NUMBER, post_as};

const CUSTOMER: &str = "+4915112345678";
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";
/// The first page of an Ogg with Opus.
pub(crate) const VOICE: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead and so on";

impl Desk {
    /// Announces a file and puts it into the bucket, as a browser does.
    pub(crate) async fn put_file(&self, mime_type: &str, filename: &str, bytes: &[u8]) -> String {
        let request = json!({"mime_type": mime_type, "size": bytes.len(), "filename": filename});
        let (status, reply) = self
            .post(self.send_function(None), "/api/live-chat/media", &request)
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let mut put = self
            .http
            .put(reply["upload"]["url"].as_str().unwrap())
            .body(bytes.to_vec());
        for (name, value) in reply["upload"]["headers"].as_object().unwrap() {
            put = put.header(name, value.as_str().unwrap());
        }
        put.send().await.unwrap().error_for_status().unwrap();
        reply["media_id"].as_str().unwrap().to_owned()
    }

    /// Meta's id of an uploaded file.
    pub(crate) async fn meta_id(&self, media_id: &str) -> Option<String> {
        let find = format!("select to_jsonb(wa_media_id) from chat_upload_ids where upload_id = '{media_id}'");
        let ids = self.database.json(&find).await;
        ids.first().map(|id| id.as_str().unwrap().to_owned())
    }

    /// How often Graph was asked to take a file.
    async fn uploads(&self) -> usize {
        let log = self.log().await;
        let paths = log.iter().map(|entry| entry["path"].as_str().unwrap());
        paths.filter(|path| path.ends_with(&format!("{NUMBER}/media"))).count()
    }

    /// Sends an image; the HTTP status and the message.
    async fn image(&self, conversation: i64, media_id: &str) -> (StatusCode, Value) {
        let request = json!({"conversation_id": conversation, "image": {"media_id": media_id}});
        let (status, mut reply) = self.send(request).await;
        (status, reply["message"].take())
    }

    /// Takes a file out of the bucket.
    async fn lose(&self, media_id: &str) {
        let find = format!("select to_jsonb(object_key) from chat_uploads where id = '{media_id}'");
        let key = self.database.json(&find).await.remove(0);
        let delete = self.s3.delete_object().bucket(&self.bucket).key(key.as_str().unwrap());
        delete.send().await.unwrap();
    }
}

fn id_of(message: &Value) -> String {
    message["message_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_picture_goes_out_at_once_and_is_uploaded_once_for_all_messages() {
    let desk = Desk::new().await;
    let conversations = [
        desk.conversation(CUSTOMER).await,
        desk.conversation("+4915112345679").await,
    ];
    let file = desk.put_file("image/png", "offer.png", PNG).await;
    for conversation in conversations {
        let (status, message) = desk.image(conversation, &file).await;
        assert_eq!((status, &message["status"]), (StatusCode::OK, &json!("sent")));
    }
    let meta_id = desk.meta_id(&file).await.unwrap();
    let bodies: Vec<Value> = desk
        .accepted()
        .await
        .iter()
        .map(|it| it["body"]["image"].clone())
        .collect();
    assert_eq!(bodies, vec![json!({"id": meta_id}); 2]);
    assert_eq!(desk.uploads().await, 1);
}

#[tokio::test]
async fn a_large_document_is_the_outboxs() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let mut bytes = b"%PDF-1.7".to_vec();
    bytes.resize(20 * 1024 * 1024, b'x');
    let file = desk.put_file("application/pdf", "plan.pdf", &bytes).await;
    let request = json!({"conversation_id": conversation, "document": {"media_id": file, "caption": "The plan"}});
    let (status, reply) = desk.send(request).await;
    let id = id_of(&reply["message"]);
    assert_eq!(
        (status, &reply["message"]["status"]),
        (StatusCode::ACCEPTED, &json!("pending"))
    );
    assert_eq!(
        (desk.uploads().await, desk.requests().await.len()),
        (0, 0),
        "nobody waits for it"
    );
    let trigger = desk.sqs.taken().pop().unwrap();
    assert_eq!(
        trigger["MessageBody"],
        json!({"conversation_id": conversation}).to_string()
    );
    let (behind, state) = desk.text(conversation, "Have you seen the plan?").await;
    assert_eq!(state, "pending", "what is written after it comes after it");
    desk.trigger(conversation).await;
    desk.reaches(&id, "read").await;
    desk.reaches(&behind, "read").await;
    let accepted = desk.accepted().await;
    let kinds: Vec<&Value> = accepted.iter().map(|it| &it["body"]["type"]).collect();
    assert_eq!(kinds, ["document", "text"]);
    let stored = format!(
        "{}/_simulator/media/{}",
        desk.simulator,
        desk.meta_id(&file).await.unwrap()
    );
    let stored = desk.http.get(stored).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(stored, bytes);
    let (status, reply) = desk
        .send(json!({"conversation_id": conversation, "document": {"media_id": file}}))
        .await;
    assert_eq!(status, StatusCode::OK, "an upload that is known takes no time: {reply}");
    assert_eq!(desk.uploads().await, 1);
}

#[tokio::test]
async fn a_file_that_meta_has_forgotten_is_uploaded_again_and_the_message_sent_once() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let file = desk.put_file("image/png", "offer.png", PNG).await;
    desk.image(conversation, &file).await;
    let old = desk.meta_id(&file).await.unwrap();
    let expire = format!("{}/_simulator/media/{old}/expire", desk.simulator);
    desk.http.post(expire).send().await.unwrap().error_for_status().unwrap();
    let (status, message) = desk.image(conversation, &file).await;
    assert_eq!((status, &message["status"]), (StatusCode::ACCEPTED, &json!("pending")));
    desk.pass_time().await;
    desk.tick().await;
    let id = id_of(&message);
    desk.reaches(&id, "read").await;
    assert_eq!(desk.shown(conversation, &id).await["error"], Value::Null);
    assert_ne!(desk.meta_id(&file).await.unwrap(), old);
    assert_eq!((desk.uploads().await, desk.accepted().await.len()), (2, 2));
}

#[tokio::test]
async fn an_upload_that_may_succeed_later_is_tried_again() {
    let desk = Desk::new().await;
    let on_upload = json!({"operation": "upload"});
    for (number, fault) in [
        json!({"kind": "http_error", "status": 429, "code": 130_429}),
        json!({"kind": "http_error", "status": 500, "code": 1}),
        json!({"kind": "http_error", "status": 503, "code": 2, "retry_after": 30}),
        json!({"kind": "no_answer_before_accept"}),
    ]
    .into_iter()
    .enumerate()
    {
        let conversation = desk.conversation(&format!("+491511234560{number}")).await;
        let file = desk.put_file("image/png", "offer.png", PNG).await;
        let mut fault = fault.clone();
        fault["times"] = json!(1);
        fault["match"] = on_upload.clone();
        desk.fault(fault.clone()).await;
        let (status, message) = desk.image(conversation, &file).await;
        assert_eq!(
            (status, &message["status"]),
            (StatusCode::ACCEPTED, &json!("pending")),
            "{fault}"
        );
        let open =
            "select count(*) from chat_sends where settled_at is null and attempted_at is null and next_try_at > now()";
        assert_eq!(desk.database.count(open).await, 1, "{fault}");
        desk.pass_time().await;
        desk.tick().await;
        desk.reaches(&id_of(&message), "read").await;
    }
    assert_eq!((desk.uploads().await, desk.accepted().await.len()), (8, 4));
}

#[tokio::test]
async fn a_file_that_meta_refuses_fails_the_message_with_metas_reason() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let file = desk.put_file("image/png", "offer.png", PNG).await;
    desk.fault(
        json!({"kind": "http_error", "status": 400, "code": 131_053, "details": "Unsupported codec.", "times": 1,
                      "match": {"operation": "upload"}}),
    )
    .await;
    let (status, message) = desk.image(conversation, &file).await;
    let error = &message["error"];
    assert_eq!(
        (
            status,
            &message["status"],
            &error["code"],
            &error["details"],
            &error["retryable"]
        ),
        (
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!("failed"),
            &json!(131_053),
            &json!("Unsupported codec."),
            &json!(false)
        )
    );
    assert!(desk.requests().await.is_empty());
}

#[tokio::test]
async fn a_token_that_is_refused_at_the_upload_holds_the_account() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let file = desk.put_file("image/png", "offer.png", PNG).await;
    desk.fault(json!({"kind": "http_error", "status": 401, "code": 190, "times": 1, "match": {"operation": "upload"}}))
        .await;
    let (status, message) = desk.image(conversation, &file).await;
    assert_eq!((status, &message["status"]), (StatusCode::ACCEPTED, &json!("pending")));
    assert_eq!(desk.account_status().await, "reconnect_required");
    desk.pass_time().await;
    desk.tick().await;
    desk.reaches(&id_of(&message), "read").await;
    assert_eq!(desk.account_status().await, "active");
}

#[tokio::test]
async fn a_file_that_is_gone_from_the_bucket_fails_the_message_with_the_reason() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let (lost, known) = (
        desk.put_file("image/png", "lost.png", PNG).await,
        desk.put_file("image/png", "known.png", PNG).await,
    );
    desk.image(conversation, &known).await;
    desk.fault(json!({"kind": "http_error", "status": 503, "code": 2, "times": 1, "match": {"operation": "upload"}}))
        .await;
    let (_, message) = desk.image(conversation, &lost).await;
    desk.lose(&lost).await;
    desk.lose(&known).await;
    desk.pass_time().await;
    desk.tick().await;
    let (status, error) = desk.state(&id_of(&message)).await;
    assert_eq!(
        (status.as_str(), &error["details"], &error["retryable"]),
        ("failed", &json!("The file is not stored any more."), &json!(false))
    );
    let (status, _) = desk.image(conversation, &known).await;
    assert_eq!(status, StatusCode::OK, "what Meta has is not asked of the bucket");
    assert_eq!(desk.uploads().await, 2);
}

#[tokio::test]
async fn only_ones_own_files_that_are_there_and_of_the_kind_are_sent() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let file = desk.put_file("image/png", "offer.png", PNG).await;
    let stranger = desk.database.add_number("900399", "700399").await;
    let theirs = "insert into chat_conversations (waba_id, phone_number_id, customer_phone, last_inbound_at)
                  values ('900399', '700399', '+4915112345679', now()) returning id";
    let theirs = desk.database.count(theirs).await;
    let request = json!({"conversation_id": theirs, "image": {"media_id": file}});
    let (status, reply) = post_as(
        stranger,
        desk.send_function(None),
        "/api/live-chat/send-message",
        &request,
    )
    .await;
    assert_eq!(
        (status, &reply["error"]["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("image.media_id"))
    );
    let announced = json!({"mime_type": "image/png", "size": 3});
    let (_, announced) = desk
        .post(desk.send_function(None), "/api/live-chat/media", &announced)
        .await;
    for (request, field) in [
        (json!({"image": {"media_id": Uuid::new_v4()}}), "image.media_id"),
        (json!({"video": {"media_id": file}}), "video.media_id"),
        (json!({"image": {"media_id": announced["media_id"]}}), "image.media_id"),
        (json!({"message_type": "sticker", "media_id": file}), "media_id"),
    ] {
        let mut request = request;
        request["conversation_id"] = json!(conversation);
        let (status, reply) = desk.send(request.clone()).await;
        assert_eq!(
            (status, &reply["error"]["field"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(field)),
            "{request}"
        );
    }
    assert_eq!(
        desk.database
            .count("select count(*) from chat_messages where sender = 'user'")
            .await,
        0
    );
}

#[tokio::test]
async fn a_sent_file_is_shown_and_served_under_its_message() {
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let file = desk.put_file("audio/ogg; codecs=opus", "note.ogg", VOICE).await;
    let request = json!({"conversation_id": conversation, "audio": {"media_id": file, "voice": true}});
    let (status, reply) = desk.send(request).await;
    assert_eq!(status, StatusCode::OK, "{reply}");
    let message = &reply["message"];
    assert_eq!(
        message["media"],
        json!({"state": "stored", "mime_type": "audio/ogg; codecs=opus", "filename": "note.ogg", "size": VOICE.len(), "sha256": null,
               "width": null, "height": null, "duration_ms": null, "peaks": null, "voice": true, "animated": null})
    );
    let body = &desk.accepted().await[0]["body"];
    assert_eq!(body["audio"], json!({"id": desk.meta_id(&file).await, "voice": true}));
    for id in [&id_of(message), &file] {
        let link = desk.ask(&format!("/api/live-chat/media/{id}")).await.ok();
        let served = desk.http.get(link["url"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(served.headers()[CONTENT_TYPE], "audio/ogg");
        assert_eq!(served.bytes().await.unwrap(), VOICE);
    }
}

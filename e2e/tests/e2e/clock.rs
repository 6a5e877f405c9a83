//! Triggers are a convenience: what they would have said is done by the clock.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::Method;
use serde_json::{Value, json};

use crate::stack::{Stack, and_then, new_phone, until, until_within};

const TRIGGERS: &str = "media_queue_url";

/// A call of Lambda's API about what gives a queue's messages to a function. The emulated one checks no signature, but its header names the service.
pub(crate) async fn lambda(stack: &Stack, method: Method, path: &str, body: Option<Value>) -> Value {
    let scope =
        "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0";
    let url = format!(
        "{}/2015-03-31/event-source-mappings/{path}",
        stack.get("aws_endpoint_url")
    );
    let mut request = stack.http.request(method, url).header("authorization", scope);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.expect("the emulator answers");
    let answer = answer.error_for_status().expect("it takes the call");
    answer.json().await.expect("it is JSON")
}

/// What gives the messages of a queue of `stack.json` to its function.
pub(crate) async fn mapping_of(stack: &Stack, queue: &str) -> String {
    let arn = stack.queue_attribute(queue, QueueAttributeName::QueueArn).await;
    let list = lambda(stack, Method::GET, "", None).await;
    let mappings = list["EventSourceMappings"].as_array().expect("a list");
    let own = mappings
        .iter()
        .find(|mapping| mapping["EventSourceArn"].as_str() == arn.as_deref());
    own.expect("the queue has a function")["UUID"]
        .as_str()
        .expect("it has an id")
        .to_owned()
}

#[tokio::test]
async fn files_whose_triggers_are_all_lost_are_stored_by_the_clock() {
    const FILES: [&str; 3] = ["image", "document", "voice"];
    let stack = Stack::open();
    let mapping = mapping_of(&stack, TRIGGERS).await;
    lambda(&stack, Method::PUT, &mapping, Some(json!({"Enabled": false}))).await;
    let lost = async {
        let phone = new_phone();
        for kind in FILES {
            stack.customer_sends(&phone, json!({"type": kind})).await;
        }
        let visible = async || {
            stack
                .depth(TRIGGERS, QueueAttributeName::ApproximateNumberOfMessages)
                .await
        };
        until("a trigger for each file", async || (visible().await >= 3).then_some(())).await;
        let sqs = stack.sqs().await;
        sqs.purge_queue().queue_url(stack.get(TRIGGERS)).send().await.unwrap();
        assert_eq!(visible().await, 0);
        let database = stack.database().await;
        let stored = until_within(Duration::from_mins(2), "the files to be stored", async || {
            const STORED: &str = "
                select m.message_id, f.attempts from chat_media f join chat_messages m on m.id = f.message_id
                join chat_conversations c on c.id = m.conversation_id where c.customer_phone = $1 and f.state = 'stored'";
            let rows = database.query(STORED, &[&phone]).await.unwrap();
            (rows.len() == FILES.len()).then_some(rows)
        })
        .await;
        for row in stored {
            let path = format!("/api/live-chat/media/{}", row.get::<_, &str>(0));
            assert!(stack.ask(&path).await["url"].is_string());
            assert_eq!(row.get::<_, i32>(1), 1, "one try was enough");
        }
        assert_eq!(visible().await, 0);
    };
    let repair = async {
        lambda(&stack, Method::PUT, &mapping, Some(json!({"Enabled": true}))).await;
    };
    and_then(lost, repair).await;
}

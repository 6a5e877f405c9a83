//! The database goes away under load and comes back.

use reqwest::StatusCode;
use serde_json::json;

use crate::stack::{Stack, new_phone, until, xtask};

fn postgres(action: &str) {
    let output = xtask(&["postgres", action]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn an_outage_of_the_database_loses_no_message_and_fills_no_dead_letter_queue() {
    const MESSAGES: usize = 40;
    let stack = Stack::open();
    let phone = new_phone();
    let post = async |index: usize| {
        let now = jiff::Timestamp::now().as_second();
        let from = phone.trim_start_matches('+');
        let body = json!({"object": "whatsapp_business_account", "entry": [{"id": stack.get("waba_id"), "changes": [{"field": "messages",
            "value": {"messaging_product": "whatsapp", "metadata": {"phone_number_id": stack.get("phone_number_id")},
                      "contacts": [{"wa_id": from, "profile": {"name": "Outage"}}],
                      "messages": [{"from": from, "id": format!("wamid.outage.{phone}.{index}"), "timestamp": now.to_string(),
                                    "type": "text", "text": {"body": format!("message {index}")}}]}}]}]});
        assert_eq!(stack.post_webhook(&body).await, StatusCode::OK);
    };
    for index in 0..MESSAGES / 2 {
        post(index).await;
    }
    postgres("stop");
    for index in MESSAGES / 2..MESSAGES {
        post(index).await;
    }
    let token = stack.get("agent_token");
    let (status, reply) = stack
        .call(token, reqwest::Method::GET, "/api/live-chat/conversations", None)
        .await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{reply}");
    assert!(reply["error"]["request_id"].is_string());
    let answer = stack
        .http
        .get(format!("{}/api/live-chat/conversations", stack.get("api_url")))
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert!(answer.headers().contains_key("retry-after"));
    let sqs = stack.sqs().await;
    until("records that wait for the database", async || {
        (delayed(&sqs, stack.get("events_queue_url")).await > 0).then_some(())
    })
    .await;
    postgres("start");
    let stored = until("all messages", async || {
        let database = shared::testing::connect(stack.get("database_url")).await;
        let row = database
            .query_one(
                "select count(*), count(distinct wa_message_id) from chat_messages m join chat_conversations c on c.id = m.conversation_id
                 where c.customer_phone = $1",
                &[&phone],
            )
            .await
            .unwrap();
        let counts: (i64, i64) = (row.get(0), row.get(1));
        (counts.1 == i64::try_from(MESSAGES).unwrap()).then_some(counts)
    })
    .await;
    assert_eq!(stored.0, stored.1);
    let dead = depth(&sqs, stack.get("dead_letter_queue_url"), "ApproximateNumberOfMessages").await;
    assert_eq!(dead, 0);
}

/// Records that are hidden until they are tried again.
async fn delayed(client: &aws_sdk_sqs::Client, url: &str) -> u64 {
    depth(client, url, "ApproximateNumberOfMessagesNotVisible").await
}

async fn depth(client: &aws_sdk_sqs::Client, url: &str, attribute: &str) -> u64 {
    let answer = client
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names("All".into())
        .send()
        .await
        .unwrap();
    let attributes = answer.attributes.unwrap_or_default();
    attributes
        .iter()
        .find(|(name, _)| name.as_str() == attribute)
        .map_or(0, |(_, count)| count.parse().unwrap())
}

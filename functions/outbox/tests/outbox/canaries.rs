//! What sending says of itself when it fails, at the lowest level that there is: no token, no text, no customer.

use std::io;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::edge::graph::Graph;
use shared::outbound::Outbound;
use shared::telemetry::logger;

use crate::support::{Desk, TOKEN, WABA};

const CUSTOMER: &str = "+4915199900011";
const SECRET: &str = "waba/no-such-secret";
const TEXT: &str = "canary of a text";
const PLAIN: &str = "EAAplainCanary";
const REVOKED: &str = "EAArevokedCanary";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_way_of_failing_tells_a_token_a_text_or_a_customer() {
    let lines = Lines::default();
    let writer = lines.clone();
    let _heard = tracing::subscriber::set_default(logger("trace", move || writer.clone()));
    let desk = Desk::new().await;
    let conversation = desk.conversation(CUSTOMER).await;
    let unreachable = Outbound {
        graph: Graph::new("http://127.0.0.1:9", "v26.0").unwrap(),
        ..desk.outbound.clone()
    };
    let (proxy, cut_off) = desk.behind_a_proxy().await;
    proxy.freeze();
    let good = desk.ring.encrypt(WABA, TOKEN).unwrap();
    let revoked = desk.ring.encrypt(WABA, REVOKED).unwrap();
    let quoted = format!("{TOKEN} {CUSTOMER} {TEXT}");
    let refusal = |status: u16, code: i64| json!({"kind": "http_error", "times": 1, "status": status, "code": code, "message": quoted, "details": quoted});
    let mut said = String::new();
    for (stored, outbound, fault) in [
        (good.as_str(), Some(unreachable), None),
        (&good, Some(cut_off), None),
        (&good, None, Some(refusal(400, 131_026))),
        (&good, None, Some(refusal(503, 2))),
        (&good, None, Some(refusal(400, 131_048))),
        (&good, None, Some(refusal(401, 190))),
        (
            &good,
            None,
            Some(json!({"kind": "no_answer_before_accept", "times": 1})),
        ),
        (PLAIN, None, None),
        (&revoked, None, None),
        (&revoked.replace(":k1:", ":k9:"), None, None),
        (SECRET, None, None),
        ("", None, None),
    ] {
        desk.store_token(stored).await;
        desk.clear_faults().await;
        if let Some(fault) = fault {
            desk.fault(fault).await;
        }
        let service = desk.send_function(outbound);
        let body = json!({"conversation_id": conversation, "message": TEXT});
        let (status, reply) = desk.post(service, "/api/live-chat/send-message", &body).await;
        assert_ne!(status, StatusCode::OK, "{reply}");
        said += &without_content(reply).to_string();
        desk.tick().await;
        let forget = "update chat_sends set settled_at = now() where settled_at is null; delete from chat_holds";
        desk.database.client.batch_execute(forget).await.unwrap();
    }
    let heard = lines.text();
    for expected in [
        "message failed",
        "may not send",
        "waits for another try",
        "a status has to tell",
    ] {
        assert!(heard.contains(expected), "{expected}: {heard}");
    }
    let triggers = json!(desk.sqs.taken()).to_string();
    assert!(triggers.contains("conversation_id"), "{triggers}");
    for canary in [TOKEN, PLAIN, REVOKED, "5b5b5b5b"] {
        for (place, text) in [("logs", &heard), ("triggers", &triggers), ("answers", &said)] {
            assert!(!text.contains(canary), "{canary} in {place}: {text}");
        }
    }
    assert!(
        !said.contains(SECRET),
        "names of secrets are the operator's business: {said}"
    );
    for canary in [TEXT, CUSTOMER.trim_start_matches('+')] {
        for (place, text) in [("logs", &heard), ("triggers", &triggers)] {
            assert!(!text.contains(canary), "{canary} in {place}: {text}");
        }
    }
}

/// An answer holds what the agent wrote.
fn without_content(mut reply: Value) -> Value {
    if let Some(message) = reply["message"].as_object_mut() {
        message.remove("content");
    }
    reply
}

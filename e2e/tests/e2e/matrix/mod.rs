//! Every route of `openapi.yaml` × every token that is not good, and × another tenant's ids. A route without a row in [`attempts`] fails.

mod attempts;
mod bad_tokens;
mod tenant;

use reqwest::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stack::Stack;
use attempts::attempts;
use tenant::Tenant;

pub(crate) const WEBHOOK: &str = "/api/webhooks/whatsapp";

/// The routes that `openapi.yaml` names.
pub(crate) fn routes() -> Vec<(Method, String)> {
    let document: Value = yaml_serde::from_str(include_str!("../../../../openapi.yaml")).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (method.to_uppercase().parse().unwrap(), path.clone()))
    });
    // What deletes comes last.
    let mut routes: Vec<_> = routes.collect();
    routes.sort_by_key(|(method, _)| method == Method::DELETE);
    routes
}

/// A failure of the documented form; its text, to search.
pub(crate) fn assert_failure(what: &str, reply: &Value) {
    let error = &reply["error"];
    let documented = reply["success"] == false && error["code"].is_string() && error["message"].is_string();
    assert!(documented, "{what}: {reply}");
}

#[tokio::test]
async fn a_token_that_is_not_good_opens_no_route() {
    let stack = Stack::open();
    let (victim, own) = (Tenant::new(&stack).await, Tenant::new(&stack).await);
    let before = victim.rows(&stack).await;
    let tokens = bad_tokens::all(&stack, &victim).await;
    let mut count = 0;
    for (method, path) in routes() {
        let attempt = attempts(&method, &path, &victim, &own).swap_remove(0);
        let refusal = match (&method, path.as_str()) {
            (&Method::GET, WEBHOOK) => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        };
        for (name, authorization) in &tokens {
            let what = format!("{method} {path} with {name}");
            let mut request = attempt.request(&stack, &method);
            if let Some(authorization) = authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), refusal, "{what}");
            if path != WEBHOOK {
                assert_eq!(answer.headers()[WWW_AUTHENTICATE], "Bearer", "{what}");
            }
            let reply: Value = answer.json().await.unwrap();
            assert_failure(&what, &reply);
            victim.assert_hidden(&what, &reply);
            count += 1;
        }
    }
    assert_eq!(victim.rows(&stack).await, before, "nothing of theirs changed");
    println!("{count} requests without a good token: all refused");
    victim.remove(&stack).await;
    own.remove(&stack).await;
}

#[tokio::test]
async fn another_tenants_ids_lead_nowhere_and_change_nothing() {
    let stack = Stack::open();
    let (victim, own) = (Tenant::new(&stack).await, Tenant::new(&stack).await);
    let before = victim.rows(&stack).await;
    let mut count = 0;
    for (method, path) in routes() {
        for attempt in attempts(&method, &path, &victim, &own) {
            let what = format!("{method} {}", attempt.path);
            let request = attempt.request(&stack, &method).bearer_auth(&own.token);
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let reply: Value = answer.json().await.unwrap();
            assert!(attempt.expected.contains(&status.as_u16()), "{what}: {status} {reply}");
            if !status.is_success() {
                assert_failure(&what, &reply);
            }
            victim.assert_hidden(&what, &reply);
            count += 1;
        }
    }
    assert_eq!(victim.rows(&stack).await, before, "nothing of theirs changed");
    // The same requests are good ones: their owner gets what was refused, or the test proves nothing.
    let mut shown = String::new();
    for (method, path) in routes().into_iter().filter(|(_, path)| path != WEBHOOK) {
        for attempt in attempts(&method, &path, &victim, &victim) {
            let request = attempt.request(&stack, &method).bearer_auth(&victim.token);
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let reply = answer.text().await.unwrap();
            let refused = [401, 403, 404].contains(&status) || reply.contains(r#""invalid_field""#);
            let own_key = attempt
                .body
                .as_ref()
                .is_some_and(|body| body["message_id"] == json!(victim.message_id));
            assert!(!refused || own_key, "{method} {}: {status} {reply}", attempt.path);
            shown += &reply;
        }
    }
    for secret in &victim.secrets {
        assert!(shown.contains(secret), "their owner sees {secret}");
    }
    println!("{count} requests with another tenant's ids: all in vain");
    victim.remove(&stack).await;
    own.remove(&stack).await;
}

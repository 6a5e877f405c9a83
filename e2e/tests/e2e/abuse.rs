//! Requests that no client of ours makes: each is refused as `openapi.yaml` says, and none is a fault of the server's.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::matrix::{WEBHOOK, assert_failure, routes};
use crate::stack::{Stack, new_phone};

/// What stands where an id belongs. API Gateway itself refuses what is no path of ours.
fn bad_ids() -> Vec<String> {
    let texts = [
        "0",
        "-1",
        "1.0",
        "1e3",
        "0x1",
        "null",
        "99999999999999999999999999",
        "%00",
        "%ff%fe",
        "%252e%252e",
        "%27%20or%201=1--",
        "%F0%9F%8C%B5",
        "1;drop",
        "%7B%7B7*7%7D%7D",
        "%0d%0aset-cookie:x",
    ];
    let long = ["a".repeat(4_000), "9".repeat(4_000)];
    texts.map(str::to_owned).into_iter().chain(long).collect()
}

/// Bodies that are no request, whatever the route, with their content type.
fn bad_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let json = "application/json";
    let deep = |open: &str| open.repeat(100_000 / open.len()).into_bytes();
    vec![
        (json, Vec::new()),
        (json, b"{".to_vec()),
        (json, b"null".to_vec()),
        (json, b"[]".to_vec()),
        (json, b"\"text\"".to_vec()),
        (json, b"1e999".to_vec()),
        (json, b"{\"a\":1e999}".to_vec()),
        (json, b"{} {}".to_vec()),
        (json, deep("[")),
        (json, deep("{\"a\":")),
        (json, b"{\"endpoint\": \"\\ud800\"}".to_vec()),
        (json, vec![b' '; 300_000]),
        (
            json,
            format!("{{\"message\":\"{}\"}}", "x".repeat(300_000)).into_bytes(),
        ),
        (
            "application/x-www-form-urlencoded",
            b"conversation_id=1&message=x".to_vec(),
        ),
        (
            "text/xml",
            b"<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>".to_vec(),
        ),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n{}\r\n--x--".to_vec()),
        // API Gateway hands these over byte by byte.
        ("application/octet-stream", b"{\"message\":\"\xff\"}".to_vec()),
        ("application/octet-stream", b"\xef\xbb\xbf{}".to_vec()),
        ("application/octet-stream", b"{\"\xc0\xae\":1}".to_vec()),
        ("application/octet-stream", vec![0; 1_000]),
    ]
}

/// Queries that are hard on whoever reads them.
fn queries() -> Vec<String> {
    let many: Vec<String> = (0..700).map(|number| format!("p{number}=1")).collect();
    let repeated = ["q=a"; 1_000].join("&");
    let texts = [
        "=",
        "&&&&",
        "%",
        "%zz=%zz",
        "limit=-1",
        "limit=1e9",
        "limit=%00",
        "limit=%ff",
        "offset=-1",
        "cursor=%00",
        "cursor=AAAA",
        "cursor=Li4",
        "after=AAAA",
        "before=%27",
        "around=%f0",
        "user_id=",
        "user_id=x",
        "q=%00",
        "q=%25%5f%5c",
        "q=%f0%28",
        "status=x",
        "filter[]=x",
        "sort=;",
        "redirect=2",
        "conversation_id=-1",
        "conversation_id=99999999999999999999",
        "phone_number_id=%27",
        "limit=99999999999999999999",
        "offset=99999999999999999999",
    ];
    let long = [
        many.join("&"),
        repeated,
        format!("q={}", "a".repeat(6_000)),
        format!("cursor={}", "A".repeat(6_000)),
    ];
    texts.map(str::to_owned).into_iter().chain(long).collect()
}

fn filled(path: &str, id: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { id } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

/// A refusal with the documented body: never a fault of the server's, never a success.
async fn assert_refused(what: &str, request: reqwest::RequestBuilder) {
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_client_error(), "{what}: {}", answer.status());
    let reply: Value = answer.json().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_failure(what, &reply);
}

#[tokio::test]
async fn no_id_body_or_query_is_a_fault_of_the_servers() {
    let stack = Stack::open();
    let asked = |method: &Method, path: &str| {
        let url = format!("{}{path}", stack.get("api_url"));
        stack
            .http
            .request(method.clone(), url)
            .bearer_auth(stack.get("agent_token"))
    };
    let mut count = 0;
    for (method, path) in routes().into_iter().filter(|(_, path)| path != WEBHOOK) {
        let has_id = path.contains('{');
        let ids = bad_ids();
        for id in ids.iter().filter(|_| has_id) {
            let path = filled(&path, id);
            assert_refused(&format!("{method} {path}"), asked(&method, &path).json(&json!({}))).await;
            count += 1;
        }
        let path = filled(&path, "0");
        for (content_type, body) in bad_bodies().into_iter().filter(|_| method != Method::GET) {
            // These take no body, and name nothing.
            if path.ends_with("/realtime-ticket") {
                continue;
            }
            let start = String::from_utf8_lossy(&body[..body.len().min(30)]).into_owned();
            let request = asked(&method, &path).header(CONTENT_TYPE, content_type).body(body);
            assert_refused(&format!("{method} {path} {content_type} {start:?}"), request).await;
            count += 1;
        }
        for query in queries().iter().filter(|_| method == Method::GET) {
            let what = format!("{method} {path}?{}", &query[..query.len().min(60)]);
            let answer = asked(&method, &format!("{path}?{query}")).send().await.unwrap();
            let status = answer.status();
            let reply: Value = answer.json().await.unwrap();
            assert!(!status.is_server_error(), "{what}: {status} {reply}");
            if status != StatusCode::OK {
                assert_failure(&what, &reply);
            }
            count += 1;
        }
    }
    println!("{count} malformed requests: all refused by their form");
}

#[tokio::test]
async fn headers_that_are_strange_large_or_there_twice_open_nothing_and_break_nothing() {
    let stack = Stack::open();
    let url = format!("{}/api/live-chat/phone-numbers", stack.get("api_url"));
    let good = format!("Bearer {}", stack.get("agent_token"));
    let ask = || stack.http.get(&url);
    let refused = [
        (
            "two tokens, one of them bad",
            ask()
                .header(AUTHORIZATION, "Bearer bad")
                .header(AUTHORIZATION, "Bearer worse"),
        ),
        ("a token in another header", ask().header("x-authorization", &good)),
        (
            "a token in a cookie",
            ask().header(
                "cookie",
                format!("access_token={}; sb-access-token={}", &good[7..], &good[7..]),
            ),
        ),
        (
            "bytes that are no text",
            ask().header(AUTHORIZATION, &b"Bearer \xff\xfe"[..]),
        ),
        (
            "a token of 30 KB",
            ask().header(AUTHORIZATION, format!("Bearer {}", "a.".repeat(15_000))),
        ),
        (
            "somebody's word for who asks",
            ask()
                .header("x-amzn-oidc-identity", stack.get("user_id"))
                .header("x-user-id", stack.get("user_id")),
        ),
    ];
    for (what, request) in refused {
        assert_refused(what, request).await;
    }
    let many = (0..80).fold(ask(), |request, number| request.header(format!("x-many-{number}"), "x"));
    let taken = [
        ("a large header", ask().header("x-large", "x".repeat(6_000))),
        ("many headers", many),
        (
            "one header twice",
            ask().header("accept", "text/html").header("accept", "image/*;q=1e999"),
        ),
        (
            "another host behind a proxy",
            ask()
                .header("x-forwarded-host", "evil.example")
                .header("x-forwarded-for", "'; --"),
        ),
        (
            "another method in a header",
            ask().header("x-http-method-override", "DELETE"),
        ),
    ];
    for (what, request) in taken {
        let answer = request.header(AUTHORIZATION, &good).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{what}");
        assert!(!answer.text().await.unwrap().contains("evil.example"), "{what}");
    }
}

#[tokio::test]
async fn a_link_to_one_file_is_for_that_file_and_that_use() {
    let stack = Stack::open();
    let announce = json!({"mime_type": "image/jpeg", "size": 4});
    let announce = async || {
        let (status, reply) = stack
            .call(
                stack.get("agent_token"),
                Method::POST,
                "/api/live-chat/media",
                Some(&announce),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        (
            reply["media_id"].as_str().unwrap().to_owned(),
            reply["upload"]["url"].as_str().unwrap().to_owned(),
        )
    };
    let (ours, other) = (announce().await, announce().await);
    let bytes = b"\xff\xd8\xff\xe0".to_vec();
    let ask = async |method: Method, url: &str, body: &[u8], headers: &[(&str, &str)]| {
        let request = stack.http.request(method, url).body(body.to_vec());
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        request.send().await.unwrap().status().as_u16()
    };
    let headers = [("content-type", "image/jpeg"), ("if-none-match", "*")];
    let moved = ours.1.replace(&ours.0, &other.0);
    let bucket = format!(
        "{}?list-type=2&{}",
        ours.1[..ours.1.find("/outbound/").unwrap()].to_owned(),
        ours.1.split_once('?').unwrap().1
    );
    let longer = ours.1.replace("X-Amz-Expires=900", "X-Amz-Expires=604800");
    for (what, method, url) in [
        ("another file", Method::PUT, &moved),
        ("a longer life", Method::PUT, &longer),
        ("reading", Method::GET, &ours.1),
        ("deleting", Method::DELETE, &ours.1),
        ("the bucket's list", Method::GET, &bucket),
    ] {
        assert_eq!(
            ask(method, url, &bytes, &headers).await,
            403,
            "a link to upload is not for {what}"
        );
    }
    assert_eq!(
        ask(Method::PUT, &ours.1, &bytes, &headers[..1]).await,
        403,
        "what is there stays"
    );
    assert_eq!(ask(Method::PUT, &ours.1, &bytes, &headers).await, 200);

    // Its first use looks at it.
    let phone = new_phone();
    stack.customer_writes(&phone, "A photo, please").await;
    let conversation = stack.conversation_showing(&phone, "A photo, please").await;
    let photo = json!({"conversation_id": conversation["id"], "message_type": "image", "image": {"media_id": ours.0}});
    let (status, reply) = stack.send(&photo).await;
    assert!(status.is_success(), "{reply}");
    let link = stack.ask(&format!("/api/live-chat/media/{}", ours.0)).await;
    let link = link["url"].as_str().unwrap();
    assert_eq!(ask(Method::GET, link, b"", &[]).await, 200);
    let bucket = format!(
        "{}?list-type=2&{}",
        &link[..link.find("/outbound/").unwrap()],
        link.split_once('?').unwrap().1
    );
    let html = link.replace("image%2Fjpeg", "text%2Fhtml");
    assert_ne!(html, link, "the type is in it");
    for (what, method, url) in [
        ("another file", Method::GET, &link.replace(&ours.0, &other.0)),
        ("another type", Method::GET, &html),
        ("writing", Method::PUT, &link.to_owned()),
        ("deleting", Method::DELETE, &link.to_owned()),
        ("the bucket's list", Method::GET, &bucket),
    ] {
        assert_eq!(
            ask(method, url, &bytes, &[]).await,
            403,
            "a link to a file is not for {what}"
        );
    }
}

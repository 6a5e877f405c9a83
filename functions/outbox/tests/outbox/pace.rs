//! Rates are kept without asking Graph to refuse.

use serde_json::Value;

use crate::support::{Desk, Wishes};

#[tokio::test]
async fn a_pair_gets_44_at_once_and_the_rest_waits_without_a_refusal() {
    // A rate of the number that no machine reaches: only the pair's is looked at.
    let desk = Desk::with(Wishes {
        messages_per_second: 1_000,
        limits: simulator::Limits {
            messages_per_second: 1_000,
            ..simulator::Limits::default()
        },
        ..Wishes::default()
    })
    .await;
    let conversation = desk.conversation("+4915112345678").await;
    let begun = std::time::Instant::now();
    let mut sent = 0;
    while desk.text(conversation, &sent.to_string()).await.1 == "sent" {
        sent += 1;
    }
    // On a slow machine some of the pair's 6 seconds have passed.
    let at_most = 44 + begun.elapsed().as_secs() / 6;
    assert!((44..=at_most).contains(&sent), "{sent} of at most {at_most}");
    assert_eq!(desk.text(conversation, "after those").await.1, "pending");
    let refused = |request: &Value| request["response"]["status"] != 200;
    assert!(!desk.requests().await.iter().any(refused));
}

#[tokio::test]
async fn a_number_keeps_its_rate_whoever_sends() {
    let desk = Desk::with(Wishes {
        messages_per_second: 20,
        limits: simulator::Limits {
            messages_per_second: 20,
            ..simulator::Limits::default()
        },
        ..Wishes::default()
    })
    .await;
    let mut conversations = Vec::new();
    for number in 0..20 {
        conversations.push(desk.conversation(&format!("+49151000000{number:02}")).await);
    }
    let mut sending = tokio::task::JoinSet::new();
    for conversation in conversations {
        let service = desk.send_function(None);
        let user = desk.user;
        sending.spawn(async move {
            for number in 0..3 {
                let body = serde_json::json!({"conversation_id": conversation, "message": number.to_string()});
                let status = crate::support::post_as(user, service.clone(), "/api/live-chat/send-message", &body)
                    .await
                    .0;
                assert!(status.is_success(), "{status}");
            }
        });
    }
    sending.join_all().await;
    for _ in 0..3 {
        desk.tick().await;
    }
    let requests = desk.requests().await;
    assert_eq!(requests.len(), 60);
    assert!(requests.iter().all(|request| request["response"]["status"] == 200));
    // No second holds more than the rate: the simulator would have taken a burst of 20 on top.
    let mut times: Vec<jiff::Timestamp> = requests
        .iter()
        .map(|request| request["time"].as_str().unwrap().parse().unwrap())
        .collect();
    times.sort_unstable();
    let most = times
        .iter()
        .map(|from| {
            let until = *from + jiff::SignedDuration::from_secs(1);
            times.iter().filter(|time| *time >= from && **time < until).count()
        })
        .max();
    // What left at a steady pace may arrive closer together.
    assert!(most <= Some(25), "{most:?} in one second");
}

#[tokio::test]
async fn a_throttled_number_leaves_graph_alone_for_a_while() {
    let desk = Desk::new().await;
    let (one, other) = (
        desk.conversation("+4915112345678").await,
        desk.conversation("+4915112345679").await,
    );
    desk.fault(
        serde_json::json!({"kind": "http_error", "status": 429, "code": 130_429, "times": 1, "retry_after": 30}),
    )
    .await;
    assert_eq!(desk.text(one, "1").await.1, "pending");
    assert_eq!(desk.text(other, "2").await.1, "pending");
    assert_eq!(desk.requests().await.len(), 1);
    desk.pass_time().await;
    desk.tick().await;
    assert_eq!(desk.accepted().await.len(), 2);
}

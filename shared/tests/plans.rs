//! Snapshots: what the sample webhooks of `events/webhooks` become.

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::domain::customer::{CustomerId, Identity};
use shared::domain::ingest::{self, Plan, Subject};
use shared::domain::message::Sender;
use shared::whatsapp::webhook;

#[test]
fn the_sample_webhooks_become_these_plans() {
    let received_at: Timestamp = "2026-07-20T10:10:00Z".parse().expect("a time");
    insta::glob!("../../events/webhooks", "*.json", |path| {
        let text = std::fs::read_to_string(path).expect("the sample can be read");
        let mut plan = Plan::default();
        ingest::plan(webhook::parse(&text), received_at, &mut plan);
        insta::assert_yaml_snapshot!(describe(&plan));
    });
}

/// A plan without digests and bodies.
fn describe(plan: &Plan) -> Value {
    json!({
        "messages": plan.messages.iter().map(|message| json!({
            "phone_number_id": message.origin.phone_number_id,
            "sender": message.sender,
            "is_history": message.is_history,
            "precedence": message.precedence,
            "reached": (message.sender == Sender::User).then_some(message.status),
            "customer": {"identity": describe_identity(&message.identity),
                         "name": message.customer_name, "username": message.customer_username},
            "wa_message_id": message.wa_message_id,
            "message_type": message.message_type,
            "content": message.content,
            "media_caption": message.media_caption,
            "timestamp": message.timestamp,
            "reply_to": message.reply_to_wa_message_id,
            "referral": message.referral,
            "metadata": message.metadata,
            "media": message.media.as_ref().map(|media| json!({"id": media.wa_media_id, "mime_type": media.mime_type,
                "filename": media.filename, "sha256": media.sha256, "voice": media.voice, "animated": media.animated})),
        })).collect::<Vec<_>>(),
        "events": plan.events.iter().map(|event| json!({
            "phone_number_id": event.origin.phone_number_id,
            "identity": describe_identity(&event.identity),
            "sender": event.sender,
            "event_wamid": event.event_wamid,
            "wa_message_id": event.wa_message_id,
            "occurred_at": event.occurred_at,
            "what": format!("{:?}", event.what),
        })).collect::<Vec<_>>(),
        "facts": plan.facts.iter().map(|fact| json!({
            "subject": match &fact.subject {
                Subject::Contact(identity) => describe_identity(identity),
                other => json!(format!("{other:?}")),
            },
            "name": fact.name, "value": fact.value, "occurred_at": fact.occurred_at,
        })).collect::<Vec<_>>(),
        "statuses": plan.statuses.iter().map(|event| json!({
            "phone_number_id": event.origin.phone_number_id,
            "wa_message_id": event.wa_message_id,
            "message_id": event.message_id,
            "identity": event.identity.as_ref().map(describe_identity),
            "status": event.status,
            "occurred_at": event.occurred_at,
            "error": event.error,
            "pricing": event.pricing,
        })).collect::<Vec<_>>(),
        "quarantined": plan.quarantined.iter().map(|item| json!({
            "reason": item.reason, "field": item.field, "phone_number_id": item.phone_number_id,
        })).collect::<Vec<_>>(),
    })
}

fn describe_identity(identity: &Identity) -> Value {
    let others: Vec<&str> = identity.others.iter().map(CustomerId::value).collect();
    json!({"phone": identity.customer.phone, "user_id": identity.customer.user_id, "others": others})
}

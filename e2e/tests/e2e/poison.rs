//! A record that always fails, and can be kept nowhere: it ends in the dead-letter queue, and goes its way once the cause is gone.

use reqwest::StatusCode;

use crate::stack::{Stack, and_then, new_phone, until, xtask};

/// Runs one of the operators' commands.
fn run(arguments: &[&str]) -> String {
    let output = xtask(arguments);
    let shown = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}{complaint}");
    shown
}

#[tokio::test]
async fn a_record_that_nothing_takes_ends_as_a_dead_letter_and_is_stored_after_the_fix() {
    const CURED: &str = "alter table chat_messages drop constraint if exists no_poison;
                           alter table chat_quarantine drop constraint if exists no_poison";
    let stack = Stack::open();
    let database = stack.database().await;
    let execute = async |sql: &str| database.batch_execute(sql).await.unwrap();
    let poisoned = async {
        let phone = new_phone();
        let poison = format!("poison {}", uuid::Uuid::new_v4());
        execute(&format!(
            "alter table chat_messages add constraint no_poison check (content <> '{poison}') not valid;
             alter table chat_quarantine add constraint no_poison check (position('{poison}'::bytea in body) = 0) not valid"
        ))
        .await;
        // Good ones before it and behind it, in its batch or in others.
        for (wamid, text) in [("a", "before"), ("b", &poison), ("c", "behind")] {
            let body = stack.text(&phone, &format!("wamid.{wamid}.{phone}"), text);
            assert_eq!(stack.post_webhook(&body).await, StatusCode::OK);
        }
        until("the dead letter", async || {
            (stack.dead_letters().await == 1).then_some(())
        })
        .await;
        let texts = async || -> Vec<String> {
            let sql = "select content from chat_messages m join chat_conversations c on c.id = m.conversation_id
                       where c.customer_phone = $1 order by wa_message_id";
            let rows = database.query(sql, &[&phone]).await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        };
        assert_eq!(texts().await, ["before", "behind"]);

        // The quarantine can keep it now; its message is still refused.
        execute("alter table chat_quarantine drop constraint no_poison").await;
        assert_eq!(run(&["dlq", "redrive", "--all"]), "1 messages sent back");
        let id = until("the row of the quarantine", async || {
            let find = "select id from chat_quarantine where reason like 'refused: %no_poison' and position($1::bytea in body) > 0";
            let row = database.query_opt(find, &[&poison.as_bytes()]).await.unwrap();
            row.map(|row| row.get::<_, i64>(0))
        })
        .await;
        assert!(run(&["quarantine", "list", "--reason", "refused"]).contains("23514, constraint no_poison"));

        execute("alter table chat_messages drop constraint no_poison").await;
        assert_eq!(
            run(&["quarantine", "replay", &id.to_string()]),
            "1 rows: 1 applied, 0 back in the quarantine"
        );
        assert_eq!(texts().await, ["before", poison.as_str(), "behind"]);
        assert_eq!(stack.dead_letters().await, 0);
        assert!(
            database
                .query("select from chat_quarantine where id = $1", &[&id])
                .await
                .unwrap()
                .is_empty()
        );
    };
    // It is received twice, five seconds apart.
    let body = Box::pin(and_then(poisoned, execute(CURED)));
    stack.with_max_receive_count(2, body).await;
}

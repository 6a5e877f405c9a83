//! An agent with an account, a number, a customer who wrote, and one of everything else that has an owner.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stack::{Stack, new_phone, until};
use crate::tenants::token;

const PUBLIC_KEY: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

pub(super) struct Tenant {
    pub(super) user: Uuid,
    pub(super) token: String,
    pub(super) waba_id: String,
    pub(super) number: String,
    pub(super) conversation: i64,
    /// The customer's message, which has a file.
    pub(super) message_id: String,
    pub(super) wamid: String,
    pub(super) phone: String,
    pub(super) quick_reply: i64,
    pub(super) upload: String,
    pub(super) endpoint: String,
    /// Where `changes` begins, and a page of their list.
    pub(super) cursor: String,
    pub(super) page: String,
    /// What only they may see.
    pub(super) secrets: Vec<String>,
}

impl Tenant {
    pub(super) async fn new(stack: &Stack) -> Self {
        let word = || format!("secret{}", Uuid::new_v4().simple());
        let digits = || (Uuid::new_v4().as_u128() % 1_000_000_000_000_000).to_string();
        let (name, customer, text, shortcut, template) = (word(), word(), word(), word(), word());
        let mut tenant = Self {
            user: Uuid::new_v4(),
            token: String::new(),
            waba_id: format!("7{}", digits()),
            number: format!("8{}", digits()),
            conversation: 0,
            message_id: String::new(),
            wamid: format!("wamid.{}", Uuid::new_v4()),
            phone: new_phone(),
            quick_reply: 0,
            upload: String::new(),
            endpoint: format!("https://fcm.googleapis.com/fcm/send/{}", word()),
            cursor: String::new(),
            page: String::new(),
            secrets: vec![
                name.clone(),
                customer.clone(),
                text.clone(),
                shortcut.clone(),
                template.clone(),
            ],
        };
        tenant.token = token(stack, &json!({ "sub": tenant.user }));
        tenant.insert_account(stack, &name, &template).await;
        tenant.cursor = tenant.ask(stack, Method::GET, "changes", Value::Null).await["next_cursor"].to_string();
        tenant.cursor = tenant.cursor.trim_matches('"').to_owned();

        let mut webhook = stack.text(&tenant.phone, &tenant.wamid, &text);
        webhook["entry"][0]["id"] = json!(tenant.waba_id);
        let value = &mut webhook["entry"][0]["changes"][0]["value"];
        value["metadata"]["phone_number_id"] = json!(tenant.number);
        value["contacts"][0]["profile"]["name"] = json!(customer);
        assert_eq!(stack.post_webhook(&webhook).await, StatusCode::OK);
        let message = until("the customer's message", async || {
            let page = tenant
                .ask(stack, Method::GET, &format!("messages?q={text}"), Value::Null)
                .await;
            page["messages"].as_array()?.first().cloned()
        })
        .await;
        tenant.conversation = message["conversation_id"].as_i64().unwrap();
        message["message_id"]
            .as_str()
            .unwrap()
            .clone_into(&mut tenant.message_id);
        tenant.insert_file(stack).await;

        let reply = json!({"shortcut": shortcut, "content": "Hello"});
        let reply = tenant.ask(stack, Method::POST, "quick-replies", reply).await;
        tenant.quick_reply = reply["quick_reply"]["id"].as_i64().unwrap();
        let file = json!({"mime_type": "image/jpeg", "size": 4});
        let file = tenant.ask(stack, Method::POST, "media", file).await;
        file["media_id"].as_str().unwrap().clone_into(&mut tenant.upload);
        tenant.put_file(stack, &file["upload"]).await;
        tenant
            .ask(stack, Method::POST, "push-subscriptions", tenant.subscription())
            .await;
        tenant.page = tenant.page_cursor(stack).await;
        tenant
    }

    /// Their browser's subscription.
    pub(super) fn subscription(&self) -> Value {
        json!({"endpoint": self.endpoint, "keys": {"p256dh": PUBLIC_KEY, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}})
    }

    async fn ask(&self, stack: &Stack, method: Method, path: &str, body: Value) -> Value {
        let body = (!body.is_null()).then_some(body);
        let path = format!("/api/live-chat/{path}");
        let (status, reply) = stack.call(&self.token, method, &path, body.as_ref()).await;
        assert!(status.is_success(), "{path} {status} {reply}");
        reply
    }

    async fn insert_account(&self, stack: &Stack, name: &str, template: &str) {
        let (user, waba, number) = (self.user, &self.waba_id, &self.number);
        // Its list of templates is new, so that nobody asks Graph, which knows no such account.
        let rows = format!(
            "insert into users (id) values ('{user}');
             insert into waba_accounts (waba_id, user_id) values ('{waba}', '{user}');
             insert into phone_numbers (waba_id, phone_number_id, display_phone_number, verified_name, is_registered)
             values ('{waba}', '{number}', '+1 555 000', '{name}', true);
             insert into chat_template_lists values ('{waba}', now());
             insert into chat_templates (waba_id, name, language, template_id, status, category, components)
             values ('{waba}', '{template}', 'en', '1', 'APPROVED', 'UTILITY', '[{{\"type\": \"BODY\", \"text\": \"Hi\"}}]')"
        );
        stack.database().await.batch_execute(&rows).await.unwrap();
    }

    /// A file of the customer's message that is in the bucket.
    async fn insert_file(&self, stack: &Stack) {
        let file = "insert into chat_media (message_id, wa_media_id, state, mime_type, object_key, size)
                    select id, '1', 'stored', 'image/jpeg', 'in/' || id, 4 from chat_messages where wa_message_id = $1";
        assert_eq!(stack.database().await.execute(file, &[&self.wamid]).await.unwrap(), 1);
    }

    async fn put_file(&self, stack: &Stack, upload: &Value) {
        let mut put = stack.http.put(upload["url"].as_str().unwrap());
        for (name, value) in upload["headers"].as_object().unwrap() {
            put = put.header(name, value.as_str().unwrap());
        }
        let answer = put.body(b"\xff\xd8\xff\xe0".to_vec()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// A cursor of their list, which has a second page for a moment.
    async fn page_cursor(&self, stack: &Stack) -> String {
        let database = stack.database().await;
        let second = "insert into chat_conversations (waba_id, phone_number_id, customer_phone, last_message_time)
                      values ($1, $2, '+1', now() - interval '1 day')";
        database.execute(second, &[&self.waba_id, &self.number]).await.unwrap();
        let page = self.ask(stack, Method::GET, "conversations?limit=1", Value::Null).await;
        let removed = "delete from chat_conversations where waba_id = $1 and customer_phone = '+1'";
        database.execute(removed, &[&self.waba_id]).await.unwrap();
        page["next_cursor"].as_str().unwrap().to_owned()
    }

    /// Nothing that only they may see is in a reply to somebody else.
    pub(super) fn assert_hidden(&self, what: &str, reply: &Value) {
        let reply = reply.to_string();
        let phone = self.phone.trim_start_matches('+').to_owned();
        for secret in self.secrets.iter().chain([&phone, &self.endpoint, &self.wamid]) {
            assert!(!reply.contains(secret.as_str()), "{what} tells {secret}: {reply}");
        }
    }

    /// All that is theirs, as it is in the database; without what clocks write.
    pub(super) async fn rows(&self, stack: &Stack) -> Vec<String> {
        const ROWS: &str = "
            with mine as (select id::bigint from chat_conversations where waba_id = $1), messages as (
                select m.id::bigint from chat_messages m where m.conversation_id in (select id from mine))
            select 'account ' || a::text from waba_accounts a where waba_id = $1
            union all select 'settings ' || s::text from chat_account_settings s where waba_id = $1
            union all select 'number ' || n::text from phone_numbers n where waba_id = $1
            union all select 'conversation ' || c::text from chat_conversations c where waba_id = $1
            union all select 'signals ' || s::text from chat_conversation_signals s where conversation_id in (select id from mine)
            union all select 'message ' || m::text from chat_messages m where m.id in (select id from messages)
            union all select 'file ' || f::text from chat_media f where f.message_id in (select id from messages)
            union all select 'send ' || s::text from chat_sends s where s.conversation_id in (select id from mine)
            union all select 'event ' || e::text from chat_message_events e where phone_number_id = $2
            union all select 'template ' || t::text from chat_templates t where waba_id = $1
            union all select 'reply ' || r::text from chat_quick_replies r where user_id = $3
            union all select 'browser ' || p::text from chat_push_subscriptions p where user_id = $3
            union all select 'upload ' || u.id::text from chat_uploads u where user_id = $3
            union all select 'ticket ' || t::text from chat_tickets t where user_id = $3
            order by 1";
        let rows = stack.database().await;
        let rows = rows
            .query(ROWS, &[&self.waba_id, &self.number, &self.user])
            .await
            .unwrap();
        assert!(rows.len() > 8, "there is something to change");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// So that no clock looks for their files again.
    pub(super) async fn remove(&self, stack: &Stack) {
        let database = stack.database().await;
        let owned = "delete from chat_push_subscriptions where user_id = $1";
        database.execute(owned, &[&self.user]).await.unwrap();
        let rows = "delete from chat_conversations where waba_id = $1";
        database.execute(rows, &[&self.waba_id]).await.unwrap();
    }
}

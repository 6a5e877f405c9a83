//! Secrets, and what people write, are let through every path, and then looked for in all that the system says of itself: logs, errors,
//! triggers, the output of the operators' commands. The stack of `cargo xtask test` logs at `trace`.

use std::collections::BTreeMap;
use std::process::Output;

use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use shared::testing::{create_secret, sign_hs256};
use shared::tokens::KeyRing;
use shared::whatsapp::signature;
use uuid::Uuid;

use crate::clock::{lambda, mapping_of};
use crate::realtime::Page;
use crate::stack::{Stack, and_then, new_phone, until, xtask};

const DEMO_TOKEN: &str = "the demo account's token";
const TRIGGERS: [&str; 2] = ["media_queue_url", "outbox_queue_url"];

/// What must be seen nowhere, by what it is.
#[derive(Default)]
struct Canaries {
    secrets: BTreeMap<String, String>,
    contents: BTreeMap<String, String>,
}

impl Canaries {
    /// A new token of Meta's form.
    fn token(&mut self, what: &str) -> String {
        let token = format!("EAA{0}{0}", Uuid::new_v4().simple());
        self.secrets.insert(what.to_owned(), token.clone());
        token
    }

    /// A new word that somebody writes, or that names something of theirs.
    fn word(&mut self, what: &str) -> String {
        let word = format!("canary{}", Uuid::new_v4().simple());
        self.contents.insert(what.to_owned(), word.clone());
        word
    }

    fn phone(&mut self, what: &str) -> String {
        let phone = new_phone();
        self.contents
            .insert(what.to_owned(), phone.trim_start_matches('+').to_owned());
        phone
    }

    /// Looks for secrets.
    fn assert_no_secret(&self, place: &str, text: &str) {
        for (what, secret) in &self.secrets {
            assert!(
                !text.contains(secret.as_str()),
                "{place} holds {what}: {}",
                line_with(text, secret)
            );
        }
    }

    /// Looks for secrets and for what people write.
    fn assert_none(&self, place: &str, text: &str) {
        self.assert_no_secret(place, text);
        for (what, word) in &self.contents {
            assert!(
                !text.contains(word.as_str()),
                "{place} holds {what}: {}",
                line_with(text, word)
            );
        }
    }
}

fn line_with<'a>(text: &'a str, word: &str) -> &'a str {
    text.lines().find(|line| line.contains(word)).unwrap_or_default()
}

/// An agent of their own, so that no other test meets their accounts.
struct Scene {
    stack: Stack,
    canaries: Canaries,
    agent: String,
    user: Uuid,
}

impl Scene {
    async fn new() -> Self {
        let stack = Stack::open();
        let mut canaries = Canaries::default();
        let ring = stack.key_ring().await;
        for (id, key) in ring.as_object().unwrap().iter().filter(|(id, _)| *id != "active") {
            canaries
                .secrets
                .insert(format!("the key {id}"), key.as_str().unwrap().to_owned());
        }
        let stored = "select access_token from waba_accounts where waba_id = $1";
        let database = stack.database().await;
        let stored: String = database
            .query_one(stored, &[&stack.get("waba_id")])
            .await
            .unwrap()
            .get(0);
        let token = KeyRing::parse(&ring.to_string())
            .unwrap()
            .decrypt(stack.get("waba_id"), &stored);
        canaries.secrets.insert(DEMO_TOKEN.to_owned(), token.unwrap());
        canaries
            .secrets
            .insert("the demo account's encrypted token".to_owned(), stored);
        for name in ["app_secret", "verify_token", "jwt_secret", "agent_token"] {
            canaries.secrets.insert(name.to_owned(), stack.get(name).to_owned());
        }
        // User and password; each alone is a common word.
        let url = reqwest::Url::parse(stack.get("database_url")).unwrap();
        let password = format!("{}:{}@", url.username(), url.password().unwrap_or_default());
        canaries.secrets.insert("the database's password".to_owned(), password);
        let user = Uuid::new_v4();
        let claims = json!({"sub": user, "role": "authenticated", "aud": "authenticated", "iss": stack.get("jwt_issuer"),
                            "exp": jiff::Timestamp::now().as_second() + 600});
        let agent = sign_hs256(&claims, stack.get("jwt_secret"));
        canaries.secrets.insert("an agent's token".to_owned(), agent.clone());
        database
            .execute("insert into users (id) values ($1)", &[&user])
            .await
            .unwrap();
        Self {
            stack,
            canaries,
            agent,
            user,
        }
    }

    /// Calls the API; an error must tell no secret, and one of the server nothing at all.
    async fn call(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let path = format!("/api/live-chat/{path}");
        let (status, reply) = self.stack.call(token, method, &path, body).await;
        self.canaries.assert_no_secret(&path, &reply.to_string());
        if status.is_server_error() {
            self.canaries.assert_none(&path, &reply.to_string());
        }
        (status, reply)
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(self.stack.get("agent_token"), method, path, Some(&body))
            .await
    }

    async fn send(&self, body: Value) -> (StatusCode, Value) {
        self.ask(Method::POST, "send-message", body).await
    }

    async fn fault(&self, to: &str, mut fault: Value) {
        fault["match"] = json!({"to": to.trim_start_matches('+')});
        let url = format!("{}/_simulator/faults", self.stack.get("simulator_url"));
        let answer = self.stack.http.post(url).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// A conversation of the demo agent with a customer who wrote a canary.
    async fn conversation(&mut self, what: &str) -> (String, i64) {
        let phone = self.canaries.phone(&format!("the number of {what}"));
        let text = self.canaries.word(&format!("the text of {what}"));
        self.stack.customer_writes(&phone, &text).await;
        let conversation = self.stack.conversation_showing(&phone, &text).await;
        (phone, conversation["id"].as_i64().unwrap())
    }

    /// An account of the own agent with this stored token, and a conversation of it.
    async fn account(&mut self, waba_id: &str, stored: &str) -> i64 {
        let phone = self.canaries.phone(&format!("a customer's number of {waba_id}"));
        let database = self.stack.database().await;
        let number = format!("{waba_id}0");
        let insert = "insert into waba_accounts (waba_id, user_id, access_token) values ($1, $2, $3)";
        database
            .execute(insert, &[&waba_id, &self.user, &stored])
            .await
            .unwrap();
        let insert = "insert into phone_numbers (waba_id, phone_number_id, display_phone_number, is_registered) values ($1, $2, '+1 555', true)";
        database.execute(insert, &[&waba_id, &number]).await.unwrap();
        let insert = "insert into chat_conversations (waba_id, phone_number_id, customer_phone, last_inbound_at)
                      values ($1, $2, $3, now()) returning id::bigint";
        database
            .query_one(insert, &[&waba_id, &number, &phone])
            .await
            .unwrap()
            .get(0)
    }

    /// Signed webhooks of every fate, and some that nobody signed.
    async fn post_webhooks(&mut self) {
        let phone = self.canaries.phone("the number of webhooks");
        let mut word = |what: &str| self.canaries.word(what);
        let message = |kind: &str, content: Value| {
            let mut webhook = self.stack.text(&phone, &format!("wamid.{}", Uuid::new_v4()), "");
            let value = &mut webhook["entry"][0]["changes"][0]["value"];
            value["messages"][0]["type"] = json!(kind);
            value["messages"][0][kind] = content;
            webhook
        };
        let mut named = message("text", json!({"body": word("an inbound text")}));
        named["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"]["name"] = json!(word("a customer's name"));
        let file = |name: &str, caption: &str| json!({"id": "314159265", "mime_type": "application/pdf", "sha256": "", "filename": name, "caption": caption});
        let mut late = message("text", json!({"body": word("a text with a wrong time")}));
        late["entry"][0]["changes"][0]["value"]["messages"][0]["timestamp"] = json!("soon");
        let mut foreign = message("text", json!({"body": word("a text to an unknown number")}));
        foreign["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] = json!(Uuid::new_v4());
        let mut status = named.clone();
        status["entry"][0]["changes"][0]["value"] = json!({"messaging_product": "whatsapp",
            "metadata": {"phone_number_id": self.stack.get("phone_number_id")},
            "statuses": [{"id": "wamid.unknown", "status": "failed", "timestamp": "1782907200", "recipient_id": phone,
                          "errors": [{"code": 131_026, "title": word("a status's title"), "error_data": {"details": word("a status's details")}}]}]});
        let strange = json!({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": word("a field"), "value": word("a value")}]}]});
        let refused = message(
            "text",
            json!({"body": format!("\u{fffe}{}", word("a text that SQS refuses"))}),
        );
        let bodies = [
            named,
            message(
                "document",
                file(&word("an inbound file's name"), &word("an inbound caption")),
            ),
            message(
                "button",
                json!({"payload": word("a payload"), "text": word("a button's text")}),
            ),
            message(
                "contacts",
                json!([{"name": {"formatted_name": word("a contact's name")}}]),
            ),
            late,
            foreign,
            status,
            strange,
            refused,
        ];
        let unsigned = word("an unsigned text");
        let malformed = format!("[\"{}\"", word("a malformed body"));
        for body in &bodies {
            assert_eq!(self.stack.post_webhook(body).await, StatusCode::OK, "{body}");
        }
        let status = self.stack.post_signed(malformed.into_bytes(), "application/json").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let forged = signature::sign("another secret", unsigned.as_bytes());
        for signature in [forged.as_str(), "sha256=00", ""] {
            let post = self.stack.http.post(self.stack.get("webhook_url"));
            let post = post.header(signature::HEADER, signature).body(unsigned.clone());
            let answer = post.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
            self.canaries
                .assert_none("a refused webhook", &answer.text().await.unwrap());
        }
    }

    /// Messages of several kinds that WhatsApp takes, a file of the agent's, and one of the customer's.
    async fn converse(&mut self) {
        let (phone, id) = self.conversation("a good conversation").await;
        let mut word = |what: &str| self.canaries.word(what);
        let image =
            json!({"link": format!("https://example.com/{}.png", word("a link")), "caption": word("a caption")});
        let named = word("a sent file's name");
        let new = json!({"mime_type": "application/pdf", "size": 8, "filename": format!("{named}.pdf")});
        let template = json!({"name": "order_update", "language": {"code": "en_US"}, "components": [
            {"type": "header", "parameters": [{"type": "text", "text": word("a header's parameter")}]},
            {"type": "body", "parameters": [{"type": "text", "text": word("a parameter")}, {"type": "text", "text": "Friday"}]}]});
        let buttons = json!({"type": "button", "body": {"text": word("a body")},
            "action": {"buttons": [{"type": "reply", "reply": {"id": word("a button's id"), "title": "Yes"}}]}});
        let card = json!([{"name": {"formatted_name": word("a card's name"), "first_name": "A"}}]);
        let text = json!({"conversation_id": id, "message": word("a sent text")});
        let reply = json!({"shortcut": word("a shortcut"), "content": word("a quick reply")});
        let query = word("a search");
        for (kind, content) in [
            ("image", image),
            ("template", template),
            ("interactive", buttons),
            ("contacts", card),
        ] {
            let mut request = json!({"conversation_id": id, "message_type": kind});
            request[kind] = content;
            let (status, reply) = self.send(request).await;
            assert_eq!(status, StatusCode::OK, "{kind} {reply}");
        }
        assert_eq!(self.send(text).await.0, StatusCode::OK);

        let (status, announced) = self.ask(Method::POST, "media", new).await;
        assert!(status.is_success(), "{announced}");
        let upload = &announced["upload"];
        let mut put = self.stack.http.put(upload["url"].as_str().unwrap()).body("%PDF-1.7");
        for (name, value) in upload["headers"].as_object().unwrap() {
            put = put.header(name, value.as_str().unwrap());
        }
        assert!(put.send().await.unwrap().status().is_success());
        let file = json!({"media_id": announced["media_id"]});
        let (status, reply_to_file) = self
            .send(json!({"conversation_id": id, "message_type": "document", "document": file}))
            .await;
        assert!(status.is_success(), "{reply_to_file}");
        self.remember_signature("a link to upload", upload["url"].as_str().unwrap());

        self.stack
            .customer_sends(
                &phone,
                json!({"type": "document", "document": {"filename": format!("{named}.doc")}}),
            )
            .await;
        let list = format!("messages?conversation_id={id}");
        let link = until("the customer's file", async || {
            let (_, page) = self.ask(Method::GET, &list, Value::Null).await;
            let messages = page["messages"].as_array()?.clone();
            let stored = messages
                .into_iter()
                .find(|message| message["sender"] == "customer" && message["media"]["state"] == "stored")?;
            let path = format!("media/{}", stored["message_id"].as_str()?);
            let (_, link) = self.ask(Method::GET, &path, Value::Null).await;
            link["url"].as_str().map(str::to_owned)
        })
        .await;
        self.remember_signature("a link to a file", &link);

        for (method, path, body) in [
            (Method::POST, "typing".to_owned(), json!({"conversation_id": id})),
            (Method::POST, format!("conversations/{id}/read"), Value::Null),
            (
                Method::PATCH,
                format!("conversations/{id}"),
                json!({"customer_name": named}),
            ),
            (
                Method::GET,
                format!("templates?phone_number_id={}", self.stack.get("phone_number_id")),
                Value::Null,
            ),
            (Method::GET, format!("conversations?q={query}"), Value::Null),
            (
                Method::GET,
                format!("messages?conversation_id={id}&q={query}"),
                Value::Null,
            ),
            (Method::POST, "quick-replies".to_owned(), reply),
        ] {
            let (status, reply) = self.ask(method.clone(), &path, body).await;
            assert!(status.is_success(), "{method} {path} {reply}");
        }
    }

    /// Opens a page, once with a good ticket and once with it again.
    async fn open_pages(&mut self) {
        let (status, reply) = self.ask(Method::POST, "realtime-ticket", Value::Null).await;
        assert_eq!(status, StatusCode::OK);
        let url = reply["url"].as_str().unwrap();
        let ticket = url.split_once("ticket=").expect("it is in the query").1.to_owned();
        self.canaries.secrets.insert("a ticket".to_owned(), ticket);
        let page = Page::open(url).await;
        assert!(page.is_ok() && Page::open(url).await.is_err());
    }

    fn remember_signature(&mut self, what: &str, link: &str) {
        let url = reqwest::Url::parse(link).unwrap();
        let signature = url.query_pairs().find(|(name, _)| name == "X-Amz-Signature");
        let (_, signature) = signature.expect("a link is signed");
        self.canaries.secrets.insert(what.to_owned(), signature.into_owned());
    }

    /// Sends that Graph refuses, with all it knows in its answer, or leaves unanswered. Returns the ids of those that failed for good.
    async fn send_in_vain(&mut self) -> Vec<String> {
        let mut failed = Vec::new();
        // Graph quotes a token that it cannot read: "Malformed access token …".
        let token = self.canaries.secrets[DEMO_TOKEN].clone();
        for (kind, is_final) in [(131_026, true), (2, false), (190, false), (131_048, false), (0, false)] {
            let (phone, id) = self.conversation(&format!("a conversation with {kind}")).await;
            let text = self.canaries.word(&format!("a text answered with {kind}"));
            let quoted = format!("{token} {phone}: {text}; {}", self.canaries.word("what Graph says"));
            let fault = match kind {
                0 => json!({"kind": "no_answer_before_accept", "times": 1}),
                code => {
                    json!({"kind": "http_error", "times": 1, "status": 400, "code": code, "message": quoted, "details": quoted})
                }
            };
            self.fault(&phone, fault).await;
            let (status, reply) = self.send(json!({"conversation_id": id, "message": text})).await;
            let expected = if is_final {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::ACCEPTED
            };
            assert_eq!(status, expected, "{kind} {reply}");
            failed.push(reply["message"]["message_id"].as_str().unwrap().to_owned());
            // The hold of a whole account is not for the tests that follow.
            let database = self.stack.database().await;
            let release = "with released as (delete from chat_holds returning 1) update chat_sends set next_try_at = now() where settled_at is null";
            database.batch_execute(release).await.unwrap();
        }
        failed
    }

    /// Accounts whose tokens cannot be sent with, as they are stored.
    async fn send_with_bad_tokens(&mut self) {
        let (plain, own, revoked) = (
            self.canaries.token("a plain token"),
            self.canaries.token("a token that is a secret"),
            self.canaries.token("a revoked token"),
        );
        let secret = create_secret(&self.stack.aws().await, &own).await;
        let ring = KeyRing::parse(&self.stack.key_ring().await.to_string()).unwrap();
        let foreign = ring.encrypt("somebody else", &revoked).unwrap();
        let base = self.user.simple().to_string();
        for (name, stored, said) in [
            ("plain", plain, "plain text"),
            ("secret", secret, "refused 190"),
            ("revoked", String::new(), "refused 190"),
            ("foreign", foreign, "cannot be decrypted"),
        ] {
            let waba_id = format!("{name}{base}");
            let stored = if name == "revoked" {
                ring.encrypt(&waba_id, &revoked).unwrap()
            } else {
                stored
            };
            let id = self.account(&waba_id, &stored).await;
            let text = self.canaries.word(&format!("a text of the {name} account"));
            let request = json!({"conversation_id": id, "message": text});
            let (status, reply) = self
                .call(&self.agent, Method::POST, "send-message", Some(&request))
                .await;
            assert_eq!(status, StatusCode::ACCEPTED, "{name} {reply}");
            let path = format!("templates?phone_number_id={waba_id}0");
            let (status, reply) = self.call(&self.agent, Method::GET, &path, None).await;
            assert!(!status.is_success(), "{name} {reply}");
            let check = self.command(&["tokens", "check"]);
            assert!(!check.status.success());
            let shown = String::from_utf8(check.stdout).unwrap();
            assert!(shown.contains(&format!("{waba_id} {said}")), "{shown}");
            assert!(shown.contains(&format!("{} ok", self.stack.get("waba_id"))), "{shown}");
        }
    }

    /// A command, whose output tells nothing.
    fn command(&self, arguments: &[&str]) -> Output {
        let output = xtask(arguments);
        for text in [&output.stdout, &output.stderr] {
            self.canaries
                .assert_none(&arguments.join(" "), &String::from_utf8_lossy(text));
        }
        output
    }

    /// Requests that are refused, on every function.
    async fn be_refused(&mut self) {
        let (word, token) = (
            self.canaries.word("a refused text"),
            self.canaries.token("a stranger's token"),
        );
        let forged = sign_hs256(&json!({"sub": self.user, "name": word}), "another secret");
        self.canaries
            .secrets
            .insert("a forged token".to_owned(), forged.clone());
        let (long, phone) = (word.repeat(10_000), self.canaries.phone("a number in a path"));
        for (method, path, body) in [
            (
                Method::POST,
                "send-message",
                json!({"conversation_id": 1, "message": 7, "to": word}),
            ),
            (
                Method::POST,
                "send-message",
                json!({"conversation_id": 2_000_000_000, "message": word}),
            ),
            (
                Method::POST,
                "send-message",
                json!({"conversation_id": 1, "message_type": word, "message": long}),
            ),
            (
                Method::POST,
                "media",
                json!({"mime_type": word, "size": 1, "filename": word}),
            ),
            (Method::POST, "typing", json!({"conversation_id": word})),
            (Method::POST, "quick-replies", json!({"shortcut": 1, "content": word})),
            (Method::PATCH, "conversations/1", json!({"status": word})),
            (Method::GET, "messages?conversation_id=2000000000", Value::Null),
            (Method::GET, "conversations?limit=none", Value::Null),
            (Method::GET, &format!("conversations/{phone}"), Value::Null),
            (Method::GET, &format!("media/{phone}"), Value::Null),
            (Method::GET, "templates?phone_number_id=none", Value::Null),
        ] {
            for bearer in [self.stack.get("agent_token"), &token, &forged] {
                let (status, reply) = self.call(bearer, method.clone(), path, Some(&body)).await;
                assert!(status.is_client_error(), "{method} {path} {status} {reply}");
            }
        }
    }

    /// Every function while the database is away.
    async fn ask_without_database(&mut self) {
        let word = self.canaries.word("a text that met no database");
        let phone = self.canaries.phone("a number that met no database");
        let webhook = self.stack.text(&phone, &format!("wamid.{}", Uuid::new_v4()), &word);
        let number = self.stack.get("phone_number_id").to_owned();
        assert!(xtask(&["postgres", "stop"]).status.success());
        let asked = async {
            assert_eq!(self.stack.post_webhook(&webhook).await, StatusCode::OK);
            for (method, path, body) in [
                (
                    Method::POST,
                    "send-message".to_owned(),
                    json!({"conversation_id": 1, "message": word}),
                ),
                (Method::GET, format!("conversations?q={word}"), Value::Null),
                (Method::GET, format!("messages?conversation_id=1&q={word}"), Value::Null),
                (Method::GET, format!("templates?phone_number_id={number}"), Value::Null),
                (
                    Method::POST,
                    "quick-replies".to_owned(),
                    json!({"shortcut": word, "content": word}),
                ),
            ] {
                let (status, reply) = self.ask(method, &path, body).await;
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path} {reply}");
            }
        };
        let repair = async {
            assert!(xtask(&["postgres", "start"]).status.success());
        };
        and_then(asked, repair).await;
        self.stack.conversation_showing(&phone, &word).await;
    }

    /// What triggers say, which are caught before they reach their functions.
    async fn catch_triggers(&mut self) {
        let (phone, id) = self.conversation("a conversation with triggers").await;
        let mut mappings = Vec::new();
        for queue in TRIGGERS {
            let mapping = mapping_of(&self.stack, queue).await;
            lambda(&self.stack, Method::PUT, &mapping, Some(json!({"Enabled": false}))).await;
            mappings.push(mapping);
        }
        let text = self.canaries.word("a text with a trigger");
        let name = self.canaries.word("a file with a trigger");
        let caught = async {
            self.fault(
                &phone,
                json!({"kind": "http_error", "times": 1, "status": 503, "code": 2, "message": text}),
            )
            .await;
            let (status, reply) = self.send(json!({"conversation_id": id, "message": text})).await;
            assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
            let file = json!({"type": "document", "document": {"filename": name, "caption": text}});
            self.stack.customer_sends(&phone, file).await;
            let sqs = self.stack.sqs().await;
            for queue in TRIGGERS {
                let body = until(&format!("a trigger in {queue}"), async || {
                    let receive = sqs
                        .receive_message()
                        .queue_url(self.stack.get(queue))
                        .visibility_timeout(0);
                    let answer = Box::pin(receive.send()).await.unwrap();
                    answer
                        .messages
                        .unwrap_or_default()
                        .pop()
                        .map(|message| format!("{message:?}"))
                })
                .await;
                self.canaries.assert_none(queue, &body);
            }
        };
        let repair = async {
            for mapping in &mappings {
                lambda(&self.stack, Method::PUT, mapping, Some(json!({"Enabled": true}))).await;
            }
        };
        and_then(caught, repair).await;
    }

    /// All that functions logged, by log group.
    async fn logs(&self) -> BTreeMap<String, String> {
        let mut logs = BTreeMap::new();
        let groups = self.call_logs("DescribeLogGroups", json!({})).await;
        for group in groups["logGroups"].as_array().unwrap() {
            let name = group["logGroupName"].as_str().unwrap();
            let mut text = group.to_string();
            let mut page = json!({"logGroupName": name, "limit": 10_000});
            loop {
                let events = self.call_logs("FilterLogEvents", page.clone()).await;
                for event in events["events"].as_array().unwrap() {
                    text += event["message"].as_str().unwrap();
                    text.push('\n');
                }
                if !events["nextToken"].is_string() {
                    break;
                }
                page["nextToken"] = events["nextToken"].clone();
            }
            logs.insert(name.to_owned(), text);
        }
        // The emulator's own log tells what AWS would not.
        for file in std::fs::read_dir(self.stack.get("logs")).unwrap() {
            let path = file.unwrap().path();
            if path.file_name().is_some_and(|name| name != "ministack.log") {
                logs.insert(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
            }
        }
        logs
    }

    async fn call_logs(&self, action: &str, body: Value) -> Value {
        let scope =
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0";
        let post = self.stack.http.post(self.stack.get("aws_endpoint_url"));
        let post = post
            .header("authorization", scope)
            .header("x-amz-target", format!("Logs_20140328.{action}"))
            .header("content-type", "application/x-amz-json-1.1");
        let answer = post.body(body.to_string()).send().await.unwrap();
        answer
            .error_for_status()
            .expect("it takes the call")
            .json()
            .await
            .unwrap()
    }

    async fn remove_accounts(&self) {
        let database = self.stack.database().await;
        let own = format!("'%{}'", self.user.simple());
        let remove = format!(
            "delete from chat_holds where scope_id like {own}; delete from chat_conversations where waba_id like {own};
             delete from phone_numbers where waba_id like {own}; delete from waba_accounts where waba_id like {own}"
        );
        database.batch_execute(&remove).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_secret_and_nothing_that_was_written_is_in_any_log_error_or_trigger() {
    let mut scene = Scene::new().await;
    scene.post_webhooks().await;
    scene.open_pages().await;
    scene.converse().await;
    let failed = scene.send_in_vain().await;
    scene.be_refused().await;
    scene.catch_triggers().await;
    scene.send_with_bad_tokens().await;
    for command in [&["tokens", "encrypt"][..], &["quarantine", "list"], &["dlq", "list"]] {
        let output = scene.command(command);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    scene.remove_accounts().await;
    scene.ask_without_database().await;
    until("the queues to be empty", async || {
        let visible = QueueAttributeName::ApproximateNumberOfMessages;
        let mut left = 0;
        for queue in TRIGGERS {
            left += scene.stack.depth(queue, visible.clone()).await;
        }
        (left == 0).then_some(())
    })
    .await;

    let logs = scene.logs().await;
    let all = logs.values().map(String::as_str).collect::<String>();
    for message_id in &failed {
        assert!(
            all.contains(message_id.as_str()),
            "the logs that are searched are those of what was done"
        );
    }
    for function in [
        "webhook",
        "consumer",
        "media",
        "send",
        "outbox",
        "conversations",
        "messages",
        "realtime",
    ] {
        assert!(
            logs.keys().any(|name| name.ends_with(&format!("/{function}.log"))),
            "{function} {:?}",
            logs.keys()
        );
    }
    for (place, text) in &logs {
        scene.canaries.assert_none(place, text);
    }
}

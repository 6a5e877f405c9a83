//! Two agents with a conversation each, and sockets.

use std::time::Duration;

use realtime::{App, handle_socket, service};
use serde_json::{Value, json};
use shared::edge::push::PushKeys;
use shared::edge::secrets::Secrets;
use shared::testing::api::{Api, authenticator};
use shared::testing::sockets::SocketsStub;
use shared::testing::{TestDatabase, emulated_aws};
use uuid::Uuid;

pub(crate) const TICKET: &str = "/api/live-chat/realtime-ticket";

/// An agent, their account, number and conversation.
pub(crate) struct Agent {
    pub(crate) user: Uuid,
    pub(crate) conversation: i64,
    pub(crate) api: Api,
}

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) app: App,
    pub(crate) stub: SocketsStub,
    pub(crate) ana: Agent,
    pub(crate) ben: Agent,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::migrated().await;
        let (stub, realtime) = SocketsStub::start(database.pool()).await;
        let app = App {
            http: shared::http::App {
                database: database.pool(),
                authenticator: authenticator(),
            },
            websocket_url: "wss://sockets.example/live".to_owned(),
            realtime,
            push_keys: PushKeys::new(
                Secrets::new(&emulated_aws().await, Duration::ZERO),
                "test/none".to_owned(),
            ),
            push_origin: None,
        };
        let agent = async |waba: &str, number: &str| {
            let user = database.add_number(waba, number).await;
            let sql = format!(
                "insert into chat_conversations (waba_id, phone_number_id, customer_phone) values ('{waba}', '{number}', '+15550001')
                 returning id"
            );
            Agent {
                user,
                conversation: database.count(&sql).await,
                api: Api::new(service(app.clone()), user),
            }
        };
        let (ana, ben) = (agent("900100", "700100").await, agent("900200", "700200").await);
        let fixture = Self {
            database,
            app,
            stub,
            ana,
            ben,
        };
        // What made the fixture nobody is told of.
        fixture.run("delete from chat_unpublished").await;
        fixture
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.database.client.batch_execute(sql).await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.database.count(sql).await
    }

    /// A ticket of this agent.
    pub(crate) async fn ticket(&self, agent: &Agent) -> String {
        let reply = agent.api.send(axum::http::Method::POST, TICKET, "").await.ok();
        let url = reply["url"].as_str().unwrap();
        url.split_once("?ticket=")
            .expect("the ticket is the query")
            .1
            .to_owned()
    }

    pub(crate) async fn event(&self, event: Value) -> u16 {
        handle_socket(&self.app, serde_json::from_value(event).unwrap())
            .await
            .status_code
    }

    /// The handshake of a connection; its status.
    pub(crate) async fn connect(&self, id: &str, ticket: Option<&str>) -> u16 {
        let query = ticket.map(|ticket| json!({ "ticket": ticket }));
        self.event(json!({"requestContext": {"connectionId": id, "eventType": "CONNECT", "routeKey": "$connect"}, "queryStringParameters": query}))
            .await
    }

    /// Opens this connection for the agent.
    pub(crate) async fn open(&self, id: &str, agent: &Agent) {
        let ticket = self.ticket(agent).await;
        assert_eq!(self.connect(id, Some(&ticket)).await, 200);
    }

    pub(crate) async fn disconnect(&self, id: &str) {
        let event =
            json!({"requestContext": {"connectionId": id, "eventType": "DISCONNECT", "routeKey": "$disconnect"}});
        assert_eq!(self.event(event).await, 200);
    }

    pub(crate) async fn say(&self, id: &str, body: &str) -> u16 {
        self.event(json!({"requestContext": {"connectionId": id, "eventType": "MESSAGE", "routeKey": "$default"}, "body": body}))
            .await
    }

    /// A message of the customer, as SQL; its row.
    pub(crate) async fn message(&self, agent: &Agent, content: &str) -> i64 {
        self.count(&format!(
            "insert into chat_messages (conversation_id, content, sender) values ({}, '{content}', 'customer') returning id",
            agent.conversation
        ))
        .await
    }

    /// The types of the frames that a connection took.
    pub(crate) fn told(&self, id: &str) -> Vec<String> {
        let frames = self.stub.frames_of(id).into_iter();
        frames.map(|frame| frame["type"].as_str().unwrap().to_owned()).collect()
    }
}

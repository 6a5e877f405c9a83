//! One event of a socket, as API Gateway gives it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use shared::db::{DbError, connections};
use shared::domain::change::{Change, ChangeType};

use crate::{App, digest_of};

/// What API Gateway says of a socket.
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-integrations.html>.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketEvent {
    request_context: Context,
    /// Of the handshake.
    query_string_parameters: Option<HashMap<String, String>>,
    /// Of a message.
    body: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    connection_id: String,
    event_type: EventType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum EventType {
    Connect,
    Disconnect,
    Message,
}

/// The answer: of a handshake, whether the socket opens.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketReply {
    /// An HTTP status.
    pub status_code: u16,
}

/// What a page says over its socket.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    /// I am here. Keeps the connection open, which ends after ten silent minutes.
    Ping {
        /// Whether somebody looks at the page: then there is no need of a notification.
        #[serde(default)]
        visible: bool,
    },
}

/// Opens, closes or hears a socket.
pub async fn handle_socket(app: &App, event: SocketEvent) -> SocketReply {
    let id = &event.request_context.connection_id;
    let kind = event.request_context.event_type;
    let handled = match kind {
        EventType::Connect => connect(app, id, event.query_string_parameters).await,
        EventType::Disconnect => disconnect(app, id).await.map(|()| 200),
        EventType::Message => hear(app, id, event.body.as_deref().unwrap_or_default())
            .await
            .map(|()| 200),
    };
    let status_code = handled.unwrap_or_else(|error| {
        tracing::error!(%error, ?kind, "a socket was not attended to");
        503
    });
    SocketReply { status_code }
}

async fn connect(app: &App, id: &str, query: Option<HashMap<String, String>>) -> Result<u16, DbError> {
    let ticket = query.and_then(|mut query| query.remove("ticket")).unwrap_or_default();
    if ticket.is_empty() {
        return Ok(401);
    }
    let digest = digest_of(&ticket);
    let opened = app
        .http
        .database
        .run(async |client| connections::open(client, &digest, id).await);
    Ok(if opened.await? { 200 } else { 403 })
}

async fn disconnect(app: &App, id: &str) -> Result<(), DbError> {
    app.http
        .database
        .run(async |client| connections::close(client, &[id]).await)
        .await
}

async fn hear(app: &App, id: &str, said: &str) -> Result<(), DbError> {
    // What a later page may say, this release does not understand.
    let Ok(Said::Ping { visible }) = serde_json::from_str(said) else {
        return Ok(());
    };
    let known = app
        .http
        .database
        .run(async |client| connections::note_visibility(client, id, visible).await);
    // A page that gets no answer opens another socket: to this one nothing would be sent.
    if known.await? {
        let pong = Change::of(ChangeType::Pong).to_frame();
        if let Err(error) = app.realtime.sockets.post(id, &pong).await {
            tracing::warn!(%error, "a ping was not answered");
        }
    }
    Ok(())
}

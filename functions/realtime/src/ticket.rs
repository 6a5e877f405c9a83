//! Tickets: a page asks for one over HTTP, where it can say who it is, and opens its socket with it, where a browser can say nothing.

use aws_lc_rs::rand;
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use shared::db::connections::{TICKET_SECONDS, put_ticket};
use shared::http::auth::Agent;
use shared::http::error::{ApiError, Failure};
use shared::http::reply::TicketReply;

use crate::{App, digest_of};

/// A URL with which one WebSocket can be opened, once, within 60 seconds.
#[utoipa::path(post, path = "/api/live-chat/realtime-ticket", tag = "realtime",
    responses((status = 200, body = TicketReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn create_ticket(State(app): State<App>, agent: Agent) -> Result<Json<TicketReply>, ApiError> {
    let mut secret = [0; 32];
    rand::fill(&mut secret).map_err(|_| ApiError::Internal("no random numbers".to_owned()))?;
    let ticket = BASE64_URL_SAFE_NO_PAD.encode(secret);
    let expires_at = Timestamp::now() + SignedDuration::from_secs(TICKET_SECONDS);
    let put = app
        .http
        .database
        .run(async |client| put_ticket(client, &digest_of(&ticket), agent.user_id).await);
    put.await?;
    Ok(Json(TicketReply {
        success: true,
        url: format!("{}?ticket={ticket}", app.websocket_url),
        expires_at,
    }))
}

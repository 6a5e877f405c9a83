//! Sends what an agent writes: reserved in the database, sent in its turn, settled by Graph's answer. Never twice for one `message_id`. What
//! cannot go out at once is the outbox's. Nothing else asks Graph on behalf of an agent.

pub mod media;
pub mod templates;
mod typing;

use std::time::{Duration, Instant};

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use shared::db::outbound::{self, Extras, Reservation, Sent};
use shared::domain::send::{Plan, SendRequest, TEMPLATE, example, plan};
use shared::http::auth::{Agent, Authenticator};
use shared::http::error::{ApiError, Failure};
use shared::http::extract::JsonBody;
use shared::http::reply::{SendReply, SendResult, SentMessage, SentReaction};
use shared::outbound::Outbound;
use shared::realtime::Realtime;
use utoipa::OpenApi;
use uuid::Uuid;

/// How long a claim is held: longer than the function's timeout, so that whoever had it before is gone.
pub const LEASE: Duration = Duration::from_secs(40);
/// How long a message waits for its turn while the agent waits for the answer; after that it is the outbox's.
const TURN_WAIT: Duration = Duration::from_secs(5);
/// How long a call works in all: the function lives 29 s.
const WORK_TIME: Duration = Duration::from_secs(27);

/// What the handlers need, made once an environment.
#[derive(Clone)]
pub struct App {
    /// The database, and who asks.
    pub http: shared::http::App,
    /// What sends.
    pub outbound: Outbound,
    /// The open pages.
    pub realtime: Realtime,
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.http.authenticator.clone()
    }
}

/// The routes of this function, for `openapi.yaml`.
#[derive(OpenApi)]
#[openapi(paths(send_message, typing::show_typing, media::create_upload, templates::list_templates))]
pub struct Api;

/// The function as an HTTP service.
pub fn service(app: App) -> Router {
    let realtime = app.realtime.clone();
    let routes = Router::new()
        .route("/api/live-chat/send-message", post(send_message))
        .route("/api/live-chat/typing", post(typing::show_typing))
        .route("/api/live-chat/media", post(media::create_upload))
        .route("/api/live-chat/templates", get(templates::list_templates))
        .with_state(app);
    shared::http::telling_service(routes, realtime)
}

/// Sends a message. The same `message_id` again answers with what became of it and sends nothing, but for a message that failed: where
/// `error.retryable` is true, or with `retry`, it is sent again.
#[utoipa::path(post, path = "/api/live-chat/send-message", tag = "send",
    request_body(content = SendRequest, examples(
        ("text" = (summary = "A text", value = json!(example("text")))),
        ("text_object" = (summary = "A text with a link's preview, as an answer, with an idempotency key", value = json!(example("text_object")))),
        ("image" = (summary = "An image from a link", value = json!(example("image")))),
        ("video" = (summary = "A video from a link", value = json!(example("video")))),
        ("audio" = (summary = "A voice note, uploaded", value = json!(example("audio")))),
        ("document" = (summary = "A document, uploaded", value = json!(example("document")))),
        ("sticker" = (summary = "A sticker, uploaded", value = json!(example("sticker")))),
        ("location" = (summary = "A location", value = json!(example("location")))),
        ("contacts" = (summary = "Contact cards", value = json!(example("contacts")))),
        ("template" = (summary = "A template, with which a conversation may begin", value = json!(example("template")))),
        ("template_image" = (summary = "A template with a picture", value = json!(example("template_image")))),
        ("interactive_button" = (summary = "Reply buttons", value = json!(example("interactive_button")))),
        ("interactive_list" = (summary = "A list", value = json!(example("interactive_list")))),
        ("interactive_cta_url" = (summary = "A link", value = json!(example("interactive_cta_url")))),
        ("interactive_flow" = (summary = "A flow", value = json!(example("interactive_flow")))),
        ("interactive_location_request" = (summary = "Asking for the customer's location", value = json!(example("interactive_location_request")))),
        ("reaction" = (summary = "A reaction", value = json!(example("reaction")))))),
    responses(
        (status = 200, body = SendReply, description = "WhatsApp took it."),
        (status = 202, body = SendReply, description = "It is stored and waits: for its turn, for another try, for the account to be connected again, or, after an answer that never came, for a status that tells what became of it. It is never sent twice."),
        (status = 409, body = Failure, description = "`customer_service_window_closed`, with `closed_at`; `marketing_opted_out`; or `message_id_in_use`."),
        (status = 422, body = Failure, description = "A field is not accepted (`invalid_field`), or WhatsApp refused the message for good (`message_failed`, with its row)."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn send_message(
    State(app): State<App>,
    agent: Agent,
    JsonBody(request): JsonBody<SendRequest>,
) -> Result<(StatusCode, Json<SendReply>), ApiError> {
    let until = Instant::now() + WORK_TIME;
    let mut plan = plan(&request, Uuid::new_v4())?;
    let extras = look_at(&app, agent, &mut plan).await?;
    let database = &app.http.database;
    let reservation = database
        .run(async |client| outbound::reserve(client, agent.user_id, &plan, extras, Timestamp::now()).await)
        .await?;
    let (reserved, result) = match reservation {
        Reservation::Reserved(reserved) => (reserved, SendResult::Accepted),
        Reservation::Retried(reserved) => (reserved, SendResult::Retried),
        Reservation::Replay(sent) => return reply(sent, SendResult::Replayed),
        Reservation::KeyInUse => return Err(ApiError::KeyInUse),
        Reservation::NotFound => return Err(ApiError::NotFound),
        Reservation::Mismatch(field) => {
            return Err(ApiError::invalid(field, "does not fit the conversation"));
        }
        Reservation::WindowClosed(closed_at) => return Err(ApiError::WindowClosed { closed_at }),
        Reservation::OptedOut(since) => return Err(ApiError::OptedOut { since }),
    };
    // From here on it is owed, whatever becomes of this call.
    if let Err(error) = app.outbound.deliver(reserved, TURN_WAIT, until).await {
        tracing::error!(message_id = plan.message_id, %error, "a message is left to the outbox");
    }
    let sent = database
        .run(async |client| outbound::find(client, agent.user_id, reserved.id).await)
        .await?;
    reply(sent.ok_or(ApiError::NotFound)?, result)
}

/// Looks at what a message brings, before anything is stored: its files, and what its template wants.
async fn look_at(app: &App, agent: Agent, plan: &mut Plan) -> Result<Extras, ApiError> {
    let content = &plan.content;
    if content.files.is_empty() && content.kind != TEMPLATE {
        return Ok(Extras::default());
    }
    let prospect = app
        .http
        .database
        .run(async |client| outbound::look_ahead(client, agent.user_id, plan).await)
        .await?;
    // What was accepted once is not judged again.
    let Some(waba_id) = prospect else {
        return Ok(Extras::default());
    };
    media::check(app, agent, &plan.content.files).await?;
    if plan.content.kind != TEMPLATE {
        return Ok(Extras::default());
    }
    let used = templates::check(app, agent, &waba_id, &mut plan.content).await?;
    Ok(Extras {
        is_marketing: used.is_marketing,
    })
}

fn reply(sent: Sent, result: SendResult) -> Result<(StatusCode, Json<SendReply>), ApiError> {
    let status = if sent.is_pending() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    let success = true;
    let reply = match sent {
        Sent::Message(message) if message.status.as_deref() == Some("failed") => {
            return Err(ApiError::MessageFailed(message));
        }
        Sent::Reaction { state: Err(error), .. } => return Err(ApiError::ReactionFailed(error)),
        Sent::Message(message) => SendReply::Message(Box::new(SentMessage {
            success,
            message: *message,
            result,
        })),
        Sent::Reaction { reaction, .. } => SendReply::Reaction(SentReaction {
            success,
            reaction,
            result,
        }),
    };
    Ok((status, Json(reply)))
}

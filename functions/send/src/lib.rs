//! Sends an agent's message: reserved in the database, asked of Graph, settled by its answer. Never twice for one `message_id`.

pub mod templates;

use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use shared::db::outbound::{self, Reservation, Reserved};
use shared::domain::customer::phone_of;
use shared::domain::message::Message;
use shared::domain::send::{self as domain, Outcome, SendRequest};
use shared::edge::graph::{Graph, GraphError};
use shared::http::auth::{Agent, Authenticator};
use shared::http::error::{ApiError, Failure};
use shared::http::extract::JsonBody;
use shared::http::reply::MessageReply;
use shared::tokens::{TokenError, Tokens};
use shared::whatsapp::bodies::{self, Accepted};
use shared::whatsapp::errors::MessageError;
use utoipa::OpenApi;
use uuid::Uuid;

/// What the handlers need, made once an environment.
#[derive(Clone)]
pub struct App {
    /// The database, and who asks.
    pub http: shared::http::App,
    /// The accounts' tokens.
    pub tokens: Tokens,
    /// Meta.
    pub graph: Graph,
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.http.authenticator.clone()
    }
}

/// The routes of this function, for `openapi.yaml`.
#[derive(OpenApi)]
#[openapi(paths(send_message, templates::list_templates))]
pub struct Api;

/// The function as an HTTP service.
pub fn service(app: App) -> Router {
    let routes = Router::new()
        .route("/api/live-chat/send-message", post(send_message))
        .route("/api/live-chat/templates", get(templates::list_templates))
        .with_state(app);
    shared::http::service(routes)
}

/// Sends a message. The same `message_id` again answers with the first result and sends nothing.
#[utoipa::path(post, path = "/api/live-chat/send-message", tag = "send", request_body = SendRequest,
    responses(
        (status = 200, body = MessageReply, description = "WhatsApp took it."),
        (status = 202, body = MessageReply, description = "Nobody knows yet whether WhatsApp took it; a status will tell. It is not sent again."),
        (status = 409, body = Failure, description = "`customer_service_window_closed`, with `closed_at`, or `message_id_in_use`."),
        (status = 422, body = Failure, description = "A field is not accepted (`invalid_field`), or WhatsApp refused the message for good (`message_failed`, with its row)."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn send_message(
    State(app): State<App>,
    agent: Agent,
    JsonBody(request): JsonBody<SendRequest>,
) -> Result<(StatusCode, Json<MessageReply>), ApiError> {
    let plan = domain::plan(&request, Uuid::new_v4())?;
    let now = Timestamp::now();
    let database = &app.http.database;
    let reservation = database
        .run(async |client| outbound::reserve(client, agent.user_id, &plan, now).await)
        .await?;
    let reserved = match reservation {
        Reservation::Reserved(reserved) => reserved,
        Reservation::Replay(message) => return reply(*message),
        Reservation::KeyInUse => return Err(ApiError::KeyInUse),
        Reservation::NotFound => return Err(ApiError::NotFound),
        Reservation::Mismatch(field) => {
            return Err(ApiError::invalid(field, "does not fit the conversation"));
        }
        Reservation::WindowClosed(closed_at) => return Err(ApiError::WindowClosed { closed_at }),
    };
    let outcome = attempt(&app, &plan, &reserved).await;
    let message = database
        .run(async |client| outbound::settle(client, agent.user_id, &reserved, &outcome, Timestamp::now()).await)
        .await?;
    reply(message.ok_or(ApiError::NotFound)?)
}

/// Asks Graph, once.
async fn attempt(app: &App, plan: &domain::Plan, reserved: &Reserved) -> Outcome {
    let token = app
        .tokens
        .resolve(&reserved.waba_id, reserved.access_token.as_deref())
        .await;
    let token = match token {
        Ok(token) => token,
        Err(error) => return token_failure(&error),
    };
    let body = bodies::message(
        &reserved.recipient,
        plan.content.kind,
        &plan.content.object,
        reserved.reply_to.as_deref(),
        &plan.message_id,
    );
    let sent = app.graph.send_message(&token, &reserved.phone_number_id, &body).await;
    match sent {
        Ok(Accepted { wa_message_id, wa_id }) => Outcome::Accepted {
            wa_message_id,
            customer_phone: wa_id.as_deref().and_then(phone_of),
        },
        Err(GraphError::Refused { status, error }) => {
            tracing::warn!(
                message_id = plan.message_id,
                status,
                code = error.code,
                "Graph refused a message"
            );
            Outcome::Refused(error)
        }
        Err(error @ GraphError::Unreachable) => {
            tracing::error!(message_id = plan.message_id, %error, "message not sent");
            Outcome::Refused(own_failure("WhatsApp could not be reached", None))
        }
        Err(error @ GraphError::Unanswered) => {
            tracing::warn!(message_id = plan.message_id, %error, "a status has to tell what became of a message");
            Outcome::Unanswered
        }
    }
}

fn token_failure(error: &TokenError) -> Outcome {
    tracing::error!(%error, "no access token to send with");
    let details = match error {
        // Names of secrets are the operator's business.
        TokenError::Secret(_) => "The account's access token cannot be read at the moment.".to_owned(),
        error => error.to_string(),
    };
    Outcome::Refused(own_failure("The account's access token cannot be used", Some(details)))
}

/// A failure before WhatsApp saw anything: the same message may be sent again.
fn own_failure(title: &str, details: Option<String>) -> MessageError {
    MessageError {
        code: None,
        title: Some(title.to_owned()),
        details,
        retryable: true,
    }
}

fn reply(message: Message) -> Result<(StatusCode, Json<MessageReply>), ApiError> {
    let status = match message.status.as_deref() {
        Some("failed") => return Err(ApiError::MessageFailed(Box::new(message))),
        Some("pending") => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    Ok((status, Json(MessageReply { success: true, message })))
}

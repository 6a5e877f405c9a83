//! Shows a customer that an answer is being written.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use shared::db::signals::{self, Typing};
use shared::domain::change::{Change, ChangeType};
use shared::http::auth::Agent;
use shared::http::error::{ApiError, Failure};
use shared::http::extract::JsonBody;
use shared::http::reply::TypingReply;
use shared::whatsapp::bodies::read_receipt;
use utoipa::ToSchema;

use crate::App;

/// Where an agent is writing.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"conversation_id": 1}))]
pub(crate) struct TypingRequest {
    /// The conversation.
    conversation_id: i64,
}

/// Shows the customer for 25 seconds, or until a message comes, that an answer is being written. WhatsApp marks their messages as read with
/// it, so that nothing is shown for accounts that never report that.
#[utoipa::path(post, path = "/api/live-chat/typing", tag = "send", request_body = TypingRequest,
    responses(
        (status = 200, body = TypingReply, description = "`sent` is false where the customer was shown so within the last 20 seconds, where the account's `read_receipts` are `never`, or where WhatsApp could not be asked."),
        (status = 404, body = Failure, description = "No such conversation of this agent."),
        (status = 409, body = Failure, description = "`nothing_to_answer`: the customer wrote nothing within the last 30 days."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn show_typing(
    State(app): State<App>,
    agent: Agent,
    JsonBody(request): JsonBody<TypingRequest>,
) -> Result<Json<TypingReply>, ApiError> {
    let id = request.conversation_id;
    let claim = app
        .http
        .database
        .run(async |client| signals::claim_typing(client, agent.user_id, id).await);
    let signal = match claim.await? {
        Typing::Show(signal) => signal,
        Typing::Silent => return Ok(Json(TypingReply::new(false))),
        Typing::NothingToAnswer => return Err(ApiError::NothingToAnswer),
        Typing::NotFound => return Err(ApiError::NotFound),
    };
    let outbound = &app.outbound;
    let token = outbound
        .tokens
        .resolve(&signal.waba_id, signal.access_token.as_deref())
        .await;
    let sent = match token {
        Err(error) => Err(error.to_string()),
        Ok(token) => {
            let body = read_receipt(&signal.wamid, true);
            let told = outbound.graph.send_signal(&token, &signal.phone_number_id, &body).await;
            told.map_err(|error| error.to_string())
        }
    };
    // A hint that does not come is no reason to trouble the agent.
    if let Err(error) = &sent {
        tracing::warn!(conversation_id = id, error, "a typing indicator was not shown");
    }
    if sent.is_ok() {
        let typing = Change {
            conversation_id: Some(id),
            ..Change::of(ChangeType::Typing)
        };
        app.realtime.tell_user(agent.user_id, typing).await;
    }
    Ok(Json(TypingReply::new(sent.is_ok())))
}

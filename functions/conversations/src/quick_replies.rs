//! Quick replies: an agent's canned answers, listed as a conversation fills them, made, changed and deleted.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Deserializer, Serialize};
use shared::db;
use shared::db::quick_replies::{Change, Stored};
use shared::domain::quick_reply::{MOST, check_content, check_shortcut};
use shared::http::auth::Agent;
use shared::http::error::{ApiError, Failure};
use shared::http::extract::{JsonBody, Parameters, PathId};
use shared::http::reply::{DoneReply, QuickRepliesReply, QuickReplyReply};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::App;

/// The agent's quick replies, by shortcut.
#[utoipa::path(get, path = "/api/live-chat/quick-replies", tag = "quick replies",
    params(("conversation_id" = Option<i64>, Query, description = "A conversation: each quick reply also gets `rendered` and `missing`. \
        Variables are `customer_name`, `customer_phone`, `customer_username` and `business_name`.")),
    responses((status = 200, body = QuickRepliesReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn list_quick_replies(
    State(app): State<App>,
    agent: Agent,
    parameters: Parameters,
) -> Result<Json<QuickRepliesReply>, ApiError> {
    let conversation = parameters.number("conversation_id")?;
    let (mut quick_replies, variables) = app
        .database
        .run(async |client| {
            let replies = db::quick_replies::list(client, agent.user_id).await?;
            let variables = match conversation {
                None => None,
                Some(id) => Some(db::quick_replies::find_variables(client, agent.user_id, id).await?),
            };
            Ok((replies, variables))
        })
        .await?;
    if let Some(variables) = variables {
        let variables = variables.ok_or(ApiError::NotFound)?;
        for reply in &mut quick_replies {
            reply.render(&variables);
        }
    }
    Ok(Json(QuickRepliesReply {
        success: true,
        quick_replies,
    }))
}

/// A new quick reply: at least one of `content` and `media_id`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"shortcut": "hours", "content": "Hello {{customer_name}}, we open at 9."}))]
pub struct NewQuickReply {
    /// What the agent types to find it: 1 to 40 characters without a space, the agent's only one with these letters, small or capital.
    pub shortcut: String,
    /// The text, at most 4,096 characters; `{{name}}` is a variable.
    #[serde(default)]
    pub content: Option<String>,
    /// A file that the agent uploaded.
    #[serde(default)]
    pub media_id: Option<String>,
}

/// Makes a quick reply.
#[utoipa::path(post, path = "/api/live-chat/quick-replies", tag = "quick replies", request_body = NewQuickReply,
    responses(
        (status = 200, body = QuickReplyReply),
        (status = 409, body = Failure, description = "`shortcut_in_use`: the agent has another one with this shortcut."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn create_quick_reply(
    State(app): State<App>,
    agent: Agent,
    JsonBody(new): JsonBody<NewQuickReply>,
) -> Result<Json<QuickReplyReply>, ApiError> {
    check_shortcut(&new.shortcut)?;
    let content = new.content.as_deref();
    content.map_or(Ok(()), check_content)?;
    let media_id = new.media_id.as_deref().map(parse_media_id).transpose()?;
    if content.is_none() && media_id.is_none() {
        return Err(empty());
    }
    let stored = app
        .database
        .run(async |client| db::quick_replies::insert(client, agent.user_id, &new.shortcut, content, media_id).await)
        .await?;
    reply(stored)
}

/// What an agent may change of a quick reply; what is missing stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"content": "We open at 10."}))]
pub struct QuickReplyUpdate {
    /// What the agent types to find it.
    #[serde(default)]
    pub shortcut: Option<String>,
    /// The text; null takes it away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub content: Option<Option<String>>,
    /// A file that the agent uploaded; null takes it away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub media_id: Option<Option<String>>,
}

/// Tells null from what is missing.
#[expect(clippy::option_option, reason = "the field's own type")]
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes a quick reply.
#[utoipa::path(patch, path = "/api/live-chat/quick-replies/{id}", tag = "quick replies",
    params(("id" = i64, Path, description = "The quick reply.")), request_body = QuickReplyUpdate,
    responses(
        (status = 200, body = QuickReplyReply),
        (status = 409, body = Failure, description = "`shortcut_in_use`: the agent has another one with this shortcut."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn update_quick_reply(
    State(app): State<App>,
    agent: Agent,
    PathId(id): PathId,
    JsonBody(update): JsonBody<QuickReplyUpdate>,
) -> Result<Json<QuickReplyReply>, ApiError> {
    let shortcut = update.shortcut.as_deref();
    shortcut.map_or(Ok(()), check_shortcut)?;
    let content = update.content.as_ref().map(Option::as_deref);
    content.flatten().map_or(Ok(()), check_content)?;
    let media_id = match &update.media_id {
        None => None,
        Some(media_id) => Some(media_id.as_deref().map(parse_media_id).transpose()?),
    };
    let change = Change {
        shortcut,
        content,
        media_id,
    };
    let stored = app
        .database
        .run(async |client| db::quick_replies::update(client, agent.user_id, id, &change).await)
        .await?;
    reply(stored)
}

/// Deletes a quick reply.
#[utoipa::path(delete, path = "/api/live-chat/quick-replies/{id}", tag = "quick replies",
    params(("id" = i64, Path, description = "The quick reply.")),
    responses((status = 200, body = DoneReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn delete_quick_reply(
    State(app): State<App>,
    agent: Agent,
    PathId(id): PathId,
) -> Result<Json<DoneReply>, ApiError> {
    let was_there = app
        .database
        .run(async |client| db::quick_replies::delete(client, agent.user_id, id).await)
        .await?;
    if was_there {
        Ok(Json(DoneReply { success: true }))
    } else {
        Err(ApiError::NotFound)
    }
}

fn parse_media_id(text: &str) -> Result<Uuid, ApiError> {
    Uuid::try_parse(text).map_err(|_| ApiError::invalid("media_id", "must be a UUID"))
}

fn empty() -> ApiError {
    ApiError::invalid("content", "is required where there is no media_id")
}

fn reply(stored: Stored) -> Result<Json<QuickReplyReply>, ApiError> {
    match stored {
        Stored::Stored(quick_reply) => Ok(Json(QuickReplyReply {
            success: true,
            quick_reply: *quick_reply,
        })),
        Stored::NotFound => Err(ApiError::NotFound),
        Stored::ShortcutInUse => Err(ApiError::ShortcutInUse),
        Stored::UnknownMedia => Err(ApiError::invalid("media_id", "is not a file that you uploaded")),
        Stored::Empty => Err(empty()),
        Stored::Full => {
            let message = format!("you have {MOST} quick replies, which is the most");
            Err(ApiError::invalid("shortcut", message))
        }
    }
}

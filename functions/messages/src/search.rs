//! Search through messages.

use axum::Json;
use shared::db;
use shared::db::search::Scope;
use shared::domain::page::Seek;
use shared::http::auth::Agent;
use shared::http::error::ApiError;
use shared::http::extract::Parameters;
use shared::http::reply::MessagesReply;

use crate::{App, Start, named, reply};

/// The messages that have the query in them, with their conversations.
pub(crate) async fn search(
    app: &App,
    agent: Agent,
    parameters: &Parameters,
    query: &str,
    (start, limit): (Start, i64),
) -> Result<Json<MessagesReply>, ApiError> {
    let conversation = parameters.number("conversation_id")?;
    let number = parameters.get("phone_number_id");
    let field = named(parameters);
    if matches!(start, Start::Around(_) | Start::Seek(Seek::Offset(_))) {
        return Err(ApiError::invalid(field, "cannot be given together with q"));
    }
    let found = app.http.database.run(async |client| {
        let is_own = match (conversation, number) {
            (Some(id), _) => db::conversations::find(client, agent.user_id, id).await?.is_some(),
            (None, Some(number)) => db::accounts::owns_number(client, agent.user_id, number).await?,
            (None, None) => true,
        };
        if !is_own {
            return Ok(Err(ApiError::NotFound));
        }
        let seek = match (&start, conversation) {
            (Start::Seek(seek), _) => Some(*seek),
            (Start::Before(message) | Start::After(message), Some(id)) => {
                let position = db::messages::find_position(client, agent.user_id, id, message).await?;
                position.map(|position| match start {
                    Start::Before(_) => Seek::Before(position),
                    _ => Seek::After(position),
                })
            }
            _ => None,
        };
        let Some(seek) = seek else {
            return Ok(Err(ApiError::invalid(
                field,
                "names no message of this conversation, and is no cursor",
            )));
        };
        let scope = conversation.map_or_else(|| Scope::Everywhere(number.map(str::to_owned)), Scope::Conversation);
        let page = db::search::find_messages(client, agent.user_id, &scope, query, seek, limit).await?;
        let mut ids: Vec<i64> = page.rows.iter().map(|message| message.conversation_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let conversations = db::conversations::find_all(client, agent.user_id, &ids).await?;
        Ok(Ok(Json(reply(page, conversations))))
    });
    found.await?
}

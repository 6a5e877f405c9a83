//! What changed: what a page asks for when its socket was cut off.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use shared::db::changes;
use shared::domain::change::Cursor;
use shared::http::auth::Agent;
use shared::http::error::{ApiError, Failure};
use shared::http::extract::Parameters;
use shared::http::reply::ChangesReply;

use crate::App;

/// Everything of the agent's that changed since a cursor, each thing once and as it is now. Nothing is ever missed, whatever was committed
/// at the same time. Without `after`: the present cursor, with which a page begins before it loads its lists.
#[utoipa::path(get, path = "/api/live-chat/changes", tag = "messages",
    params(
        ("after" = Option<String>, Query, description = "A `next_cursor`, or the `cursor` of a change or of a frame."),
        ("limit" = Option<u64>, Query, description = "How many: 50 where it is missing, 100 at the most; phone numbers come on top."),
    ),
    responses(
        (status = 200, body = ChangesReply),
        (status = 410, body = Failure, description = "`cursor_expired`: the cursor is more than two days old, or the agent has other phone numbers since. Load anew."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn list_changes(
    State(app): State<App>,
    agent: Agent,
    parameters: Parameters,
) -> Result<Json<ChangesReply>, ApiError> {
    let limit = parameters.limit()?;
    let database = &app.http.database;
    let Some(after) = parameters.get("after") else {
        let present = database.run(async |client| changes::present(client, agent.user_id, Timestamp::now()).await);
        return Ok(Json(ChangesReply {
            success: true,
            changes: Vec::new(),
            next_cursor: present.await?.to_text(),
            has_more: false,
        }));
    };
    let after = Cursor::from_text(after).ok_or_else(|| ApiError::invalid("after", "is not a cursor of changes"))?;
    let page = database
        .run(async |client| changes::list(client, agent.user_id, &after, limit, Timestamp::now()).await)
        .await?
        .ok_or(ApiError::CursorExpired)?;
    Ok(Json(ChangesReply {
        success: true,
        changes: page.changes,
        next_cursor: page.next.to_text(),
        has_more: page.has_more,
    }))
}

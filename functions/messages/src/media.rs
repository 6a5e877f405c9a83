//! Links to the files of messages, and asking for a file again.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use shared::db;
use shared::db::media::AgentFile;
use shared::domain::media::{KEPT_FOR, MediaTask};
use shared::domain::message::parse_message_id;
use shared::domain::served::{Served, served};
use shared::http::auth::Agent;
use shared::http::error::{ApiError, Failure};
use shared::http::extract::Parameters;
use shared::http::reply::{MediaLinkReply, MessageReply};

use crate::App;

/// A redirect is forgotten this long before its link ends, so that nobody is sent to a dead one (seconds).
const SAFETY: i64 = 60;
/// A trigger that takes longer is left to the clock.
const TRIGGER_TIME: Duration = Duration::from_secs(2);

type MessageId = Result<Path<String>, PathRejection>;

/// A link to a message's file, or to one that was uploaded to be sent. It lives for minutes and is the same within a quarter of an hour, so that browsers cache the file.
#[utoipa::path(get, path = "/api/live-chat/media/{message_id}", tag = "media",
    params(
        ("message_id" = String, Path, description = "The message's `message_id`, or its `id`; or the `media_id` of a file that you uploaded."),
        ("redirect" = Option<String>, Query, description = "`1`: answer with 302 to the link."),
    ),
    responses(
        (status = 200, body = MediaLinkReply),
        (status = 302, body = MediaLinkReply, description = "With `redirect=1`: `Location` is the link."),
        (status = 404, body = Failure, description = "No such message, not yours, it has no file, or it was deleted."),
        (status = 409, body = Failure, description = "`media_not_stored`: not fetched yet, or it never will be; `media.state` of the message says which."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn get_media(
    State(app): State<App>,
    agent: Agent,
    id: MessageId,
    parameters: Parameters,
) -> Result<(StatusCode, HeaderMap, Json<MediaLinkReply>), ApiError> {
    let is_redirect = parameters.one_of("redirect", &["0", "1"])?.as_deref() == Some("1");
    let (object_key, served) = match find(&app, agent, &id).await {
        Ok(file) => of_message(file)?,
        Err(ApiError::NotFound) => find_upload(&app, agent, &id).await?,
        Err(error) => return Err(error),
    };
    let now = Timestamp::now();
    let link = app.storage.link(&object_key, &served, now).await;
    let link = link.map_err(|error| ApiError::Internal(error.to_string()))?;
    let mut headers = HeaderMap::new();
    let mut status = StatusCode::OK;
    if is_redirect {
        status = StatusCode::FOUND;
        let location = HeaderValue::from_str(&link.url);
        let location = location.map_err(|_| ApiError::Internal("S3's link is no URL".to_owned()))?;
        headers.insert(LOCATION, location);
        let age = (link.expires_at.as_second() - now.as_second() - SAFETY).max(0);
        let control = HeaderValue::from_str(&format!("private, max-age={age}"));
        headers.insert(CACHE_CONTROL, control.expect("digits are a header's value"));
    }
    let reply = MediaLinkReply {
        success: true,
        url: link.url,
        expires_at: link.expires_at,
    };
    Ok((status, headers, Json(reply)))
}

/// Asks Meta for a message's file again, now.
#[utoipa::path(post, path = "/api/live-chat/media/{message_id}/retry", tag = "media",
    params(("message_id" = String, Path, description = "The message's `message_id`, or its `id`.")),
    responses(
        (status = 200, body = MessageReply, description = "It is stored already."),
        (status = 202, body = MessageReply, description = "It is going to be fetched; `media.state` is `pending`."),
        (status = 404, body = Failure, description = "No such message, not yours, it has no file, or it was deleted."),
        (status = 409, body = Failure, description = "`media_expired`: Meta keeps files for seven days."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn retry_media(
    State(app): State<App>,
    agent: Agent,
    id: MessageId,
) -> Result<(StatusCode, Json<MessageReply>), ApiError> {
    let file = find(&app, agent, &id).await?;
    let is_stored = file.state == "stored";
    if !is_stored && Timestamp::now() >= file.received_at + KEPT_FOR {
        return Err(ApiError::MediaExpired);
    }
    let message = app
        .http
        .database
        .run(async |client| {
            if !is_stored {
                db::media::retry(client, file.message_id).await?;
            }
            db::messages::find(client, agent.user_id, file.message_id).await
        })
        .await?
        .ok_or(ApiError::NotFound)?;
    if !is_stored {
        let task = MediaTask {
            message_id: file.message_id,
        };
        let trigger = task.to_message(&file.phone_number_id);
        app.media_queue.trigger(&[trigger], TRIGGER_TIME).await;
    }
    let status = if is_stored {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(MessageReply { success: true, message })))
}

async fn find(app: &App, agent: Agent, id: &MessageId) -> Result<AgentFile, ApiError> {
    let Ok(Path(id)) = id else {
        return Err(ApiError::NotFound);
    };
    let find = app
        .http
        .database
        .run(async |client| db::media::find(client, agent.user_id, id).await);
    find.await?.ok_or(ApiError::NotFound)
}

/// Where a message's file lies and how it is served.
fn of_message(file: AgentFile) -> Result<(String, Served), ApiError> {
    let (Some(object_key), "stored") = (file.object_key, file.state.as_str()) else {
        return Err(ApiError::MediaNotStored { state: file.state });
    };
    let served = served(
        file.mime_type.as_deref(),
        file.filename.as_deref(),
        file.message_type.as_deref(),
        file.written_at,
    );
    Ok((object_key, served))
}

/// The same of a file that the agent uploaded. Nobody has looked at one yet that no message or quick reply names.
async fn find_upload(app: &App, agent: Agent, id: &MessageId) -> Result<(String, Served), ApiError> {
    let id = id.as_ref().ok().and_then(|Path(id)| parse_message_id(id));
    let id = id.ok_or(ApiError::NotFound)?;
    let list = app
        .http
        .database
        .run(async |client| db::uploads::list_of(client, agent.user_id, &[id]).await);
    let upload = list.await?.pop().ok_or(ApiError::NotFound)?;
    if !upload.is_checked {
        return Err(ApiError::MediaNotStored {
            state: "pending".to_owned(),
        });
    }
    let served = served(
        Some(&upload.mime_type),
        upload.filename.as_deref(),
        Some(&upload.kind),
        upload.created_at,
    );
    Ok((upload.object_key, served))
}

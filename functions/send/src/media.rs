//! Files to send: announced here, put into the bucket by the browser, looked at before their first use.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use shared::db::uploads::{self, Announcement};
use shared::domain::send::FileUse;
use shared::domain::upload::{EXAMINED, Upload, UploadRequest, announce};
use shared::edge::storage::{StorageError, UPLOAD_CONDITION};
use shared::http::auth::Agent;
use shared::http::error::{ApiError, Failure};
use shared::http::extract::JsonBody;
use shared::http::reply::{UploadReply, UploadTarget};
use uuid::Uuid;

use crate::App;

/// Announces a file to send, and says where the browser puts it. What it puts there is looked at when a message names it.
#[utoipa::path(post, path = "/api/live-chat/media", tag = "media", request_body = UploadRequest,
    responses(
        (status = 200, body = UploadReply),
        (status = 403, body = Failure, description = "`forbidden`: no WhatsApp Business account is yours."),
        (status = 422, body = Failure, description = "A field is not accepted (`invalid_field`): a type, a size, a name or a kind that WhatsApp does not take."),
        (status = 429, body = Failure, description = "`too_many_uploads`: 200 files were announced within an hour and never sent."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn create_upload(
    State(app): State<App>,
    agent: Agent,
    JsonBody(request): JsonBody<UploadRequest>,
) -> Result<Json<UploadReply>, ApiError> {
    let now = Timestamp::now();
    let upload = announce(&request, agent.user_id, Uuid::new_v4(), now)?;
    let announcement = app
        .http
        .database
        .run(async |client| uploads::insert(client, agent.user_id, &upload).await)
        .await?;
    match announcement {
        Announcement::Accepted => {}
        Announcement::NoAccount => return Err(ApiError::Forbidden("no WhatsApp Business account is yours")),
        Announcement::TooMany => return Err(ApiError::TooManyUploads),
    }
    let link = app
        .outbound
        .storage
        .upload_link(&upload.object_key, &upload.mime_type, upload.size, now)
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let headers = [("content-type", upload.mime_type.as_str()), UPLOAD_CONDITION];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(Json(UploadReply {
        success: true,
        media_id: upload.id,
        kind: upload.kind,
        upload: UploadTarget {
            method: "PUT".to_owned(),
            url: link.url,
            headers: headers.into(),
            expires_at: link.expires_at,
        },
    }))
}

/// The uploads that a message names, in its order: all of them the agent's, of the kind that is wanted, and in the bucket as they were
/// announced. A file is looked at once; nothing is written over in the bucket.
///
/// # Errors
/// 422 on the field that names a file which is not, and what is away for now.
pub async fn check(app: &App, agent: Agent, files: &[FileUse]) -> Result<Vec<Upload>, ApiError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = files.iter().map(|file| file.media_id).collect();
    let list = app
        .http
        .database
        .run(async |client| uploads::list_of(client, agent.user_id, &ids).await);
    let known: HashMap<Uuid, Upload> = list.await?.into_iter().map(|upload| (upload.id, upload)).collect();
    let named = files
        .iter()
        .map(|file| match known.get(&file.media_id) {
            None => Err(ApiError::invalid(&file.field, "is not known")),
            Some(upload) if !upload.fits(file.kind) => {
                let message = format!("is of kind {}, not {}", upload.kind, file.kind);
                Err(ApiError::invalid(&file.field, message))
            }
            Some(upload) => Ok((file, upload)),
        })
        .collect::<Result<Vec<_>, ApiError>>()?;
    let mut examined = Vec::new();
    for (file, upload) in &named {
        if !upload.is_checked {
            examine(app, file, upload).await?;
            examined.push(upload.id);
        }
    }
    if !examined.is_empty() {
        app.http
            .database
            .run(async |client| uploads::mark_checked(client, &examined).await)
            .await?;
    }
    Ok(named.into_iter().map(|(_, upload)| upload.clone()).collect())
}

/// Looks at what lies in the bucket.
async fn examine(app: &App, file: &FileUse, upload: &Upload) -> Result<(), ApiError> {
    let glimpse = app.outbound.storage.glimpse(&upload.object_key, EXAMINED).await;
    let glimpse = glimpse.map_err(|error: StorageError| ApiError::Unavailable(error.to_string()))?;
    let glimpse = glimpse.ok_or_else(|| ApiError::invalid(&file.field, "has not been uploaded yet"))?;
    upload
        .examine(glimpse.size, glimpse.content_type.as_deref(), &glimpse.start)
        .map_err(|reason| ApiError::invalid(&file.field, reason))
}

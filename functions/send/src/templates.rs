//! Message templates: the list that an agent chooses from, and whether a message brings what its template wants. Graph's list is kept in the
//! database and asked for again when it is stale; an old one serves as long as there is no other.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use shared::db;
use shared::db::templates::Account;
use shared::domain::send::Content;
use shared::domain::template::{self as domain, Listed};
use shared::edge::graph::GraphError;
use shared::http::auth::Agent;
use shared::http::error::{ApiError, Failure};
use shared::http::extract::Parameters;
use shared::http::reply::TemplatesReply;
use shared::tokens::TokenError;
use shared::whatsapp::errors::{ErrorClass, class_of};

use crate::App;

/// How long an agent who asks for the list waits for Graph: thousands of templates come in dozens of pages.
const LIST_PATIENCE: Duration = Duration::from_secs(12);
/// How long a message waits for it: it has to be sent within the same request.
const SEND_PATIENCE: Duration = Duration::from_secs(6);
/// The status of templates that can be sent.
const APPROVED: &str = "APPROVED";
/// Graph's code for an object that it does not know, or that the token may not see.
const UNKNOWN_OBJECT: i64 = 100;

/// The approved message templates of a phone number's account. WhatsApp is asked where the list is older than 15
/// minutes, or a webhook reported a change of a template.
#[utoipa::path(get, path = "/api/live-chat/templates", tag = "send",
    params(("phone_number_id" = String, Query, description = "One of the agent's numbers.")),
    responses(
        (status = 200, body = TemplatesReply, description = "`refreshed_at` says how old the list is: an old one is served while WhatsApp or the account's token is away."),
        (status = 409, body = Failure, description = "`reconnect_required`: there is no list yet, and the account has no access token that WhatsApp takes."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
pub(crate) async fn list_templates(
    State(app): State<App>,
    agent: Agent,
    parameters: Parameters,
) -> Result<Json<TemplatesReply>, ApiError> {
    let number = parameters.get("phone_number_id");
    let number = number.ok_or_else(|| ApiError::invalid("phone_number_id", "is required"))?;
    let database = &app.http.database;
    let account = database
        .run(async |client| db::templates::account_of_number(client, agent.user_id, number, Timestamp::now()).await)
        .await?
        .ok_or(ApiError::NotFound)?;
    let refreshed_at = refresh(&app, &account, LIST_PATIENCE).await?;
    let mut templates = database
        .run(async |client| db::templates::list(client, &account.waba_id).await)
        .await?;
    templates.retain(|template| template.status == APPROVED);
    Ok(Json(TemplatesReply {
        success: true,
        templates,
        refreshed_at,
    }))
}

/// What a template means for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateUse {
    /// Whether it is marketing, which a customer may have opted out of.
    pub is_marketing: bool,
}

/// Looks at a template message before anything is stored: whether the account has the template, in this language and approved, and
/// whether the parameters are those that it wants. Writes the message's words and metadata as the customer reads it. Where no list is to
/// be had, the message passes as it is: Graph looks at it itself.
///
/// # Errors
/// 422 that names the field; 404 where the account is not the agent's; 503 where the database is away.
pub async fn check(app: &App, agent: Agent, waba_id: &str, content: &mut Content) -> Result<TemplateUse, ApiError> {
    let database = &app.http.database;
    let account = database
        .run(async |client| db::templates::account(client, agent.user_id, waba_id, Timestamp::now()).await)
        .await?
        .ok_or(ApiError::NotFound)?;
    if let Err(error) = refresh(app, &account, SEND_PATIENCE).await {
        tracing::warn!(waba_id, %error, "a template is sent without being looked at");
        return Ok(TemplateUse { is_marketing: false });
    }
    let object = &content.object;
    let name = object["name"].as_str().unwrap_or_default();
    let language = object["language"]["code"].as_str().unwrap_or_default();
    let template = database
        .run(async |client| db::templates::find(client, waba_id, name, language).await)
        .await?
        .ok_or_else(|| ApiError::invalid("template.name", "the account has no such template in this language"))?;
    if template.status != APPROVED {
        let message = format!("the template is not approved; it is {}", template.status);
        return Err(ApiError::invalid("template.name", message));
    }
    domain::check(&template, &object["components"])?;
    let rendered = domain::render(&template, &object["components"]);
    content.metadata = Some(rendered.metadata(object));
    content.words = rendered.words();
    Ok(TemplateUse {
        is_marketing: template.category.as_deref() == Some("MARKETING"),
    })
}

/// Asks Graph for an account's templates where the list is stale. Tells as of when the list is that stands now.
///
/// # Errors
/// Why there is no list at all.
async fn refresh(app: &App, account: &Account, patience: Duration) -> Result<Timestamp, ApiError> {
    if let Some(refreshed_at) = account.refreshed_at.filter(|_| !account.is_stale) {
        return Ok(refreshed_at);
    }
    let asked_at = Timestamp::now();
    let asked = tokio::time::timeout(patience, ask(app, account)).await;
    let asked = asked.unwrap_or_else(|_| Err(ApiError::Unavailable("Graph's list takes too long".to_owned())));
    match (asked, account.refreshed_at) {
        (Ok(templates), _) => {
            app.http
                .database
                .run(async |client| db::templates::replace(client, &account.waba_id, &templates, asked_at).await)
                .await?;
            Ok(asked_at)
        }
        (Err(error), Some(refreshed_at)) => {
            tracing::warn!(waba_id = account.waba_id, %refreshed_at, %error, "an old list of templates is used");
            Ok(refreshed_at)
        }
        (Err(error), None) => Err(error),
    }
}

async fn ask(app: &App, account: &Account) -> Result<Vec<Listed>, ApiError> {
    let waba_id = &account.waba_id;
    let token = app
        .outbound
        .tokens
        .resolve(waba_id, account.access_token.as_deref())
        .await;
    let token = token.map_err(|error| token_failure(waba_id, &error))?;
    let items = app.outbound.graph.list_templates(&token, waba_id).await;
    let items = items.map_err(|error| graph_failure(waba_id, &error))?;
    let templates: Vec<Listed> = items.iter().filter_map(Listed::from_graph).collect();
    if templates.len() < items.len() {
        let unreadable = items.len() - templates.len();
        tracing::warn!(waba_id, unreadable, "Graph lists templates without what identifies one");
    }
    Ok(templates)
}

fn token_failure(waba_id: &str, error: &TokenError) -> ApiError {
    // The operator's affair: another token of the account changes nothing.
    if error.is_passing() {
        return ApiError::Unavailable(error.to_string());
    }
    tracing::warn!(waba_id, %error, "no access token to list templates with");
    ApiError::ReconnectRequired
}

fn graph_failure(waba_id: &str, error: &GraphError) -> ApiError {
    let GraphError::Refused {
        status, error: refusal, ..
    } = error
    else {
        return ApiError::Unavailable(error.to_string());
    };
    let is_tokens_fault = refusal
        .code
        .is_some_and(|code| code == UNKNOWN_OBJECT || class_of(code) == ErrorClass::Token);
    if refusal.retryable || !(is_tokens_fault || [401, 403].contains(status)) {
        return ApiError::Unavailable(error.to_string());
    }
    tracing::warn!(waba_id, %error, "Graph lists no templates for the account's access token");
    ApiError::ReconnectRequired
}

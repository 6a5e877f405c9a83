//! The agent's phone numbers and conversations: list, one, change, mark read or unread; and the agent's quick replies.

mod quick_replies;

use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRef, Path, State};
use axum::routing::{get, patch, post};
use jiff::Timestamp;
pub use quick_replies::{NewQuickReply, QuickReplyUpdate};
use serde::{Deserialize, Serialize};
use shared::db::conversations::Marked;
use shared::db::{self, Database};
use shared::domain::conversation::{Narrowing, ReadReceipts, Sort};
use shared::domain::page::{Section, Seek};
use shared::domain::send::OutboxTask;
use shared::edge::queue::Queue;
use shared::http::auth::{Agent, Authenticator};
use shared::http::error::{ApiError, Failure};
use shared::http::extract::{JsonBody, Parameters, PathId};
use shared::http::reply::{ConversationReply, ConversationsReply, PhoneNumberReply, PhoneNumbersReply};
use shared::realtime::Realtime;
use utoipa::{OpenApi, ToSchema};

/// The states of a conversation.
const STATUSES: [&str; 2] = ["active", "archived"];
/// `customer_name` is a column of this many characters.
const NAME_LENGTH: usize = 255;

/// How long the queue may take to be told of a read receipt; the outbox's clock finds it anyway.
const TRIGGER_TIME: Duration = Duration::from_secs(2);

/// What the handlers need, made once an environment.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub database: Database,
    /// Who asks.
    pub authenticator: Authenticator,
    /// Where read receipts are asked for. A fast trigger only: what is owed stands in the database.
    pub outbox: Queue,
    /// The open pages.
    pub realtime: Realtime,
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.authenticator.clone()
    }
}

/// The routes of this function, for `openapi.yaml`.
#[derive(OpenApi)]
#[openapi(paths(
    list_phone_numbers,
    update_phone_number,
    list_conversations,
    get_conversation,
    update_conversation,
    mark_read,
    mark_unread,
    quick_replies::list_quick_replies,
    quick_replies::create_quick_reply,
    quick_replies::update_quick_reply,
    quick_replies::delete_quick_reply
))]
pub struct Api;

/// The function as an HTTP service.
pub fn service(app: App) -> Router {
    let realtime = app.realtime.clone();
    let routes = Router::new()
        .route("/api/live-chat/phone-numbers", get(list_phone_numbers))
        .route(
            "/api/live-chat/phone-numbers/{phone_number_id}",
            patch(update_phone_number),
        )
        .route("/api/live-chat/conversations", get(list_conversations))
        .route(
            "/api/live-chat/conversations/{id}",
            get(get_conversation).patch(update_conversation),
        )
        .route("/api/live-chat/conversations/{id}/read", post(mark_read))
        .route("/api/live-chat/conversations/{id}/unread", post(mark_unread))
        .route(
            "/api/live-chat/quick-replies",
            get(quick_replies::list_quick_replies).post(quick_replies::create_quick_reply),
        )
        .route(
            "/api/live-chat/quick-replies/{id}",
            patch(quick_replies::update_quick_reply).delete(quick_replies::delete_quick_reply),
        )
        .with_state(app);
    shared::http::telling_service(routes, realtime)
}

/// The agent's phone numbers, with their unread totals.
#[utoipa::path(get, path = "/api/live-chat/phone-numbers", tag = "conversations",
    responses((status = 200, body = PhoneNumbersReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn list_phone_numbers(State(app): State<App>, agent: Agent) -> Result<Json<PhoneNumbersReply>, ApiError> {
    let phone_numbers = app
        .database
        .run(async |client| db::accounts::list_numbers(client, agent.user_id, Timestamp::now()).await)
        .await?;
    Ok(Json(PhoneNumbersReply {
        success: true,
        phone_numbers,
    }))
}

/// What an agent may change of a phone number.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"read_receipts": "on_open"}))]
pub struct PhoneNumberUpdate {
    /// When customers are told that their messages were read; holds for all numbers of the account.
    pub read_receipts: ReadReceipts,
}

/// Sets when the customers of a number's account are told that their messages were read.
#[utoipa::path(patch, path = "/api/live-chat/phone-numbers/{phone_number_id}", tag = "conversations",
    params(("phone_number_id" = String, Path, description = "One of the agent's numbers.")), request_body = PhoneNumberUpdate,
    responses((status = 200, body = PhoneNumberReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn update_phone_number(
    State(app): State<App>,
    agent: Agent,
    id: Result<Path<String>, PathRejection>,
    JsonBody(update): JsonBody<PhoneNumberUpdate>,
) -> Result<Json<PhoneNumberReply>, ApiError> {
    let Path(id) = id.map_err(|_| ApiError::NotFound)?;
    let numbers = app.database.run(async |client| {
        db::accounts::set_read_receipts(client, agent.user_id, &id, update.read_receipts).await?;
        db::accounts::list_numbers(client, agent.user_id, Timestamp::now()).await
    });
    let number = numbers.await?.into_iter().find(|number| number.phone_number_id == id);
    Ok(Json(PhoneNumberReply {
        success: true,
        phone_number: number.ok_or(ApiError::NotFound)?,
    }))
}

/// The agent's conversations.
#[utoipa::path(get, path = "/api/live-chat/conversations", tag = "conversations",
    params(
        ("user_id" = Option<String>, Query, description = "The token's own user; anybody else's is 403."),
        ("phone_number_id" = Option<String>, Query, description = "One of the agent's numbers; all of them where it is missing."),
        ("status" = Option<String>, Query, description = "`active` or `archived`; both where it is missing."),
        ("filter" = Option<String>, Query, description = "`unread`; `unanswered`: the customer waits for an answer; `window_closing`: the customer service window is open and closes within 4 hours."),
        ("q" = Option<String>, Query, description = "What the customer's name, username or phone number has in it, in small letters or capitals; of a phone number only the digits count. 100 characters at the most."),
        ("sort" = Option<String>, Query, description = "`recent` (the default): newest first; `waiting`: those who wait for an answer, longest first, then the others, newest first."),
        ("limit" = Option<u64>, Query, description = "How many: 50 where it is missing, 100 at the most."),
        ("cursor" = Option<String>, Query, description = "A `next_cursor` or `prev_cursor` of an earlier reply."),
    ),
    responses((status = 200, body = ConversationsReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn list_conversations(
    State(app): State<App>,
    agent: Agent,
    parameters: Parameters,
) -> Result<Json<ConversationsReply>, ApiError> {
    let filter = db::conversations::Filter {
        phone_number_id: parameters.get("phone_number_id").map(str::to_owned),
        status: parameters.one_of("status", &STATUSES)?,
        narrowing: parameters
            .one_of("filter", &Narrowing::NAMES)?
            .and_then(|name| Narrowing::from_name(&name)),
        q: parameters.query()?.map(str::to_owned),
        sort: parameters
            .one_of("sort", &Sort::NAMES)?
            .and_then(|name| Sort::from_name(&name))
            .unwrap_or_default(),
        now: Timestamp::now(),
    };
    let limit = parameters.limit()?;
    let seek = match parameters.get("cursor") {
        None => Seek::Newest,
        Some(cursor) => Seek::from_cursor(cursor)
            .filter(|seek| is_of(*seek, filter.sort))
            .ok_or_else(|| ApiError::invalid("cursor", "is not a cursor of this list"))?,
    };
    let page = app
        .database
        .run(async |client| {
            let page = db::conversations::list(client, agent.user_id, &filter, seek, limit).await?;
            // An empty page may be that of somebody else's number.
            let foreign = match &filter.phone_number_id {
                Some(id) if page.rows.is_empty() => !db::accounts::owns_number(client, agent.user_id, id).await?,
                _ => false,
            };
            Ok((!foreign).then_some(page))
        })
        .await?
        .ok_or(ApiError::NotFound)?;
    Ok(Json(ConversationsReply {
        success: true,
        conversations: page.rows,
        next_cursor: page.next_cursor,
        prev_cursor: page.prev_cursor,
    }))
}

fn is_of(cursor: Seek, sort: Sort) -> bool {
    let section = cursor.position().map(|position| position.section);
    (section == Some(Section::Only)) == (sort == Sort::Recent)
}

/// One conversation.
#[utoipa::path(get, path = "/api/live-chat/conversations/{id}", tag = "conversations",
    params(("id" = i64, Path, description = "The conversation.")),
    responses((status = 200, body = ConversationReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn get_conversation(
    State(app): State<App>,
    agent: Agent,
    PathId(id): PathId,
) -> Result<Json<ConversationReply>, ApiError> {
    let found = app
        .database
        .run(async |client| db::conversations::find(client, agent.user_id, id).await)
        .await?;
    reply(found)
}

/// What an agent may change of a conversation; what is missing stays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"status": "archived"}))]
pub struct ConversationUpdate {
    /// `active` or `archived`.
    #[serde(default)]
    pub status: Option<String>,
    /// The name that the agent gives the customer; no profile name replaces it.
    #[serde(default)]
    pub customer_name: Option<String>,
}

/// Archives a conversation, makes it active, or names the customer.
#[utoipa::path(patch, path = "/api/live-chat/conversations/{id}", tag = "conversations",
    params(("id" = i64, Path, description = "The conversation.")), request_body = ConversationUpdate,
    responses((status = 200, body = ConversationReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn update_conversation(
    State(app): State<App>,
    agent: Agent,
    PathId(id): PathId,
    JsonBody(update): JsonBody<ConversationUpdate>,
) -> Result<Json<ConversationReply>, ApiError> {
    if let Some(status) = &update.status
        && !STATUSES.contains(&status.as_str())
    {
        let known = STATUSES.join(", ");
        return Err(ApiError::invalid("status", format!("must be one of: {known}")));
    }
    let name = update.customer_name.as_deref().map(str::trim);
    if let Some(name) = name
        && (name.is_empty() || name.chars().count() > NAME_LENGTH || name.contains('\0'))
    {
        let message = format!("must have 1 to {NAME_LENGTH} characters");
        return Err(ApiError::invalid("customer_name", message));
    }
    let status = update.status.as_deref();
    let found = app
        .database
        .run(async |client| db::conversations::update(client, agent.user_id, id, status, name).await)
        .await?;
    reply(found)
}

/// Marks everything in a conversation as read. Where the account's `read_receipts` are `on_open`, the customer is told so.
#[utoipa::path(post, path = "/api/live-chat/conversations/{id}/read", tag = "conversations",
    params(("id" = i64, Path, description = "The conversation.")),
    responses((status = 200, body = ConversationReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn mark_read(
    State(app): State<App>,
    agent: Agent,
    PathId(id): PathId,
) -> Result<Json<ConversationReply>, ApiError> {
    let marked = app
        .database
        .run(async |client| db::conversations::mark_read(client, agent.user_id, id).await);
    let Some((conversation, owes_receipt)) = marked.await? else {
        return Err(ApiError::NotFound);
    };
    if let (true, Some(number)) = (owes_receipt, &conversation.phone_number_id) {
        let task = OutboxTask { conversation_id: id };
        let message = task.to_message(number, Duration::ZERO);
        app.outbox.trigger(&[message], TRIGGER_TIME).await;
    }
    reply(Some(conversation))
}

/// Marks a conversation as unread: the customer's newest message is `delivered` again. What is unread already stays as it is.
#[utoipa::path(post, path = "/api/live-chat/conversations/{id}/unread", tag = "conversations",
    params(("id" = i64, Path, description = "The conversation.")),
    responses(
        (status = 200, body = ConversationReply),
        (status = 409, body = Failure, description = "`nothing_to_read`: the customer wrote nothing that could be unread."),
        (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn mark_unread(
    State(app): State<App>,
    agent: Agent,
    PathId(id): PathId,
) -> Result<Json<ConversationReply>, ApiError> {
    let marked = app
        .database
        .run(async |client| db::conversations::mark_unread(client, agent.user_id, id).await);
    match marked.await? {
        Marked::Unread(conversation) => reply(Some(*conversation)),
        Marked::NothingToRead => Err(ApiError::NothingToRead),
        Marked::NotFound => reply(None),
    }
}

fn reply(found: Option<shared::domain::conversation::Conversation>) -> Result<Json<ConversationReply>, ApiError> {
    Ok(Json(ConversationReply {
        success: true,
        conversation: found.ok_or(ApiError::NotFound)?,
    }))
}

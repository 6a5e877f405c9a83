//! The messages of a conversation, search, what changed, and links to files.

mod changes;
mod media;
mod search;

use axum::extract::{FromRef, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use shared::db::{self, DbError};
use shared::domain::conversation::Conversation;
use shared::domain::message::Message;
use shared::domain::page::{Page, Position, Section, Seek};
use shared::edge::queue::Queue;
use shared::edge::storage::Storage;
use shared::http::auth::{Agent, Authenticator};
use shared::http::error::{ApiError, Failure};
use shared::http::extract::Parameters;
use shared::http::reply::MessagesReply;
use utoipa::OpenApi;

/// What the handlers need, made once an environment.
#[derive(Clone)]
pub struct App {
    /// The database, and who asks.
    pub http: shared::http::App,
    /// The bucket with the files.
    pub storage: Storage,
    /// Takes the triggers of files that are asked for again.
    pub media_queue: Queue,
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.http.authenticator.clone()
    }
}

/// The routes of this function, for `openapi.yaml`.
#[derive(OpenApi)]
#[openapi(paths(list_messages, changes::list_changes, media::get_media, media::retry_media))]
pub struct Api;

/// The function as an HTTP service.
pub fn service(app: App) -> Router {
    let routes = Router::new()
        .route("/api/live-chat/messages", get(list_messages))
        .route("/api/live-chat/changes", get(changes::list_changes))
        .route("/api/live-chat/media/{message_id}", get(media::get_media))
        .route("/api/live-chat/media/{message_id}/retry", post(media::retry_media))
        .with_state(app);
    shared::http::service(routes)
}

/// Where a page begins, as the client says it.
enum Start {
    Seek(Seek),
    /// Older than this message.
    Before(String),
    /// Newer than this message.
    After(String),
    /// The page in whose middle this message stands.
    Around(String),
}

/// The messages of a conversation, newest first; with `q` those that have it in their text or caption, of one conversation or of all.
#[utoipa::path(get, path = "/api/live-chat/messages", tag = "messages",
    params(
        ("conversation_id" = Option<i64>, Query, description = "The conversation. Only a search may do without it."),
        ("q" = Option<String>, Query, description = "What the text or caption has in it, in small letters or capitals. 100 characters at the most."),
        ("phone_number_id" = Option<String>, Query, description = "Of a search through all conversations: those of one of the agent's numbers."),
        ("limit" = Option<u64>, Query, description = "How many: 50 where it is missing, 100 at the most."),
        ("offset" = Option<u64>, Query, description = "How many of the newest to leave out. Rows that arrive in between shift it; cursors do not have that. Not with `q`."),
        ("before" = Option<String>, Query, description = "A `next_cursor`, or a message's id: what is older."),
        ("after" = Option<String>, Query, description = "A `prev_cursor`, or a message's id: what is newer."),
        ("around" = Option<String>, Query, description = "A message's id: the page in whose middle it stands. Not with `q`."),
    ),
    responses((status = 200, body = MessagesReply), (status = "4XX", body = Failure), (status = "5XX", body = Failure)))]
async fn list_messages(
    State(app): State<App>,
    agent: Agent,
    parameters: Parameters,
) -> Result<Json<MessagesReply>, ApiError> {
    let conversation = parameters.number("conversation_id")?;
    let query = parameters.query()?;
    let (start, limit) = (start(&parameters)?, parameters.limit()?);
    if let Some(query) = query {
        return search::search(&app, agent, &parameters, query, (start, limit)).await;
    }
    let conversation = conversation.ok_or_else(|| ApiError::invalid("conversation_id", "is required without q"))?;
    let page = app
        .http
        .database
        .run(async |client| {
            let page = load(client, agent, conversation, start, limit).await?;
            let exists = match &page {
                Some(page) if !page.rows.is_empty() => true,
                _ => db::conversations::find(client, agent.user_id, conversation)
                    .await?
                    .is_some(),
            };
            Ok(exists.then_some(page))
        })
        .await?
        .ok_or(ApiError::NotFound)?
        .ok_or_else(|| ApiError::invalid(named(&parameters), "names no message of this conversation"))?;
    Ok(Json(reply(page, Vec::new())))
}

fn reply(page: Page<Message>, conversations: Vec<Conversation>) -> MessagesReply {
    MessagesReply {
        success: true,
        messages: page.rows,
        conversations,
        next_cursor: page.next_cursor,
        prev_cursor: page.prev_cursor,
    }
}

/// The forms exclude each other.
const STARTS: [&str; 4] = ["offset", "before", "after", "around"];

fn named(parameters: &Parameters) -> &'static str {
    let given = STARTS.iter().find(|name| parameters.get(name).is_some());
    given.copied().unwrap_or("offset")
}

fn start(parameters: &Parameters) -> Result<Start, ApiError> {
    let given: Vec<&str> = STARTS
        .into_iter()
        .filter(|name| parameters.get(name).is_some())
        .collect();
    if let [_, second, ..] = given[..] {
        return Err(ApiError::invalid(
            second,
            format!("cannot be given together with {}", given[0]),
        ));
    }
    let text = |name| parameters.get(name).unwrap_or_default().to_owned();
    let position = |name| {
        let position = Seek::from_cursor(parameters.get(name)?)?.position();
        position.filter(|position| position.section == Section::Only)
    };
    Ok(match given.first() {
        None => Start::Seek(Seek::Newest),
        Some(&"offset") => Start::Seek(Seek::Offset(parameters.number("offset")?.unwrap_or(0))),
        Some(&"before") => match position("before") {
            Some(position) => Start::Seek(Seek::Before(position)),
            None => Start::Before(text("before")),
        },
        Some(&"after") => match position("after") {
            Some(position) => Start::Seek(Seek::After(position)),
            None => Start::After(text("after")),
        },
        Some(_) => Start::Around(text("around")),
    })
}

/// The page; `None` where the message that it starts from is not in the conversation.
async fn load(
    client: &tokio_postgres::Client,
    agent: Agent,
    conversation: i64,
    start: Start,
    limit: i64,
) -> Result<Option<Page<Message>>, DbError> {
    let list = async |seek, limit| db::messages::list(client, agent.user_id, conversation, seek, limit).await;
    let (Start::Before(id) | Start::After(id) | Start::Around(id)) = &start else {
        let Start::Seek(seek) = start else {
            unreachable!("the other forms name a message")
        };
        return list(seek, limit).await.map(Some);
    };
    let found = db::messages::find_position(client, agent.user_id, conversation, id).await?;
    let Some(position) = found else {
        return Ok(None);
    };
    let page = match start {
        Start::Before(_) => list(Seek::Before(position), limit).await?,
        Start::After(_) => list(Seek::After(position), limit).await?,
        _ => {
            let newer = list(Seek::After(position), limit / 2).await?;
            // The message itself is the first of the older half.
            let from = Position {
                id: position.id + 1,
                ..position
            };
            let count = i64::try_from(newer.rows.len()).unwrap_or_default();
            let older = list(Seek::Before(from), limit - count).await?;
            Page {
                prev_cursor: newer.prev_cursor,
                next_cursor: older.next_cursor,
                rows: newer.rows.into_iter().chain(older.rows).collect(),
            }
        }
    };
    Ok(Some(page))
}

//! The pages' sockets: tickets over HTTP, connections over API Gateway's WebSocket API; the browsers that are notified; and a clock that
//! tells what nobody told and forgets what is over. What changed is told by whoever changed it, through `shared::realtime`.

mod push;
mod socket;
mod ticket;

use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
pub use push::{NewPushKeys, NewPushSubscription, OldPushSubscription};
use shared::db::gauges::{Gauge, tell_gauges};
use shared::db::{self, DbError};
use shared::domain::push::Origin;
use shared::edge::push::PushKeys;
use shared::http::auth::Authenticator;
use shared::metrics::Work;
use shared::realtime::Realtime;
pub use socket::{SocketEvent, SocketReply, handle_socket};
use utoipa::OpenApi;

/// What the handlers need, made once an environment.
#[derive(Clone)]
pub struct App {
    /// The database, and who asks.
    pub http: shared::http::App,
    /// Where browsers connect: `wss://…`, without a query.
    pub websocket_url: String,
    /// The open pages.
    pub realtime: Realtime,
    /// Who we are to push services: what browsers subscribe with.
    pub push_keys: PushKeys,
    /// An origin that notifications may be sent to beside the browsers' push services.
    pub push_origin: Option<Origin>,
}

impl FromRef<App> for Authenticator {
    fn from_ref(app: &App) -> Self {
        app.http.authenticator.clone()
    }
}

/// The routes of this function, for `openapi.yaml`.
#[derive(OpenApi)]
#[openapi(paths(
    ticket::create_ticket,
    push::list_push_subscriptions,
    push::create_push_subscription,
    push::delete_push_subscription
))]
pub struct Api;

/// The function as an HTTP service.
pub fn service(app: App) -> Router {
    let routes = Router::new()
        .route("/api/live-chat/realtime-ticket", post(ticket::create_ticket))
        .route(
            "/api/live-chat/push-subscriptions",
            get(push::list_push_subscriptions)
                .post(push::create_push_subscription)
                .delete(push::delete_push_subscription),
        )
        .with_state(app);
    shared::http::service(routes)
}

/// What a ticket is kept as.
fn digest_of(ticket: &str) -> Vec<u8> {
    digest(&SHA256, ticket.as_bytes()).as_ref().to_vec()
}

/// How many changes the clock deletes at once, and how often it does.
const PORTION: i64 = 10_000;
const MOST_PORTIONS: usize = 10;

/// How long the clock works a backlog off.
const BACKLOG_TIME: Duration = Duration::from_secs(10);

/// What is due each minute: tells what somebody left who died, and deletes what is over.
pub async fn handle_clock(app: &App) {
    tell_gauges(&app.http.database, &[Gauge::Owed(Work::Unpublished)]).await;
    // What is left the next minute takes, or nobody does: pages ask by themselves.
    let begun = Instant::now();
    while app.realtime.publish().await && begun.elapsed() < BACKLOG_TIME {}
    if let Err(error) = clear(app).await {
        tracing::error!(%error, "what is over is not deleted");
    }
}

async fn clear(app: &App) -> Result<(), DbError> {
    let database = &app.http.database;
    let expired = database.run(async |client| {
        db::connections::delete_expired(client).await?;
        db::changes::forget_unpublished(client).await
    });
    expired.await?;
    for _ in 0..MOST_PORTIONS {
        let pruned = database.run(async |client| db::changes::prune(client, PORTION).await);
        if pruned.await? < PORTION.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

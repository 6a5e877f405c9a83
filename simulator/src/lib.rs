//! A stand-in for Meta's side of the Cloud API, for a developer's desk and for tests: a
//! Graph API that refuses what Meta refuses, signed webhooks, faults on demand, and a customer's
//! phone in the browser.
//!
//! It is an independent reading of the protocol: it shares no code with the system it talks to,
//! so a misunderstanding on one side shows. One process holds one simulated Meta, in memory.
//!
//! ```text
//! graph/      what the business asks     → statuses → webhooks ─▶ the system
//! control     what customer and test ask → inbound  → webhooks ─▶ the system
//! push/       a browser's push service → the browser
//! page.html   the customer's phone, on top of control
//! ```

mod config;
mod control;
mod faults;
mod graph;
mod ids;
mod inbound;
mod issuer;
mod push;
mod requests;
mod samples;
mod state;
mod statuses;
mod webhooks;

use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::response::Html;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower::ServiceExt;

pub use config::{Config, Delays, Limits, Number};

use graph::NoAnswer;
use state::Simulator;
use webhooks::Deliveries;

/// Serves the simulator on `listener` until the future is dropped; then every connection and
/// every webhook on its way ends too.
///
/// Graph stands under `/{version}/`, the control API under `/_simulator/`, the customer's phone
/// at `/`, the keys of the agents' issuer below `/auth/v1`.
///
/// # Errors
/// When the listener's address cannot be read or the HTTP client for webhooks cannot be built.
pub async fn serve(listener: TcpListener, config: Config) -> anyhow::Result<()> {
    let address = listener.local_addr().context("the listener has no address")?;
    let deliveries = Deliveries::new(&config.webhook_url, &config.app_secret)
        .context("the HTTP client for webhooks cannot be built")?;
    let simulator = Arc::new(Simulator::new(config, format!("http://{address}"), deliveries));
    let _stop = StopOnDrop(Arc::clone(&simulator));
    let router = Router::new()
        .route("/", get(async || Html(include_str!("page.html"))))
        .nest("/_simulator", control::routes())
        .merge(graph::routes(&simulator))
        .nest("/push", push::service::routes())
        .nest("/auth/v1", issuer::routes())
        .with_state(simulator);
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let router = router.clone();
        let service = hyper::service::service_fn(move |request: Request<_>| answer(router.clone(), request));
        connections.spawn(async move {
            // A connection that a client or a fault breaks is nothing to report.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// A client that hangs up does not undo what it asked: as with Meta, the request goes on.
async fn answer(
    router: Router,
    request: Request<hyper::body::Incoming>,
) -> Result<axum::response::Response, &'static str> {
    let response = tokio::spawn(router.oneshot(request.map(axum::body::Body::new)))
        .await
        .map_err(|_| "the handler failed")?
        .unwrap_or_else(|never| match never {});
    if response.extensions().get::<NoAnswer>().is_some() {
        return Err("closed without an answer");
    }
    Ok(response)
}

struct StopOnDrop(Arc<Simulator>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.deliveries.stop();
    }
}

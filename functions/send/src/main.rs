//! Wires the function to its environment.

use std::time::Duration;

use send::{App, LEASE, service};
use shared::start::HttpStart;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let HttpStart { start, app: http } = HttpStart::from_env(env!("CARGO_PKG_NAME")).await?;
    let outbound = start.outbound(http.database.clone(), LEASE)?;
    outbound.tokens.warm_up().await;
    let realtime = start.realtime(http.database.clone(), Duration::from_secs(2))?;
    let app = App {
        http,
        outbound,
        realtime,
    };
    shared::metrics::tell_cold_start();
    lambda_http::run(service(app)).await
}

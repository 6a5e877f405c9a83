//! Wires the function to its environment.

use send::{App, LEASE, service};
use shared::start::HttpStart;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let HttpStart { start, app: http } = HttpStart::from_env().await?;
    let outbound = start.outbound(http.database.clone(), LEASE)?;
    outbound.tokens.warm_up().await;
    lambda_http::run(service(App { http, outbound })).await
}

//! Wires the function to its environment.

use std::time::{Duration, Instant, SystemTime};

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use outbox::{App, LEASE, handle};
use shared::start::Start;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let start = Start::from_env(env!("CARGO_PKG_NAME")).await?;
    let database = start.database().await?;
    let app = App {
        realtime: start.realtime(database.clone(), Duration::from_secs(8))?,
        outbound: start.outbound(database.clone(), LEASE)?,
        push: start.push(database, LEASE)?,
    };
    shared::metrics::tell_cold_start();
    run(service_fn(async |event: LambdaEvent<serde_json::Value>| {
        let left = event.context.deadline().duration_since(SystemTime::now());
        let deadline = Instant::now() + left.unwrap_or_default();
        Ok::<_, Error>(handle(&app, event.payload, deadline).await)
    }))
    .await
}

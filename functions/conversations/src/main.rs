//! Wires the function to its environment.

use std::time::Duration;

use conversations::{App, service};
use shared::config::required;
use shared::edge::queue::Queue;
use shared::start::{HttpStart, logged};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let HttpStart { start, app } = HttpStart::from_env(env!("CARGO_PKG_NAME")).await?;
    let outbox = logged(required("OUTBOX_QUEUE_URL"))?;
    let app = App {
        realtime: start.realtime(app.database.clone(), Duration::from_secs(2))?,
        database: app.database,
        authenticator: app.authenticator,
        outbox: Queue::new(aws_sdk_sqs::Client::new(&start.aws), outbox),
    };
    shared::metrics::tell_cold_start();
    lambda_http::run(service(app)).await
}

//! Wires the function to its environment.

use std::time::{Duration, Instant};

use consumer::{App, Event, handle, handle_clock};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use shared::config::required;
use shared::db::retention::Retention;
use shared::edge::queue::Queue;
use shared::start::{Start, logged};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let start = Start::from_env(env!("CARGO_PKG_NAME")).await?;
    let client = aws_sdk_sqs::Client::new(&start.aws);
    let queue = |variable| logged(required(variable)).map(|url| Queue::new(client.clone(), url));
    let database = start.database().await?;
    let app = App {
        realtime: start.realtime(database.clone(), Duration::from_secs(8))?,
        database,
        queue: queue("EVENTS_QUEUE_URL")?,
        media_queue: queue("MEDIA_QUEUE_URL")?,
        outbox_queue: queue("OUTBOX_QUEUE_URL")?,
        retention: logged(Retention::from_env())?,
    };
    shared::metrics::tell_cold_start();
    run(service_fn(async |event: LambdaEvent<Event>| {
        Ok::<_, Error>(match event.payload.records {
            Some(records) => handle(&app, records).await,
            None => handle_clock(&app, Instant::now() + Duration::from_secs(25)).await,
        })
    }))
    .await
}

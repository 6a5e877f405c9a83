//! Wires the function to its environment.

use aws_lambda_events::sqs::SqsEvent;
use consumer::{App, handle};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use shared::config::required;
use shared::edge::queue::Queue;
use shared::start::{Start, logged};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let start = Start::from_env().await?;
    let client = aws_sdk_sqs::Client::new(&start.aws);
    let queue = Queue::new(client, logged(required("EVENTS_QUEUE_URL"))?);
    let app = App {
        database: start.database().await?,
        queue,
    };
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(handle(&app, event.payload).await)
    }))
    .await
}

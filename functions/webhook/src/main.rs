//! Wires the function to its environment.

use lambda_http::{run, service_fn};
use shared::config::required;
use shared::edge::queue::Queue;
use shared::start::{Start, logged};
use webhook::{App, WebhookSecrets, handle};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let start = Start::from_env(env!("CARGO_PKG_NAME")).await?;
    let secrets = WebhookSecrets::Stored {
        secrets: start.secrets,
        arn: logged(required("WEBHOOK_SECRET_ARN"))?,
    };
    secrets.warm_up().await;
    let client = aws_sdk_sqs::Client::new(&start.aws);
    let queue = Queue::new(client, logged(required("EVENTS_QUEUE_URL"))?);
    let app = App { secrets, queue };
    shared::metrics::tell_cold_start();
    run(service_fn(|request| handle(&app, request))).await
}

//! Wires the function to its environment.

use messages::{App, service};
use shared::config::required;
use shared::edge::queue::Queue;
use shared::edge::storage::Storage;
use shared::start::{HttpStart, logged};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let HttpStart { start, app: http } = HttpStart::from_env(env!("CARGO_PKG_NAME")).await?;
    let sqs = aws_sdk_sqs::Client::new(&start.aws);
    let app = App {
        http,
        storage: Storage::new(&start.aws, logged(required("MEDIA_BUCKET"))?),
        media_queue: Queue::new(sqs, logged(required("MEDIA_QUEUE_URL"))?),
    };
    shared::metrics::tell_cold_start();
    lambda_http::run(service(app)).await
}

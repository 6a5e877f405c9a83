//! Wires the function to its environment.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use media::{App, PATIENCE, clean_up, handle};
use shared::config::required;
use shared::edge::graph::media::GraphMedia;
use shared::edge::storage::Storage;
use shared::start::{Start, logged};
use shared::tokens::Tokens;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let start = Start::from_env(env!("CARGO_PKG_NAME")).await?;
    clean_up(&std::env::temp_dir());
    let database = start.database().await?;
    let app = App {
        realtime: start.realtime(database.clone(), Duration::from_secs(8))?,
        database,
        storage: Storage::new(&start.aws, logged(required("MEDIA_BUCKET"))?),
        tokens: Tokens::new(start.secrets, logged(required("TOKEN_KEYS_SECRET_ARN"))?),
        graph: logged(GraphMedia::from_env(PATIENCE))?,
    };
    shared::metrics::tell_cold_start();
    run(service_fn(async |event: LambdaEvent<_>| {
        let deadline = event.context.deadline();
        Ok::<_, Error>(handle(&app, event.payload, deadline).await)
    }))
    .await
}

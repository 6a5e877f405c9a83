//! Wires the function to its environment.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use migrate::handle;
use shared::db::settings::Settings;
use shared::start::Start;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let start = Start::from_env(env!("CARGO_PKG_NAME")).await?;
    let settings = Settings::from_env(&start.secrets).map_err(|error| error.to_string());
    shared::metrics::tell_cold_start();
    run(service_fn(async |event: LambdaEvent<_>| {
        handle(&settings, event.payload).await
    }))
    .await
}

//! Wires the function to its environment.

use messages::service;
use shared::start::HttpStart;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let app = HttpStart::from_env().await?.app;
    lambda_http::run(service(app)).await
}

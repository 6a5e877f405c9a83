//! Wires the function to its environment.

use std::time::Duration;

use lambda_http::Adapter;
use lambda_http::request::LambdaRequest;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use realtime::{App, handle_clock, handle_socket, service};
use serde_json::{Value, json};
use shared::config::required;
use shared::edge::push::extra_origin;
use shared::start::{HttpStart, logged};
use tower::Service;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let HttpStart { start, app: http } = HttpStart::from_env(env!("CARGO_PKG_NAME")).await?;
    let app = App {
        websocket_url: logged(required("WEBSOCKET_URL"))?,
        realtime: start.realtime(http.database.clone(), Duration::from_secs(8))?,
        push_keys: start.push_keys()?,
        push_origin: logged(extra_origin())?,
        http,
    };
    let api = Adapter::from(service(app.clone()));
    shared::metrics::tell_cold_start();
    run(service_fn(async |event: LambdaEvent<Value>| {
        let LambdaEvent { payload, context } = event;
        let is_of = |field: &str| payload["requestContext"].get(field).is_some();
        Ok::<Value, Error>(if is_of("connectionId") {
            serde_json::to_value(handle_socket(&app, serde_json::from_value(payload)?).await)?
        } else if is_of("http") {
            let request: LambdaRequest = serde_json::from_value(payload)?;
            serde_json::to_value(api.clone().call(LambdaEvent::new(request, context)).await?)?
        } else {
            handle_clock(&app).await;
            json!(null)
        })
    }))
    .await
}

//! Wires the function to its environment.

use send::{App, service};
use shared::config::required;
use shared::edge::graph::Graph;
use shared::edge::storage::Storage;
use shared::start::{HttpStart, logged};
use shared::tokens::Tokens;

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let HttpStart { start, app: http } = HttpStart::from_env().await?;
    let tokens = Tokens::new(start.secrets, logged(required("TOKEN_KEYS_SECRET_ARN"))?);
    tokens.warm_up().await;
    let app = App {
        http,
        tokens,
        graph: logged(Graph::from_env())?,
        storage: Storage::new(&start.aws, logged(required("MEDIA_BUCKET"))?),
    };
    lambda_http::run(service(app)).await
}

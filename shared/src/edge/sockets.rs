//! API Gateway's side of the sockets: frames go to open connections.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::retry::RetryConfig;
use aws_sdk_apigatewaymanagement::config::timeout::TimeoutConfig;
use aws_sdk_apigatewaymanagement::primitives::Blob;

/// What one frame may take: API Gateway answers within some 20 ms, whatever the client's network does.
const POST_TIME: Duration = Duration::from_secs(1);

/// Why a frame was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The connection is closed.
    #[error("the connection is gone")]
    Gone,
    /// API Gateway did not take it: an AWS error code, or that no answer came.
    #[error("{0}")]
    Refused(String),
}

/// The open connections of the WebSocket API.
#[derive(Debug, Clone)]
pub struct Sockets {
    client: Client,
}

impl Sockets {
    /// Those behind this URL: `https://<API>.execute-api.<region>.amazonaws.com/<stage>`.
    #[must_use]
    pub fn new(aws: &aws_config::SdkConfig, callback_url: &str) -> Self {
        let config = aws_sdk_apigatewaymanagement::config::Builder::from(aws)
            .endpoint_url(callback_url)
            // Best effort: whoever misses a frame asks for the changes.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_timeout(POST_TIME).build())
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// When the connection is closed, or API Gateway does not take the frame.
    pub async fn post(&self, connection_id: &str, frame: &str) -> Result<(), PostError> {
        let request = self
            .client
            .post_to_connection()
            .connection_id(connection_id)
            .data(Blob::new(frame));
        // Boxed, because the type of the SDK's call within a handler is too deep for the compiler.
        match Box::pin(request.send()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(match error.as_service_error() {
                Some(error) if error.is_gone_exception() => PostError::Gone,
                Some(error) => PostError::Refused(error.meta().code().unwrap_or("unknown").to_owned()),
                None => PostError::Refused("no answer".to_owned()),
            }),
        }
    }
}

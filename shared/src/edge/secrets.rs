//! Secrets Manager with a cache: a secret is read once an environment and again when its time to live is over, so that a rotated one is
//! picked up without a deployment.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::config::{self, ConfigError};

/// After a refresh that found nothing new, how soon the next one may be asked for.
const REFRESH_INTERVAL: Duration = Duration::from_secs(10);

/// A secret could not be read. Says which, never what.
#[derive(Debug, thiserror::Error)]
#[error("the secret {name} cannot be read: {reason}")]
pub struct SecretError {
    /// Its name or ARN.
    pub name: String,
    /// AWS's error code, or what is wrong with its form.
    pub reason: String,
}

/// The secrets of this environment.
#[derive(Clone)]
pub struct Secrets {
    client: aws_sdk_secretsmanager::Client,
    ttl: Duration,
    cache: Arc<Mutex<HashMap<String, CachedSecret>>>,
}

/// When it was read, and what it says.
type CachedSecret = (Instant, Arc<str>);

impl Secrets {
    /// Reads `SECRETS_TTL_SECONDS` (default 300).
    ///
    /// # Errors
    /// When that is no number.
    pub fn from_env(aws: &aws_config::SdkConfig) -> Result<Self, ConfigError> {
        let ttl = Duration::from_secs(config::parsed("SECRETS_TTL_SECONDS", 300)?);
        Ok(Self::new(aws, ttl))
    }

    /// Secrets that are read again when they are older than `ttl`.
    #[must_use]
    pub fn new(aws: &aws_config::SdkConfig, ttl: Duration) -> Self {
        Self {
            client: aws_sdk_secretsmanager::Client::new(aws),
            ttl,
            cache: Arc::default(),
        }
    }

    /// The secret's text. One that was read before and cannot be refreshed goes on serving.
    ///
    /// # Errors
    /// When it was never read and cannot be.
    pub async fn get(&self, name: &str) -> Result<Arc<str>, SecretError> {
        self.get_younger_than(name, self.ttl).await
    }

    /// The secret's text, read again now unless that was done within seconds: for when the cached value was found wanting.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn refresh(&self, name: &str) -> Result<Arc<str>, SecretError> {
        self.get_younger_than(name, REFRESH_INTERVAL.min(self.ttl)).await
    }

    async fn get_younger_than(&self, name: &str, age: Duration) -> Result<Arc<str>, SecretError> {
        // Held during the call, so that an environment asks once for what several requests want.
        let mut cache = self.cache.lock().await;
        if let Some((read_at, text)) = cache.get(name)
            && read_at.elapsed() < age
        {
            return Ok(Arc::clone(text));
        }
        match self.fetch(name).await {
            Ok(text) => {
                cache.insert(name.to_owned(), (Instant::now(), Arc::clone(&text)));
                Ok(text)
            }
            Err(error) => match cache.get(name) {
                Some((_, text)) => {
                    tracing::warn!(%error, "going on with the value read before");
                    Ok(Arc::clone(text))
                }
                None => Err(error),
            },
        }
    }

    async fn fetch(&self, name: &str) -> Result<Arc<str>, SecretError> {
        let failed = |reason: &str| SecretError {
            name: name.to_owned(),
            reason: reason.to_owned(),
        };
        let answer = self
            .client
            .get_secret_value()
            .secret_id(name)
            .send()
            .await
            .map_err(|error| {
                let code = error
                    .as_service_error()
                    .and_then(|error| error.meta().code())
                    .unwrap_or("no answer");
                failed(code)
            })?;
        answer
            .secret_string()
            .map(Arc::from)
            .ok_or_else(|| failed("it holds bytes, not text"))
    }
}

//! What every function does once, before its first event: logging, AWS, secrets, database, keys.

use std::time::Duration;

use lambda_runtime::Error;

use crate::config;
use crate::db::Database;
use crate::db::settings::Settings as DatabaseSettings;
use crate::edge::graph::Graph;
use crate::edge::push::{PushClient, PushKeys, extra_origin};
use crate::edge::queue::Queue;
use crate::edge::secrets::Secrets;
use crate::edge::sockets::Sockets;
use crate::edge::storage::Storage;
use crate::http::App;
use crate::http::auth::Authenticator;
use crate::metrics;
use crate::outbound::{Outbound, Settings};
use crate::push::Push;
use crate::realtime::Realtime;
use crate::telemetry;
use crate::tokens::Tokens;

/// Logging and AWS.
pub struct Start {
    /// The SDK's settings.
    pub aws: aws_config::SdkConfig,
    /// The secrets of this environment.
    pub secrets: Secrets,
}

impl Start {
    /// Starts logging and measuring as `function`, and reads the environment.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub async fn from_env(function: &'static str) -> Result<Self, Error> {
        telemetry::init();
        metrics::init(function);
        let aws = aws_config::load_from_env().await;
        let secrets = logged(Secrets::from_env(&aws))?;
        Ok(Self { aws, secrets })
    }

    /// The database of this environment, connected.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub async fn database(&self) -> Result<Database, Error> {
        let settings = logged(DatabaseSettings::from_env(&self.secrets))?;
        let size = logged(config::parsed("DATABASE_POOL_SIZE", 1))?;
        let database = Database::new(settings, std::cmp::max(size, 1));
        database.warm_up().await;
        Ok(database)
    }
}

impl Start {
    /// What sends, with claims that are held for `lease`.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn outbound(&self, database: Database, lease: Duration) -> Result<Outbound, Error> {
        let queue = logged(config::required("OUTBOX_QUEUE_URL"))?;
        let key_ring = logged(config::required("TOKEN_KEYS_SECRET_ARN"))?;
        Ok(Outbound {
            database,
            tokens: Tokens::new(self.secrets.clone(), key_ring),
            graph: logged(Graph::from_env())?,
            storage: Storage::new(&self.aws, logged(config::required("MEDIA_BUCKET"))?),
            queue: Queue::new(aws_sdk_sqs::Client::new(&self.aws), queue),
            settings: logged(Settings::from_env())?,
            lease,
        })
    }

    /// Who we are to push services.
    ///
    /// # Errors
    /// Names the variable that is missing.
    pub fn push_keys(&self) -> Result<PushKeys, Error> {
        let arn = logged(config::required("PUSH_KEYS_SECRET_ARN"))?;
        Ok(PushKeys::new(self.secrets.clone(), arn))
    }

    /// What sends notifications, with claims that are held for `lease`.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn push(&self, database: Database, lease: Duration) -> Result<Push, Error> {
        Ok(Push {
            database,
            keys: self.push_keys()?,
            client: logged(extra_origin().and_then(PushClient::new))?,
            lease,
        })
    }
}

impl Start {
    /// What tells open pages, within `patience`.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub fn realtime(&self, database: Database, patience: Duration) -> Result<Realtime, Error> {
        let url = logged(config::required("WEBSOCKET_CALLBACK_URL"))?;
        Ok(Realtime {
            database,
            sockets: Sockets::new(&self.aws, &url),
            patience,
        })
    }
}

/// What the functions behind the agents' API have in common.
pub struct HttpStart {
    /// Logging and AWS.
    pub start: Start,
    /// The database, and who asks.
    pub app: App,
}

impl HttpStart {
    /// Starts and connects.
    ///
    /// # Errors
    /// Names the variable that is wrong.
    pub async fn from_env(function: &'static str) -> Result<Self, Error> {
        let start = Start::from_env(function).await?;
        let authenticator = logged(Authenticator::from_env(&start.secrets))?;
        let database = start.database().await?;
        let app = App {
            database,
            authenticator,
        };
        Ok(Self { start, app })
    }
}

/// A function that cannot start says why in its log, which is all that an operator sees of it.
///
/// # Errors
/// The one it was given.
pub fn logged<T, E: std::error::Error + Send + Sync + 'static>(result: Result<T, E>) -> Result<T, Error> {
    result.map_err(|error| {
        tracing::error!(%error, "cannot start");
        Error::from(error)
    })
}

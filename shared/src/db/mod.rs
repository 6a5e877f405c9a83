//! PostgreSQL: a module per table, rows ↔ domain; nothing of HTTP. Statements go through `query_typed` (unnamed, one round trip), so that
//! poolers in transaction mode work; no session state.

pub mod accounts;
pub mod backfills;
pub mod changes;
pub mod connections;
pub mod conversations;
pub mod customers;
pub mod events;
pub mod facts;
pub mod gauges;
pub mod health;
pub mod ingest;
pub mod media;
pub mod messages;
pub mod migrations;
pub mod outbound;
pub mod personal_data;
pub mod push;
pub mod quarantine;
pub mod quick_replies;
pub mod retention;
mod scan;
pub mod search;
pub mod settings;
pub mod signals;
pub mod templates;
pub mod uploads;

use std::time::{Duration, SystemTime};

use deadpool::managed::{self, Metrics, Pool, PoolError, RecycleError, RecycleResult};
use futures_util::future::BoxFuture;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use settings::{ConnectError, Settings};

/// How long a request waits for the database, all in all: an answer that says so must come within 5 s.
const DEADLINE: Duration = Duration::from_secs(4);
/// How long a new connection may take.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
/// A connection that rested longer may have died while the environment was frozen; it is asked before it is used.
const TRUSTED_REST: Duration = Duration::from_secs(10);
const PING_DEADLINE: Duration = Duration::from_secs(1);

/// What went wrong with a statement. Holds no value of any row: PostgreSQL's details quote them.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Not reachable, shutting down, or out of connections.
    #[error("the database is unavailable: {0}")]
    Unavailable(String),
    /// It gave this statement up: a deadlock, a lock or an answer that took too long. A second try may succeed.
    #[error("the database gave a statement up: SQLSTATE {0}")]
    GivenUp(String),
    /// It refused this statement with this data, and would again.
    #[error("the database refused a statement: SQLSTATE {code}{}", .constraint.as_ref().map(|name| format!(", constraint {name}")).unwrap_or_default())]
    Refused {
        /// The SQLSTATE.
        code: String,
        /// The constraint it violates.
        constraint: Option<String>,
    },
    /// A row has another form than the schema says.
    #[error("a row cannot be read: {0}")]
    Row(String),
}

impl DbError {
    /// Whether the same statement may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::GivenUp(_))
    }

    /// Whether the database is away, for whatever statement.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl From<tokio_postgres::Error> for DbError {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refusal) if has_class(refusal.code(), &GIVEN_UP) => Self::GivenUp(refusal.code().code().to_owned()),
            Some(refusal) if has_class(refusal.code(), &OUTAGE) => {
                Self::Unavailable(format!("SQLSTATE {}", refusal.code().code()))
            }
            Some(refusal) => Self::Refused {
                code: refusal.code().code().to_owned(),
                constraint: refusal.constraint().map(str::to_owned),
            },
            // Conversions say column and type; everything else is the connection.
            None if error.to_string().starts_with("error deserializing")
                || error.to_string().starts_with("error serializing") =>
            {
                Self::Row(error.to_string())
            }
            None => Self::Unavailable(error.to_string()),
        }
    }
}

/// Classes 40 (serialization, deadlock), 55P03 (lock), 57014 (statement timeout).
/// Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
const GIVEN_UP: [&str; 3] = ["40", "55P03", "57014"];
/// Classes 08 (connection), 53 (resources), 57P (shutdown), 58 (its system), and what poolers say while their server is away.
const OUTAGE: [&str; 6] = ["08", "53", "57P", "58", "25006", "XX000"];

fn has_class(code: &SqlState, classes: &[&str]) -> bool {
    classes.iter().any(|class| code.code().starts_with(class))
}

/// The start of a text's hash: what advisory locks are keyed by.
fn hash(text: &str) -> [u8; 8] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let mut hash = [0; 8];
    hash.copy_from_slice(&digest.as_ref()[..8]);
    hash
}

/// The connections of this environment.
#[derive(Clone)]
pub struct Database {
    pool: Pool<Manager>,
}

impl Database {
    /// A pool of `size` connections, made when they are needed.
    #[must_use]
    pub fn new(settings: Settings, size: usize) -> Self {
        let pool = Pool::builder(Manager { settings })
            .max_size(size)
            .wait_timeout(Some(DEADLINE))
            .create_timeout(Some(CONNECT_DEADLINE))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .expect("a runtime is set");
        Self { pool }
    }

    /// Connects ahead of the first request; a database that is away then is no reason not to start.
    pub async fn warm_up(&self) {
        if let Err(error) = self.run(async |_| Ok(())).await {
            tracing::warn!(%error, "no connection at start");
        }
    }

    /// Runs `work` on a connection, within a request's time.
    ///
    /// # Errors
    /// Those of `work`, and that no connection is to be had.
    pub async fn run<T>(&self, work: impl AsyncFnOnce(&mut Client) -> Result<T, DbError>) -> Result<T, DbError> {
        self.run_within(DEADLINE, work).await
    }

    /// Runs `work` on a connection, within `deadline`.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_within<T>(
        &self,
        deadline: Duration,
        work: impl AsyncFnOnce(&mut Client) -> Result<T, DbError>,
    ) -> Result<T, DbError> {
        let mut connection = None;
        let attempt = async {
            let connection = connection.insert(self.get().await.map_err(|error| match error {
                PoolError::Backend(error) => DbError::Unavailable(error.to_string()),
                other => DbError::Unavailable(other.to_string()),
            })?);
            work(&mut connection.client).await
        };
        let result = tokio::time::timeout(deadline, attempt)
            .await
            .unwrap_or_else(|_| Err(DbError::Unavailable("no answer in time".to_owned())));
        if let (Err(error), Some(connection)) = (&result, connection)
            && error.is_transient()
        {
            // Whatever it still waits for, the next request shall not.
            drop(managed::Object::take(connection));
        }
        result
    }

    /// Boxed, because the type of a pool within a handler is too deep for the compiler.
    fn get(&self) -> BoxFuture<'_, Result<managed::Object<Manager>, PoolError<ConnectError>>> {
        Box::pin(self.pool.get())
    }
}

/// Makes connections and looks at them before they are used again.
struct Manager {
    settings: Settings,
}

struct Connection {
    client: Client,
    used_at: SystemTime,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, Self::Error> {
        Ok(Connection {
            client: self.settings.connect().await?,
            used_at: SystemTime::now(),
        })
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Self::Error> {
        if connection.client.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        // The wall clock, because it goes on while the environment is frozen.
        let rested = connection.used_at.elapsed().unwrap_or(Duration::MAX);
        if rested > TRUSTED_REST {
            let ping = connection.client.simple_query("select 1");
            match tokio::time::timeout(PING_DEADLINE, ping).await {
                Ok(Ok(_)) => {}
                _ => return Err(RecycleError::message("stale")),
            }
        }
        connection.used_at = SystemTime::now();
        Ok(())
    }
}

//! `cargo xtask tokens`: the access tokens of the accounts, and the keys that they are encrypted with.

pub(crate) mod check;
mod encrypt;
mod ring;
mod rotate;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use shared::config;
use shared::db::accounts;
use shared::db::settings::Settings;
use shared::edge::graph::Graph;
use tokio_postgres::Client;

use self::ring::RingSecret;
use self::rotate::{SPREAD, Waits};
use crate::stack::{GRAPH_VERSION, StackFile};

/// Accounts that are looked at in one go.
const BATCH: i64 = 500;

/// The accounts' access tokens. `DATABASE_URL` and `TOKEN_KEYS_SECRET_ARN` name the installation; without `DATABASE_URL` it is the local stack
#[derive(Args)]
pub(crate) struct Tokens {
    #[command(subcommand)]
    action: Action,
    /// The local stack's folder [default: .local]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Encrypts the tokens that are stored as plain text
    Encrypt,
    /// Encrypts all tokens with a new key and retires the old ones, while messages are sent; goes on with a rotation that was interrupted
    Rotate {
        /// How long nobody may have written a token with an old key before it is retired
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        grace_seconds: u64,
    },
    /// Asks Graph for each account whether its token works, and lets the messages of those go on that were held for it
    Check,
}

/// Runs the command.
///
/// # Errors
/// Names the setting that is missing or wrong; for `check`, when a token does not work.
pub(crate) async fn run(root: &Path, command: &Tokens) -> Result<()> {
    let folder = command.state_dir.clone().unwrap_or_else(|| root.join(".local"));
    let installation = Installation::find(&folder).await?;
    match command.action {
        Action::Encrypt => encrypt::run(&installation).await,
        Action::Rotate { grace_seconds } => {
            let waits = Waits {
                spread: SPREAD,
                grace: Duration::from_secs(grace_seconds),
            };
            rotate::run(&installation, &waits).await
        }
        Action::Check => check::run(&installation).await,
    }
}

/// Whose tokens they are.
struct Installation {
    database: Client,
    aws: aws_config::SdkConfig,
    ring: RingSecret,
    graph: Graph,
}

impl Installation {
    /// The one of the environment, or else the local stack.
    async fn find(stack_folder: &Path) -> Result<Self> {
        let (url, aws, ring_arn, graph) = if let Some(url) = config::optional("DATABASE_URL") {
            let arn = config::required("TOKEN_KEYS_SECRET_ARN")?;
            (url, aws_config::load_from_env().await, arn, Graph::from_env()?)
        } else {
            let stack = StackFile::read(stack_folder)
                .context("DATABASE_URL is not set, and there is no local stack to take it from")?;
            let graph = Graph::new(&stack.graph_url, GRAPH_VERSION)?;
            let aws = stack.aws().await;
            (stack.database_url, aws, stack.token_keys_secret_arn, graph)
        };
        let database = Settings::from_url(&url)?
            .connect()
            .await
            .context("no connection to the database")?;
        Ok(Self {
            database,
            ring: RingSecret::new(&aws, ring_arn),
            aws,
            graph,
        })
    }

    /// The accounts after the one that `after` names, with their stored tokens; `after` names the last of them then. Empty at the end.
    async fn next_accounts(&self, after: &mut String) -> Result<Vec<(String, Option<String>)>> {
        let accounts = accounts::list_tokens(&self.database, after, BATCH).await?;
        if let Some((waba_id, _)) = accounts.last() {
            after.clone_from(waba_id);
        }
        Ok(accounts)
    }
}

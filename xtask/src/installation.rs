//! Which installation a command works on: the one that the environment names, as it does for functions, or else the local stack.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use shared::config;
use shared::db::settings::Settings;
use shared::edge::graph::Graph;
use shared::edge::secrets::Secrets;
use shared::edge::storage::Storage;

use crate::stack::{GRAPH_VERSION, StackFile};

/// A secret is read once in a run.
const SECRETS_TTL: Duration = Duration::from_hours(1);

/// Where the parts of an installation are.
pub(crate) struct Installation {
    stack: Option<StackFile>,
    pub(crate) aws: aws_config::SdkConfig,
}

impl Installation {
    /// The one of `DATABASE_URL` or `DATABASE_SECRET_ARN`; without them the stack of this folder.
    ///
    /// # Errors
    /// When there is neither.
    pub(crate) async fn find(root: &Path, state_dir: Option<&PathBuf>) -> Result<Self> {
        if ["DATABASE_URL", "DATABASE_SECRET_ARN"]
            .iter()
            .any(|name| config::optional(name).is_some())
        {
            let aws = aws_config::load_from_env().await;
            return Ok(Self { stack: None, aws });
        }
        let folder = state_dir.cloned().unwrap_or_else(|| root.join(".local"));
        let stack = StackFile::read(&folder)
            .context("neither DATABASE_URL nor DATABASE_SECRET_ARN is set, and there is no local stack")?;
        Ok(Self::of(stack).await)
    }

    /// This stack.
    pub(crate) async fn of(stack: StackFile) -> Self {
        let aws = stack.aws().await;
        Self {
            stack: Some(stack),
            aws,
        }
    }

    /// A setting by the name that it has in the functions' environment.
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        let Some(stack) = &self.stack else {
            return config::optional(name);
        };
        Some(match name {
            "EVENTS_QUEUE_URL" => stack.events_queue_url.clone(),
            "MEDIA_QUEUE_URL" => stack.media_queue_url.clone(),
            "OUTBOX_QUEUE_URL" => stack.outbox_queue_url.clone(),
            "MEDIA_BUCKET" => stack.media_bucket.clone(),
            "TOKEN_KEYS_SECRET_ARN" => stack.token_keys_secret_arn.clone(),
            "PUSH_KEYS_SECRET_ARN" => stack.push_keys_secret_arn.clone(),
            "WEBHOOK_SECRET_ARN" => stack.webhook_secret_arn.clone(),
            _ => return None,
        })
    }

    pub(crate) fn secrets(&self) -> Secrets {
        Secrets::new(&self.aws, SECRETS_TTL)
    }

    /// How to connect to the database.
    ///
    /// # Errors
    /// When a setting is malformed.
    pub(crate) fn database(&self) -> Result<Settings> {
        Ok(match &self.stack {
            Some(stack) => Settings::from_url(&stack.database_url)?,
            None => Settings::from_env(&self.secrets())?,
        })
    }

    /// A connection to the database.
    ///
    /// # Errors
    /// When there is none to be had.
    pub(crate) async fn connect(&self) -> Result<tokio_postgres::Client> {
        self.database()?
            .connect()
            .await
            .context("no connection to the database")
    }

    pub(crate) fn storage(&self) -> Option<Storage> {
        Some(Storage::new(&self.aws, self.setting("MEDIA_BUCKET")?))
    }

    /// Meta, or what stands in for it.
    ///
    /// # Errors
    /// When a setting is malformed.
    pub(crate) fn graph(&self) -> Result<Graph> {
        Ok(match &self.stack {
            Some(stack) => Graph::new(&stack.graph_url, GRAPH_VERSION)?,
            None => Graph::from_env()?,
        })
    }
}

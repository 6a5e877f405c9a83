//! `cargo xtask tokens`: the access tokens of the accounts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Subcommand;
use shared::config;
use shared::db::accounts;
use shared::db::settings::Settings;
use shared::edge::secrets::Secrets;
use shared::tokens::{KeyRing, is_encrypted, is_secret_name};

use crate::stack::StackFile;

/// The accounts' access tokens. `DATABASE_URL` and `TOKEN_KEYS_SECRET_ARN` name the installation; without `DATABASE_URL` it is the local stack
#[derive(Subcommand)]
pub(crate) enum Tokens {
    /// Encrypts the tokens that are stored as plain text
    Encrypt {
        /// The local stack's folder [default: .local]
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// Names the setting that is missing or wrong.
pub(crate) async fn run(root: &Path, command: &Tokens) -> Result<()> {
    let Tokens::Encrypt { state_dir } = command;
    let folder = state_dir.clone().unwrap_or_else(|| root.join(".local"));
    let (url, ring) = installation(&folder).await?;
    let client = Settings::from_url(&url)?
        .connect()
        .await
        .context("no connection to the database")?;
    let (mut encrypted, mut before, mut names) = (0, 0, 0);
    for (waba_id, stored) in accounts::list_tokens(&client).await? {
        if is_encrypted(&stored) {
            before += 1;
        } else if is_secret_name(&stored) {
            names += 1;
        } else {
            let new = ring.encrypt(&waba_id, stored.trim())?;
            // Whoever replaced it in between wrote a newer one, which the next run takes.
            encrypted += u32::from(accounts::replace_token(&client, &waba_id, &stored, &new).await?);
        }
    }
    println!("{encrypted} encrypted now, {before} encrypted before, {names} kept as names of secrets");
    Ok(())
}

/// The database and the key ring.
async fn installation(stack_folder: &Path) -> Result<(String, KeyRing)> {
    let Some(url) = config::optional("DATABASE_URL") else {
        let stack = StackFile::read(stack_folder)
            .context("DATABASE_URL is not set, and there is no local stack to take it from")?;
        return Ok((stack.database_url, KeyRing::parse(&stack.token_keys.to_string())?));
    };
    let arn = config::required("TOKEN_KEYS_SECRET_ARN")?;
    let aws = aws_config::load_from_env().await;
    let text = Secrets::new(&aws, Duration::ZERO).get(&arn).await?;
    Ok((url, KeyRing::parse(&text)?))
}

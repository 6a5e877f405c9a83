//! `cargo xtask changes`: the log by which pages catch up.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use shared::db::changes;

use crate::installation::Installation;

/// The log by which pages catch up. `DATABASE_URL` names the installation; without it, it is the local stack
#[derive(Args)]
pub(crate) struct Changes {
    #[command(subcommand)]
    action: Action,
    /// The local stack's folder [default: .local]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Empties it, so that every page loads anew: after the database was restored to an earlier time
    Reset,
}

/// Runs the command.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn run(root: &Path, command: &Changes) -> Result<()> {
    let installation = Installation::find(root, command.state_dir.as_ref()).await?;
    let Action::Reset = command.action;
    changes::reset(&mut installation.connect().await?).await?;
    println!("Every page loads anew when it asks next");
    Ok(())
}

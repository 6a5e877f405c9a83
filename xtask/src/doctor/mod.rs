//! stub
use anyhow::Result;
use std::path::{Path, PathBuf};
#[derive(clap::Args)]
pub(crate) struct Doctor {
    #[arg(long)]
    state_dir: Option<PathBuf>,
}
pub(crate) async fn run(_root: &Path, _command: &Doctor) -> Result<()> {
    Ok(())
}

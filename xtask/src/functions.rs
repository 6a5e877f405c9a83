//! Builds the functions' binaries for the local stack, in the dev profile.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Builds the packages and gives the binary of each, by name. Cargo shows its own progress and errors.
///
/// # Errors
/// When the build fails.
pub(crate) async fn build(root: &Path, packages: &[&str]) -> Result<HashMap<String, PathBuf>> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(root)
        .args(["build", "--bins", "--message-format", "json-render-diagnostics"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    let mut cargo = cargo
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("cargo cannot be started")?;
    let mut messages = BufReader::new(cargo.stdout.take().context("cargo has no output")?).lines();
    let mut binaries = HashMap::new();
    while let Some(line) = messages.next_line().await? {
        let message: Value = serde_json::from_str(&line).unwrap_or_default();
        if let (Some(executable), Some(name)) = (message["executable"].as_str(), message["target"]["name"].as_str()) {
            binaries.insert(name.to_owned(), PathBuf::from(executable));
        }
    }
    if !cargo.wait().await?.success() {
        bail!("the functions do not build (see above)");
    }
    match packages.iter().find(|package| !binaries.contains_key(**package)) {
        Some(package) => bail!("the package {package} has no binary of that name"),
        None => Ok(binaries),
    }
}

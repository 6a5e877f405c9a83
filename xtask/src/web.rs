//! `web/`, the client in TypeScript and its page: Node.js and a browser are looked for, its packages installed, and its own scripts run.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::cache;
use crate::process::{self, run as run_program};

const OLDEST_NODE: (u32, u32) = (20, 19);
/// Where the tests look for a browser, beside the environment's `CHROMIUM`.
const BROWSERS: [&str; 5] = [
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/// Checks, tests and builds it.
///
/// # Errors
/// When something is missing, in one line that says what, or a check fails.
pub(crate) async fn check(root: &Path) -> Result<()> {
    require_browser().await?;
    prepare(root).await?;
    for script in ["check", "test", "build", "package-check"] {
        run_script(root, script, &[], &[]).await?;
    }
    Ok(())
}

/// Builds it, for tests that run it.
///
/// # Errors
/// When Node.js is missing, or the build fails.
pub(crate) async fn build(root: &Path) -> Result<()> {
    prepare(root).await?;
    run_script(root, "build", &[], &[]).await
}

/// Makes sure that Node.js and the packages are there.
///
/// # Errors
/// When something is missing and cannot be installed, in one line that says what.
pub(crate) async fn prepare(root: &Path) -> Result<()> {
    require_node().await?;
    install(&root.join("web")).await
}

/// Makes sure that there is a browser for the tests.
///
/// # Errors
/// When there is none and it cannot be installed, in one line that says what to install.
pub(crate) async fn require_browser() -> Result<()> {
    let named = std::env::var_os("CHROMIUM").is_some_and(|file| Path::new(&file).is_file());
    if !named && !BROWSERS.iter().any(|file| Path::new(file).is_file()) {
        process::install_debian_package("chromium").await?;
    }
    Ok(())
}

/// Runs a script of its `package.json`.
///
/// # Errors
/// When the script fails.
pub(crate) async fn run_script(
    root: &Path,
    script: &str,
    arguments: &[String],
    environment: &[(&str, &OsStr)],
) -> Result<()> {
    let mut npm = npm(&root.join("web"));
    npm.args(["run", script, "--"])
        .args(arguments)
        .envs(environment.iter().copied());
    run_program(&mut npm, &format!("npm run {script}")).await
}

async fn require_node() -> Result<()> {
    let asked = process::capture(Command::new("node").arg("--version"), "node").await;
    let said = asked.context("Node.js is missing: install version 20.19 or newer")?;
    if version(&said).is_none_or(|found| found < OLDEST_NODE) {
        bail!(
            "Node.js is {}, which is too old: install version 20.19 or newer",
            said.trim()
        );
    }
    Ok(())
}

/// (20, 19) of `v20.19.2`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// `npm ci`, unless the packages of this very lock file are there.
async fn install(folder: &Path) -> Result<()> {
    let lock = std::fs::read_to_string(folder.join("package-lock.json")).context("web/package-lock.json is missing")?;
    let stamp = folder.join("node_modules/.installed");
    let key = cache::short_hash(&lock);
    if std::fs::read_to_string(&stamp).ok().as_deref() == Some(key.as_str()) {
        return Ok(());
    }
    run_program(npm(folder).args(["ci", "--no-audit", "--no-fund"]), "npm ci").await?;
    std::fs::write(&stamp, key).context("web/node_modules cannot be written")
}

fn npm(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder);
    npm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_node_are_read() {
        assert_eq!(version("v20.19.2\n"), Some((20, 19)));
        assert_eq!(version("v24.0.0"), Some((24, 0)));
        assert_eq!(version("what?"), None);
    }
}

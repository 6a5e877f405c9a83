//! Runs other programs: their failure is one line that names the program and what it said.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// Runs `command` with our own output streams; `what` names it in the error.
///
/// # Errors
/// When it cannot be started or ends with a failure.
pub(crate) async fn run(command: &mut Command, what: &str) -> Result<()> {
    let status = command
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("{what} cannot be started"))?;
    if !status.success() {
        bail!("{what} failed ({status})");
    }
    Ok(())
}

/// Runs `command` quietly and gives its standard output; what it printed stands in the error.
///
/// # Errors
/// When it cannot be started or ends with a failure.
pub(crate) async fn capture(command: &mut Command, what: &str) -> Result<String> {
    let output = command
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("{what} cannot be started"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{what} failed: {}", last_line(&String::from_utf8_lossy(&said)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The last line that is not empty.
pub(crate) fn last_line(text: &str) -> &str {
    text.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it said nothing")
        .trim()
}

/// `PATH`, and behind it the folder of the servers, which a plain user's `PATH` may lack.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .collect()
}

/// Looks a program up.
pub(crate) fn find_in_path(name: &str) -> Option<PathBuf> {
    search_path()
        .into_iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Takes an exclusive lock on `file` without stopping the runtime; says once that it waits.
pub(crate) async fn lock(file: &File, waiting_for: &str) -> Result<()> {
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
            Err(std::fs::TryLockError::WouldBlock) => {
                if !told {
                    println!("Waiting for another process: {waiting_for}");
                    told = true;
                }
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        }
    }
}

/// Whether this process runs as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Makes sure that a program is there: as root by installing its Debian package, else by asking for it.
///
/// # Errors
/// When it is missing and cannot be installed; the message says what to install.
pub(crate) async fn require(program: &str, debian_package: &str) -> Result<PathBuf> {
    if let Some(found) = find_in_path(program) {
        return Ok(found);
    }
    install_debian_package(debian_package).await?;
    find_in_path(program).with_context(|| format!("{program} is missing: install {debian_package}"))
}

/// Installs a Debian package where we are root on such a system.
///
/// # Errors
/// When it cannot be installed; the message says what to install.
pub(crate) async fn install_debian_package(package: &str) -> Result<()> {
    if !is_root() || find_in_path("apt-get").is_none() {
        bail!("{package} is missing: install it (Debian: apt-get install {package})");
    }
    println!("Installing {package} by apt-get");
    let mut install = Command::new("sh");
    install.args([
        "-c",
        "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \"$0\"",
        package,
    ]);
    capture(&mut install, &format!("apt-get install {package}"))
        .await
        .map(drop)
}

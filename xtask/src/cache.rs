//! What is fetched once for each user and shared by all checkouts: Python packages, PostgreSQL binaries.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aws_lc_rs::digest::{SHA256, digest};

use crate::process;

/// The user's cache folder for this project.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` is set.
pub(crate) fn user_folder() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => {
            PathBuf::from(std::env::var_os("HOME").context("HOME is not set: no place for a cache")?).join(".cache")
        }
    };
    Ok(base.join("waba-live-chat"))
}

/// A folder filled by `fill`, unless that was done before for the same `name` and `key`.
///
/// It is found by the link `<cache>/<name>-<hash of key>`, which is made once `fill` has ended well, so one that was left
/// half-made is never used. Two processes at once wait for each other.
///
/// # Errors
/// When `fill` fails, or the cache cannot be written.
pub(crate) async fn provide(
    cache: &Path,
    name: &str,
    key: &str,
    fill: impl AsyncFnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let name = format!("{name}-{}", short_hash(key));
    let link = cache.join(&name);
    if let Ok(folder) = link.canonicalize() {
        return Ok(folder);
    }
    fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
    let lock = File::create(cache.join(format!("{name}.lock")))?;
    process::lock(&lock, &format!("it fills {}", link.display())).await?;
    if !link.exists() {
        // Every attempt has a folder of its own: an installer whose parent was killed may still write into the last one.
        let folder = cache.join(format!("{name}.{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&folder)?;
        if let Err(error) = fill(&folder).await {
            let _ = fs::remove_dir_all(&folder);
            return Err(error);
        }
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&folder, &link)?;
    }
    Ok(link.canonicalize()?)
}

/// Sixteen hex digits that change with `text`.
pub(crate) fn short_hash(text: &str) -> String {
    hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..8])
}

//! A PostgreSQL server on loopback: the local stack's and the database tests'.
//!
//! Its settings stand in its data folder, so `pg_ctl -D <folder> start` from anywhere brings back the same server.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{cache, postgres_binaries, process};

const SUPERUSER: &str = "postgres";
/// Local connections only; it keeps other users of the machine from walking in by accident, no more.
const PASSWORD: &str = "postgres";

/// A server and how to run it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Server {
    binaries: PathBuf,
    data: PathBuf,
    port: u16,
    /// User and group id that it runs as where we are root, which PostgreSQL refuses to be.
    owner: Option<(u32, u32)>,
}

impl Server {
    /// Prepares a server whose data lives in `data`; the folder is made where there is none.
    ///
    /// Data that only `temporary`ly live are never synced to the disk.
    ///
    /// # Errors
    /// When there are no binaries and none can be fetched, or the data folder cannot be made or used.
    pub(crate) async fn prepare(data: &Path, port: u16, temporary: bool) -> Result<Self> {
        let owner = if process::is_root() {
            Some(unprivileged_user()?)
        } else {
            None
        };
        let data = reachable_data_folder(data, owner)?;
        let made_by = fs::read_to_string(data.join("PG_VERSION"))
            .ok()
            .map(|major| major.trim().to_owned());
        let binaries = postgres_binaries::find(made_by.as_deref()).await?;
        let server = Self {
            binaries,
            data,
            port,
            owner,
        };
        if made_by.is_none() {
            server.initialise()?;
        }
        fs::write(server.data.join("waba.conf"), settings(port, temporary))?;
        Ok(server)
    }

    /// The server of the stack of this folder.
    ///
    /// # Errors
    /// When none has run there.
    pub(crate) fn of_stack(state_folder: &Path) -> Result<Self> {
        let path = state_folder.join("postgres.json");
        let text =
            fs::read_to_string(&path).with_context(|| format!("no stack has run in {}", state_folder.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    fn initialise(&self) -> Result<()> {
        fs::create_dir_all(&self.data).with_context(|| format!("cannot create {}", self.data.display()))?;
        if let Some((user, group)) = self.owner {
            chown(&self.data, Some(user), Some(group))?;
        }
        // Not inside the data folder, which initdb wants empty.
        let password = std::env::temp_dir().join(format!("waba-live-chat-{}.password", uuid::Uuid::new_v4()));
        fs::write(&password, PASSWORD)?;
        let output = self
            .command("initdb")
            .args([
                "--username",
                SUPERUSER,
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--no-locale",
                "--no-sync",
                "--pwfile",
            ])
            .arg(&password)
            .arg("--pgdata")
            .arg(&self.data)
            .output();
        let _ = fs::remove_file(&password);
        succeed(output, "initdb")?;
        let main = self.data.join("postgresql.conf");
        let text = fs::read_to_string(&main)?;
        fs::write(&main, text + "include = 'waba.conf'\n").context("cannot write postgresql.conf")
    }

    /// Starts the server and waits until it answers. One that an earlier run left behind is stopped first.
    ///
    /// # Errors
    /// When it does not come up; the message carries the server's own last line.
    pub(crate) fn start(&self) -> Result<()> {
        if self.is_running() {
            self.stop();
        }
        let log = self.data.join("server.log");
        let _ = fs::remove_file(&log);
        let output = self.pg_ctl(&["start", "-w", "-s", "-t", "60", "-l"]).arg(&log).output();
        succeed(output, "pg_ctl start").with_context(|| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            let reason = log
                .lines()
                .find(|line| line.contains("FATAL"))
                .unwrap_or_else(|| process::last_line(&log));
            format!("PostgreSQL does not start on port {}: {reason}", self.port)
        })
    }

    /// Stops the server, whoever started it; one that is down stays so.
    pub(crate) fn stop(&self) {
        if !self.data.join("postmaster.pid").exists() {
            return;
        }
        for mode in ["fast", "immediate"] {
            let stopped = self.pg_ctl(&["stop", "-w", "-s", "-t", "20", "-m", mode]).output();
            if stopped.is_ok_and(|output| output.status.success()) {
                return;
            }
        }
    }

    /// Whether the server runs.
    pub(crate) fn is_running(&self) -> bool {
        self.pg_ctl(&["status"])
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// The superuser's URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "postgres://{SUPERUSER}:{PASSWORD}@127.0.0.1:{}/{database}?sslmode=disable",
            self.port
        )
    }

    fn pg_ctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(&self.data).args(arguments);
        command
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        // Nothing of ours decides how the server behaves, least of all a PGPORT or PGOPTIONS of the shell.
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        // The folder we are in may be closed to the server's user.
        command.current_dir("/").stdin(Stdio::null());
        // A group of its own: the terminal's Ctrl-C is for us, and the janitor stops the server.
        command.process_group(0);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

fn settings(port: u16, temporary: bool) -> String {
    // What a temporary server commits outlives its process, which tests kill, and not the machine.
    let durability = if temporary {
        "fsync = off\nfull_page_writes = off\n"
    } else {
        ""
    };
    format!(
        "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 300\n{durability}"
    )
}

fn succeed(output: std::io::Result<Output>, what: &str) -> Result<()> {
    let output = output.with_context(|| format!("{what} cannot be started"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{what} failed: {}", process::last_line(&String::from_utf8_lossy(&said)));
    }
    Ok(())
}

/// Ids of the user `postgres`, or else of `nobody`.
fn unprivileged_user() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|wanted| {
            users
                .lines()
                .map(|line| line.split(':').collect::<Vec<_>>())
                .find_map(|fields| match fields[..] {
                    [name, _, user, group, ..] if name == *wanted => Some((user.parse().ok()?, group.parse().ok()?)),
                    _ => None,
                })
        })
        .context("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

/// `wanted`, or, where root's own folders are closed to the server's user, a link from there to a place under /var/lib.
fn reachable_data_folder(wanted: &Path, owner: Option<(u32, u32)>) -> Result<PathBuf> {
    let Some((user, _)) = owner else {
        return Ok(wanted.to_owned());
    };
    let parent = wanted.parent().context("the data folder has no parent")?;
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    if let Ok(elsewhere) = fs::read_link(wanted) {
        return Ok(elsewhere);
    }
    if is_reachable(&parent.canonicalize()?, user)? {
        return Ok(wanted.to_owned());
    }
    let elsewhere = Path::new("/var/lib/waba-live-chat").join(cache::short_hash(&wanted.to_string_lossy()));
    fs::create_dir_all(&elsewhere).with_context(|| format!("cannot create {}", elsewhere.display()))?;
    std::os::unix::fs::symlink(&elsewhere, wanted)?;
    Ok(elsewhere)
}

fn is_reachable(folder: &Path, user: u32) -> Result<bool> {
    for ancestor in folder.ancestors() {
        let about = fs::metadata(ancestor)?;
        let open = about.mode() & 0o001 != 0 || (about.uid() == user && about.mode() & 0o100 != 0);
        if !open {
            return Ok(false);
        }
    }
    Ok(true)
}

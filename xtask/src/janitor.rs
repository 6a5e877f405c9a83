//! A second process that cleans up after this one, however this one ends.
//!
//! It reads chores from its standard input and does them, newest first, when that closes: at an orderly end, and just as
//! well when this process is killed. It runs in a process group of its own, out of reach of the terminal's Ctrl-C.

use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::postgres::Server;

/// Something to be done at the end.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Chore {
    /// Stop a PostgreSQL server, whoever started it last.
    StopPostgres(Server),
    /// Kill a process group by the id of its leader.
    KillGroup(u32),
    /// Remove a file or folder.
    Remove(PathBuf),
}

/// The other end of the janitor's standard input.
pub(crate) struct Janitor {
    process: Child,
}

impl Janitor {
    /// Starts the process.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start() -> Result<Self> {
        let process = Command::new(std::env::current_exe()?)
            .arg("janitor")
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("the janitor process cannot be started")?;
        Ok(Self { process })
    }

    /// Hands over a chore; best before what it cleans up comes to be.
    ///
    /// # Errors
    /// When the janitor is gone.
    pub(crate) fn entrust(&mut self, chore: &Chore) -> Result<()> {
        let stdin = self.process.stdin.as_mut().context("the janitor has no input")?;
        let mut line = serde_json::to_vec(chore)?;
        line.push(b'\n');
        stdin.write_all(&line).context("the janitor process is gone")
    }

    /// Has everything cleaned up now and waits for it.
    pub(crate) async fn finish(mut self) {
        drop(self.process.stdin.take());
        // A process that nobody waits for any more is all that can go wrong here.
        let _ = tokio::task::spawn_blocking(move || self.process.wait()).await;
    }
}

/// The janitor's own life: collects chores until its input closes, then does them.
pub(crate) fn run() {
    let chores: Vec<Chore> = std::io::stdin()
        .lock()
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| serde_json::from_str(&line).ok())
        .collect();
    for chore in chores.iter().rev() {
        // Chores stand for themselves: a file that is gone or a server that is down is what was wanted.
        match chore {
            Chore::StopPostgres(server) => server.stop(),
            Chore::KillGroup(leader) => {
                if let Some(group) = i32::try_from(*leader).ok().and_then(Pid::from_raw) {
                    let _ = kill_process_group(group, Signal::KILL);
                }
            }
            Chore::Remove(path) if path.is_dir() => drop(std::fs::remove_dir_all(path)),
            Chore::Remove(path) => drop(std::fs::remove_file(path)),
        }
    }
}

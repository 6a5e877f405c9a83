//! The page in `web/`, served by Vite, with the stack's API behind the page's own address and a `config.json` that names the demo agent.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};

use super::{StackFile, state, wait};
use crate::janitor::{Chore, Janitor};
use crate::web;

/// Which page is served.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    None,
    /// The sources, with each change shown at once.
    Sources,
    /// What `npm run build` made.
    Built,
}

/// A running server.
pub(super) struct Server {
    pub(super) url: String,
    process: Child,
}

/// Serves `page`. `run_folder` is where its server reads about the stack, which is not told to anybody else yet.
pub(super) async fn serve(
    root: &Path,
    page: Page,
    port: u16,
    stack: &StackFile,
    run_folder: &Path,
    janitor: &mut Janitor,
) -> Result<Option<Server>> {
    if page == Page::None {
        return Ok(None);
    }
    web::prepare(root).await?;
    println!("Starting the page");
    Server::start(root, page, port, stack, run_folder, janitor)
        .await
        .map(Some)
}

/// How it ended by itself; never where there is none.
pub(super) async fn end(server: Option<&mut Server>) -> String {
    let Some(server) = server else {
        return std::future::pending().await;
    };
    match server.process.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    }
}

impl Server {
    /// Starts it and waits until it answers.
    async fn start(
        root: &Path,
        page: Page,
        port: u16,
        stack: &StackFile,
        run_folder: &Path,
        janitor: &mut Janitor,
    ) -> Result<Self> {
        let stack_file = run_folder.join("page.json");
        state::write_private(&stack_file, &serde_json::to_string(stack)?)?;
        let log_path = Path::new(&stack.logs).join("web.log");
        let log = File::create(&log_path)?;
        let mut command = Command::new("node");
        command
            .current_dir(root.join("web"))
            .arg("node_modules/vite/bin/vite.js");
        if page == Page::Built {
            command.arg("preview");
        }
        let process = command
            .args(["--host", "127.0.0.1", "--strictPort", "--port", &port.to_string()])
            .env("WABA_STACK_FILE", &stack_file)
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("the page's server cannot be started")?;
        janitor.entrust(&Chore::KillGroup(
            process.id().context("the page's server ended at once")?,
        ))?;
        let mut server = Self {
            url: format!("http://127.0.0.1:{port}"),
            process,
        };
        let http = reqwest::Client::new();
        wait::until("the page's server", Duration::from_mins(1), async || {
            if let Some(status) = server.process.try_wait()? {
                bail!("the page's server ended ({status}): see {}", log_path.display());
            }
            for path in ["/config.json", "/"] {
                let answer = http.get(format!("{}{path}", server.url)).send().await;
                if !answer.is_ok_and(|answer| answer.status().is_success()) {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
        .await?;
        Ok(server)
    }
}

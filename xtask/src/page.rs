//! What is asked of the page on a stack of its own: its tests in a browser, and its measurements.

use std::path::Path;

use anyhow::Result;
use clap::Args;

use crate::janitor::{Chore, Janitor};
use crate::stack::{Options, Page, Stack};
use crate::web;

/// Measures the built page in Chromium on an ephemeral stack.
#[derive(Args)]
pub(crate) struct Bench {
    /// What `npm run perf` takes
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<String>,
}

/// Runs `cargo xtask bench`.
///
/// # Errors
/// When something is missing, the stack does not start, or a measurement misses its target.
pub(crate) async fn bench(root: &Path, command: &Bench) -> Result<()> {
    let mut janitor = Janitor::start()?;
    let ended = run(root, &mut janitor, "perf", &command.arguments).await;
    janitor.finish().await;
    ended
}

/// Builds the page, serves it with an ephemeral stack behind it, and runs a script of `web/package.json` there.
///
/// # Errors
/// When something is missing, the stack does not start, or the script fails.
pub(crate) async fn run(root: &Path, janitor: &mut Janitor, script: &str, arguments: &[String]) -> Result<()> {
    web::require_browser().await?;
    web::build(root).await?;
    let folder = std::env::temp_dir().join(format!("waba-live-chat-page-{}", uuid::Uuid::new_v4().simple()));
    janitor.entrust(&Chore::Remove(folder.clone()))?;
    let options = Options {
        page: Page::Built,
        ..Options::ephemeral(folder.clone())
    };
    let mut stack = Stack::start(root, &options, janitor).await?;
    let stack_file = folder.join("stack.json");
    let web_url = stack.file.web_url.clone().unwrap_or_default();
    let environment = [
        ("WABA_STACK_FILE", stack_file.as_os_str()),
        ("WEB_URL", web_url.as_ref()),
    ];
    tokio::select! {
        ended = web::run_script(root, script, arguments, &environment) => ended,
        failure = stack.failure() => Err(failure),
    }
}

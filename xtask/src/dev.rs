//! `cargo xtask dev`: the local stack until Ctrl-C.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::janitor::{Chore, Janitor};
use crate::stack::{self, Options, Page, Ports, Stack, StackFile};

/// Starts the whole system with a simulated WhatsApp, and runs it until Ctrl-C.
#[derive(Args)]
pub(crate) struct Dev {
    /// Use a fresh database, deleted at the end, and free ports: several such stacks run side by side
    #[arg(long)]
    ephemeral: bool,
    /// Leave the web page out
    #[arg(long)]
    no_web: bool,
    /// Send to this Graph API instead of the simulator
    #[arg(long, value_name = "URL")]
    graph_url: Option<String>,
    /// What the functions log (tracing's env-filter)
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log_level: String,
    /// Deploy what `sam build` made, such as .aws-sam/build, instead of building the functions
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// Where stack.json, the database and the logs go [default: .local; with --ephemeral, where a stack runs in .local already, a
    /// temporary folder]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Port of the AWS emulator (0: any free one) [default: 4566; with --ephemeral 0]
    #[arg(long, value_name = "PORT")]
    aws_port: Option<u16>,
    /// Port of PostgreSQL (0: any free one) [default: 54320; with --ephemeral 0]
    #[arg(long, value_name = "PORT")]
    postgres_port: Option<u16>,
    /// Port of the simulator (0: any free one) [default: 4580; with --ephemeral 0]
    #[arg(long, value_name = "PORT")]
    simulator_port: Option<u16>,
    /// Port of the web page (0: any free one) [default: 5173; with --ephemeral 0]
    #[arg(long, value_name = "PORT")]
    web_port: Option<u16>,
}

/// Runs the command.
///
/// # Errors
/// When the stack does not start, or a part of it ends by itself.
pub(crate) async fn run(root: &Path, command: &Dev) -> Result<()> {
    let local = root.join(".local");
    let temporary = (command.ephemeral && command.state_dir.is_none() && !stack::is_free(&local))
        .then(|| std::env::temp_dir().join(format!("waba-live-chat-state-{}", uuid::Uuid::new_v4().simple())));
    let default_port = |port| if command.ephemeral { 0 } else { port };
    let options = Options {
        ephemeral: command.ephemeral,
        state_folder: command
            .state_dir
            .clone()
            .unwrap_or_else(|| temporary.clone().unwrap_or(local)),
        graph_url: command.graph_url.clone(),
        log_level: command.log_level.clone(),
        ports: Ports {
            aws: command.aws_port.unwrap_or_else(|| default_port(4566)),
            postgres: command.postgres_port.unwrap_or_else(|| default_port(54320)),
            simulator: command.simulator_port.unwrap_or_else(|| default_port(4580)),
            web: command.web_port.unwrap_or_else(|| default_port(5173)),
        },
        page: if command.no_web { Page::None } else { Page::Sources },
        artifacts: command.artifacts.clone(),
    };
    let mut janitor = Janitor::start()?;
    if let Some(folder) = temporary {
        janitor.entrust(&Chore::Remove(folder))?;
    }
    let ended = tokio::select! {
        ended = serve(root, &options, &mut janitor) => ended,
        stopped = stop_signal() => stopped.map(|()| println!("\nStopping")),
    };
    janitor.finish().await;
    ended
}

async fn serve(root: &Path, options: &Options, janitor: &mut Janitor) -> Result<()> {
    let begun = std::time::Instant::now();
    let mut stack = Stack::start(root, options, janitor).await?;
    describe(&stack.file, &options.state_folder);
    println!(
        "\nReady after {:.1} s. Ctrl-C stops all of it.",
        begun.elapsed().as_secs_f32()
    );
    Err(stack.failure().await)
}

fn describe(file: &StackFile, state_folder: &Path) {
    let folder = state_folder.display();
    println!();
    if let Some(url) = &file.web_url {
        println!("{:<18}{url}", "Page");
    }
    for (what, value) in [
        ("API", file.api_url.as_str()),
        ("Webhook", &file.webhook_url),
        ("Customer's phone", &file.simulator_url),
        ("Graph API", &file.graph_url),
        ("Database", &file.database_url),
        ("AWS endpoint", &file.aws_endpoint_url),
    ] {
        println!("{what:<18}{value}");
    }
    println!(
        "{:<18}{folder}/stack.json (every value a client or a test needs)",
        "Details"
    );
    println!("{:<18}tail -f {folder}/logs/*.log", "Logs");
    println!(
        "{:<18}cargo xtask postgres stop --state-dir {folder}, then start",
        "An outage"
    );
    println!(
        "\nAs the demo agent:\n  curl -H 'Authorization: Bearer {}' {}/api/live-chat/conversations",
        file.agent_token, file.api_url
    );
}

/// Ends at Ctrl-C, SIGTERM or when the terminal goes.
async fn stop_signal() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

//! The project's own commands: `cargo xtask <command>`.
//!
//! | module | what |
//! |---|---|
//! | `dev`, `stack` | the local stack |
//! | `checks`, `fuzz`, `web`, `page` | every check of the project; what comes from outside, under libFuzzer; those of the client in `web/`; of its page on a stack |
//! | `replay`, `measure` | webhooks posted to the running stack: what became of them, how long it took |
//! | `soak` | load for minutes, while one part after another fails |
//! | `quarantine`, `dlq` | what was kept raw, what the queues gave up, and their way back |
//! | `installation`, `doctor` | what commands for operators work on; what is wrong with it |
//! | `customer`, `changes` | all that is kept of a customer, out or gone; pages that load anew |
//! | `tokens`, `push_keys`, `openapi` | the accounts' tokens; who we are to push services; `openapi.yaml` |
//! | `postgres`, `postgres_binaries`, `functions`, `template`, `python` | what those two are built from |
//! | `janitor` | cleans up, however a command ends |
//! | `cache`, `process`, `show` | what is fetched once; other programs; how foreign texts are printed |

#[cfg(test)]
mod alarms;
mod cache;
mod changes;
mod checks;
mod customer;
mod dev;
mod dlq;
mod doctor;
mod functions;
mod fuzz;
mod installation;
mod janitor;
mod measure;
mod openapi;
mod page;
mod postgres;
mod postgres_binaries;
mod process;
mod push_keys;
mod python;
mod quarantine;
mod replay;
mod show;
mod soak;
mod stack;
mod template;
mod tokens;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use shared::db::migrations;
use shared::db::settings::Settings;

/// Commands of WABA Live Chat
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Dev(dev::Dev),
    /// Deploys the functions and the template again, over the running stack
    Deploy {
        /// Give a parameter of template.yaml another value
        #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
        parameters: Vec<(String, String)>,
        /// The stack's folder [default: .local]
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
    Test(checks::Test),
    Bench(page::Bench),
    /// Applies the migrations to the database of `DATABASE_URL`
    Migrate,
    Fuzz(fuzz::Fuzz),
    Replay(replay::Replay),
    Quarantine(quarantine::Quarantine),
    Dlq(dlq::Dlq),
    Customer(customer::Customer),
    Changes(changes::Changes),
    Doctor(doctor::Doctor),
    Measure(measure::Measure),
    Soak(soak::Soak),
    Tokens(tokens::Tokens),
    PushKeys(push_keys::PushKeys),
    Openapi(openapi::Openapi),
    /// Stops or starts the database of a running stack
    Postgres {
        action: PostgresAction,
        /// The stack's folder [default: .local]
        #[arg(long, value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
    /// Cleans up after another command (started by it)
    #[command(hide = true)]
    Janitor,
}

#[derive(Clone, Copy, ValueEnum)]
enum PostgresAction {
    Start,
    Stop,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A runtime would give it signal handlers and threads that it has no use for.
    if matches!(arguments.command, Command::Janitor) {
        janitor::run();
        return ExitCode::SUCCESS;
    }
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(command: Command) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("xtask has no parent folder")?;
    match command {
        Command::Dev(command) => dev::run(root, &command).await,
        Command::Deploy { parameters, state_dir } => {
            stack::redeploy(root, &state_dir.unwrap_or_else(|| root.join(".local")), &parameters).await
        }
        Command::Test(command) => checks::run(root, &command).await,
        Command::Bench(command) => page::bench(root, &command).await,
        Command::Migrate => migrate().await,
        Command::Fuzz(command) => fuzz::run(root, &command).await,
        Command::Replay(command) => replay::run(root, &command).await,
        Command::Quarantine(command) => quarantine::run(root, &command).await,
        Command::Dlq(command) => dlq::run(root, &command).await,
        Command::Customer(command) => customer::run(root, &command).await,
        Command::Changes(command) => changes::run(root, &command).await,
        Command::Doctor(command) => doctor::run(root, &command).await,
        Command::Measure(command) => measure::run(root, &command).await,
        Command::Soak(command) => soak::run(root, &command).await,
        Command::Tokens(command) => tokens::run(root, &command).await,
        Command::PushKeys(command) => push_keys::run(root, &command).await,
        Command::Openapi(command) => openapi::run(root, &command),
        Command::Postgres { action, state_dir } => {
            control_postgres(&state_dir.unwrap_or_else(|| root.join(".local")), action)
        }
        Command::Janitor => Ok(()),
    }
}

fn parameter(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').context("not NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

async fn migrate() -> Result<()> {
    let url = std::env::var("DATABASE_URL")
        .ok()
        .context("DATABASE_URL is not set: it names the database to migrate")?;
    let report = migrations::run(&Settings::from_url(&url)?).await?;
    for migration in &report.applied {
        println!("applied {migration}");
    }
    if report.applied.is_empty() {
        println!("The schema is up to date");
    }
    if !report.exposed_tables.is_empty() {
        eprintln!(
            "warning: browsers can reach {} through Supabase's roles: enable row level security",
            report.exposed_tables.join(", ")
        );
    }
    Ok(())
}

fn control_postgres(state_folder: &Path, action: PostgresAction) -> Result<()> {
    let server = postgres::Server::of_stack(state_folder)?;
    match action {
        PostgresAction::Start => server.start(),
        PostgresAction::Stop => {
            server.stop();
            Ok(())
        }
    }
}

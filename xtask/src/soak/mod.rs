//! `cargo xtask soak`: steady load on a stack of its own while one part after another fails, and what became of every message.
//!
//! | module | what |
//! |---|---|
//! | `load` | customers who write, agents who answer |
//! | `page` | pages that are told of it |
//! | `faults` | what fails, one a minute |
//! | `count` | what became of it all, and what the functions' memory became |

mod count;
mod faults;
mod load;
mod page;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use self::count::{Books, Memory};
use self::faults::Fault;
use self::load::Load;
use self::page::Watcher;
use crate::janitor::{Chore, Janitor};
use crate::stack::{Options, Stack, StackFile};

/// How long the capacity is measured.
const MEASURED: Duration = Duration::from_secs(20);
/// How many write at once meanwhile.
const WRITERS: usize = 16;
/// What is not done so long after the last fault is lost.
const PATIENCE: Duration = Duration::from_mins(5);
/// Each is told of every message.
const PAGES: usize = 3;

/// Half of what a stack of its own can take, for some minutes, with a fault in each: what was lost, what was doubled, and what memory became of it
#[derive(Args)]
pub(crate) struct Soak {
    /// How many minutes, each with one fault
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    minutes: u32,
}

/// Runs the command.
///
/// # Errors
/// When the stack does not start, or a message was lost, doubled or kept from a page.
pub(crate) async fn run(root: &Path, command: &Soak) -> Result<()> {
    let mut janitor = Janitor::start()?;
    let ended = on_a_stack(root, command.minutes, &mut janitor).await;
    janitor.finish().await;
    ended
}

async fn on_a_stack(root: &Path, minutes: u32, janitor: &mut Janitor) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("waba-live-chat-soak-{}", uuid::Uuid::new_v4().simple()));
    janitor.entrust(&Chore::Remove(folder.clone()))?;
    let options = Options::ephemeral(folder.clone());
    let mut stack = Stack::start(root, &options, janitor).await?;
    let file = stack.file.clone();
    tokio::select! {
        ended = soak(&file, &folder, minutes) => ended,
        failure = stack.failure() => Err(failure),
    }
}

async fn soak(stack: &StackFile, folder: &Path, minutes: u32) -> Result<()> {
    // Before anything is written, all of which they are to be told.
    let mut pages = Vec::new();
    for _ in 0..PAGES {
        pages.push(Watcher::start(stack).await?);
    }
    let load = Arc::new(Load::prepare(stack).await?);
    let rate = measure(&load, &pages).await? / 2.0;
    println!("Half of that for {minutes} minutes: {rate:.1} messages a second");

    let before = Memory::of(&stack.functions);
    let mut turns = JoinSet::new();
    for minute in 0..minutes {
        let fault = Fault::of_minute(minute);
        println!("Minute {}: {fault}", minute + 1);
        let write = write(&load, rate, &mut turns);
        let (written, happened) = tokio::join!(write, fault.happen(stack, folder, &load, &pages));
        happened?;
        written?;
    }
    while let Some(turn) = turns.join_next().await {
        turn??;
    }
    let books = settle(&load, &pages).await?;
    println!("{books}");
    print!("{}", Memory::compare(&before, &Memory::of(&stack.functions)));
    books.check()
}

/// How many messages a second come through when as much as possible is written.
async fn measure(load: &Arc<Load>, pages: &[Watcher]) -> Result<f64> {
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let load = Arc::clone(load);
        writers.spawn(async move {
            while begun.elapsed() < MEASURED {
                load.turn().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    let books = settle(load, pages).await?;
    books.check()?;
    let seconds = begun.elapsed().as_secs_f64();
    let capacity = books.written() / seconds;
    println!("{WRITERS} at once: {capacity:.1} messages a second, of which every fourth was answered");
    Ok(capacity)
}

/// A minute of customers who write at this rate, whatever becomes of what they wrote before.
async fn write(load: &Arc<Load>, rate: f64, turns: &mut JoinSet<Result<()>>) -> Result<()> {
    let begun = Instant::now();
    let mut clock = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while begun.elapsed() < Duration::from_mins(1) {
        clock.tick().await;
        let load = Arc::clone(load);
        turns.spawn(async move { load.turn().await });
        while let Some(turn) = turns.try_join_next() {
            turn??;
        }
    }
    Ok(())
}

/// Waits until nothing is owed any more; what there is then.
async fn settle(load: &Load, pages: &[Watcher]) -> Result<Books> {
    let begun = Instant::now();
    loop {
        let books = Books::of(load, pages).await?;
        if books.check().is_ok() || begun.elapsed() > PATIENCE {
            return Ok(books);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

//! `cargo xtask measure`: how long things take on the running stack.

mod changes;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use futures_util::StreamExt;
use reqwest::Client;

use crate::stack::{Socket, StackFile};

/// A message that is not visible by then is lost.
const PATIENCE: Duration = Duration::from_mins(1);

/// Measures the running stack
#[derive(Args)]
pub(crate) struct Measure {
    #[command(subcommand)]
    what: What,
    /// The stack's folder [default: .local]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum What {
    /// From the POST of a customer's message until GET messages shows it, one message after the other. They stay, as a new customer's
    Ingest {
        /// How many messages
        #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
        messages: u32,
    },
    /// From the POST of a customer's message until an open page is told of it, one message after the other. They stay, as a new customer's
    Frames {
        /// How many messages
        #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
        messages: u32,
    },
    /// How long reading changes takes in a large database, against a small one. Both are made for it, and deleted
    Changes {
        /// How many messages the large one has; the small one has a hundredth
        #[arg(long, value_name = "N", default_value_t = 5_000_000, value_parser = clap::value_parser!(u32).range(10_000..))]
        messages: u32,
    },
}

/// Runs the command.
///
/// # Errors
/// When the stack does not answer, or a message is not visible within a minute.
pub(crate) async fn run(root: &Path, command: &Measure) -> Result<()> {
    let folder = command.state_dir.clone().unwrap_or_else(|| root.join(".local"));
    let stack = StackFile::read(&folder)?;
    let mut durations = Vec::new();
    match command.what {
        What::Ingest { messages } => {
            let customer = Customer::new(&stack).await?;
            for _ in 0..messages {
                durations.push(customer.write().await?);
            }
            println!("{}", summary(durations, "visible"));
        }
        What::Frames { messages } => {
            let customer = Customer::new(&stack).await?;
            let mut page = stack.open_socket(&customer.http).await?;
            for _ in 0..messages {
                durations.push(customer.write_and_hear(&mut page).await?);
            }
            println!("{}", summary(durations, "frame"));
        }
        What::Changes { messages } => changes::measure(&stack, messages).await?,
    }
    Ok(())
}

/// A customer whose conversation is there.
struct Customer<'a> {
    stack: &'a StackFile,
    http: Client,
    phone: String,
    conversation: String,
}

impl<'a> Customer<'a> {
    /// Writes a first message, which makes the conversation and warms the functions up.
    async fn new(stack: &'a StackFile) -> Result<Self> {
        let digits = uuid::Uuid::new_v4().as_u128() % 100_000_000;
        let mut customer = Self {
            stack,
            http: Client::new(),
            phone: format!("4917{digits:08}"),
            conversation: String::new(),
        };
        customer.post().await?;
        let shown = format!("+{}", customer.phone);
        let begun = Instant::now();
        while customer.conversation.is_empty() {
            let query = [("phone_number_id", stack.phone_number_id.as_str()), ("limit", "100")];
            let page = stack.get(&customer.http, "conversations", &query).await?;
            let mut all = page["conversations"].as_array().into_iter().flatten();
            if let Some(found) = all.find(|one| one["customer_phone"] == shown.as_str()) {
                customer.conversation = found["id"].to_string();
            }
            if begun.elapsed() > PATIENCE {
                bail!("the first message is not visible after {} s", PATIENCE.as_secs());
            }
        }
        Ok(customer)
    }

    /// Writes a message, and asks until it is shown.
    async fn write(&self) -> Result<Duration> {
        let begun = Instant::now();
        let wamid = self.post().await?;
        loop {
            // The newest are enough: nobody else writes here.
            let query = [("conversation_id", self.conversation.as_str()), ("limit", "5")];
            let page = self.stack.get(&self.http, "messages", &query).await?;
            let mut newest = page["messages"].as_array().into_iter().flatten();
            if newest.any(|message| message["wa_message_id"] == wamid.as_str()) {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > PATIENCE {
                bail!("a message is not visible after {} s", PATIENCE.as_secs());
            }
        }
    }

    /// Writes a message, and waits until the page is told of it.
    async fn write_and_hear(&self, page: &mut Socket) -> Result<Duration> {
        let begun = Instant::now();
        let wamid = self.post().await?;
        loop {
            let next = tokio::time::timeout(PATIENCE, page.next()).await;
            let frame = next
                .with_context(|| format!("no frame within {} s", PATIENCE.as_secs()))?
                .context("the socket was closed")??;
            if frame.to_text().is_ok_and(|frame| frame.contains(&wamid)) {
                return Ok(begun.elapsed());
            }
        }
    }

    /// Posts a message as Meta does; its wamid.
    async fn post(&self) -> Result<String> {
        let wamid = format!("wamid.measured.{}", uuid::Uuid::new_v4());
        let body = self
            .stack
            .customer_text(&self.phone, &wamid, "How long does this take?");
        let status = self.stack.post_webhook(&self.http, body).await?;
        if !status.is_success() {
            bail!("the webhook answered with {status}");
        }
        Ok(wamid)
    }
}

fn summary(mut durations: Vec<Duration>, end: &str) -> String {
    durations.sort_unstable();
    let milliseconds = |percent| percentile(&durations, percent).as_secs_f64() * 1000.0;
    format!(
        "{} messages, from POST to {end}: median {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        durations.len(),
        milliseconds(50),
        milliseconds(95),
        milliseconds(99),
        milliseconds(100)
    )
}

/// The smallest duration that this many percent do not exceed (nearest rank).
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_duration_that_was_measured() {
        let durations: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        for (percent, expected) in [(50, 100), (95, 190), (99, 198), (100, 200)] {
            assert_eq!(percentile(&durations, percent), Duration::from_millis(expected));
        }
        assert_eq!(percentile(&durations[..1], 50), Duration::from_millis(1));
        assert_eq!(
            summary(durations.into_iter().rev().collect(), "visible"),
            "200 messages, from POST to visible: median 100.0 ms, p95 190.0 ms, p99 198.0 ms, max 200.0 ms"
        );
    }
}

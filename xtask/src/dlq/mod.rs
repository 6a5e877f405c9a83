//! `cargo xtask dlq`: what the queues gave up, and its way back once the cause is gone.

mod queue;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use shared::whatsapp::unit::{self, ENCODING_ATTRIBUTE, GZIP_BASE64};

use self::queue::{DeadLetters, End, Wanted, system_attribute};
use crate::show;
use crate::stack::StackFile;

/// The dead-letter queues: of the local stack, or on AWS by `--queue-url`, with the credentials and the region of the environment
#[derive(Args)]
pub(crate) struct Dlq {
    #[command(subcommand)]
    action: Action,
    /// Which queue of the local stack
    #[arg(long, global = true, value_enum, value_name = "QUEUE", default_value_t = Name::Events)]
    queue: Name,
    /// The URL of the dead-letter queue
    #[arg(long, global = true, value_name = "URL")]
    queue_url: Option<String>,
    /// The URL of the queue that its messages came from
    #[arg(long, global = true, value_name = "URL")]
    to_queue_url: Option<String>,
    /// The local stack's folder [default: .local]
    #[arg(long, global = true, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Action {
    /// Lists the messages without taking them; each is hidden from others meanwhile, and counts as received once more
    List {
        /// How many at the most
        #[arg(long, value_name = "N", default_value_t = 1000)]
        limit: usize,
    },
    /// Shows a message with its content, unpacked
    Show {
        /// The message's id
        message_id: String,
    },
    /// Sends messages back to the queue that they came from
    Redrive(Selection),
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Selection {
    /// These messages
    #[arg(value_name = "MESSAGE_ID")]
    message_ids: Vec<String>,
    /// All messages
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Events,
    Media,
    Outbox,
}

/// Runs the command.
///
/// # Errors
/// When there is no such queue or message, or a message was not moved.
pub(crate) async fn run(root: &Path, command: &Dlq) -> Result<()> {
    let folder = command.state_dir.clone().unwrap_or_else(|| root.join(".local"));
    let (client, from, to) = queues(&folder, command).await?;
    let mut letters = DeadLetters::new(client, from.clone());
    match &command.action {
        Action::List { limit } => list(&mut letters, *limit).await,
        Action::Show { message_id } => show_message(&mut letters, message_id).await,
        Action::Redrive(selection) => {
            let to = to.context("--to-queue-url is missing: it names the queue that the messages came from")?;
            if to == from {
                bail!("--queue-url and --to-queue-url are the same queue");
            }
            redrive(&mut letters, &to, selection).await
        }
    }
}

/// The dead-letter queue and, where it is known, the queue that it serves.
async fn queues(stack_folder: &Path, command: &Dlq) -> Result<(Client, String, Option<String>)> {
    if let Some(url) = &command.queue_url {
        let aws = aws_config::load_from_env().await;
        return Ok((Client::new(&aws), url.clone(), command.to_queue_url.clone()));
    }
    if command.to_queue_url.is_some() {
        bail!("--to-queue-url goes with --queue-url");
    }
    let stack = StackFile::read(stack_folder)?;
    let client = Client::new(&stack.aws().await);
    let (dead, source) = match command.queue {
        Name::Events => (stack.dead_letter_queue_url, stack.events_queue_url),
        Name::Media => (stack.media_dead_letter_queue_url, stack.media_queue_url),
        Name::Outbox => (stack.outbox_dead_letter_queue_url, stack.outbox_queue_url),
    };
    Ok((client, dead, Some(source)))
}

async fn list(letters: &mut DeadLetters, limit: usize) -> Result<()> {
    let (mut messages, end) = letters.read(|messages| messages.len() >= limit).await?;
    messages.truncate(limit);
    messages.sort_by_key(sent_at);
    let heads = ["message_id", "sent_at", "received", "group", "size", "encoding"];
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(messages.iter().map(|message| {
        [
            message.message_id.clone().unwrap_or_default(),
            sent_at(message).map_or_else(|| "-".to_owned(), |time| format!("{time:.0}")),
            system_attribute(message, &System::ApproximateReceiveCount).unwrap_or_default(),
            show::optional(system_attribute(message, &System::MessageGroupId).as_ref()),
            message.body().unwrap_or_default().len().to_string(),
            show::line(encoding(message).unwrap_or("-")),
        ]
    }));
    print!("{}", show::columns(&lines));
    match end {
        End::All => println!("\n{} messages", messages.len()),
        End::Limit => println!("\n{} messages; there may be more (--limit)", messages.len()),
    }
    Ok(())
}

async fn show_message(letters: &mut DeadLetters, id: &str) -> Result<()> {
    let is_it = |message: &Message| message.message_id.as_deref() == Some(id);
    let (messages, _) = letters.read(|messages| messages.iter().any(is_it)).await?;
    let read = messages.len();
    let message = messages
        .into_iter()
        .find(is_it)
        .with_context(|| format!("no such message among the {read} that could be read"))?;
    let mut attributes: Vec<(String, String)> = Vec::new();
    for (name, value) in message.attributes.iter().flatten() {
        attributes.push((name.as_str().to_owned(), value.clone()));
    }
    for (name, value) in message.message_attributes.iter().flatten() {
        let bytes = || value.binary_value().map(|bytes| hex::encode(bytes.as_ref()));
        let text = value.string_value().map(str::to_owned).or_else(bytes);
        attributes.push((format!("attribute {name}"), text.unwrap_or_default()));
    }
    attributes.sort();
    println!("{:<34} {id}", "MessageId");
    for (name, value) in attributes {
        println!("{:<34} {}", show::line(&name), show::line(&value));
    }
    if let Some(time) = sent_at(&message) {
        println!("{:<34} {time:.0}", "sent at");
    }
    let body = message.body().unwrap_or_default();
    match unit::decode(body, encoding(&message) == Some(GZIP_BASE64)) {
        Some(bytes) => println!("\n{}", show::body(&bytes)),
        None => println!(
            "\nThe body is not what its attribute says; as it came:\n{}",
            show::body(body.as_bytes())
        ),
    }
    Ok(())
}

async fn redrive(letters: &mut DeadLetters, to: &str, selection: &Selection) -> Result<()> {
    let wanted = if selection.all {
        Wanted::All
    } else {
        Wanted::Ids(selection.message_ids.iter().cloned().collect::<BTreeSet<_>>())
    };
    let redriven = letters.redrive(to, wanted).await?;
    println!("{} messages sent back", redriven.moved);
    for id in &redriven.doubled {
        println!("{id} was sent back and could not be deleted here: it is on both queues");
    }
    for (id, code) in &redriven.failed {
        println!("{id} was not sent and stays: {code}");
    }
    for id in &redriven.absent {
        println!("{} was not found", show::line(id));
    }
    let left = redriven.doubled.len() + redriven.failed.len() + redriven.absent.len();
    if left > 0 {
        bail!("{left} messages were not moved");
    }
    Ok(())
}

fn sent_at(message: &Message) -> Option<Timestamp> {
    let milliseconds = system_attribute(message, &System::SentTimestamp)?.parse().ok()?;
    Timestamp::from_millisecond(milliseconds).ok()
}

fn encoding(message: &Message) -> Option<&str> {
    message
        .message_attributes
        .as_ref()?
        .get(ENCODING_ATTRIBUTE)?
        .string_value()
}

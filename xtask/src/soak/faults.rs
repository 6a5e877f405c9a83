//! What fails, one a minute.

use std::fmt::{self, Display, Formatter};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::StatusCode;
use serde_json::json;
use shared::edge::queue::Queue;
use shared::whatsapp::unit;

use super::load::Load;
use super::page::Watcher;
use crate::postgres::Server;
use crate::stack::StackFile;

/// It is seen how things go without a fault before one comes, and afterwards.
const BEFORE: Duration = Duration::from_secs(10);
const LASTS: Duration = Duration::from_secs(20);

/// A part that fails.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    Restart,
    Redelivery,
    Graph,
    Cuts,
}

impl Display for Fault {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Restart => "PostgreSQL is away for 10 s",
            Self::Redelivery => "Meta and the queue deliver the last 500 webhooks once more",
            Self::Graph => {
                "for 20 s Graph refuses half of all messages, does not answer others, taken or not, and is slow"
            }
            Self::Cuts => "every second for 20 s the pages' connections are cut",
        })
    }
}

impl Fault {
    pub(super) fn of_minute(minute: u32) -> Self {
        [Self::Restart, Self::Redelivery, Self::Graph, Self::Cuts][minute as usize % 4]
    }

    /// Lets it happen.
    ///
    /// # Errors
    /// When it cannot be brought about.
    pub(super) async fn happen(self, stack: &StackFile, folder: &Path, load: &Load, pages: &[Watcher]) -> Result<()> {
        tokio::time::sleep(BEFORE).await;
        match self {
            Self::Restart => {
                let server = Server::of_stack(folder)?;
                let stopping = server.clone();
                tokio::task::spawn_blocking(move || stopping.stop()).await?;
                tokio::time::sleep(Duration::from_secs(10)).await;
                tokio::task::spawn_blocking(move || server.start()).await?
            }
            Self::Redelivery => {
                let recent: Vec<_> = load.written().recent.iter().cloned().collect();
                let queue = Queue::new(
                    aws_sdk_sqs::Client::new(&stack.aws().await),
                    stack.events_queue_url.clone(),
                );
                let group = Some(stack.phone_number_id.as_str());
                let messages: Vec<_> = recent.iter().map(|body| unit::message(body.clone(), group)).collect();
                queue.publish(&messages).await?;
                for body in recent {
                    let status = stack.post_webhook(&load.http, body).await?;
                    ensure!(status == StatusCode::OK, "the webhook answered with {status}");
                }
                Ok(())
            }
            Self::Graph => {
                let faults = format!("{}/_simulator/faults", stack.simulator_url);
                for fault in [
                    json!({"kind": "http_error", "status": 503, "code": 131_016, "probability": 0.5}),
                    json!({"kind": "no_answer", "probability": 0.1}),
                    json!({"kind": "no_answer_before_accept", "probability": 0.1}),
                    json!({"kind": "delay", "ms": 500, "probability": 0.5}),
                ] {
                    load.http.post(&faults).json(&fault).send().await?.error_for_status()?;
                }
                tokio::time::sleep(LASTS).await;
                load.http.delete(&faults).send().await?.error_for_status()?;
                Ok(())
            }
            Self::Cuts => {
                for _ in 0..LASTS.as_secs() {
                    pages.iter().for_each(Watcher::cut);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Ok(())
            }
        }
    }
}

//! Pages that are open all the while: told by frames, and by `changes` of what a cut kept from them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::stack::{Socket, StackFile};

/// How often a page asks what frames did not tell.
const CATCH_UP: Duration = Duration::from_mins(1);

/// A page, and what it was told.
pub(super) struct Watcher {
    told: Arc<Mutex<Told>>,
    cut: Arc<Notify>,
    task: JoinHandle<()>,
}

/// WhatsApp's ids of the messages that a page knows.
#[derive(Default)]
pub(super) struct Told {
    pub(super) by_frame: BTreeSet<String>,
    pub(super) by_changes: BTreeSet<String>,
    pub(super) cuts: usize,
}

impl Watcher {
    /// Opens it, which takes the cursor first.
    pub(super) async fn start(stack: &StackFile) -> Result<Self> {
        let http = Client::new();
        let first = stack.get(&http, "changes", &[]).await?;
        let mut page = Page {
            stack: stack.clone(),
            http,
            cursor: cursor(&first)?,
            told: Arc::default(),
            cut: Arc::default(),
        };
        let (told, cut) = (Arc::clone(&page.told), Arc::clone(&page.cut));
        let task = tokio::spawn(async move {
            loop {
                // Without its server a page tries again, for ever.
                let _ = page.stay().await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        Ok(Self { told, cut, task })
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts its connection.
    pub(super) fn cut(&self) {
        self.cut.notify_one();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Page {
    stack: StackFile,
    http: Client,
    cursor: String,
    told: Arc<Mutex<Told>>,
    cut: Arc<Notify>,
}

impl Page {
    /// One connection, to its end.
    async fn stay(&mut self) -> Result<()> {
        let mut socket = self.stack.open_socket(&self.http).await?;
        let ended = self.listen(&mut socket).await;
        self.told.lock().unwrap_or_else(PoisonError::into_inner).cuts += 1;
        ended
    }

    async fn listen(&mut self, socket: &mut Socket) -> Result<()> {
        let cut = Arc::clone(&self.cut);
        // The first tick is at once: what came while there was no connection.
        let mut clock = tokio::time::interval(CATCH_UP);
        loop {
            tokio::select! {
                frame = socket.next() => {
                    let frame = frame.context("the socket was closed")??;
                    // Others are pings.
                    let Ok(text) = frame.to_text() else { continue };
                    let Ok(frame) = serde_json::from_str::<Value>(text) else { continue };
                    if frame["type"] == "resync" || frame["truncated"] == true {
                        self.catch_up().await?;
                    }
                    let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
                    told.by_frame.extend(wamid(&frame));
                }
                _ = clock.tick() => self.catch_up().await?,
                () = cut.notified() => return Ok(()),
            }
        }
    }

    async fn catch_up(&mut self) -> Result<()> {
        loop {
            let page = self
                .stack
                .get(&self.http, "changes", &[("after", &self.cursor)])
                .await?;
            self.cursor = cursor(&page)?;
            let changes = page["changes"].as_array().into_iter().flatten();
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.by_changes.extend(changes.filter_map(wamid));
            if page["has_more"] != true {
                return Ok(());
            }
        }
    }
}

fn cursor(page: &Value) -> Result<String> {
    let cursor = page["next_cursor"].as_str().context("changes without a cursor")?;
    Ok(cursor.to_owned())
}

fn wamid(change: &Value) -> Option<String> {
    change["message"]["wa_message_id"].as_str().map(str::to_owned)
}

//! Tells open pages what changed, after the commit. Best effort: bounded in time and number, and never a reason for anything to fail, since a
//! page that misses a frame asks for the changes. No connection to the database is held while frames are posted.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use uuid::Uuid;

use crate::db::{Database, DbError, changes, connections};
use crate::domain::change::Change;
use crate::edge::sockets::{PostError, Sockets};
use crate::metrics::{Metric, PostOutcome, tell_some};

/// How many frames are on their way at once.
const AT_ONCE: usize = 64;
/// What forgetting closed connections may take on top.
const FORGET_TIME: Duration = Duration::from_secs(1);

/// The open pages.
#[derive(Clone)]
pub struct Realtime {
    /// The database.
    pub database: Database,
    /// The sockets.
    pub sockets: Sockets,
    /// How long posting may take in all: somebody may be waiting for the function's answer.
    pub patience: Duration,
}

impl Realtime {
    /// Tells everybody concerned what was committed and not told yet, by whomever. Whether there may be more.
    pub async fn publish(&self) -> bool {
        let deadline = Instant::now() + self.patience;
        let take = self
            .database
            .run_within(self.patience, async |client| changes::take_unpublished(client).await);
        match take.await {
            Err(error) => {
                tracing::warn!(%error, "open pages were not told of what changed");
                false
            }
            Ok(taken) => {
                for news in taken.news {
                    self.tell(&news.connections, &news.changes, deadline).await;
                }
                taken.has_more
            }
        }
    }

    /// Tells the other pages of a user.
    pub async fn tell_user(&self, user_id: Uuid, change: Change) {
        let deadline = Instant::now() + self.patience;
        let list = self
            .database
            .run(async |client| connections::list(client, user_id).await);
        match list.await {
            Ok(connections) => self.tell(&connections, &[change], deadline).await,
            Err(error) => tracing::warn!(%error, "open pages were not told"),
        }
    }

    /// Posts the frames, each to all connections before the next one, so that each connection gets them in their order. Whoever does not
    /// take one gets no more of them.
    async fn tell(&self, connections: &[String], changes: &[Change], deadline: Instant) {
        let (gone, silent) = (Mutex::new(Vec::new()), Mutex::new(HashSet::new()));
        let (begun, posted) = (AtomicU32::new(0), AtomicU32::new(0));
        let failed = AtomicU32::new(0);
        let post_all = async {
            for change in changes {
                let frame = change.to_frame();
                let is_listening = |id: &&String| silent.lock().is_ok_and(|silent| !silent.contains(*id));
                let listening: Vec<&String> = connections.iter().filter(is_listening).collect();
                stream::iter(listening)
                    .for_each_concurrent(AT_ONCE, async |connection_id| {
                        begun.fetch_add(1, Ordering::Relaxed);
                        let Err(error) = self.sockets.post(connection_id, &frame).await else {
                            posted.fetch_add(1, Ordering::Relaxed);
                            return;
                        };
                        if let Ok(mut silent) = silent.lock() {
                            silent.insert(connection_id);
                        }
                        match (error, gone.lock()) {
                            (PostError::Gone, Ok(mut gone)) => gone.push(connection_id.as_str()),
                            (error, _) => {
                                failed.fetch_add(1, Ordering::Relaxed);
                                tracing::warn!(%error, "a page was not told of what changed");
                            }
                        }
                    })
                    .await;
            }
        };
        let is_done = tokio::time::timeout_at(deadline, post_all).await.is_ok();
        if !is_done {
            tracing::warn!(
                connections = connections.len(),
                frames = changes.len(),
                "not every page could be told in time"
            );
        }
        let gone = gone.into_inner().unwrap_or_default();
        let (posted, failed) = (posted.into_inner(), failed.into_inner());
        let ended = posted + failed + u32::try_from(gone.len()).unwrap_or_default();
        for (outcome, count) in [
            (PostOutcome::Posted, posted),
            (PostOutcome::Gone, ended - posted - failed),
            (PostOutcome::Failed, failed),
            (PostOutcome::Late, begun.into_inner() - ended),
        ] {
            tell_some(Metric::RealtimePosts(outcome), count);
        }
        if let Err(error) = self.forget(&gone).await {
            tracing::warn!(%error, connections = gone.len(), "closed connections are not forgotten yet");
        }
    }

    async fn forget(&self, gone: &[&str]) -> Result<(), DbError> {
        if gone.is_empty() {
            return Ok(());
        }
        self.database
            .run_within(FORGET_TIME, async |client| connections::close(client, gone).await)
            .await
    }
}

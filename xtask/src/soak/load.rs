//! Customers who write, and agents who answer every fourth message.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::PATIENCE;
use crate::stack::{StackFile, connect};

/// More than agents can answer within WhatsApp's six seconds for each.
const CUSTOMERS: usize = 400;
/// Which share of the messages is answered: one of so many.
const ANSWERED: usize = 4;
/// How many of the last webhooks come once more where a fault is that.
const RECENT: usize = 500;
/// What all ids of customers' messages begin with.
pub(super) const WAMID: &str = "wamid.soak.";

/// Everybody who writes, and what they wrote.
pub(super) struct Load {
    pub(super) stack: StackFile,
    pub(super) http: Client,
    /// Phone number and conversation.
    customers: Vec<(String, i64)>,
    turns: AtomicUsize,
    written: Mutex<Written>,
}

/// What was written.
#[derive(Default)]
pub(super) struct Written {
    /// The customers' messages.
    pub(super) wamids: BTreeSet<String>,
    /// The agents' answers that were taken.
    pub(super) answers: BTreeSet<String>,
    /// The last webhooks, oldest first.
    pub(super) recent: VecDeque<String>,
    /// How often a request was made again, because it was not answered or refused for now.
    pub(super) repeated: usize,
}

impl Load {
    /// Customers who have written a first time.
    pub(super) async fn prepare(stack: &StackFile) -> Result<Self> {
        const CONVERSATIONS: &str = "select substr(customer_phone, 2), id from chat_conversations where customer_phone like '+4918%' order by 1";
        let mut load = Self {
            stack: stack.clone(),
            http: Client::new(),
            customers: Vec::new(),
            turns: AtomicUsize::new(0),
            written: Mutex::default(),
        };
        for number in 0..CUSTOMERS {
            load.write(&format!("4918{number:08}")).await?;
        }
        let database = connect(&stack.database_url).await?;
        let begun = Instant::now();
        while load.customers.len() < CUSTOMERS {
            let rows = database.query(CONVERSATIONS, &[]).await?;
            load.customers = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            if begun.elapsed() > PATIENCE {
                bail!("{} of {CUSTOMERS} customers have a conversation", load.customers.len());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(load)
    }

    pub(super) fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next customer writes, and may be answered.
    pub(super) async fn turn(&self) -> Result<()> {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let (phone, conversation) = &self.customers[turn % self.customers.len()];
        self.write(phone).await?;
        // Each customer is answered at times.
        if (turn / self.customers.len() + turn).is_multiple_of(ANSWERED) {
            self.answer(*conversation).await?;
        }
        Ok(())
    }

    /// Writes as a customer. Meta posts a webhook again until it is taken.
    async fn write(&self, phone: &str) -> Result<()> {
        let wamid = format!("{WAMID}{}", Uuid::new_v4().simple());
        let webhook = self.stack.customer_text(phone, &wamid, "Is anybody there?");
        {
            let mut written = self.written();
            written.wamids.insert(wamid);
            written.recent.push_back(webhook.clone());
            if written.recent.len() > RECENT {
                written.recent.pop_front();
            }
        }
        let post = || self.stack.post_webhook(&self.http, webhook.clone());
        self.until_taken("a webhook", || async { Ok(post().await? == StatusCode::OK) })
            .await
    }

    /// Answers as an agent. Their page sends again under the same id until it is told what became of it.
    async fn answer(&self, conversation: i64) -> Result<()> {
        let id = Uuid::now_v7().to_string();
        let url = format!("{}/api/live-chat/send-message", self.stack.api_url);
        let message = json!({"conversation_id": conversation, "message_id": id, "message": "We are."});
        let post = || {
            self.http
                .post(&url)
                .bearer_auth(&self.stack.agent_token)
                .json(&message)
                .send()
        };
        self.until_taken("an answer", || async {
            let answer = post().await?;
            let status = answer.status();
            if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
                let reply: Value = answer.json().await.unwrap_or_default();
                bail!("an answer was refused with {status} {}", reply["error"]["code"]);
            }
            Ok(status.is_success())
        })
        .await?;
        self.written().answers.insert(id);
        Ok(())
    }

    /// Tries each second until it is `true`. A request that is not answered counts as not taken.
    async fn until_taken<F: Future<Output = Result<bool>>>(&self, what: &str, attempt: impl Fn() -> F) -> Result<()> {
        let begun = Instant::now();
        loop {
            match attempt().await {
                Ok(true) => return Ok(()),
                Err(error) if error.downcast_ref::<reqwest::Error>().is_none() => return Err(error),
                _ if begun.elapsed() > PATIENCE => bail!("{what} was not taken within {} s", PATIENCE.as_secs()),
                _ => self.written().repeated += 1,
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// What Graph took: the id of each answer, as often as it took it.
    pub(super) async fn taken_by_graph(&self) -> Result<Vec<String>> {
        let url = format!("{}/_simulator/messages", self.stack.simulator_url);
        let taken: Vec<Value> = self.http.get(url).send().await?.error_for_status()?.json().await?;
        let ids = taken
            .iter()
            .filter_map(|message| message["body"]["biz_opaque_callback_data"].as_str());
        Ok(ids.map(str::to_owned).collect())
    }
}

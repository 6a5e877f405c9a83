//! A dead-letter queue, read without consuming: what is received is hidden for a while and given back at the end.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Result, anyhow};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, Message, MessageSystemAttributeName};

/// What one call of SQS takes.
const BATCH: usize = 10;
/// How long a received message is hidden (seconds): long enough to read the others meanwhile, and the longest time for which it is
/// away when the command is killed.
const HIDDEN: i32 = 120;
/// A receive that waits asks all of SQS's servers, one that does not may find nothing although there is something (seconds).
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>.
const WAIT: i32 = 1;
/// How many answers in a row without anything new mean that there is nothing more.
const EMPTY_ANSWERS: usize = 2;

/// A dead-letter queue.
pub(super) struct DeadLetters {
    client: Client,
    url: String,
    /// The receipts of what is hidden by us, by message id.
    held: HashMap<String, String>,
    seen: BTreeSet<String>,
}

/// Why reading ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing more came, or only what had come before.
    All,
    /// As many as asked for were read.
    Limit,
}

/// Which messages are sent back.
#[derive(Debug)]
pub(super) enum Wanted {
    All,
    Ids(BTreeSet<String>),
}

/// What became of messages that were sent back.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Redriven {
    /// On the source queue, and no longer here.
    pub(super) moved: usize,
    /// On the source queue, and still here: SQS did not delete them.
    pub(super) doubled: Vec<String>,
    /// Not sent, where they were; with AWS's error code.
    pub(super) failed: Vec<(String, String)>,
    /// Asked for and not found.
    pub(super) absent: BTreeSet<String>,
}

impl DeadLetters {
    pub(super) fn new(client: Client, url: String) -> Self {
        Self {
            client,
            url,
            held: HashMap::new(),
            seen: BTreeSet::new(),
        }
    }

    /// Reads messages until `enough` says so or all were seen, and gives them back.
    pub(super) async fn read(&mut self, enough: impl Fn(&[Message]) -> bool) -> Result<(Vec<Message>, End)> {
        let mut messages = Vec::new();
        let ended = loop {
            if enough(&messages) {
                break Ok(End::Limit);
            }
            match self.receive().await {
                Ok(batch) if batch.is_empty() => break Ok(End::All),
                Ok(batch) => messages.extend(batch),
                Err(error) => break Err(error),
            }
        };
        self.give_back().await;
        ended.map(|end| (messages, end))
    }

    /// Sends messages back to `to`, as they are. Each leaves this queue only after SQS confirmed the send.
    pub(super) async fn redrive(&mut self, to: &str, wanted: Wanted) -> Result<Redriven> {
        let mut redriven = Redriven::default();
        let mut missing = match &wanted {
            Wanted::All => BTreeSet::new(),
            Wanted::Ids(ids) => ids.clone(),
        };
        let ended = loop {
            if matches!(wanted, Wanted::Ids(_)) && missing.is_empty() {
                break Ok(());
            }
            let batch = match self.receive().await {
                Ok(batch) if batch.is_empty() => break Ok(()),
                Ok(batch) => batch,
                Err(error) => break Err(error),
            };
            let failed_before = redriven.failed.len();
            let mut tried = 0;
            for message in batch {
                let id = message.message_id.clone().unwrap_or_default();
                if matches!(wanted, Wanted::All) || missing.remove(&id) {
                    tried += 1;
                    self.move_one(to, id, message, &mut redriven).await;
                }
            }
            // One message may be at fault; when all of a batch are, it is the queue or the permissions.
            if tried > 0 && redriven.failed.len() - failed_before == tried {
                break Ok(());
            }
        };
        self.give_back().await;
        redriven.absent = missing;
        ended.map(|()| redriven)
    }

    async fn move_one(&mut self, to: &str, id: String, message: Message, redriven: &mut Redriven) {
        let group = system_attribute(&message, &MessageSystemAttributeName::MessageGroupId);
        let sent = self
            .client
            .send_message()
            .queue_url(to)
            .set_message_group_id(group)
            .set_message_body(message.body)
            .set_message_attributes(message.message_attributes)
            .send()
            .await;
        if let Err(error) = sent {
            redriven.failed.push((id, code(&error)));
            return;
        }
        let Some(receipt) = self.held.remove(&id) else {
            redriven.doubled.push(id);
            return;
        };
        let deleted = self
            .client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&receipt)
            .send();
        if deleted.await.is_ok() {
            redriven.moved += 1;
        } else {
            self.held.insert(id.clone(), receipt);
            redriven.doubled.push(id);
        }
    }

    /// The next messages that were not seen before. None when there are no more.
    async fn receive(&mut self) -> Result<Vec<Message>> {
        for _ in 0..EMPTY_ANSWERS {
            let answer = self
                .client
                .receive_message()
                .queue_url(&self.url)
                .max_number_of_messages(i32::try_from(BATCH).unwrap_or(1))
                .visibility_timeout(HIDDEN)
                .wait_time_seconds(WAIT)
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .message_attribute_names("All")
                .send()
                .await
                .map_err(|error| anyhow!("the queue cannot be read: {}", code(&error)))?;
            let mut messages = answer.messages.unwrap_or_default();
            for message in &messages {
                if let (Some(id), Some(receipt)) = (&message.message_id, &message.receipt_handle) {
                    self.held.insert(id.clone(), receipt.clone());
                }
            }
            messages.retain(|message| self.seen.insert(message.message_id.clone().unwrap_or_default()));
            // What was seen before may come again, when its time is over.
            if !messages.is_empty() {
                return Ok(messages);
            }
        }
        Ok(Vec::new())
    }

    /// Lets everything that was received be received again, by whoever comes next. What cannot be given back comes by itself.
    async fn give_back(&mut self) {
        let receipts: Vec<String> = self.held.drain().map(|(_, receipt)| receipt).collect();
        for batch in receipts.chunks(BATCH) {
            let entries = batch.iter().enumerate().map(|(index, receipt)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(0)
                    .build()
                    .expect("id and receipt handle are set")
            });
            let request = self
                .client
                .change_message_visibility_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries.collect()));
            if let Err(error) = request.send().await {
                eprintln!(
                    "warning: {} messages stay hidden for up to {HIDDEN} s: {}",
                    batch.len(),
                    code(&error)
                );
            }
        }
    }
}

/// A system attribute as SQS gives it.
pub(super) fn system_attribute(message: &Message, name: &MessageSystemAttributeName) -> Option<String> {
    message.attributes.as_ref()?.get(name).cloned()
}

/// AWS's code of an error: its texts may quote what was sent.
fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    code.unwrap_or("no answer").to_owned()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::primitives::Blob;
    use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};

    use super::*;

    struct Queues {
        client: Client,
        dead: String,
        source: String,
    }

    impl Queues {
        async fn new() -> Self {
            let client = Client::new(&shared::testing::emulated_aws().await);
            let create = async || {
                let name = format!("dlq-{}", uuid::Uuid::new_v4());
                let made = client.create_queue().queue_name(name).send().await;
                made.unwrap().queue_url.unwrap()
            };
            let (dead, source) = (create().await, create().await);
            Self { client, dead, source }
        }

        async fn put(&self, body: &str, group: &str) -> String {
            let text = MessageAttributeValue::builder()
                .data_type("String")
                .string_value("gzip+base64");
            let bytes = MessageAttributeValue::builder()
                .data_type("Binary")
                .binary_value(Blob::new([0, 255]));
            let sent = self
                .client
                .send_message()
                .queue_url(&self.dead)
                .message_group_id(group)
                .message_body(body)
                .message_attributes("encoding", text.build().unwrap())
                .message_attributes("bytes", bytes.build().unwrap())
                .send()
                .await;
            sent.unwrap().message_id.unwrap()
        }

        fn letters(&self) -> DeadLetters {
            DeadLetters::new(self.client.clone(), self.dead.clone())
        }

        /// (visible, hidden).
        async fn count(&self, url: &str) -> (u32, u32) {
            let visible = QueueAttributeName::ApproximateNumberOfMessages;
            let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
            let answer = self
                .client
                .get_queue_attributes()
                .queue_url(url)
                .attribute_names(visible.clone())
                .attribute_names(hidden.clone())
                .send()
                .await
                .unwrap();
            let attributes = answer.attributes.unwrap();
            (
                attributes[&visible].parse().unwrap(),
                attributes[&hidden].parse().unwrap(),
            )
        }
    }

    fn ids(messages: &[Message]) -> BTreeSet<String> {
        messages
            .iter()
            .filter_map(|message| message.message_id.clone())
            .collect()
    }

    #[tokio::test]
    async fn reading_shows_every_message_once_and_takes_none() {
        let queues = Queues::new().await;
        let mut expected = BTreeSet::new();
        for index in 0..23 {
            expected.insert(queues.put(&index.to_string(), "g").await);
        }
        for _ in 0..2 {
            let (messages, end) = queues.letters().read(|_| false).await.unwrap();
            assert_eq!(end, End::All);
            assert_eq!((messages.len(), ids(&messages)), (23, expected.clone()));
            assert_eq!(queues.count(&queues.dead).await, (23, 0));
        }
        let (messages, end) = queues.letters().read(|messages| messages.len() >= 5).await.unwrap();
        assert_eq!(end, End::Limit);
        assert!(messages.len() < 23);
        assert_eq!(queues.count(&queues.dead).await, (23, 0));
    }

    #[tokio::test]
    async fn a_message_goes_back_as_it_was_and_its_neighbours_stay() {
        let queues = Queues::new().await;
        let stays = queues.put("stays", "g1").await;
        let goes = queues.put("goes é\n", "g2").await;
        let unknown = "no-such-message".to_owned();
        let wanted = Wanted::Ids(BTreeSet::from([goes.clone(), unknown.clone()]));
        let redriven = queues.letters().redrive(&queues.source, wanted).await.unwrap();
        let expected = Redriven {
            moved: 1,
            absent: BTreeSet::from([unknown]),
            ..Redriven::default()
        };
        assert_eq!(redriven, expected);
        assert_eq!(queues.count(&queues.dead).await, (1, 0));
        let (left, _) = queues.letters().read(|_| false).await.unwrap();
        assert_eq!(ids(&left), BTreeSet::from([stays]));

        let mut source = DeadLetters::new(queues.client.clone(), queues.source.clone());
        let (arrived, _) = source.read(|_| false).await.unwrap();
        let [message] = &arrived[..] else {
            panic!("{} messages", arrived.len())
        };
        assert_eq!(message.body.as_deref(), Some("goes é\n"));
        let group = system_attribute(message, &MessageSystemAttributeName::MessageGroupId);
        assert_eq!(group.as_deref(), Some("g2"));
        let attributes = message.message_attributes.as_ref().unwrap();
        assert_eq!(attributes["encoding"].string_value.as_deref(), Some("gzip+base64"));
        assert_eq!(attributes["bytes"].binary_value, Some(Blob::new([0, 255])));
    }

    #[tokio::test]
    async fn all_messages_go_back() {
        let queues = Queues::new().await;
        for index in 0..12 {
            queues.put(&index.to_string(), "g").await;
        }
        let redriven = queues.letters().redrive(&queues.source, Wanted::All).await.unwrap();
        assert_eq!((redriven.moved, redriven.failed.len()), (12, 0));
        assert_eq!(queues.count(&queues.dead).await, (0, 0));
        assert_eq!(queues.count(&queues.source).await, (12, 0));
    }

    #[tokio::test]
    async fn what_cannot_be_sent_stays_where_it_is() {
        let queues = Queues::new().await;
        for index in 0..3 {
            queues.put(&index.to_string(), "g").await;
        }
        let nowhere = format!("{}-gone", queues.source);
        let redriven = queues.letters().redrive(&nowhere, Wanted::All).await.unwrap();
        assert_eq!((redriven.moved, redriven.failed.len()), (0, 3));
        assert!(redriven.failed[0].1.contains("NonExistentQueue"), "{redriven:?}");
        assert_eq!(queues.count(&queues.dead).await, (3, 0));
    }
}

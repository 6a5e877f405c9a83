//! SQS: publishing units, and giving records back for later.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry,
};

use crate::telemetry;
use crate::whatsapp::json::text;
use crate::whatsapp::unit::{
    CORRELATION_ATTRIBUTE, ENCODING_ATTRIBUTE, GZIP_BASE64, PART_ATTRIBUTE, QueueMessage, RECEIVED_AT_ATTRIBUTE,
};

/// What one `SendMessageBatch` takes, in messages and in bytes.
const BATCH_MESSAGES: usize = 10;
const BATCH_SIZE: usize = 1024 * 1024;
/// Attributes count; ours stay below this (bytes).
const ATTRIBUTES_SIZE: usize = 512;
/// How often a batch is tried in all; together with the waits well below the time an HTTP function has.
const ATTEMPTS: u32 = 4;

/// Not everything reached the queue.
#[derive(Debug, thiserror::Error)]
#[error("{unsent} of {total} messages did not reach the queue: {reason}")]
pub struct QueueError {
    /// How many are not known to be on the queue.
    pub unsent: usize,
    /// Of how many.
    pub total: usize,
    /// AWS's error code.
    pub reason: String,
}

/// One queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Publishes all messages, in batches; entries that SQS did not take are sent again.
    ///
    /// # Errors
    /// When some message is not known to be on the queue after all attempts. Those that are on it stay there: the consumer takes every
    /// item any number of times.
    pub async fn publish(&self, messages: &[QueueMessage]) -> Result<(), QueueError> {
        for batch in batches(messages) {
            let mut unsent: Vec<&QueueMessage> = batch.iter().collect();
            let mut attempt = 1;
            while let Err(reason) = self.publish_batch(&mut unsent).await {
                tracing::warn!(unsent = unsent.len(), attempt, reason, "SQS did not take all messages");
                if attempt == ATTEMPTS {
                    return Err(QueueError {
                        unsent: unsent.len(),
                        total: messages.len(),
                        reason,
                    });
                }
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
                attempt += 1;
            }
        }
        Ok(())
    }

    /// Publishes triggers: messages that only make something sooner that a clock does anyway. Best effort, and never for longer than
    /// `deadline`.
    pub async fn trigger(&self, messages: &[QueueMessage], deadline: Duration) {
        // Boxed, because the type of the SDK's call within a handler is too deep for the compiler.
        match tokio::time::timeout(deadline, Box::pin(self.publish(messages))).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "triggers were not sent: their work waits for the clock"),
            Err(_) => tracing::warn!("triggers were not sent in time: their work waits for the clock"),
        }
    }

    /// Sends one batch and leaves in `unsent` what SQS did not take.
    async fn publish_batch(&self, unsent: &mut Vec<&QueueMessage>) -> Result<(), String> {
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for (index, message) in unsent.iter().enumerate() {
            request = request.entries(entry(index, message));
        }
        let answer = request.send().await.map_err(|error| {
            let code = error.as_service_error().and_then(|error| error.meta().code());
            code.unwrap_or("no answer").to_owned()
        })?;
        let taken: Vec<usize> = answer
            .successful()
            .iter()
            .filter_map(|entry| entry.id().parse().ok())
            .collect();
        let mut index = 0;
        unsent.retain(|_| {
            index += 1;
            !taken.contains(&(index - 1))
        });
        if unsent.is_empty() {
            return Ok(());
        }
        let code = answer.failed().first().map(|entry| entry.code().to_owned());
        Err(code.unwrap_or_else(|| "incomplete answer".to_owned()))
    }

    /// How often a message is received before the queue gives it to its dead-letter queue. `None` where it has none, or does not say.
    pub async fn max_receive_count(&self) -> Option<u32> {
        let answer = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::RedrivePolicy)
            .send()
            .await
            .ok()?;
        let policy = answer.attributes?.remove(&QueueAttributeName::RedrivePolicy)?;
        text(&serde_json::from_str(&policy).ok()?, "maxReceiveCount")?
            .parse()
            .ok()
    }

    /// Hides records for some time before they are delivered again. Best effort: a record that cannot be hidden comes back when its
    /// visibility timeout ends.
    pub async fn hide(&self, receipts: &[(&str, Duration)]) {
        for batch in receipts.chunks(BATCH_MESSAGES) {
            let mut request = self.client.change_message_visibility_batch().queue_url(&self.url);
            for (index, (receipt, delay)) in batch.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(*receipt)
                    .visibility_timeout(i32::try_from(delay.as_secs()).unwrap_or(i32::MAX))
                    .build()
                    .expect("id and receipt handle are set");
                request = request.entries(entry);
            }
            if let Err(error) = request.send().await {
                let code = error.as_service_error().and_then(|error| error.meta().code());
                tracing::warn!(code, "visibility of records not changed");
            }
        }
    }
}

/// Divides messages so that each batch is within SQS's limits.
fn batches(messages: &[QueueMessage]) -> Vec<&[QueueMessage]> {
    let mut batches = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (index, message) in messages.iter().enumerate() {
        let next = message.body.len() + ATTRIBUTES_SIZE;
        if index > start && (index - start == BATCH_MESSAGES || size + next > BATCH_SIZE) {
            batches.push(&messages[start..index]);
            (start, size) = (index, 0);
        }
        size += next;
    }
    if start < messages.len() {
        batches.push(&messages[start..]);
    }
    batches
}

fn entry(index: usize, message: &QueueMessage) -> SendMessageBatchRequestEntry {
    let attribute = |value: &str| {
        MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value)
            .build()
            .expect("the data type is set")
    };
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(&message.body)
        .message_group_id(&message.group);
    if message.packed {
        entry = entry.message_attributes(ENCODING_ATTRIBUTE, attribute(GZIP_BASE64));
    }
    if let Some(part) = &message.part {
        entry = entry.message_attributes(PART_ATTRIBUTE, attribute(part));
    }
    if let Some(received_at) = message.received_at {
        entry = entry.message_attributes(RECEIVED_AT_ATTRIBUTE, attribute(&received_at.to_string()));
    }
    if let Some(id) = message.correlation_id.clone().or_else(telemetry::correlation_id) {
        entry = entry.message_attributes(CORRELATION_ATTRIBUTE, attribute(&id));
    }
    if !message.delay.is_zero() {
        entry = entry.delay_seconds(i32::try_from(message.delay.as_secs()).unwrap_or(i32::MAX));
    }
    entry.build().expect("id and body are set")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_within_both_limits_of_sqs() {
        let message = |size: usize| QueueMessage {
            body: "x".repeat(size),
            group: "g".to_owned(),
            ..QueueMessage::default()
        };
        let lengths = |sizes: &[usize]| {
            let messages: Vec<_> = sizes.iter().map(|size| message(*size)).collect();
            batches(&messages).iter().map(|batch| batch.len()).collect::<Vec<_>>()
        };
        assert_eq!(lengths(&[1; 23]), [10, 10, 3]);
        assert_eq!(lengths(&[600_000, 600_000, 1, 1]), [1, 3]);
        assert_eq!(lengths(&[1_047_552]), [1]);
        assert!(lengths(&[]).is_empty());
    }
}

//! S3: the bucket with the customers' files. Nothing in it is public; a browser gets a link that lives for minutes.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::{SignedDuration, Timestamp};

use crate::domain::served::Served;

/// Links that are asked for within one such span of the clock are the same, so that a browser finds the file in its cache.
const LINK_SPAN: SignedDuration = SignedDuration::from_mins(15);
/// From the beginning of its span: a link lives between 15 and 30 minutes.
const LINK_LIFE: Duration = Duration::from_mins(30);

/// One attempt of a call: 100 MB within the region take some seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// S3 did not do it. Names no file.
#[derive(Debug, thiserror::Error)]
#[error("S3 failed: {0}")]
pub struct StorageError(String);

/// A link to a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// Whoever has it has the file: never logged, never stored.
    pub url: String,
    /// When it stops to work.
    pub expires_at: Timestamp,
}

/// One bucket.
#[derive(Debug, Clone)]
pub struct Storage {
    client: Client,
    bucket: String,
}

impl Storage {
    /// The bucket of this name.
    #[must_use]
    pub fn new(aws: &aws_config::SdkConfig, bucket: String) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .build();
        let config = aws_sdk_s3::config::Builder::from(aws)
            // An emulator has no host name for each bucket.
            .force_path_style(aws.endpoint_url().is_some())
            .timeout_config(timeouts)
            // Uploads carry their SHA-256; and a link signs no header that a browser would have to send.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Self {
            client: Client::from_conf(config),
            bucket,
        }
    }

    /// Stores a file from the disk, read as it is sent. S3 refuses it where it does not have this hash when it arrives.
    ///
    /// # Errors
    /// When S3 did not take it, or nobody knows whether it did.
    pub async fn put_file(
        &self,
        key: &str,
        path: &Path,
        content_type: &str,
        sha256: &[u8],
    ) -> Result<(), StorageError> {
        let body = ByteStream::from_path(path)
            .await
            .map_err(|_| StorageError("the file cannot be read".to_owned()))?;
        let request = self.client.put_object().bucket(&self.bucket).key(key).body(body);
        let request = request
            .content_type(content_type)
            .checksum_sha256(BASE64_STANDARD.encode(sha256));
        request.send().await.map(drop).map_err(|error| failure(&error))
    }

    /// Deletes a file. One that is not there is deleted.
    ///
    /// # Errors
    /// When nobody knows whether it is gone.
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        let request = self.client.delete_object().bucket(&self.bucket).key(key);
        request.send().await.map(drop).map_err(|error| failure(&error))
    }

    /// A link to a file, under the name and the type that it shall be served with. Made without asking S3.
    ///
    /// It ends with the credentials that signed it, which on Lambda live for hours; environments with other credentials make other links.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn link(&self, key: &str, served: &Served, now: Timestamp) -> Result<Link, StorageError> {
        let from = span_start(now);
        let presigning = PresigningConfig::builder()
            .start_time(SystemTime::from(from))
            .expires_in(LINK_LIFE)
            .build()
            .expect("half an hour is below S3's week");
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let request = request
            .response_content_type(&served.content_type)
            .response_content_disposition(&served.disposition)
            // What lies under a key never changes.
            .response_cache_control("private, max-age=1800, immutable")
            .presigned(presigning)
            .await
            .map_err(|error| failure(&error))?;
        Ok(Link {
            url: request.uri().to_owned(),
            expires_at: from + LINK_LIFE,
        })
    }
}

/// The quarter of an hour that `now` is in.
fn span_start(now: Timestamp) -> Timestamp {
    let seconds = now.as_second();
    let start = seconds - seconds.rem_euclid(LINK_SPAN.as_secs());
    Timestamp::from_second(start).expect("it is at most a quarter of an hour before a time")
}

/// AWS's code, without the words, which name the object.
fn failure<E, R>(error: &aws_sdk_s3::error::SdkError<E, R>) -> StorageError
where
    E: aws_sdk_s3::error::ProvideErrorMetadata,
{
    let code = error.as_service_error().and_then(|error| error.meta().code());
    StorageError(code.unwrap_or("no answer").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_begin_with_the_quarter_of_an_hour() {
        for (now, expected) in [
            ("2026-07-01T12:14:59.9Z", "2026-07-01T12:00:00Z"),
            ("2026-07-01T12:15:00Z", "2026-07-01T12:15:00Z"),
            ("2026-07-01T12:59:00Z", "2026-07-01T12:45:00Z"),
        ] {
            let (now, expected): (Timestamp, Timestamp) = (now.parse().unwrap(), expected.parse().unwrap());
            assert_eq!(span_start(now), expected);
        }
    }
}

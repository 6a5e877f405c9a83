//! S3: the bucket with the files of customers and agents. Nothing in it is public; a browser gets a link that lives for minutes.

use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use axum::body::Bytes;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream::{self, BoxStream, StreamExt};
use jiff::{SignedDuration, Timestamp};

use crate::domain::served::Served;

/// Links that are asked for within one such span of the clock are the same, so that a browser finds the file in its cache.
const LINK_SPAN: SignedDuration = SignedDuration::from_mins(15);
/// From the beginning of its span: a link lives between 15 and 30 minutes.
const LINK_LIFE: Duration = Duration::from_mins(30);

/// What a browser has to begin an upload within.
const UPLOAD_LINK_LIFE: Duration = Duration::from_mins(15);
/// What a browser has to send with an upload beside its type: nothing is ever written over, whatever was checked stays as it is.
pub const UPLOAD_CONDITION: (&str, &str) = ("if-none-match", "*");

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

/// The beginning of a file that lies in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glimpse {
    /// Of the whole file, in bytes.
    pub size: u64,
    /// As it was stored.
    pub content_type: Option<String>,
    /// The first bytes.
    pub start: Vec<u8>,
}

/// A file on its way out of the bucket.
pub struct Outflow {
    /// In bytes.
    pub size: u64,
    /// Piece by piece, as fast as they are taken.
    pub bytes: BoxStream<'static, Result<Bytes, StorageError>>,
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

    /// Looks at the first `length` bytes of a file, at least one; `None` where there is no file. Whoever may not list the bucket is told
    /// `AccessDenied` of what is missing, so that counts as missing too.
    ///
    /// # Errors
    /// When S3 does not say.
    pub async fn glimpse(&self, key: &str, length: u64) -> Result<Option<Glimpse>, StorageError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = match request.range(format!("bytes=0-{}", length - 1)).send().await {
            Ok(answer) => answer,
            Err(error) => {
                return match code(&error) {
                    Some("NoSuchKey" | "AccessDenied") => Ok(None),
                    // Of an empty file there is no first byte.
                    Some("InvalidRange") => Ok(Some(Glimpse {
                        size: 0,
                        content_type: None,
                        start: Vec::new(),
                    })),
                    _ => Err(failure(&error)),
                };
            }
        };
        let size = answer
            .content_range()
            .and_then(|range| range.rsplit_once('/')?.1.parse().ok());
        let size = size.ok_or_else(|| StorageError("the answer has no range".to_owned()))?;
        let content_type = answer.content_type().map(str::to_owned);
        let start = answer.body.collect().await.map_err(|_| cut())?;
        Ok(Some(Glimpse {
            size,
            content_type,
            start: start.to_vec(),
        }))
    }

    /// Begins to read a file; `None` where there is none, as in [`Self::glimpse`].
    ///
    /// # Errors
    /// When S3 does not say.
    pub async fn read(&self, key: &str) -> Result<Option<Outflow>, StorageError> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if matches!(code(&error), Some("NoSuchKey" | "AccessDenied")) => return Ok(None),
            Err(error) => return Err(failure(&error)),
        };
        let size = answer.content_length().and_then(|length| u64::try_from(length).ok());
        let size = size.ok_or_else(|| StorageError("the answer has no length".to_owned()))?;
        let bytes = stream::try_unfold(answer.body, async |mut body| {
            let piece = body.try_next().await.map_err(|_| cut())?;
            Ok(piece.map(|piece| (piece, body)))
        });
        Ok(Some(Outflow {
            size,
            bytes: bytes.boxed(),
        }))
    }

    /// A link by which a browser stores one file, of this type and size and no other, where there is none yet. Made without asking S3.
    ///
    /// The browser sends the type and [`UPLOAD_CONDITION`] as headers. The length is signed too; a browser sends it by itself.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn upload_link(
        &self,
        key: &str,
        content_type: &str,
        size: u64,
        now: Timestamp,
    ) -> Result<Link, StorageError> {
        let presigning = PresigningConfig::builder()
            .start_time(SystemTime::from(now))
            .expires_in(UPLOAD_LINK_LIFE)
            .build()
            .expect("a quarter of an hour is below S3's week");
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        let request = request
            .content_type(content_type)
            .content_length(i64::try_from(size).unwrap_or(i64::MAX))
            .if_none_match(UPLOAD_CONDITION.1)
            .presigned(presigning)
            .await
            .map_err(|error| failure(&error))?;
        Ok(Link {
            url: request.uri().to_owned(),
            expires_at: now + UPLOAD_LINK_LIFE,
        })
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
fn failure<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> StorageError {
    StorageError(code(error).unwrap_or("no answer").to_owned())
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(|error| error.meta().code())
}

fn cut() -> StorageError {
    StorageError("the connection ended in the middle of a file".to_owned())
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

//! The consumer's handler on a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![allow(clippy::needless_pass_by_value, reason = "json! literals are passed as they stand")]

mod clock;
mod faults;
mod hostile;
mod ingest;
mod order;
mod put_back;
mod redelivery;
mod support;
mod triggers;

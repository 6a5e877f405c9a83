//! Messages on their way out: the send function and the outbox on a real PostgreSQL, the simulator of Meta, and the consumer that takes its
//! webhooks.
#![allow(clippy::unwrap_used, reason = "a panic of a test's helper says where")]

mod canaries;
mod crashes;
mod files;
mod holds;
mod measured;
mod pace;
mod push;
mod reactions;
mod retries;
mod signals;
mod start;
mod support;
mod table;
mod waiting;

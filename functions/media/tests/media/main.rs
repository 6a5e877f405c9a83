//! Inbound files on a real PostgreSQL, the emulated S3, SQS and Secrets Manager, and the simulator of Meta.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod faults;
mod hosts;
mod support;
mod turns;
mod uploads;
mod work;

//! The whole path, as its users go it. One test at a time: some of them stop the database.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod abuse;
mod canaries;
mod clock;
mod conversation;
mod correlation;
mod deployment;
mod hostile;
mod matrix;
mod mirror;
mod outage;
mod poison;
mod realtime;
mod replay;
mod sending;
mod stack;
mod tenants;
mod tokens;
mod tools;

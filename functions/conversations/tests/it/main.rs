//! The agent's numbers and conversations, asked over HTTP on a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a panic of a test's helper says where")]

mod list;
mod needs;
mod numbers;
mod one;
mod outage;
mod owner;
mod paging;
mod quick_replies;
mod read;
mod receipts;
mod routes;
mod search;
mod support;
mod unread;
mod update;

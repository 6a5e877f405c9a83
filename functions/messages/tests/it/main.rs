//! The messages of a conversation, asked over HTTP on a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a panic of a test's helper says where")]

mod anchors;
mod changes;
mod content;
mod media;
mod paging;
mod requests;
mod search;
mod support;

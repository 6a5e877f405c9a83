//! What the house knows: conversations, messages, and what webhooks and agents do to them. Pure: time and ids are arguments.

pub mod change;
pub mod conversation;
pub mod customer;
pub mod ingest;
pub mod media;
pub mod message;
pub mod page;
pub mod placeholder;
pub mod push;
pub mod quick_reply;
pub mod search;
pub mod send;
pub mod served;
pub mod template;
pub mod upload;
pub mod window;

//! The simulator over real HTTP on loopback: a client in the business's place, a receiver in the
//! place of its webhook endpoint.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calls;
mod customers;
mod faults;
mod harness;
mod media;
mod push;
mod statuses;
mod strictness;
mod templates;

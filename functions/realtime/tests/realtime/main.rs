//! Tickets, sockets and what open pages are told, on a real PostgreSQL; API Gateway's side is a stub that can be told to fail.
#![allow(clippy::unwrap_used, reason = "a panic of a test's helper says where")]

mod frames;
mod push;
mod sockets;
mod support;

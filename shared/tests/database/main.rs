//! The connection to PostgreSQL: pool, errors, a pooler in transaction mode, TLS; and the quarantine as its operators see it.
#![allow(clippy::unwrap_used, reason = "a panic of a test's helper says where")]

mod errors;
mod pgbouncer;
mod pool;
mod pooler;
mod quarantine;
mod tls;

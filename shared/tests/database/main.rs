//! The connection to PostgreSQL: pool, errors, a pooler in transaction mode, TLS; what operators see of the quarantine, and of a customer.
#![allow(clippy::unwrap_used, reason = "a panic of a test's helper says where")]

mod errors;
mod personal_data;
mod pgbouncer;
mod pool;
mod pooler;
mod quarantine;
mod tls;

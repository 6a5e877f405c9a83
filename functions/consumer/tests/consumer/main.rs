//! The consumer's handler on a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![allow(clippy::needless_pass_by_value, reason = "json! literals are passed as they stand")]

mod clock;
mod coexistence;
mod customers;
mod events;
mod extremes;
mod facts;
mod faults;
mod hostile;
mod ingest;
mod kinds;
mod measured;
mod order;
mod ownership;
mod put_back;
mod redelivery;
mod retention;
mod sets;
mod shapes;
mod shown;
mod support;
mod triggers;

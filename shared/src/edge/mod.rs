//! The world outside: Graph, SQS, Secrets Manager. I/O and nothing else.

pub mod graph;
pub mod queue;
pub mod secrets;

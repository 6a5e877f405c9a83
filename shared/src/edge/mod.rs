//! The world outside: Graph, SQS, S3, Secrets Manager, sockets. I/O and nothing else.

pub mod graph;
pub mod queue;
pub mod secrets;
pub mod sockets;
pub mod storage;

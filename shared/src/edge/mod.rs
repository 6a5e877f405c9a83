//! The world outside: Graph, push services, SQS, S3, Secrets Manager, sockets. I/O and nothing else.

pub mod graph;
pub mod push;
pub mod queue;
pub mod secrets;
pub mod sockets;
pub mod storage;

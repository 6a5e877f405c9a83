//! What an attempt to send consists of, whichever function makes it.

pub mod files;

//! What the functions of the live chat have in common. Floors, an arrow only ever goes down: [`tokens`] over [`db`] and [`http`]
//! over [`domain`] over [`whatsapp`]; [`edge`] is I/O and nothing else.

pub mod config;
pub mod db;
pub mod domain;
pub mod edge;
pub mod http;
pub mod start;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tokens;
pub mod whatsapp;

//! What the functions of the live chat have in common. Floors, an arrow only ever goes down: [`start`] over [`http`] over [`outbound`]
//! over [`push`] and [`realtime`] over [`tokens`] over [`db`] over [`edge`] over [`domain`] over [`whatsapp`] over [`telemetry`] and [`metrics`] over [`config`].

pub mod config;
pub mod db;
pub mod domain;
pub mod edge;
pub mod http;
pub mod metrics;
pub mod outbound;
pub mod push;
pub mod realtime;
pub mod start;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod tokens;
pub mod whatsapp;

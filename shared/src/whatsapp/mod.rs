//! The WhatsApp protocol, pure: what a webhook looks like, how it is signed and split, what Graph is sent and what its errors mean.
//! No I/O, no clock; source of the shapes: <https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks>.

pub mod bodies;
pub mod envelope;
pub mod errors;
pub mod json;
pub mod signature;
pub mod split;
pub mod unit;
pub mod webhook;

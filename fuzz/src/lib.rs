//! What comes from outside, as functions of bytes: each panics where a promise is broken. `cargo xtask fuzz` runs them under libFuzzer; the
//! tests of this crate run them over their seeds.

mod seeds;
mod targets;

pub use seeds::seeds;
pub use targets::TARGETS;

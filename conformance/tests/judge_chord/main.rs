//! The model as judge of rings: what sound nodes do is explained, what broken ones do is not.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "../serve_chord/town.rs"]
mod town;

mod clocks;
mod logs;
mod refused;
mod stories;

//! The explorer on models of which the answers are known.

#[macro_use]
#[path = "../packed_number/mod.rs"]
mod packed_number;

mod basics;
mod counts;
mod liveness;
mod models;
mod traces;

//! The explorer on models of which the answers are known.

mod basics;
mod counts;
mod liveness;
mod models;

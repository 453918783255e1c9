//! Peers stepped by hand on virtual links.

mod choking;
mod download;
mod fast;
mod room;
mod serving;
mod story;
mod trace;
mod witness;

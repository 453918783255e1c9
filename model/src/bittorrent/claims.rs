//! The statements that BitTorrent software is held to.

mod tracker;

pub use tracker::TRACKER;

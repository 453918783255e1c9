//! The statements that BitTorrent software is held to.

mod leecher;
mod tracker;

pub use leecher::LEECHER;
pub use tracker::TRACKER;

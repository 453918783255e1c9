//! The reference nodes of BitTorrent on sockets.

mod announce;
pub(crate) mod content;
pub mod leecher;
pub mod peer;
pub mod tracker;

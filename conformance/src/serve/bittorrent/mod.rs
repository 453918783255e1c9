//! The reference nodes of BitTorrent on sockets.

pub(crate) mod content;
pub mod peer;
pub mod tracker;

//! The reference nodes of BitTorrent on sockets.

pub mod tracker;

//! BitTorrent.

pub mod message;
pub mod metainfo;
pub mod pieces;
pub mod properties;
pub mod view;
pub mod watch;
pub mod wire;

//! BitTorrent.

pub mod message;
pub mod metainfo;
pub mod wire;

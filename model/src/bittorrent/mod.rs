//! BitTorrent.

pub mod message;
pub mod metainfo;
pub mod pieces;
pub mod properties;
pub mod view;
pub mod watch;
#[cfg(test)]
mod watch_tests;
pub mod wire;

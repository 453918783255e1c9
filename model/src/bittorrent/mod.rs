//! BitTorrent.

pub mod claims;
pub mod message;
pub mod metainfo;
pub mod mutant;
pub mod node;
pub mod picking;
pub mod pieces;
pub mod properties;
pub mod system;
pub mod tracker;
pub mod tracker_view;
#[cfg(test)]
mod tracker_view_tests;
pub mod view;
pub mod watch;
#[cfg(test)]
mod watch_tests;
pub mod wire;

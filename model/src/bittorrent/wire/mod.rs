//! The bytes of BitTorrent's messages: strict decoders and encoders, without input or output.
//!
//! | module | bytes |
//! |---|---|
//! | [`peer`] | handshake and messages between peers (BEP 3, 4, 5, 6, 10) |
//! | [`extension`] | extension handshake, metadata exchange, peer exchange (BEP 10, 9, 11) |
//! | [`tracker_http`] | announce and scrape over HTTP (BEP 3, 7, 23, 24, 31, 48) |
//! | [`tracker_udp`] | announce and scrape over UDP (BEP 15, 41) |
//! | [`compact`] | peer addresses of 6 and 18 bytes (BEP 23, 7) |
//! | [`fast`] | the allowed-fast set (BEP 6) |
//! | [`torrent_bounds`] | rules that need the torrent: bitfield size, indices, block ranges |

mod bytes;
pub mod compact;
mod error;
pub mod extension;
pub mod fast;
pub(crate) mod fields;
pub mod peer;
pub mod torrent_bounds;
pub mod tracker_http;
pub mod tracker_udp;

pub use error::{ErrorClass, WireError};

#[cfg(test)]
mod tests;

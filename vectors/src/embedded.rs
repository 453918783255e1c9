//! The files of this crate's folder, compiled in.

use crate::file::{VectorError, VectorFile};

/// The JSON Schema that every file satisfies.
pub const SCHEMA: &str = include_str!("../schema.json");

macro_rules! embed {
    ($($path:literal),* $(,)?) => {
        /// Path below the folder of vectors, and text, of every file.
        pub fn files() -> &'static [(&'static str, &'static str)] {
            &[$(($path, include_str!(concat!("../", $path)))),*]
        }
    };
}

embed!(
    "bittorrent/allowed-fast-set.json",
    "bittorrent/allowed-fast.json",
    "bittorrent/bencode.json",
    "bittorrent/bitfield.json",
    "bittorrent/cancel.json",
    "bittorrent/choke.json",
    "bittorrent/extended.json",
    "bittorrent/extension-handshake.json",
    "bittorrent/handshake.json",
    "bittorrent/have-all.json",
    "bittorrent/have-none.json",
    "bittorrent/have.json",
    "bittorrent/http-announce-request.json",
    "bittorrent/http-announce-response.json",
    "bittorrent/http-scrape-request.json",
    "bittorrent/http-scrape-response.json",
    "bittorrent/interested.json",
    "bittorrent/keep-alive.json",
    "bittorrent/metainfo.json",
    "bittorrent/not-interested.json",
    "bittorrent/piece.json",
    "bittorrent/port.json",
    "bittorrent/reject-request.json",
    "bittorrent/request.json",
    "bittorrent/suggest-piece.json",
    "bittorrent/udp-tracker-request.json",
    "bittorrent/udp-tracker-response.json",
    "bittorrent/unchoke.json",
    "bittorrent/unknown.json",
    "bittorrent/ut-metadata.json",
    "bittorrent/ut-pex.json",
);

/// Reads every file.
pub fn load_all() -> Result<Vec<VectorFile>, VectorError> {
    files()
        .iter()
        .map(|(name, text)| VectorFile::parse(name, text))
        .collect()
}

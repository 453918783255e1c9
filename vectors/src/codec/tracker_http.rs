//! Announce and scrape over HTTP: request paths and bodies of replies.

mod reply;
mod request;

use super::Codec;

pub(super) const CODECS: &[Codec] = &[
    Codec {
        protocol: "bittorrent",
        message: "http-announce-request",
        decode: request::decode_announce,
        encode: Some(request::encode_announce),
    },
    Codec {
        protocol: "bittorrent",
        message: "http-scrape-request",
        decode: request::decode_scrape,
        encode: Some(request::encode_scrape),
    },
    Codec {
        protocol: "bittorrent",
        message: "http-announce-response",
        decode: reply::decode_announce,
        encode: Some(reply::encode_announce),
    },
    Codec {
        protocol: "bittorrent",
        message: "http-scrape-response",
        decode: reply::decode_scrape,
        encode: Some(reply::encode_scrape),
    },
];

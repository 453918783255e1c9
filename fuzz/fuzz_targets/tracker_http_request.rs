//! Requests to a tracker over HTTP that are accepted survive an encode.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::wire::tracker_http::{
    QUERY_LIMIT, decode_announce, decode_scrape, encode_announce, encode_scrape,
};

fuzz_target!(|input: &[u8]| {
    if let Ok(request) = decode_announce(input) {
        // Escapes may make the request longer than what is decoded.
        let path = encode_announce("/announce", &request);
        if path.len() <= QUERY_LIMIT {
            assert_eq!(decode_announce(path.as_bytes()), Ok(request));
        }
    }
    if let Ok(request) = decode_scrape(input) {
        let path = encode_scrape("/scrape", &request);
        if path.len() <= QUERY_LIMIT {
            assert_eq!(decode_scrape(path.as_bytes()), Ok(request));
        }
    }
});

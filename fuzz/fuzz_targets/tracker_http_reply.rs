//! Replies of a tracker over HTTP that are accepted survive an encode.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::wire::tracker_http::{
    decode_announce_response, decode_announce_response_tolerant, decode_scrape_response,
    decode_scrape_response_tolerant, encode_announce_response, encode_scrape_response,
};

fuzz_target!(|input: &[u8]| {
    if let Ok((response, tolerances)) = decode_announce_response_tolerant(input) {
        assert_eq!(
            decode_announce_response(input).is_ok(),
            tolerances.is_empty()
        );
        assert_eq!(
            decode_announce_response(&encode_announce_response(&response)),
            Ok(response)
        );
    }
    if let Ok((response, tolerances)) = decode_scrape_response_tolerant(input) {
        assert_eq!(decode_scrape_response(input).is_ok(), tolerances.is_empty());
        assert_eq!(
            decode_scrape_response(&encode_scrape_response(&response)),
            Ok(response)
        );
    }
});

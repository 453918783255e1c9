//! Datagrams from a tracker that are accepted encode to the bytes that were understood.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::wire::tracker_udp::{Family, decode_response, encode_response};

fuzz_target!(|input: &[u8]| {
    for family in [Family::V4, Family::V6] {
        if let Ok((response, used)) = decode_response(input, family) {
            assert_eq!(encode_response(&response), input[..used]);
        }
    }
});

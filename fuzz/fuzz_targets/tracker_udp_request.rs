//! Datagrams to a tracker that are accepted survive an encode.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::wire::tracker_udp::{decode_request, encode_request};

fuzz_target!(|input: &[u8]| {
    let Ok((request, used)) = decode_request(input) else {
        return;
    };
    assert!(used <= input.len());
    let encoded = encode_request(&request);
    assert_eq!(decode_request(&encoded), Ok((request, encoded.len())));
});

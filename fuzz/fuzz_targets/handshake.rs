//! A handshake that is accepted encodes to its bytes, and arrives alike byte by byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::wire::peer::{
    HandshakeDecoder, decode_handshake, encode_handshake,
};

fuzz_target!(|input: &[u8]| {
    if let Ok(handshake) = decode_handshake(input) {
        assert_eq!(encode_handshake(&handshake), input);
    }
    let whole = HandshakeDecoder::new()
        .push(input)
        .map(|(_, handshake)| handshake);
    let mut decoder = HandshakeDecoder::new();
    let mut piecemeal = Ok(None);
    for byte in input {
        match decoder.push(&[*byte]) {
            Ok((_, None)) => {}
            Ok((_, complete)) => {
                piecemeal = Ok(complete);
                break;
            }
            Err(error) => {
                piecemeal = Err(error);
                break;
            }
        }
    }
    assert_eq!(piecemeal, whole);
});

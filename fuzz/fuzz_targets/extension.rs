//! Extension messages that are accepted survive an encode.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::wire::extension::{
    decode_handshake, decode_handshake_tolerant, decode_metadata, decode_metadata_tolerant,
    decode_pex, decode_pex_tolerant, encode_handshake, encode_metadata, encode_pex, pex_faults,
};

fuzz_target!(|input: &[u8]| {
    if let Ok((handshake, tolerances)) = decode_handshake_tolerant(input) {
        assert_eq!(decode_handshake(input).is_ok(), tolerances.is_empty());
        assert_eq!(
            decode_handshake(&encode_handshake(&handshake)),
            Ok(handshake)
        );
    }
    if let Ok((message, tolerances)) = decode_metadata_tolerant(input) {
        assert_eq!(decode_metadata(input).is_ok(), tolerances.is_empty());
        assert_eq!(decode_metadata(&encode_metadata(&message)), Ok(message));
    }
    if let Ok((message, tolerances)) = decode_pex_tolerant(input) {
        assert_eq!(decode_pex(input).is_ok(), tolerances.is_empty());
        pex_faults(&message, false);
        assert_eq!(decode_pex(&encode_pex(&message)), Ok(message));
    }
});

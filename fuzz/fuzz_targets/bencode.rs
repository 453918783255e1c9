//! What the strict decoder accepts is canonical; what only the tolerant one accepts has a note.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bencode::{decode, decode_prefix, decode_tolerant};

fuzz_target!(|input: &[u8]| {
    let tolerant = decode_tolerant(input);
    match decode(input) {
        Ok(value) => {
            assert_eq!(value.encode(), input);
            let decoded = tolerant.expect("what is canonical is tolerable");
            assert!(decoded.tolerances.is_empty());
            assert_eq!(decoded.value, value);
            assert_eq!(decode_prefix(input), Ok((value, input.len())));
        }
        Err(error) => {
            assert!(error.offset <= input.len());
            if let Ok(decoded) = tolerant {
                assert_eq!(decoded.tolerances[0].kind.class(), error.class);
                assert_eq!(decoded.tolerances[0].offset, error.offset);
                assert_eq!(decode(&decoded.value.encode()), Ok(decoded.value));
            }
        }
    }
});

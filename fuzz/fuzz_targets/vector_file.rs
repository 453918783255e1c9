//! A file of vectors that somebody else wrote is refused or verified, whatever is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_vectors::{VectorFile, files, verify};

fuzz_target!(|text: &str| {
    for (name, _) in files() {
        if let Ok(file) = VectorFile::parse(name, text) {
            let outcomes = verify(&file).expect("every embedded name has a wire format");
            assert_eq!(outcomes.len(), file.cases.len());
        }
    }
});

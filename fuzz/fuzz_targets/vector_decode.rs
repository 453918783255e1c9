//! Any bytes as any message become JSON or an error. The first byte chooses the message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_vectors::{Context, decode, messages};

fuzz_target!(|input: &[u8]| {
    let Some((&choice, bytes)) = input.split_first() else {
        return;
    };
    let all: Vec<_> = messages().collect();
    let (protocol, message) = all[usize::from(choice) % all.len()];
    let _ = decode(protocol, message, bytes, &Context::default());
});

//! A stream of messages decodes alike in chunks of any size, holds bounded memory, and encodes to its bytes.
//! The first byte is the size of the chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::message::PeerMessage;
use peerproof_model::bittorrent::wire::WireError;
use peerproof_model::bittorrent::wire::peer::{FrameDecoder, encode_message};

const BOUND: usize = 4096;

/// The messages in front of an error, if there is one, and bytes that make no message yet.
fn drain(stream: &[u8], chunk: usize) -> (Vec<PeerMessage>, Option<WireError>, usize) {
    let mut decoder = FrameDecoder::new(BOUND);
    let mut messages = Vec::new();
    for part in stream.chunks(chunk) {
        decoder.push(part);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(error) => return (messages, Some(error), 0),
            }
        }
        assert!(decoder.pending() < BOUND + 4);
    }
    (messages, None, decoder.pending())
}

fuzz_target!(|input: &[u8]| {
    let Some((&chunk, stream)) = input.split_first() else {
        return;
    };
    let chunked = drain(stream, usize::from(chunk).max(1));
    assert_eq!(chunked, drain(stream, stream.len().max(1)));
    let (messages, error, pending) = chunked;
    let mut encoded = Vec::new();
    for message in &messages {
        encode_message(message, &mut encoded);
    }
    let understood = error.map_or(stream.len() - pending, |error| error.offset);
    assert_eq!(encoded, stream[..understood]);
});

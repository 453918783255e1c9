//! The fast extension, the extension protocol, the metadata exchange.

use super::*;
use crate::bittorrent::message::{ExtensionHandshake, MetadataMessage};
use crate::bittorrent::wire::extension::{encode_handshake, encode_metadata};
use crate::bittorrent::wire::fast::allowed_fast_set;

fn fast() -> Scene {
    seeder().met(PLAIN.with_fast())
}

#[test]
fn the_fast_extension() {
    let plain = || seeder().met(PLAIN);
    fact(
        "fast_messages_only_when_both_have_the_bit",
        fast().heard(PeerMessage::HaveAll),
        plain().heard(PeerMessage::HaveAll),
        plain().heard(all()),
    );
    fact(
        "with_fast_the_pieces_are_declared",
        fast().heard(PeerMessage::HaveAll).quiet(),
        fast().quiet(),
        plain().quiet(),
    );
    let asked = || fast().told(request(0, 0, 9));
    let rejected = PeerMessage::RejectRequest(at(0, 0, 9));
    fact(
        "with_fast_every_request_is_answered_once",
        asked().heard(rejected.clone()),
        asked().quiet(),
        fast().quiet(),
    );
    let again = asked().heard(rejected.clone()).heard(rejected);
    assert!(
        again
            .judge("with_fast_every_request_is_answered_once")
            .is_broken()
    );
}

#[test]
fn allowed_fast() {
    let ip = [80, 4, 4, 200].into();
    let generated = allowed_fast_set(ip, &torrent().metainfo.info_hash(), 3, 3);
    let known = || {
        let expected = Expected {
            ip: Some(ip),
            peer_id: None,
        };
        seeder().expecting(expected).met(PLAIN.with_fast())
    };
    fact(
        "the_allowed_fast_set_is_the_generated_one",
        known()
            .heard(PeerMessage::AllowedFast(generated[0]))
            .quiet(),
        known()
            .heard(PeerMessage::AllowedFast(generated[1]))
            .quiet(),
        known().quiet(),
    );
    let offered = || {
        fast()
            .heard(PeerMessage::AllowedFast(1))
            .told(request(1, 0, 9))
    };
    fact(
        "allowed_fast_requests_are_served_while_choked",
        offered().heard(block(1, 0, 9)),
        offered().quiet(),
        fast().quiet(),
    );
}

fn extended() -> Scene {
    seeder().met(PLAIN.with_extension_protocol())
}

/// An extension handshake of the subject with this size of the metadata.
fn introduction(metadata_size: usize) -> PeerMessage {
    let payload = encode_handshake(&ExtensionHandshake {
        m: [(b"ut_metadata".to_vec(), 3)].into(),
        metadata_size: Some(metadata_size as u32),
        ..ExtensionHandshake::default()
    });
    PeerMessage::Extended { id: 0, payload }
}

#[test]
fn extension_handshakes() {
    let size = torrent().metainfo.raw_info().len();
    fact(
        "extended_messages_only_when_both_have_the_bit",
        extended().heard(introduction(size)),
        seeder().met(PLAIN).heard(introduction(size)),
        extended().quiet(),
    );
    fact(
        "the_extension_handshake_is_sent",
        extended().heard(introduction(size)).quiet(),
        extended().quiet(),
        seeder().met(PLAIN).quiet(),
    );
    let noise = PeerMessage::Extended {
        id: 0,
        payload: b"d1:m".to_vec(),
    };
    fact(
        "the_extension_handshake_is_well_formed",
        extended().heard(introduction(size)),
        extended().heard(noise.clone()),
        extended().quiet(),
    );
    fact(
        "the_metadata_size_is_that_of_the_info",
        extended().heard(introduction(size)),
        extended().heard(introduction(size + 1)),
        extended().heard(noise),
    );
}

fn metadata(id: u8, message: &MetadataMessage) -> PeerMessage {
    PeerMessage::Extended {
        id,
        payload: encode_metadata(message),
    }
}

#[test]
fn metadata_exchange() {
    let info = torrent().metainfo.raw_info().to_vec();
    let total_size = info.len() as u32;
    let data = |piece, data: Vec<u8>| {
        metadata(
            5,
            &MetadataMessage::Data {
                piece,
                total_size,
                data,
            },
        )
    };
    // The neighbour takes metadata under 5, the subject under 3.
    let theirs = encode_handshake(&ExtensionHandshake {
        m: [(b"ut_metadata".to_vec(), 5)].into(),
        ..ExtensionHandshake::default()
    });
    let ready = || {
        let scene = extended().heard(introduction(info.len()));
        scene.told(PeerMessage::Extended {
            id: 0,
            payload: theirs.clone(),
        })
    };
    let asked = |piece| ready().told(metadata(3, &MetadataMessage::Request { piece }));
    let mut garbled = info.clone();
    garbled[0] ^= 1;
    fact(
        "metadata_blocks_are_those_of_the_info",
        asked(0).heard(data(0, info.clone())),
        asked(0).heard(data(0, garbled)),
        asked(0).quiet(),
    );
    fact(
        "metadata_requests_are_answered",
        asked(0).heard(data(0, info.clone())),
        asked(0).quiet(),
        asked(1).quiet(),
    );
    fact(
        "metadata_requests_beyond_the_end_are_rejected",
        asked(1).heard(metadata(5, &MetadataMessage::Reject { piece: 1 })),
        asked(1).quiet(),
        asked(0).quiet(),
    );
}

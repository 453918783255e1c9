//! The fast extension and the extension protocol.

use super::super::{Config, Timer};
use super::room::{Solo, small, torrent};
use crate::bittorrent::message::{
    BlockRequest, ExtensionHandshake, MetadataMessage, PeerMessage, Reserved,
};
use crate::bittorrent::wire::extension::{
    decode_handshake, decode_metadata, encode_handshake, encode_metadata,
};

const FAST: Reserved = Reserved::NONE;

fn block(index: u32, begin: u32) -> BlockRequest {
    BlockRequest {
        index,
        begin,
        length: 1,
    }
}

#[test]
fn a_seed_says_that_it_has_all_and_offers_the_generated_set() {
    let config = Config {
        reserved: FAST.with_fast(),
        allowed_fast: 2,
        ..small(&torrent(8), 9).seeding()
    };
    let mut solo = Solo::new(config);
    solo.join(1, FAST.with_fast());
    let heard = solo.heard(1);
    assert_eq!(heard.first(), Some(&PeerMessage::HaveAll));
    let Some(PeerMessage::AllowedFast(offered)) = heard.get(1).cloned() else {
        panic!("an offer follows");
    };
    // Offered pieces are served while choked, others are rejected.
    solo.tell(1, [PeerMessage::Request(block(offered, 0))]);
    assert!(matches!(solo.heard(1)[..], [PeerMessage::Piece { .. }]));
    let other = (0..8)
        .find(|piece| !heard.contains(&PeerMessage::AllowedFast(*piece)))
        .expect("two of eight");
    solo.tell(1, [PeerMessage::Request(block(other, 0))]);
    assert_eq!(solo.heard(1), [PeerMessage::RejectRequest(block(other, 0))]);
}

#[test]
fn an_offered_piece_is_requested_while_choked() {
    let config = Config {
        reserved: FAST.with_fast(),
        pipeline: 2,
        ..small(&torrent(3), 9)
    };
    let mut solo = Solo::new(config);
    solo.join(1, FAST.with_fast());
    solo.tell(1, [PeerMessage::HaveAll, PeerMessage::AllowedFast(2)]);
    let heard = solo.heard(1);
    assert_eq!(heard[0], PeerMessage::HaveNone);
    assert!(heard.ends_with(&[
        PeerMessage::Request(block(2, 0)),
        PeerMessage::Request(block(2, 1))
    ]));
}

#[test]
fn a_rejected_piece_is_not_asked_again_before_the_next_unchoke() {
    let mut solo = Solo::new(Config {
        reserved: FAST.with_fast(),
        ..small(&torrent(1), 9)
    });
    solo.join(1, FAST.with_fast());
    solo.tell(1, [PeerMessage::HaveAll, PeerMessage::Unchoke]);
    solo.heard(1);
    solo.tell(1, [PeerMessage::RejectRequest(block(0, 0))]);
    assert_eq!(solo.heard(1), []);
    solo.tell(1, [PeerMessage::Choke, PeerMessage::Unchoke]);
    assert_eq!(solo.heard(1), [PeerMessage::Request(block(0, 0))]);
}

#[test]
fn an_unasked_block_ends_the_link_but_a_cancelled_one_does_not() {
    let mut config = Config {
        reserved: FAST.with_fast(),
        ..small(&torrent(1), 9)
    };
    config.timing.answer = Some(std::time::Duration::from_secs(60));
    let mut solo = Solo::new(config);
    solo.join(1, FAST.with_fast());
    solo.tell(1, [PeerMessage::HaveAll, PeerMessage::Unchoke]);
    let late = PeerMessage::Piece {
        index: 0,
        begin: 0,
        data: vec![0],
    };
    solo.expire(Timer::Answer(super::room::address(1)));
    assert!(solo.heard(1).contains(&PeerMessage::Cancel(block(0, 0))));
    solo.tell(1, [late.clone()]);
    assert!(!solo.has_closed(1));
    solo.tell(1, [late]);
    assert!(solo.has_closed(1));
}

#[test]
fn the_metadata_is_handed_over_and_nothing_behind_its_end() {
    let torrent = torrent(2);
    let reserved = Reserved::NONE.with_extension_protocol();
    let mut solo = Solo::new(Config {
        reserved,
        ..small(&torrent, 9).seeding()
    });
    solo.join(1, reserved);
    let Some(PeerMessage::Extended { id: 0, payload }) = solo.heard(1).pop() else {
        panic!("an extension handshake follows the bitfield");
    };
    let theirs = decode_handshake(&payload).expect("canonical");
    assert_eq!(
        theirs.metadata_size,
        Some(torrent.metainfo.raw_info().len() as u32)
    );
    let id = theirs.m[&b"ut_metadata"[..]];
    let ours = ExtensionHandshake {
        m: [(b"ut_metadata".to_vec(), 9)].into(),
        ..ExtensionHandshake::default()
    };
    solo.tell(
        1,
        [PeerMessage::Extended {
            id: 0,
            payload: encode_handshake(&ours),
        }],
    );
    for piece in [0, 1] {
        let payload = encode_metadata(&MetadataMessage::Request { piece });
        solo.tell(1, [PeerMessage::Extended { id, payload }]);
    }
    let answers: Vec<_> = solo
        .heard(1)
        .into_iter()
        .map(|message| match message {
            PeerMessage::Extended { id: 9, payload } => {
                decode_metadata(&payload).expect("canonical")
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let info = torrent.metainfo.raw_info();
    assert_eq!(
        answers,
        [
            MetadataMessage::Data {
                piece: 0,
                total_size: info.len() as u32,
                data: info.to_vec()
            },
            MetadataMessage::Reject { piece: 1 },
        ]
    );
}

//! What the observer may conclude, and what it may not.

use std::sync::Arc;

use super::message::{BlockRequest, Handshake, PeerId, PeerMessage, Reserved};
use super::metainfo::Metainfo;
use super::pieces::Pieces;
use super::properties;
use super::view::{Frame, Observation, PeerView, Torrent};
use super::watch::Watch;
use crate::property::Judgement;

const CHOKED: &str = "requests_only_while_unchoked";

/// A leecher on link 0 whose neighbour has everything, shook hands and said so; all of it was read.
fn leecher() -> Watch {
    leecher_asked(CHOKED)
}

fn leecher_asked(name: &str) -> Watch {
    let content: Arc<[u8]> = (0..64u8).collect();
    let metainfo = Metainfo::from_content(b"t", 32, &content, None).expect("a small torrent");
    let handshake = Handshake {
        reserved: Reserved::NONE,
        info_hash: metainfo.info_hash(),
        peer_id: PeerId(*b"-XX0001-abcdefghijkl"),
    };
    let torrent = Arc::new(Torrent {
        metainfo,
        content: Some(content),
    });
    let view = PeerView::new(torrent, Pieces::none(2), None);
    let property = properties::peer_property(name).expect("a property");
    let mut watch = Watch::new(view, [property]);
    watch.observe(Observation::Opened {
        link: 0,
        by_subject: true,
    });
    watch.observe(heard(Frame::Handshake(handshake)));
    watch.observe(told(Frame::Handshake(handshake)));
    say(&mut watch, PeerMessage::Bitfield(vec![0xc0]));
    watch.settle(0);
    watch
}

fn told(frame: Frame) -> Observation {
    Observation::Told { link: 0, frame }
}

fn heard(frame: Frame) -> Observation {
    Observation::Heard { link: 0, frame }
}

fn say(watch: &mut Watch, message: PeerMessage) {
    watch.observe(told(Frame::Message(message)));
}

fn request(watch: &mut Watch) {
    watch.observe(heard(Frame::Message(PeerMessage::Request(BlockRequest {
        index: 0,
        begin: 0,
        length: 16,
    }))));
}

#[test]
fn a_request_before_any_unchoke_is_broken() {
    let mut watch = leecher();
    request(&mut watch);
    assert!(watch.judgement(CHOKED).is_broken());
}

#[test]
fn a_request_that_crosses_a_choke_is_nobodys_fault() {
    let mut watch = leecher();
    say(&mut watch, PeerMessage::Unchoke);
    watch.settle(0);
    say(&mut watch, PeerMessage::Choke);
    request(&mut watch);
    assert_eq!(watch.judgement(CHOKED), Judgement::Unknown);
}

#[test]
fn a_request_after_a_choke_that_was_read_is_broken() {
    let mut watch = leecher();
    say(&mut watch, PeerMessage::Unchoke);
    watch.settle(0);
    request(&mut watch);
    assert_eq!(watch.judgement(CHOKED), Judgement::Holds);
    say(&mut watch, PeerMessage::Choke);
    watch.settle(0);
    request(&mut watch);
    assert!(watch.judgement(CHOKED).is_broken());
}

#[test]
fn an_answer_proves_that_everything_before_its_request_was_read() {
    let mut watch = leecher();
    say(&mut watch, PeerMessage::Choke);
    let block = BlockRequest {
        index: 0,
        begin: 0,
        length: 16,
    };
    say(&mut watch, PeerMessage::Request(block));
    watch.observe(heard(Frame::Message(PeerMessage::Piece {
        index: 0,
        begin: 0,
        data: (0..16).collect(),
    })));
    assert!(watch.view().links[&0].told.spoke);
    assert!(watch.view().links[&0].told.requests.is_empty());
    request(&mut watch);
    assert!(watch.judgement(CHOKED).is_broken());
}

#[test]
fn a_have_on_one_link_shows_that_the_piece_was_read_on_another() {
    let mut watch = leecher_asked("only_verified_pieces_are_announced");
    watch.observe(Observation::Opened {
        link: 1,
        by_subject: true,
    });
    for begin in [0, 16] {
        say(
            &mut watch,
            PeerMessage::Piece {
                index: 0,
                begin,
                data: (0..32).skip(begin as usize).take(16).collect(),
            },
        );
    }
    let have = Frame::Message(PeerMessage::Have(0));
    watch.observe(Observation::Heard {
        link: 1,
        frame: have,
    });
    assert_eq!(
        watch.judgement("only_verified_pieces_are_announced"),
        Judgement::Holds
    );
    let have = Frame::Message(PeerMessage::Have(1));
    watch.observe(Observation::Heard {
        link: 1,
        frame: have,
    });
    assert!(
        watch
            .judgement("only_verified_pieces_are_announced")
            .is_broken()
    );
}

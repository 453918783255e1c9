//! For every fact about peers three moments by hand: one where it holds, one that breaks it, one that tells nothing.

mod connection;
mod extensions;
mod requests;
mod serving;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::bittorrent::message::{
    BlockRequest, Handshake, InfoHash, PeerId, PeerMessage, Reserved,
};
use crate::bittorrent::metainfo::Metainfo;
use crate::bittorrent::pieces::Pieces;
use crate::bittorrent::properties;
use crate::bittorrent::view::{Expected, Frame, Link, Moment, Observation, PeerView, Torrent};
use crate::property::Judgement::{self, Holds, Unknown};

const PLAIN: Reserved = Reserved::NONE;
const SUBJECT: PeerId = PeerId([9; 20]);

/// Three pieces of 65536 bytes, the last one 40000 bytes long.
fn torrent() -> Arc<Torrent> {
    let content: Vec<u8> = (0..2 * 65536 + 40000_u32)
        .map(|byte| (byte % 249) as u8)
        .collect();
    let metainfo = Metainfo::from_content(b"moments", 65536, &content, None).expect("small");
    Arc::new(Torrent {
        metainfo,
        content: Some(content.into()),
    })
}

/// What was seen, and whose doings they are.
#[derive(Clone)]
struct Scene {
    view: PeerView,
    seen: Vec<Observation>,
    talking: Link,
}

/// A subject that began with those pieces and has two slots.
fn subject(has: &[u32]) -> Scene {
    let mut pieces = Pieces::none(3);
    for piece in has {
        pieces.insert(*piece);
    }
    Scene {
        view: PeerView::new(torrent(), pieces, Some(2)),
        seen: Vec::new(),
        talking: 0,
    }
}

fn seeder() -> Scene {
    subject(&[0, 1, 2])
}

fn leecher() -> Scene {
    subject(&[])
}

fn handshake(reserved: Reserved, peer_id: PeerId) -> Handshake {
    let info_hash = torrent().metainfo.info_hash();
    Handshake {
        reserved,
        info_hash,
        peer_id,
    }
}

fn foreign() -> Handshake {
    Handshake {
        info_hash: InfoHash([7; 20]),
        ..handshake(PLAIN, PeerId([1; 20]))
    }
}

impl Scene {
    fn see(mut self, observation: Observation) -> Self {
        self.seen.push(observation);
        self
    }

    /// Speaks of that link from now on.
    fn on(mut self, link: Link) -> Self {
        self.talking = link;
        self
    }

    /// Something is known beforehand of the neighbour.
    fn expecting(mut self, expected: Expected) -> Self {
        self.view.expected.insert(self.talking, expected);
        self
    }

    fn opened(self, by_subject: bool) -> Self {
        let link = self.talking;
        self.see(Observation::Opened { link, by_subject })
    }

    fn told_frame(self, frame: Frame) -> Self {
        let link = self.talking;
        self.see(Observation::Told { link, frame })
    }

    fn heard_frame(self, frame: Frame) -> Self {
        let link = self.talking;
        self.see(Observation::Heard { link, frame })
    }

    fn told(self, message: PeerMessage) -> Self {
        self.told_frame(Frame::Message(message))
    }

    fn heard(self, message: PeerMessage) -> Self {
        self.heard_frame(Frame::Message(message))
    }

    /// A neighbour dialled, and both ends shook hands with these bits.
    fn met(self, reserved: Reserved) -> Self {
        let name = PeerId([self.talking as u8 + 1; 20]);
        self.opened(false)
            .told_frame(Frame::Handshake(handshake(reserved, name)))
            .heard_frame(Frame::Handshake(handshake(reserved, SUBJECT)))
    }

    fn quiet(self) -> Self {
        let link = self.talking;
        self.see(Observation::Quiet(link))
    }

    fn ended(self) -> Self {
        let link = self.talking;
        self.see(Observation::ClosedBySubject(link))
    }

    /// What the fact says of the last moment.
    fn judge(self, fact: &str) -> Judgement {
        let property = properties::peer_property(fact).expect("a fact about peers");
        let Self {
            mut view, mut seen, ..
        } = self;
        let now = seen.pop().expect("something was seen");
        for observation in &seen {
            view.apply(observation);
        }
        (property.judge)(&Moment { view, now })
    }
}

/// Asserts what the fact says of three scenes.
fn fact(name: &str, holds: Scene, breaks: Scene, unknown: Scene) {
    assert_eq!(holds.judge(name), Holds, "{name}");
    let broken = breaks.judge(name);
    assert!(broken.is_broken(), "{name}: {broken:?}");
    assert_eq!(unknown.judge(name), Unknown, "{name}");
}

fn at(index: u32, begin: u32, length: u32) -> BlockRequest {
    BlockRequest {
        index,
        begin,
        length,
    }
}

fn request(index: u32, begin: u32, length: u32) -> PeerMessage {
    PeerMessage::Request(at(index, begin, length))
}

/// The right bytes of a block.
fn block(index: u32, begin: u32, length: u32) -> PeerMessage {
    let torrent = torrent();
    let content = torrent.content.as_ref().expect("it comes with its content");
    let start = torrent.piece_start(index) as usize + begin as usize;
    let data = content[start..start + length as usize].to_vec();
    PeerMessage::Piece { index, begin, data }
}

fn wrong(index: u32, begin: u32, length: u32) -> PeerMessage {
    PeerMessage::Piece {
        index,
        begin,
        data: vec![255; length as usize],
    }
}

fn all() -> PeerMessage {
    PeerMessage::Bitfield(vec![0xe0])
}

#[test]
fn names_are_unique() {
    let mut names = BTreeSet::new();
    for property in properties::peer() {
        assert!(names.insert(property.name), "{}", property.name);
    }
}

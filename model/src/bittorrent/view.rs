//! What an outside observer knows of one peer, the *subject*, from what is said on its links.
//!
//! The explorer feeds the view from the links of the model, the harness from sockets; both ask the same
//! [`properties`](super::properties) about each moment. The observer keeps its own books: a subject that
//! forgets what it was told is caught because the view does not forget.

mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::message::{
    AnnounceRequest, AnnounceResponse, BlockRequest, Handshake, PeerId, PeerMessage,
};
use super::metainfo::Metainfo;
use super::pieces::Pieces;

use self::said::says;
pub use self::said::{Offence, Said};

/// Names one connection of the subject; the neighbour behind it is the other end.
pub type Link = u32;

/// A torrent as the observer knows it, shared by every state.
#[derive(Clone, Debug)]
pub struct Torrent {
    /// The metainfo.
    pub metainfo: Metainfo,
    /// The content, where the observer has it.
    pub content: Option<Arc<[u8]>>,
}

// A model has one torrent: comparing or hashing its content in every state would only cost time.
impl PartialEq for Torrent {
    fn eq(&self, other: &Self) -> bool {
        self.metainfo.info_hash() == other.metainfo.info_hash()
    }
}
impl Eq for Torrent {}
impl PartialOrd for Torrent {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Torrent {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.metainfo.info_hash().cmp(&other.metainfo.info_hash())
    }
}
impl Hash for Torrent {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.metainfo.info_hash().hash(state);
    }
}

impl Torrent {
    /// How many pieces there are.
    pub fn pieces(&self) -> u32 {
        self.metainfo.info().layout.pieces()
    }

    /// Bytes of a piece; none when the torrent lacks it.
    pub fn piece_len(&self, index: u32) -> u32 {
        self.metainfo.piece_len(index).unwrap_or(0)
    }

    /// Where a piece begins within the content.
    pub fn piece_start(&self, index: u32) -> u64 {
        u64::from(index) * u64::from(self.metainfo.info().layout.piece_length())
    }

    /// Whether the range lies inside its piece and is not empty.
    pub fn contains(&self, block: &BlockRequest) -> bool {
        block.index < self.pieces()
            && block.length > 0
            && u64::from(block.begin) + u64::from(block.length)
                <= u64::from(self.piece_len(block.index))
    }

    /// Whether `data` is what the content holds there; `None` when the observer lacks the content.
    pub fn is_right(&self, index: u32, begin: u32, data: &[u8]) -> Option<bool> {
        let content = self.content.as_ref()?;
        let start = self.piece_start(index) + u64::from(begin);
        let end = start + data.len() as u64;
        let inside = begin as usize + data.len() <= self.piece_len(index) as usize;
        Some(inside && content.get(start as usize..end as usize) == Some(data))
    }
}

/// What is said on a link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Frame {
    /// The first 68 bytes.
    Handshake(Handshake),
    /// A message after the handshake.
    Message(PeerMessage),
    /// Bytes that no decoder accepts; the text is the decoder's reason.
    Malformed(String),
}

/// One thing that an observer sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Observation {
    /// A connection stands.
    Opened {
        /// Which.
        link: Link,
        /// Whether the subject dialled.
        by_subject: bool,
    },
    /// The neighbour said something, and the subject has received it.
    Told {
        /// On which link.
        link: Link,
        /// What.
        frame: Frame,
    },
    /// The subject said something.
    Heard {
        /// On which link.
        link: Link,
        /// What.
        frame: Frame,
    },
    /// The subject ended the connection.
    ClosedBySubject(Link),
    /// The neighbour ended the connection, or the network did.
    ClosedByNeighbour(Link),
    /// Everything that the subject owes on this link had its time to arrive.
    Quiet(Link),
    /// The subject has said nothing on this link for so many seconds.
    Silence {
        /// On which link.
        link: Link,
        /// Whole seconds without a byte.
        seconds: u32,
    },
    /// The subject announced itself to the tracker.
    Announced(AnnounceRequest),
    /// The subject asked the tracker for something that is no announce; the text is the decoder's reason.
    AnnouncedMalformed(String),
    /// The tracker answered.
    Answered(AnnounceResponse),
    /// The interval that the tracker named has passed since the last announce.
    AnnounceDue,
    /// Everything that the subject owes to anybody had its time.
    Calm,
    /// The subject was asked to end, and has ended.
    Left,
    /// The subject takes no connection at that port.
    Refused {
        /// The port.
        port: u16,
    },
    /// Ten seconds have passed since the subject's last unchoke decision: its choices are now due.
    ChokeRound,
}

/// One link of the subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkView {
    /// Whether the subject dialled.
    pub opened_by_subject: bool,
    /// What the neighbour said and the subject has received.
    pub told: Said,
    /// What the subject said.
    pub heard: Said,
    /// Bytes of blocks that the subject was given here since the last choke round.
    pub received_this_round: u64,
    /// Pieces of which the subject was given wrong bytes here.
    pub spoiled: BTreeSet<u32>,
}

impl LinkView {
    /// Whether both ends set the bit of the fast extension.
    pub fn fast(&self) -> bool {
        let sets = |said: &Said| said.handshake.as_ref().is_some_and(|h| h.reserved.fast());
        sets(&self.told) && sets(&self.heard)
    }

    /// Whether both ends set the bit of the extension protocol.
    pub fn extended(&self) -> bool {
        let sets = |said: &Said| {
            said.handshake
                .as_ref()
                .is_some_and(|h| h.reserved.extension_protocol())
        };
        sets(&self.told) && sets(&self.heard)
    }

    /// Whether both ends have shaken hands about the same torrent.
    pub fn stands(&self) -> bool {
        let torrent = |said: &Said| said.handshake.map(|handshake| handshake.info_hash);
        torrent(&self.told).is_some() && torrent(&self.told) == torrent(&self.heard)
    }

    /// Whether nobody has closed it.
    pub fn is_open(&self) -> bool {
        !self.told.closed && !self.heard.closed
    }
}

/// A block that the subject had asked for and was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arrived {
    /// Bytes.
    pub length: u32,
    /// Whether they are those of the torrent.
    pub right: bool,
}

/// What is known beforehand of a neighbour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expected {
    /// Where the subject sees it.
    pub ip: Option<Ipv4Addr>,
    /// Who it must be: the peer id that the tracker told.
    pub peer_id: Option<PeerId>,
}

/// What the observer knows of the subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerView {
    /// The torrent they speak of.
    pub torrent: Arc<Torrent>,
    /// The upload slots that the subject states, where it does.
    pub slots: Option<u32>,
    /// The pieces it had from the beginning.
    pub began_with: Pieces,
    /// Blocks with the right bytes that it was given, by piece and offset, with their length.
    pub given: BTreeMap<(u32, u32), u32>,
    /// Pieces of which it was given wrong bytes.
    pub spoiled: BTreeSet<u32>,
    /// Blocks that it asked for and was given, of pieces that are not yet whole, by piece and offset.
    pub assembling: BTreeMap<(u32, u32), Arrived>,
    /// Pieces that came together from right blocks that it had asked for: it must have verified them.
    pub assembled: BTreeSet<u32>,
    /// Pieces that came together with wrong bytes: it had to start them again.
    pub discarded: BTreeSet<u32>,
    /// Blocks that it sent on request; kept only where the observer lacks the content, to assemble pieces.
    pub sent_blocks: BTreeMap<(u32, u32), Arc<[u8]>>,
    /// What is known beforehand of the neighbour on a link.
    pub expected: BTreeMap<Link, Expected>,
    /// Its links, open and closed.
    pub links: BTreeMap<Link, LinkView>,
    /// Its announces so far, without the counters that only grow.
    pub announces: Vec<AnnounceRequest>,
    /// What the tracker said last.
    pub answer: Option<AnnounceResponse>,
    /// Whether the interval has passed since the last announce.
    pub announce_due: bool,
}

/// A view and what is seen next: what a property judges.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// What was known before.
    pub view: PeerView,
    /// What is seen now.
    pub now: Observation,
}

impl Moment {
    /// The link that is spoken of now, as it was before.
    pub fn link(&self) -> Option<&LinkView> {
        match &self.now {
            Observation::Opened { link, .. }
            | Observation::Told { link, .. }
            | Observation::Heard { link, .. }
            | Observation::ClosedBySubject(link)
            | Observation::ClosedByNeighbour(link)
            | Observation::Quiet(link)
            | Observation::Silence { link, .. } => self.view.links.get(link),
            _ => None,
        }
    }

    /// The message that the subject says now, with its link as it was before.
    pub fn heard(&self) -> Option<(&LinkView, &PeerMessage)> {
        match &self.now {
            Observation::Heard {
                frame: Frame::Message(message),
                ..
            } => Some((self.link()?, message)),
            _ => None,
        }
    }

    /// The link on which everything that the subject owes had its time to arrive, while it stands.
    pub fn quiet(&self) -> Option<&LinkView> {
        match &self.now {
            Observation::Quiet(_) => self.link().filter(|link| link.is_open()),
            _ => None,
        }
    }

    /// The link that the subject ends now.
    pub fn ended(&self) -> Option<&LinkView> {
        match &self.now {
            Observation::ClosedBySubject(_) => self.link(),
            _ => None,
        }
    }
}

impl PeerView {
    /// A subject without links.
    pub fn new(torrent: Arc<Torrent>, began_with: Pieces, slots: Option<u32>) -> Self {
        Self {
            torrent,
            slots,
            began_with,
            given: BTreeMap::new(),
            spoiled: BTreeSet::new(),
            assembling: BTreeMap::new(),
            assembled: BTreeSet::new(),
            discarded: BTreeSet::new(),
            sent_blocks: BTreeMap::new(),
            expected: BTreeMap::new(),
            links: BTreeMap::new(),
            announces: Vec::new(),
            answer: None,
            announce_due: false,
        }
    }

    /// Whether the subject can have verified the piece: it began with it, or was given all of it rightly.
    pub fn can_have(&self, piece: u32) -> bool {
        if self.began_with.contains(piece) {
            return true;
        }
        let blocks = self.given.range((piece, 0)..=(piece, u32::MAX));
        self.is_covered(piece, blocks.map(|((_, begin), length)| (*begin, *length)))
    }

    /// Whether the subject must have verified the piece.
    pub fn must_have(&self, piece: u32) -> bool {
        self.began_with.contains(piece) || self.assembled.contains(&piece)
    }

    /// Whether the blocks, which come in the order of their offsets, make up the whole piece.
    fn is_covered(&self, piece: u32, blocks: impl Iterator<Item = (u32, u32)>) -> bool {
        let mut covered = 0_u32;
        for (begin, length) in blocks {
            if begin > covered {
                return false;
            }
            covered = covered.max(begin.saturating_add(length));
        }
        piece < self.torrent.pieces() && covered >= self.torrent.piece_len(piece)
    }

    /// Whether the subject has asked for a block of the piece, and has not finished or lost it since.
    pub fn is_started(&self, piece: u32) -> bool {
        let asked = |said: &Said| said.requests.iter().any(|block| block.index == piece);
        let mut open = self.links.values().filter(|link| link.is_open());
        let here = self.assembling.range((piece, 0)..=(piece, u32::MAX));
        here.count() > 0 || open.any(|link| asked(&link.heard))
    }

    /// The bytes of a piece that the subject neither has nor has asked for, as ranges in order.
    pub fn unrequested(&self, piece: u32) -> Vec<std::ops::Range<u32>> {
        let open = self.links.values().filter(|link| link.is_open());
        let asked = open.flat_map(|link| link.heard.requests.iter());
        let asked = asked.filter(|block| block.index == piece);
        let here = self.assembling.range((piece, 0)..=(piece, u32::MAX));
        let mut taken: Vec<(u32, u32)> = asked
            .map(|block| (block.begin, block.begin.saturating_add(block.length)))
            .chain(here.map(|((_, begin), block)| (*begin, begin.saturating_add(block.length))))
            .collect();
        taken.sort_unstable();
        let end = self.torrent.piece_len(piece);
        let mut free = Vec::new();
        let mut at = 0;
        for (begin, until) in taken.into_iter().chain([(end, end)]) {
            if begin > at {
                free.push(at..begin.min(end));
            }
            at = at.max(until);
        }
        free
    }

    /// The pieces that the subject can have verified.
    pub fn possible(&self) -> Pieces {
        let mut pieces = Pieces::none(self.torrent.pieces());
        for piece in 0..self.torrent.pieces() {
            if self.can_have(piece) {
                pieces.insert(piece);
            }
        }
        pieces
    }

    /// Enters one observation into the books.
    pub fn apply(&mut self, observation: &Observation) {
        let pieces = self.torrent.pieces();
        match observation {
            Observation::Opened { link, by_subject } => {
                self.links.insert(
                    *link,
                    LinkView {
                        opened_by_subject: *by_subject,
                        told: Said::nothing(pieces),
                        heard: Said::nothing(pieces),
                        received_this_round: 0,
                        spoiled: BTreeSet::new(),
                    },
                );
            }
            Observation::Told { link, frame } => self.on_told(*link, frame),
            Observation::Heard { link, frame } => self.on_heard(*link, frame),
            Observation::ClosedBySubject(link) => {
                if let Some(link) = self.links.get_mut(link) {
                    link.heard.closed = true;
                }
            }
            Observation::ClosedByNeighbour(link) => {
                if let Some(link) = self.links.get_mut(link) {
                    link.told.closed = true;
                }
            }
            Observation::Announced(announce) => {
                self.announces.push(announce.clone());
                self.announce_due = false;
            }
            Observation::Answered(answer) => self.answer = Some(answer.clone()),
            Observation::AnnounceDue => self.announce_due = true,
            Observation::ChokeRound => {
                for link in self.links.values_mut() {
                    link.received_this_round = 0;
                }
            }
            Observation::Quiet(_)
            | Observation::Silence { .. }
            | Observation::AnnouncedMalformed(_)
            | Observation::Calm
            | Observation::Left
            | Observation::Refused { .. } => {}
        }
    }

    fn on_told(&mut self, link: Link, frame: &Frame) {
        let torrent = Arc::clone(&self.torrent);
        let Some(view) = self.links.get_mut(&link) else {
            return;
        };
        let fast = view.fast();
        let mut assembled = None;
        if let Frame::Message(PeerMessage::Piece { index, begin, data }) = frame {
            let block = BlockRequest {
                index: *index,
                begin: *begin,
                length: data.len() as u32,
            };
            let right = torrent.is_right(*index, *begin, data) != Some(false);
            assembled = view
                .heard
                .requests
                .contains(&block)
                .then_some((block, right));
            view.received_this_round = view.received_this_round.saturating_add(data.len() as u64);
            match torrent.is_right(*index, *begin, data) {
                Some(true) => {
                    let length = data.len() as u32;
                    let known = self.given.entry((*index, *begin)).or_insert(0);
                    *known = length.max(*known);
                }
                Some(false) => {
                    view.spoiled.insert(*index);
                    self.spoiled.insert(*index);
                }
                None => {}
            }
        }
        says(&mut view.told, &mut view.heard, frame, &torrent, fast);
        if let Some((block, right)) = assembled {
            self.assemble(block, right);
        }
    }

    /// The subject got a block that it had asked for.
    fn assemble(&mut self, block: BlockRequest, right: bool) {
        let (piece, length) = (block.index, block.length);
        let arrived = Arrived { length, right };
        self.assembling.insert((piece, block.begin), arrived);
        let here = || self.assembling.range((piece, 0)..=(piece, u32::MAX));
        if !self.is_covered(
            piece,
            here().map(|((_, begin), block)| (*begin, block.length)),
        ) {
            return;
        }
        if here().all(|(_, block)| block.right) {
            self.assembled.insert(piece);
        } else {
            self.discarded.insert(piece);
        }
        self.assembling.retain(|(index, _), _| *index != piece);
    }

    fn on_heard(&mut self, link: Link, frame: &Frame) {
        let torrent = Arc::clone(&self.torrent);
        let Some(view) = self.links.get_mut(&link) else {
            return;
        };
        let fast = view.fast();
        if let Frame::Message(PeerMessage::Piece { index, begin, data }) = frame {
            let block = BlockRequest {
                index: *index,
                begin: *begin,
                length: data.len() as u32,
            };
            if torrent.content.is_none() && torrent.contains(&block) && view.told.awaits(&block) {
                let bytes = Arc::from(data.as_slice());
                self.sent_blocks.insert((*index, *begin), bytes);
            }
        }
        says(&mut view.heard, &mut view.told, frame, &torrent, fast);
    }
}

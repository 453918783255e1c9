//! What an outside observer knows of one peer, the *subject*, from what is said on its links.
//!
//! The explorer feeds the view from the links of the model, the harness from sockets; both ask the same
//! [`properties`](super::properties) about each moment. The observer keeps its own books: a subject that
//! forgets what it was told is caught because the view does not forget.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::message::{AnnounceRequest, AnnounceResponse, BlockRequest, Handshake, PeerMessage};
use super::metainfo::Metainfo;
use super::pieces::Pieces;
use super::wire::extension;

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
    /// Ten seconds have passed since the subject's last unchoke decision: its choices are now due.
    ChokeRound,
}

/// What one end of a link has said so far.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said {
    /// Its handshake.
    pub handshake: Option<Handshake>,
    /// Whether it chokes the other end; links begin choked.
    pub choking: bool,
    /// Whether it is interested; links begin without interest.
    pub interested: bool,
    /// The pieces it announced.
    pub has: Pieces,
    /// Whether it sent a bitfield, have-all or have-none.
    pub declared: bool,
    /// Whether it has sent any message after the handshake that counts as the first one.
    pub spoke: bool,
    /// Its requests that were neither answered, cancelled nor dropped by a choke.
    pub requests: BTreeSet<BlockRequest>,
    /// Its requests that a choke or a cancel dropped; an answer may still be under way.
    pub withdrawn: BTreeSet<BlockRequest>,
    /// Pieces that the other end may request while choked (BEP 6).
    pub allowed_fast: BTreeSet<u32>,
    /// How many requests it keeps without dropping any, where it says so (BEP 10, `reqq`).
    pub keeps_requests: Option<u32>,
    /// Why what it said obliges the other end to close, if it does.
    pub offence: Option<&'static str>,
    /// Whether it closed.
    pub closed: bool,
}

impl Said {
    /// A request of this end got its answer.
    fn answered(&mut self, block: &BlockRequest) {
        if !self.requests.remove(block) {
            self.withdrawn.remove(block);
        }
    }

    fn nothing(pieces: u32) -> Self {
        Self {
            handshake: None,
            choking: true,
            interested: false,
            has: Pieces::none(pieces),
            declared: false,
            spoke: false,
            requests: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            allowed_fast: BTreeSet::new(),
            keeps_requests: None,
            offence: None,
            closed: false,
        }
    }
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

    /// Whether nobody has closed it.
    pub fn is_open(&self) -> bool {
        !self.told.closed && !self.heard.closed
    }
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

impl PeerView {
    /// A subject without links.
    pub fn new(torrent: Arc<Torrent>, began_with: Pieces, slots: Option<u32>) -> Self {
        Self {
            torrent,
            slots,
            began_with,
            given: BTreeMap::new(),
            spoiled: BTreeSet::new(),
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
        let mut covered = 0;
        for ((_, begin), length) in self.given.range((piece, 0)..=(piece, u32::MAX)) {
            if *begin > covered {
                return false;
            }
            covered = covered.max(begin + length);
        }
        piece < self.torrent.pieces() && covered >= self.torrent.piece_len(piece)
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
            | Observation::Left => {}
        }
    }

    fn on_told(&mut self, link: Link, frame: &Frame) {
        let torrent = Arc::clone(&self.torrent);
        let Some(view) = self.links.get_mut(&link) else {
            return;
        };
        let fast = view.fast();
        if let Frame::Message(PeerMessage::Piece { index, begin, data }) = frame {
            view.received_this_round = view.received_this_round.saturating_add(data.len() as u64);
            match torrent.is_right(*index, *begin, data) {
                Some(true) => {
                    let length = data.len() as u32;
                    let known = self.given.entry((*index, *begin)).or_insert(0);
                    *known = length.max(*known);
                }
                Some(false) => {
                    self.spoiled.insert(*index);
                }
                None => {}
            }
        }
        says(&mut view.told, &mut view.heard, frame, &torrent, fast);
    }

    fn on_heard(&mut self, link: Link, frame: &Frame) {
        let torrent = Arc::clone(&self.torrent);
        let Some(view) = self.links.get_mut(&link) else {
            return;
        };
        let fast = view.fast();
        says(&mut view.heard, &mut view.told, frame, &torrent, fast);
    }
}

/// Enters what `speaker` says to `listener`.
fn says(speaker: &mut Said, listener: &mut Said, frame: &Frame, torrent: &Torrent, fast: bool) {
    let message = match frame {
        Frame::Handshake(handshake) => {
            if handshake.info_hash != torrent.metainfo.info_hash() {
                speaker.offence = Some("a handshake for another torrent");
            }
            speaker.handshake = Some(*handshake);
            return;
        }
        Frame::Malformed(_) => {
            speaker.offence = Some("bytes that are no message");
            return;
        }
        Frame::Message(message) => message,
    };
    match message {
        PeerMessage::Choke => {
            speaker.choking = true;
            // With the fast extension a choke rejects nothing by itself (BEP 6).
            if !fast {
                let dropped = std::mem::take(&mut listener.requests);
                listener.withdrawn.extend(dropped);
            }
        }
        PeerMessage::Unchoke => speaker.choking = false,
        PeerMessage::Interested => speaker.interested = true,
        PeerMessage::NotInterested => speaker.interested = false,
        PeerMessage::Have(piece) => {
            speaker.has.insert(*piece);
            if *piece >= torrent.pieces() {
                speaker.offence = Some("a have for a piece that the torrent lacks");
            }
        }
        PeerMessage::Bitfield(bits) => match Pieces::from_bitfield(torrent.pieces(), bits) {
            Ok(has) => {
                speaker.has = has;
                if speaker.spoke {
                    speaker.offence = Some("a bitfield that is not the first message");
                }
                speaker.declared = true;
            }
            Err(_) => speaker.offence = Some("a bitfield that does not fit the torrent"),
        },
        PeerMessage::HaveAll if fast => {
            speaker.has = Pieces::all(torrent.pieces());
            speaker.declared = true;
        }
        PeerMessage::HaveNone if fast => speaker.declared = true,
        PeerMessage::Request(block) => {
            speaker.withdrawn.remove(block);
            speaker.requests.insert(*block);
        }
        PeerMessage::Cancel(block) => {
            let withdrawn = speaker.requests.take(block);
            speaker.withdrawn.extend(withdrawn);
        }
        PeerMessage::Piece { index, begin, data } => {
            let block = BlockRequest {
                index: *index,
                begin: *begin,
                length: data.len() as u32,
            };
            listener.answered(&block);
        }
        PeerMessage::RejectRequest(block) if fast => {
            listener.answered(block);
        }
        PeerMessage::Extended { id: 0, payload } => {
            let handshake = extension::decode_handshake_tolerant(payload).ok();
            if let Some(reqq) = handshake.and_then(|(handshake, _)| handshake.reqq) {
                speaker.keeps_requests = Some(reqq);
            }
        }
        PeerMessage::AllowedFast(piece) if fast => {
            speaker.allowed_fast.insert(*piece);
        }
        PeerMessage::SuggestPiece(_)
        | PeerMessage::HaveAll
        | PeerMessage::HaveNone
        | PeerMessage::RejectRequest(_)
        | PeerMessage::AllowedFast(_)
            if !fast =>
        {
            speaker.offence = Some("a message of the fast extension without the extension");
        }
        _ => {}
    }
    // Keep-alives and the extension handshake do not take the place of the first message.
    if !matches!(
        message,
        PeerMessage::KeepAlive | PeerMessage::Extended { .. }
    ) {
        speaker.spoke = true;
    }
}

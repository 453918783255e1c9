//! What a peer is told before it starts.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::Address;
use crate::bittorrent::message::{PeerId, Reserved};
use crate::bittorrent::mutant::Mutant;
use crate::bittorrent::pieces::Pieces;
use crate::bittorrent::view::Torrent;

/// The figures and choices that the sources leave to a peer. [`Config::new`] has what deployed software does.
#[derive(Clone, Debug)]
pub struct Config {
    /// The torrent. Where it comes with its content, the peer reads its pieces there; else it keeps what it verified.
    pub torrent: Arc<Torrent>,
    /// The pieces it begins with. With a piece set here, the torrent must come with its content.
    pub initial: Pieces,
    /// Who it is.
    pub peer_id: PeerId,
    /// Where it listens, if it knows: it does not dial itself.
    pub address: Option<Address>,
    /// The port that it announces.
    pub listen_port: u16,
    /// The tracker it talks to, if any.
    pub tracker: Option<Address>,
    /// How many peers it asks the tracker for.
    pub numwant: Option<u32>,
    /// The extensions that it announces: none, the fast extension, the extension protocol.
    pub reserved: Reserved,
    /// Neighbours that may request because they are the best; usually 3 or 4. The lectures differ: 5 or 4 in all.
    pub regular_slots: usize,
    /// Whether one more neighbour, drawn at random, may request.
    pub optimistic_slot: bool,
    /// Bytes of a block that it requests: 16384; 1 in models.
    pub block_length: u32,
    /// Requests that it keeps outstanding on a link; usually 5 to 250.
    pub pipeline: usize,
    /// Requests of one neighbour that it keeps; `reqq` of the extension handshake.
    pub most_requests: usize,
    /// The longest block that it serves: 16384; some deployed software serves up to 131072.
    pub longest_request: u32,
    /// Whether it asks everyone for the last blocks.
    pub endgame: bool,
    /// Whether its first piece is a random one.
    pub random_first: bool,
    /// Pieces that a neighbour may request while choked: 10 where the fast extension is used; 0 switches it off.
    pub allowed_fast: usize,
    /// Connections, both ways together.
    pub most_links: usize,
    /// Whether the announced totals are counted. They only grow, so models switch it off.
    pub count_bytes: bool,
    /// How long after one block of a neighbour the next one is sent; nothing: at once.
    pub upload_pause: Option<Duration>,
    /// The lengths of its timers.
    pub timing: Timing,
    /// The one thing that it does wrong, if any.
    pub mutant: Option<Mutant>,
}

/// The lengths of a peer's timers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two decisions about the regular slots: 10 s.
    pub rechoke: Duration,
    /// Between two moves of the optimistic slot: 30 s.
    pub optimistic: Duration,
    /// Until a keep-alive follows the last word, under 2 minutes; nothing: no keep-alives.
    pub keep_alive: Option<Duration>,
    /// Until a silent neighbour is left; nothing: never.
    pub idle: Option<Duration>,
    /// Until a neighbour that owes a block is asked no more than one block at a time; nothing: never.
    pub answer: Option<Duration>,
    /// Until an announce without an answer is repeated.
    pub announce: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            rechoke: Duration::from_secs(10),
            optimistic: Duration::from_secs(30),
            keep_alive: Some(Duration::from_secs(100)),
            idle: Some(Duration::from_secs(180)),
            answer: Some(Duration::from_secs(60)),
            announce: Duration::from_secs(60),
        }
    }
}

impl Timing {
    /// For models: the periods of the choker only, nothing that depends on how long something takes.
    pub fn untimed() -> Self {
        Self {
            keep_alive: None,
            idle: None,
            answer: None,
            ..Self::default()
        }
    }
}

impl Config {
    /// A leecher of `torrent` with the figures of deployed software and both extensions.
    pub fn new(torrent: Arc<Torrent>, peer_id: PeerId) -> Self {
        let pieces = torrent.pieces();
        Self {
            torrent,
            initial: Pieces::none(pieces),
            peer_id,
            address: None,
            listen_port: 6881,
            tracker: None,
            numwant: None,
            reserved: Reserved::NONE.with_fast().with_extension_protocol(),
            regular_slots: 3,
            optimistic_slot: true,
            block_length: 1 << 14,
            pipeline: 16,
            most_requests: 250,
            longest_request: 1 << 14,
            endgame: true,
            random_first: true,
            allowed_fast: 10,
            most_links: 50,
            count_bytes: true,
            upload_pause: None,
            timing: Timing::default(),
            mutant: None,
        }
    }

    /// A leecher for models: blocks of one byte, no extension, no timer but those of the choker, no totals.
    pub fn small(torrent: Arc<Torrent>, peer_id: PeerId) -> Self {
        Self {
            reserved: Reserved::NONE,
            regular_slots: 1,
            block_length: 1,
            pipeline: 1,
            allowed_fast: 0,
            count_bytes: false,
            timing: Timing::untimed(),
            ..Self::new(torrent, peer_id)
        }
    }

    /// The same with every piece from the beginning.
    #[must_use]
    pub fn seeding(mut self) -> Self {
        self.initial = Pieces::all(self.torrent.pieces());
        self
    }

    /// How many neighbours may request at the same time.
    pub fn slots(&self) -> usize {
        self.regular_slots + usize::from(self.optimistic_slot)
    }
}

/// A configuration within a state. It never changes while a peer lives, so the peer's name stands for all of it.
#[derive(Clone, Debug)]
pub(super) struct Shared(pub(super) Arc<Config>);

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Shared {}
impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Shared {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.peer_id.cmp(&other.0.peer_id)
    }
}
impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.peer_id.hash(state);
    }
}

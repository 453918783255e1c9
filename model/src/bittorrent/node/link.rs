//! What a peer knows of one neighbour.

use std::collections::{BTreeSet, VecDeque};

use crate::bittorrent::message::{BlockRequest, Handshake, PeerId};
use crate::bittorrent::pieces::Pieces;

/// One connection, seen from one end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct LinkState {
    /// Whether this end dialled.
    pub(super) dialled: bool,
    /// Who must answer, where that was known before.
    pub(super) expected: Option<PeerId>,
    /// The neighbour's handshake.
    pub(super) handshake: Option<Handshake>,
    /// Whether both ends announced the fast extension.
    pub(super) fast: bool,
    /// Whether both ends announced the extension protocol.
    pub(super) extended: bool,
    /// Whether the neighbour has said something that counts as its first message.
    pub(super) spoke: bool,
    /// Whether this end chokes the neighbour.
    pub(super) choking: bool,
    /// Whether this end is interested.
    pub(super) interested: bool,
    /// Whether the neighbour chokes this end.
    pub(super) choked: bool,
    /// Whether the neighbour is interested.
    pub(super) wanted: bool,
    /// The pieces that the neighbour announced.
    pub(super) has: Pieces,
    /// Requests that the neighbour has not answered.
    pub(super) asked: BTreeSet<BlockRequest>,
    /// Requests that were cancelled but are still owed an answer (fast extension only).
    pub(super) cancelled: BTreeSet<BlockRequest>,
    /// Pieces of which the neighbour rejected a request since it last unchoked.
    pub(super) refused: BTreeSet<u32>,
    /// Pieces that this end may request while choked.
    pub(super) offered: BTreeSet<u32>,
    /// Pieces that the neighbour may request while choked.
    pub(super) granted: BTreeSet<u32>,
    /// Requests of the neighbour that are not yet answered, oldest first.
    pub(super) queue: VecDeque<BlockRequest>,
    /// Bytes of blocks received since the last choke round.
    pub(super) received: u64,
    /// Bytes of blocks sent since the last choke round.
    pub(super) sent: u64,
    /// Whether the neighbour let requests wait for too long.
    pub(super) snubbing: bool,
    /// Requests that the neighbour keeps without dropping any, where it says so.
    pub(super) keeps: Option<u32>,
    /// The id by which the neighbour wants to be sent metadata messages; 0 when it does not.
    pub(super) metadata_id: u8,
}

impl LinkState {
    pub(super) fn new(dialled: bool, expected: Option<PeerId>, pieces: u32) -> Self {
        Self {
            dialled,
            expected,
            handshake: None,
            fast: false,
            extended: false,
            spoke: false,
            choking: true,
            interested: false,
            choked: true,
            wanted: false,
            has: Pieces::none(pieces),
            asked: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            refused: BTreeSet::new(),
            offered: BTreeSet::new(),
            granted: BTreeSet::new(),
            queue: VecDeque::new(),
            received: 0,
            sent: 0,
            snubbing: false,
            keeps: None,
            metadata_id: 0,
        }
    }

    /// Whether both handshakes were made.
    pub(super) fn stands(&self) -> bool {
        self.handshake.is_some()
    }

    /// Whether the neighbour waits for a slot.
    pub(super) fn waits(&self) -> bool {
        self.stands() && self.wanted && self.choking
    }

    /// Whether a request for the piece may be made here now.
    pub(super) fn may_ask_for(&self, piece: u32) -> bool {
        let allowed = !self.choked || (self.fast && self.offered.contains(&piece));
        allowed && self.has.contains(piece) && !self.refused.contains(&piece)
    }
}

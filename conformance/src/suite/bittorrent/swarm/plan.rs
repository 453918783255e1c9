//! What a neighbour is, and how it behaves.

use peerproof_model::bittorrent::message::{InfoHash, PeerId, Reserved};
use peerproof_model::bittorrent::pieces::Pieces;

/// When a neighbour lets the target request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unchokes {
    /// As soon as the target is interested.
    WhenInterested,
    /// When the story says so.
    OnCue,
}

/// What a neighbour does about requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    /// Answers each at once.
    AtOnce,
    /// Keeps them until the story says so.
    OnCue,
    /// Answers one at a time, the next when the piece of the last was announced (for pieces of one block).
    AfterHave,
    /// Answers each at once, but the first answers for this piece have wrong bytes.
    Wrongly(u32),
    /// Answers each at once, but the first answers are shorter than they should be.
    TooShort,
}

/// What a neighbour is.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The pieces it has, which it declares.
    pub(crate) has: Pieces,
    /// The extensions it announces.
    pub(crate) reserved: Reserved,
    /// How many requests it says that it keeps (BEP 10, `reqq`).
    pub(crate) reqq: Option<u32>,
    /// When it lets the target request.
    pub(crate) unchokes: Unchokes,
    /// What it does about requests.
    pub(crate) serves: Serves,
    /// The torrent it names in its handshake, if it is another one.
    pub(crate) names: Option<InfoHash>,
    /// The peer id in its handshake, if it is another one than the tracker's.
    pub(crate) is_called: Option<PeerId>,
}

impl Plan {
    /// A plain neighbour with these pieces: no extension, unchokes when asked, serves at once.
    pub(crate) fn with(has: Pieces) -> Self {
        Self {
            has,
            reserved: Reserved::NONE,
            reqq: None,
            unchokes: Unchokes::WhenInterested,
            serves: Serves::AtOnce,
            names: None,
            is_called: None,
        }
    }

    /// The same, letting the target request only on cue.
    pub(crate) fn choking(self) -> Self {
        Self {
            unchokes: Unchokes::OnCue,
            ..self
        }
    }

    /// The same, serving otherwise.
    pub(crate) fn serving(self, serves: Serves) -> Self {
        Self { serves, ..self }
    }
}

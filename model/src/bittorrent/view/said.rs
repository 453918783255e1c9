//! What one end of a link has said, and what follows from it.

use std::collections::BTreeSet;
use std::fmt;

use super::{Frame, Torrent};
use crate::bittorrent::message::{BlockRequest, Handshake, MetadataMessage, PeerMessage};
use crate::bittorrent::pieces::Pieces;
use crate::bittorrent::wire::extension;

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
    /// Its requests that a choke dropped; an answer may still be under way.
    pub withdrawn: BTreeSet<BlockRequest>,
    /// Its requests that it cancelled; an answer may still be under way.
    pub cancelled: BTreeSet<BlockRequest>,
    /// Its requests to an end that choked it, and still does.
    pub hopeless: BTreeSet<BlockRequest>,
    /// Pieces that the other end may request while choked (BEP 6).
    pub allowed_fast: BTreeSet<u32>,
    /// Pieces of which this end rejected a request since it last choked or unchoked (BEP 6).
    pub rejected: BTreeSet<u32>,
    /// How many requests it keeps without dropping any, where it says so (BEP 10, `reqq`).
    pub keeps_requests: Option<u32>,
    /// Whether it sent an extension handshake.
    pub extends: bool,
    /// The id by which it wants to be sent metadata messages, where it says so; 0 takes it back (BEP 10).
    pub metadata_id: u8,
    /// The blocks of metadata that it asked for and that were neither sent nor rejected (BEP 9).
    pub metadata_requests: BTreeSet<u32>,
    /// Whether it sent a message whose id is not known.
    pub unknown: bool,
    /// Whether it sent an extended message under an id that the other end had not announced.
    pub unknown_extended: bool,
    /// Why what it said obliges the other end to close, if it does: the first such thing.
    pub offence: Option<Offence>,
    /// Whether it spoke of a piece that the torrent lacks where nobody is obliged to close for that: in a suggestion or
    /// an offer. Who closes for it has a reason.
    pub absurd: bool,
    /// Whether it closed.
    pub closed: bool,
}

impl Said {
    /// A request of this end got its answer; false when this end made no such request.
    fn answered(&mut self, block: &BlockRequest) -> bool {
        self.requests.remove(block)
            || self.hopeless.remove(block)
            || self.cancelled.remove(block)
            || self.withdrawn.remove(block)
    }

    /// Whether nothing that it said gives the other end a reason to close.
    pub fn is_innocent(&self) -> bool {
        self.offence.is_none() && !self.absurd
    }

    /// The requests of this end to which an answer may still come.
    pub fn awaited(&self) -> impl Iterator<Item = &BlockRequest> {
        let dropped = self.cancelled.iter().chain(&self.withdrawn);
        self.requests.iter().chain(&self.hopeless).chain(dropped)
    }

    /// Whether this end made the request, and an answer to it may still come.
    pub fn awaits(&self, block: &BlockRequest) -> bool {
        self.awaited().any(|awaited| awaited == block)
    }

    fn offends(&mut self, offence: Offence) {
        self.offence.get_or_insert(offence);
    }

    pub(super) fn nothing(pieces: u32) -> Self {
        Self {
            handshake: None,
            choking: true,
            interested: false,
            has: Pieces::none(pieces),
            declared: false,
            spoke: false,
            requests: BTreeSet::new(),
            withdrawn: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            hopeless: BTreeSet::new(),
            allowed_fast: BTreeSet::new(),
            rejected: BTreeSet::new(),
            keeps_requests: None,
            extends: false,
            metadata_id: 0,
            metadata_requests: BTreeSet::new(),
            unknown: false,
            unknown_extended: false,
            offence: None,
            absurd: false,
            closed: false,
        }
    }
}

/// What obliges the other end to close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Offence {
    /// A handshake for another torrent.
    ForeignTorrent,
    /// Bytes that are no message.
    Malformed,
    /// A have for a piece that the torrent lacks.
    NoSuchPiece,
    /// A bitfield, have-all or have-none that is not the first message.
    LateBitfield,
    /// A bitfield of the wrong length, or with spare bits set.
    UnfitBitfield,
    /// A message of the fast extension without the extension.
    UninvitedFast,
    /// With the fast extension, a block that was not asked for.
    UnaskedBlock,
    /// With the fast extension, a rejection of a request that was not made.
    UnaskedRejection,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ForeignTorrent => "a handshake for another torrent",
            Self::Malformed => "bytes that are no message",
            Self::NoSuchPiece => "a have for a piece that the torrent lacks",
            Self::LateBitfield => "a bitfield that is not the first message",
            Self::UnfitBitfield => "a bitfield that does not fit the torrent",
            Self::UninvitedFast => "a message of the fast extension without the extension",
            Self::UnaskedBlock => "a block that was not asked for",
            Self::UnaskedRejection => "a rejection of a request that was not made",
        })
    }
}

/// Enters what `speaker` says to `listener`.
pub(super) fn says(
    speaker: &mut Said,
    listener: &mut Said,
    frame: &Frame,
    torrent: &Torrent,
    fast: bool,
) {
    let message = match frame {
        Frame::Handshake(handshake) => {
            if handshake.info_hash != torrent.metainfo.info_hash() {
                speaker.offends(Offence::ForeignTorrent);
            }
            speaker.handshake = Some(*handshake);
            return;
        }
        Frame::Malformed(_) => {
            speaker.offends(Offence::Malformed);
            return;
        }
        Frame::Message(message) => message,
    };
    if let PeerMessage::SuggestPiece(piece) | PeerMessage::AllowedFast(piece) = message {
        speaker.absurd |= *piece >= torrent.pieces();
    }
    match message {
        PeerMessage::Choke => {
            speaker.choking = true;
            speaker.rejected.clear();
            // With the fast extension a choke rejects nothing by itself (BEP 6).
            if !fast {
                let dropped = std::mem::take(&mut listener.requests);
                listener.withdrawn.extend(dropped);
            }
        }
        PeerMessage::Unchoke => {
            speaker.choking = false;
            speaker.rejected.clear();
            let hopeless = std::mem::take(&mut listener.hopeless);
            if fast {
                listener.requests.extend(hopeless);
            } else {
                listener.withdrawn.extend(hopeless);
            }
        }
        PeerMessage::Interested => speaker.interested = true,
        PeerMessage::NotInterested => speaker.interested = false,
        PeerMessage::Have(piece) => {
            speaker.has.insert(*piece);
            if *piece >= torrent.pieces() {
                speaker.offends(Offence::NoSuchPiece);
            }
        }
        PeerMessage::Bitfield(bits) => match Pieces::from_bitfield(torrent.pieces(), bits) {
            Ok(has) => {
                speaker.has = has;
                if speaker.spoke {
                    speaker.offends(Offence::LateBitfield);
                }
                speaker.declared = true;
            }
            Err(_) => speaker.offends(Offence::UnfitBitfield),
        },
        PeerMessage::HaveAll | PeerMessage::HaveNone if fast => {
            if speaker.spoke {
                speaker.offends(Offence::LateBitfield);
            }
            if *message == PeerMessage::HaveAll {
                speaker.has = Pieces::all(torrent.pieces());
            }
            speaker.declared = true;
        }
        PeerMessage::Request(block) => {
            let free = fast && listener.allowed_fast.contains(&block.index);
            if listener.choking && !free {
                speaker.hopeless.insert(*block);
            } else {
                speaker.withdrawn.remove(block);
                speaker.cancelled.remove(block);
                speaker.requests.insert(*block);
            }
        }
        PeerMessage::Cancel(block) => {
            let waiting = speaker.requests.take(block);
            let hopeless = speaker.hopeless.take(block);
            speaker.cancelled.extend(waiting.or(hopeless));
        }
        PeerMessage::Piece { index, begin, data } => {
            let block = BlockRequest {
                index: *index,
                begin: *begin,
                length: data.len() as u32,
            };
            if !listener.answered(&block) && fast {
                speaker.offends(Offence::UnaskedBlock);
            }
        }
        PeerMessage::RejectRequest(block) if fast => {
            speaker.rejected.insert(block.index);
            if !listener.answered(block) {
                speaker.offends(Offence::UnaskedRejection);
            }
        }
        PeerMessage::Extended { id, payload } => extends(speaker, listener, *id, payload),
        PeerMessage::Unknown { .. } => speaker.unknown = true,
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
            speaker.offends(Offence::UninvitedFast);
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

/// Enters a message of the extension protocol.
fn extends(speaker: &mut Said, listener: &mut Said, id: u8, payload: &[u8]) {
    if id == 0 {
        speaker.extends = true;
        let Ok((handshake, _)) = extension::decode_handshake_tolerant(payload) else {
            return;
        };
        speaker.keeps_requests = handshake.reqq.or(speaker.keeps_requests);
        let metadata_id = handshake.m.get(&b"ut_metadata"[..]);
        speaker.metadata_id = metadata_id.copied().unwrap_or(speaker.metadata_id);
        return;
    }
    if id != listener.metadata_id {
        // Which other ids the listener announced is not kept: only one that nobody takes is surely unknown.
        speaker.unknown_extended |= id == u8::MAX;
        return;
    }
    match extension::decode_metadata_tolerant(payload) {
        Ok((MetadataMessage::Request { piece }, _)) => {
            speaker.metadata_requests.insert(piece);
        }
        Ok((MetadataMessage::Data { piece, .. } | MetadataMessage::Reject { piece }, _)) => {
            listener.metadata_requests.remove(&piece);
        }
        _ => {}
    }
}

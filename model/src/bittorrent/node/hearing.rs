//! What a neighbour says, message by message.

use super::{Act, Address, Peer, Timer};
use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::mutant::Mutant;
use crate::bittorrent::pieces::Pieces;
use crate::bittorrent::view::Frame;

impl Peer {
    pub(super) fn on_frame(&mut self, from: Address, frame: Frame, act: &mut Act) {
        if let Some(after) = self.config().timing.idle {
            act.set(Timer::Idle(from), after);
        }
        match frame {
            Frame::Handshake(handshake) => self.on_handshake(from, handshake, act),
            Frame::Malformed(_) if self.is(Mutant::ToleratesMalformed) => {}
            Frame::Malformed(_) => self.offend(from, "bytes that are no message", act),
            Frame::Message(message) => self.on_message(from, message, act),
        }
    }

    fn on_message(&mut self, from: Address, message: PeerMessage, act: &mut Act) {
        let Some(link) = self.links.get_mut(&from) else {
            return;
        };
        if !link.stands() {
            return self.offend(from, "a message before the handshake", act);
        }
        let first = !link.spoke;
        // Keep-alives and the extension protocol do not take the place of the first message.
        link.spoke |= !matches!(
            message,
            PeerMessage::KeepAlive | PeerMessage::Extended { .. }
        );
        let fast = link.fast;
        match message {
            PeerMessage::KeepAlive | PeerMessage::Port(_) => {}
            PeerMessage::Choke => self.on_choke(from, act),
            PeerMessage::Unchoke => self.on_unchoke(from),
            PeerMessage::Interested => self.on_interested(from, act),
            PeerMessage::NotInterested => self.on_not_interested(from, act),
            PeerMessage::Have(piece) => self.on_have(from, piece, act),
            PeerMessage::Bitfield(bits) => self.on_bitfield(from, &bits, first, act),
            PeerMessage::Request(block) => self.on_request(from, block, act),
            PeerMessage::Piece { index, begin, data } => {
                self.on_piece(from, index, begin, data, act);
            }
            PeerMessage::Cancel(block) => self.on_cancel(from, block, act),
            PeerMessage::SuggestPiece(_)
            | PeerMessage::HaveAll
            | PeerMessage::HaveNone
            | PeerMessage::RejectRequest(_)
            | PeerMessage::AllowedFast(_)
                if !fast =>
            {
                if !self.is(Mutant::ToleratesUninvitedFast) {
                    self.offend(from, "a fast message without the extension", act);
                }
            }
            PeerMessage::SuggestPiece(piece) => self.on_suggestion(from, piece, act),
            PeerMessage::HaveAll => {
                self.on_declaration(from, Pieces::all(self.have.count()), first, act);
            }
            PeerMessage::HaveNone => {
                self.on_declaration(from, Pieces::none(self.have.count()), first, act);
            }
            PeerMessage::RejectRequest(block) => self.on_reject(from, block, act),
            PeerMessage::AllowedFast(piece) => self.on_allowed_fast(from, piece, act),
            PeerMessage::Extended { id, payload } => self.on_extended(from, id, &payload, act),
            PeerMessage::Unknown { .. } => {
                if self.is(Mutant::ClosesOnUnknown) {
                    self.hang_up(from, act);
                }
            }
        }
    }

    fn on_choke(&mut self, from: Address, act: &mut Act) {
        if let Some(link) = self.links.get_mut(&from) {
            link.choked = true;
            link.refused.clear();
            // With the fast extension the neighbour rejects each request it will not answer (BEP 6).
            if !link.fast {
                link.asked.clear();
            }
            self.release(from);
            self.watch_answers(from, act);
        }
    }

    fn on_unchoke(&mut self, from: Address) {
        if let Some(link) = self.links.get_mut(&from) {
            // A choke has rejected whatever was still owed before it (BEP 6).
            if link.choked {
                link.cancelled.clear();
            }
            link.choked = false;
            link.refused.clear();
        }
    }

    fn on_have(&mut self, from: Address, piece: u32, act: &mut Act) {
        if piece >= self.have.count() {
            return self.offend(from, "a have for a piece that the torrent lacks", act);
        }
        if let Some(link) = self.links.get_mut(&from) {
            link.has.insert(piece);
        }
        self.update_interest(from, act);
    }

    fn on_bitfield(&mut self, from: Address, bits: &[u8], first: bool, act: &mut Act) {
        match Pieces::from_bitfield(self.have.count(), bits) {
            Ok(has) => self.on_declaration(from, has, first, act),
            Err(_) if self.is(Mutant::ToleratesBadBitfield) => {}
            Err(_) => self.offend(from, "a bitfield that does not fit the torrent", act),
        }
    }

    fn on_declaration(&mut self, from: Address, has: Pieces, first: bool, act: &mut Act) {
        if !first && !self.is(Mutant::ToleratesLateBitfield) {
            return self.offend(from, "a bitfield that is not the first message", act);
        }
        if let Some(link) = self.links.get_mut(&from) {
            link.has = has;
        }
        self.update_interest(from, act);
    }

    /// A suggestion is advice, which this peer does not take.
    fn on_suggestion(&mut self, from: Address, piece: u32, act: &mut Act) {
        if piece >= self.have.count() {
            self.offend(from, "a suggestion of a piece that the torrent lacks", act);
        }
    }

    fn on_allowed_fast(&mut self, from: Address, piece: u32, act: &mut Act) {
        if piece >= self.have.count() {
            return self.offend(from, "an offer of a piece that the torrent lacks", act);
        }
        if let Some(link) = self.links.get_mut(&from) {
            link.offered.insert(piece);
        }
    }

    fn on_reject(&mut self, from: Address, block: BlockRequest, act: &mut Act) {
        let Some(link) = self.links.get_mut(&from) else {
            return;
        };
        if link.asked.remove(&block) {
            // Asking again at once would be rejected again at once, for ever.
            link.refused.insert(block.index);
            link.offered.remove(&block.index);
            self.release(from);
        } else if !link.cancelled.remove(&block) {
            return self.offend(from, "a rejection of a request never made", act);
        }
        self.watch_answers(from, act);
    }

    /// Tells the neighbour whether it has something that is missing here, when that changed.
    pub(super) fn update_interest(&mut self, to: Address, act: &mut Act) {
        let stubborn = self.is(Mutant::StaysInterested);
        let never = self.is(Mutant::NeverInterested);
        let Some(link) = self.links.get_mut(&to) else {
            return;
        };
        let wants = self.have.lacks_some_of(&link.has) || (stubborn && link.interested);
        if wants == link.interested || !link.stands() {
            return;
        }
        link.interested = wants;
        if never {
            return;
        }
        let message = if wants {
            PeerMessage::Interested
        } else {
            PeerMessage::NotInterested
        };
        act.say(to, message);
    }
}

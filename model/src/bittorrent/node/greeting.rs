//! How a link begins and ends: dial, handshake, declaration of pieces.

use std::collections::BTreeSet;

use super::link::LinkState;
use super::{Act, Address, Event, MOST_BANNED, Message, Peer, Timer};
use crate::bittorrent::message::{Handshake, InfoHash, PeerId, PeerMessage};
use crate::bittorrent::mutant::Mutant;
use crate::bittorrent::pieces::Pieces;
use crate::bittorrent::view::Frame;
use crate::node::Output;

impl Peer {
    pub(super) fn dial(&mut self, address: Address, peer_id: Option<PeerId>, act: &mut Act) {
        self.dialling.insert(address, peer_id);
        act.out.push(Output::Open(address));
    }

    pub(super) fn on_opened(&mut self, address: Address, act: &mut Act) {
        let dialled = self.dialling.remove(&address);
        if self.links.len() >= self.config().most_links || self.banned.contains(&address) {
            act.out.push(Output::Close(address));
            return;
        }
        let expected = dialled.flatten();
        let link = LinkState::new(dialled.is_some(), expected, self.have.count());
        self.links.insert(address, link);
        if let Some(after) = self.config().timing.idle {
            act.set(Timer::Idle(address), after);
        }
        // The accepting end learns from the other's handshake which torrent is meant, and speaks second.
        if dialled.is_some() {
            act.frame(address, Frame::Handshake(self.handshake()));
        }
    }

    pub(super) fn on_closed(&mut self, address: Address, act: &mut Act) {
        if self.dialling.remove(&address).is_none() && self.links.contains_key(&address) {
            self.forget(address, act);
        }
        // A failed announce needs nothing here: the timer that repeats it was set when it was made.
    }

    pub(super) fn on_handshake(&mut self, from: Address, handshake: Handshake, act: &mut Act) {
        let Some(link) = self.links.get(&from) else {
            return;
        };
        if link.stands() {
            return self.offend(from, "a second handshake", act);
        }
        let foreign = handshake.info_hash != self.config().torrent.metainfo.info_hash();
        if foreign && !self.is(Mutant::KeepsForeignTorrents) {
            return self.offend(from, "a handshake for another torrent", act);
        }
        let own = handshake.peer_id == self.config().peer_id;
        if own && !self.is(Mutant::KeepsItself) {
            self.ban(from);
            return self.hang_up(from, act);
        }
        let stranger = link
            .expected
            .is_some_and(|expected| expected != handshake.peer_id);
        if stranger && !self.is(Mutant::KeepsStrangers) {
            return self.offend(from, "another peer id than the dialled peer's", act);
        }
        let dialled = link.dialled;
        let reserved = self.config().reserved;
        if let Some(link) = self.links.get_mut(&from) {
            link.fast = reserved.fast() && handshake.reserved.fast();
            link.extended =
                reserved.extension_protocol() && handshake.reserved.extension_protocol();
            link.handshake = Some(handshake);
        }
        if !dialled {
            act.frame(from, Frame::Handshake(self.handshake()));
        }
        self.declare(from, act);
        self.send_extension_handshake(from, act);
        self.grant_allowed_fast(from, act);
    }

    fn handshake(&self) -> Handshake {
        let mut info_hash = self.config().torrent.metainfo.info_hash();
        if self.is(Mutant::WrongInfoHash) {
            info_hash = InfoHash(info_hash.0.map(|byte| !byte));
        }
        Handshake {
            reserved: self.config().reserved,
            info_hash,
            peer_id: self.config().peer_id,
        }
    }

    /// Says which pieces are here, as the first message.
    fn declare(&self, to: Address, act: &mut Act) {
        if self.is(Mutant::NeverDeclares) {
            return;
        }
        if self.is(Mutant::LateBitfield) {
            act.say(to, PeerMessage::NotInterested);
        }
        let fast = self.links.get(&to).is_some_and(|link| link.fast);
        let fast = fast || self.is(Mutant::FastUninvited);
        let shown = self.shown();
        if fast && shown.is_complete() {
            act.say(to, PeerMessage::HaveAll);
        } else if fast && shown.is_empty() {
            act.say(to, PeerMessage::HaveNone);
        } else if !shown.is_empty() {
            let mut bits = shown.bitfield().to_vec();
            if self.is(Mutant::SpareBits)
                && let Some(last) = bits.last_mut()
            {
                *last |= 1;
            }
            act.say(to, PeerMessage::Bitfield(bits));
        }
    }

    /// The pieces that a declaration names.
    fn shown(&self) -> Pieces {
        if !self.is(Mutant::BitfieldLies) {
            return self.have.clone();
        }
        let mut lie = Pieces::none(self.have.count());
        for piece in self.have.missing().chain(self.have.iter().skip(1)) {
            lie.insert(piece);
        }
        lie
    }

    /// Ends a link on which the neighbour broke the protocol.
    pub(super) fn offend(&mut self, by: Address, why: &'static str, act: &mut Act) {
        act.tell(Event::Offended { by, why });
        self.hang_up(by, act);
    }

    /// Ends a link.
    pub(super) fn hang_up(&mut self, address: Address, act: &mut Act) {
        self.forget(address, act);
        act.out.push(Output::Close(address));
    }

    /// Forgets a link that is gone: what was asked there is free to be asked elsewhere.
    pub(super) fn forget(&mut self, address: Address, act: &mut Act) {
        self.links.remove(&address);
        self.release(address);
        self.stop_watching(address, act);
        if self.optimistic == Some(address) {
            self.optimistic = None;
        }
        self.fill_slots(act);
    }

    /// Stops the timers of a link.
    pub(super) fn stop_watching(&self, address: Address, act: &mut Act) {
        if self.config().timing.keep_alive.is_some() {
            act.cancel(Timer::KeepAlive(address));
        }
        if self.config().timing.idle.is_some() {
            act.cancel(Timer::Idle(address));
        }
        if self.config().timing.answer.is_some() {
            act.cancel(Timer::Answer(address));
        }
    }

    pub(super) fn ban(&mut self, address: Address) {
        if self.banned.len() < MOST_BANNED {
            self.banned.insert(address);
        }
    }

    /// Whoever was spoken to in this step need not hear a keep-alive soon.
    pub(super) fn postpone_keep_alives(&self, before: usize, out: &mut Vec<Output<Self>>) {
        let Some(after) = self.config().timing.keep_alive else {
            return;
        };
        let spoken_to: BTreeSet<Address> = out
            .iter()
            .skip(before)
            .filter_map(|output| match output {
                Output::Send {
                    to,
                    message: Message::Frame(_),
                } if self.links.contains_key(to) => Some(*to),
                _ => None,
            })
            .collect();
        out.extend(spoken_to.into_iter().map(|to| Output::SetTimer {
            timer: Timer::KeepAlive(to),
            after,
        }));
    }
}

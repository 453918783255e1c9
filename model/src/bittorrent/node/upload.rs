//! Serving the requests of neighbours.

use super::{Act, Address, Peer, Timer};
use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::mutant::Mutant;
use crate::bittorrent::view::Torrent;

/// Why a request is not served.
enum Refusal {
    /// It can never be served; without the fast extension the link is closed.
    Offence(&'static str),
    /// It cannot be served now.
    NotNow,
}

impl Peer {
    pub(super) fn on_request(&mut self, from: Address, block: BlockRequest, act: &mut Act) {
        let Some(link) = self.links.get(&from) else {
            return;
        };
        let fast = link.fast;
        // The answer that is under way answers a repetition too.
        if link.queue.contains(&block) {
            return;
        }
        match self.refusal(from, &block) {
            None => self.enqueue(from, block, act),
            Some(Refusal::Offence(why)) if !fast => self.offend(from, why, act),
            Some(_) if fast => self.reject(from, block, act),
            Some(_) => {}
        }
    }

    fn refusal(&self, from: Address, block: &BlockRequest) -> Option<Refusal> {
        let link = self.links.get(&from)?;
        let torrent = &self.config().torrent;
        let range = self.range_offence(torrent, block);
        if range.is_some() {
            return range.map(Refusal::Offence);
        }
        let granted = link.fast && link.granted.contains(&block.index);
        let choked = link.choking && !granted && !self.is(Mutant::ServesChoked);
        let lacking = !self.have.contains(block.index);
        let full = link.queue.len() >= self.config().most_requests;
        (choked || lacking || full).then_some(Refusal::NotNow)
    }

    fn range_offence(&self, torrent: &Torrent, block: &BlockRequest) -> Option<&'static str> {
        if block.index >= torrent.pieces() {
            return Some("a request for a piece that the torrent lacks");
        }
        if block.length == 0 {
            return (!self.is(Mutant::ServesEmpty)).then_some("a request for no bytes");
        }
        if block.length > self.config().longest_request {
            return (!self.is(Mutant::ServesOversized)).then_some("a request that is too long");
        }
        let beyond = !torrent.contains(block) && !self.is(Mutant::ServesBeyondTheEnd);
        beyond.then_some("a request beyond the end of its piece")
    }

    pub(super) fn reject(&self, to: Address, block: BlockRequest, act: &mut Act) {
        if !self.is(Mutant::NeverRejects) {
            act.say(to, PeerMessage::RejectRequest(block));
        }
    }

    fn enqueue(&mut self, from: Address, block: BlockRequest, act: &mut Act) {
        if self.is(Mutant::DropsRequests) && block.begin > 0 {
            return;
        }
        let idle = self.links.values().all(|link| link.queue.is_empty());
        if let Some(link) = self.links.get_mut(&from) {
            link.queue.push_back(block);
        }
        match self.config().upload_pause {
            None => self.serve(from, act),
            Some(pause) if idle => act.set(Timer::Upload, pause),
            Some(_) => {}
        }
    }

    /// The pause is over: every neighbour that waits gets one block.
    pub(super) fn on_upload_due(&mut self, act: &mut Act) {
        let waiting: Vec<Address> = self.links.keys().copied().collect();
        for address in waiting {
            self.serve(address, act);
        }
        let more = self.links.values().any(|link| !link.queue.is_empty());
        if let Some(pause) = self.config().upload_pause.filter(|_| more) {
            act.set(Timer::Upload, pause);
        }
    }

    /// Answers the oldest request of the neighbour.
    fn serve(&mut self, to: Address, act: &mut Act) {
        let Some(link) = self.links.get_mut(&to) else {
            return;
        };
        let Some(block) = link.queue.pop_front() else {
            return;
        };
        let mut data = self.read(&block);
        if self.is(Mutant::WrongData)
            && let Some(byte) = data.first_mut()
        {
            *byte ^= 0xff;
        }
        if self.is(Mutant::ShortBlocks) {
            data.pop();
        }
        if let Some(link) = self.links.get_mut(&to) {
            link.sent = link.sent.saturating_add(data.len() as u64);
        }
        if self.config().count_bytes {
            self.uploaded = self.uploaded.saturating_add(data.len() as u64);
        }
        let BlockRequest { index, begin, .. } = block;
        act.say(to, PeerMessage::Piece { index, begin, data });
    }

    /// The bytes of a block, which is inside of its piece unless a mutant let it pass.
    fn read(&self, block: &BlockRequest) -> Vec<u8> {
        let begin = block.begin as usize;
        let length = block.length as usize;
        let piece = self.stored(block.index).unwrap_or_default();
        let mut data: Vec<u8> = piece.iter().skip(begin).take(length).copied().collect();
        // A request that a mutant let pass may be long: what it invents stays bounded.
        data.resize(length.min(1 << 20), 0);
        data
    }

    pub(super) fn on_cancel(&mut self, from: Address, block: BlockRequest, act: &mut Act) {
        let Some(link) = self.links.get_mut(&from) else {
            return;
        };
        let fast = link.fast;
        let Some(place) = link.queue.iter().position(|queued| *queued == block) else {
            return;
        };
        if !self.is(Mutant::IgnoresCancel)
            && let Some(link) = self.links.get_mut(&from)
        {
            link.queue.remove(place);
            // Every request has exactly one answer, a cancelled one too (BEP 6).
            if fast {
                self.reject(from, block, act);
            }
        }
    }

    /// Drops what a neighbour that is choked from now on had asked for.
    pub(super) fn drop_queue(&mut self, to: Address, act: &mut Act) {
        let Some(link) = self.links.get_mut(&to) else {
            return;
        };
        let fast = link.fast;
        let granted = link.granted.clone();
        let mut dropped: Vec<BlockRequest> = Vec::new();
        let queue = std::mem::take(&mut link.queue);
        for block in queue {
            if !fast {
                continue;
            }
            if granted.contains(&block.index) {
                link.queue.push_back(block);
            } else {
                dropped.push(block);
            }
        }
        for block in dropped {
            self.reject(to, block, act);
        }
    }
}

//! Which block to ask whom for.

use std::collections::BTreeSet;

use super::assembly::Partial;
use super::link::LinkState;
use super::{Act, Address, Peer, Timer};
use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::mutant::Mutant;

impl Peer {
    /// Asks every neighbour for as much as it may be asked for.
    pub(super) fn refill(&mut self, act: &mut Act) {
        if self.have.is_complete() {
            return;
        }
        let neighbours: Vec<Address> = self.links.keys().copied().collect();
        for address in neighbours {
            while let Some(block) = self.next_block(address, act) {
                self.request(address, block, act);
            }
        }
    }

    fn request(&mut self, to: Address, block: BlockRequest, act: &mut Act) {
        let alone = self.suspect.contains(&block.index).then_some(to);
        self.partial
            .entry(block.index)
            .or_insert_with(|| Partial::new(alone));
        if let Some(link) = self.links.get_mut(&to) {
            link.asked.insert(block);
            if link.asked.len() == 1 {
                self.watch_answers(to, act);
            }
        }
        act.say(to, PeerMessage::Request(self.as_sent(block)));
    }

    /// The request as it goes out: a mutant asks for more than there is.
    fn as_sent(&self, block: BlockRequest) -> BlockRequest {
        let mut sent = block;
        if self.is(Mutant::OversizedRequests) {
            sent.length = (1 << 17) + 1;
        }
        if self.is(Mutant::RequestsBeyondTheEnd) {
            sent.length = self.config().block_length;
            if sent == block {
                sent.length = sent.length.saturating_add(1);
            }
        }
        sent
    }

    /// Restarts or ends the time that the neighbour has for its next answer.
    pub(super) fn watch_answers(&self, from: Address, act: &mut Act) {
        let Some(after) = self.config().timing.answer else {
            return;
        };
        match self.links.get(&from) {
            Some(link) if !link.asked.is_empty() => act.set(Timer::Answer(from), after),
            _ => act.cancel(Timer::Answer(from)),
        }
    }

    /// The neighbour owes blocks for too long: others may be asked for them, and it is trusted with one at a time.
    pub(super) fn on_unanswered(&mut self, from: Address, act: &mut Act) {
        let Some(link) = self.links.get_mut(&from) else {
            return;
        };
        link.snubbing = true;
        let late = std::mem::take(&mut link.asked);
        if link.fast {
            link.cancelled.extend(late.iter().copied());
        }
        for block in late {
            act.say(from, PeerMessage::Cancel(block));
        }
        // What it was to send alone, somebody else may try alone.
        self.partial
            .retain(|_, partial| partial.alone != Some(from));
        self.release(from);
    }

    fn next_block(&self, to: Address, act: &mut Act) -> Option<BlockRequest> {
        let link = self.links.get(&to)?;
        if !link.stands() || link.asked.len() >= self.pipeline(link) {
            return None;
        }
        let open = |piece: u32| self.is_open(link, piece);
        if self.is(Mutant::NoStrictPriority)
            && let Some(piece) = self.new_piece(open, act)
        {
            return self.free_block(piece, to);
        }
        let started = || self.partial.iter().filter(|(piece, _)| open(**piece));
        let mine = |partial: &Partial| partial.alone.is_none_or(|owner| owner == to);
        let unfinished = started()
            .filter(|(_, partial)| mine(partial))
            .find_map(|(piece, _)| self.free_block(*piece, to));
        if unfinished.is_some() {
            return unfinished;
        }
        if let Some(piece) = self.new_piece(open, act) {
            return self.free_block(piece, to);
        }
        let endgame = self.config().endgame && self.all_requested();
        if endgame || self.is(Mutant::EarlyDuplicates) {
            let shared = started().filter(|(_, partial)| partial.alone.is_none());
            return shared
                .flat_map(|(piece, _)| self.blocks(*piece))
                .find(|block| self.is_duplicable(link, block));
        }
        None
    }

    fn pipeline(&self, link: &LinkState) -> usize {
        if self.is(Mutant::UnboundedPipeline) {
            return usize::MAX;
        }
        if link.snubbing {
            return 1;
        }
        // A neighbour that says it keeps none would otherwise never be asked.
        let kept = link.keeps.map_or(usize::MAX, |keeps| keeps.max(1) as usize);
        self.config().pipeline.min(kept)
    }

    /// Whether the piece is missing and this neighbour may be asked for it.
    fn is_open(&self, link: &LinkState, piece: u32) -> bool {
        if self.have.contains(piece) && !self.is(Mutant::RequestsWhatItHas) {
            return false;
        }
        if self.is(Mutant::RequestsUnannounced) {
            return !link.choked;
        }
        if self.is(Mutant::RequestsChoked) {
            return link.has.contains(piece);
        }
        link.may_ask_for(piece)
    }

    /// A piece that was not started yet: a random one first, then a rarest one.
    fn new_piece(&self, open: impl Fn(u32) -> bool, act: &mut Act) -> Option<u32> {
        let mut candidates: Vec<u32> = (0..self.have.count())
            .filter(|piece| !self.partial.contains_key(piece) && open(*piece))
            .collect();
        if self.is(Mutant::InOrder) {
            return candidates.first().copied();
        }
        let random = self.config().random_first && self.have.is_empty();
        if !random && !self.is(Mutant::RandomOrder) {
            let rarest = candidates.iter().map(|piece| self.copies(*piece)).min()?;
            candidates.retain(|piece| self.copies(*piece) == rarest);
        }
        match candidates.len() {
            0 => None,
            1 => candidates.first().copied(),
            several => candidates.get(act.choose.choose(several)).copied(),
        }
    }

    /// How many neighbours have the piece.
    fn copies(&self, piece: u32) -> usize {
        let copies = self
            .links
            .values()
            .filter(|link| link.has.contains(piece))
            .count();
        if self.is(Mutant::CommonestFirst) {
            usize::MAX - copies
        } else {
            copies
        }
    }

    /// The blocks of a piece, ascending.
    pub(super) fn blocks(&self, piece: u32) -> impl Iterator<Item = BlockRequest> + '_ {
        let end = self.config().torrent.piece_len(piece);
        let most = self.config().block_length.max(1);
        (0..end)
            .step_by(most as usize)
            .map(move |begin| BlockRequest {
                index: piece,
                begin,
                length: most.min(end - begin),
            })
    }

    /// The first block of the piece that is neither here nor asked for, and that `to` does not owe.
    fn free_block(&self, piece: u32, to: Address) -> Option<BlockRequest> {
        let here = self.partial.get(&piece);
        let asked: BTreeSet<u32> = self
            .links
            .values()
            .flat_map(|link| link.asked.range(within(piece)))
            .map(|block| block.begin)
            .collect();
        let owed = self.links.get(&to).map(|link| &link.cancelled);
        self.blocks(piece).find(|block| {
            !here.is_some_and(|partial| partial.blocks.contains_key(&block.begin))
                && !asked.contains(&block.begin)
                && !owed.is_some_and(|owed| owed.contains(block))
        })
    }

    /// Whether every missing block has been asked for.
    fn all_requested(&self) -> bool {
        let nobody = Address::from(([0, 0, 0, 0], 0));
        self.have.missing().all(|piece| {
            self.partial.contains_key(&piece) && self.free_block(piece, nobody).is_none()
        })
    }

    /// Whether the block, which somebody else was asked for, may be asked for here too.
    fn is_duplicable(&self, link: &LinkState, block: &BlockRequest) -> bool {
        let here = self
            .partial
            .get(&block.index)
            .is_some_and(|partial| partial.blocks.contains_key(&block.begin));
        !here && !link.asked.contains(block) && !link.cancelled.contains(block)
    }
}

/// The range of all requests within a piece.
pub(super) fn within(piece: u32) -> std::ops::RangeInclusive<BlockRequest> {
    let at = |begin, length| BlockRequest {
        index: piece,
        begin,
        length,
    };
    at(0, 0)..=at(u32::MAX, u32::MAX)
}

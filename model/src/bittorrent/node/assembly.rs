//! From blocks to pieces: nothing is kept, shown or served before its hash matched.

use std::collections::{BTreeMap, BTreeSet};

use super::picker::within;
use super::{Act, Address, Event, Peer};
use crate::bittorrent::message::{AnnounceEvent, BlockRequest, PeerMessage};
use crate::bittorrent::mutant::Mutant;

/// A piece that was started: a block of it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Partial {
    /// The blocks that are here, by offset.
    pub(super) blocks: BTreeMap<u32, Block>,
    /// The one neighbour to be asked for all of it, where an earlier try by several came out bad.
    pub(super) alone: Option<Address>,
}

/// A block and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Block {
    pub(super) from: Address,
    pub(super) data: Vec<u8>,
}

impl Partial {
    pub(super) fn new(alone: Option<Address>) -> Self {
        Self {
            blocks: BTreeMap::new(),
            alone,
        }
    }
}

impl Peer {
    /// The bytes of a piece that is here.
    pub(super) fn stored(&self, piece: u32) -> Option<&[u8]> {
        let torrent = &self.config().torrent;
        let Some(content) = &torrent.content else {
            return self.store.get(&piece).map(|data| &**data);
        };
        let start = usize::try_from(torrent.piece_start(piece)).ok()?;
        content.get(start..start.checked_add(torrent.piece_len(piece) as usize)?)
    }

    pub(super) fn on_piece(
        &mut self,
        from: Address,
        index: u32,
        begin: u32,
        data: Vec<u8>,
        act: &mut Act,
    ) {
        let block = BlockRequest {
            index,
            begin,
            length: data.len() as u32,
        };
        let Some(link) = self.links.get_mut(&from) else {
            return;
        };
        let asked = link.asked.remove(&block);
        if !asked && !link.cancelled.remove(&block) {
            // Without the fast extension it may have crossed a cancel or a choke.
            if link.fast {
                self.offend(from, "a block that was not asked for", act);
            }
            return;
        }
        link.received = link.received.saturating_add(data.len() as u64);
        link.snubbing = false;
        if self.config().count_bytes {
            self.downloaded = self.downloaded.saturating_add(data.len() as u64);
        }
        self.watch_answers(from, act);
        if asked {
            self.keep(from, block, data, act);
        }
    }

    fn keep(&mut self, from: Address, block: BlockRequest, data: Vec<u8>, act: &mut Act) {
        self.cancel_elsewhere(from, &block, act);
        let Some(partial) = self.partial.get_mut(&block.index) else {
            return;
        };
        partial.blocks.insert(block.begin, Block { from, data });
        if self.is(Mutant::HaveBeforeVerification) {
            self.tell_all(block.index, act);
        }
        let whole = |partial: &Partial| {
            self.blocks(block.index)
                .all(|b| partial.blocks.contains_key(&b.begin))
        };
        if self.partial.get(&block.index).is_some_and(whole) {
            self.verify(block.index, act);
        }
    }

    /// In the endgame others were asked for the block too: they need not send it any more.
    fn cancel_elsewhere(&mut self, from: Address, block: &BlockRequest, act: &mut Act) {
        let silent = self.is(Mutant::NoCancel);
        let mut told = Vec::new();
        for (address, link) in &mut self.links {
            if *address != from && link.asked.remove(block) {
                if link.fast {
                    link.cancelled.insert(*block);
                }
                told.push(*address);
            }
        }
        for address in told {
            if !silent {
                act.say(address, PeerMessage::Cancel(*block));
            }
            self.watch_answers(address, act);
        }
    }

    fn verify(&mut self, piece: u32, act: &mut Act) {
        let Some(partial) = self.partial.remove(&piece) else {
            return;
        };
        let data: Vec<u8> = partial
            .blocks
            .values()
            .flat_map(|block| block.data.iter().copied())
            .collect();
        let right = self.config().torrent.metainfo.is_piece(piece, &data);
        if !right && !self.is(Mutant::AcceptsBadPieces) {
            let from: BTreeSet<Address> = partial.blocks.values().map(|block| block.from).collect();
            return self.discard(piece, from, act);
        }
        self.have.insert(piece);
        self.suspect.remove(&piece);
        if self.config().torrent.content.is_none() {
            self.store.insert(piece, data.into());
        }
        act.tell(Event::Verified(piece));
        if !self.is(Mutant::HaveBeforeVerification) && !self.is(Mutant::NeverHave) {
            self.tell_all(piece, act);
        }
        let neighbours: Vec<Address> = self.links.keys().copied().collect();
        for address in neighbours {
            self.update_interest(address, act);
        }
        if self.have.is_complete() {
            act.tell(Event::Completed);
            self.on_completed(act);
        }
    }

    fn tell_all(&self, piece: u32, act: &mut Act) {
        for (address, link) in &self.links {
            if link.stands() {
                act.say(*address, PeerMessage::Have(piece));
            }
        }
    }

    /// The hash did not match. Whoever sent all of the piece is to blame; among several nobody can tell yet.
    fn discard(&mut self, piece: u32, from: BTreeSet<Address>, act: &mut Act) {
        let culprit = if from.len() == 1 {
            from.first().copied()
        } else {
            None
        };
        act.tell(Event::Discarded { piece, from });
        match culprit {
            Some(address) => {
                self.ban(address);
                if self.links.contains_key(&address) {
                    self.offend(address, "a piece whose hash does not match", act);
                }
            }
            None => {
                self.suspect.insert(piece);
            }
        }
    }

    fn on_completed(&mut self, act: &mut Act) {
        if self.is(Mutant::NeverCompleted) {
            return;
        }
        self.announce(AnnounceEvent::Completed, act);
        if self.is(Mutant::CompletedTwice) {
            self.announce(AnnounceEvent::Completed, act);
        }
    }

    /// A neighbour can no longer be counted on: what only it was to send may be asked of others.
    pub(super) fn release(&mut self, address: Address) {
        let links = &self.links;
        let asked = |piece: &u32| {
            links
                .values()
                .any(|link| link.asked.range(within(*piece)).next().is_some())
        };
        let held = |owner: Address, piece: &u32| {
            let link = links.get(&owner);
            link.is_some_and(|link| {
                link.may_ask_for(*piece) || link.asked.range(within(*piece)).next().is_some()
            })
        };
        self.partial.retain(|piece, partial| match partial.alone {
            Some(owner) if owner == address => held(owner, piece),
            _ => !partial.blocks.is_empty() || asked(piece),
        });
    }
}

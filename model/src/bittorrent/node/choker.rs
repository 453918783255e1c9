//! Who may request: tit for tat, and one neighbour at random.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::link::LinkState;
use super::{Act, Address, Peer, Timer};
use crate::bittorrent::message::PeerMessage;
use crate::bittorrent::mutant::Mutant;

impl Peer {
    pub(super) fn on_interested(&mut self, from: Address, act: &mut Act) {
        if let Some(link) = self.links.get_mut(&from) {
            link.wanted = true;
        }
        self.fill_slots(act);
    }

    pub(super) fn on_not_interested(&mut self, from: Address, act: &mut Act) {
        if let Some(link) = self.links.get_mut(&from) {
            link.wanted = false;
        }
        // Whoever wants nothing gives its slot to someone who waits.
        self.choke(from, act);
        self.fill_slots(act);
    }

    /// Ten seconds are over: the best neighbours get the regular slots, and the counters start anew.
    pub(super) fn on_rechoke(&mut self, act: &mut Act) {
        act.set(Timer::Rechoke, self.config().timing.rechoke);
        let best: BTreeSet<Address> = self
            .ranking(|_| true)
            .into_iter()
            .take(self.regular_slots())
            .collect();
        // Whoever earned a regular slot leaves the optimistic one to somebody else.
        self.optimistic = self.optimistic.filter(|holder| !best.contains(holder));
        let holders: Vec<Address> = self.links.keys().copied().collect();
        for address in holders {
            if !best.contains(&address) && self.optimistic != Some(address) {
                self.choke(address, act);
            }
        }
        for address in best {
            self.unchoke(address, act);
        }
        self.fill_slots(act);
        for link in self.links.values_mut() {
            link.received = 0;
            link.sent = 0;
        }
    }

    /// Thirty seconds are over: the optimistic slot moves to a neighbour that waits, if one does.
    pub(super) fn on_optimistic(&mut self, act: &mut Act) {
        act.set(Timer::Optimistic, self.config().timing.optimistic);
        let Some(next) = self.random_waiting(act) else {
            return;
        };
        if let Some(last) = self.optimistic.take() {
            self.choke(last, act);
        }
        self.optimistic = Some(next);
        self.unchoke(next, act);
    }

    /// Gives every free slot to a neighbour that waits; takes none away.
    pub(super) fn fill_slots(&mut self, act: &mut Act) {
        let held = |peer: &Self| {
            let unchoked = peer.links.iter().filter(|(_, link)| !link.choking);
            unchoked
                .filter(|(address, _)| peer.optimistic != Some(**address))
                .count()
        };
        while held(self) < self.regular_slots() {
            let Some(next) = self.ranking(LinkState::waits).first().copied() else {
                return;
            };
            self.unchoke(next, act);
            if self.is(Mutant::NeverUnchokes) {
                return;
            }
        }
        if self.optimistic.is_none() && self.config().optimistic_slot {
            self.optimistic = self.random_waiting(act);
            if let Some(next) = self.optimistic {
                self.unchoke(next, act);
            }
        }
    }

    /// A neighbour that waits for a slot, at random.
    fn random_waiting(&self, act: &mut Act) -> Option<Address> {
        let waiting = self.links.iter().filter(|(_, link)| link.waits());
        let waiting: Vec<Address> = waiting.map(|(address, _)| *address).collect();
        match waiting.len() {
            0 => None,
            1 => waiting.first().copied(),
            several => waiting.get(act.choose.choose(several)).copied(),
        }
    }

    /// The interested neighbours among `which`, best first. Among equals whoever has a slot keeps it.
    fn ranking(&self, which: impl Fn(&LinkState) -> bool) -> Vec<Address> {
        let mut ranked: Vec<_> = self
            .links
            .iter()
            .filter(|(_, link)| link.stands() && link.wanted && which(link))
            .map(|(address, link)| (Reverse(self.merit(link)), link.choking, *address))
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, _, address)| address).collect()
    }

    /// Bytes of this round: received while leeching, sent while seeding.
    fn merit(&self, link: &LinkState) -> u64 {
        let seeding = self.have.is_complete();
        if self.is(Mutant::FavoursFreeRiders) {
            return u64::MAX - link.received;
        }
        if seeding { link.sent } else { link.received }
    }

    fn regular_slots(&self) -> usize {
        self.config().regular_slots + usize::from(self.is(Mutant::ExtraSlot))
    }

    fn unchoke(&mut self, to: Address, act: &mut Act) {
        let never = self.is(Mutant::NeverUnchokes);
        if let Some(link) = self.links.get_mut(&to)
            && link.choking
            && !never
        {
            link.choking = false;
            act.say(to, PeerMessage::Unchoke);
        }
    }

    pub(super) fn choke(&mut self, to: Address, act: &mut Act) {
        if let Some(link) = self.links.get_mut(&to)
            && !link.choking
        {
            link.choking = true;
            if self.optimistic == Some(to) {
                self.optimistic = None;
            }
            act.say(to, PeerMessage::Choke);
            self.drop_queue(to, act);
        }
    }
}

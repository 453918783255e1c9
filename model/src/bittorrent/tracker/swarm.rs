//! What a tracker remembers of one torrent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::bittorrent::message::{AnnounceEvent, AnnounceRequest, PeerId};
use crate::bittorrent::mutant::Mutant;

/// A peer as it last announced itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Member {
    pub(super) peer_id: PeerId,
    /// Whether nothing is left.
    pub(super) seeds: bool,
}

/// The live peers of a torrent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Swarm {
    pub(super) members: BTreeMap<SocketAddr, Member>,
    /// Downloads completed so far.
    pub(super) downloaded: u32,
    /// Peers that announced `completed` and have not left: saying it twice counts once.
    completed: BTreeSet<SocketAddr>,
    /// Peers that left, which only a mutant remembers.
    gone: BTreeMap<SocketAddr, PeerId>,
}

impl Swarm {
    pub(super) fn enter(
        &mut self,
        peer: SocketAddr,
        request: &AnnounceRequest,
        mutant: Option<Mutant>,
    ) {
        let is = |wrong| mutant == Some(wrong);
        if request.event == AnnounceEvent::Stopped {
            self.completed.remove(&peer);
            let left = self.members.remove(&peer);
            if let Some(member) = left.filter(|_| is(Mutant::ReturnsStopped)) {
                self.gone.insert(peer, member.peer_id);
            }
            return;
        }
        let seeds = request.left == 0;
        self.members.insert(
            peer,
            Member {
                peer_id: request.peer_id,
                seeds,
            },
        );
        self.gone.remove(&peer);
        if request.event == AnnounceEvent::Completed {
            let new = self.completed.insert(peer) || is(Mutant::CountsEveryCompletion);
            if new && !is(Mutant::CountsNoCompletion) {
                self.downloaded = self.downloaded.saturating_add(1);
            }
        }
    }

    /// The peers that an answer may list.
    pub(super) fn listed(&self, gone: bool) -> Vec<(SocketAddr, PeerId)> {
        let live = self
            .members
            .iter()
            .map(|(peer, member)| (*peer, member.peer_id));
        let left = self
            .gone
            .iter()
            .filter(|_| gone)
            .map(|(peer, name)| (*peer, *name));
        live.chain(left).collect()
    }

    /// Seeders and leechers.
    pub(super) fn counts(&self) -> (u32, u32) {
        let seeders = self.members.values().filter(|member| member.seeds).count();
        let leechers = self.members.len() - seeders;
        let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
        (count(seeders), count(leechers))
    }
}

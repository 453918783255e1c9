//! What a whole swarm reaches in the end.
//!
//! Each `judge` is the goal, which must become true and stay true once churn has stopped: it says `Holds` where the
//! goal holds, and `Unknown` where it does not hold yet. `system::completion` and `system::service` ask the explorer
//! for them in small scopes.

use std::collections::{BTreeMap, BTreeSet};

use crate::bittorrent::node::{Address, Peer};
use crate::bittorrent::pieces::Pieces;
use crate::property::Judgement::{self, Holds, Unknown};
use crate::property::{Kind, Property, Timing};

/// What a system of peers shows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SwarmView {
    /// The peers that take part, by address.
    pub members: BTreeMap<Address, SwarmMember>,
    /// Who was unchoked by whom, as (unchoker, unchoked), since it last became interested.
    pub served: BTreeSet<(Address, Address)>,
}

/// A peer that takes part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SwarmMember {
    /// The pieces that it has verified.
    pub have: Pieces,
    /// The neighbours that are interested in it.
    pub wanted_by: BTreeSet<Address>,
}

impl SwarmView {
    /// The view of the running peers. Whoever runs the system adds who was served.
    pub fn of<'a>(peers: impl IntoIterator<Item = (Address, &'a Peer)>) -> Self {
        let members = peers.into_iter().filter(|(_, peer)| peer.is_running());
        let members = members.map(|(address, peer)| {
            let have = peer.have().clone();
            let wanted_by = peer.interested_neighbours().collect();
            (address, SwarmMember { have, wanted_by })
        });
        Self {
            members: members.collect(),
            served: BTreeSet::new(),
        }
    }
}

/// The facts of this topic.
pub static PROPERTIES: &[Property<SwarmView>] = &[
    Property {
        name: "while_some_live_peer_has_every_missing_piece_every_leecher_completes",
        claims: &["bep3/download-completes"],
        kind: Kind::Eventually {
            fairness: "deliveries are weakly fair; timers and the random optimistic choice are strongly fair; churn stops",
        },
        timing: Timing::Untimed,
        judge: every_leecher_completes,
    },
    Property {
        name: "no_interested_peer_starves_for_ever",
        claims: &["lecture003/optimistic-unchoke"],
        kind: Kind::Eventually {
            fairness: "deliveries are weakly fair; timers and the random optimistic choice are strongly fair; churn stops",
        },
        timing: Timing::Untimed,
        judge: nobody_starves,
    },
];

/// Whoever lacks a piece lacks one that no live peer has.
fn every_leecher_completes(view: &SwarmView) -> Judgement {
    let held = |piece: u32| {
        view.members
            .values()
            .any(|member| member.have.contains(piece))
    };
    let stuck = |member: &SwarmMember| member.have.missing().any(|piece| !held(piece));
    let done = |member: &SwarmMember| member.have.is_complete() || stuck(member);
    if view.members.values().all(done) {
        Holds
    } else {
        Unknown
    }
}

/// Whoever is interested in somebody was unchoked there at some time since.
fn nobody_starves(view: &SwarmView) -> Judgement {
    let mut wishes = view
        .members
        .iter()
        .flat_map(|(server, member)| member.wanted_by.iter().map(|asker| (*server, *asker)));
    if wishes.all(|wish| view.served.contains(&wish)) {
        Holds
    } else {
        Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u8) -> Address {
        Address::from(([10, 0, 0, number], 6881))
    }

    fn member(has: &[u32], wanted_by: &[u8]) -> SwarmMember {
        let mut have = Pieces::none(2);
        for piece in has {
            have.insert(*piece);
        }
        let wanted_by = wanted_by.iter().map(|number| address(*number)).collect();
        SwarmMember { have, wanted_by }
    }

    fn swarm(members: &[SwarmMember]) -> SwarmView {
        let named = members.iter().enumerate();
        let members = named.map(|(place, member)| (address(place as u8), member.clone()));
        SwarmView {
            members: members.collect(),
            served: BTreeSet::new(),
        }
    }

    #[test]
    fn a_leecher_that_could_complete_has_not_reached_the_goal() {
        let seed = member(&[0, 1], &[]);
        let leecher = member(&[0], &[]);
        assert_eq!(
            every_leecher_completes(&swarm(&[seed.clone(), leecher.clone()])),
            Unknown
        );
        assert_eq!(
            every_leecher_completes(&swarm(&[seed.clone(), seed])),
            Holds
        );
        // Nobody has the other piece any more: the premise is gone.
        assert_eq!(
            every_leecher_completes(&swarm(&[leecher.clone(), leecher])),
            Holds
        );
    }

    #[test]
    fn an_interested_peer_that_was_never_unchoked_starves() {
        let mut view = swarm(&[member(&[0, 1], &[1]), member(&[], &[])]);
        assert_eq!(nobody_starves(&view), Unknown);
        view.served.insert((address(0), address(1)));
        assert_eq!(nobody_starves(&view), Holds);
    }
}

//! The cases that judge nodes of a ring. They begin with what one node can do alone.

mod churn;
mod crash;
mod fingers;
mod join;
mod keys;
mod leave;
mod lecture;
mod lookup;
mod network;
mod partition;
mod rejoin;
mod replicas;
mod ring;
mod single;
mod wrap;

use super::kit::RingKit;
use super::step::Step;
use crate::case::{Case, case};

/// The members of the lectures' ring.
const LECTURE: [u64; 6] = [16, 32, 45, 80, 96, 112];

/// Every case, in the order of reports: what a node needs first comes first.
pub(super) fn all() -> impl Iterator<Item = &'static Case<RingKit>> {
    [
        single::CASES,
        join::CASES,
        lookup::CASES,
        lecture::CASES,
        wrap::CASES,
        ring::CASES,
        fingers::CASES,
        keys::CASES,
        replicas::CASES,
        crash::CASES,
        leave::CASES,
        rejoin::CASES,
        churn::CASES,
        partition::CASES,
        network::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Whether a case can be played only where messages travel through the kit.
pub(super) fn needs_the_kits_network(id: &str) -> bool {
    id.starts_with("chord/network/")
}

/// Whether a case cuts the network in two, which loopback addresses alone do not let the kit do everywhere.
pub(super) fn needs_to_part(id: &str) -> bool {
    id == "chord/partition/heals"
}

/// The members join one after the other, each through the first.
fn ring_of(members: &[u64]) -> Vec<Step> {
    let first = members.first().copied();
    let mut steps = vec![Step::Join(first.unwrap_or_default(), None)];
    steps.extend(members.iter().skip(1).map(|node| Step::Join(*node, first)));
    steps
}

/// The lectures' ring, then these steps.
fn lecture_then(steps: &[Step]) -> Vec<Step> {
    let mut all = ring_of(&LECTURE);
    all.extend_from_slice(steps);
    all
}

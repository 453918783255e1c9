//! The stories of the leecher suite, by topic.

mod announces;
mod connections;
mod interest;
mod order;
mod pieces;
mod requests;
mod seeding;

use crate::case::Case;
use crate::suite::bittorrent::swarm::{Plan, Scene, Swarm, all};

/// Pieces of most torrents: enough to see a pipeline, few enough to be quick.
const PIECES: u32 = 16;

/// Every case, in the order of reports.
pub(crate) fn cases() -> impl Iterator<Item = &'static Case<Swarm>> {
    [
        announces::CASES,
        connections::CASES,
        interest::CASES,
        requests::CASES,
        pieces::CASES,
        order::CASES,
        seeding::CASES,
    ]
    .into_iter()
    .flatten()
}

/// A neighbour that has everything and gives it to whoever is interested.
fn seed() -> Plan {
    Plan::with(all(PIECES))
}

/// The usual scene: these neighbours, a torrent of [`PIECES`] pieces of one block.
fn scene(neighbours: impl IntoIterator<Item = Plan>) -> Scene {
    Scene::of(PIECES, neighbours.into_iter().collect())
}

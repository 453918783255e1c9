//! The cases that judge a seeder.

mod bitfield;
mod blocks;
mod bounds;
mod choking;
mod extension;
mod fast;
mod handshake;
mod keep_alive;
mod malformed;
mod metadata;
mod survival;

use crate::case::{Asked, Case, case, slow};
use crate::suite::bittorrent::seeder::SeederKit;

/// Every case, in the order of reports. What takes a target longest comes early.
pub(crate) fn all() -> impl Iterator<Item = &'static Case<SeederKit>> {
    [
        handshake::CASES,
        bitfield::CASES,
        choking::CASES,
        blocks::CASES,
        bounds::CASES,
        fast::CASES,
        extension::CASES,
        metadata::CASES,
        keep_alive::CASES,
        malformed::CASES,
        survival::CASES,
    ]
    .into_iter()
    .flatten()
}

const fn alone(mut case: Case<SeederKit>) -> Case<SeederKit> {
    case.info.alone = true;
    case
}

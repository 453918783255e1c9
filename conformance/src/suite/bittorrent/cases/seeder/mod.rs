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

use crate::case::{Case, CaseInfo, Level, Stop};
use crate::suite::bittorrent::seeder::SeederKit;

/// What a story is.
type Play = fn(&mut SeederKit) -> Result<(), Stop>;

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

/// What a case is about: the claims, and the property that it asks.
type Asked = (&'static [&'static str], &'static str);

const fn case(
    id: &'static str,
    level: Level,
    (claims, property): Asked,
    story: &'static str,
    expected: &'static str,
    play: Play,
) -> Case<SeederKit> {
    Case {
        info: CaseInfo {
            id,
            story,
            expected,
            level,
            claims,
            property,
            slow: false,
            alone: false,
        },
        play,
    }
}

const fn slow(mut case: Case<SeederKit>) -> Case<SeederKit> {
    case.info.slow = true;
    case
}

const fn alone(mut case: Case<SeederKit>) -> Case<SeederKit> {
    case.info.alone = true;
    case
}

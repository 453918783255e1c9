//! What a tracker is asked, by topic.

mod answers;
mod connection_ids;
mod counts;
mod datagrams;
mod forms;
mod lists;
mod malformed;
mod robust;
mod scrapes;

use crate::case::{self, Case, Level, Stop, slow};
use crate::suite::bittorrent::tracker_client::TrackerKit;

/// Every case, in the order of reports: HTTP, then UDP.
pub(in crate::suite::bittorrent) fn all() -> impl Iterator<Item = &'static Case<TrackerKit>> {
    [
        answers::CASES,
        lists::CASES,
        counts::CASES,
        scrapes::CASES,
        forms::CASES,
        malformed::CASES,
        robust::CASES,
        datagrams::CASES,
        connection_ids::CASES,
    ]
    .into_iter()
    .flatten()
}

/// What the kit does.
type Play = fn(&mut TrackerKit) -> Result<(), Stop>;

const fn case(
    id: &'static str,
    level: Level,
    claims: &'static [&'static str],
    property: &'static str,
    story: &'static str,
    expected: &'static str,
    play: Play,
) -> Case<TrackerKit> {
    case::case(id, level, (claims, property), story, expected, play)
}

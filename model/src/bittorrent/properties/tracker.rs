//! What a tracker is held to, over HTTP and over UDP: asked of every exchange.

mod answers;
mod counts;
mod datagrams;
mod lists;

use crate::bittorrent::tracker_view::{Accepted, Swarm, TrackerMoment};
use crate::property::{Judgement, Kind, Property, Timing};

/// The facts of this topic.
pub(super) static PROPERTIES: &[&[Property<TrackerMoment>]] = &[
    answers::PROPERTIES,
    lists::PROPERTIES,
    counts::PROPERTIES,
    datagrams::PROPERTIES,
];

/// A fact about every exchange.
const fn always(
    name: &'static str,
    claims: &'static [&'static str],
    judge: fn(&TrackerMoment) -> Judgement,
) -> Property<TrackerMoment> {
    Property {
        name,
        claims,
        kind: Kind::Always,
        timing: Timing::Untimed,
        judge,
    }
}

/// An announce that is accepted now, with the swarm as it was before.
fn accepted(moment: &TrackerMoment) -> Option<(Accepted, Swarm)> {
    let accepted = moment.now.accepted()?;
    let swarm = moment.view.swarms.get(&accepted.request.info_hash);
    let swarm = swarm.cloned().unwrap_or_default();
    Some((accepted, swarm))
}

//! The facts that a peer, a swarm and a tracker are held to, by topic.
//!
//! Each is asked about a [`Moment`]: what was known of the subject, and what is seen next. The explorer asks
//! them of every step of the model, the harness of every message of a foreign node. A property answers
//! `Holds` only where the fact was put to the test.

/// Facts that hold of every moment, each under the name of the function that judges it, with its claims.
macro_rules! facts {
    ($($name:ident [$($claim:literal),+];)*) => {
        /// The facts of this topic.
        pub(super) static PROPERTIES: &[crate::property::Property<crate::bittorrent::view::Moment>] =
            &[$(crate::property::Property {
                name: stringify!($name),
                claims: &[$($claim),+],
                kind: crate::property::Kind::Always,
                timing: crate::property::Timing::Untimed,
                judge: $name,
            }),*];
    };
}

mod announces;
mod bitfield;
mod bounds;
mod choking;
mod extension;
mod fast;
mod fetching;
mod handshake;
mod offences;
mod selection;
mod staying;
pub mod swarm;
mod tracker;
mod transfer;

use super::tracker_view::TrackerMoment;
use super::view::Moment;
use crate::property::Property;

/// Every property of a peer, by topic.
pub fn peer() -> impl Iterator<Item = &'static Property<Moment>> {
    [
        handshake::PROPERTIES,
        bitfield::PROPERTIES,
        offences::PROPERTIES,
        choking::PROPERTIES,
        transfer::PROPERTIES,
        bounds::PROPERTIES,
        selection::PROPERTIES,
        fetching::PROPERTIES,
        fast::PROPERTIES,
        extension::PROPERTIES,
        announces::PROPERTIES,
    ]
    .into_iter()
    .flatten()
}

/// Facts of a peer under test that has no reason to leave; a peer in a model may have one.
pub fn of_staying_peers() -> impl Iterator<Item = &'static Property<Moment>> {
    staying::PROPERTIES.iter()
}

/// The property of a peer with that name.
pub fn peer_property(name: &str) -> Option<&'static Property<Moment>> {
    peer()
        .chain(of_staying_peers())
        .find(|property| property.name == name)
}

/// Every property of a tracker, by topic.
pub fn of_trackers() -> impl Iterator<Item = &'static Property<TrackerMoment>> {
    tracker::PROPERTIES.iter().copied().flatten()
}

/// The property of a tracker with that name.
pub fn tracker_property(name: &str) -> Option<&'static Property<TrackerMoment>> {
    of_trackers().find(|property| property.name == name)
}

#[cfg(test)]
mod tests;

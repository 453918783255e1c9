//! The facts that a peer, a swarm and a tracker are held to, by topic.
//!
//! Each is asked about a [`Moment`]: what was known of the subject, and what is seen next. The explorer asks
//! them of every step of the model, the harness of every message of a foreign node. A property answers
//! `Holds` only where the fact was put to the test.

mod transfer;

use super::view::Moment;
use crate::property::Property;

/// Every property of a peer, by topic.
pub fn peer() -> impl Iterator<Item = &'static Property<Moment>> {
    [transfer::PROPERTIES].into_iter().flatten()
}

/// The property of a peer with that name.
pub fn peer_property(name: &str) -> Option<&'static Property<Moment>> {
    peer().find(|property| property.name == name)
}

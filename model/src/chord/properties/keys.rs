//! Where keys are.

use std::fmt::Display;

use crate::chord::view::Equipped;
use crate::property::Judgement::{self, Broken, Holds, Unknown};

/// The first members from the owner on, each once: as many as a key is to be kept on.
pub fn holders<R: Equipped>(ring: &R, key: R::Id) -> impl Iterator<Item = R::Id> {
    let onward = std::iter::successors(ring.owner(key), |at| ring.next(*at));
    onward.take(ring.replication().max(1).min(ring.size()))
}

/// Every stored key is with the first member at or clockwise of it.
pub fn keys_are_with_their_owner<R: Equipped<Id: Display>>(ring: &R) -> Judgement {
    let mut judgement = Unknown;
    for key in ring.stored() {
        let Some(owner) = ring.owner(key) else {
            return Unknown;
        };
        if !ring.keeps(owner, key) {
            return Broken(format!("{owner} owns the key {key}, and does not have it"));
        }
        judgement = Holds;
    }
    judgement
}

/// Every stored key is on the first members from its owner on, as many as it is to be kept on.
pub fn keys_are_replicated<R: Equipped<Id: Display>>(ring: &R) -> Judgement {
    if ring.replication() == 0 {
        return Unknown;
    }
    let mut judgement = Unknown;
    for key in ring.stored() {
        if let Some(lacks) = holders(ring, key).find(|node| !ring.keeps(*node, key)) {
            return Broken(format!(
                "{lacks} is to keep the key {key}, and does not have it"
            ));
        }
        judgement = Holds;
    }
    judgement
}

/// Every stored key is somewhere.
pub fn no_key_is_lost<R: Equipped<Id: Display>>(ring: &R) -> Judgement {
    let mut judgement = Unknown;
    for key in ring.stored() {
        if !ring.members().any(|node| ring.keeps(node, key)) {
            return Broken(format!("nobody has the key {key}"));
        }
        judgement = Holds;
    }
    judgement
}

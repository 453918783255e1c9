//! Where keys are.

use std::fmt::{Debug, Display};

use crate::chord::view::{Ring, RingView};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

/// The first `replication` members from the owner on, each once.
fn holders<I: Copy + Ord + Debug>(view: &RingView<I>, key: I) -> Vec<I> {
    let onward = view.members.range(key..).map(|(id, _)| *id);
    let wrapped = view.members.range(..key).map(|(id, _)| *id);
    onward
        .chain(wrapped)
        .take(view.replication.max(1))
        .collect()
}

fn keeps<I: Copy + Ord + Debug>(view: &RingView<I>, node: I, key: I) -> bool {
    view.members
        .get(&node)
        .is_some_and(|said| said.keys.contains(&key))
}

/// Every stored key is with the first member at or clockwise of it.
pub(super) fn keys_are_with_their_owner<I: Copy + Ord + Debug + Display>(
    view: &RingView<I>,
) -> Judgement {
    let mut judgement = Unknown;
    for key in &view.stored {
        let Some(owner) = view.owner(*key) else {
            return Unknown;
        };
        if !keeps(view, owner, *key) {
            return Broken(format!("{owner} owns the key {key}, and does not have it"));
        }
        judgement = Holds;
    }
    judgement
}

/// Every stored key is on the first members from its owner on, as many as it is to be kept on.
pub(super) fn keys_are_replicated<I: Copy + Ord + Debug + Display>(
    view: &RingView<I>,
) -> Judgement {
    if view.replication == 0 {
        return Unknown;
    }
    let mut judgement = Unknown;
    for key in &view.stored {
        if let Some(lacks) = holders(view, *key)
            .into_iter()
            .find(|node| !keeps(view, *node, *key))
        {
            return Broken(format!(
                "{lacks} is to keep the key {key}, and does not have it"
            ));
        }
        judgement = Holds;
    }
    judgement
}

/// Every stored key is somewhere.
pub(super) fn no_key_is_lost<I: Copy + Ord + Debug + Display>(view: &RingView<I>) -> Judgement {
    let mut judgement = Unknown;
    for key in &view.stored {
        if !view.members().any(|node| keeps(view, node, *key)) {
            return Broken(format!("nobody has the key {key}"));
        }
        judgement = Holds;
    }
    judgement
}

//! The facts that a ring is held to.
//!
//! The facts of [`shape`] ask any [`Ring`]: the states of the atomic models, of the system with messages, and what
//! processes say of themselves. Those of [`upkeep`] ask a [`RingView`], which knows fingers and keys as well; the functions
//! behind them ask any [`Equipped`](super::view::Equipped) ring.
//!
//! | file | holds |
//! |---|---|
//! | `ring.rs` | one ring, ordered; appendages that reach it |
//! | `lists.rs` | what successor lists may skip, repeat and lose; principals |
//! | `ideal.rs` | what a ring is when nothing is left to repair |
//! | `routing.rs` | fingers and lookups |
//! | `keys.rs` | where keys are |
//! | `run` | what a whole run is held to, seen from outside |

mod ideal;
mod keys;
mod lists;
mod ring;
mod routing;
pub mod run;

pub use ideal::{first_wrong_list, first_wrong_neighbour, is_ideal, is_loopy};
pub use keys::{holders, keys_are_replicated, keys_are_with_their_owner, no_key_is_lost};
pub use lists::{is_principal, principals};
pub use routing::{ends_at_the_owner, fingers_are_right, lookup_path, never_loops};

use std::fmt::{Debug, Display};

use super::view::{Ring, RingView};
use crate::property::{Judgement, Kind, Property, Timing};

/// A property that holds of every view.
const fn always<V>(
    name: &'static str,
    claims: &'static [&'static str],
    judge: fn(&V) -> Judgement,
) -> Property<V> {
    Property {
        name,
        claims,
        kind: Kind::Always,
        timing: Timing::Untimed,
        judge,
    }
}

/// What the pointers of a ring are held to, whoever looks.
pub fn shape<R: Ring>() -> Vec<Property<R>> {
    vec![
        always(
            "at_least_one_ring",
            &["zave/at-least-one-ring"],
            ring::at_least_one_ring,
        ),
        always(
            "at_most_one_ring",
            &["zave/at-most-one-ring"],
            ring::at_most_one_ring,
        ),
        always("ordered_ring", &["zave/ordered-ring"], ring::ordered_ring),
        always(
            "no_loopy_ring",
            &["lecture/stabilization-prevents-loops"],
            ring::no_loopy_ring,
        ),
        always(
            "connected_appendages",
            &["zave/connected-appendages"],
            ring::connected_appendages,
        ),
        always(
            "ordered_merges",
            &["zave/ordered-merges"],
            ring::ordered_merges,
        ),
        always(
            "ordered_appendages",
            &["zave/ordered-appendages"],
            ring::ordered_appendages,
        ),
        always(
            "valid_successor_lists",
            &["zave/valid-successor-lists"],
            lists::valid_successor_lists,
        ),
        always(
            "no_duplicates",
            &["zave/no-duplicates"],
            lists::no_duplicates,
        ),
        always(
            "ordered_successor_lists",
            &["zave/ordered-successor-lists"],
            lists::ordered_successor_lists,
        ),
        always(
            "everyone_has_a_live_successor",
            &["zave/live-successor"],
            lists::everyone_has_a_live_successor,
        ),
        always(
            "principals_are_on_the_ring",
            &["zave/principals-in-the-ring"],
            lists::principals_are_on_the_ring,
        ),
        always(
            "enough_principals",
            &["zave/base-of-principals"],
            lists::enough_principals,
        ),
    ]
}

/// The fact about pointers of that name.
pub fn shape_named<R: Ring>(name: &str) -> Option<Property<R>> {
    shape().into_iter().find(|property| property.name == name)
}

/// What fingers, lookups and keys are held to.
pub fn upkeep<I: Copy + Ord + Debug + Display>() -> Vec<Property<RingView<I>>> {
    vec![
        always(
            "fingers_are_right",
            &["lecture/finger-table"],
            routing::fingers_are_right,
        ),
        always(
            "fingers_never_loop",
            &[
                "lecture/stabilization-prevents-loops",
                "wire/lookup-never-loops",
            ],
            routing::fingers_never_loop,
        ),
        always(
            "lookups_end_at_the_owner",
            &[
                "lecture/key-at-its-successor",
                "wire/lookup-returns-the-successor",
            ],
            routing::lookups_end_at_the_owner,
        ),
        always(
            "keys_are_with_their_owner",
            &["lecture/key-at-its-successor"],
            keys::keys_are_with_their_owner,
        ),
        always(
            "keys_are_replicated",
            &["lecture/keys-are-replicated"],
            keys::keys_are_replicated,
        ),
        always(
            "no_key_is_lost",
            &["lecture/keys-are-replicated"],
            keys::no_key_is_lost,
        ),
    ]
}

/// The fact about fingers, lookups and keys of that name.
pub fn upkeep_named<I: Copy + Ord + Debug + Display>(name: &str) -> Option<Property<RingView<I>>> {
    upkeep().into_iter().find(|property| property.name == name)
}

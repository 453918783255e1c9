//! What a run is held to, as an observer sees it from outside. Most rules are those of rings, asked of what members
//! say of themselves once they have had the time that they are given, and confirmed by what they do.
//!
//! | file | holds |
//! |---|---|
//! | `members.rs` | neighbours, lists, fingers: what members say once a change is over |
//! | `arrivals.rs` | what newcomers may know, and what becomes of leavers and the dead |
//! | `lookups.rs` | where lookups end, how long they are, and whether they bear out what members say |
//! | `values.rs` | what is stored, where, and for how long |

mod arrivals;
mod lookups;
mod members;
#[cfg(test)]
mod tests;
mod values;

use super::always;
use crate::chord::run_view::RunView;
use crate::property::Property;

/// Every fact about a run.
pub fn run() -> Vec<Property<RunView>> {
    let mut all = members::properties();
    all.extend(arrivals::properties());
    all.extend(lookups::properties());
    all.extend(values::properties());
    all
}

/// The fact about a run of that name.
pub fn run_named(name: &str) -> Option<Property<RunView>> {
    run().into_iter().find(|property| property.name == name)
}

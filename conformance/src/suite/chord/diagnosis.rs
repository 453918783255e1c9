//! Names for what is often wrong, found by what a run shows.

use peerproof_model::chord::run_view::RunView;

/// The name of what is wrong, where the pattern is known.
pub(super) fn of(view: &RunView, observed: &str) -> Option<&'static str> {
    let _ = view;
    let says = |words: &str| observed.contains(words);
    if says("which has crashed") {
        Some("a dead neighbour is kept")
    } else {
        None
    }
}

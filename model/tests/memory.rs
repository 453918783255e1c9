//! What the explorer says it held, beside what the allocator gave out: alone in its program, because the allocator
//! counts for all threads.

#[macro_use]
mod packed_number;

use std::sync::Arc;

use peak_alloc::PeakAlloc;
use peerproof_model::explore::{
    ActionClass, Explorer, Fairness, Goal, Limits, LivenessReport, LivenessVerdict,
};
use stateright::Model;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const STATES: u32 = 300_000;
/// Less than two bytes a state: what does not grow with states, such as the lists of the shards.
const UNCOUNTED: usize = 2 * STATES as usize;

/// A tree in breadth-first order; steps lead to the children, to the next state in that order, and to the state itself.
struct Tree {
    /// Whether the first state comes after the last: one component of all states, or one of each.
    closed: bool,
}

impl Model for Tree {
    type State = u32;
    type Action = u32;

    fn init_states(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, state: &u32, actions: &mut Vec<u32>) {
        let next = [*state, state + 1, 2 * state + 1, 2 * state + 2];
        actions.extend(next.into_iter().filter(|to| *to < STATES));
        if self.closed && *state == STATES - 1 {
            actions.push(0);
        }
    }

    fn next_state(&self, _: &u32, to: u32) -> Option<u32> {
        Some(to)
    }
}

pack_number!(Tree);

/// Never reached; the step to the first state has a class of its own.
fn never(fairness: Fairness) -> Goal<Tree> {
    let class = |name: &str, fairness| ActionClass {
        name: name.into(),
        fairness,
    };
    Goal {
        name: "never",
        holds: Arc::new(|_, _| false),
        churn: "nothing",
        classes: vec![class("on", Fairness::Weak), class("round", fairness)],
        class_of: Arc::new(|_, to| Some(usize::from(*to == 0))),
    }
}

#[test]
fn what_is_counted_is_what_is_allocated() {
    for (closed, fairness) in [
        (true, Fairness::Weak),
        (true, Fairness::Strong),
        (false, Fairness::Weak),
    ] {
        let tree = Tree { closed };
        // What the explorer says, and the most that was allocated meanwhile.
        let ask = |memory| -> (LivenessReport<u32>, usize) {
            let limits = Limits {
                memory,
                ..Limits::default()
            };
            let before = ALLOCATOR.current_usage();
            ALLOCATOR.reset_peak_usage();
            let explorer = Explorer::new(&tree).limits(limits);
            let report = explorer.converges(&never(fairness));
            let report = report.expect("it can be asked");
            (report, ALLOCATOR.peak_usage() - before)
        };
        let (full, allocated) = ask(None);
        assert!(matches!(full.verdict, LivenessVerdict::Violated(_)));
        assert!(allocated < full.bytes + UNCOUNTED, "{closed} {fairness:?}");
        for limit in [full.bytes / 2, full.bytes / 4 * 3, full.bytes - 1] {
            let (report, allocated) = ask(Some(limit));
            let incomplete = matches!(report.verdict, LivenessVerdict::Incomplete { .. });
            assert!(incomplete, "{limit}: {:?}", report.verdict);
            assert!(report.bytes <= limit && allocated < limit + UNCOUNTED);
        }
    }
}

//! Loopy rings: who gets into one, who stays in one, who gets out.

use peerproof_model::chord::properties::{is_loopy, lookup_path};
use peerproof_model::chord::ring::{
    Action, AtomicRing, Churn, Pointers, Scope, Start, State, Variant,
};
use peerproof_model::chord::rules::Rules;
use peerproof_model::chord::view::{MemberView, Ring, RingView};
use peerproof_model::explore::{Explorer, Fact, Fairness, LivenessVerdict};
use stateright::Model;

/// One cycle through five nodes that winds round the circle twice.
const CYCLE: [u8; 5] = [0, 2, 4, 1, 3];

/// The loopy ring: every list follows the cycle, every predecessor is the one before on it.
fn loopy(successors: usize) -> State {
    let member = |at: usize| {
        let list: Vec<u8> = (1..=successors)
            .map(|ahead| CYCLE[(at + ahead) % 5])
            .collect();
        (CYCLE[at], Pointers::new(&list, Some(CYCLE[(at + 4) % 5])))
    };
    State::of(&[0, 1, 2, 3, 4].map(member))
}

fn maintained(variant: Variant, ids: u8, successors: u8, starts: Vec<State>) -> AtomicRing {
    let scope = Scope::new(variant, ids, successors).churning(Churn::NONE);
    AtomicRing::new(scope.from(Start::Given(starts))).expect("a possible scope")
}

/// The actions that change something.
fn effective(ring: &AtomicRing, state: &State) -> Vec<(Action, State)> {
    ring.next_steps(state)
}

#[test]
fn a_loopy_ring_is_a_fixed_point_of_plain_stabilization() {
    let state = loopy(2);
    assert_eq!(is_loopy(&state, 0), Some(true));
    let plain = Variant::ALL
        .into_iter()
        .filter(|variant| matches!(variant, Variant::Ton2003 { .. }));
    for variant in plain {
        let ring = maintained(variant, 5, 2, vec![state]);
        assert_eq!(effective(&ring, &state), [], "{variant}");
    }
    let ring = maintained(Variant::Sigcomm2001, 5, 1, vec![loopy(1)]);
    assert_eq!(effective(&ring, &loopy(1)), []);
}

/// The corrected protocol does not get into one. Put into one, it stays: it prevents, and does not repair.
#[test]
fn the_corrected_protocol_does_not_repair_a_loopy_ring_either() {
    let state = loopy(2);
    let ring = maintained(Variant::Zave2017, 5, 2, vec![state]);
    assert!(!ring.is_repairable(&state));
    assert!(!ring.is_ideal(&state));
}

/// In the loopy ring lookups go wrong, though every pointer is consistent with its neighbours'.
#[test]
fn lookups_fail_in_a_loopy_ring() {
    let state = loopy(2);
    let mut view = RingView::default();
    for member in state.live() {
        let said = MemberView {
            successors: state.at(member).list().collect(),
            predecessor: state.at(member).predecessor(),
            ..MemberView::default()
        };
        view.members.insert(member, said);
    }
    // Node 0 takes 2 for the first node after it, so it answers 2 for the key of node 1.
    assert_eq!(lookup_path(&view, Rules::default(), 0, 1), Some(vec![0, 2]));
    assert_eq!(view.owner(1), Some(1));
}

#[test]
fn strong_stabilization_repairs_the_loopy_ring() {
    let ring = maintained(Variant::Podc2002, 5, 1, vec![loopy(1)]);
    assert_eq!(orders(&ring), (142, true));
}

/// Every start of `nodes` nodes that successors alone connect, loopy ones included, with every predecessor that each may
/// believe in.
fn connected_starts(nodes: u8, predecessors: bool) -> Vec<State> {
    let each = usize::from(nodes);
    let digits = |code: usize, base: usize| -> Vec<u8> {
        (0..nodes)
            .map(|place| (code / base.pow(u32::from(place)) % base) as u8)
            .collect()
    };
    let mut starts = Vec::new();
    for code in 0..each.pow(u32::from(nodes)) {
        let successors = digits(code, each);
        if !is_connected(&successors) {
            continue;
        }
        let ways = if predecessors {
            (each + 1).pow(u32::from(nodes))
        } else {
            1
        };
        for way in 0..ways {
            let members: Vec<(u8, Pointers)> = (0..nodes)
                .zip(digits(way, each + 1))
                .map(|(place, before)| {
                    let successor = successors[usize::from(place)];
                    (place, Pointers::new(&[successor], before.checked_sub(1)))
                })
                .collect();
            starts.push(State::of(&members));
        }
    }
    starts
}

fn is_connected(successors: &[u8]) -> bool {
    let mut part: Vec<usize> = (0..successors.len()).collect();
    for _ in 0..successors.len() {
        for (from, to) in successors.iter().map(|to| usize::from(*to)).enumerate() {
            let least = part[from].min(part[to]);
            part[from] = least;
            part[to] = least;
        }
    }
    part.iter().all(|part| *part == 0)
}

/// States, and whether the ordered ring is reached from all of them when every step of every member is weakly fair.
fn orders(ring: &AtomicRing) -> (usize, bool) {
    let goal = ring.convergence(Fairness::Weak);
    let explorer = Explorer::new(ring).threads(2);
    let report = explorer.converges(&goal).expect("a goal that can be asked");
    (report.states, report.verdict == LivenessVerdict::Holds)
}

/// Strong stabilization leads to the ordered ring from every connected start: with every predecessor that nodes may
/// believe in among four and fewer, with none at first among five.
#[test]
fn strong_stabilization_orders_every_connected_start() {
    for (nodes, predecessors, starts, states) in [
        (2, true, 27, 27),
        (3, true, 1_088, 1_088),
        (4, true, 88_750, 88_750),
        (5, false, 1_569, 724_143),
    ] {
        let given = connected_starts(nodes, predecessors);
        assert_eq!(given.len(), starts, "{nodes}");
        let ring = maintained(Variant::Podc2002, nodes, 1, given);
        assert_eq!(orders(&ring), (states, true), "{nodes}");
    }
}

/// Plain stabilization does not: this many of the starts of four nodes never lead to the ordered ring.
#[test]
fn plain_stabilization_gets_stuck() {
    let starts = connected_starts(4, false);
    assert_eq!(starts.len(), 142);
    let mut lost = 0;
    for start in starts {
        let ring = maintained(Variant::TON2003_FIXED, 4, 1, vec![start]);
        let ideal = |ring: &AtomicRing, state: &State| ring.is_ideal(state);
        let found = Explorer::new(&ring).find(Fact::sometimes("ideal", ideal));
        lost += usize::from(found.expect("a complete run").is_none());
    }
    assert_eq!(lost, 17);
}

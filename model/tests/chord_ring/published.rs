//! The published counterexamples replay, and the explorer finds the shortest ones by itself.

use peerproof_model::chord::properties;
use peerproof_model::chord::ring::{
    Action, AtomicRing, Churn, Pointers, Scope, Start, State, Variant,
};
use peerproof_model::explore::{Explorer, Fact, PropertyVerdict, Verdict, count_depth_first};
use stateright::{Model, Path};

const TON2003: Variant = Variant::Ton2003 {
    live_join: false,
    live_stabilize: false,
};
const ONLY_FIX1: Variant = Variant::Ton2003 {
    live_join: true,
    live_stabilize: false,
};
const ONLY_FIX2: Variant = Variant::Ton2003 {
    live_join: false,
    live_stabilize: true,
};

/// The invariants that were claimed of the protocol until 2003, and that no ring is loopy.
const CLAIMED: [&str; 8] = [
    "at_least_one_ring",
    "at_most_one_ring",
    "ordered_ring",
    "no_loopy_ring",
    "connected_appendages",
    "ordered_merges",
    "ordered_appendages",
    "valid_successor_lists",
];

fn ring(variant: Variant, ids: u8, successors: u8) -> AtomicRing {
    AtomicRing::new(Scope::new(variant, ids, successors)).expect("a possible scope")
}

struct Published {
    violates: &'static str,
    variant: Variant,
    sequence: &'static str,
    /// Steps that change nothing here, by number from 1.
    idle: &'static [usize],
    /// Every claimed invariant that some state on the way breaks, with the first step that does.
    broken: &'static [(&'static str, usize)],
}

const PUBLISHED: &[Published] = &[
    Published {
        violates: "ordered_merges",
        variant: Variant::TON2003_FIXED,
        sequence: "J3 S3 S0 J1 J2 S1 S2 S0",
        idle: &[],
        broken: &[("ordered_merges", 8)],
    },
    Published {
        violates: "ordered_appendages",
        variant: Variant::TON2003_FIXED,
        sequence: "J1 J2 J3 S2 S0 S3 S1 R2 R3 F0 U2 U3 L3 S3",
        idle: &[13, 14],
        broken: &[("ordered_merges", 5), ("ordered_appendages", 10)],
    },
    Published {
        violates: "valid_successor_lists",
        variant: Variant::TON2003_FIXED,
        sequence: "J2 S2 S0 J1 R1 J3 S3 S2 R0 S1 S0 F2 U1",
        idle: &[],
        broken: &[("valid_successor_lists", 11)],
    },
    Published {
        violates: "connected_appendages",
        variant: ONLY_FIX2,
        sequence: "J2 S2 S0 R0 F2 J1 U0",
        idle: &[],
        broken: &[("connected_appendages", 6)],
    },
    Published {
        violates: "at_least_one_ring",
        variant: ONLY_FIX1,
        sequence: "J2 S2 S0 J1 S1 F1 S0 L2",
        idle: &[],
        broken: &[("at_least_one_ring", 7), ("connected_appendages", 7)],
    },
    Published {
        violates: "at_most_one_ring",
        variant: Variant::TON2003_FIXED,
        sequence: "J2 S2 S0 R0 R2 J1 S1 S0 J3 S3 S2 F1 F3 U0 U2",
        idle: &[],
        broken: &[
            ("at_most_one_ring", 13),
            ("ordered_ring", 13),
            ("valid_successor_lists", 8),
        ],
    },
];

/// The states along a sequence of short names, the first one included.
fn replayed(ring: &AtomicRing, sequence: &str) -> Vec<State> {
    let mut states = ring.init_states();
    assert_eq!(states.len(), 1);
    for code in sequence.split(' ') {
        let now = *states.last().expect("a state");
        let mut actions = Vec::new();
        ring.actions(&now, &mut actions);
        let named = actions.into_iter().filter(|action| action.code() == code);
        let mut next: Vec<State> = named.filter_map(|action| ring.step(&now, action)).collect();
        next.dedup();
        // Through whom a node joins makes no difference in these.
        assert!(next.len() < 2, "{code} of {sequence}");
        states.push(next.first().copied().unwrap_or(now));
    }
    states
}

/// The first state that breaks the property, by number.
fn first_broken(states: &[State], name: &str) -> Option<usize> {
    let property = properties::shape_named::<State>(name).expect("a property of that name");
    states
        .iter()
        .position(|state| (property.judge)(state).is_broken())
}

#[test]
fn published_counterexamples_violate_what_they_say() {
    for published in PUBLISHED {
        let states = replayed(&ring(published.variant, 4, 2), published.sequence);
        let last = states.len() - 1;
        assert_eq!(
            first_broken(&states[last..], published.violates),
            Some(0),
            "{}",
            published.violates
        );
        let idle: Vec<usize> = (1..states.len())
            .filter(|step| states[*step] == states[step - 1])
            .collect();
        assert_eq!(idle, published.idle, "{}", published.violates);
        let broken: Vec<(&str, usize)> = CLAIMED
            .iter()
            .filter_map(|name| Some((*name, first_broken(&states, name)?)))
            .collect();
        assert_eq!(broken, published.broken, "{}", published.violates);
    }
}

/// The last published counterexample ends in two rings of one node each, 0 and 2.
#[test]
fn the_ring_falls_apart_into_two_lonely_nodes() {
    let published = PUBLISHED.last().expect("the last one");
    let states = replayed(&ring(published.variant, 4, 2), published.sequence);
    let last = states.last().expect("a state");
    let rings: Vec<(u8, Vec<u8>)> = last
        .live()
        .map(|member| (member, last.at(member).list().collect()))
        .collect();
    assert_eq!(rings, [(0, vec![0]), (2, vec![2])]);
}

/// With the fix that a counterexample needs to be missing, its sequence is harmless.
#[test]
fn each_fix_prevents_the_violation_that_it_was_made_for() {
    for (sequence, violates) in PUBLISHED[3..5].iter().map(|p| (p.sequence, p.violates)) {
        let states = replayed(&ring(Variant::TON2003_FIXED, 4, 2), sequence);
        assert_eq!(first_broken(&states, violates), None, "{violates}");
    }
}

/// For each variant at 4 identifiers the shortest way to break each claimed invariant; `None` where it holds.
const SHORTEST: &[(Variant, u8, [Option<usize>; 8])] = &[
    (
        Variant::Sigcomm2001,
        1,
        [Some(4), None, None, None, Some(4), Some(4), None, None],
    ),
    (
        TON2003,
        2,
        [
            Some(4),
            Some(11),
            Some(11),
            Some(13),
            Some(4),
            Some(4),
            Some(9),
            Some(8),
        ],
    ),
    (
        ONLY_FIX1,
        2,
        [
            Some(4),
            Some(11),
            Some(11),
            Some(13),
            Some(4),
            Some(4),
            Some(9),
            Some(8),
        ],
    ),
    (
        ONLY_FIX2,
        2,
        [
            Some(12),
            Some(11),
            Some(11),
            Some(13),
            Some(6),
            Some(4),
            Some(9),
            Some(8),
        ],
    ),
];

/// With both fixes, and with strong stabilization, two invariants hold: those runs are long, so that here only the
/// others are asked at 4 identifiers, and these two at 3.
const SHORTEST_FIXED: &[(Variant, [(&str, usize); 6])] = &[
    (
        Variant::TON2003_FIXED,
        [
            ("at_most_one_ring", 11),
            ("ordered_ring", 11),
            ("no_loopy_ring", 13),
            ("ordered_merges", 4),
            ("ordered_appendages", 9),
            ("valid_successor_lists", 8),
        ],
    ),
    (
        Variant::Podc2002,
        [
            ("at_most_one_ring", 13),
            ("ordered_ring", 13),
            ("no_loopy_ring", 14),
            ("ordered_merges", 4),
            ("ordered_appendages", 9),
            ("valid_successor_lists", 8),
        ],
    ),
];

fn facts(names: &[&str]) -> Vec<Fact<AtomicRing>> {
    let fact = |name: &&str| AtomicRing::fact(name).expect("a fact of that name");
    names.iter().map(fact).collect()
}

#[test]
fn the_explorer_finds_the_shortest_violations() {
    for (variant, successors, shortest) in SHORTEST {
        let ring = ring(*variant, 4, *successors);
        let report = Explorer::new(&ring).check(&facts(&CLAIMED));
        for (property, expected) in report.properties.iter().zip(shortest) {
            let found = match property.verdict {
                PropertyVerdict::Violated => Some(property.trace.len()),
                PropertyVerdict::Holds => None,
                ref other => panic!("{variant}: {} is {other:?}", property.name),
            };
            assert_eq!(found, *expected, "{variant}: {}", property.name);
        }
    }
    for (variant, shortest) in SHORTEST_FIXED {
        let ring = ring(*variant, 4, 2);
        let names = shortest.map(|(name, _)| name);
        let report = Explorer::new(&ring).check(&facts(&names));
        let found: Vec<(&str, usize)> = report
            .properties
            .iter()
            .map(|property| (property.name, property.trace.len()))
            .collect();
        assert_eq!(found, shortest, "{variant}");
    }
}

#[test]
fn both_fixes_keep_a_ring_and_its_appendages_together_among_three() {
    for (variant, states) in [(Variant::TON2003_FIXED, 8815), (Variant::Podc2002, 11857)] {
        let ring = ring(variant, 3, 2);
        let kept = ["at_least_one_ring", "connected_appendages"];
        let report = Explorer::new(&ring).check(&facts(&kept));
        assert_eq!(report.verdict, Verdict::Holds, "{variant}");
        assert_eq!(report.states, states, "{variant}");
        assert_eq!(
            count_depth_first(&std::sync::Arc::new(ring)),
            states,
            "{variant}"
        );
    }
}

/// Two nodes are enough: 0 adopts a node that is gone.
#[test]
fn shortest_traces_are_told_step_by_step() {
    let ring = ring(Variant::Sigcomm2001, 2, 1);
    let report = Explorer::new(&ring).check(&facts(&["at_least_one_ring"]));
    let codes: Vec<String> = report.properties[0]
        .trace
        .actions
        .iter()
        .map(|action: &Action| action.code())
        .collect();
    assert_eq!(codes, ["J1", "S1", "F1", "S0"]);
}

/// Node 1 says goodbye: the node before it takes over the end of its list, the node after it its predecessor. The lists
/// of others are repaired later.
#[test]
fn a_leaving_node_tells_its_two_neighbours() {
    let members = [0, 1, 2, 3].map(|node: u8| {
        let list = [(node + 1) % 4, (node + 2) % 4];
        (node, Pointers::new(&list, Some((node + 3) % 4)))
    });
    let start = State::of(&members);
    let scope = Scope::new(Variant::TON2003_FIXED, 4, 2).churning(Churn::ALL);
    let ring = AtomicRing::new(scope.from(Start::Given(vec![start]))).expect("a possible scope");
    let left = ring.step(&start, Action::Leave(1)).expect("it may leave");
    let expected = State::of(&[
        (0, Pointers::new(&[2, 3], Some(3))),
        (2, Pointers::new(&[3, 0], Some(0))),
        (3, Pointers::new(&[0, 1], Some(2))),
    ]);
    assert_eq!(left, expected);
}

/// The guard looks at what is left: 2 has nobody but 1, twice, and 0 has 2.
#[test]
fn nobody_fails_who_is_all_that_another_has() {
    let start = State::of(&[
        (0, Pointers::new(&[2, 1], None)),
        (1, Pointers::new(&[0, 2], None)),
        (2, Pointers::new(&[1, 1], None)),
    ]);
    let scope = Scope::new(Variant::TON2003_FIXED, 3, 2).from(Start::Given(vec![start]));
    let ring = AtomicRing::new(scope).expect("a possible scope");
    let may_fail = [0, 1, 2].map(|node| ring.step(&start, Action::Fail(node)).is_some());
    assert_eq!(may_fail, [true, false, true]);
}

/// The explorer's page draws a ring: a circle for each identifier and the one they are on, an arrow for each pointer.
#[test]
fn states_are_drawn() {
    let ring = ring(Variant::TON2003_FIXED, 4, 2);
    let mut states = ring.init_states();
    let start = states.pop().expect("a start");
    let actions = [
        Action::Join(2, 0),
        Action::Stabilize(2),
        Action::Stabilize(0),
    ];
    let path = Path::from_actions(&ring, start, &actions).expect("a possible path");
    let drawn = ring.as_svg(path).expect("a drawing");
    let count = |part: &str| drawn.matches(part).count();
    assert_eq!(
        (count("<circle"), count("<text"), count("marker-end")),
        (5, 4, 4)
    );
    // Two members on the ring, nobody at 1 and 3.
    assert_eq!((count("#9ecae1"), count("fill=\"white\"")), (2, 2));
}

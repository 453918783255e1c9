//! The worked examples of the lectures, of the textbook, and what fingers, lookups and keys are held to.

use std::collections::BTreeSet;

use peerproof_model::choose::{Choose, Seeded};
use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::properties::{
    ends_at_the_owner, lookup_path, never_loops, upkeep_named,
};
use peerproof_model::chord::rules::Rules;
use peerproof_model::chord::view::{Ring, RingView};
use peerproof_model::property::Judgement::{self, Holds, Unknown};
use peerproof_model::space::circle::{Circle, Id, between_or_ends};

const SOUND: Rules = Rules { mutant: None };
/// The ring of the lectures, m = 7.
const LECTURE: [u64; 6] = [16, 32, 45, 80, 96, 112];
/// The ring of the textbook, m = 6.
const TEXTBOOK: [u64; 10] = [1, 8, 14, 21, 32, 38, 42, 48, 51, 56];

fn circle(bits: u32) -> Circle {
    Circle::new(bits).expect("a possible circle")
}

fn ideal(bits: u32, members: &[u64], successors: usize) -> RingView<Id> {
    let members: Vec<Id> = members.iter().map(|id| circle(bits).point(*id)).collect();
    RingView::ideal(circle(bits), &members, successors, SOUND)
}

fn number(id: Id) -> u64 {
    id.small().expect("a small identifier")
}

fn fingers(view: &RingView<Id>, member: Id) -> Vec<u64> {
    let fingers = view.members[&member].fingers.iter();
    fingers
        .map(|finger| number(finger.node.expect("a node")))
        .collect()
}

/// The numbers of the nodes that a lookup visits.
fn path(view: &RingView<Id>, from: Id, key: Id) -> Option<Vec<u64>> {
    let path = lookup_path(view, SOUND, from, key)?;
    Some(path.into_iter().map(number).collect())
}

fn judge(view: &RingView<Id>, name: &str) -> Judgement {
    let property = upkeep_named::<Id>(name).expect("a property of that name");
    (property.judge)(view)
}

#[test]
fn fingers_of_n80() {
    let view = ideal(7, &LECTURE, 1);
    let found = fingers(&view, circle(7).point(80));
    assert_eq!(found, [96, 96, 96, 96, 96, 112, 16]);
    assert_eq!(judge(&view, "fingers_are_right"), Holds);
}

#[test]
fn the_lookup_of_k42_goes_from_n80_over_n16_and_n32_to_n45() {
    let view = ideal(7, &LECTURE, 1);
    let point = |number| circle(7).point(number);
    assert_eq!(
        path(&view, point(80), point(42)),
        Some(vec![80, 16, 32, 45])
    );
    assert_eq!(view.owner(point(42)), Some(point(45)));
}

/// N40 joins: between N32 and N45, and takes the keys 34 and 38 from N45.
#[test]
fn n40_joins_and_takes_its_keys() {
    let point = |number| circle(7).point(number);
    let keys = [34, 38, 42, 100].map(point);
    let mut before = ideal(7, &LECTURE, 1);
    before.store(&keys, 1, SOUND);
    let mut joined = LECTURE.to_vec();
    joined.push(40);
    let mut after = ideal(7, &joined, 1);
    after.store(&keys, 1, SOUND);
    assert_eq!(
        before.members[&point(45)].keys,
        BTreeSet::from([34, 38, 42].map(point))
    );
    assert_eq!(
        after.members[&point(40)].keys,
        BTreeSet::from([34, 38].map(point))
    );
    assert_eq!(after.members[&point(45)].keys, BTreeSet::from([point(42)]));
    assert_eq!(after.members[&point(32)].successors, [point(40)]);
    assert_eq!(after.members[&point(40)].successors, [point(45)]);
    // Nobody else's keys move.
    for member in LECTURE
        .map(point)
        .into_iter()
        .filter(|member| *member != point(45))
    {
        assert_eq!(before.members[&member].keys, after.members[&member].keys);
    }
    // The fingers that change are those that the three-step join updates.
    let predecessor = point(32);
    for exponent in 0..7 {
        let back = |id| circle(7).subtract_power(id, exponent);
        let first = circle(7).add_power(back(predecessor), 0);
        let last = back(point(40));
        for member in LECTURE.map(point) {
            let finger = |view: &RingView<Id>| view.members[&member].fingers[exponent as usize];
            let changes = finger(&before) != finger(&after);
            assert_eq!(
                changes,
                between_or_ends(first, member, last),
                "{exponent} {member}"
            );
        }
    }
}

/// A node 36 on a circle of 8 bits asks for these.
#[test]
fn the_three_step_join_looks_up_where_its_fingers_begin() {
    let view = ideal(8, &[36, 200], 1);
    let starts = &view.members[&circle(8).point(36)].fingers;
    let starts: Vec<u64> = starts.iter().map(|finger| number(finger.start)).collect();
    assert_eq!(starts, [37, 38, 40, 44, 52, 68, 100, 164]);
}

/// The ring {0, 1, 2, 6} of 3 bits: keys 7 and 1 are at 0 and 1; when nodes come and go, keys move only between neighbours.
#[test]
fn keys_move_between_neighbours_on_the_ring_of_three_bits() {
    let point = |number| circle(3).point(number);
    let keys: Vec<Id> = (0..8).map(point).collect();
    let stored = |members: &[u64]| {
        let mut view = ideal(3, members, 1);
        view.store(&keys, 1, SOUND);
        assert_eq!(judge(&view, "keys_are_with_their_owner"), Holds);
        view
    };
    let holder = |view: &RingView<Id>, key: u64| {
        let has = |member: &Id| view.members[member].keys.contains(&point(key));
        number(view.members().find(has).expect("a holder"))
    };
    let all = stored(&[0, 1, 2, 6]);
    assert_eq!((holder(&all, 7), holder(&all, 1)), (0, 1));
    let moved = |from: &RingView<Id>, to: &RingView<Id>| -> Vec<(u64, u64, u64)> {
        let moves = (0..8).map(|key| (key, holder(from, key), holder(to, key)));
        moves.filter(|(_, from, to)| from != to).collect()
    };
    // Node 6 joins, and takes 3 to 6 from the node after it; node 1 leaves, and its key goes to the node after it.
    let joined = moved(&stored(&[0, 1, 2]), &all);
    assert_eq!(joined, [(3, 0, 6), (4, 0, 6), (5, 0, 6), (6, 0, 6)]);
    assert_eq!(moved(&all, &stored(&[0, 2, 6])), [(1, 1, 2)]);
}

/// N32, the successor of N16, is gone. With one successor N16 is stuck; with two it answers.
#[test]
fn the_lookup_of_k42_survives_the_successor_of_n16_with_a_list() {
    let point = |number| circle(7).point(number);
    let found = [1, 2].map(|successors| {
        let mut view = ideal(7, &LECTURE, successors);
        view.members.remove(&point(32));
        path(&view, point(80), point(42))
    });
    assert_eq!(found, [None, Some(vec![80, 16, 45])]);
}

/// N8 knows its dead successor N14, and N32, but not N21: who takes the first live node it knows for its successor
/// answers for keys that are not in between.
#[test]
fn n8_answers_k19_with_n32_when_its_list_skips_n21() {
    let point = |number| circle(6).point(number);
    let found = [[14, 32], [14, 21]].map(|list| {
        let mut view = ideal(6, &TEXTBOOK, 2);
        view.members.remove(&point(14));
        let n8 = view.members.get_mut(&point(8)).expect("N8");
        n8.successors = list.map(point).to_vec();
        n8.fingers.clear();
        path(&view, point(8), point(19))
    });
    assert_eq!(found, [Some(vec![8, 32]), Some(vec![8, 21])]);
}

#[test]
fn the_textbook_ring() {
    let view = ideal(6, &TEXTBOOK, 1);
    let point = |number| circle(6).point(number);
    let owners = [
        (10, 14),
        (24, 32),
        (30, 32),
        (38, 38),
        (54, 56),
        (57, 1),
        (63, 1),
        (0, 1),
    ];
    for (key, owner) in owners {
        assert_eq!(view.owner(point(key)), Some(point(owner)), "{key}");
        for from in view.members() {
            let found = path(&view, from, point(key)).and_then(|path| path.last().copied());
            assert_eq!(found, Some(owner), "{key} from {from}");
        }
    }
    assert_eq!(fingers(&view, point(8)), [14, 14, 14, 21, 32, 42]);
    // K54 from N8: over N42 and N51.
    assert_eq!(path(&view, point(8), point(54)), Some(vec![8, 42, 51, 56]));
}

/// A lonely node owns every key, and finds it at home.
#[test]
fn a_lonely_node_owns_everything() {
    let view = ideal(3, &[5], 1);
    for key in 0..8 {
        let key = circle(3).point(key);
        assert_eq!(path(&view, circle(3).point(5), key), Some(vec![5]));
        assert!(SOUND.owns(Some(circle(3).point(5)), key, circle(3).point(5)));
    }
}

fn random_ring(seed: &mut Seeded, bits: u32, nodes: usize, successors: usize) -> RingView<Id> {
    let mut ids = BTreeSet::new();
    while ids.len() < nodes {
        ids.insert(seed.bits() % (1 << bits));
    }
    let ids: Vec<u64> = ids.into_iter().collect();
    ideal(bits, &ids, successors)
}

/// With fingers a lookup takes at most one step for each bit, with successors only as many as there are nodes.
#[test]
fn fingers_make_lookups_short() {
    let seed = &mut Seeded::new(7);
    for nodes in [1, 2, 3, 10, 50] {
        let with = random_ring(seed, 8, nodes, 1);
        assert!(!judge(&with, "fingers_never_loop").is_broken());
        assert_eq!(judge(&with, "lookups_end_at_the_owner"), Holds);
        let mut without = with.clone();
        for said in without.members.values_mut() {
            said.fingers.clear();
        }
        let longest = |view: &RingView<Id>| {
            let mut longest = 0;
            for from in view.members() {
                for key in (0..256).map(|key| circle(8).point(key)) {
                    let path = path(view, from, key).expect("an answer");
                    assert_eq!(path.last().copied(), view.owner(key).map(number));
                    longest = longest.max(path.len() - 1);
                }
            }
            longest
        };
        assert!(longest(&with) <= 8, "{nodes}");
        // The farthest key is the node's own arc but its own point: once round the whole ring.
        assert_eq!(
            longest(&without),
            if nodes == 1 { 0 } else { nodes },
            "{nodes}"
        );
    }
}

/// Lists of 2 log2 N entries keep lookups right with half of the nodes dead.
#[test]
fn long_lists_survive_half_of_the_nodes() {
    let seed = &mut Seeded::new(11);
    let mut asked = 0;
    for _ in 0..20 {
        let mut view = random_ring(seed, 20, 64, 12);
        let mut left: Vec<Id> = view.members().collect();
        for _ in 0..32 {
            let dead = left.swap_remove(seed.choose(left.len()));
            view.members.remove(&dead);
        }
        asked += usize::from(judge(&view, "lookups_end_at_the_owner") == Holds);
    }
    assert_eq!(asked, 20);
    // The chance that every live node has a live entry: (1 - 1 / N^2)^(N / 2), about e^(-1 / (2 N)).
    let chance = (1.0 - 1.0 / 64_f64.powi(2)).powi(32);
    assert!(
        (chance - (-1.0 / 128_f64).exp()).abs() < 1e-5 && chance > 0.99,
        "{chance}"
    );
}

/// Every way in which some of six nodes fail at once: a key that is kept on r nodes is lost only where r neighbours fail.
#[test]
fn no_key_is_lost_while_fewer_than_r_neighbours_fail() {
    let members = [3, 11, 20, 33, 47, 60];
    let keys: Vec<Id> = (0..64).map(|key| circle(6).point(key)).collect();
    for replication in 1..=3 {
        let mut lost = 0;
        for dead in 0..(1 << members.len()) - 1_u32 {
            let mut view = ideal(6, &members, 3);
            view.store(&keys, replication, SOUND);
            assert_eq!(judge(&view, "keys_are_replicated"), Holds);
            let gone = |at: usize| dead >> (at % members.len()) & 1 == 1;
            for (at, member) in members.iter().enumerate() {
                if gone(at) {
                    view.members.remove(&circle(6).point(*member));
                }
            }
            let neighbours = (0..members.len()).any(|at| (at..at + replication).all(gone));
            assert_eq!(
                judge(&view, "no_key_is_lost").is_broken(),
                neighbours,
                "{dead:b}"
            );
            lost += usize::from(neighbours);
        }
        assert!(lost > 0);
    }
}

/// Nothing is judged that was not put to the test.
#[test]
fn properties_do_not_judge_what_they_do_not_see() {
    let empty = RingView::<Id>::default();
    for property in peerproof_model::chord::properties::upkeep::<Id>() {
        assert_eq!((property.judge)(&empty), Unknown, "{}", property.name);
    }
    // A ring that is not in order may answer anything.
    let mut view = ideal(6, &TEXTBOOK, 1);
    let n8 = view.members.get_mut(&circle(6).point(8)).expect("N8");
    n8.successors = vec![circle(6).point(32)];
    assert_eq!(judge(&view, "lookups_end_at_the_owner"), Unknown);
}

fn broken(mutant: Mutant) -> Rules {
    Rules {
        mutant: Some(mutant),
    }
}

#[test]
fn fingers_off_by_one_are_noticed() {
    let members = LECTURE.map(|id| circle(7).point(id));
    let view = RingView::ideal(circle(7), &members, 1, broken(Mutant::FingersOffByOne));
    assert_eq!(fingers(&view, circle(7).point(80))[4..], [112, 16, 80]);
    assert!(judge(&view, Mutant::FingersOffByOne.breaks()).is_broken());
}

#[test]
fn owning_up_to_the_predecessor_is_noticed() {
    let mut view = ideal(7, &LECTURE, 1);
    let point = |number| circle(7).point(number);
    view.store(&[point(45)], 1, broken(Mutant::OwnsUpToPredecessor));
    assert!(judge(&view, Mutant::OwnsUpToPredecessor.breaks()).is_broken());
}

/// Lookups of nodes that overshoot go round and round.
#[test]
fn overshooting_lookups_are_noticed() {
    assert_eq!(
        Mutant::LookupOvershoots.breaks(),
        "lookups_end_at_the_owner"
    );
    let view = ideal(7, &LECTURE, 1);
    let rules = broken(Mutant::LookupOvershoots);
    let overshooting = RingView {
        rules,
        ..view.clone()
    };
    assert!(judge(&overshooting, Mutant::LookupOvershoots.breaks()).is_broken());
    assert!(judge(&overshooting, "fingers_never_loop").is_broken());
    assert!(ends_at_the_owner(&view, rules).is_broken());
    assert!(never_loops(&view, rules).is_broken());
    let point = |number| circle(7).point(number);
    assert_eq!(lookup_path(&view, rules, point(80), point(42)), None);
    assert_eq!(ends_at_the_owner(&view, SOUND), Holds);
    assert_eq!(never_loops(&view, SOUND), Holds);
}

/// Stale and even wrong fingers cost steps, not answers.
#[test]
fn wrong_fingers_do_not_make_lookups_loop() {
    let seed = &mut Seeded::new(3);
    for _ in 0..50 {
        let mut view = random_ring(seed, 6, 12, 1);
        let members: Vec<Id> = view.members().collect();
        for said in view.members.values_mut() {
            for finger in &mut said.fingers {
                finger.node = Some(members[seed.choose(members.len())]);
            }
        }
        assert_eq!(judge(&view, "fingers_never_loop"), Holds);
        assert_eq!(judge(&view, "lookups_end_at_the_owner"), Holds);
        assert!(judge(&view, "fingers_are_right").is_broken());
    }
}

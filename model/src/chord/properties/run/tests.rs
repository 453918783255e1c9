//! Every fact about a run, with a run that breaks it, one that keeps it, and one that does not tell. The runs are made
//! by hand, on the lectures' circle of 128 points.

use std::collections::BTreeSet;
use std::time::Duration;

use super::run_named;
use crate::chord::rules::Rules;
use crate::chord::run_view::{
    Asked, Bounds, End, FirstWords, Found, Gone, Moment, Partition, RunView, Sight, Stay, Tells,
    Write,
};
use crate::chord::view::RingView;
use crate::property::Judgement::{self, Holds, Unknown};
use crate::space::circle::{Circle, Id};

const LECTURE: [u64; 6] = [16, 32, 45, 80, 96, 112];

fn id(number: u64) -> Id {
    Id::from(number)
}

fn ms(millis: u64) -> Moment {
    Duration::from_millis(millis)
}

/// A run in which neighbours have one second, keys two and fingers three; a silent node is dead after ten.
fn empty(successors: usize, replicas: usize) -> RunView {
    let circle = Circle::new(7).expect("a circle");
    let bounds = Bounds {
        settle: ms(1_000),
        fingers: ms(3_000),
        keys: ms(2_000),
        failure: ms(10_000),
    };
    RunView::new(circle, successors, replicas, bounds)
}

/// The same with members that have joined at the very beginning.
fn with(members: &[u64]) -> RunView {
    let mut view = empty(3, 1);
    for member in members {
        joins(&mut view, *member, 0);
    }
    view
}

fn joins(view: &mut RunView, node: u64, at: u64) {
    view.stays.push(Stay {
        node: id(node),
        asked: ms(at),
        joined: Some(ms(at)),
        leaves: None,
        gone: None,
        refusal: None,
    });
}

fn goes(view: &mut RunView, node: u64, at: u64, how: Gone) {
    let stays = view.stays.iter_mut();
    for stay in stays.filter(|stay| stay.node == id(node)) {
        stay.leaves = (how == Gone::Left).then_some(ms(at));
        stay.gone = Some((ms(at), how));
    }
}

fn ideal(members: &[u64]) -> RingView<Id> {
    let circle = Circle::new(7).expect("a circle");
    let members: Vec<Id> = members.iter().copied().map(id).collect();
    RingView::ideal(circle, &members, 3, Rules::default())
}

fn sees(view: &mut RunView, at: u64, ring: RingView<Id>) {
    let tells = Tells {
        predecessors: true,
        fingers: true,
        keys: true,
    };
    let polls = vec![ring];
    let at = ms(at);
    view.sights.push(Sight { at, polls, tells });
}

fn asked<A>(node: u64, key: u64, at: u64, end: End<A>) -> Asked<A> {
    let (node, key, at) = (id(node), id(key), ms(at));
    Asked { node, key, at, end }
}

fn looks_up(view: &mut RunView, node: u64, key: u64, at: u64, owner: u64) {
    let found = Found {
        owner: id(owner),
        hops: None,
        path: None,
    };
    let end = End::Answered(ms(at), found);
    view.lookups.push(asked(node, key, at, end));
}

fn follows(view: &mut RunView, key: u64, at: u64, path: &[u64]) {
    let found = Found {
        owner: id(*path.last().expect("a path")),
        hops: u32::try_from(path.len() - 1).ok(),
        path: Some(path.iter().copied().map(id).collect()),
    };
    let end = End::Answered(ms(at), found);
    view.lookups.push(asked(path[0], key, at, end));
}

fn puts(view: &mut RunView, key: u64, at: u64, value: Option<&str>) {
    let asked = asked(16, key, at, End::Answered(ms(at), ()));
    let value = value.map(str::to_owned);
    view.writes.push(Write { asked, value });
}

fn gets(view: &mut RunView, key: u64, at: u64, value: Option<&str>) {
    let end = End::Answered(ms(at), value.map(str::to_owned));
    view.reads.push(asked(16, key, at, end));
}

fn judged(view: &RunView, name: &str) -> Judgement {
    let property = run_named(name).expect("a property");
    (property.judge)(view)
}

/// Whether the fact is broken, and what was seen has these words in it.
fn broken(view: &RunView, name: &str, words: &str) {
    match judged(view, name) {
        Judgement::Broken(why) => assert!(why.contains(words), "{why}"),
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn a_lonely_node_owns_everything() {
    let mut view = with(&[45]);
    assert_eq!(judged(&view, "owns_everything_alone"), Unknown);
    looks_up(&mut view, 45, 46, 10, 45);
    looks_up(&mut view, 45, 45, 10, 45);
    assert_eq!(judged(&view, "owns_everything_alone"), Holds);
    looks_up(&mut view, 45, 3, 20, 3);
    broken(&view, "owns_everything_alone", "says that 3 owns 3");
    let mut silent = with(&[45]);
    silent.lookups.push(asked(45, 3, 5, End::Silent(ms(900))));
    broken(&silent, "owns_everything_alone", "is not answered");
    joins(&mut view, 80, 30);
    assert_eq!(judged(&view, "owns_everything_alone"), Unknown);
}

#[test]
fn who_joined_says_so() {
    let mut view = with(&[45, 80]);
    assert_eq!(judged(&view, "members_say_so"), Unknown);
    sees(&mut view, 5, ideal(&[45, 80]));
    assert_eq!(judged(&view, "members_say_so"), Holds);
    sees(&mut view, 6, ideal(&[46, 80]));
    broken(
        &view,
        "members_say_so",
        "45 has joined, and does not say so",
    );
}

#[test]
fn who_was_asked_to_join_becomes_a_member() {
    let mut view = with(&[45]);
    view.stays[0].joined = None;
    view.stays[0].gone = Some((ms(900), Gone::Refused));
    broken(&view, "members_say_so", "45 was to make a ring of its own");
    joins(&mut view, 80, 950);
    view.stays[0].refusal = Some("error 13".to_owned());
    let what = "45 was asked to join, and did not become a member: error 13";
    broken(&view, "becomes_ideal", what);
}

#[test]
fn nodes_live_and_keep_the_form() {
    let name = "nodes_live_and_keep_the_form";
    assert_eq!(judged(&empty(3, 1), name), Unknown);
    let mut view = with(&[45]);
    assert_eq!(judged(&view, name), Holds);
    let fault = "it ended by itself".to_owned();
    view.faults.push((id(45), ms(10), fault));
    broken(&view, name, "45: it ended by itself");
}

#[test]
fn a_ring_becomes_ideal_in_time_and_lookups_bear_it_out() {
    let mut view = with(&LECTURE);
    let mut wrong = ideal(&LECTURE);
    wrong
        .members
        .get_mut(&id(45))
        .expect("a member")
        .predecessor = Some(id(16));
    // The time is not over.
    sees(&mut view, 500, wrong.clone());
    assert_eq!(judged(&view, "becomes_ideal"), Unknown);
    // In order, but nobody has borne it out.
    sees(&mut view, 700, ideal(&LECTURE));
    assert_eq!(judged(&view, "becomes_ideal"), Unknown);
    looks_up(&mut view, 80, 42, 800, 45);
    assert_eq!(judged(&view, "becomes_ideal"), Holds);
    let mut late = view.clone();
    sees(&mut late, 1_000, wrong.clone());
    broken(
        &late,
        "becomes_ideal",
        "the predecessor of 45 is 16, not 32",
    );
    // One of two polls may be right.
    late.sights.pop();
    sees(&mut late, 1_000, wrong);
    late.sights[2].polls.push(ideal(&LECTURE));
    assert_eq!(judged(&late, "becomes_ideal"), Holds);
    // What everybody says is right, and lookups say otherwise.
    looks_up(&mut view, 80, 42, 900, 80);
    broken(&view, "becomes_ideal", "32 says that 45 follows it");
}

#[test]
fn short_rings_need_short_lists_only() {
    let mut view = with(&[16, 45]);
    let mut ring = ideal(&[16, 45]);
    for said in ring.members.values_mut() {
        said.successors.truncate(1);
    }
    sees(&mut view, 900, ring);
    assert_eq!(judged(&view, "successor_lists_become_full"), Holds);
    let mut view = with(&LECTURE);
    assert_eq!(judged(&view, "successor_lists_become_full"), Unknown);
    let mut ring = ideal(&LECTURE);
    ring.members.get_mut(&id(96)).expect("a member").successors = vec![id(112), id(16)];
    sees(&mut view, 1_000, ring);
    broken(
        &view,
        "successor_lists_become_full",
        "entry 3 of the successor list of 96 is nobody, not 32",
    );
}

#[test]
fn fingers_become_right() {
    let mut view = with(&LECTURE);
    let mut ring = ideal(&LECTURE);
    // By hand from the lecture: 80 + 32 = 112, which is a member.
    ring.members.get_mut(&id(80)).expect("a member").fingers[5].node = Some(id(16));
    sees(&mut view, 2_900, ring.clone());
    assert_eq!(judged(&view, "fingers_become_right"), Unknown);
    sees(&mut view, 2_950, ideal(&LECTURE));
    assert_eq!(judged(&view, "fingers_become_right"), Holds);
    sees(&mut view, 3_000, ring.clone());
    broken(
        &view,
        "fingers_become_right",
        "the finger of 80 from 112 on is 16",
    );
    ring.members
        .get_mut(&id(80))
        .expect("a member")
        .fingers
        .truncate(5);
    view.sights.clear();
    sees(&mut view, 3_000, ring);
    broken(
        &view,
        "fingers_become_right",
        "80 has no finger from 112 on",
    );
}

#[test]
fn a_short_partition_heals() {
    let sides = || {
        vec![
            BTreeSet::from([id(16), id(45)]),
            BTreeSet::from([id(80), id(112)]),
        ]
    };
    let parted = |from, until| Partition {
        from: ms(from),
        until: Some(ms(until)),
        sides: sides(),
    };
    let all = [16, 45, 80, 112];
    let mut view = with(&all);
    sees(&mut view, 1_500, ideal(&all));
    assert_eq!(judged(&view, "ring_heals"), Unknown);
    let mut apart = ideal(&[16, 45]);
    apart.members.extend(ideal(&[80, 112]).members);
    view.partitions = vec![parted(2_000, 3_000)];
    sees(&mut view, 3_500, ideal(&all));
    assert_eq!(judged(&view, "ring_heals"), Holds);
    sees(&mut view, 4_000, apart.clone());
    broken(&view, "ring_heals", "the predecessor of 16 is 45, not 112");
    // Nothing promises that a ring comes together again that was apart for longer than anybody waits.
    view.sights.clear();
    view.partitions = vec![parted(2_000, 12_000)];
    sees(&mut view, 13_000, apart);
    assert_eq!(judged(&view, "ring_heals"), Holds);
}

fn newcomer(heard: bool, predecessor: Option<u64>, named: &[u64]) -> FirstWords {
    FirstWords {
        node: id(40),
        at: ms(5_000),
        introducer: Some(id(16)),
        heard,
        member: heard,
        predecessor: Some(predecessor.map(id)),
        successor: Some(id(45)),
        named: named.iter().copied().map(id).collect(),
    }
}

#[test]
fn newcomers_know_only_what_they_were_told() {
    let name = "joins_know_no_more_than_told";
    let mut view = with(&LECTURE);
    view.first_words = vec![newcomer(true, None, &[45])];
    assert_eq!(judged(&view, name), Unknown);
    view.first_words.push(newcomer(false, None, &[16, 40]));
    assert_eq!(judged(&view, name), Holds);
    view.first_words.push(newcomer(false, None, &[45]));
    broken(&view, name, "40 names 45 before");
}

#[test]
fn newcomers_invent_no_predecessor() {
    let name = "newcomers_invent_no_predecessor";
    let mut view = with(&LECTURE);
    let mut says = |predecessor| {
        view.first_words = vec![newcomer(true, predecessor, &[])];
        judged(&view, name)
    };
    assert_eq!(says(None), Holds);
    assert_eq!(says(Some(32)), Holds);
    assert!(says(Some(40)).is_broken());
    assert!(says(Some(39)).is_broken());
    assert!(says(Some(45)).is_broken());
    view.first_words = vec![newcomer(false, Some(39), &[])];
    assert_eq!(judged(&view, name), Unknown);
}

#[test]
fn the_dead_are_replaced() {
    let mut view = with(&LECTURE);
    sees(&mut view, 1_500, ideal(&LECTURE));
    for name in [
        "dead_successors_are_replaced",
        "dead_predecessors_are_replaced",
    ] {
        assert_eq!(judged(&view, name), Unknown);
    }
    goes(&mut view, 45, 2_000, Gone::Crashed);
    let mut ring = ideal(&LECTURE);
    ring.members.remove(&id(45));
    sees(&mut view, 2_900, ring.clone());
    assert_eq!(judged(&view, "dead_successors_are_replaced"), Unknown);
    view.sights.pop();
    sees(&mut view, 2_900, ideal(&[16, 32, 80, 96, 112]));
    assert_eq!(judged(&view, "dead_successors_are_replaced"), Holds);
    assert_eq!(judged(&view, "dead_predecessors_are_replaced"), Holds);
    view.sights.pop();
    sees(&mut view, 3_000, ring);
    broken(
        &view,
        "dead_successors_are_replaced",
        "the first successor of 32 is 45, which has crashed",
    );
    broken(
        &view,
        "dead_predecessors_are_replaced",
        "the predecessor of 80 is 45, which has crashed",
    );
}

#[test]
fn leaves_are_announced() {
    let name = "leaves_are_announced";
    let mut view = with(&LECTURE);
    assert_eq!(judged(&view, name), Unknown);
    goes(&mut view, 45, 2_000, Gone::Left);
    let mut ring = ideal(&LECTURE);
    ring.members.remove(&id(45));
    sees(&mut view, 2_500, ring.clone());
    assert_eq!(judged(&view, name), Unknown);
    sees(&mut view, 2_600, ideal(&[16, 32, 80, 96, 112]));
    assert_eq!(judged(&view, name), Holds);
    // Long after the time, and long before anybody could have noticed by itself.
    sees(&mut view, 3_000, ring.clone());
    broken(&view, name, "32 still takes 45 for its neighbour");
    view.sights.clear();
    sees(&mut view, 12_000, ring);
    assert_eq!(judged(&view, name), Unknown);
}

#[test]
fn lookups_end_at_an_owner_under_some_membership() {
    let name = "lookups_end_at_a_possible_owner";
    let mut view = with(&LECTURE);
    assert_eq!(judged(&view, name), Unknown);
    looks_up(&mut view, 80, 42, 2_000, 45);
    looks_up(&mut view, 80, 113, 2_000, 16);
    looks_up(&mut view, 80, 80, 2_000, 80);
    assert_eq!(judged(&view, name), Holds);
    // 40 joins: both answers are possible until everybody had to know, then one.
    joins(&mut view, 40, 3_000);
    looks_up(&mut view, 80, 38, 3_900, 45);
    looks_up(&mut view, 80, 38, 3_900, 40);
    assert_eq!(judged(&view, name), Holds);
    let mut late = view.clone();
    looks_up(&mut late, 80, 38, 4_000, 45);
    broken(&late, name, "a lookup of 38 from 80 ends at 45");
    // A node that nobody ever asked to join is no owner at any time.
    looks_up(&mut view, 80, 38, 3_900, 39);
    broken(&view, name, "ends at 39");
}

#[test]
fn lookups_may_end_at_the_dead_for_a_while() {
    let name = "lookups_end_at_a_possible_owner";
    let mut view = with(&LECTURE);
    goes(&mut view, 45, 2_000, Gone::Crashed);
    looks_up(&mut view, 80, 42, 2_900, 45);
    looks_up(&mut view, 80, 42, 2_900, 80);
    assert_eq!(judged(&view, name), Holds);
    // Once the ring is seen in order without it, the time is over earlier.
    sees(&mut view, 2_950, ideal(&[16, 32, 80, 96, 112]));
    looks_up(&mut view, 80, 42, 2_960, 45);
    broken(&view, name, "ends at 45");
}

#[test]
fn in_a_ring_in_order_every_lookup_is_answered() {
    let name = "lookups_end_at_a_possible_owner";
    let refused = |at| End::Refused {
        at: ms(at),
        definite: true,
        why: "later".to_owned(),
    };
    let mut view = with(&LECTURE);
    view.lookups.push(asked(80, 42, 500, refused(600)));
    assert_eq!(judged(&view, name), Unknown);
    view.lookups.push(asked(80, 42, 1_500, refused(1_600)));
    broken(&view, name, "a lookup of 42 from 80 is refused: later");
    view.lossy = true;
    assert_eq!(judged(&view, name), Unknown);
    // Who has lost too many messages of a node may pass it over.
    looks_up(&mut view, 80, 42, 1_700, 80);
    assert_eq!(judged(&view, name), Unknown);
}

#[test]
fn lookups_are_as_short_as_halving_makes_them() {
    let name = "lookups_are_short";
    // Eight members, 16 apart: from 0 to the last before 112, which is 96, it is six gaps: 6, then less than 3, then
    // less than 1.5, then none, and one more hop to the owner.
    let members: Vec<u64> = (0..8).map(|number| number * 16).collect();
    let mut view = with(&members);
    looks_up(&mut view, 0, 112, 4_000, 112);
    assert_eq!(judged(&view, name), Unknown);
    follows(&mut view, 112, 4_000, &[0, 64, 96, 112]);
    follows(&mut view, 112, 4_000, &[0, 32, 64, 96, 112]);
    assert_eq!(judged(&view, name), Holds);
    let mut linear = view.clone();
    follows(&mut linear, 112, 4_000, &[0, 16, 32, 64, 96, 112]);
    broken(
        &linear,
        name,
        "takes 5 hops among 8 members, and halving the distance takes 4",
    );
    // As long as fingers need not be right, lookups may be long.
    view.lookups.clear();
    follows(&mut view, 112, 2_000, &[0, 16, 32, 64, 96, 112]);
    assert_eq!(judged(&view, name), Unknown);
}

#[test]
fn paths_lead_to_the_key() {
    let name = "paths_make_progress";
    let judge = |key, path: &[u64]| {
        let mut view = with(&LECTURE);
        follows(&mut view, key, 4_000, path);
        judged(&view, name)
    };
    // The lecture's: from N80 to K42.
    assert_eq!(judge(42, &[80, 16, 32, 45]), Holds);
    assert_eq!(judge(80, &[80]), Holds);
    assert!(judge(42, &[80, 16, 112, 32, 45]).is_broken());
    assert!(judge(42, &[80, 45, 32, 45]).is_broken());
    assert!(judge(42, &[80, 17, 32, 45]).is_broken());
    assert!(judge(42, &[80, 16, 32, 45, 45]).is_broken());
    let mut view = with(&LECTURE);
    looks_up(&mut view, 80, 42, 4_000, 45);
    assert_eq!(judged(&view, name), Unknown);
}

#[test]
fn what_members_say_is_confirmed() {
    let name = "states_are_confirmed";
    let mut view = with(&LECTURE);
    puts(&mut view, 42, 100, Some("apple"));
    let mut ring = ideal(&LECTURE);
    ring.members
        .get_mut(&id(45))
        .expect("a member")
        .keys
        .insert(id(42));
    sees(&mut view, 1_000, ring);
    assert_eq!(judged(&view, name), Unknown);
    looks_up(&mut view, 80, 42, 1_100, 45);
    assert_eq!(judged(&view, name), Holds);
    let mut lies = view.clone();
    looks_up(&mut lies, 80, 33, 1_200, 80);
    broken(
        &lies,
        name,
        "32 says that 45 follows it, and a lookup of 33 from 80 ends at 80",
    );
    gets(&mut view, 42, 1_200, None);
    broken(&view, name, "45 says that it keeps 42");
}

#[test]
fn what_was_stored_is_found() {
    let name = "stored_values_are_found";
    let mut view = with(&LECTURE);
    assert_eq!(judged(&view, name), Unknown);
    gets(&mut view, 42, 2_500, None);
    assert_eq!(judged(&view, name), Holds);
    gets(&mut view, 42, 2_500, Some("pear"));
    broken(&view, name, "finds \"pear\", and nothing was stored");
    let mut view = with(&LECTURE);
    puts(&mut view, 42, 100, Some("apple"));
    // Keys may still be on their way.
    gets(&mut view, 42, 1_000, None);
    assert_eq!(judged(&view, name), Unknown);
    gets(&mut view, 42, 2_000, None);
    broken(
        &view,
        name,
        "a get of 42 from 16 finds nothing, and \"apple\" was stored",
    );
}

#[test]
fn the_last_write_wins() {
    let name = "the_last_write_wins";
    let mut view = with(&LECTURE);
    puts(&mut view, 42, 2_100, Some("apple"));
    gets(&mut view, 42, 2_150, Some("apple"));
    assert_eq!(judged(&view, name), Unknown);
    puts(&mut view, 42, 2_200, Some("pear"));
    gets(&mut view, 42, 2_300, Some("pear"));
    assert_eq!(judged(&view, name), Holds);
    // A write that nobody acknowledged may have happened, or not.
    let open = asked(16, 42, 2_350, End::Open);
    view.writes.push(Write {
        asked: open,
        value: Some("plum".to_owned()),
    });
    gets(&mut view, 42, 2_400, Some("plum"));
    assert_eq!(judged(&view, name), Holds);
    gets(&mut view, 42, 2_400, Some("apple"));
    broken(&view, name, "finds \"apple\"");
}

#[test]
fn what_was_deleted_stays_deleted() {
    let name = "deleted_stays_deleted";
    let mut view = with(&LECTURE);
    puts(&mut view, 42, 2_100, Some("apple"));
    gets(&mut view, 42, 2_150, Some("apple"));
    assert_eq!(judged(&view, name), Unknown);
    puts(&mut view, 42, 2_200, None);
    gets(&mut view, 42, 2_300, None);
    assert_eq!(judged(&view, name), Holds);
    gets(&mut view, 42, 2_400, Some("apple"));
    broken(&view, name, "finds \"apple\"");
}

#[test]
fn what_was_acknowledged_survives_crashes() {
    let name = "acknowledged_values_survive";
    let mut view = empty(3, 3);
    for member in LECTURE {
        joins(&mut view, member, 0);
    }
    puts(&mut view, 42, 2_100, Some("apple"));
    gets(&mut view, 42, 2_200, Some("apple"));
    assert_eq!(judged(&view, name), Unknown);
    goes(&mut view, 45, 3_000, Gone::Crashed);
    goes(&mut view, 80, 3_010, Gone::Crashed);
    gets(&mut view, 42, 3_500, None);
    assert_eq!(judged(&view, name), Unknown);
    gets(&mut view, 42, 5_100, Some("apple"));
    assert_eq!(judged(&view, name), Holds);
    let mut lost = view.clone();
    gets(&mut lost, 42, 5_100, None);
    broken(&lost, name, "finds nothing, and \"apple\" was stored");
    // Three at once were one too many.
    goes(&mut lost, 96, 3_020, Gone::Crashed);
    assert_eq!(judged(&lost, name), Holds);
}

#[test]
fn keys_are_with_their_owner_and_its_successors() {
    let with_keys = |keepers: &[u64]| {
        let mut ring = ideal(&LECTURE);
        for keeper in keepers {
            ring.members
                .get_mut(&id(*keeper))
                .expect("a member")
                .keys
                .insert(id(42));
        }
        ring
    };
    let view = |at, keepers: &[u64]| {
        let mut view = empty(3, 2);
        for member in LECTURE {
            joins(&mut view, member, 0);
        }
        puts(&mut view, 42, 100, Some("apple"));
        sees(&mut view, at, with_keys(keepers));
        view
    };
    let (belongs, replicated) = ("keys_are_where_they_belong", "values_are_replicated");
    assert_eq!(judged(&view(1_500, &[]), belongs), Unknown);
    assert_eq!(judged(&view(1_500, &[45]), replicated), Unknown);
    assert_eq!(judged(&view(2_000, &[45]), belongs), Holds);
    assert_eq!(judged(&view(2_000, &[45, 80]), replicated), Holds);
    broken(&view(2_000, &[80]), belongs, "45 owns the key 42");
    // What nobody takes is nowhere.
    let mut refused = view(2_000, &[45]);
    let asked = asked(16, 43, 2_000, End::Silent(ms(2_900)));
    let value = Some("pear".to_owned());
    refused.writes.push(Write { asked, value });
    broken(&refused, belongs, "a put of 43 at 16 is not answered");
    broken(
        &view(2_000, &[45, 96]),
        replicated,
        "80 is to keep the key 42",
    );
}

#[test]
fn keys_move_to_the_newcomer() {
    let name = "keys_move_to_the_newcomer";
    // The lecture's: when N40 joins, K38 moves from N45 to N40, and K42 stays.
    let view = |keepers: &[(u64, u64)]| {
        let mut view = with(&LECTURE);
        puts(&mut view, 38, 1_500, Some("apple"));
        puts(&mut view, 42, 1_500, Some("pear"));
        joins(&mut view, 40, 2_000);
        let mut ring = ideal(&[16, 32, 40, 45, 80, 96, 112]);
        for (keeper, key) in keepers {
            ring.members
                .get_mut(&id(*keeper))
                .expect("a member")
                .keys
                .insert(id(*key));
        }
        sees(&mut view, 4_000, ring);
        view
    };
    assert_eq!(judged(&view(&[(40, 38), (45, 42)]), name), Holds);
    broken(
        &view(&[(40, 38), (45, 38)]),
        name,
        "45 keeps 38, which 40 owns",
    );
    broken(
        &view(&[(45, 38)]),
        name,
        "40 has joined and owns 38, and does not have it",
    );
    let mut early = view(&[(45, 38)]);
    early.sights[0].at = ms(3_000);
    assert_eq!(judged(&early, name), Unknown);
}

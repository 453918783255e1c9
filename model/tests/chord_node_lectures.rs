//! The worked examples of the lectures, with real messages.

mod chord_driver;

use std::sync::Arc;
use std::time::Duration;

use chord_driver::World;
use peerproof_model::chord::message::{Message, Query};
use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::node::{ChordNode, Config, Errand, Event, Joining, Request, Routing};
use peerproof_model::chord::ring::Variant;
use peerproof_model::chord::rules::Rules;
use peerproof_model::space::circle::{Circle, Id};

/// The ring of the first lectures: m = 7.
const SIX: [u64; 6] = [16, 32, 45, 80, 96, 112];

fn config(bits: u32, number: u64, change: impl FnOnce(&mut Config)) -> Config {
    let circle = Circle::new(bits).expect("a circle");
    let mut config = Config::new(circle, circle.point(number));
    config.variant = Variant::TON2003_FIXED;
    config.successors = 3;
    config.replicas = 1;
    change(&mut config);
    config
}

/// A ring that grew by lazy joins, one after the other, and has come to rest.
fn grown(bits: u32, members: &[u64], change: impl Fn(&mut Config)) -> World {
    let mut world = World::new(bits, 1);
    for (turn, number) in members.iter().enumerate() {
        let id = world.place(config(bits, *number, &change));
        if turn == 0 {
            world.ask(id, Request::Create);
        } else {
            let via = world.id(members[0]);
            world.ask(id, Request::Join(via));
        }
        world.seconds(100);
    }
    world.seconds(1000);
    world
}

/// A ring of members that know the truth: successors, predecessors, fingers.
fn ideal(bits: u32, members: &[u64], change: impl Fn(&mut Config)) -> World {
    let mut world = World::new(bits, 1);
    let mut sorted = members.to_vec();
    sorted.sort_unstable();
    let owner = |key: u64| *sorted.iter().find(|id| **id >= key).unwrap_or(&sorted[0]);
    for (at, number) in sorted.iter().enumerate() {
        let config = config(bits, *number, &change);
        let from = |step: usize| world.id(sorted[(at + step) % sorted.len()]);
        let list: Vec<Id> = (1..=config.successors).map(from).collect();
        let before = from(sorted.len() - 1);
        let fingers = (1..bits).map(|i| (i, world.id(owner((number + (1 << i)) % (1 << bits)))));
        let fingers: Vec<(u32, Id)> = fingers.collect();
        let node = ChordNode::member(Arc::new(config), Some(before), &list).with_fingers(fingers);
        world.nodes.insert(node.id(), node);
    }
    world
}

fn small(id: Id) -> u64 {
    id.small().expect("a small number")
}

fn fingers(world: &World, number: u64) -> Vec<u64> {
    let node = world.node(number);
    let exponents = 0..world.circle.bits();
    let fingers = exponents.map(|exponent| small(node.finger(exponent).expect("a finger")));
    fingers.collect()
}

fn found(world: &World, key: u64) -> Option<(u64, Vec<u64>)> {
    let key = world.id(key);
    world.last(|_, event| match event {
        Event::Found {
            key: of,
            owner,
            path,
        } if *of == key => Some((
            small(*owner),
            path.iter().map(|node| small(*node)).collect(),
        )),
        _ => None,
    })
}

/// Keys stored at a node.
fn keys(world: &World, number: u64) -> Vec<u64> {
    let view = world.node(number).view();
    view.keys.iter().map(|key| small(*key)).collect()
}

fn put(world: &mut World, at: u64, key: u64) {
    let (at, key) = (world.id(at), world.id(key));
    world.ask(at, Request::Put(key, b"page".to_vec()));
    world.seconds(10);
    assert!(world.told.contains(&(at, Event::Stored(key))), "{key}");
}

#[test]
fn the_fingers_of_n80() {
    let world = grown(7, &SIX, |_| {});
    assert_eq!(fingers(&world, 80), [96, 96, 96, 96, 96, 112, 16]);
}

#[test]
fn k42_is_found_by_way_of_n16_and_n32() {
    let mut world = grown(7, &SIX, |_| {});
    put(&mut world, 112, 42);
    assert_eq!(keys(&world, 45), [42]);
    let (n80, k42) = (world.id(80), world.id(42));
    world.ask(n80, Request::Find(k42));
    world.seconds(10);
    assert_eq!(found(&world, 42), Some((45, vec![16, 32])));
    world.ask(n80, Request::Get(k42));
    world.seconds(10);
    assert!(
        world
            .told
            .contains(&(n80, Event::Fetched(k42, Some(b"page".to_vec()))))
    );
}

#[test]
fn a_recursive_lookup_of_k42_takes_the_same_way() {
    let mut world = ideal(7, &SIX, |config| config.routing = Routing::Recursive);
    let (n80, k42) = (world.id(80), world.id(42));
    world.ask(n80, Request::Find(k42));
    world.seconds(1);
    let relayed = world
        .sent
        .iter()
        .filter_map(|(from, to, message)| match message {
            Message::Relay { hops, .. } => Some((from.small()?, to.small()?, *hops)),
            _ => None,
        });
    assert_eq!(relayed.collect::<Vec<_>>(), [(80, 16, 1), (16, 32, 2)]);
    assert_eq!(found(&world, 42), Some((45, vec![16])));
    // N32 answers N80 itself.
    let (from, to, _) = world.sent.last().expect("messages");
    assert_eq!((from.small(), to.small()), (Some(32), Some(80)));
}

#[test]
fn n40_joins_between_n32_and_n45_and_takes_keys_34_and_38() {
    for joining in [Joining::Lazy, Joining::ThreeSteps] {
        let mut world = grown(7, &SIX, |_| {});
        for key in [34, 38, 41, 42, 100] {
            put(&mut world, 16, key);
        }
        assert_eq!(keys(&world, 45), [34, 38, 41, 42]);
        let n40 = world.place(config(7, 40, |config| config.joining = joining));
        let n16 = world.id(16);
        world.ask(n40, Request::Join(n16));
        world.seconds(100);
        assert_eq!(world.node(32).successors()[0], n40);
        assert_eq!(world.node(40).successors()[0], world.id(45));
        assert_eq!(world.node(45).predecessor(), Some(n40));
        assert_eq!(keys(&world, 40), [34, 38], "{joining:?}");
        assert_eq!(keys(&world, 45), [41, 42], "{joining:?}");
        assert_eq!(keys(&world, 112), [100]);
    }
}

#[test]
fn three_bits_keys_move_between_neighbours_only() {
    let mut world = grown(3, &[0, 1, 2], |_| {});
    put(&mut world, 2, 7);
    put(&mut world, 2, 1);
    assert_eq!((keys(&world, 0), keys(&world, 1)), (vec![7], vec![1]));
    // N6 joins: key 7 stays where it is; key 4 would move.
    put(&mut world, 1, 4);
    assert_eq!(keys(&world, 0), [4, 7]);
    let n6 = world.place(config(3, 6, |_| {}));
    let n1 = world.id(1);
    world.ask(n6, Request::Join(n1));
    world.seconds(100);
    assert_eq!((keys(&world, 6), keys(&world, 0)), (vec![4], vec![7]));
    assert_eq!((keys(&world, 1), keys(&world, 2)), (vec![1], vec![]));
    // N1 leaves: its key moves to N2, nothing else moves.
    world.ask(n1, Request::Leave);
    world.seconds(100);
    assert!(world.told.contains(&(n1, Event::Left)));
    assert_eq!(
        (keys(&world, 2), keys(&world, 0), keys(&world, 6)),
        (vec![1], vec![7], vec![4])
    );
    assert_eq!(fingers(&world, 0)[0], 2);
}

#[test]
fn n36_asks_for_37_38_40_and_so_on_to_164() {
    let mut world = ideal(8, &[1, 20, 60, 110, 150, 180, 220], |_| {});
    let n36 = world.place(config(8, 36, |config| config.joining = Joining::ThreeSteps));
    let (n150, n60) = (world.id(150), world.id(60));
    world.ask(n36, Request::Join(n150));
    world.run(Duration::from_secs(5));
    let mut asked = Vec::new();
    for (from, _, message) in &world.sent {
        if let Message::Query {
            query: Query::Route { key, .. },
            ..
        } = message
            && *from == n36
            && asked.last() != Some(key)
        {
            asked.push(*key);
        }
    }
    asked.truncate(8);
    assert_eq!(asked, world.ids(&[37, 38, 40, 44, 52, 68, 100, 164]));
    // The three steps took no stabilization at all: nobody's timer has expired.
    assert_eq!(fingers(&world, 36), [60, 60, 60, 60, 60, 110, 110, 180]);
    assert_eq!(world.node(36).predecessor(), Some(world.id(20)));
    assert_eq!(world.nodes[&n60].predecessor(), Some(n36));
    let members = [1_u64, 20, 36, 60, 110, 150, 180, 220];
    let owner = |key: u64| *members.iter().find(|id| **id >= key).unwrap_or(&members[0]);
    for number in members {
        let right = (0..8).map(|i| owner((number + (1 << i)) % 256));
        assert_eq!(
            fingers(&world, number),
            right.collect::<Vec<_>>(),
            "N{number}"
        );
    }
}

#[test]
fn without_its_successor_n16_cannot_tell_where_k42_is() {
    let lookup = |successors| {
        let mut world = ideal(7, &SIX, |config| config.successors = successors);
        let (n32, n80, k42) = (world.id(32), world.id(80), world.id(42));
        world.crash(n32);
        world.ask(n80, Request::Find(k42));
        world.seconds(60);
        let failed = Event::Failed(Errand::Find(k42));
        (
            found(&world, 42).map(|(owner, _)| owner),
            world.told.contains(&(n80, failed)),
        )
    };
    assert_eq!(lookup(1), (None, true));
    assert_eq!(lookup(2), (Some(45), false));
}

/// The ring of the textbook, m = 6, with one node more between 14 and 21.
#[test]
fn n8_names_n32_instead_of_n21_only_when_it_skips_dead_entries_wrongly() {
    let members = [1, 8, 14, 18, 21, 32, 38, 42, 48, 51, 56];
    let lookup = |successors, mutant| {
        let mut world = ideal(6, &members, |config| {
            config.successors = successors;
            config.rules = Rules { mutant };
        });
        let (n8, k19) = (world.id(8), world.id(19));
        assert_eq!(fingers(&world, 8), [14, 14, 14, 18, 32, 42]);
        for dead in [14, 18] {
            let dead = world.id(dead);
            world.crash(dead);
        }
        world.ask(n8, Request::Find(k19));
        world.seconds(60);
        found(&world, 19).map(|(owner, _)| owner)
    };
    assert_eq!(lookup(1, Some(Mutant::FallsBackToFingers)), Some(32));
    assert_eq!(lookup(1, None), None);
    assert_eq!(lookup(2, None), None);
    assert_eq!(lookup(3, None), Some(21));
}

//! Twenty nodes join over a network that delays and loses, some crash, and everything is right again.

mod chord_driver;

use std::collections::BTreeMap;

use chord_driver::World;
use peerproof_model::choose::{Choose, Seeded};
use peerproof_model::chord::node::{ChordNode, Config, Event, Phase, Request, Routing};
use peerproof_model::chord::properties::{is_ideal, upkeep_named};
use peerproof_model::chord::ring::Variant;
use peerproof_model::property::Judgement;
use peerproof_model::space::circle::Id;

const NODES: usize = 20;
const SUCCESSORS: usize = 5;
const REPLICAS: usize = 4;

fn config(world: &World, variant: Variant, routing: Routing, name: &str) -> Config {
    Config {
        variant,
        routing,
        successors: SUCCESSORS,
        replicas: REPLICAS,
        ..Config::new(world.circle, world.circle.of_name(name))
    }
}

/// A node joins every few seconds; whoever could not tries again.
fn grow(world: &mut World, variant: Variant, routing: Routing) {
    let first = world.place(config(world, variant, routing, "node 0"));
    world.ask(first, Request::Create);
    for number in 1..NODES {
        world.place(config(world, variant, routing, &format!("node {number}")));
        world.seconds(5);
        retry(world, first);
    }
    for _ in 0..20 {
        world.seconds(60);
        retry(world, first);
    }
}

fn retry(world: &mut World, first: Id) {
    let out: Vec<Id> = world
        .nodes
        .values()
        .filter(|node| node.phase() == Phase::Out)
        .map(ChordNode::id)
        .collect();
    for id in out {
        world.ask(id, Request::Join(first));
    }
}

/// Asks until it is acknowledged.
fn put(world: &mut World, at: Id, key: Id, value: &[u8]) {
    for _ in 0..10 {
        world.ask(at, Request::Put(key, value.to_vec()));
        world.seconds(30);
        if world.told.contains(&(at, Event::Stored(key))) {
            return;
        }
    }
    panic!("{key} could not be stored");
}

fn everything_is_right(world: &mut World, stored: &BTreeMap<Id, Vec<u8>>) {
    let mut view = world.view(REPLICAS);
    view.stored = stored.keys().copied().collect();
    assert!(is_ideal(&view, SUCCESSORS), "{view:#?}");
    for name in [
        "fingers_are_right",
        "lookups_end_at_the_owner",
        "keys_are_with_their_owner",
        "keys_are_replicated",
        "no_key_is_lost",
    ] {
        let property = upkeep_named::<Id>(name).expect(name);
        assert_eq!((property.judge)(&view), Judgement::Holds, "{name}");
    }
    let ids: Vec<Id> = world.nodes.keys().copied().collect();
    for at in &ids {
        for key in stored.keys() {
            world.ask(*at, Request::Find(*key));
            world.ask(*at, Request::Get(*key));
        }
    }
    world.seconds(120);
    for at in ids {
        for (key, value) in stored {
            let right = world.owner(*key);
            let owner = world.last(|who, event| match event {
                Event::Found { key: of, owner, .. } if who == &at && of == key => Some(*owner),
                _ => None,
            });
            assert_eq!(owner, Some(right), "{at} looks {key} up");
            let fetched = Event::Fetched(*key, Some(value.clone()));
            assert!(world.told.contains(&(at, fetched)), "{at} gets {key}");
        }
    }
}

fn story(variant: Variant, routing: Routing, seed: u64) {
    let mut world = World::new(32, seed);
    world.delay = (10, 190);
    world.loss = 10;
    grow(&mut world, variant, routing);
    let ids: Vec<Id> = world.nodes.keys().copied().collect();
    assert_eq!(ids.len(), NODES);
    let mut chance = Seeded::new(seed);
    let mut stored = BTreeMap::new();
    for number in 0..20 {
        let key = world.circle.of_name(&format!("key {number}"));
        let at = ids[chance.choose(ids.len())];
        put(&mut world, at, key, format!("value {number}").as_bytes());
        stored.insert(key, format!("value {number}").into_bytes());
    }
    // Fewer neighbours than there are replicas, or entries of a list, crash at once.
    let at = chance.choose(ids.len());
    for step in 0..REPLICAS - 1 {
        world.crash(ids[(at + step) % ids.len()]);
    }
    world.seconds(600);
    world.loss = 0;
    // Every finger is looked up anew, and every replica renewed.
    world.seconds(3_000);
    world.told.clear();
    everything_is_right(&mut world, &stored);
}

#[test]
fn the_ring_of_2017_recovers() {
    for seed in 1..=3 {
        story(Variant::Zave2017, Routing::Iterative, seed);
    }
}

#[test]
fn the_ring_of_2003_recovers() {
    for seed in 1..=3 {
        story(Variant::TON2003_FIXED, Routing::Iterative, seed);
    }
}

#[test]
fn with_recursive_lookups_it_recovers_as_well() {
    story(Variant::Zave2017, Routing::Recursive, 4);
}

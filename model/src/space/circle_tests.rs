//! The laws of the circle, its arithmetic, and the load of consistent hashing.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::circle::{
    Circle, CircleError, Id, between, between_or_ends, between_or_first, between_or_last,
};
use super::hashing::Owners;
use crate::choose::Seeded;

/// Membership of the open arc, by walking: the definition that the rule is held to.
fn walked(bits: u32, a: u64, x: u64, b: u64) -> bool {
    let circle = Circle::new(bits).unwrap();
    let mut at = circle.add_power(circle.point(a), 0);
    loop {
        if at == circle.point(b) {
            return false;
        }
        if at == circle.point(x) {
            return true;
        }
        at = circle.add_power(at, 0);
    }
}

#[test]
fn between_is_what_a_clockwise_walk_meets() {
    for bits in 1..=4 {
        let size = 1 << bits;
        for (a, x, b) in
            (0..size * size * size).map(|n| (n % size, n / size % size, n / size / size))
        {
            assert_eq!(
                between(a, x, b),
                walked(bits, a, x, b),
                "{x} in ({a}, {b}), m = {bits}"
            );
        }
    }
}

#[test]
fn an_arc_from_a_point_to_itself_is_the_whole_circle() {
    for a in 0..8_u8 {
        for x in 0..8 {
            assert_eq!(between(a, x, a), x != a);
            assert!(between_or_last(a, x, a));
            assert!(between_or_first(a, x, a));
            assert!(between_or_ends(a, x, a));
        }
    }
}

quickcheck::quickcheck! {
    /// Open arcs on either side of two points share nothing and leave out the points alone.
    fn two_points_split_the_circle(a: u8, x: u8, b: u8) -> bool {
        let sides = [between(a, x, b), between(b, x, a)];
        if a == b {
            sides == [x != a; 2]
        } else {
            sides.iter().filter(|inside| **inside).count() == usize::from(x != a && x != b)
        }
    }

    /// The closed forms add the ends that they name.
    fn closed_forms_add_their_ends(a: u16, x: u16, b: u16) -> bool {
        let open = between(a, x, b);
        between_or_last(a, x, b) == (open || x == b)
            && between_or_first(a, x, b) == (open || x == a)
            && between_or_ends(a, x, b) == (open || x == a || x == b)
    }

    /// Half-open arcs tile the circle: x is in exactly one of (a, b] and (b, a] when a differs from b.
    fn half_open_arcs_tile(a: u32, x: u32, b: u32) -> bool {
        a == b || between_or_last(a, x, b) != between_or_last(b, x, a)
    }

    /// The order of three points is cyclic.
    fn cyclic(a: u8, b: u8, c: u8) -> bool {
        a == c || between(a, b, c) == between(b, c, a) || a == b || b == c
    }

    /// Whoever comes second after a stays between a and what comes after it.
    fn transitive(a: u8, b: u8, c: u8, d: u8) -> bool {
        !(between(a, b, c) && between(a, c, d)) || between(a, b, d) && between(b, c, d)
    }
}

fn ids() -> impl Strategy<Value = Id> {
    any::<[u8; 20]>().prop_map(|bytes| Circle::SHA1.from_bytes(bytes).expect("160 bits fit"))
}

proptest! {
    /// Turning the circle changes nothing.
    #[test]
    fn between_survives_rotation(bits in 1_u32..=64, a: u64, x: u64, b: u64, turn in 0_u32..64) {
        let circle = Circle::new(bits).unwrap();
        let [a, x, b] = [a, x, b].map(|number| circle.point(number));
        let turned = [a, x, b].map(|id| circle.add_power(id, turn % bits));
        prop_assert_eq!(between(a, x, b), between(turned[0], turned[1], turned[2]));
    }

    /// What lies between is nearer than the end.
    #[test]
    fn between_is_a_matter_of_distance(a in ids(), x in ids(), b in ids()) {
        let from = |to| Circle::SHA1.distance(a, to);
        prop_assume!(a != b);
        prop_assert_eq!(between(a, x, b), x != a && from(x) < from(b));
    }

    /// The way there and the way back make one turn.
    #[test]
    fn distances_add_up(a in ids(), b in ids(), c in ids()) {
        let circle = Circle::SHA1;
        prop_assert_eq!(circle.distance(a, a), circle.point(0));
        if between_or_last(a, b, c) {
            prop_assert!(a == c || circle.distance(a, b) <= circle.distance(a, c));
        }
    }

    #[test]
    fn powers_are_taken_back(a in ids(), exponent in 0_u32..160) {
        let circle = Circle::SHA1;
        let there = circle.add_power(a, exponent);
        prop_assert_eq!(circle.subtract_power(there, exponent), a);
        prop_assert_eq!(circle.distance(a, there), circle.add_power(circle.point(0), exponent));
    }

    #[test]
    fn bytes_survive(a in ids()) {
        prop_assert_eq!(Circle::SHA1.from_bytes(a.to_bytes()), Ok(a));
    }
}

#[test]
fn small_circles_wrap() {
    let circle = Circle::new(7).unwrap();
    assert_eq!(circle.add_power(circle.point(80), 6), circle.point(16));
    assert_eq!(
        circle.distance(circle.point(112), circle.point(16)),
        circle.point(32)
    );
    assert_eq!(circle.subtract_power(circle.point(3), 3), circle.point(123));
    assert_eq!(circle.add_power(circle.point(3), 7), circle.point(3));
}

#[test]
fn impossible_circles_and_points_are_refused() {
    for bits in [0, 161, u32::MAX] {
        assert_eq!(Circle::new(bits), Err(CircleError::Bits { bits }));
    }
    let mut bytes = [0; 20];
    bytes[19] = 8;
    let refused = Circle::new(3).unwrap().from_bytes(bytes);
    assert_eq!(refused.unwrap_err().to_string(), "8 does not fit 3 bits");
}

/// Identifiers of nodes that MIT's implementation computes for these addresses, ports and virtual nodes.
#[test]
fn nodes_live_where_mits_implementation_puts_them() {
    let cases = [
        (
            [127, 0, 0, 1],
            5000,
            0,
            "8b218ce7811e3ca7aea9e5a1f18a4da64262c644",
        ),
        (
            [127, 0, 0, 1],
            5000,
            1,
            "7851994f899a7b880a360b4529a14ac9eba20399",
        ),
        (
            [192, 0, 2, 1],
            5000,
            0,
            "f10cbd94e9912cd954c3bcc1234a08b1b2b0977c",
        ),
        (
            [192, 0, 2, 2],
            5000,
            0,
            "b4c752cbdfc1f176df245f0a125d1b4e344f1372",
        ),
        (
            [192, 0, 2, 3],
            10000,
            1023,
            "9f80ac608956d6b6ece9dc5b4616cde2f77f0761",
        ),
    ];
    for (address, port, virtual_node, expected) in cases {
        let address = Ipv4Addr::from(address).into();
        let id = Circle::SHA1.of_node(address, port, virtual_node);
        assert_eq!(id.to_string(), expected);
        // A circle of m bits keeps the first m of them.
        let first = u64::from_str_radix(&expected[..2], 16).unwrap();
        let short = Circle::new(8).unwrap().of_node(address, port, virtual_node);
        assert_eq!(short.small(), Some(first));
    }
    // The digest of "abc" in the standard of SHA-1.
    let name = Circle::SHA1.of_name("abc");
    assert_eq!(name.to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

fn random(seed: &mut Seeded) -> Id {
    let mut bytes = [0; 20];
    seed.fill(&mut bytes);
    Circle::SHA1.from_bytes(bytes).expect("160 bits fit")
}

/// The 99th percentile of keys per node, in multiples of the mean: 1,000 nodes, 100,000 keys, several circles.
fn crowding(virtual_nodes: usize, seed: u64) -> f64 {
    const NODES: usize = 1_000;
    const KEYS: usize = 100_000;
    let mut seed = Seeded::new(seed);
    let mut percentiles = Vec::new();
    for _ in 0..8 {
        let mut owners = Owners::default();
        for node in 0..NODES {
            for _ in 0..virtual_nodes {
                owners.insert(random(&mut seed), node);
            }
        }
        let mut load = vec![0_u32; NODES];
        for _ in 0..KEYS {
            let (_, node) = owners.owner(random(&mut seed)).expect("somebody is there");
            load[*node] += 1;
        }
        load.sort_unstable();
        percentiles.push(f64::from(load[NODES * 99 / 100]));
    }
    percentiles.iter().sum::<f64>() / percentiles.len() as f64 / (KEYS / NODES) as f64
}

/// The figures of the ToN paper: about 4.6 to 4.8 times the mean, and 1.6 times with 20 virtual nodes.
#[test]
fn virtual_nodes_even_out_the_load() {
    let without = crowding(1, 1);
    assert!((4.3..5.0).contains(&without), "{without}");
    let with = crowding(20, 2);
    assert!((1.5..1.7).contains(&with), "{with}");
}

#[test]
fn a_key_belongs_to_the_first_point_at_or_clockwise_of_it() {
    let circle = Circle::new(3).unwrap();
    let mut owners = Owners::default();
    assert_eq!(owners.owner(circle.point(5)), None);
    for node in [0, 1, 6] {
        owners.insert(circle.point(node), node);
    }
    let owner = |key| *owners.owner(circle.point(key)).unwrap().1;
    assert_eq!([0, 1, 2, 6, 7].map(owner), [0, 1, 6, 6, 0]);
    let around: Vec<u64> = owners
        .clockwise(circle.point(1))
        .map(|(_, node)| *node)
        .collect();
    assert_eq!(around, [1, 6, 0]);
}

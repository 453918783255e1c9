//! The node refuses what is absurd, stays bounded whatever it is told, and a refused input leaves no trace.

use std::sync::Arc;

use super::{ChordNode, Config, ConfigError, Errand, Phase, Rejected, Request, Timer};
use crate::choose::{Choose, Scripted, Seeded};
use crate::chord::message::{Answer, Entry, Message, Query};
use crate::chord::ring::Variant;
use crate::node::{Input, Node, Output, rejects_without_trace};
use crate::space::circle::{Circle, Id};

fn circle() -> Circle {
    Circle::new(3).unwrap()
}

fn id(number: u64) -> Id {
    Circle::SHA1.point(number)
}

/// N0 of the ring 0, 2, 5.
fn node() -> ChordNode {
    let mut config = Config::small(circle(), id(0));
    config.replicas = 2;
    config.rejoins = true;
    ChordNode::member(Arc::new(config), Some(id(5)), &[id(2), id(5)])
}

fn step(node: &mut ChordNode, input: Input<ChordNode>) -> Result<Vec<Output<ChordNode>>, Rejected> {
    let mut out = Vec::new();
    node.step(input, &mut Scripted::default(), &mut out)?;
    Ok(out)
}

fn hear(
    node: &mut ChordNode,
    from: u64,
    message: Message,
) -> Result<Vec<Output<ChordNode>>, Rejected> {
    let from = id(from);
    step(node, Input::Receive { from, message })
}

fn neighbours(tag: u32, list: &[u64]) -> Message {
    let successors = list.iter().map(|number| id(*number)).collect();
    let predecessor = None;
    let answer = Answer::Neighbours {
        predecessor,
        successors,
    };
    Message::Answer { tag, answer }
}

#[test]
fn absurd_messages_are_refused_with_the_reason() {
    let mut node = node();
    assert_eq!(hear(&mut node, 0, Message::Notify), Err(Rejected::Itself));
    assert_eq!(
        hear(&mut node, 8, Message::Notify),
        Err(Rejected::OffTheCircle(id(8)))
    );
    let relay = |hops| Message::Relay {
        tag: 0,
        key: id(4),
        origin: id(5),
        hops,
    };
    let most = node.config().most_hops;
    assert!(hear(&mut node, 5, relay(most)).is_ok());
    assert!(matches!(
        hear(&mut node, 5, relay(most + 1)),
        Err(Rejected::TooMany { what: "hops", .. })
    ));
    assert_eq!(
        hear(&mut node, 2, neighbours(0, &[5, 0])),
        Err(Rejected::Unasked(id(2)))
    );
    assert!(matches!(
        hear(&mut node, 2, neighbours(0, &[5, 0, 2])),
        Err(Rejected::TooMany {
            what: "successors",
            count: 3,
            most: 2
        })
    ));
    let finger = Message::UpdateFinger {
        node: id(3),
        finger: 3,
    };
    assert_eq!(hear(&mut node, 5, finger), Err(Rejected::NoSuchFinger(3)));
    let long = Message::Query {
        tag: 0,
        query: Query::Store {
            key: id(7),
            value: Some(vec![0; 2]),
        },
    };
    assert!(matches!(
        hear(&mut node, 5, long),
        Err(Rejected::TooMany {
            what: "bytes of a value",
            ..
        })
    ));
    assert_eq!(
        step(&mut node, Input::Opened(id(2))),
        Err(Rejected::NoConnections)
    );
    assert_eq!(
        step(&mut node, Input::Expire(Timer::Round)),
        Err(Rejected::NotSet(Timer::Round))
    );
    assert_eq!(
        step(&mut node, Input::Ask(Request::Create)),
        Err(Rejected::TakesPart)
    );
}

/// N0 of the ring 0, 4, whose list repeats N4.
fn one_of_two(change: impl Fn(&mut Config)) -> ChordNode {
    let mut config = Config::small(circle(), id(0));
    change(&mut config);
    ChordNode::member(Arc::new(config), Some(id(4)), &[id(4), id(4)])
}

#[test]
fn the_last_successor_is_kept_where_the_list_repeats_it() {
    for (keeps_last, left) in [(true, vec![id(4), id(4)]), (false, Vec::new())] {
        let mut node = one_of_two(|config| config.keeps_last = keeps_last);
        step(&mut node, Input::Expire(Timer::Stabilize)).unwrap();
        step(&mut node, Input::Expire(Timer::Round)).unwrap();
        assert_eq!(node.successors(), left);
    }
}

#[test]
fn a_node_that_joins_anew_takes_its_place_and_looks_after_its_predecessor_again() {
    let mut node = one_of_two(|config| config.rejoins = true);
    // Notified by N2, it asks N4 for a sign of life, and then gives its last successor up.
    hear(&mut node, 2, Message::Notify).unwrap();
    assert_eq!(node.waits_for(&Timer::Check), Some(id(4)));
    step(&mut node, Input::Expire(Timer::Stabilize)).unwrap();
    step(&mut node, Input::Expire(Timer::Round)).unwrap();
    assert_eq!(node.phase(), Phase::Joining(id(4)));
    assert_eq!(node.waits_for(&Timer::Check), None);
    // N4 still takes it for a member.
    let answer = Answer::Owner {
        key: id(0),
        successors: vec![id(0)],
        hops: 0,
    };
    hear(&mut node, 4, Message::Answer { tag: 0, answer }).unwrap();
    assert!(node.is_member());
    assert_eq!(node.successors(), [id(4)]);
    hear(&mut node, 2, Message::Notify).unwrap();
    assert_eq!(node.waits_for(&Timer::Check), Some(id(4)));
}

#[test]
fn forged_advice_is_no_step_towards_the_key() {
    let mut node = node();
    assert!(step(&mut node, Input::Ask(Request::Find(id(4)))).is_ok());
    let twice = step(&mut node, Input::Ask(Request::Find(id(4))));
    assert_eq!(twice, Err(Rejected::UnderWay(Errand::Find(id(4)))));
    let closer = |next| Message::Answer {
        tag: 0,
        answer: Answer::Closer {
            key: id(4),
            next: id(next),
        },
    };
    // N2 was asked: back, beyond the key, and the asking node itself.
    for next in [1, 2, 6, 0] {
        let refused = Rejected::NoProgress {
            key: id(4),
            next: id(next),
        };
        assert_eq!(hear(&mut node, 2, closer(next)), Err(refused));
    }
    let owner = |list: &[u64]| Message::Answer {
        tag: 0,
        answer: Answer::Owner {
            key: id(4),
            successors: list.iter().map(|number| id(*number)).collect(),
            hops: 0,
        },
    };
    assert_eq!(hear(&mut node, 2, owner(&[])), Err(Rejected::Nobody));
    let wrong = Rejected::NotTheOwner {
        key: id(4),
        owner: id(3),
    };
    assert_eq!(hear(&mut node, 2, owner(&[3])), Err(wrong));
    assert_eq!(
        hear(&mut node, 6, owner(&[5])),
        Err(Rejected::Unasked(id(6)))
    );
    assert!(hear(&mut node, 2, closer(3)).is_ok());
    assert!(hear(&mut node, 3, owner(&[5])).is_ok());
}

#[test]
fn impossible_configurations_are_named() {
    let sound = Config::small(circle(), id(0));
    assert_eq!(sound.check(), Ok(()));
    let variant = Variant::Podc2002;
    let strong = Config {
        variant,
        ..sound.clone()
    };
    assert_eq!(strong.check(), Err(ConfigError::Variant(variant)));
    let replicas = Config {
        replicas: 4,
        ..sound.clone()
    };
    assert!(matches!(
        replicas.check(),
        Err(ConfigError::OutOfRange {
            what: "replicas",
            ..
        })
    ));
    let alone = Config {
        successors: 0,
        ..sound
    };
    assert!(alone.check().is_err());
}

/// Any message about points of a circle of four bits, on a node of three.
fn any_message(chance: &mut Seeded) -> Message {
    let mut point = || id(chance.choose(9) as u64);
    let points = [point(), point(), point()];
    let [key, one, other] = points;
    let value = [None, Some(vec![1]), Some(vec![1, 2])][chance.choose(3)].clone();
    let list = points[..chance.choose(4)].to_vec();
    let tag = chance.choose(2) as u32;
    let query = |query| Message::Query { tag, query };
    let answer = |answer| Message::Answer { tag, answer };
    let version = chance.choose(4) as u32;
    let entries: Vec<Entry> = list
        .iter()
        .map(|key| Entry {
            key: *key,
            version,
            value: value.clone(),
        })
        .collect();
    let predecessor = Some(one).filter(|_| version > 0);
    let hops = chance.choose(6) as u32;
    match chance.choose(18) {
        0 => query(Query::Route { key, failed: list }),
        1 => query(Query::Neighbours),
        2 => query(Query::Ping),
        3 => query(Query::Store { key, value }),
        4 => query(Query::Fetch { key }),
        5 => query(Query::Hold {
            entries,
            as_owner: version > 1,
        }),
        6 => answer(Answer::Owner {
            key,
            successors: list,
            hops,
        }),
        7 => answer(Answer::Closer { key, next: other }),
        8 => answer(Answer::Lost { key }),
        9 => answer(Answer::Neighbours {
            predecessor,
            successors: list,
        }),
        10 => answer(Answer::Alive),
        11 => answer(Answer::Stored { key }),
        12 => answer(Answer::NotMine { key }),
        13 => answer(Answer::Fetched { key, value }),
        14 => answer(Answer::Held {
            entries: list.iter().map(|key| (*key, version)).collect(),
        }),
        15 => Message::Relay {
            tag,
            key,
            origin: other,
            hops,
        },
        16 => Message::UpdateFinger {
            node: one,
            finger: hops,
        },
        _ if hops > 4 => Message::Goodbye {
            predecessor,
            successors: list,
        },
        _ => Message::Notify,
    }
}

fn any_input(node: &ChordNode, chance: &mut Seeded) -> Input<ChordNode> {
    let key = id(chance.choose(9) as u64);
    match chance.choose(12) {
        0 => Input::Ask(match chance.choose(8) {
            0 => Request::Find(key),
            1 => Request::Put(key, vec![1]),
            2 => Request::Get(key),
            3 => Request::Delete(key),
            4 => Request::Join(key),
            5 => Request::Start,
            6 if node.phase() == Phase::Out => Request::Create,
            _ => Request::Leave,
        }),
        1 => Input::Expire(
            [Timer::Stabilize, Timer::CheckPredecessor, Timer::Repair][chance.choose(3)],
        ),
        2 => Input::Expire([Timer::Round, Timer::Check, Timer::Handover(key)][chance.choose(3)]),
        3 => match node.errands.keys().next() {
            Some(errand) => Input::Expire(Timer::Errand(*errand)),
            None => Input::Expire(Timer::FixFingers),
        },
        _ => {
            let from = id(chance.choose(9) as u64);
            let message = any_message(chance);
            Input::Receive { from, message }
        }
    }
}

#[test]
fn whatever_peers_say_a_node_stays_bounded_and_refuses_without_a_trace() {
    let mut accepted = 0;
    let mut refused = 0;
    for seed in 0..40 {
        let mut chance = Seeded::new(seed);
        let mut node = node();
        for _ in 0..1_000 {
            let input = any_input(&node, &mut chance);
            let traceless = rejects_without_trace(&node, input.clone(), &mut Scripted::default());
            assert_ne!(traceless, Some(false), "{input:?}");
            match step(&mut node, input) {
                Ok(out) => {
                    accepted += 1;
                    assert!(out.len() < 100);
                }
                Err(_) => refused += 1,
            }
            let config = node.config();
            assert!(node.successors.len() <= config.successors);
            assert!(node.store.len() <= config.most_keys);
            assert!(node.writes.len() <= config.most_errands);
            assert!(node.fingers.len() <= 3 && node.handovers.len() <= 8);
            assert!(node.errands.len() <= config.most_errands + 1);
            for lookup in node.errands.values() {
                assert!(lookup.path.len() <= config.most_hops as usize);
                assert!(lookup.failed.len() <= config.most_failed);
            }
        }
    }
    assert!(accepted > 4_000 && refused > 4_000, "{accepted} {refused}");
}

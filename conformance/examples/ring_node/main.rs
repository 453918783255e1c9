//! A Chord ring over the control plane (docs/control-plane.md), with the standard library and `serde_json` only.
//!
//! `kit.rs` answers the kit, `peer.rs` other nodes, `maintenance.rs` keeps the ring in order, `lookup.rs` finds owners,
//! and `messages.rs` carries all that. Whatever is asked gets a thread of its own. The state is locked for moments only, never while a node waits for another one.
//! Every stored value has a version, the higher one wins; a deleted key keeps its version with no value.

mod kit;
mod lookup;
mod maintenance;
mod messages;
mod peer;

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::hash::BuildHasher;
use std::io::BufRead;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

/// How often something is asked before the silence counts.
const TRIES: u32 = 3;
/// How many values go into one message, and how many versions: it stays below 64 KiB.
const BATCH: usize = 8;
const VERSIONS: usize = 1000;
/// How many former neighbours are remembered, to find them again after a partition.
const FRIENDS: usize = 32;
/// How many answers are kept, because a question may come twice.
const ANSWERS: usize = 4096;

/// A node: its point, and where it is reached (a name, or host:port).
type Contact = (u64, String);
/// A version, and a value unless it was deleted.
type Entry = (u64, Option<String>);
type Entries = BTreeMap<u64, Entry>;

/// Why there is no answer.
enum Trouble {
    Silent,
    Refused(u64, String),
}

type Answer = Result<Value, Trouble>;

/// What `init` said.
struct Config {
    name: String,
    me: Contact,
    bits: u32,
    most_successors: usize,
    replicas: usize,
    period: Duration,
    timeout: Duration,
    introducer: Option<String>,
    socket: Option<UdpSocket>,
}

#[derive(Default)]
struct State {
    member: bool,
    predecessor: Option<Contact>,
    successors: Vec<Contact>,
    fingers: BTreeMap<u32, Contact>,
    next_finger: u32,
    store: Entries,
    /// When the owner of a key last said that this node is to keep it.
    leased: BTreeMap<u64, Instant>,
    friends: VecDeque<Contact>,
}

/// Who asked, and under which number.
type Asked = (String, u64);

/// What was answered, or will be, and in which order it was asked.
type Answered = (HashMap<Asked, Option<Value>>, VecDeque<Asked>);

#[derive(Default)]
struct Node {
    config: OnceLock<Config>,
    state: Mutex<State>,
    waiting: Mutex<HashMap<u64, Sender<Value>>>,
    answered: Mutex<Answered>,
    questions: AtomicU64,
    adopting: Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn refuse<T>(code: u64, text: &str) -> Result<T, Trouble> {
    Err(Trouble::Refused(code, text.to_owned()))
}

fn malformed() -> Trouble {
    Trouble::Refused(12, "malformed request".to_owned())
}

fn number(value: &Value) -> Result<u64, Trouble> {
    value.as_u64().ok_or_else(malformed)
}

fn contact(value: &Value) -> Option<Contact> {
    Some((value.get(0)?.as_u64()?, value.get(1)?.as_str()?.to_owned()))
}

fn contacts(value: &Value) -> Vec<Contact> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(contact)
        .collect()
}

fn random() -> u64 {
    RandomState::new().hash_one(0)
}

impl Node {
    fn config(&self) -> Result<&Config, Trouble> {
        self.config.get().ok_or_else(malformed)
    }

    fn distance(config: &Config, from: u64, to: u64) -> u64 {
        to.wrapping_sub(from) & ((1 << config.bits) - 1)
    }

    /// Whether the point is in (low, high]; (a, a] is the whole circle.
    fn within(config: &Config, low: u64, point: u64, high: u64) -> bool {
        let place = Self::distance(config, low, point);
        low == high || (0 < place && place <= Self::distance(config, low, high))
    }

    /// Whether the point is in (low, high).
    fn inside(config: &Config, low: u64, point: u64, high: u64) -> bool {
        point != low && point != high && Self::within(config, low, point, high)
    }

    fn start(config: &Config, finger: u32) -> u64 {
        Self::distance(config, 0, config.me.0 + (1 << finger))
    }

    fn owns(config: &Config, state: &State, key: u64) -> bool {
        let before = state.predecessor.as_ref();
        before.is_none_or(|before| Self::within(config, before.0, key, config.me.0))
    }

    /// Who is to keep what this node owns, besides itself.
    fn keepers(config: &Config, state: &State) -> Vec<Contact> {
        let others = state.successors.iter().filter(|node| **node != config.me);
        others.take(config.replicas - 1).cloned().collect()
    }

    /// Takes a successor list: up to the node itself, nobody twice, not too long.
    fn follow(config: &Config, state: &mut State, nodes: Vec<Contact>) {
        let mut kept: Vec<Contact> = Vec::new();
        for node in nodes {
            if node == config.me || kept.contains(&node) {
                break;
            }
            state.friends.retain(|friend| *friend != node);
            state.friends.push_back(node.clone());
            kept.push(node);
        }
        while state.friends.len() > FRIENDS {
            state.friends.pop_front();
        }
        kept.truncate(config.most_successors);
        state.successors = if kept.is_empty() {
            vec![config.me.clone()]
        } else {
            kept
        };
    }

    /// Forgets a node that is gone.
    fn bury(&self, node: &Contact) {
        let Some(config) = self.config.get() else {
            return;
        };
        let mut state = lock(&self.state);
        state.predecessor = state.predecessor.take().filter(|it| it != node);
        state.fingers.retain(|_, it| it != node);
        state.successors.retain(|it| it != node);
        if state.successors.is_empty() {
            state.successors.push(config.me.clone());
        }
    }
}

fn main() {
    let node = Arc::new(Node::default());
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        node.receive(&line);
    }
}

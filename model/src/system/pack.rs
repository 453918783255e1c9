//! States of systems as bytes: the parts that states share are kept once, and a state names them by number.
//!
//! This is the collapse compression of SPIN. It is exact: a number stands for one value, which is compared in full.
//! Which value got which number may differ from run to run when several threads explore; so the hash of a state
//! is made of the contents, not of the numbers, and nothing that a run reports depends on the numbers.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{PoisonError, RwLock};

use super::network::{Link, Traffic};
use super::observe::Observe;
use super::{Place, Shared, State, System};
use crate::explore::{Pack, hash_of};
use crate::node::Node;

/// Every value of one kind that a state has had, numbered from 0.
struct Table<T>(RwLock<Values<T>>);

struct Values<T> {
    values: Vec<T>,
    hashes: Vec<u64>,
    /// The first value with a hash, and behind each value the next one with the same hash.
    first: HashMap<u64, u32>,
    next: Vec<Option<u32>>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(RwLock::new(Values {
            values: Vec::new(),
            hashes: Vec::new(),
            first: HashMap::new(),
            next: Vec::new(),
        }))
    }
}

impl<T: Clone + Eq + Hash> Values<T> {
    fn find(&self, hash: u64, value: &T) -> Option<u32> {
        let mut at = self.first.get(&hash).copied();
        while let Some(number) = at
            && self.values[number as usize] != *value
        {
            at = self.next[number as usize];
        }
        at
    }

    fn add(&mut self, hash: u64, value: &T) -> u32 {
        let number = u32::try_from(self.values.len()).expect("fewer values than 32 bits number");
        self.values.push(value.clone());
        self.hashes.push(hash);
        self.next.push(self.first.insert(hash, number));
        number
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    fn number(&self, value: &T) -> u32 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        let hash = hasher.finish();
        let found = self.read(|values| values.find(hash, value));
        found.unwrap_or_else(|| {
            let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have been faster.
            let found = values.find(hash, value);
            found.unwrap_or_else(|| values.add(hash, value))
        })
    }

    fn value(&self, number: u32) -> T {
        self.read(|values| values.values[number as usize].clone())
    }

    fn hash(&self, number: u32) -> u64 {
        self.read(|values| values.hashes[number as usize])
    }

    /// The bytes it holds, without what the values hold elsewhere than in the `behind` bytes that they point to.
    fn held(&self, behind: usize) -> usize {
        const EACH: usize = size_of::<u64>() + size_of::<Option<u32>>() + 2 * size_of::<u64>();
        self.read(|values| values.values.len() * (size_of::<T>() + behind + EACH))
    }

    fn read<R>(&self, look: impl FnOnce(&Values<T>) -> R) -> R {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

type Timed<N, V> = BTreeMap<(Place, <N as Node>::Timer), V>;

/// The parts that the states of a system share.
pub(super) struct Parts<N: Node, M> {
    nodes: Table<Shared<N>>,
    memories: Table<Shared<M>>,
    clocks: Table<(Timed<N, u32>, Timed<N, u8>)>,
    links: Table<Link<N::Message>>,
    queues: Table<VecDeque<N::Message>>,
    broken: Table<BTreeSet<&'static str>>,
}

impl<N: Node, M> Default for Parts<N, M> {
    fn default() -> Self {
        Self {
            nodes: Table::default(),
            memories: Table::default(),
            clocks: Table::default(),
            links: Table::default(),
            queues: Table::default(),
            broken: Table::default(),
        }
    }
}

impl<N: Node, M> fmt::Debug for Parts<N, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parts")
    }
}

/// Which table a number refers to.
#[derive(Clone, Copy)]
enum Part {
    Node,
    Memory,
    Clocks,
    Link,
    Queue,
    Broken,
}

/// What the bytes of a state consist of.
enum Field {
    Byte(u8),
    Number(Part, u32),
}

/// Reads the bytes of a state.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        let byte = self.0[0];
        self.0 = &self.0[1..];
        byte
    }

    fn count(&mut self) -> usize {
        usize::from(self.byte()) | usize::from(self.byte()) << 8
    }

    fn number(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.byte()))
    }

    fn pair(&mut self) -> (Place, Place) {
        (self.byte(), self.byte())
    }
}

fn put_count(count: usize, bytes: &mut Vec<u8>) {
    let count = u16::try_from(count).expect("pairs of places, which are bytes and differ");
    bytes.extend(count.to_le_bytes());
}

fn put_pair(pair: (Place, Place), bytes: &mut Vec<u8>) {
    bytes.extend([pair.0, pair.1]);
}

fn put_number(number: u32, bytes: &mut Vec<u8>) {
    bytes.extend(number.to_le_bytes());
}

/// What stands for an absent node, in the place of a number plus one.
const ABSENT: u32 = 0;

impl<N, O> Pack for System<N, O>
where
    N: Node + Send + Sync,
    O: Observe<N>,
{
    fn pack(&self, state: &Self::State, bytes: &mut Vec<u8>) {
        let parts = &self.parts;
        bytes.push(u8::from(state.tested));
        bytes.push(state.breaks);
        bytes.extend_from_slice(&state.scripts);
        for node in &state.nodes {
            let number = node.as_ref().map(|node| parts.nodes.number(node) + 1);
            put_number(number.unwrap_or(ABSENT), bytes);
        }
        put_number(parts.memories.number(&state.memory), bytes);
        let clocks = (state.timers.clone(), state.expired.clone());
        put_number(parts.clocks.number(&clocks), bytes);
        put_number(parts.broken.number(&state.broken), bytes);
        put_count(state.traffic.dials.len(), bytes);
        for pair in &state.traffic.dials {
            put_pair(*pair, bytes);
        }
        put_count(state.traffic.links.len(), bytes);
        for (pair, link) in &state.traffic.links {
            put_pair(*pair, bytes);
            put_number(parts.links.number(link), bytes);
        }
        put_count(state.traffic.datagrams.len(), bytes);
        for (pair, queue) in &state.traffic.datagrams {
            put_pair(*pair, bytes);
            put_number(parts.queues.number(queue), bytes);
        }
    }

    fn unpack(&self, bytes: &[u8]) -> Self::State {
        let (parts, mut from) = (&self.parts, Reader(bytes));
        let tested = from.byte() == 1;
        let breaks = from.byte();
        let scripts = (0..self.scripts.len()).map(|_| from.byte()).collect();
        let node = |number: u32| (number != ABSENT).then(|| parts.nodes.value(number - 1));
        let nodes = (0..self.residents.len()).map(|_| node(from.number()));
        let nodes = nodes.collect();
        let memory = parts.memories.value(from.number());
        let (timers, expired) = parts.clocks.value(from.number());
        let broken = parts.broken.value(from.number());
        let mut traffic = Traffic::default();
        for _ in 0..from.count() {
            traffic.dials.insert(from.pair());
        }
        for _ in 0..from.count() {
            let (pair, number) = (from.pair(), from.number());
            traffic.links.insert(pair, parts.links.value(number));
        }
        for _ in 0..from.count() {
            let (pair, number) = (from.pair(), from.number());
            traffic.datagrams.insert(pair, parts.queues.value(number));
        }
        State {
            nodes,
            traffic,
            timers,
            expired,
            scripts,
            breaks,
            memory,
            broken,
            tested,
        }
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut contents = Vec::with_capacity(2 * bytes.len());
        self.fields(bytes, |field| match field {
            Field::Byte(byte) => contents.push(byte),
            Field::Number(part, number) => {
                contents.extend(self.hash_of_part(part, number).to_le_bytes());
            }
        });
        hash_of(&contents)
    }

    /// Without what nodes, memories, messages and timers hold on the heap.
    fn held(&self) -> usize {
        let parts = &self.parts;
        parts.nodes.held(size_of::<N>())
            + parts.memories.held(size_of::<O::Memory>())
            + parts.clocks.held(0)
            + parts.links.held(0)
            + parts.queues.held(0)
            + parts.broken.held(0)
    }
}

impl<N: Node, O: Observe<N>> System<N, O> {
    /// Tells the fields of a packed state, in order.
    fn fields(&self, bytes: &[u8], mut tell: impl FnMut(Field)) {
        let mut from = Reader(bytes);
        for _ in 0..2 + self.scripts.len() {
            tell(Field::Byte(from.byte()));
        }
        for _ in 0..self.residents.len() {
            tell(Field::Number(Part::Node, from.number()));
        }
        for part in [Part::Memory, Part::Clocks, Part::Broken] {
            tell(Field::Number(part, from.number()));
        }
        let mut pairs = |numbered: Option<Part>| {
            let count = from.count();
            tell(Field::Byte(count as u8));
            for _ in 0..count {
                tell(Field::Byte(from.byte()));
                tell(Field::Byte(from.byte()));
                if let Some(part) = numbered {
                    tell(Field::Number(part, from.number()));
                }
            }
        };
        pairs(None);
        pairs(Some(Part::Link));
        pairs(Some(Part::Queue));
    }

    fn hash_of_part(&self, part: Part, number: u32) -> u64 {
        let parts = &self.parts;
        match part {
            Part::Node if number == ABSENT => 0,
            Part::Node => parts.nodes.hash(number - 1),
            Part::Memory => parts.memories.hash(number),
            Part::Clocks => parts.clocks.hash(number),
            Part::Link => parts.links.hash(number),
            Part::Queue => parts.queues.hash(number),
            Part::Broken => parts.broken.hash(number),
        }
    }
}

//! What an observer knows of a ring: who is a member, and what each member says of itself.
//!
//! The facts about the shape of a ring ask any [`Ring`]. [`RingView`] is the one that is collected from nodes,
//! with messages or in other processes; the states of the atomic models are rings themselves, so that nothing
//! is copied for each of millions of states.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use super::rules::Rules;
use crate::space::circle::{Circle, Id};

/// Members and their pointers. Whoever is named but no member is dead, or never joined.
pub trait Ring {
    /// A point of the identifier circle.
    type Id: Copy + Ord + Debug;

    /// Every live member, in increasing order.
    fn members(&self) -> impl Iterator<Item = Self::Id> + Clone;

    /// Whether that point is a live member.
    fn is_member(&self, id: Self::Id) -> bool;

    /// The successor list of a member, nearest first; dead entries included.
    fn successors(&self, member: Self::Id) -> impl Iterator<Item = Self::Id> + Clone;

    /// The predecessor pointer of a member.
    fn predecessor(&self, member: Self::Id) -> Option<Self::Id>;

    /// The first live entry of the successor list.
    fn best_successor(&self, member: Self::Id) -> Option<Self::Id> {
        self.successors(member).find(|entry| self.is_member(*entry))
    }

    /// How many members there are.
    fn size(&self) -> usize {
        self.members().count()
    }

    /// The member that owns `key`: the first at or clockwise of it. `None` when nobody is there.
    fn owner(&self, key: Self::Id) -> Option<Self::Id> {
        let onward = self.members().find(|member| *member >= key);
        onward.or_else(|| self.members().next())
    }

    /// The next member clockwise; a lonely one follows itself.
    fn next(&self, member: Self::Id) -> Option<Self::Id> {
        let onward = self.members().find(|other| *other > member);
        onward.or_else(|| self.members().next())
    }

    /// The next member anticlockwise; a lonely one precedes itself.
    fn previous(&self, member: Self::Id) -> Option<Self::Id> {
        let back = self.members().take_while(|other| *other < member).last();
        back.or_else(|| self.members().last())
    }

    /// The members met from `member` on by best successors, without `member` itself: up to the first dead end,
    /// and at most as many as there are members.
    fn walk(&self, member: Self::Id) -> impl Iterator<Item = Self::Id> {
        let mut at = Some(member);
        let step = move || {
            at = at.and_then(|member| self.best_successor(member));
            at
        };
        std::iter::from_fn(step).take(self.size())
    }

    /// Whether a member reaches itself by best successors.
    fn is_on_a_ring(&self, member: Self::Id) -> bool {
        self.walk(member).any(|met| met == member)
    }
}

/// A ring whose members tell their fingers and keys as well.
pub trait Equipped: Ring {
    /// The finger table of a member, as far as it is known; empty for a node without one.
    fn fingers(&self, member: Self::Id) -> impl Iterator<Item = Finger<Self::Id>>;

    /// The keys that were stored and not taken away: none of them may be lost.
    fn stored(&self) -> impl Iterator<Item = Self::Id>;

    /// Whether a member keeps a key, as its owner or as a replica.
    fn keeps(&self, member: Self::Id, key: Self::Id) -> bool;

    /// On how many nodes a key is kept, its owner included; 0 when nobody knows.
    fn replication(&self) -> usize;
}

/// A ring as it was collected from its members.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RingView<I: Ord> {
    /// Every live member with what it says of itself.
    pub members: BTreeMap<I, MemberView<I>>,
    /// The keys that were stored and not taken away: none of them may be lost.
    pub stored: BTreeSet<I>,
    /// On how many nodes a key is kept, its owner included; 0 when nobody knows.
    pub replication: usize,
    /// The rules by which its members route, as far as that is known: the sound ones unless somebody says otherwise.
    pub rules: Rules,
}

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberView<I: Ord> {
    /// Its successor list, nearest first.
    pub successors: Vec<I>,
    /// Its predecessor pointer.
    pub predecessor: Option<I>,
    /// Its finger table, as far as it is known; empty for a node without one.
    pub fingers: Vec<Finger<I>>,
    /// The keys that it keeps as their owner or as a replica.
    pub keys: BTreeSet<I>,
}

/// An entry of a finger table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finger<I> {
    /// Where it begins: n + 2^i.
    pub start: I,
    /// The node that is believed to be the first at or clockwise of it.
    pub node: Option<I>,
}

impl<I: Ord> Default for RingView<I> {
    fn default() -> Self {
        Self {
            members: BTreeMap::new(),
            stored: BTreeSet::new(),
            replication: 0,
            rules: Rules::default(),
        }
    }
}

impl<I: Ord> Default for MemberView<I> {
    fn default() -> Self {
        Self {
            successors: Vec::new(),
            predecessor: None,
            fingers: Vec::new(),
            keys: BTreeSet::new(),
        }
    }
}

impl<I: Copy + Ord + Debug> Ring for RingView<I> {
    type Id = I;

    fn members(&self) -> impl Iterator<Item = I> + Clone {
        self.members.keys().copied()
    }

    fn is_member(&self, id: I) -> bool {
        self.members.contains_key(&id)
    }

    fn successors(&self, member: I) -> impl Iterator<Item = I> + Clone {
        let said = self.members.get(&member);
        said.into_iter()
            .flat_map(|said| said.successors.iter().copied())
    }

    fn predecessor(&self, member: I) -> Option<I> {
        self.members.get(&member).and_then(|said| said.predecessor)
    }

    fn size(&self) -> usize {
        self.members.len()
    }

    fn owner(&self, key: I) -> Option<I> {
        let onward = self.members.range(key..).next();
        onward
            .or_else(|| self.members.first_key_value())
            .map(|(id, _)| *id)
    }
}

impl<I: Copy + Ord + Debug> Equipped for RingView<I> {
    fn fingers(&self, member: I) -> impl Iterator<Item = Finger<I>> {
        let said = self.members.get(&member);
        said.into_iter()
            .flat_map(|said| said.fingers.iter().copied())
    }

    fn stored(&self) -> impl Iterator<Item = I> {
        self.stored.iter().copied()
    }

    fn keeps(&self, member: I, key: I) -> bool {
        let said = self.members.get(&member);
        said.is_some_and(|said| said.keys.contains(&key))
    }

    fn replication(&self) -> usize {
        self.replication
    }
}

impl RingView<Id> {
    /// The ring of these members when nothing is left to repair: lists of that length, a finger for every bit of the
    /// circle. With broken rules, what nodes that follow them would have.
    pub fn ideal(circle: Circle, members: &[Id], successors: usize, rules: Rules) -> Self {
        let mut view = Self::default();
        for member in members {
            view.members.insert(*member, MemberView::default());
        }
        for member in members {
            let mut list = Vec::new();
            let mut at = *member;
            for _ in 0..successors {
                at = view.next(at).unwrap_or(at);
                list.push(at);
            }
            let finger = |exponent| {
                let start = circle.add_power(*member, exponent);
                let found = circle.add_power(*member, rules.finger_exponent(exponent));
                let node = view.owner(found);
                Finger { start, node }
            };
            let said = MemberView {
                successors: list,
                predecessor: view.previous(*member),
                fingers: (0..circle.bits()).map(finger).collect(),
                keys: BTreeSet::new(),
            };
            view.members.insert(*member, said);
        }
        view
    }

    /// Stores keys where they belong: each with whoever takes it for its own by its predecessor, and on the first
    /// members of that one's list, `replication` copies in all.
    pub fn store(&mut self, keys: &[Id], replication: usize, rules: Rules) {
        self.replication = replication;
        self.stored.extend(keys);
        for key in keys {
            let owners: Vec<Id> = self
                .members()
                .filter(|member| rules.owns(self.predecessor(*member), *key, *member))
                .collect();
            for owner in owners {
                let holders = std::iter::once(owner).chain(self.successors(owner));
                let holders: Vec<Id> = holders.take(replication.max(1)).collect();
                for holder in holders {
                    if let Some(said) = self.members.get_mut(&holder) {
                        said.keys.insert(*key);
                    }
                }
            }
        }
    }
}

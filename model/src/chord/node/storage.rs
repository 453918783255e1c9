//! What a node stores: as the owner of a key, or as one of the nodes after the owner.
//!
//! The owner answers a write when its replicas have it. When a nearer predecessor shows, what moves is handed
//! over and kept until the receiver says that it keeps it. From time to time an owner renews its replicas; an
//! entry that nobody renews is sent to its owner, and dropped when that one keeps it. A deleted value leaves
//! an entry without a value, so that no old replica brings it back.

use std::collections::BTreeSet;

use super::{Act, ChordNode, Errand, Event, Timer};
use crate::chord::message::{Answer, Entry, Query};
use crate::chord::mutant::Mutant;
use crate::space::circle::Id;

/// The most bytes of values in one message, and what an entry counts besides its value: in JSON, where a byte
/// may take six, a message then stays below 64 KiB.
const MOST_HELD: usize = 9 << 10;
const ENTRY: usize = 32;

/// How many rounds of repair a replica stays without being renewed.
const FRESH: u8 = 2;

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stored {
    /// Counts the changes.
    pub version: u32,
    /// The value; none: it was deleted.
    pub value: Option<Vec<u8>>,
    /// How many rounds of repair it stays without being renewed.
    fresh: u8,
}

/// Keys that one receiver is to keep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handover {
    keys: BTreeSet<Id>,
    tries: u8,
}

/// A write that waits for its replicas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Write {
    /// Who asked for it, under which tag; the node itself where there is none.
    client: Option<(Id, u32)>,
    version: u32,
    waiting: BTreeSet<Id>,
}

impl Act<'_> {
    /// Asks `to` to keep entries, in as many messages as it takes.
    fn hold(&mut self, to: Id, tag: u32, entries: Vec<Entry>, as_owner: bool) {
        let mut part: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        for entry in entries {
            let more = ENTRY + entry.value.as_ref().map_or(0, Vec::len);
            if !part.is_empty() && bytes + more > MOST_HELD {
                let entries = std::mem::take(&mut part);
                self.ask(to, tag, Query::Hold { entries, as_owner });
                bytes = 0;
            }
            bytes += more;
            part.push(entry);
        }
        let entries = part;
        self.ask(to, tag, Query::Hold { entries, as_owner });
    }
}

impl ChordNode {
    pub(super) fn owns(&self, key: Id) -> bool {
        self.config().rules.owns(self.predecessor, key, self.id())
    }

    pub(super) fn owned_keys(&self) -> Vec<Id> {
        let keys = self.store.keys().copied();
        keys.filter(|key| self.owns(*key)).collect()
    }

    /// The nodes that keep replicas of what this node owns.
    fn replica_holders(&self) -> Vec<Id> {
        let mut holders: Vec<Id> = Vec::new();
        for node in &self.successors {
            if *node != self.id() && !holders.contains(node) {
                holders.push(*node);
            }
        }
        holders.truncate(self.config().replicas.saturating_sub(1));
        holders
    }

    fn entries(&self, keys: impl IntoIterator<Item = Id>) -> Vec<Entry> {
        let entry = |key| {
            let stored = self.store.get(&key)?;
            Some(Entry {
                key,
                version: stored.version,
                value: stored.value.clone(),
            })
        };
        keys.into_iter().filter_map(entry).collect()
    }

    pub(super) fn on_store(
        &mut self,
        from: Id,
        tag: u32,
        key: Id,
        value: Option<Vec<u8>>,
        act: &mut Act,
    ) {
        if self.owns(key) {
            self.write(Some((from, tag)), key, value, act);
        } else {
            act.answer(from, tag, Answer::NotMine { key });
        }
    }

    /// Stores as the owner. The same value again is not a new version, so that a client may ask twice.
    pub(super) fn write(
        &mut self,
        client: Option<(Id, u32)>,
        key: Id,
        value: Option<Vec<u8>>,
        act: &mut Act,
    ) {
        let old = self.store.get(&key);
        let version = match old {
            Some(stored) if stored.value == value => stored.version,
            Some(stored) => stored.version.saturating_add(1),
            None => 1,
        };
        let forgets = value.is_none() && self.is(Mutant::ForgetsDeletions);
        if forgets {
            self.store.remove(&key);
        } else {
            let fresh = 0;
            let stored = Stored {
                version,
                value,
                fresh,
            };
            self.store.insert(key, stored);
        }
        let holders = self.replica_holders();
        let write = Write {
            client,
            version,
            waiting: holders.iter().copied().collect(),
        };
        self.replicate(vec![key], &holders, act);
        self.writes.insert(key, write);
        if holders.is_empty() || forgets || self.is(Mutant::AcknowledgesEarly) {
            self.written(key, act);
        }
    }

    fn replicate(&mut self, keys: Vec<Id>, holders: &[Id], act: &mut Act) {
        let entries = self.entries(keys);
        if entries.is_empty() {
            return;
        }
        for holder in holders {
            let tag = self.fresh_tag();
            act.hold(*holder, tag, entries.clone(), false);
        }
    }

    /// Every replica has it.
    fn written(&mut self, key: Id, act: &mut Act) {
        let Some(write) = self.writes.remove(&key) else {
            return;
        };
        if let Some((client, tag)) = write.client {
            act.answer(client, tag, Answer::Stored { key });
            return;
        }
        if self.end(Errand::Put(key), act).is_some() {
            act.tell(Event::Stored(key));
        }
        if self.end(Errand::Delete(key), act).is_some() {
            act.tell(Event::Deleted(key));
        }
    }

    pub(super) fn on_fetch(&mut self, from: Id, tag: u32, key: Id, act: &mut Act) {
        let answer = match self.store.get(&key) {
            Some(stored) => Answer::Fetched {
                key,
                value: stored.value.clone(),
            },
            None if self.owns(key) => Answer::Fetched { key, value: None },
            None => Answer::NotMine { key },
        };
        act.answer(from, tag, answer);
    }

    pub(super) fn on_hold(
        &mut self,
        from: Id,
        tag: u32,
        entries: Vec<Entry>,
        as_owner: bool,
        act: &mut Act,
    ) {
        let mut held = Vec::new();
        let mut changed = Vec::new();
        for entry in entries {
            let old = self.store.get(&entry.key);
            let known = old.map_or(0, |stored| stored.version);
            let fresh = if as_owner {
                old.map_or(0, |stored| stored.fresh)
            } else {
                FRESH
            };
            let newer = entry.version > known;
            held.push((entry.key, known.max(entry.version)));
            if newer {
                changed.push(entry.key);
            }
            if let Some(stored) = self.store.get_mut(&entry.key).filter(|_| !newer) {
                stored.fresh = fresh;
            } else {
                let stored = Stored {
                    version: entry.version,
                    value: entry.value,
                    fresh,
                };
                self.store.insert(entry.key, stored);
            }
        }
        act.answer(from, tag, Answer::Held { entries: held });
        changed.retain(|key| self.owns(*key));
        let holders = self.replica_holders();
        self.replicate(changed, &holders, act);
    }

    /// Whether anybody here waits to hear that `from` keeps one of these keys.
    pub(super) fn waits_for_holder(&self, from: Id, entries: &[(Id, u32)]) -> bool {
        let writes = |key| self.writes.get(key);
        let written = |key| writes(key).is_some_and(|write| write.waiting.contains(&from));
        let handed = |key| {
            let handover = self.handovers.get(&from);
            handover.is_some_and(|handover| handover.keys.contains(key))
        };
        let returned = |key: &Id| {
            let errand = self.errand(Errand::Return(*key));
            errand.is_some_and(|lookup| lookup.waits_for() == Some(from))
        };
        entries
            .iter()
            .any(|(key, _)| written(key) || handed(key) || returned(key))
    }

    pub(super) fn on_held(&mut self, from: Id, entries: &[(Id, u32)], act: &mut Act) {
        for (key, version) in entries {
            self.on_replica_kept(from, *key, *version, act);
            self.on_handed_over(from, *key, *version);
            let returned = self.errand(Errand::Return(*key));
            if returned.is_some_and(|lookup| lookup.waits_for() == Some(from)) {
                self.end(Errand::Return(*key), act);
                self.drop_stray(*key, *version);
            }
        }
        if self
            .handovers
            .get(&from)
            .is_some_and(|handover| handover.keys.is_empty())
        {
            self.handovers.remove(&from);
            act.cancel(Timer::Handover(from));
        }
        self.leave_when_nothing_is_left(act);
    }

    fn on_replica_kept(&mut self, from: Id, key: Id, version: u32, act: &mut Act) {
        let Some(write) = self.writes.get_mut(&key) else {
            return;
        };
        if version >= write.version {
            write.waiting.remove(&from);
        }
        if write.waiting.is_empty() {
            self.written(key, act);
        }
    }

    fn on_handed_over(&mut self, from: Id, key: Id, version: u32) {
        let Some(handover) = self.handovers.get_mut(&from) else {
            return;
        };
        let known = self.store.get(&key).map_or(0, |stored| stored.version);
        if version < known || !handover.keys.remove(&key) {
            return;
        }
        if self.config().replicas > 1 {
            // The former owner follows the new one, and keeps a replica.
            if let Some(stored) = self.store.get_mut(&key) {
                stored.fresh = stored.fresh.max(FRESH);
            }
        } else {
            self.drop_stray(key, version);
        }
    }

    /// Drops an entry that its owner keeps, unless this node is to keep it as well.
    fn drop_stray(&mut self, key: Id, version: u32) {
        let stays = |stored: &Stored| stored.fresh > 0 || stored.version > version;
        if !self.owns(key) && self.store.get(&key).is_some_and(|stored| !stays(stored)) {
            self.store.remove(&key);
        }
    }

    /// The predecessor has changed from `old` to `new`: it owns what lies up to it.
    pub(super) fn hand_over_what_moves(&mut self, old: Option<Id>, new: Id, act: &mut Act) {
        if self.is(Mutant::NeverHandsOver) {
            return;
        }
        let rules = self.config().rules;
        let owned = |key: &Id| old.is_none() || rules.owns(old, *key, self.id());
        let keys = self.store.keys().copied();
        let moving = keys.filter(|key| owned(key) && !self.owns(*key));
        let moving: Vec<Id> = moving.collect();
        self.hand_over(new, moving, act);
    }

    pub(super) fn hand_over(&mut self, to: Id, keys: Vec<Id>, act: &mut Act) {
        if keys.is_empty() {
            return;
        }
        if self.is(Mutant::DropsBeforeHeld) {
            act.hold(to, 0, self.entries(keys.clone()), true);
            self.store.retain(|key, _| !keys.contains(key));
            return;
        }
        let handover = self.handovers.entry(to).or_insert_with(|| Handover {
            keys: BTreeSet::new(),
            tries: 0,
        });
        handover.keys.extend(keys);
        handover.tries = 0;
        self.send_handover(to, act);
    }

    fn send_handover(&mut self, to: Id, act: &mut Act) {
        let Some(handover) = self.handovers.get_mut(&to) else {
            return;
        };
        handover.tries = handover.tries.saturating_add(1);
        let keys: Vec<Id> = handover.keys.iter().copied().collect();
        let entries = self.entries(keys);
        let tag = self.fresh_tag();
        act.hold(to, tag, entries, true);
        act.set(Timer::Handover(to), self.config().timing.answer);
    }

    pub(super) fn on_handover_overdue(&mut self, to: Id, act: &mut Act) {
        let tries = self.config().tries;
        let again = self
            .handovers
            .get(&to)
            .is_some_and(|handover| handover.tries < tries);
        if again {
            self.send_handover(to, act);
        } else {
            // Repair sends to their owners what is stored here and owned by others.
            self.handovers.remove(&to);
            self.leave_when_nothing_is_left(act);
        }
    }

    pub(super) fn on_repair(&mut self, act: &mut Act) {
        if let Some(after) = self.config().timing.repair {
            act.set(Timer::Repair, after);
        }
        let holders = self.replica_holders();
        let owned = self.owned_keys();
        self.replicate(owned, &holders, act);
        let waiting: Vec<Id> = self.writes.keys().copied().collect();
        for key in waiting {
            if let Some(write) = self.writes.get_mut(&key) {
                write.waiting.retain(|holder| holders.contains(holder));
                if write.waiting.is_empty() {
                    self.written(key, act);
                }
            }
        }
        let keys: Vec<Id> = self.store.keys().copied().collect();
        for key in keys
            .into_iter()
            .filter(|key| !self.owns(*key))
            .collect::<Vec<_>>()
        {
            self.look_after_stray(key, act);
        }
    }

    fn look_after_stray(&mut self, key: Id, act: &mut Act) {
        if self.is(Mutant::NeverHandsOver) {
            return;
        }
        let room = self.errands.len() < self.config().most_errands;
        let Some(stored) = self.store.get_mut(&key) else {
            return;
        };
        if stored.fresh > 0 {
            stored.fresh -= 1;
        } else if room && !self.errands.contains_key(&Errand::Return(key)) {
            self.begin(Errand::Return(key), None, act);
        }
    }
}

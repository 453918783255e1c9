//! What lookups are for, once the owner of a key is found.

use super::lookup::Seek;
use super::{Act, ChordNode, Errand, Event, Lookup, Phase, Timer};
use crate::chord::message::{Answer, Entry, Message, Query};
use crate::chord::mutant::Mutant;
use crate::space::circle::Id;

impl ChordNode {
    pub(super) fn key_of(&self, errand: Errand) -> Id {
        let circle = self.config().circle;
        match errand {
            Errand::Join => self.id(),
            Errand::Finger(exponent) => self.finger_start(exponent),
            // The last node at or before n - 2^i is the one that answers for the point after it.
            Errand::Update(exponent) => {
                circle.add_power(circle.subtract_power(self.id(), exponent), 0)
            }
            Errand::Find(key)
            | Errand::Put(key)
            | Errand::Get(key)
            | Errand::Delete(key)
            | Errand::Return(key) => key,
        }
    }

    /// The errand that waits for this answer.
    pub(super) fn errand_for(&self, from: Id, tag: u32, answer: &Answer) -> Option<Errand> {
        let recursive = self.config().routing == super::Routing::Recursive;
        let waits = |lookup: &Lookup| {
            let tagged = lookup.tag == tag || self.is(Mutant::AnyAnswerWill);
            let fits = match (answer, lookup.stage) {
                (Answer::Owner { key, .. }, Seek::Owner) => {
                    *key == lookup.key && (recursive || lookup.path.last() == Some(&from))
                }
                (Answer::Closer { key, .. } | Answer::Lost { key }, Seek::Owner) => {
                    *key == lookup.key && !recursive && lookup.path.last() == Some(&from)
                }
                (
                    Answer::Stored { key } | Answer::NotMine { key } | Answer::Fetched { key, .. },
                    Seek::Asking(owner),
                ) => *key == lookup.key && owner == from,
                (Answer::Neighbours { .. }, Seek::Confirming(head)) => head == from,
                _ => false,
            };
            tagged && fits
        };
        let found = self.errands.iter().find(|(_, lookup)| waits(lookup));
        found.map(|(errand, _)| *errand)
    }

    pub(super) fn errand(&self, errand: Errand) -> Option<&Lookup> {
        self.errands.get(&errand)
    }

    pub(super) fn on_errand_answer(&mut self, from: Id, tag: u32, answer: &Answer, act: &mut Act) {
        let Some(errand) = self.errand_for(from, tag, answer) else {
            return;
        };
        match answer {
            Answer::Owner { successors, .. } => {
                self.on_owner_found(errand, from, successors.clone(), act);
            }
            Answer::Closer { next, .. } => self.on_closer(errand, *next, act),
            Answer::Lost { .. } => self.go_round(errand, act),
            Answer::NotMine { .. } => self.pause(errand, act),
            Answer::Stored { key } => {
                self.end(errand, act);
                act.tell(match errand {
                    Errand::Delete(_) => Event::Deleted(*key),
                    _ => Event::Stored(*key),
                });
            }
            Answer::Fetched { key, value } => {
                self.end(errand, act);
                act.tell(Event::Fetched(*key, value.clone()));
            }
            Answer::Neighbours { .. } | Answer::Alive | Answer::Held { .. } => {}
        }
    }

    /// `from` says that the first of `list` owns the key.
    pub(super) fn on_owner_found(
        &mut self,
        errand: Errand,
        from: Id,
        list: Vec<Id>,
        act: &mut Act,
    ) {
        let Some(owner) = list.first().copied() else {
            return self.give_up(errand, act);
        };
        match errand {
            Errand::Join => self.on_place_found(from, list, act),
            Errand::Finger(exponent) => {
                self.end(errand, act);
                if exponent > 0 {
                    self.fingers.insert(exponent, owner);
                }
                if let Phase::Joining(_) = self.phase {
                    self.on_first_finger(exponent, list, act);
                }
            }
            Errand::Update(exponent) => {
                self.end(errand, act);
                if from != self.id() {
                    let (node, finger) = (self.id(), exponent);
                    act.say(from, Message::UpdateFinger { node, finger });
                }
                self.update_others(exponent + 1, act);
            }
            Errand::Find(key) => {
                let path = self.end(errand, act).map(|lookup| lookup.path);
                act.tell(Event::Found {
                    key,
                    owner,
                    path: path.unwrap_or_default(),
                });
            }
            Errand::Put(_) | Errand::Get(_) | Errand::Delete(_) | Errand::Return(_) => {
                if owner == self.id() {
                    self.on_own_key(errand, act);
                    return;
                }
                let tag = self.fresh_tag();
                if let Some(lookup) = self.errands.get_mut(&errand) {
                    lookup.rest = list.into_iter().skip(1).collect();
                    lookup.tag = tag;
                    lookup.tries = 1;
                }
                self.ask_owner(errand, owner, act);
            }
        }
    }

    /// The node itself is the owner of what its errand is about.
    fn on_own_key(&mut self, errand: Errand, act: &mut Act) {
        match errand {
            Errand::Get(key) => {
                self.end(errand, act);
                let stored = self.store().get(&key);
                let value = stored.and_then(|stored| stored.value.clone());
                act.tell(Event::Fetched(key, value));
            }
            Errand::Put(key) | Errand::Delete(key) if self.has_room(key).is_err() => {
                self.give_up(errand, act);
            }
            Errand::Put(key) | Errand::Delete(key) if self.owns(key) => {
                let lookup = self.errand(errand);
                let value = lookup.and_then(|lookup| lookup.value.clone());
                if let Some(lookup) = self.errands.get_mut(&errand) {
                    // Until the replicas are kept; the timer begins the write again.
                    lookup.stage = Seek::Pausing;
                }
                act.set(Timer::Errand(errand), self.config().timing.answer);
                self.write(None, key, value, act);
            }
            Errand::Put(_) | Errand::Delete(_) => self.pause(errand, act),
            errand => {
                self.end(errand, act);
            }
        }
    }

    pub(super) fn ask_owner(&mut self, errand: Errand, owner: Id, act: &mut Act) {
        let Some(lookup) = self.errands.get_mut(&errand) else {
            return;
        };
        lookup.stage = Seek::Asking(owner);
        let (key, tag) = (lookup.key, lookup.tag);
        let query = match errand {
            Errand::Put(_) | Errand::Delete(_) => Query::Store {
                key,
                value: lookup.value.clone(),
            },
            Errand::Get(_) => Query::Fetch { key },
            _ => match self.store.get(&key) {
                Some(stored) => Query::Hold {
                    entries: vec![Entry {
                        key,
                        version: stored.version,
                        value: stored.value.clone(),
                    }],
                    as_owner: true,
                },
                None => {
                    self.end(errand, act);
                    return;
                }
            },
        };
        act.ask(owner, tag, query);
        act.set(Timer::Errand(errand), self.config().timing.answer);
    }

    /// The owner does not answer: a replica may know the value; else the lookup begins again without the owner.
    pub(super) fn on_owner_silent(&mut self, errand: Errand, act: &mut Act) {
        if let Errand::Return(_) = errand {
            return self.give_up(errand, act);
        }
        let tag = self.fresh_tag();
        if let Errand::Get(_) = errand
            && let Some(lookup) = self.errands.get_mut(&errand)
            && !lookup.rest.is_empty()
        {
            let next = lookup.rest.remove(0);
            lookup.tag = tag;
            lookup.tries = 1;
            if next == self.id() {
                return self.on_own_key(errand, act);
            }
            return self.ask_owner(errand, next, act);
        }
        self.go_round(errand, act);
    }

    /// Whoever was taken for the owner does not know that it is: stabilization is not there yet.
    pub(super) fn pause(&mut self, errand: Errand, act: &mut Act) {
        let most = self.config().most_failed;
        let Some(lookup) = self.errands.get_mut(&errand) else {
            return;
        };
        lookup.restarts = lookup.restarts.saturating_add(1);
        if usize::from(lookup.restarts) > most {
            return self.give_up(errand, act);
        }
        lookup.stage = Seek::Pausing;
        act.set(Timer::Errand(errand), self.config().timing.answer);
    }

    pub(super) fn on_fix_fingers(&mut self, act: &mut Act) {
        if let Some(after) = self.config().timing.fix_fingers {
            act.set(Timer::FixFingers, after);
        }
        let m = self.config().circle.bits();
        let exponent = if self.next_finger < m {
            self.next_finger
        } else {
            1
        };
        self.next_finger = exponent + 1;
        let errand = Errand::Finger(exponent);
        let room = self.errands.len() < self.config().most_errands;
        if exponent < m && room && !self.errands.contains_key(&errand) {
            self.begin(errand, None, act);
        }
    }
}

//! Find-successor: the origin asks one node after the other, or each passes the lookup on.
//!
//! Every node that is named must be a step towards the key, and none that failed to answer is named again, so a
//! lookup cannot loop; the number of nodes it passes is bounded all the same.

use super::{Act, ChordNode, Errand, Event, Phase, Rejected, Routing, Timer};
use crate::chord::message::{Answer, Message, Query};
use crate::chord::mutant::Mutant;
use crate::chord::rules::Hop;
use crate::space::circle::{Id, between, between_or_last};

/// A lookup under way, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lookup {
    pub(super) key: Id,
    pub(super) stage: Seek,
    /// The nodes that were asked, in order; the last one is asked now.
    pub(super) path: Vec<Id>,
    /// The nodes that did not answer.
    pub(super) failed: Vec<Id>,
    pub(super) tag: u32,
    pub(super) tries: u8,
    pub(super) restarts: u8,
    /// What is to be stored.
    pub(super) value: Option<Vec<u8>>,
    /// Who may know the value if the owner is silent.
    pub(super) rest: Vec<Id>,
}

/// How far a lookup is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Seek {
    /// The owner is looked for.
    Owner,
    /// The owner was found, and is asked what the lookup is for.
    Asking(Id),
    /// A joining node asks its successor whether it lives.
    Confirming(Id),
    /// The owner did not know that it is one; the lookup begins again after a while.
    Pausing,
}

impl Lookup {
    pub(super) fn new(key: Id, value: Option<Vec<u8>>) -> Self {
        Self {
            key,
            stage: Seek::Owner,
            path: Vec::new(),
            failed: Vec::new(),
            tag: 0,
            tries: 1,
            restarts: 0,
            value,
            rest: Vec::new(),
        }
    }

    /// Whom it waits for.
    pub fn waits_for(&self) -> Option<Id> {
        match self.stage {
            Seek::Owner => self.path.last().copied(),
            Seek::Asking(node) | Seek::Confirming(node) => Some(node),
            Seek::Pausing => None,
        }
    }
}

/// What one node knows about the owner of a key.
pub(super) enum Route {
    Owner(Vec<Id>),
    Closer(Id),
    Lost,
}

impl ChordNode {
    /// What this node knows about the owner of `key`, going round the nodes that failed.
    pub(super) fn route(&self, key: Id, failed: &[Id]) -> Route {
        let own = self.id();
        let lives = |node: &Id| !failed.contains(node);
        let successors = || self.successors.iter().copied().filter(lives);
        let fingers = self.fingers.values().copied().filter(lives);
        let mut list: Vec<Id> = successors().collect();
        if list.is_empty() && self.is(Mutant::FallsBackToFingers) {
            list.extend(fingers.clone().next());
        }
        let Some(head) = list.first().copied() else {
            return if key == own {
                Route::Owner(vec![own])
            } else {
                Route::Lost
            };
        };
        match self
            .config()
            .rules
            .hop(own, head, successors().chain(fingers), key)
        {
            Hop::Here => {
                list.insert(0, own);
                list.truncate(self.config().successors);
                Route::Owner(list)
            }
            Hop::Owner(_) => Route::Owner(list),
            Hop::Forward(next) => Route::Closer(next),
        }
    }

    pub(super) fn on_route(&mut self, from: Id, tag: u32, key: Id, failed: &[Id], act: &mut Act) {
        let failed = if self.is(Mutant::NamesFailedNodes) {
            &[]
        } else {
            failed
        };
        let answer = match self.route(key, failed) {
            Route::Owner(successors) => Answer::Owner {
                key,
                successors,
                hops: 0,
            },
            Route::Closer(next) => Answer::Closer { key, next },
            Route::Lost => Answer::Lost { key },
        };
        act.answer(from, tag, answer);
    }

    pub(super) fn on_relay(&mut self, tag: u32, key: Id, origin: Id, hops: u32, act: &mut Act) {
        match self.route(key, &[]) {
            Route::Owner(successors) => {
                let found = Answer::Owner {
                    key,
                    successors,
                    hops,
                };
                act.answer(origin, tag, found);
            }
            Route::Closer(next) if hops < self.config().most_hops => {
                let hops = hops + 1;
                let relay = Message::Relay {
                    tag,
                    key,
                    origin,
                    hops,
                };
                act.say(next, relay);
            }
            // The origin hears nothing, and tries again by another way.
            Route::Closer(_) | Route::Lost => {}
        }
    }

    pub(super) fn begin(&mut self, errand: Errand, value: Option<Vec<u8>>, act: &mut Act) {
        let key = self.key_of(errand);
        self.errands.insert(errand, Lookup::new(key, value));
        self.seek(errand, act);
    }

    /// Asks the next node about the owner; the node itself is the first to be asked.
    pub(super) fn seek(&mut self, errand: Errand, act: &mut Act) {
        let Some(lookup) = self.errands.get_mut(&errand) else {
            return;
        };
        lookup.stage = Seek::Owner;
        lookup.tries = 1;
        if lookup.path.is_empty() {
            let (key, failed) = (lookup.key, lookup.failed.clone());
            let first = match self.phase {
                Phase::Joining(via) if failed.contains(&via) => Route::Lost,
                Phase::Joining(via) => Route::Closer(via),
                _ => self.route(key, &failed),
            };
            match first {
                Route::Owner(list) => return self.on_owner_found(errand, self.id(), list, act),
                Route::Lost => return self.give_up(errand, act),
                Route::Closer(next) => {
                    if let Some(lookup) = self.errands.get_mut(&errand) {
                        lookup.path.push(next);
                    }
                }
            }
        }
        let tag = self.fresh_tag();
        if let Some(lookup) = self.errands.get_mut(&errand) {
            lookup.tag = tag;
        }
        self.ask_the_way(errand, act);
    }

    fn ask_the_way(&mut self, errand: Errand, act: &mut Act) {
        let Some(lookup) = self.errands.get(&errand) else {
            return;
        };
        let Some(to) = lookup.path.last().copied() else {
            return;
        };
        let (tag, key) = (lookup.tag, lookup.key);
        let timing = self.config().timing;
        match self.config().routing {
            Routing::Iterative => {
                let failed = lookup.failed.clone();
                act.ask(to, tag, Query::Route { key, failed });
                act.set(Timer::Errand(errand), timing.answer);
            }
            Routing::Recursive => {
                let relay = Message::Relay {
                    tag,
                    key,
                    origin: self.id(),
                    hops: 1,
                };
                act.say(to, relay);
                act.set(Timer::Errand(errand), timing.lookup);
            }
        }
    }

    /// Whether the answer is one that the lookup can go on with.
    pub(super) fn follows(
        &self,
        lookup: &Lookup,
        from: Id,
        answer: &Answer,
    ) -> Result<(), Rejected> {
        let key = lookup.key;
        match answer {
            Answer::Closer { next, .. } => {
                let nearer = *next != from && (*next == key || between(from, *next, key));
                if nearer && !lookup.failed.contains(next) && *next != self.id() {
                    Ok(())
                } else {
                    Err(Rejected::NoProgress { key, next: *next })
                }
            }
            Answer::Owner { successors, .. } => match successors.first().copied() {
                None => Err(Rejected::Nobody),
                Some(owner) if !between_or_last(from, key, owner) => {
                    Err(Rejected::NotTheOwner { key, owner })
                }
                Some(owner) if lookup.failed.contains(&owner) => {
                    Err(Rejected::NoProgress { key, next: owner })
                }
                Some(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    pub(super) fn on_closer(&mut self, errand: Errand, next: Id, act: &mut Act) {
        let most = self.config().most_hops as usize;
        let Some(lookup) = self.errands.get_mut(&errand) else {
            return;
        };
        if lookup.path.len() >= most {
            return self.give_up(errand, act);
        }
        lookup.path.push(next);
        self.seek(errand, act);
    }

    /// The node that is asked now is of no use: the one before it is asked for another.
    pub(super) fn go_round(&mut self, errand: Errand, act: &mut Act) {
        let most = self.config().most_failed;
        let Some(lookup) = self.errands.get_mut(&errand) else {
            return;
        };
        if let Some(silent) = lookup.waits_for()
            && !lookup.failed.contains(&silent)
        {
            lookup.failed.push(silent);
        }
        if lookup.stage == Seek::Owner {
            lookup.path.pop();
        } else {
            lookup.path.clear();
        }
        if lookup.failed.len() > most {
            return self.give_up(errand, act);
        }
        self.seek(errand, act);
    }

    pub(super) fn on_errand_overdue(&mut self, errand: Errand, act: &mut Act) {
        let tries = self.config().tries;
        let Some(lookup) = self.errands.get_mut(&errand) else {
            return;
        };
        let again = lookup.tries < tries;
        lookup.tries = lookup.tries.saturating_add(1);
        match (lookup.stage, again) {
            (Seek::Pausing, _) => {
                lookup.path.clear();
                self.seek(errand, act);
            }
            (Seek::Owner, true) => self.ask_the_way(errand, act),
            (Seek::Asking(owner), true) => self.ask_owner(errand, owner, act),
            (Seek::Confirming(head), true) => self.confirm(errand, head, act),
            (Seek::Owner | Seek::Confirming(_), false) => {
                if let Some(silent) = lookup.waits_for() {
                    self.suspect(silent, act);
                }
                self.go_round(errand, act);
            }
            (Seek::Asking(owner), false) => {
                self.suspect(owner, act);
                self.on_owner_silent(errand, act);
            }
        }
    }

    /// The lookup ends without success.
    pub(super) fn give_up(&mut self, errand: Errand, act: &mut Act) {
        self.errands.remove(&errand);
        act.cancel(Timer::Errand(errand));
        let joins = matches!(self.phase, Phase::Joining(_));
        match errand {
            Errand::Join => self.on_join_failed(act),
            Errand::Finger(_) if joins => self.on_join_failed(act),
            Errand::Finger(_) | Errand::Update(_) | Errand::Return(_) => {}
            errand => act.tell(Event::Failed(errand)),
        }
    }

    /// The lookup ends with success; returns what it was.
    pub(super) fn end(&mut self, errand: Errand, act: &mut Act) -> Option<Lookup> {
        act.cancel(Timer::Errand(errand));
        self.errands.remove(&errand)
    }
}

//! What is wrong with the process around a node that follows the rules. A sound node changes nothing here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use peerproof_model::chord::message::{Answer, Message, Query};
use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::node::{ChordNode, Config, Phase, Timer};
use peerproof_model::space::circle::Id;

use super::breaks::{Bug, Fault};
use super::desk::Asker;
use super::words::number;
use crate::control::ErrorCode;
use crate::control::ring::{Lookup, Reply, Request, State};

/// A tag that the model's node never uses.
const OWN_TAG: u32 = u32::MAX;

/// How many rounds a node stabilizes that then settles down.
const ROUNDS: u32 = 20;

/// The ring that assignments show.
const LECTURE: [u64; 6] = [16, 32, 45, 80, 96, 112];

/// The most that a broken node remembers of anything.
const MOST: usize = 4096;

/// A violation and what it needs to remember.
#[derive(Debug, Default)]
pub(super) struct Flaw {
    fault: Option<Fault>,
    mutant: Option<Mutant>,
    /// Every node that was ever named.
    heard_of: BTreeSet<Id>,
    /// Nodes that did not answer once.
    silent: BTreeSet<Id>,
    /// Every key that was ever kept.
    kept: BTreeSet<u64>,
    /// What was stored when the node left.
    old: BTreeMap<Id, Option<Vec<u8>>>,
    answers: BTreeSet<(Id, Message)>,
    asked: VecDeque<Asker>,
    rounds: u32,
    fell_silent: bool,
    introducer_silent: bool,
    introducer_heard: bool,
    introducer: Option<Id>,
}

impl Flaw {
    pub(super) fn new(bug: Option<Bug>) -> Self {
        let (fault, mutant) = match bug {
            None => (None, None),
            Some(Bug::Process(fault)) => (Some(fault), None),
            Some(Bug::Rule(mutant)) => (None, Some(mutant)),
        };
        Self {
            fault,
            mutant,
            ..Self::default()
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(super) fn figures(&self, mut config: Config) -> Config {
        config.rules.mutant = self.mutant;
        match self.fault {
            Some(Fault::FirstSuccessorOnly) => {
                config.successors = 1;
                config.replicas = config.replicas.min(2);
            }
            Some(Fault::NoReplicas) => config.replicas = 1,
            Some(Fault::WalksTheRing) => config.fingers = false,
            _ => {}
        }
        config
    }

    /// A question has come.
    pub(super) fn asked(&mut self, asker: &Asker) {
        if self.is(Fault::AnswersInOrder) {
            self.asked.push_back(asker.clone());
            self.asked.truncate(MOST);
        }
    }

    /// To whom an answer goes.
    pub(super) fn addressee(&mut self, asker: Asker) -> Asker {
        self.asked.pop_front().unwrap_or(asker)
    }

    /// What is answered without a look at the ring.
    pub(super) fn answers(
        &mut self,
        request: &Request,
        node: &ChordNode,
    ) -> Option<Result<Reply, (ErrorCode, String)>> {
        let fault = self.fault?;
        if !node.is_member() {
            return None;
        }
        let unavailable = || {
            Some(Err((
                ErrorCode::TEMPORARILY_UNAVAILABLE,
                "no owner".to_owned(),
            )))
        };
        match (fault, request) {
            (Fault::GuessesOwners, Request::Lookup { key }) => {
                let fingers = (0..node.config().circle.bits()).filter_map(|i| node.finger(i));
                let known = node.successors().iter().copied().chain(fingers);
                let known: BTreeSet<Id> = known.chain([node.id()]).collect();
                Some(Ok(Reply::LookupOk(straight(node.id(), &known, *key))))
            }
            (Fault::ComputesOffline, Request::Lookup { key }) => {
                let known = self.everybody(node);
                Some(Ok(Reply::LookupOk(straight(node.id(), &known, *key))))
            }
            (Fault::FindsNobodyAlone, Request::Lookup { .. }) if is_alone(node) => unavailable(),
            (
                Fault::NeedsItsIntroducer,
                Request::Lookup { .. }
                | Request::Put { .. }
                | Request::Get { .. }
                | Request::Delete { .. },
            ) if self.introducer_silent => unavailable(),
            (Fault::StoresNothing, Request::Put { .. }) => Some(Ok(Reply::PutOk)),
            (Fault::StoresNothing, Request::Delete { .. }) => Some(Ok(Reply::DeleteOk)),
            (Fault::KeepsTheFirstValue, Request::Put { key, .. })
                if has_value(node, Id::from(*key)) =>
            {
                Some(Ok(Reply::PutOk))
            }
            (Fault::KeepsOldState, Request::Get { key }) => {
                let value = self.old.get(&Id::from(*key))?.clone()?;
                let value = String::from_utf8_lossy(&value).into_owned();
                Some(Ok(Reply::GetOk { value }))
            }
            _ => None,
        }
    }

    /// What becomes of a message: it is heard, or answered otherwise, or lost.
    pub(super) fn hears(
        &mut self,
        from: Id,
        message: Message,
        node: &ChordNode,
    ) -> Result<Message, Option<Message>> {
        let Some(fault) = self.fault else {
            return Ok(message);
        };
        if self.introducer == Some(from) {
            self.introducer_heard = true;
            self.introducer_silent = false;
        }
        if fault == Fault::ListsMovedKeys {
            self.kept.extend(node.store().keys().copied().map(number));
        }
        if self.heard_of.len() < MOST {
            self.heard_of.insert(from);
            self.heard_of.extend(named(&message));
        }
        match (fault, &message) {
            (Fault::NeverForgives, _) if self.silent.contains(&from) => Err(None),
            (Fault::DiesOfDuplicates, _) if self.fell_silent => Err(None),
            (Fault::DiesOfDuplicates, Message::Answer { .. }) => {
                if !self.answers.insert((from, message.clone())) {
                    self.fell_silent = true;
                    return Err(None);
                }
                if self.answers.len() > MOST {
                    self.answers.clear();
                }
                Ok(message)
            }
            (
                Fault::KeepsTheFirstValue,
                Message::Query {
                    tag,
                    query:
                        Query::Store {
                            key,
                            value: Some(_),
                        },
                },
            ) if has_value(node, *key) => Err(Some(Message::Answer {
                tag: *tag,
                answer: Answer::Stored { key: *key },
            })),
            (
                Fault::KeepsOldState,
                Message::Query {
                    tag,
                    query: Query::Fetch { key },
                },
            ) if node.is_member() && self.old.contains_key(key) => Err(Some(Message::Answer {
                tag: *tag,
                answer: Answer::Fetched {
                    key: *key,
                    value: self.old.get(key).cloned().flatten(),
                },
            })),
            _ => Ok(message),
        }
    }

    pub(super) fn is_silent(&self) -> bool {
        self.fell_silent
    }

    /// What becomes of a message that the node wants to send.
    pub(super) fn says(&mut self, mut message: Message, node: &ChordNode) -> Option<Message> {
        let lost = match (self.fault, &mut message) {
            (Some(Fault::LeavesUnannounced), Message::Goodbye { .. }) => true,
            (
                Some(Fault::LosesKeysOnLeave),
                Message::Query {
                    query: Query::Hold { .. },
                    ..
                },
            ) => node.phase() == Phase::Leaving,
            (
                Some(Fault::WalksTheRing),
                Message::Answer {
                    answer: Answer::Closer { next, .. },
                    ..
                },
            ) => {
                *next = node.successors().first().copied().unwrap_or(*next);
                false
            }
            _ => false,
        };
        (!lost).then_some(message)
    }

    /// Whether a timer that has run out is not heeded.
    pub(super) fn ignores(&mut self, timer: Timer) -> bool {
        match self.fault {
            Some(Fault::LiesInState) => timer == Timer::Stabilize,
            Some(Fault::SettlesDown) if timer == Timer::Stabilize => {
                self.rounds += 1;
                self.rounds > ROUNDS
            }
            Some(Fault::NeverAsksAgain) => matches!(
                timer,
                Timer::Round | Timer::Check | Timer::Errand(_) | Timer::Handover(_)
            ),
            _ => false,
        }
    }

    pub(super) fn suspects(&mut self, node: Id) {
        if self.is(Fault::NeverForgives) && self.silent.len() < MOST {
            self.silent.insert(node);
        }
    }

    pub(super) fn leaves(&mut self, node: &ChordNode) {
        if self.is(Fault::KeepsOldState) {
            let kept = node.store().iter();
            self.old = kept
                .map(|(key, stored)| (*key, stored.value.clone()))
                .collect();
        }
    }

    pub(super) fn state(&mut self, mut state: State, node: &ChordNode) -> State {
        match self.fault {
            Some(Fault::ComputesOffline | Fault::LiesInState) if state.member => {
                among(&self.everybody(node), node, &mut state);
            }
            Some(Fault::KnowsTheAssignment) => {
                let mut all = BTreeSet::from(LECTURE.map(Id::from));
                all.insert(node.id());
                among(&all, node, &mut state);
            }
            Some(Fault::HidesWhenAlone) if is_alone(node) => {
                state.member = false;
                state.successors.clear();
            }
            Some(Fault::ListsMovedKeys) => {
                self.kept.extend(state.keys.iter().flatten().copied());
                state.keys = Some(self.kept.iter().copied().collect());
            }
            _ => {}
        }
        state
    }

    pub(super) fn lookup(&self, mut lookup: Lookup, request: &Request) -> Lookup {
        let Request::Lookup { key } = request else {
            return lookup;
        };
        match self.fault {
            Some(Fault::CountsOneHopMore) => {
                lookup.hops = lookup.hops.map(|hops| hops.saturating_add(1));
            }
            Some(Fault::ForgetsTheWrap) if lookup.owner < *key => {
                let path = lookup.path.iter().flatten().copied();
                lookup.owner = path.max().unwrap_or(lookup.owner);
                lookup.path = None;
                lookup.hops = None;
            }
            _ => {}
        }
        lookup
    }

    /// How the introducer is asked for a sign of life.
    pub(super) fn asks_introducer(&mut self, introducer: Id) -> Option<Message> {
        self.introducer = Some(introducer);
        self.is(Fault::NeedsItsIntroducer)
            .then_some(Message::Query {
                tag: OWN_TAG,
                query: Query::Ping,
            })
    }

    pub(super) fn on_introducer_due(&mut self) {
        self.introducer_silent = !self.introducer_heard;
        self.introducer_heard = false;
    }

    fn everybody(&self, node: &ChordNode) -> BTreeSet<Id> {
        let mut all = self.heard_of.clone();
        all.insert(node.id());
        all
    }
}

/// Puts a node between its neighbours in the ring of `all`, itself among them.
fn among(all: &BTreeSet<Id>, node: &ChordNode, state: &mut State) {
    let ring: Vec<Id> = all.iter().copied().collect();
    let at = ring.iter().position(|id| *id == node.id()).unwrap_or(0);
    let after = |step: usize| number(ring[(at + step) % ring.len()]);
    let length = node.config().successors.min(ring.len() - 1);
    state.predecessor = Some(Some(after(ring.len() - 1)));
    state.successors = (1..=length.max(1)).map(after).collect();
    for finger in state.fingers.iter_mut().flatten() {
        finger.node = owner(all, finger.start);
    }
}

/// Whether it is a ring by itself: it has no successor but itself.
fn is_alone(node: &ChordNode) -> bool {
    let mut successors = node.successors().iter();
    node.is_member() && successors.all(|successor| *successor == node.id())
}

fn has_value(node: &ChordNode, key: Id) -> bool {
    let stored = node.store().get(&key);
    stored.is_some_and(|stored| stored.value.is_some())
}

/// The first of `nodes` at or after the key.
fn owner(nodes: &BTreeSet<Id>, key: u64) -> Option<u64> {
    let onward = nodes.range(Id::from(key)..).next();
    onward.or(nodes.first()).copied().map(number)
}

/// A lookup that asked nobody.
fn straight(own: Id, nodes: &BTreeSet<Id>, key: u64) -> Lookup {
    let own = number(own);
    let owner = owner(nodes, key).unwrap_or(own);
    let path = if owner == own {
        vec![own]
    } else {
        vec![own, owner]
    };
    Lookup {
        owner,
        hops: u32::try_from(path.len() - 1).ok(),
        path: Some(path),
    }
}

/// The nodes that a message names.
fn named(message: &Message) -> Vec<Id> {
    match message {
        Message::Query {
            query: Query::Route { failed, .. },
            ..
        } => failed.clone(),
        Message::Query { .. } | Message::Notify => Vec::new(),
        Message::Answer { answer, .. } => match answer {
            Answer::Owner { successors, .. } => successors.clone(),
            Answer::Closer { next, .. } => vec![*next],
            Answer::Neighbours {
                predecessor,
                successors,
            } => predecessor.iter().chain(successors).copied().collect(),
            _ => Vec::new(),
        },
        Message::Relay { origin, .. } => vec![*origin],
        Message::UpdateFinger { node, .. } => vec![*node],
        Message::Goodbye {
            predecessor,
            successors,
        } => predecessor.iter().chain(successors).copied().collect(),
    }
}

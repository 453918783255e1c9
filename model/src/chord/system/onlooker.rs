//! Whoever looks on at a ring with messages: what nodes tell of themselves makes a [`RingView`], which is held to
//! the same facts as the atomic models; what they say to each other is held to facts of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::chord::message::{Answer, Message, Query};
use crate::chord::node::{ChordNode, Event, Request};
use crate::chord::properties::{is_ideal, shape};
use crate::chord::view::{MemberView, Ring, RingView};
use crate::node::{Input, Output};
use crate::property::{Judgement, Property};
use crate::space::circle::{Id, between_or_first};
use crate::system::{Findings, Observe, Place, Seen};

/// The facts about what is said, by name.
pub const SAID: [&str; 5] = [LATE, JOINER, NAMED, OWNER, DELETED];
const LATE: &str = "late_answers_change_nothing";
const JOINER: &str = "a_joiner_knows_no_predecessor";
const NAMED: &str = "failed_nodes_are_not_named_again";
const OWNER: &str = "a_lookup_names_the_owner";
const DELETED: &str = "deleted_values_stay_deleted";

/// Looks on at a ring.
pub struct Onlooker {
    /// The points of all, by place.
    pub(super) ids: Vec<Id>,
    /// The ring at the beginning.
    pub(super) begin: RingView<Id>,
    /// The length of successor lists.
    pub(super) successors: usize,
    /// Whether a node joins without a predecessor.
    pub(super) joins_without: bool,
    /// Whether several tags tell questions apart.
    pub(super) tagged: bool,
    pub(super) shape: Vec<Property<RingView<Id>>>,
}

/// What the onlooker remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// What the nodes told of themselves.
    pub ring: RingView<Id>,
    /// The values whose storing or deletion was acknowledged.
    pub acknowledged: BTreeMap<Id, Option<Vec<u8>>>,
    /// Somebody has joined since the ring was ideal.
    unsettled: bool,
    /// The last tag of a question for neighbours, by who asked whom.
    tags: BTreeMap<(Id, Id), u32>,
    /// What the node that takes a step now was given: an answer to a question before the last.
    late: bool,
    /// The nodes that the node that takes a step now must not name.
    failed: BTreeSet<Id>,
}

impl Onlooker {
    pub(super) fn new(ids: Vec<Id>, begin: RingView<Id>, successors: usize) -> Self {
        Self {
            ids,
            begin,
            successors,
            joins_without: false,
            tagged: false,
            shape: shape(),
        }
    }

    fn id(&self, place: Place) -> Id {
        self.ids[usize::from(place)]
    }

    /// Asks every fact about the shape of the ring.
    fn ask_shape(&self, memory: &mut Memory, findings: &mut Findings) {
        for property in &self.shape {
            judge(property.name, (property.judge)(&memory.ring), findings);
        }
        if is_ideal(&memory.ring, self.successors) {
            memory.unsettled = false;
        }
    }

    fn hear(&self, memory: &mut Memory, own: Id, event: &Event, findings: &mut Findings) {
        match event {
            Event::Joined => memory.unsettled = true,
            Event::Neighbours {
                member: true,
                predecessor,
                successors,
            } => {
                let joins = !memory.ring.members.contains_key(&own);
                if joins && self.joins_without {
                    let told = || format!("{own} joins with the predecessor {predecessor:?}");
                    judge(
                        JOINER,
                        Judgement::check(predecessor.is_none(), told),
                        findings,
                    );
                }
                let view = MemberView {
                    successors: successors.clone(),
                    predecessor: *predecessor,
                    fingers: Vec::new(),
                    keys: BTreeSet::new(),
                };
                memory.ring.members.insert(own, view);
                self.ask_shape(memory, findings);
            }
            Event::Neighbours { member: false, .. } => {
                memory.ring.members.remove(&own);
                self.ask_shape(memory, findings);
            }
            Event::Found { key, owner, .. } if !memory.unsettled => {
                let mut members = memory.ring.members();
                let skipped = members.find(|member| {
                    key != owner && member != owner && between_or_first(*key, *member, *owner)
                });
                let told =
                    || format!("{own} is told that {owner} owns {key}, and {skipped:?} lives");
                judge(OWNER, Judgement::check(skipped.is_none(), told), findings);
            }
            Event::Stored(key) => {
                memory.acknowledged.insert(*key, Some(Vec::new()));
            }
            Event::Deleted(key) => {
                memory.acknowledged.insert(*key, None);
            }
            Event::Fetched(key, value) if memory.acknowledged.get(key) == Some(&None) => {
                let told = || format!("{own} finds {key} again, which was deleted");
                judge(DELETED, Judgement::check(value.is_none(), told), findings);
            }
            _ => {}
        }
    }

    fn taken(&self, memory: &mut Memory, own: Id, input: &Input<ChordNode>) {
        memory.late = false;
        memory.failed.clear();
        if let Input::Ask(Request::Delete(key) | Request::Put(key, _)) = input {
            // Until it is acknowledged, nobody is promised anything.
            memory.acknowledged.remove(key);
        }
        let Input::Receive { from, message } = input else {
            return;
        };
        match message {
            Message::Query {
                query: Query::Route { failed, .. },
                ..
            } => memory.failed = failed.iter().copied().collect(),
            Message::Answer {
                tag,
                answer: Answer::Neighbours { .. },
            } if self.tagged => memory.late = memory.tags.get(&(own, *from)) != Some(tag),
            _ => {}
        }
    }

    fn said(
        &self,
        memory: &mut Memory,
        own: Id,
        to: Id,
        message: &Message,
        findings: &mut Findings,
    ) {
        match message {
            Message::Query {
                tag,
                query: Query::Neighbours,
            } if self.tagged => {
                memory.tags.insert((own, to), *tag);
            }
            Message::Answer { answer, .. } if !memory.failed.is_empty() => {
                let named = match answer {
                    Answer::Owner { successors, .. } => successors.clone(),
                    Answer::Closer { next, .. } => vec![*next],
                    _ => return,
                };
                let again = named.iter().find(|node| memory.failed.contains(node));
                let told = || format!("{own} names {again:?}, which {to} has found dead");
                judge(NAMED, Judgement::check(again.is_none(), told), findings);
            }
            _ => {}
        }
    }

    /// The node has taken its step, or refused to.
    fn done(&self, memory: &mut Memory, own: Id, refused: bool, findings: &mut Findings) {
        if memory.late {
            let told = || format!("{own} accepts an answer to an earlier question");
            judge(LATE, Judgement::check(refused, told), findings);
        }
        memory.late = false;
        memory.failed.clear();
    }
}

fn judge(name: &'static str, judgement: Judgement, findings: &mut Findings) {
    match judgement {
        Judgement::Holds => findings.tested.push(name),
        Judgement::Broken(observed) => {
            findings.tested.push(name);
            findings.broken.push((name, observed));
        }
        Judgement::Unknown => {}
    }
}

impl Observe<ChordNode> for Onlooker {
    type Memory = Memory;

    fn properties(&self) -> Vec<&'static str> {
        let shape = self.shape.iter().map(|property| property.name);
        shape.chain(SAID).collect()
    }

    fn begin(&self) -> Memory {
        Memory {
            ring: self.begin.clone(),
            ..Memory::default()
        }
    }

    fn see(&self, memory: &mut Memory, seen: &Seen<'_, ChordNode>, findings: &mut Findings) {
        match seen {
            Seen::Took { node, input, .. } => self.taken(memory, self.id(*node), input),
            Seen::Did { node, output } => match output {
                Output::Tell(event) => self.hear(memory, self.id(*node), event, findings),
                Output::Send { to, message } => {
                    self.said(memory, self.id(*node), *to, message, findings);
                }
                _ => {}
            },
            Seen::Stepped { node, .. } => self.done(memory, self.id(*node), false, findings),
            Seen::Refused { node, .. } => self.done(memory, self.id(*node), true, findings),
            Seen::Departed { node, .. } => {
                memory.ring.members.remove(&self.id(*node));
                self.ask_shape(memory, findings);
            }
            Seen::Joined(_) | Seen::Quiet => {}
        }
    }
}

//! What an observer sees of a host: its messages and its answers, so that the judge can explain them.

use std::mem::discriminant;

use super::host::{Host, Refusal, Reply, Ticket, Told};
use super::message::Message;
use super::view::{Finger, MemberView};
use crate::judge::Witnessed;
use crate::node::{Input, Output};
use crate::space::circle::Id;

/// How many of a node's last questions are remembered by their tags.
const REMEMBERED: usize = 16;

/// What was seen of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It sent a message.
    Sent {
        /// To whom.
        to: Id,
        /// What.
        message: Message,
    },
    /// It answered.
    Answered(Ticket, Answered),
}

/// An answer as it was seen: it may leave out what a node need not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is a member.
    Joined,
    /// It takes no part any more.
    Left,
    /// What it knows.
    State(State),
    /// The owner of a key.
    Found {
        /// The owner.
        owner: Id,
        /// How often the lookup was passed on.
        hops: Option<u32>,
        /// Every node that it visited.
        path: Option<Vec<Id>>,
    },
    /// The value is stored.
    Stored,
    /// Nothing is under the key any more.
    Deleted,
    /// What is under the key.
    Got(Vec<u8>),
    /// It is not done.
    Refused(Refusal),
}

/// What a node said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Whether it is a member.
    pub member: bool,
    /// Its predecessor: not said, none, or that one.
    pub predecessor: Option<Option<Id>>,
    /// Its successors.
    pub successors: Vec<Id>,
    /// Its fingers.
    pub fingers: Option<Vec<Finger<Id>>>,
    /// Its keys, in any order.
    pub keys: Option<Vec<Id>>,
}

/// The tags of the last questions: the model's and the one that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tags(Vec<(u32, u32)>);

impl Tags {
    /// A question has one tag, also when it is asked again.
    fn learn(&mut self, did: u32, seen: u32) -> bool {
        if let Some((_, known)) = self.0.iter().rev().find(|(tag, _)| *tag == did) {
            return *known == seen;
        }
        if self.0.len() == REMEMBERED {
            self.0.remove(0);
        }
        self.0.push((did, seen));
        true
    }

    fn of(&self, seen: u32) -> u32 {
        let known = self.0.iter().rev().find(|(_, tag)| *tag == seen);
        known.map_or(seen, |(did, _)| *did)
    }
}

impl Witnessed for Host {
    type Seen = Seen;
    type Names = Tags;

    fn is_seen(output: &Output<Self>) -> bool {
        matches!(output, Output::Send { .. } | Output::Tell(Told::Answer(..)))
    }

    fn fits(tags: &mut Tags, did: &Output<Self>, seen: &Seen) -> bool {
        match (did, seen) {
            (
                Output::Send { to, message },
                Seen::Sent {
                    to: seen_to,
                    message: seen,
                },
            ) => to == seen_to && message_fits(tags, message, seen),
            (Output::Tell(Told::Answer(ticket, reply)), Seen::Answered(seen, answered)) => {
                ticket == seen && answer_fits(reply, answered)
            }
            _ => false,
        }
    }

    fn translated(tags: &Tags, heard: &Input<Self>) -> Input<Self> {
        match heard {
            Input::Receive {
                from,
                message: Message::Answer { tag, answer },
            } => Input::Receive {
                from: *from,
                message: Message::Answer {
                    tag: tags.of(*tag),
                    answer: answer.clone(),
                },
            },
            heard => heard.clone(),
        }
    }

    fn likeness(did: &Output<Self>, seen: &Seen) -> u32 {
        match (did, seen) {
            (
                Output::Send { to, message },
                Seen::Sent {
                    to: seen_to,
                    message: seen,
                },
            ) => {
                let likeness = 1 + u32::from(to == seen_to) + message_likeness(message, seen);
                likeness * 2
            }
            (Output::Tell(Told::Answer(ticket, _)), Seen::Answered(seen, _)) => {
                1 + 8 * u32::from(ticket == seen)
            }
            _ => 0,
        }
    }
}

fn message_fits(tags: &mut Tags, did: &Message, seen: &Message) -> bool {
    match (did, seen) {
        (
            Message::Query { tag, query },
            Message::Query {
                tag: seen_tag,
                query: seen,
            },
        ) => query == seen && tags.learn(*tag, *seen_tag),
        (did, seen) => did == seen,
    }
}

/// Of one kind, and if so, of one kind within.
fn message_likeness(did: &Message, seen: &Message) -> u32 {
    let same = |did: bool| 1 + 2 * u32::from(did);
    match (did, seen) {
        (Message::Query { query: did, .. }, Message::Query { query: seen, .. }) => {
            same(discriminant(did) == discriminant(seen))
        }
        (Message::Answer { answer: did, .. }, Message::Answer { answer: seen, .. }) => {
            same(discriminant(did) == discriminant(seen))
        }
        (did, seen) => 3 * u32::from(discriminant(did) == discriminant(seen)),
    }
}

fn answer_fits(did: &Reply, seen: &Answered) -> bool {
    match (did, seen) {
        (Reply::Joined, Answered::Joined)
        | (Reply::Left, Answered::Left)
        | (Reply::Stored, Answered::Stored)
        | (Reply::Deleted, Answered::Deleted) => true,
        (Reply::State(member, view), Answered::State(state)) => {
            *member == state.member && state_fits(view, state)
        }
        (
            Reply::Found { owner, path },
            Answered::Found {
                owner: seen,
                hops,
                path: way,
            },
        ) => {
            let passed = path.len().saturating_sub(1);
            owner == seen
                && hops.is_none_or(|hops| hops as usize == passed)
                && way.as_ref().is_none_or(|way| way == path)
        }
        (Reply::Got(value), Answered::Got(seen)) => value == seen,
        // How a node says that it could not is its own choice, unless nothing is there.
        (Reply::Refused(did), Answered::Refused(seen)) => {
            (*did == Refusal::NoSuchKey) == (*seen == Refusal::NoSuchKey)
        }
        _ => false,
    }
}

fn state_fits(view: &MemberView<Id>, state: &State) -> bool {
    let fingers = |seen: &Vec<Finger<Id>>| *seen == view.fingers;
    let keys = |seen: &Vec<Id>| {
        seen.len() == view.keys.len() && view.keys.iter().all(|key| seen.contains(key))
    };
    state.successors == view.successors
        && state
            .predecessor
            .is_none_or(|seen| seen == view.predecessor)
        && state.fingers.as_ref().is_none_or(fingers)
        && state.keys.as_ref().is_none_or(keys)
}

//! A node and those who ask it: which question waits for which, and what each is answered in the end.
//!
//! The control plane's process and the judge of traces run the same host, so that one is what the other explains.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::message::Message;
use super::node::{ChordNode, Config, Errand, Event, Rejected, Request, Timer};
use super::view::MemberView;
use crate::choose::Choose;
use crate::node::{Input, Node, Output};
use crate::space::circle::Id;

/// The most questions that may wait at a time.
pub const MOST_WAITING: usize = 1024;

/// How often a node tries to join while its introducer answers.
const MOST_ATTEMPTS: u32 = 20;

/// How a question is told from the others that wait.
pub type Ticket = u64;

/// What may be asked of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Become a member, by way of this one, or else of the introducer.
    Join(Option<Id>),
    /// Hand everything over and go.
    Leave,
    /// What do you know?
    State,
    /// Who owns the key?
    Lookup(Id),
    /// Store a value under the key.
    Put(Id, Vec<u8>),
    /// What is under the key?
    Get(Id),
    /// Take away what is under the key.
    Delete(Id),
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reply {
    /// It is a member.
    Joined,
    /// It takes no part any more.
    Left,
    /// Whether it is a member, and what it knows.
    State(bool, Box<MemberView<Id>>),
    /// The owner of the key.
    Found {
        /// The owner.
        owner: Id,
        /// Every node that the lookup visited, the asked one first and the owner last.
        path: Vec<Id>,
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

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The question makes no sense.
    Malformed,
    /// Not now: the node is no member, or nobody who could help answers.
    Unavailable,
    /// It may or may not have happened.
    InDoubt,
    /// Nothing is stored under the key.
    NoSuchKey,
}

/// What a host tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// The answer to a question.
    Answer(Ticket, Reply),
    /// It took this node for dead.
    Suspected(Id),
}

/// What a host waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// A timer of its node.
    Node(Timer),
    /// The next attempt to join.
    JoinAgain,
}

/// What a question is about: the node does one thing of each kind at a time, the others wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Topic {
    Find(Id),
    Get(Id),
    Write(Id),
}

/// A node and those who ask it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host {
    node: ChordNode,
    introducer: Option<Id>,
    waiting: BTreeMap<Topic, VecDeque<(Ticket, Request)>>,
    joining: Joining,
    leaving: Vec<Ticket>,
}

/// What a node remembers of its attempts to join.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Joining {
    asked: Vec<Ticket>,
    /// By way of whom.
    via: Option<Id>,
    attempts: u32,
    /// Whether that one has said anything in this attempt.
    heard: bool,
    /// Whom it knew when it was a member: it falls back on them when it has fallen out of its ring.
    known: Vec<Id>,
}

/// What the handlers of one step share.
struct Act<'a> {
    choose: &'a mut dyn Choose,
    out: &'a mut Vec<Output<Host>>,
}

impl Act<'_> {
    fn answer(&mut self, ticket: Ticket, reply: Reply) {
        self.out.push(Output::Tell(Told::Answer(ticket, reply)));
    }

    fn refuse(&mut self, ticket: Ticket, why: Refusal) {
        self.answer(ticket, Reply::Refused(why));
    }
}

impl Node for Host {
    type Id = Id;
    type Message = Message;
    type Timer = Alarm;
    type Request = (Ticket, Question);
    type Event = Told;
    type Rejected = Rejected;

    fn step(
        &mut self,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), Rejected> {
        let mut act = Act { choose, out };
        match input {
            Input::Receive { from, message } => self.on_message(from, message, &mut act),
            Input::Expire(Alarm::Node(timer)) => self.run(Input::Expire(timer), &mut act),
            Input::Expire(Alarm::JoinAgain) => {
                self.join_again(&mut act);
                Ok(())
            }
            Input::Ask((ticket, question)) => {
                self.on_question(ticket, question, &mut act);
                Ok(())
            }
            Input::Opened(_) | Input::Closed(_) => Err(Rejected::NoConnections),
        }
    }
}

impl Host {
    /// A node that takes no part yet; without an introducer, and told of nobody else, it makes a ring of its own.
    pub fn new(config: Arc<Config>, introducer: Option<Id>) -> Self {
        Self {
            node: ChordNode::new(config),
            introducer,
            waiting: BTreeMap::new(),
            joining: Joining::default(),
            leaving: Vec::new(),
        }
    }

    /// The node.
    pub fn node(&self) -> &ChordNode {
        &self.node
    }

    /// Its introducer.
    pub fn introducer(&self) -> Option<Id> {
        self.introducer
    }

    fn on_message(&mut self, from: Id, message: Message, act: &mut Act) -> Result<(), Rejected> {
        // Also an answer that is of no use shows that somebody is there.
        let news = self.joining.via == Some(from) && !self.joining.heard;
        self.joining.heard |= news;
        match self.run(Input::Receive { from, message }, act) {
            Err(_) if news => Ok(()),
            done => done,
        }
    }

    fn on_question(&mut self, ticket: Ticket, question: Question, act: &mut Act) {
        match question {
            Question::Join(other) => self.join(ticket, other, act),
            Question::Leave => self.leave(ticket, act),
            Question::State => {
                let view = Box::new(self.node.view());
                act.answer(ticket, Reply::State(self.node.is_member(), view));
            }
            Question::Lookup(key) => self.wish(Topic::Find(key), ticket, Request::Find(key), act),
            Question::Get(key) => self.wish(Topic::Get(key), ticket, Request::Get(key), act),
            Question::Put(key, value) => {
                self.wish(Topic::Write(key), ticket, Request::Put(key, value), act);
            }
            Question::Delete(key) => {
                self.wish(Topic::Write(key), ticket, Request::Delete(key), act);
            }
        }
    }

    fn join(&mut self, ticket: Ticket, other: Option<Id>, act: &mut Act) {
        let via = other.or(self.introducer);
        if via == Some(self.node.id()) {
            return act.refuse(ticket, Refusal::Malformed);
        }
        if self.node.is_member() {
            return act.answer(ticket, Reply::Joined);
        }
        if self.joining.asked.len() >= MOST_WAITING {
            return act.refuse(ticket, Refusal::Unavailable);
        }
        let first = self.joining.asked.is_empty();
        self.joining.asked.push(ticket);
        if first {
            self.joining.via = via;
            self.joining.attempts = 0;
            self.try_to_join(act);
        }
    }

    fn try_to_join(&mut self, act: &mut Act) {
        self.joining.heard = false;
        let request = match self.joining.via {
            Some(via) => Request::Join(via),
            None => Request::Create,
        };
        match self.run(Input::Ask(request), act) {
            // It is joining by itself, or just leaving: that ends, and is heard of.
            Ok(()) | Err(Rejected::TakesPart) => {}
            Err(_) => self.cannot_join(Refusal::Malformed, act),
        }
    }

    /// Whoever has fallen out of its ring tries somebody whom it knew.
    fn join_again(&mut self, act: &mut Act) {
        if self.joining.asked.is_empty() {
            let known = self.joining.known.iter().chain(&self.introducer);
            let known: Vec<Id> = known.copied().collect();
            if known.is_empty() {
                return;
            }
            let via = known[act.choose.choose(known.len())];
            self.joining.via = Some(via);
        }
        self.try_to_join(act);
    }

    fn on_join_failed(&mut self, act: &mut Act) {
        self.give_everything_up(act);
        let falls_back = self.joining.asked.is_empty();
        self.joining.attempts = if falls_back {
            0
        } else {
            self.joining.attempts + 1
        };
        // The ring is not yet so that there is a place: perhaps it still believes in an earlier life.
        if falls_back || (self.joining.heard && self.joining.attempts < MOST_ATTEMPTS) {
            let after = self.node.config().timing.stabilize;
            let timer = Alarm::JoinAgain;
            act.out.push(Output::SetTimer { timer, after });
        } else {
            self.cannot_join(Refusal::Unavailable, act);
        }
    }

    fn cannot_join(&mut self, why: Refusal, act: &mut Act) {
        for ticket in std::mem::take(&mut self.joining.asked) {
            act.refuse(ticket, why);
        }
    }

    fn leave(&mut self, ticket: Ticket, act: &mut Act) {
        if self.leaving.len() >= MOST_WAITING {
            return act.refuse(ticket, Refusal::Unavailable);
        }
        act.out.push(Output::CancelTimer(Alarm::JoinAgain));
        self.cannot_join(Refusal::Unavailable, act);
        self.leaving.push(ticket);
        match self.run(Input::Ask(Request::Leave), act) {
            Ok(()) => {}
            Err(_) if self.leaving.len() > 1 => {}
            // Whoever takes no part has left.
            Err(_) => self.on_left(act),
        }
    }

    fn on_left(&mut self, act: &mut Act) {
        self.give_everything_up(act);
        self.joining = Joining::default();
        for ticket in std::mem::take(&mut self.leaving) {
            act.answer(ticket, Reply::Left);
        }
    }

    /// Asks the node, now or when it has done the same kind of thing for others.
    fn wish(&mut self, topic: Topic, ticket: Ticket, request: Request, act: &mut Act) {
        let count: usize = self.waiting.values().map(VecDeque::len).sum();
        if count >= MOST_WAITING {
            return act.refuse(ticket, Refusal::Unavailable);
        }
        let line = self.waiting.entry(topic).or_default();
        line.push_back((ticket, request));
        if line.len() == 1 {
            self.begin(topic, act);
        }
    }

    fn begin(&mut self, topic: Topic, act: &mut Act) {
        while let Some(line) = self.waiting.get_mut(&topic) {
            let Some((ticket, request)) = line.front().cloned() else {
                self.waiting.remove(&topic);
                return;
            };
            match self.run(Input::Ask(request), act) {
                Ok(()) => return,
                Err(why) => {
                    if let Some(line) = self.waiting.get_mut(&topic) {
                        line.pop_front();
                    }
                    act.refuse(ticket, refusal(&why));
                }
            }
        }
    }

    /// What was asked first about the topic is answered; the next has its turn.
    fn settle(&mut self, topic: Topic, reply: Reply, act: &mut Act) {
        let line = self.waiting.get_mut(&topic);
        if let Some((ticket, _)) = line.and_then(VecDeque::pop_front) {
            act.answer(ticket, reply);
        }
        self.begin(topic, act);
    }

    /// It takes no part any more: whatever was asked is not done, as far as it can tell.
    fn give_everything_up(&mut self, act: &mut Act) {
        for (topic, line) in std::mem::take(&mut self.waiting) {
            for (ticket, _) in line {
                act.refuse(ticket, failure(topic));
            }
        }
    }

    /// Steps the node, and does what follows from what it tells.
    fn run(&mut self, input: Input<ChordNode>, act: &mut Act) -> Result<(), Rejected> {
        let mut outputs = Vec::new();
        self.node.step(input, act.choose, &mut outputs)?;
        let mut events = Vec::new();
        for output in outputs {
            act.out.push(match output {
                Output::Send { to, message } => Output::Send { to, message },
                Output::SetTimer { timer, after } => Output::SetTimer {
                    timer: Alarm::Node(timer),
                    after,
                },
                Output::CancelTimer(timer) => Output::CancelTimer(Alarm::Node(timer)),
                Output::Open(to) => Output::Open(to),
                Output::Close(to) => Output::Close(to),
                Output::Tell(event) => {
                    events.push(event);
                    continue;
                }
            });
        }
        // What follows from an event comes after everything that the node did before it told.
        for event in events {
            self.on_event(event, act);
        }
        Ok(())
    }

    fn on_event(&mut self, event: Event, act: &mut Act) {
        match event {
            Event::Joined => {
                self.joining.attempts = 0;
                for ticket in std::mem::take(&mut self.joining.asked) {
                    act.answer(ticket, Reply::Joined);
                }
            }
            Event::JoinFailed => self.on_join_failed(act),
            Event::Left => self.on_left(act),
            Event::Neighbours {
                predecessor,
                successors,
                member: true,
            } => {
                let own = self.node.id();
                let known = successors.into_iter().chain(predecessor);
                let known: Vec<Id> = known.filter(|other| *other != own).collect();
                if !known.is_empty() {
                    self.joining.known = known;
                }
            }
            Event::Neighbours { .. } | Event::Isolated => {}
            Event::Suspected(node) => act.out.push(Output::Tell(Told::Suspected(node))),
            Event::Found { key, owner, path } => {
                let path = way(self.node.id(), owner, path);
                self.settle(Topic::Find(key), Reply::Found { owner, path }, act);
            }
            Event::Stored(key) => self.settle(Topic::Write(key), Reply::Stored, act),
            Event::Deleted(key) => self.settle(Topic::Write(key), Reply::Deleted, act),
            Event::Fetched(key, value) => {
                let reply = value.map_or(Reply::Refused(Refusal::NoSuchKey), Reply::Got);
                self.settle(Topic::Get(key), reply, act);
            }
            Event::Failed(errand) => {
                let topic = match errand {
                    Errand::Find(key) => Topic::Find(key),
                    Errand::Get(key) => Topic::Get(key),
                    Errand::Put(key) | Errand::Delete(key) => Topic::Write(key),
                    Errand::Join | Errand::Finger(_) | Errand::Update(_) | Errand::Return(_) => {
                        return;
                    }
                };
                self.settle(topic, Reply::Refused(failure(topic)), act);
            }
        }
    }
}

/// The way of a lookup: the nodes that were asked, between the one that asks and the owner.
fn way(own: Id, owner: Id, asked: Vec<Id>) -> Vec<Id> {
    let mut path = vec![own];
    path.extend(asked);
    if path.last() != Some(&owner) {
        path.push(owner);
    }
    path
}

/// Why nothing came of it. A write may have reached some replica.
fn failure(topic: Topic) -> Refusal {
    match topic {
        Topic::Find(_) | Topic::Get(_) => Refusal::Unavailable,
        Topic::Write(_) => Refusal::InDoubt,
    }
}

/// Why the node did not even begin.
fn refusal(why: &Rejected) -> Refusal {
    match why {
        Rejected::OffTheCircle(_) | Rejected::Itself => Refusal::Malformed,
        Rejected::TooMany { what, .. } if *what == "bytes of a value" => Refusal::Malformed,
        _ => Refusal::Unavailable,
    }
}

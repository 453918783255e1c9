//! A node that knows its name: what it is asked, what waits for an answer, and what it says to the others.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use peerproof_model::choose::Scripted;
use peerproof_model::chord::message::Message;
use peerproof_model::chord::node::{ChordNode, Errand, Event, Rejected, Request as Ask};
use peerproof_model::chord::profile::{self, PROFILE};
use peerproof_model::node::{Input, Node, Output};
use peerproof_model::space::circle::Id;
use serde_json::{Map, Value};

use super::breaks::Bug;
use super::desk::{Alarm, Asker, Deed, answer, error, point, say};
use super::figures::config;
use super::flaw::Flaw;
use crate::control::ErrorCode;
use crate::control::ring::{
    Finger, Init, InitOk, Introducer, Lookup, MOST_VALUE, Network, Reply, Request, State,
};

/// The most questions that may wait at a time.
const MOST_WAITING: usize = 1024;

/// How often a node tries to join while its introducer answers.
const MOST_ATTEMPTS: u32 = 20;

/// What a question is about: the node does one thing of each kind at a time, the others wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Topic {
    Find(Id),
    Get(Id),
    Write(Id),
}

/// A node after `init`.
#[derive(Debug)]
pub(super) struct Member {
    name: String,
    introducer: Option<Id>,
    node: ChordNode,
    flaw: Flaw,
    pause: Duration,
    waiting: BTreeMap<Topic, VecDeque<(Asker, Ask)>>,
    joining: Joining,
    leaving: Vec<Asker>,
}

/// What a node remembers of its attempts to join.
#[derive(Debug, Default)]
struct Joining {
    askers: Vec<Asker>,
    /// By way of whom.
    via: Option<Id>,
    attempts: u32,
    /// Whether the introducer has said anything in this attempt.
    heard: bool,
    /// Whom it knew when it was a member: it falls back on them when it has fallen out of its ring.
    known: Vec<Id>,
}

impl Member {
    pub(super) fn new(init: Init, bug: Option<Bug>) -> Result<Self, String> {
        if init.protocol != "chord" {
            return Err(format!("the protocol is `chord`, not `{}`", init.protocol));
        }
        if init.network == Network::Sockets {
            return Err("this node talks through the kit only".to_owned());
        }
        let flaw = Flaw::new(bug);
        let config = config(&init.ring).map_err(|why| why.to_string())?;
        let config = flaw.figures(config);
        Ok(Self {
            name: init.node_id,
            introducer: introduced(init.introducer)?,
            pause: config.timing.stabilize,
            node: ChordNode::new(Arc::new(config)),
            flaw,
            waiting: BTreeMap::new(),
            joining: Joining::default(),
            leaving: Vec::new(),
        })
    }

    /// The answer to `init`.
    pub(super) fn introduce(&mut self, asker: &Asker, out: &mut Vec<Deed>) {
        let operations = ["join", "leave", "state", "lookup", "put", "get", "delete"];
        let ok = InitOk {
            operations: Some(operations.map(str::to_owned).to_vec()),
            profile: Some(PROFILE.to_owned()),
        };
        self.tell(asker.clone(), Ok(Reply::InitOk(ok)), out);
        self.watch_introducer(out);
    }

    pub(super) fn asked(&mut self, asker: Asker, request: Request, out: &mut Vec<Deed>) {
        self.flaw.asked(&asker);
        if let Some(reply) = self.flaw.answers(&request, &self.node) {
            return self.tell(asker, reply, out);
        }
        match request {
            Request::Init(_) => {}
            Request::Join { introducer } => self.join(asker, introducer, out),
            Request::Leave => self.leave(asker, out),
            Request::State => {
                let state = self.state();
                self.tell(asker, Ok(Reply::StateOk(state)), out);
            }
            Request::Lookup { key } => {
                let key = Id::from(key);
                self.wish(Topic::Find(key), asker, Ask::Find(key), out);
            }
            Request::Get { key } => {
                let key = Id::from(key);
                self.wish(Topic::Get(key), asker, Ask::Get(key), out);
            }
            Request::Put { value, .. } if value.len() > MOST_VALUE => {
                let text = format!("a value has at most {MOST_VALUE} bytes");
                self.refuse(asker, ErrorCode::MALFORMED_REQUEST, &text, out);
            }
            Request::Put { key, value } => {
                let key = Id::from(key);
                let put = Ask::Put(key, value.into_bytes());
                self.wish(Topic::Write(key), asker, put, out);
            }
            Request::Delete { key } => {
                let key = Id::from(key);
                self.wish(Topic::Write(key), asker, Ask::Delete(key), out);
            }
        }
    }

    /// A message of another node.
    pub(super) fn hear(&mut self, from: Id, message: Message, out: &mut Vec<Deed>) {
        if self.joining.via == Some(from) {
            self.joining.heard = true;
        }
        match self.flaw.hears(from, message, &self.node) {
            Ok(message) => {
                // What a node refuses leaves no trace, and the sender hears nothing.
                let _ = self.step(Input::Receive { from, message }, out);
            }
            Err(Some(answer)) => self.send(from, &answer, out),
            Err(None) if self.flaw.is_silent() => out.push(Deed::FallSilent),
            Err(None) => {}
        }
    }

    pub(super) fn ring(&mut self, alarm: Alarm, out: &mut Vec<Deed>) {
        match alarm {
            Alarm::Node(timer) if self.flaw.ignores(timer) => {}
            Alarm::Node(timer) => {
                // A node that has left meanwhile refuses it.
                let _ = self.step(Input::Expire(timer), out);
            }
            Alarm::JoinAgain => self.try_to_join(out),
            Alarm::Introducer => {
                self.flaw.on_introducer_due();
                self.watch_introducer(out);
            }
        }
    }

    fn join(&mut self, asker: Asker, other: Option<Introducer>, out: &mut Vec<Deed>) {
        let via = match introduced(other) {
            Ok(via) => via.or(self.introducer),
            Err(why) => return self.refuse(asker, ErrorCode::MALFORMED_REQUEST, &why, out),
        };
        if via == Some(self.node.id()) {
            let text = "a node cannot introduce itself";
            return self.refuse(asker, ErrorCode::MALFORMED_REQUEST, text, out);
        }
        if self.node.is_member() {
            return self.tell(asker, Ok(Reply::JoinOk), out);
        }
        if self.joining.askers.len() >= MOST_WAITING {
            return self.too_much(asker, out);
        }
        let first = self.joining.askers.is_empty();
        self.joining.askers.push(asker);
        if first {
            self.joining.via = via;
            self.joining.attempts = 0;
            self.try_to_join(out);
        }
    }

    fn try_to_join(&mut self, out: &mut Vec<Deed>) {
        self.joining.attempts += 1;
        self.joining.heard = false;
        let ask = match self.joining.via {
            Some(via) => Ask::Join(via),
            None => Ask::Create,
        };
        match self.step(Input::Ask(ask), out) {
            // It is joining by itself, or just leaving: that ends, and is heard of.
            Ok(()) | Err(Rejected::TakesPart) => {}
            Err(why) => self.join_failed(ErrorCode::MALFORMED_REQUEST, &why.to_string(), out),
        }
    }

    fn on_join_failed(&mut self, out: &mut Vec<Deed>) {
        self.give_everything_up(out);
        if self.joining.askers.is_empty() {
            // Nobody asked: it has fallen out of its ring, and tries everybody whom it knew.
            let turn = self.joining.attempts as usize;
            let known = self.joining.known.iter().chain(&self.introducer);
            let known: Vec<Id> = known.copied().collect();
            if let Some(via) = known.get(turn % known.len().max(1)) {
                self.joining.via = Some(*via);
                out.push(Deed::Set(Alarm::JoinAgain, self.pause));
            }
        } else if self.joining.heard && self.joining.attempts < MOST_ATTEMPTS {
            // The ring is not yet so that there is a place: perhaps it still believes in an earlier life.
            out.push(Deed::Set(Alarm::JoinAgain, self.pause));
        } else {
            let text = "the introducer does not answer, or knows no place";
            self.join_failed(ErrorCode::TEMPORARILY_UNAVAILABLE, text, out);
        }
    }

    fn join_failed(&mut self, code: ErrorCode, text: &str, out: &mut Vec<Deed>) {
        for asker in std::mem::take(&mut self.joining.askers) {
            self.refuse(asker, code, text, out);
        }
    }

    fn leave(&mut self, asker: Asker, out: &mut Vec<Deed>) {
        if self.leaving.len() >= MOST_WAITING {
            return self.too_much(asker, out);
        }
        out.push(Deed::Cancel(Alarm::JoinAgain));
        self.flaw.leaves(&self.node);
        self.leaving.push(asker);
        match self.step(Input::Ask(Ask::Leave), out) {
            Ok(()) => {}
            Err(_) if self.leaving.len() > 1 => {}
            // Whoever takes no part has left.
            Err(_) => self.on_left(out),
        }
    }

    fn on_left(&mut self, out: &mut Vec<Deed>) {
        self.give_everything_up(out);
        self.joining = Joining::default();
        for asker in std::mem::take(&mut self.leaving) {
            self.tell(asker, Ok(Reply::LeaveOk), out);
        }
    }

    fn state(&mut self) -> State {
        let view = self.node.view();
        let fingers = view.fingers.iter().map(|finger| Finger {
            start: number(finger.start),
            node: finger.node.map(number),
        });
        let fingers: Vec<Finger> = fingers.collect();
        let state = State {
            member: self.node.is_member(),
            id: number(self.node.id()),
            predecessor: Some(view.predecessor.map(number)),
            successors: view.successors.iter().copied().map(number).collect(),
            fingers: (!fingers.is_empty()).then_some(fingers),
            keys: Some(view.keys.iter().copied().map(number).collect()),
        };
        self.flaw.state(state, &self.node)
    }

    /// Asks the node, now or when it has done the same kind of thing for others.
    fn wish(&mut self, topic: Topic, asker: Asker, ask: Ask, out: &mut Vec<Deed>) {
        let count: usize = self.waiting.values().map(VecDeque::len).sum();
        if count >= MOST_WAITING {
            return self.too_much(asker, out);
        }
        let line = self.waiting.entry(topic).or_default();
        line.push_back((asker, ask));
        if line.len() == 1 {
            self.begin(topic, out);
        }
    }

    fn begin(&mut self, topic: Topic, out: &mut Vec<Deed>) {
        while let Some(line) = self.waiting.get(&topic) {
            let Some((_, ask)) = line.front() else {
                self.waiting.remove(&topic);
                return;
            };
            let ask = ask.clone();
            match self.step(Input::Ask(ask), out) {
                Ok(()) => return,
                Err(why) => {
                    let code = match why {
                        Rejected::OffTheCircle(_) => ErrorCode::MALFORMED_REQUEST,
                        _ => ErrorCode::TEMPORARILY_UNAVAILABLE,
                    };
                    if let Some((asker, _)) = self.first_of(topic) {
                        self.refuse(asker, code, &why.to_string(), out);
                    }
                }
            }
        }
    }

    fn first_of(&mut self, topic: Topic) -> Option<(Asker, Ask)> {
        self.waiting.get_mut(&topic)?.pop_front()
    }

    /// What was asked first about the topic is answered; the next has its turn.
    fn settle(
        &mut self,
        topic: Topic,
        reply: Result<Reply, (ErrorCode, String)>,
        out: &mut Vec<Deed>,
    ) {
        if let Some((asker, _)) = self.first_of(topic) {
            self.tell(asker, reply, out);
        }
        self.begin(topic, out);
    }

    /// It takes no part any more: whatever was asked is not done, as far as it can tell.
    fn give_everything_up(&mut self, out: &mut Vec<Deed>) {
        for (topic, line) in std::mem::take(&mut self.waiting) {
            for (asker, _) in line {
                let failed = failure(topic);
                self.tell(asker, Err(failed), out);
            }
        }
    }

    fn step(&mut self, input: Input<ChordNode>, out: &mut Vec<Deed>) -> Result<(), Rejected> {
        let mut outputs = Vec::new();
        self.node
            .step(input, &mut Scripted::default(), &mut outputs)?;
        let mut events = Vec::new();
        for output in outputs {
            match output {
                Output::Send { to, message } => {
                    if let Some(message) = self.flaw.says(message, &self.node) {
                        self.send(to, &message, out);
                    }
                }
                Output::SetTimer { timer, after } => {
                    out.push(Deed::Set(Alarm::Node(timer), after));
                }
                Output::CancelTimer(timer) => out.push(Deed::Cancel(Alarm::Node(timer))),
                Output::Tell(event) => events.push(event),
                Output::Open(_) | Output::Close(_) => {}
            }
        }
        // What follows from an event comes after everything that the node did before it told.
        for event in events {
            self.on_event(event, out);
        }
        Ok(())
    }

    fn on_event(&mut self, event: Event, out: &mut Vec<Deed>) {
        match event {
            Event::Joined => {
                self.joining.attempts = 0;
                for asker in std::mem::take(&mut self.joining.askers) {
                    self.tell(asker, Ok(Reply::JoinOk), out);
                }
            }
            Event::JoinFailed => self.on_join_failed(out),
            Event::Left => self.on_left(out),
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
            Event::Suspected(node) => self.flaw.suspects(node),
            Event::Found { key, owner, path } => {
                let lookup = lookup(self.node.id(), owner, &path);
                let lookup = self.flaw.lookup(lookup, key);
                self.settle(Topic::Find(key), Ok(Reply::LookupOk(lookup)), out);
            }
            Event::Stored(key) => self.settle(Topic::Write(key), Ok(Reply::PutOk), out),
            Event::Deleted(key) => self.settle(Topic::Write(key), Ok(Reply::DeleteOk), out),
            Event::Fetched(key, value) => {
                let reply = match value {
                    Some(value) => Ok(Reply::GetOk {
                        value: String::from_utf8_lossy(&value).into_owned(),
                    }),
                    None => Err((ErrorCode::KEY_DOES_NOT_EXIST, "no such key".to_owned())),
                };
                self.settle(Topic::Get(key), reply, out);
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
                self.settle(topic, Err(failure(topic)), out);
            }
        }
    }

    fn send(&self, to: Id, message: &Message, out: &mut Vec<Deed>) {
        if let Value::Object(body) = profile::encode(message) {
            out.push(say(&self.name, &format!("n{to}"), body));
        }
    }

    fn watch_introducer(&mut self, out: &mut Vec<Deed>) {
        if let Some(introducer) = self.introducer
            && let Some(message) = self.flaw.asks_introducer(introducer)
        {
            self.send(introducer, &message, out);
            out.push(Deed::Set(Alarm::Introducer, self.pause * 4));
        }
    }

    fn tell(
        &mut self,
        asker: Asker,
        reply: Result<Reply, (ErrorCode, String)>,
        out: &mut Vec<Deed>,
    ) {
        let asker = self.flaw.addressee(asker);
        out.push(match reply {
            Ok(reply) => answer(&self.name, &asker, object(&reply)),
            Err((code, text)) => error(&self.name, &asker, code, &text),
        });
    }

    fn refuse(&mut self, asker: Asker, code: ErrorCode, text: &str, out: &mut Vec<Deed>) {
        self.tell(asker, Err((code, text.to_owned())), out);
    }

    fn too_much(&mut self, asker: Asker, out: &mut Vec<Deed>) {
        let text = format!("{MOST_WAITING} questions wait already");
        self.refuse(asker, ErrorCode::TEMPORARILY_UNAVAILABLE, &text, out);
    }
}

/// The point of a member through which to join.
fn introduced(introducer: Option<Introducer>) -> Result<Option<Id>, String> {
    let Some(Introducer { node_id, .. }) = introducer else {
        return Ok(None);
    };
    match point(&node_id) {
        Some(point) => Ok(Some(point)),
        None => Err(format!("`{node_id}` is no name of a node")),
    }
}

/// Why nothing came of it. A write may have reached some replica.
fn failure(topic: Topic) -> (ErrorCode, String) {
    match topic {
        Topic::Find(_) | Topic::Get(_) => (
            ErrorCode::TEMPORARILY_UNAVAILABLE,
            "the owner could not be reached".to_owned(),
        ),
        Topic::Write(_) => (
            ErrorCode::TIMEOUT,
            "the owner has not said that it is done".to_owned(),
        ),
    }
}

/// The way of a lookup: the nodes that were asked, between the one that asks and the owner.
fn lookup(own: Id, owner: Id, asked: &[Id]) -> Lookup {
    let mut path: Vec<u64> = vec![number(own)];
    path.extend(asked.iter().copied().map(number));
    if path.last() != Some(&number(owner)) {
        path.push(number(owner));
    }
    Lookup {
        owner: number(owner),
        hops: u32::try_from(path.len() - 1).ok(),
        path: Some(path),
    }
}

/// Points of the control plane have at most 32 bits.
pub(super) fn number(point: Id) -> u64 {
    point.small().unwrap_or(u64::MAX)
}

fn object(reply: &Reply) -> Map<String, Value> {
    match serde_json::to_value(reply) {
        Ok(Value::Object(body)) => body,
        // Replies are objects with strings as keys: there is nothing else.
        _ => Map::new(),
    }
}

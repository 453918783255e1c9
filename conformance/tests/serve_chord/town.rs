//! Reference nodes in virtual time: lines travel for a while, alarms ring in order, nobody sleeps.

#![allow(dead_code, reason = "every test uses a part of the town")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use peerproof::control::{Envelope, KIT};
use peerproof::serve::chord::{Alarm, Bug, Deed, Desk};
use peerproof_model::choose::{Choose, Seeded};
use serde_json::{Value, json};

enum Due {
    Line {
        from: String,
        to: String,
        line: String,
    },
    /// What has been delivered is read at last.
    Read {
        to: String,
        line: String,
    },
    Alarm {
        at: String,
        alarm: Alarm,
    },
}

/// Nodes, what is under way between them, and what they have answered.
pub(crate) struct Town {
    pub(crate) ring: Value,
    pub(crate) bug: Option<&'static str>,
    /// How many of a thousand lines between nodes are lost.
    pub(crate) loss: usize,
    /// How many of a thousand lines between nodes come twice.
    pub(crate) duplicates: usize,
    /// Who is on the other side of a partition.
    pub(crate) apart: BTreeSet<String>,
    /// Every line between nodes: from, to, body.
    pub(crate) sent: Vec<(String, String, Value)>,
    /// How long, at most, a node takes until it reads a line, in milliseconds.
    pub(crate) lag: usize,
    /// Everything that the kit would see, as lines of a log.
    pub(crate) trace: Vec<Value>,
    /// When each node has read what it was told so far.
    read: BTreeMap<String, Duration>,
    desks: BTreeMap<String, Desk>,
    answers: BTreeMap<u64, Value>,
    now: Duration,
    turn: u64,
    agenda: BTreeMap<(Duration, u64), Due>,
    alarms: BTreeMap<(String, Alarm), (Duration, u64)>,
    pub(crate) chance: Seeded,
    last_id: u64,
}

impl Town {
    /// A town whose rings have these figures; `id` is added for each node.
    pub(crate) fn new(ring: Value) -> Self {
        Self {
            ring,
            bug: None,
            loss: 0,
            duplicates: 0,
            apart: BTreeSet::new(),
            sent: Vec::new(),
            lag: 0,
            trace: Vec::new(),
            read: BTreeMap::new(),
            desks: BTreeMap::new(),
            answers: BTreeMap::new(),
            now: Duration::ZERO,
            turn: 0,
            agenda: BTreeMap::new(),
            alarms: BTreeMap::new(),
            chance: Seeded::new(1),
            last_id: 0,
        }
    }

    /// The ring of the first lectures, grown node by node and at rest.
    pub(crate) fn six(bug: Option<&'static str>, replicas: u64) -> Self {
        let mut town = Self::new(json!({"bits": 7, "successors": 3, "replicas": replicas,
            "stabilize_ms": 200, "timeout_ms": 400}));
        town.bug = bug;
        for point in [16, 32, 45, 80, 96, 112] {
            town.join(point, (point != 16).then_some(16));
        }
        town.seconds(20);
        town
    }

    /// Starts a node and tells it what it is told first.
    pub(crate) fn start(&mut self, point: u64, introducer: Option<u64>) {
        let name = format!("n{point}");
        let bug = self.bug.map(|bug| Bug::by_name(bug).expect("a bug"));
        self.desks.insert(name.clone(), Desk::new(bug));
        self.saw("started", &name, None, Value::Null);
        let mut ring = self.ring.clone();
        ring["id"] = point.into();
        let other = introducer.map(|other| format!("n{other}"));
        let names: Vec<String> = [name.clone()].into_iter().chain(other.clone()).collect();
        let introducer = other.map(|other| json!({"node_id": other, "address": null}));
        let init = json!({"type": "init", "node_id": name, "node_ids": names, "protocol": "chord",
            "network": "kit", "address": null, "introducer": introducer, "ring": ring});
        let answer = self.call(point, init);
        assert_eq!(answer["type"], "init_ok", "{answer}");
        assert_eq!(answer["profile"], "chord/1");
    }

    /// Starts a node that becomes a member.
    pub(crate) fn join(&mut self, point: u64, introducer: Option<u64>) {
        self.start(point, introducer);
        let answer = self.call(point, json!({"type": "join"}));
        assert_eq!(answer["type"], "join_ok", "n{point}: {answer}");
    }

    /// A node is no more.
    pub(crate) fn crash(&mut self, point: u64) {
        let name = format!("n{point}");
        if self.desks.remove(&name).is_none() {
            return;
        }
        self.saw("crashed", &name, None, Value::Null);
        self.read.remove(&name);
        self.agenda
            .retain(|_, due| !matches!(due, Due::Read { to, .. } if *to == name));
        self.alarms.retain(|(node, _), _| *node != name);
    }

    /// Whether a node lives.
    pub(crate) fn is_there(&self, point: u64) -> bool {
        self.desks.contains_key(&format!("n{point}"))
    }

    /// Asks a node without waiting; the number of the question.
    pub(crate) fn ask(&mut self, point: u64, mut body: Value) -> u64 {
        self.last_id += 1;
        body["msg_id"] = self.last_id.into();
        let name = format!("n{point}");
        self.saw("asked", &name, None, body.clone());
        let line = json!({"src": KIT, "dest": name, "body": body}).to_string();
        self.deliver(&name, line);
        self.last_id
    }

    /// Asks a node and waits, for a minute at most.
    pub(crate) fn call(&mut self, point: u64, body: Value) -> Value {
        let kind = body["type"].to_string();
        let id = self.ask(point, body);
        for _ in 0..6000 {
            if let Some(answer) = self.answers.remove(&id) {
                return answer;
            }
            self.run(Duration::from_millis(10));
        }
        panic!("n{point} does not answer {kind}");
    }

    /// The answer to a question, if it has come.
    pub(crate) fn answer(&mut self, id: u64) -> Option<Value> {
        self.answers.remove(&id)
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// Lets everything happen that is due within that time.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.agenda.first_entry() {
            let at = *entry.key();
            if at.0 > end {
                break;
            }
            let due = entry.remove();
            self.now = at.0;
            match due {
                Due::Line { from, to, line } => {
                    if self.desks.contains_key(&to) {
                        let body = Envelope::parse(&line).expect("an envelope").body;
                        self.saw("delivered", &to, Some(&from), Value::Object(body));
                        self.deliver(&to, line);
                    }
                }
                Due::Read { to, line } => self.hand(&to, &line),
                Due::Alarm { at: node, alarm } => {
                    let key = (node, alarm);
                    if self.alarms.get(&key) == Some(&at) {
                        self.alarms.remove(&key);
                        self.step(&key.0, |desk, out| desk.ring(alarm, out));
                    }
                }
            }
        }
        self.now = end;
    }

    /// Hands a node a line, which it reads now or after a while, in order.
    fn deliver(&mut self, to: &str, line: String) {
        if !self.desks.contains_key(to) {
            return;
        }
        if self.lag == 0 {
            return self.hand(to, &line);
        }
        let slow = self.now + Duration::from_millis(self.chance.choose(self.lag) as u64);
        let before = self.read.get(to).copied().unwrap_or_default();
        let at = slow.max(before);
        self.read.insert(to.to_owned(), at);
        let to = to.to_owned();
        self.plan(at - self.now, Due::Read { to, line });
    }

    fn saw(&mut self, event: &str, node: &str, peer: Option<&str>, body: Value) {
        let at = u64::try_from(self.now.as_micros()).expect("a short run");
        let mut line = json!({"at_us": at, "event": event, "node": node});
        if let Some(peer) = peer {
            line["peer"] = peer.into();
        }
        if body.is_object() {
            line["body"] = body;
        }
        self.trace.push(line);
    }

    /// Hands a node a line now, whoever wrote it.
    pub(crate) fn hand(&mut self, to: &str, line: &str) {
        self.step(to, |desk, out| desk.hear(line, out));
    }

    fn step(&mut self, name: &str, act: impl FnOnce(&mut Desk, &mut Vec<Deed>)) {
        let Some(desk) = self.desks.get_mut(name) else {
            return;
        };
        let mut deeds = Vec::new();
        act(desk, &mut deeds);
        for deed in deeds {
            match deed {
                Deed::Say(line) => self.said(name, &line),
                Deed::Set(alarm, after) => {
                    let at = name.to_owned();
                    let place = self.plan(after, Due::Alarm { at, alarm });
                    self.alarms.insert((name.to_owned(), alarm), place);
                }
                Deed::Cancel(alarm) => {
                    self.alarms.remove(&(name.to_owned(), alarm));
                }
                Deed::Complain(_) => {}
                Deed::Listen(_) | Deed::Datagram(..) => panic!("these nodes talk in lines"),
                Deed::FallSilent => self.crash(name[1..].parse().expect("a point")),
            }
        }
    }

    fn said(&mut self, name: &str, line: &str) {
        let envelope = Envelope::parse(line).expect("an envelope");
        assert_eq!(envelope.src, name);
        let reply = envelope.in_reply_to();
        let body = Value::Object(envelope.body);
        if envelope.dest == KIT {
            self.saw("answered", name, None, body.clone());
            let answered = self.answers.insert(reply.expect("a reply"), body);
            assert_eq!(answered, None, "answered twice");
            return;
        }
        let to = envelope.dest;
        self.saw("sent", name, Some(&to), body.clone());
        self.sent.push((name.to_owned(), to.clone(), body));
        let lost = self.loss > 0 && self.chance.choose(1000) < self.loss;
        if lost || self.apart.contains(name) != self.apart.contains(&to) {
            return;
        }
        let twice = self.duplicates > 0 && self.chance.choose(1000) < self.duplicates;
        for _ in 0..=u8::from(twice) {
            let after = Duration::from_millis(5 + self.chance.choose(10) as u64);
            let (from, to, line) = (name.to_owned(), to.clone(), line.to_owned());
            self.plan(after, Due::Line { from, to, line });
        }
    }

    fn plan(&mut self, after: Duration, due: Due) -> (Duration, u64) {
        self.turn += 1;
        let at = (self.now + after, self.turn);
        self.agenda.insert(at, due);
        at
    }

    pub(crate) fn state(&mut self, point: u64) -> Value {
        let state = self.call(point, json!({"type": "state"}));
        assert_eq!(state["type"], "state_ok", "{state}");
        state
    }

    pub(crate) fn lookup(&mut self, point: u64, key: u64) -> Value {
        self.call(point, json!({"type": "lookup", "key": key}))
    }

    pub(crate) fn put(&mut self, point: u64, key: u64, value: &str) -> Value {
        self.call(point, json!({"type": "put", "key": key, "value": value}))
    }

    pub(crate) fn get(&mut self, point: u64, key: u64) -> Value {
        self.call(point, json!({"type": "get", "key": key}))
    }
}

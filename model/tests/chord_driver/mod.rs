//! Runs Chord nodes in virtual time: messages take a while, some are lost, timers expire in order.

#![allow(dead_code, reason = "every test uses a part of the driver")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use peerproof_model::choose::{Choose, Seeded};
use peerproof_model::chord::message::Message;
use peerproof_model::chord::node::{ChordNode, Config, Event, Rejected, Request, Timer};
use peerproof_model::chord::view::RingView;
use peerproof_model::node::{Input, Node, Output, rejects_without_trace};
use peerproof_model::space::circle::{Circle, Id};

enum Due {
    Message { from: Id, to: Id, message: Message },
    Timer { node: Id, timer: Timer },
}

/// Nodes and what is under way between them.
pub(crate) struct World {
    pub(crate) circle: Circle,
    pub(crate) nodes: BTreeMap<Id, ChordNode>,
    pub(crate) now: Duration,
    /// Every message that was sent: from, to, what.
    pub(crate) sent: Vec<(Id, Id, Message)>,
    pub(crate) told: Vec<(Id, Event)>,
    pub(crate) refused: Vec<(Id, Rejected)>,
    /// How long a message takes: at least, and how much more at most, in milliseconds.
    pub(crate) delay: (u64, u64),
    /// How many of a thousand messages are lost.
    pub(crate) loss: usize,
    chance: Seeded,
    agenda: BTreeMap<(Duration, u64), Due>,
    timers: BTreeMap<(Id, Timer), (Duration, u64)>,
    turn: u64,
}

impl World {
    pub(crate) fn new(bits: u32, seed: u64) -> Self {
        Self {
            circle: Circle::new(bits).expect("a circle"),
            nodes: BTreeMap::new(),
            now: Duration::ZERO,
            sent: Vec::new(),
            told: Vec::new(),
            refused: Vec::new(),
            delay: (10, 0),
            loss: 0,
            chance: Seeded::new(seed),
            agenda: BTreeMap::new(),
            timers: BTreeMap::new(),
            turn: 0,
        }
    }

    pub(crate) fn id(&self, number: u64) -> Id {
        self.circle.point(number)
    }

    pub(crate) fn ids(&self, numbers: &[u64]) -> Vec<Id> {
        numbers.iter().map(|number| self.id(*number)).collect()
    }

    pub(crate) fn node(&self, number: u64) -> &ChordNode {
        &self.nodes[&self.id(number)]
    }

    /// Puts a node there that takes no part yet.
    pub(crate) fn place(&mut self, config: Config) -> Id {
        let id = config.id;
        self.nodes.insert(id, ChordNode::new(Arc::new(config)));
        id
    }

    /// Takes a node away without a word.
    pub(crate) fn crash(&mut self, id: Id) {
        self.nodes.remove(&id);
        self.timers.retain(|(node, _), _| *node != id);
    }

    pub(crate) fn ask(&mut self, id: Id, request: Request) {
        self.give(id, Input::Ask(request));
    }

    /// Hands an input to a node; a refused one must leave no trace.
    pub(crate) fn give(&mut self, id: Id, input: Input<ChordNode>) {
        let Some(node) = self.nodes.get_mut(&id) else {
            return;
        };
        let traceless = rejects_without_trace(node, input.clone(), &mut self.chance);
        assert_ne!(
            traceless,
            Some(false),
            "{id} refused {input:?} with a trace"
        );
        let mut out = Vec::new();
        if let Err(why) = node.step(input, &mut self.chance, &mut out) {
            self.refused.push((id, why));
        }
        for output in out {
            self.effect(id, output);
        }
    }

    fn effect(&mut self, from: Id, output: Output<ChordNode>) {
        match output {
            Output::Send { to, message } => {
                self.sent.push((from, to, message.clone()));
                if self.loss > 0 && self.chance.choose(1000) < self.loss {
                    return;
                }
                let (least, more) = self.delay;
                let more = self.chance.choose(more as usize + 1) as u64;
                let after = Duration::from_millis(least + more);
                self.plan(after, Due::Message { from, to, message });
            }
            Output::SetTimer { timer, after } => {
                let at = self.plan(after, Due::Timer { node: from, timer });
                self.timers.insert((from, timer), at);
            }
            Output::CancelTimer(timer) => {
                self.timers.remove(&(from, timer));
            }
            Output::Tell(event) => self.told.push((from, event)),
            Output::Open(_) | Output::Close(_) => panic!("Chord has no connections"),
        }
    }

    fn plan(&mut self, after: Duration, due: Due) -> (Duration, u64) {
        self.turn += 1;
        let at = (self.now + after, self.turn);
        self.agenda.insert(at, due);
        at
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
                Due::Message { from, to, message } => {
                    self.give(to, Input::Receive { from, message });
                }
                Due::Timer { node, timer } => {
                    if self.timers.get(&(node, timer)) == Some(&at) {
                        self.timers.remove(&(node, timer));
                        self.give(node, Input::Expire(timer));
                    }
                }
            }
        }
        self.now = end;
    }

    pub(crate) fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    /// What the nodes say of themselves.
    pub(crate) fn view(&self, replication: usize) -> RingView<Id> {
        let members = self.nodes.values().filter(|node| node.is_member());
        RingView {
            members: members.map(|node| (node.id(), node.view())).collect(),
            replication,
            ..RingView::default()
        }
    }

    /// The node that owns a key, from the list of all members: an independent rule.
    pub(crate) fn owner(&self, key: Id) -> Id {
        let members = || self.nodes.values().filter(|node| node.is_member());
        let mut ids = members().map(ChordNode::id);
        let onward = ids.find(|id| *id >= key);
        onward.unwrap_or_else(|| members().next().expect("a member").id())
    }

    /// What was told last that fits.
    pub(crate) fn last<T>(&self, fits: impl Fn(&Id, &Event) -> Option<T>) -> Option<T> {
        self.told
            .iter()
            .rev()
            .find_map(|(id, event)| fits(id, event))
    }
}

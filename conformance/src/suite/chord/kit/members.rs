//! Joins, leaves and crashes.

use std::collections::BTreeSet;
use std::time::Duration;

use peerproof_model::chord::run_view::{FirstWords, Gone, Moment, Stay};
use peerproof_model::space::circle::Id;

use super::asks::Replied;
use super::{RingKit, name};
use crate::case::Stop;
use crate::control::ring::{Figures, Init, Introducer, Network, Reply, Request, State};

/// How much of a refusal a report shows, in characters.
const MOST_SAID: usize = 160;

/// How many times the patience for one answer a program has for its first one: it starts, perhaps in a slow language on a
/// busy machine, and nothing that it is judged by says how fast.
const START: u32 = 5;

impl RingKit {
    /// Starts the process, if it does not live, and says what it is to be told.
    fn start(&mut self, node: u64, process: &str, via: Option<u64>) -> Result<Option<Init>, Stop> {
        let known = via.map(name);
        if self.fleet()?.is_alive(process) {
            return Ok(None);
        }
        let address = self.fleet()?.start_through(process, known.as_deref())?;
        let introducer = known.as_ref().map(|known| self.introducer(known));
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Ok(Some(Init {
            node_id: process.to_owned(),
            node_ids: std::iter::once(process.to_owned()).chain(known).collect(),
            protocol: "chord".to_owned(),
            network: self.ground.network,
            address: address.map(|address| address.to_string()),
            introducer,
            ring: Figures {
                bits: self.shape.bits,
                id: node,
                successors: self.shape.successors,
                replicas: self.shape.replicas,
                stabilize_ms: millis(self.told_period()),
                timeout_ms: millis(self.timeout()),
            },
        }))
    }

    /// Starts a node and tells it what it may know, to see whether there is one.
    pub(in crate::suite::chord) fn meet(&mut self) -> Result<(), Stop> {
        self.introduce(0, None)
    }

    /// Starts a node and tells it what it may know.
    fn introduce(&mut self, node: u64, via: Option<u64>) -> Result<(), Stop> {
        let Some(init) = self.start(node, &name(node), via)? else {
            return Ok(());
        };
        self.operations.remove(&node);
        let patience = self.ground.patience;
        self.fleet()?.set_patience(patience * START);
        let replied = self.call(node, &Request::Init(init));
        self.fleet()?.set_patience(patience);
        match replied? {
            Replied::Ok(Reply::InitOk(ok)) => {
                if let Some(operations) = ok.operations {
                    self.operations.insert(node, operations);
                }
                self.introducers.insert(node, via);
                Ok(())
            }
            Replied::Gone(why) => Err(Stop::Gone(why)),
            other => {
                self.fault(node, format!("`init` came to nothing: {}", other.why()));
                Err(Stop::Silent(other.why()))
            }
        }
    }

    fn introducer(&self, process: &str) -> Introducer {
        let address = self.fleet.as_ref().and_then(|fleet| fleet.address(process));
        Introducer {
            node_id: process.to_owned(),
            address: address.map(|address| address.to_string()),
        }
    }

    fn begin_stay(&mut self, node: u64) -> usize {
        self.view.stays.push(Stay {
            node: Id::from(node),
            asked: self.now(),
            joined: None,
            leaves: None,
            gone: None,
            refusal: None,
        });
        self.view.stays.len() - 1
    }

    /// How long a node may be told to try again: until a ring that is disturbed is repaired, and then its patience.
    fn join_patience(&self) -> Duration {
        self.view.bounds.settle + self.ground.patience
    }

    pub(super) fn join(&mut self, node: u64, via: Option<u64>) -> Result<(), Stop> {
        if self.is_member(node) || via.is_some_and(|via| !self.is_member(via)) {
            return Ok(());
        }
        let stay = self.begin_stay(node);
        self.introduce(node, via)?;
        self.await_membership(node, via, stay)
    }

    pub(super) fn join_at_once(&mut self, nodes: &[u64], via: u64) -> Result<(), Stop> {
        if !self.is_member(via) {
            return Ok(());
        }
        let nodes: Vec<u64> = nodes
            .iter()
            .copied()
            .filter(|node| !self.is_member(*node))
            .collect();
        let mut open = Vec::new();
        for node in &nodes {
            self.introduce(*node, Some(via))?;
        }
        for node in nodes {
            let stay = self.begin_stay(node);
            let request = self.join_request(node, Some(via));
            open.push((node, stay, self.ask(node, &request)?));
        }
        let mut again = Vec::new();
        for (node, stay, asked) in open {
            match self.reply(asked)? {
                Replied::Ok(_) => self.view.stays[stay].joined = Some(self.now()),
                _ => again.push((node, stay)),
            }
        }
        for (node, stay) in again {
            self.await_membership(node, Some(via), stay)?;
        }
        Ok(())
    }

    /// A node joins through the introducer of its `init`; another one is named.
    fn join_request(&self, node: u64, via: Option<u64>) -> Request {
        let told = self.introducers.get(&node).copied().flatten();
        let other = via.filter(|via| Some(*via) != told);
        let introducer = other.map(|via| self.introducer(&name(via)));
        Request::Join { introducer }
    }

    fn await_membership(&mut self, node: u64, via: Option<u64>, stay: usize) -> Result<(), Stop> {
        let began = self.now();
        loop {
            let request = self.join_request(node, via);
            let replied = self.call(node, &request)?;
            let why = match replied {
                Replied::Ok(_) => {
                    self.view.stays[stay].joined = Some(self.now());
                    return Ok(());
                }
                Replied::Gone(why) => return Err(Stop::Gone(why)),
                other => other.why(),
            };
            if self.now().saturating_sub(began) >= self.join_patience() {
                self.view.stays[stay].gone = Some((self.now(), Gone::Refused));
                self.view.stays[stay].refusal = Some(why.chars().take(MOST_SAID).collect());
                return Err(Stop::Silent(format!(
                    "n{node} does not become a member: {why}"
                )));
            }
            self.rest(self.ground.period)?;
        }
    }

    /// Asks a newcomer to join while nobody can answer it, and notes whom it names.
    pub(super) fn join_unheard(&mut self, node: u64, via: u64) -> Result<(), Stop> {
        if self.is_member(node) || !self.is_member(via) {
            return Ok(());
        }
        let members = self.members();
        self.silence(&members, true)?;
        let words = self.first_words_unheard(node, via);
        self.silence(&members, false)?;
        self.view.first_words.push(words?);
        Ok(())
    }

    /// Holds every message, or stops every member.
    fn silence(&mut self, members: &[u64], on: bool) -> Result<(), Stop> {
        let sockets = self.ground.network == Network::Sockets;
        let fleet = self.fleet()?;
        match (sockets, on) {
            (false, true) => fleet.hold()?,
            (false, false) => fleet.release()?,
            (true, true) => members.iter().for_each(|node| fleet.pause(&name(*node))),
            (true, false) => members.iter().for_each(|node| fleet.resume(&name(*node))),
        }
        Ok(())
    }

    fn first_words_unheard(&mut self, node: u64, via: u64) -> Result<FirstWords, Stop> {
        self.introduce(node, Some(via))?;
        // Nobody answers it: it cannot have joined when it tells what it knows.
        let request = self.join_request(node, Some(via));
        let open = self.ask(node, &request)?;
        self.rest(self.ground.period)?;
        let state = self.state_of(node)?;
        drop(open);
        Ok(self.words_of(node, Some(via), false, &state))
    }

    /// Notes what a newcomer says first.
    pub(super) fn note_first_words(&mut self, node: u64, via: u64) -> Result<(), Stop> {
        if !self.is_member(node) {
            return Ok(());
        }
        let state = self.state_of(node)?;
        let words = self.words_of(node, Some(via), true, &state);
        self.view.first_words.push(words);
        if state.predecessor == Some(Some(via)) {
            return Err(Stop::NonStrict(format!(
                "n{node} takes n{via}, through which it joins, for its predecessor at once, as the corrected protocol does"
            )));
        }
        if state.predecessor.is_none() {
            return Err(Stop::Unimplemented(
                "the node does not tell its predecessor".to_owned(),
            ));
        }
        Ok(())
    }

    fn state_of(&mut self, node: u64) -> Result<State, Stop> {
        match self.call(node, &Request::State)? {
            Replied::Ok(Reply::StateOk(state)) => Ok(state),
            Replied::Gone(why) => Err(Stop::Gone(why)),
            other => Err(Stop::Silent(other.why())),
        }
    }

    fn words_of(&self, node: u64, via: Option<u64>, heard: bool, state: &State) -> FirstWords {
        let fingers = state
            .fingers
            .iter()
            .flatten()
            .filter_map(|finger| finger.node);
        let named = fingers
            .chain(state.successors.iter().copied())
            .chain(state.predecessor.flatten());
        let named: BTreeSet<Id> = named.map(Id::from).collect();
        FirstWords {
            node: Id::from(node),
            at: self.now(),
            introducer: via.map(Id::from),
            heard,
            member: state.member,
            predecessor: state.predecessor.map(|told| told.map(Id::from)),
            successor: state.successors.first().copied().map(Id::from),
            named,
        }
    }

    /// Another process with the same point: it is told to join, and whatever it answers is fine.
    pub(super) fn duplicate(&mut self, node: u64, via: u64) -> Result<(), Stop> {
        if !self.is_member(node) || !self.is_member(via) {
            return Ok(());
        }
        let process = format!("n{node}-again");
        let Some(init) = self.start(node, &process, Some(via))? else {
            return Ok(());
        };
        let introducer = Some(self.introducer(&name(via)));
        self.tell(&process, &Request::Init(init))?;
        self.tell(&process, &Request::Join { introducer })
    }

    pub(super) fn leave(&mut self, node: u64) -> Result<(), Stop> {
        if !self.is_member(node) {
            return Ok(());
        }
        let open = self.ask(node, &Request::Leave)?;
        let now = self.now();
        self.set_stay(node, |stay| stay.leaves = Some(now));
        match self.reply(open)? {
            Replied::Ok(_) => {
                let now = self.now();
                self.set_stay(node, |stay| stay.gone = Some((now, Gone::Left)));
                Ok(())
            }
            Replied::Gone(why) => Err(Stop::Gone(why)),
            other => {
                // It may have left, or not: nobody builds on it.
                Err(Stop::Silent(format!(
                    "n{node} does not leave: {}",
                    other.why()
                )))
            }
        }
    }

    pub(super) fn crash(&mut self, nodes: &[u64]) -> Result<(), Stop> {
        let victims: Vec<u64> = nodes
            .iter()
            .copied()
            .filter(|node| self.is_member(*node))
            .collect();
        for node in &victims {
            self.fleet()?.crash(&name(*node));
        }
        let now = self.now();
        for node in victims {
            self.set_stay(node, |stay| stay.gone = Some((now, Gone::Crashed)));
        }
        Ok(())
    }

    fn set_stay(&mut self, node: u64, set: impl FnOnce(&mut Stay)) {
        let mut stays = self.view.stays.iter_mut().rev();
        if let Some(stay) = stays.find(|stay| stay.node == Id::from(node)) {
            set(stay);
        }
    }

    /// The moment from which the ring is quiet.
    pub(super) fn quiet_for(&self) -> Moment {
        self.view.quiet_at(self.now())
    }
}

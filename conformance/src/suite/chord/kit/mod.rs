//! The kit of the suite: it lives with a fleet of nodes, does what a schedule says, and writes down what it sees.
//!
//! | file | holds |
//! |---|---|
//! | `asks.rs` | one question, and what came of it |
//! | `members.rs` | joins, leaves, crashes |
//! | `looks.rs` | states of all members, and waiting until they are as they should be |
//! | `stores.rs` | lookups, puts, gets, deletes |

mod asks;
mod looks;
mod members;
mod stores;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use peerproof_model::chord::run_view::{Bounds, Moment, Partition, RunView};
use peerproof_model::space::circle::{Circle, Id};

use super::ground::Ground;
use super::step::Step;
use crate::case::Stop;
use crate::control::ring::Network;
use crate::fleet::{Event, Fleet, Plan, Weather, Wrong, recording};
use crate::record::Recording;

/// The figures of a ring, as a case wants them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The circle has 2^`bits` points.
    pub(crate) bits: u32,
    /// How long successor lists are.
    pub(crate) successors: usize,
    /// On how many nodes a key is kept.
    pub(crate) replicas: usize,
    /// What the nodes are told of time.
    pub(crate) pace: Pace,
}

/// What the nodes are told of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A small period, and a timeout of some periods.
    Quick,
    /// A timeout so long that nobody is taken for dead.
    NobodyDies,
    /// A period so long that nothing is stabilized while the case lasts.
    Still,
}

impl Default for Shape {
    /// The lectures' circle, lists of three, each key kept once.
    fn default() -> Self {
        Self {
            bits: 7,
            successors: 3,
            replicas: 1,
            pace: Pace::Quick,
        }
    }
}

impl Shape {
    /// The same, with keys kept on so many nodes.
    pub(crate) fn with_replicas(replicas: usize) -> Self {
        Self {
            replicas,
            ..Self::default()
        }
    }

    /// The same at another pace.
    pub(crate) fn at(pace: Pace) -> Self {
        Self {
            pace,
            ..Self::default()
        }
    }
}

/// Longer than any case lasts.
const FOREVER: Duration = Duration::from_secs(600);

/// The kit of one case.
pub(crate) struct RingKit {
    ground: Arc<Ground>,
    seed: u64,
    shape: Shape,
    fleet: Option<Fleet>,
    pub(super) view: RunView,
    /// What was done, and when.
    done: Vec<(Moment, Step)>,
    /// The operations that a node says it has.
    operations: BTreeMap<u64, Vec<String>>,
    introducers: BTreeMap<u64, Option<u64>>,
    paused: Option<u64>,
}

impl RingKit {
    pub(crate) fn new(ground: Arc<Ground>, seed: u64) -> Self {
        let shape = Shape::default();
        let mut kit = Self {
            ground,
            seed,
            shape,
            fleet: None,
            view: empty(shape),
            done: Vec::new(),
            operations: BTreeMap::new(),
            introducers: BTreeMap::new(),
            paused: None,
        };
        kit.ring(shape);
        kit
    }

    /// Where everything random of the case comes from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether messages travel through the kit.
    pub(crate) fn carries_messages(&self) -> bool {
        self.ground.network == Network::Kit
    }

    /// Sets the figures. Before the first step.
    pub(crate) fn ring(&mut self, shape: Shape) {
        self.shape = shape;
        self.view = empty(shape);
    }

    /// Does what the steps say.
    pub(crate) fn follow(&mut self, steps: &[Step]) -> Result<(), Stop> {
        let mut nodes: Vec<u64> = steps.iter().flat_map(Step::newcomers).collect();
        nodes.sort_unstable();
        nodes.dedup();
        self.view.bounds = self.bounds(nodes.len());
        let mut end = Ok(());
        for step in steps {
            if !self.applies(step) {
                continue;
            }
            self.done.push((self.now(), step.clone()));
            end = self.take(step);
            if end.is_err() {
                break;
            }
        }
        self.collect_faults();
        end
    }

    /// Whether a step is about nodes that are there: in a schedule that lacks steps others have nothing to do.
    fn applies(&self, step: &Step) -> bool {
        let members = self.members();
        let is = |node: &u64| members.contains(node);
        match step {
            Step::Join(node, via) => !is(node) && via.as_ref().is_none_or(is),
            Step::JoinAtOnce(_, via) => is(via),
            Step::JoinUnheard(node, via) => !is(node) && is(via),
            Step::Duplicate(node, via) => is(node) && is(via),
            Step::FirstWords(node, _)
            | Step::Leave(node)
            | Step::Glance(node, _)
            | Step::Put(node, ..)
            | Step::PutInVain(node, ..)
            | Step::Delete(node, _)
            | Step::Pause(node) => is(node),
            Step::Crash(nodes) | Step::Part(nodes) => nodes.iter().any(is),
            Step::Resume(node) => self.paused == Some(*node),
            Step::Heal => !self.view.partitions.is_empty(),
            Step::Settle(_) | Step::Look | Step::LookupsFromAll(_) => !members.is_empty(),
            Step::GetFromAll(_) | Step::Watch(..) => !members.is_empty(),
            Step::Rest(_) | Step::RestOfTimeout(_) | Step::Weather(_) => true,
        }
    }

    /// What was done, with the figures of the ring.
    pub(super) fn schedule(&self) -> (Shape, Vec<(Moment, Step)>) {
        (self.shape, self.done.clone())
    }

    fn bounds(&self, members: usize) -> Bounds {
        let (period, timeout) = (self.ground.period, self.timeout());
        let deaths = match self.shape.pace {
            Pace::Quick => timeout,
            Pace::NobodyDies | Pace::Still => Duration::ZERO,
        };
        let shape = self.shape;
        let bounds = Bounds::of(members, shape.successors, shape.bits, period, deaths);
        Bounds {
            failure: timeout,
            ..bounds
        }
    }

    /// The period that nodes are told.
    fn told_period(&self) -> Duration {
        match self.shape.pace {
            Pace::Still => FOREVER,
            Pace::Quick | Pace::NobodyDies => self.ground.period,
        }
    }

    /// The timeout that nodes are told.
    fn timeout(&self) -> Duration {
        match self.shape.pace {
            Pace::NobodyDies | Pace::Still => FOREVER,
            Pace::Quick => self.ground.timeout(),
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), Stop> {
        match step {
            Step::Join(node, via) => self.join(*node, *via),
            Step::JoinAtOnce(nodes, via) => self.join_at_once(nodes, *via),
            Step::JoinUnheard(node, via) => self.join_unheard(*node, *via),
            Step::Duplicate(node, via) => self.duplicate(*node, *via),
            Step::FirstWords(node, via) => self.note_first_words(*node, *via),
            Step::Leave(node) => self.leave(*node),
            Step::Crash(nodes) => self.crash(nodes),
            Step::Settle(until) => self.settle(*until),
            Step::Look => self.look_once(),
            Step::LookupsFromAll(keys) => self.lookups_from_all(keys),
            Step::Glance(node, keys) => self.glance(*node, keys),
            Step::Put(node, key, value) => self.put(*node, *key, Some(value)),
            Step::PutInVain(node, key, value) => self.put_in_vain(*node, *key, value),
            Step::Delete(node, key) => self.put(*node, *key, None),
            Step::GetFromAll(key) => self.get_from_all(*key),
            Step::Watch(key, periods) => self.watch(*key, *periods),
            Step::Part(side) => self.part(side),
            Step::Heal => self.heal(),
            Step::Pause(node) => self.pause(*node),
            Step::Resume(node) => self.resume(*node),
            Step::Rest(periods) => self.rest(self.ground.period * *periods),
            Step::RestOfTimeout(part) => self.rest(self.timeout() * *part / 100),
            Step::Weather(skies) => {
                self.view.lossy = skies.loses();
                let weather = skies.weather(self.ground.period);
                Ok(self.fleet()?.set_weather(weather)?)
            }
        }
    }

    fn fleet(&mut self) -> Result<&mut Fleet, Stop> {
        let fleet = match self.fleet.take() {
            Some(fleet) => fleet,
            None => {
                let plan = Plan {
                    network: self.ground.network,
                    isolation: self.ground.isolation,
                    seed: self.seed,
                    weather: Weather::default(),
                    patience: self.ground.patience,
                };
                let starter = Arc::clone(&self.ground.starter);
                Fleet::new(starter, plan).map_err(|why| Stop::Kit(why.to_string()))?
            }
        };
        Ok(self.fleet.insert(fleet))
    }

    fn now(&self) -> Moment {
        let fleet = self.fleet.as_ref();
        fleet.map_or(Moment::ZERO, |fleet| fleet.began().elapsed())
    }

    fn rest(&mut self, time: Duration) -> Result<(), Stop> {
        self.fleet()?.pump_for(time);
        Ok(())
    }

    /// The members, as points.
    pub(super) fn members(&self) -> Vec<u64> {
        let members = self.view.members_at(self.now());
        members.into_iter().filter_map(Id::small).collect()
    }

    fn is_member(&self, node: u64) -> bool {
        self.members().contains(&node)
    }

    fn part(&mut self, side: &[u64]) -> Result<(), Stop> {
        let (one, other): (Vec<u64>, Vec<u64>) = self
            .members()
            .into_iter()
            .partition(|node| side.contains(node));
        let sides = [one, other];
        let named = sides
            .each_ref()
            .map(|side| side.iter().map(|node| name(*node)).collect());
        self.fleet()?.partition(&named)?;
        self.view.partitions.push(Partition {
            from: self.now(),
            until: None,
            sides: sides
                .iter()
                .map(|side| side.iter().copied().map(Id::from).collect())
                .collect(),
        });
        Ok(())
    }

    /// A stopped member is a side of its own.
    fn pause(&mut self, node: u64) -> Result<(), Stop> {
        if !self.is_member(node) {
            return Ok(());
        }
        self.fleet()?.pause(&name(node));
        self.paused = Some(node);
        let side = BTreeSet::from([Id::from(node)]);
        let others = self.view.members_at(self.now());
        self.view.partitions.push(Partition {
            from: self.now(),
            until: None,
            sides: vec![others.difference(&side).copied().collect(), side],
        });
        Ok(())
    }

    fn resume(&mut self, node: u64) -> Result<(), Stop> {
        if self.paused == Some(node) {
            self.paused = None;
            self.fleet()?.resume(&name(node));
            self.end_partitions();
        }
        Ok(())
    }

    fn heal(&mut self) -> Result<(), Stop> {
        if self.view.partitions.is_empty() {
            return Ok(());
        }
        self.fleet()?.heal()?;
        self.end_partitions();
        Ok(())
    }

    fn end_partitions(&mut self) {
        let now = self.now();
        for partition in &mut self.view.partitions {
            partition.until.get_or_insert(now);
        }
    }

    /// What nodes did that no node may do.
    fn collect_faults(&mut self) {
        let Some(fleet) = &self.fleet else { return };
        for mistake in fleet.mistakes() {
            let is_fault = match &mistake.what {
                Wrong::Line { .. }
                | Wrong::Source { .. }
                | Wrong::Message { .. }
                | Wrong::Overused(_)
                | Wrong::Ended(_) => true,
                // A second answer, or one to a question that nobody waits for any more.
                Wrong::Unasked { .. } => false,
            };
            let node = mistake.node.trim_start_matches('n').parse::<u64>();
            if let (true, Ok(node)) = (is_fault, node) {
                let what = mistake.what.to_string();
                self.view.faults.push((Id::from(node), mistake.at, what));
            }
        }
    }

    fn fault(&mut self, node: u64, what: String) {
        let now = self.now();
        self.view.faults.push((Id::from(node), now, what));
    }

    /// Everything that was said, for reports.
    pub(super) fn recording(&self) -> Recording {
        let fleet = self.fleet.as_ref();
        fleet.map_or_else(Recording::default, |fleet| recording(fleet.trace()))
    }

    /// Everything that the kit saw.
    pub(super) fn seen(&self) -> Vec<Event> {
        let fleet = self.fleet.as_ref();
        fleet.map_or_else(Vec::new, |fleet| fleet.trace().to_vec())
    }

    /// The view, once the case is over.
    pub(super) fn into_view(self) -> RunView {
        self.view
    }
}

/// The name of a node.
fn name(node: u64) -> String {
    format!("n{node}")
}

fn empty(shape: Shape) -> RunView {
    // Every case names a circle that there is.
    let circle = Circle::new(shape.bits).unwrap_or(Circle::SHA1);
    let bounds = Bounds::of(
        1,
        shape.successors,
        shape.bits,
        Duration::ZERO,
        Duration::ZERO,
    );
    RunView::new(circle, shape.successors, shape.replicas, bounds)
}

//! Nodes of any protocol with a network, timers, churn and an observer, as one [`stateright::Model`].
//!
//! A protocol's `system.rs` only configures a [`System`]: who is there, what the network may do, which timers
//! may expire when, which acts of the world happen, and who looks on. Every free choice of a node is
//! enumerated, and the action carries the choices that were made, so that a trace replays.
//!
//! | file | holds |
//! |---|---|
//! | `scope.rs` | residents, acts, timers: what may happen, and the [`Terms`] of a result |
//! | `state.rs` | the state of a system and its actions |
//! | `network.rs` | links, dials and datagrams |
//! | `step.rs` | how an action changes a state |
//! | `observe.rs` | the observer's side |
//! | `pack.rs` | states as bytes, for the explorer |
//! | `diagram.rs` | traces for people: text and sequence diagrams |

mod diagram;
mod network;
mod observe;
mod pack;
mod scope;
mod shared;
mod state;
mod step;

pub use diagram::Told;
pub use network::{End, Fate, Link, Network, Traffic};
pub use observe::{Findings, Nobody, Observe, Seen, Tally};
pub use scope::{
    Act, Bounds, Clock, Consent, Expiries, Patience, Resident, Script, Terms, Timers, When,
};
pub use shared::Shared;
pub use state::{Action, Place, State};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stateright::{Model, Property};

use crate::choose::{Scripted, every_outcome};
use crate::explore::Fact;
use crate::node::Node;
use network::Arrival;
use pack::Parts;
use step::Step;

/// The property that every system asks of its nodes: a refused input changes nothing.
pub const TRACELESS: &str = "a_refused_input_leaves_no_trace";

/// A system of nodes; the configuration of a model.
#[derive(Clone, Debug)]
pub struct System<N: Node, O: Observe<N>> {
    /// Who can be there, by place.
    pub residents: Vec<Resident<N>>,
    /// What is between them.
    pub network: Network,
    /// How many datagrams may be lost at most; nothing: where any may be lost, all may.
    pub losses: Option<u8>,
    /// Whether datagrams to a node that is not there vanish at once. Else they are under way until they arrive
    /// there, which nobody notices; but where questions to it are asked without a bound, so many are under way.
    pub absent_hear_nothing: bool,
    /// How timers expire.
    pub timers: Timers<N>,
    /// Which set timers may expire in a state; nothing: all of them.
    pub patience: Option<Patience<N>>,
    /// Which acts may happen in a state; nothing: all of them.
    pub consent: Option<Consent<N>>,
    /// Acts before anything else, in order; all outcomes of the choices in them are initial states.
    pub opening: Script<N::Request>,
    /// Whether the system begins when everything that follows from the opening has been delivered, in one
    /// order: a bound of the scope, which leaves out the other orders of the beginning.
    pub begins_quiet: bool,
    /// Acts later on; scripts interleave, acts of one script stay in order.
    pub scripts: Vec<Script<N::Request>>,
    /// When the next act of a script may happen.
    pub acts: When,
    /// Who looks on.
    pub observer: O,
    /// The one property of which states remember that it was put to the test.
    pub watched: Option<&'static str>,
    /// Which properties were put to the test in what was explored.
    pub tally: Tally,
    /// What packed states refer to.
    parts: Arc<Parts<N, O::Memory>>,
}

impl<N: Node, O: Observe<N>> System<N, O> {
    /// A system where nothing happens yet.
    pub fn new(residents: Vec<Resident<N>>, network: Network, observer: O) -> Self {
        Self {
            residents,
            network,
            losses: None,
            absent_hear_nothing: false,
            timers: Timers::untimed(),
            patience: None,
            consent: None,
            opening: Vec::new(),
            begins_quiet: false,
            scripts: Vec::new(),
            acts: When::AnyMoment,
            observer,
            watched: None,
            tally: Tally::default(),
            parts: Arc::default(),
        }
    }

    /// The place of the node with that id.
    pub fn place(&self, id: &N::Id) -> Option<Place> {
        let found = self.residents.iter().position(|known| known.id == *id);
        found.and_then(|place| Place::try_from(place).ok())
    }

    /// How traces name a node.
    pub fn name(&self, place: Place) -> &str {
        self.residents
            .get(usize::from(place))
            .map_or("nobody", |resident| &resident.name)
    }

    /// Every property of the observer, each as a fact about states.
    pub fn facts(&self) -> Vec<Fact<Self>> {
        let mut names = self.observer.properties();
        names.push(TRACELESS);
        names.into_iter().map(Self::fact).collect()
    }

    /// One property as a fact about states.
    pub fn fact(name: &'static str) -> Fact<Self> {
        Fact::always(name, move |_, state: &State<N, O::Memory>| {
            !state.broken.contains(name)
        })
    }

    /// The reachable partner of the watched property: it is put to the test somewhere.
    pub fn put_to_the_test(name: &'static str) -> Fact<Self> {
        Fact::sometimes(name, |_, state: &State<N, O::Memory>| state.tested)
    }

    fn empty(&self) -> State<N, O::Memory> {
        let node = |resident: &Resident<N>| {
            let there = resident.present.then(|| resident.node.clone());
            there.map(Shared::new)
        };
        State {
            nodes: self.residents.iter().map(node).collect(),
            traffic: Traffic::default(),
            timers: BTreeMap::new(),
            expired: BTreeMap::new(),
            scripts: vec![0; self.scripts.len()],
            breaks: 0,
            memory: Shared::new(self.observer.begin()),
            broken: BTreeSet::new(),
            tested: false,
        }
    }

    /// Enters what a step found into the state it leads to.
    fn settle(&self, step: Step<'_, N, O>) -> State<N, O::Memory> {
        let Step {
            mut state,
            findings,
            ..
        } = step;
        self.tally.enter(&findings.tested);
        if let Some(watched) = self.watched {
            state.tested |= findings.tested.contains(&watched);
        }
        state
            .broken
            .extend(findings.broken.iter().map(|(name, _)| *name));
        state
    }

    /// Whether the two speak to each other on connections that they open.
    fn is_linked(&self, one: Place, other: Place) -> bool {
        let serves = |place: Place| self.residents[usize::from(place)].serves_questions;
        matches!(self.network, Network::Links { .. }) && !serves(one) && !serves(other)
    }

    /// The states that follow when everything under way is delivered, always the first thing first.
    fn quieted(&self, mut open: Vec<State<N, O::Memory>>) -> Vec<State<N, O::Memory>> {
        let mut quiet = Vec::new();
        while let Some(state) = open.pop() {
            let mut actions = Vec::new();
            if !state.traffic.is_quiet() {
                self.offer_links(&state, &mut actions);
                self.offer_datagrams(&state, &mut actions);
            }
            let same = |one: &Action<N>| one.clone().choosing(Vec::new());
            let Some(first) = actions.first().map(same) else {
                if !quiet.contains(&state) {
                    quiet.push(state);
                }
                continue;
            };
            let outcomes = actions.into_iter().filter(|action| same(action) == first);
            let next: Vec<_> = outcomes
                .filter_map(|action| self.next_state(&state, action))
                .collect();
            open.extend(next);
        }
        quiet
    }

    /// What the observer finds when `action` happens in `state`.
    pub fn findings(&self, state: &State<N, O::Memory>, action: &Action<N>) -> Findings {
        let mut choose = Scripted::new(action.choices().to_vec());
        let mut step = Step::new(self, state.clone(), &mut choose, true);
        step.perform(action);
        step.conclude();
        step.findings
    }

    /// Adds `action` once for every outcome of the choices in it.
    fn offer(&self, state: &State<N, O::Memory>, action: &Action<N>, actions: &mut Vec<Action<N>>) {
        let outcomes =
            every_outcome(|choose| Step::new(self, state.clone(), choose, false).perform(action));
        for (choices, possible) in outcomes {
            if possible {
                actions.push(action.clone().choosing(choices));
            }
        }
    }

    fn offer_links(&self, state: &State<N, O::Memory>, actions: &mut Vec<Action<N>>) {
        let choices = Vec::new;
        for (by, to) in &state.traffic.dials {
            let (by, to) = (*by, *to);
            if state.nodes[usize::from(to)].is_none() {
                let choices = choices();
                self.offer(state, &Action::Refuse { by, to, choices }, actions);
            } else if !state.traffic.linked(by, to) {
                let choices = choices();
                self.offer(state, &Action::Connect { by, to, choices }, actions);
            }
        }
        for (low, high) in state.traffic.links.keys() {
            for (node, other) in [(*low, *high), (*high, *low)] {
                let action = match state.traffic.next(node, other) {
                    Some(Arrival::Message(message)) => Action::Deliver {
                        from: other,
                        to: node,
                        message: message.clone(),
                        again: false,
                        choices: choices(),
                    },
                    Some(Arrival::Closed) => Action::Closed {
                        node,
                        other,
                        choices: choices(),
                    },
                    None => continue,
                };
                self.offer(state, &action, actions);
            }
        }
        if let Network::Links { breaks } = self.network
            && state.breaks < breaks
        {
            for ((low, high), link) in &state.traffic.links {
                if link.ends.iter().any(|end| end.fate == Fate::Open) {
                    let (low, high) = (*low, *high);
                    actions.push(Action::Break { low, high });
                }
            }
        }
    }

    fn offer_datagrams(&self, state: &State<N, O::Memory>, actions: &mut Vec<Action<N>>) {
        let (loss, duplication, reordering) = match self.network {
            Network::Links { .. } => (false, false, false),
            Network::Datagrams {
                loss,
                duplication,
                reordering,
            } => {
                let more = self.losses.is_none_or(|most| state.breaks < most);
                (loss && more, duplication, reordering)
            }
        };
        for ((from, to), queue) in &state.traffic.datagrams {
            let reach = if reordering { queue.len() } else { 1 };
            let mut before = None;
            for message in queue.iter().take(reach) {
                if before.replace(message) == Some(message) {
                    continue;
                }
                let (from, to) = (*from, *to);
                for again in [false, true] {
                    if !again || duplication {
                        let action = Action::Deliver {
                            from,
                            to,
                            message: message.clone(),
                            again,
                            choices: Vec::new(),
                        };
                        self.offer(state, &action, actions);
                    }
                }
                if loss {
                    let message = message.clone();
                    actions.push(Action::Lose { from, to, message });
                }
            }
        }
    }

    fn offer_timers(&self, state: &State<N, O::Memory>, actions: &mut Vec<Action<N>>) {
        let next = match self.timers.clock {
            Clock::Untimed => None,
            Clock::Ticked { .. } => state.timers.values().min().copied(),
        };
        for ((node, timer), remaining) in &state.timers {
            let patience = self.patience.as_ref();
            let may = patience.is_none_or(|patience| patience.lets(state, *node, timer));
            if may && next.is_none_or(|next| *remaining == next) {
                let action = Action::Expire {
                    node: *node,
                    timer: timer.clone(),
                    choices: Vec::new(),
                };
                self.offer(state, &action, actions);
            }
        }
    }

    fn offer_acts(&self, state: &State<N, O::Memory>, actions: &mut Vec<Action<N>>) {
        for (script, (acts, done)) in self.scripts.iter().zip(&state.scripts).enumerate() {
            let consent = |act: &&Act<N::Request>| {
                let consent = self.consent.as_ref();
                consent.is_none_or(|consent| (consent.may_happen)(&state.nodes, act))
            };
            if let Some(act) = acts.get(usize::from(*done)).filter(consent) {
                let action = Action::Act {
                    script,
                    act: act.clone(),
                    choices: Vec::new(),
                };
                self.offer(state, &action, actions);
            }
        }
    }
}

impl<N, O> Model for System<N, O>
where
    N: Node,
    O: Observe<N>,
{
    type State = State<N, O::Memory>;
    type Action = Action<N>;

    fn init_states(&self) -> Vec<Self::State> {
        let begin = every_outcome(|choose| {
            let mut step = Step::new(self, self.empty(), choose, true);
            for act in &self.opening {
                step.act(act);
            }
            step.conclude();
            self.settle(step)
        });
        let mut states = Vec::new();
        for (_, state) in begin {
            if !states.contains(&state) {
                states.push(state);
            }
        }
        if self.begins_quiet {
            states = self.quieted(states);
        }
        states
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.offer_links(state, actions);
        self.offer_datagrams(state, actions);
        let quiet = state.traffic.is_quiet();
        if quiet || self.timers.when == When::AnyMoment {
            self.offer_timers(state, actions);
        }
        if quiet || self.acts == When::AnyMoment {
            self.offer_acts(state, actions);
        }
    }

    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State> {
        let mut choose = Scripted::new(action.choices().to_vec());
        let mut step = Step::new(self, state.clone(), &mut choose, true);
        let possible = step.perform(&action);
        step.conclude();
        possible.then(|| self.settle(step))
    }

    fn format_action(&self, action: &Self::Action) -> String {
        self.told(action).to_string()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "no_property_is_broken",
            |_, state: &Self::State| state.broken.is_empty(),
        )]
    }
}

//! How an action changes a system.

use std::time::Duration;

use super::network::Arrival;
use super::observe::{Findings, Observe, Seen};
use super::scope::{Act, Clock, Expiries};
use super::shared::Shared;
use super::{Action, Network, Place, State, System, TRACELESS};
use crate::choose::Choose;
use crate::node::{Input, Node, Output};

/// One action in progress.
pub(super) struct Step<'a, N: Node, O: Observe<N>> {
    system: &'a System<N, O>,
    pub(super) state: State<N, O::Memory>,
    choose: &'a mut dyn Choose,
    pub(super) findings: Findings,
    /// Whether the observer looks on; it need not while only the choices are counted.
    observed: bool,
}

impl<'a, N: Node, O: Observe<N>> Step<'a, N, O> {
    pub(super) fn new(
        system: &'a System<N, O>,
        state: State<N, O::Memory>,
        choose: &'a mut dyn Choose,
        observed: bool,
    ) -> Self {
        Self {
            system,
            state,
            choose,
            findings: Findings::default(),
            observed,
        }
    }

    /// Performs the action; false when it is not possible.
    pub(super) fn perform(&mut self, action: &Action<N>) -> bool {
        match action {
            Action::Connect { by, to, .. } => self.connect(*by, *to),
            Action::Refuse { by, to, .. } => {
                self.state.traffic.dials.remove(&(*by, *to));
                self.take(*by, Input::Closed(self.id(*to)), false);
                true
            }
            Action::Deliver {
                from,
                to,
                message,
                again,
                ..
            } => self.deliver(*from, *to, message, *again),
            Action::Lose { from, to, message } => {
                if self.system.losses.is_some() {
                    self.state.breaks = self.state.breaks.saturating_add(1);
                }
                self.state.traffic.unpost(*from, *to, message)
            }
            Action::Closed { node, other, .. } => {
                let closed = self.state.traffic.take(*node, *other) == Some(Arrival::Closed);
                if closed {
                    self.take(*node, Input::Closed(self.id(*other)), false);
                }
                closed
            }
            Action::Break { low, high } => {
                self.state.traffic.break_link((*low, *high));
                self.state.breaks += 1;
                true
            }
            Action::Expire { node, timer, .. } => self.expire(*node, timer),
            Action::Act { script, act, .. } => {
                self.state.scripts[*script] += 1;
                self.act(act);
                true
            }
        }
    }

    fn id(&self, place: Place) -> N::Id {
        self.system.residents[usize::from(place)].id.clone()
    }

    fn connect(&mut self, by: Place, to: Place) -> bool {
        self.state.traffic.connect(by, to);
        self.take(by, Input::Opened(self.id(to)), true);
        // The dialler may have closed at once; the other end then learns both.
        if self.state.traffic.linked(by, to) {
            self.take(to, Input::Opened(self.id(by)), false);
        }
        true
    }

    fn deliver(&mut self, from: Place, to: Place, message: &N::Message, again: bool) -> bool {
        let input = Input::Receive {
            from: self.id(from),
            message: message.clone(),
        };
        let taken = if self.system.is_linked(from, to) {
            self.state.traffic.take(to, from) == Some(Arrival::Message(message.clone()))
        } else {
            again || self.state.traffic.unpost(from, to, message)
        };
        if taken {
            self.take(to, input, false);
        }
        taken
    }

    fn expire(&mut self, node: Place, timer: &N::Timer) -> bool {
        let key = (node, timer.clone());
        let Some(passed) = self.state.timers.remove(&key) else {
            return false;
        };
        for remaining in self.state.timers.values_mut() {
            *remaining = remaining.saturating_sub(passed);
        }
        if let Expiries::Times(_) = (self.system.timers.expiries)(node, timer) {
            let count = self.state.expired.entry(key).or_insert(0);
            *count = count.saturating_add(1);
        }
        self.take(node, Input::Expire(timer.clone()), false);
        true
    }

    /// Tells the observer when nothing is under way any more.
    pub(super) fn conclude(&mut self) {
        if self.state.traffic.is_quiet() {
            self.see(&Seen::Quiet);
        }
    }

    /// Performs an act of the world.
    pub(super) fn act(&mut self, act: &Act<N::Request>) {
        match act {
            Act::Join(place, request) => {
                let node = self.system.residents[usize::from(*place)].node.clone();
                self.state.nodes[usize::from(*place)] = Some(Shared::new(node));
                self.see(&Seen::Joined(*place));
                if let Some(request) = request {
                    self.take(*place, Input::Ask(request.clone()), false);
                }
            }
            Act::Ask(place, request) => self.take(*place, Input::Ask(request.clone()), false),
            Act::Leave(place, request) => {
                if let Some(request) = request {
                    self.take(*place, Input::Ask(request.clone()), false);
                }
                self.depart(*place, false);
            }
            Act::Crash(place) => self.depart(*place, true),
        }
    }

    fn depart(&mut self, place: Place, lossy: bool) {
        if self.state.nodes[usize::from(place)].take().is_none() {
            return;
        }
        self.state.traffic.depart(place, lossy);
        if matches!(self.system.network, Network::Links { .. }) || self.system.absent_hear_nothing {
            // An answer to a question of an earlier life of the node finds nobody.
            self.state
                .traffic
                .datagrams
                .retain(|(_, to), _| *to != place);
        }
        self.state.timers.retain(|(node, _), _| *node != place);
        self.see(&Seen::Departed {
            node: place,
            crashed: lossy,
        });
    }

    /// Gives a node an input and does what it asks for; an absent node takes nothing.
    fn take(&mut self, place: Place, input: Input<N>, dialled: bool) {
        let at = usize::from(place);
        let Some(node) = &self.state.nodes[at] else {
            return;
        };
        let mut next = (**node).clone();
        self.see(&Seen::Took {
            node: place,
            input: &input,
            dialled,
        });
        let expired = match &input {
            Input::Expire(timer) => Some(timer.clone()),
            _ => None,
        };
        let mut out = Vec::new();
        match next.step(input, self.choose, &mut out) {
            Ok(()) => {
                self.state.nodes[at] = Some(Shared::new(next));
                for output in out {
                    self.see(&Seen::Did {
                        node: place,
                        output: &output,
                    });
                    self.effect(place, output);
                }
                self.see(&Seen::Stepped {
                    node: place,
                    expired: expired.as_ref(),
                });
            }
            Err(why) => {
                self.findings.tested.push(TRACELESS);
                if !out.is_empty() || self.state.nodes[at].as_deref() != Some(&next) {
                    let observed = format!("an input was refused ({why:?}) and left a trace");
                    self.findings.broken.push((TRACELESS, observed));
                }
                self.see(&Seen::Refused {
                    node: place,
                    why: &why,
                });
            }
        }
    }

    fn see(&mut self, seen: &Seen<'_, N>) {
        if self.observed {
            let (observer, findings) = (&self.system.observer, &mut self.findings);
            self.state
                .memory
                .update(|memory| observer.see(memory, seen, findings));
        }
    }

    fn effect(&mut self, place: Place, output: Output<N>) {
        match output {
            Output::Open(id) => {
                if let Some(to) = self.system.place(&id)
                    && to != place
                    && !self.standing(place, to)
                {
                    self.state.traffic.dials.insert((place, to));
                }
            }
            Output::Send { to, message } => {
                if let Some(to) = self.system.place(&to) {
                    self.send(place, to, message);
                }
            }
            Output::Close(id) => {
                if let Some(other) = self.system.place(&id) {
                    self.state.traffic.close(place, other);
                }
            }
            Output::SetTimer { timer, after } => self.set_timer(place, timer, after),
            Output::CancelTimer(timer) => {
                self.state.timers.remove(&(place, timer));
            }
            Output::Tell(_) => {}
        }
    }

    /// Whether the node's own end of a link with `other` stands.
    fn standing(&self, own: Place, other: Place) -> bool {
        let pair = (own.min(other), own.max(other));
        let at = usize::from(own > other);
        let link = self.state.traffic.links.get(&pair);
        link.is_some_and(|link| link.ends[at].fate == super::Fate::Open)
    }

    fn send(&mut self, from: Place, to: Place, message: N::Message) {
        match self.system.network {
            Network::Links { .. } if self.system.is_linked(from, to) => {
                self.state.traffic.send(from, to, message);
            }
            Network::Links { .. } => self.state.traffic.post(from, to, message, false, false),
            Network::Datagrams { .. }
                if self.system.absent_hear_nothing
                    && self.state.nodes[usize::from(to)].is_none() => {}
            Network::Datagrams {
                duplication,
                reordering,
                ..
            } => self
                .state
                .traffic
                .post(from, to, message, reordering, duplication),
        }
    }

    fn set_timer(&mut self, place: Place, timer: N::Timer, after: Duration) {
        let key = (place, timer);
        let may_expire = match (self.system.timers.expiries)(place, &key.1) {
            Expiries::Never => false,
            Expiries::Times(bound) => self.state.expired.get(&key).is_none_or(|n| *n < bound),
            Expiries::Unbounded => true,
        };
        if may_expire {
            let ticks = match self.system.timers.clock {
                Clock::Untimed => 0,
                Clock::Ticked { tick } => {
                    let ticks = after.as_nanos().div_ceil(tick.as_nanos().max(1));
                    u32::try_from(ticks).unwrap_or(u32::MAX)
                }
            };
            self.state.timers.insert(key, ticks);
        }
    }
}

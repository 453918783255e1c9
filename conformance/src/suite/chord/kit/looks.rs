//! The states of all members, and waiting until they are as they should be.

use std::time::Duration;

use peerproof_model::chord::properties::{first_wrong_list, keys_are_replicated};
use peerproof_model::chord::run_view::{Moment, Sight, Tells};
use peerproof_model::chord::view::{Finger, MemberView, RingView};
use peerproof_model::property::Judgement::{self, Broken, Holds, Unknown};
use peerproof_model::space::circle::Id;

use super::RingKit;
use super::asks::Replied;
use crate::case::Stop;
use crate::control::ring::{Reply, Request, State};
use crate::suite::chord::step::Until;

/// How often members are asked until they say the same twice.
const MOST_POLLS: usize = 4;

/// A bound is stretched for as long as the kit was kept from running, up to this many times its length.
const MOST_STRETCH: u32 = 4;

impl RingKit {
    /// Asks every member what it knows. Through the kit's network nothing is under way meanwhile, so that the answers
    /// belong together; else they are asked until they say the same twice.
    fn sight(&mut self) -> Result<Sight, Stop> {
        let mut polls = Vec::new();
        let mut tells = Tells::default();
        for _ in 0..MOST_POLLS {
            let (ring, tell) = self.poll()?;
            tells = tell;
            if self.carries_messages() || polls.last() == Some(&ring) {
                polls = vec![ring];
                break;
            }
            polls.push(ring);
            self.rest(self.ground.period / 2)?;
        }
        Ok(Sight {
            at: self.now(),
            polls,
            tells,
        })
    }

    fn poll(&mut self) -> Result<(RingView<Id>, Tells), Stop> {
        if self.carries_messages() {
            self.fleet()?.hold()?;
        }
        let states = self.states();
        if self.carries_messages() {
            self.fleet()?.release()?;
        }
        let states = states?;
        let all = |told: fn(&State) -> bool| !states.is_empty() && states.iter().all(told);
        let tells = Tells {
            predecessors: all(|state| state.predecessor.is_some()),
            fingers: all(|state| state.fingers.is_some()),
            keys: all(|state| state.keys.is_some()),
        };
        let mut ring = RingView::default();
        for state in states.into_iter().filter(|state| state.member) {
            ring.members.insert(Id::from(state.id), said(state));
        }
        Ok((ring, tells))
    }

    fn states(&mut self) -> Result<Vec<State>, Stop> {
        let mut open = Vec::new();
        for node in self.members() {
            open.push(self.ask(node, &Request::State)?);
        }
        let mut states = Vec::new();
        for asked in open {
            if let Replied::Ok(Reply::StateOk(state)) = self.reply(asked)? {
                states.push(state);
            }
        }
        Ok(states)
    }

    /// What a sight says about what is waited for.
    fn is_there(&self, sight: &Sight, until: Until) -> Judgement {
        let order = self.view.is_in_order(sight);
        if order != Holds {
            return order;
        }
        match until {
            Until::Neighbours => Holds,
            Until::Lists => sight
                .judge(|ring| first_wrong_list(ring, self.view.successors).map_or(Holds, Broken)),
            Until::Fingers => self.view.has_right_fingers(sight),
            Until::Keys if sight.tells.keys => sight.judge(|ring| {
                let ring = self.view.with_keys(sight, ring);
                match ring.filter(|ring| !ring.stored.is_empty()) {
                    Some(ring) if self.view.replicas == 1 => only_at_owners(&ring),
                    Some(ring) => keys_are_replicated(&ring),
                    None => Holds,
                }
            }),
            Until::Keys => Unknown,
        }
    }

    /// Waits until the ring is as it should be, or has had the time for it.
    pub(super) fn settle(&mut self, until: Until) -> Result<(), Stop> {
        if self.members().is_empty() {
            return Ok(());
        }
        let bound = match until {
            Until::Neighbours | Until::Lists => self.view.bounds.settle,
            Until::Fingers => self.view.bounds.fingers,
            Until::Keys => self.view.bounds.keys,
        };
        let began = std::time::Instant::now();
        loop {
            let sight = self.sight()?;
            let due = self.is_due(began, bound)?;
            if due || self.is_there(&sight, until) == Holds {
                self.view.sights.push(sight);
                break;
            }
            self.rest(self.ground.period / 2)?;
        }
        self.confirm()
    }

    /// Whether the ring has been quiet for the bound, and for as long as the kit or a node was kept from running.
    fn is_due(&mut self, began: std::time::Instant, bound: Duration) -> Result<bool, Stop> {
        let quiet = self.quiet_for();
        let lost = self.fleet()?.lost_since(began);
        if quiet >= bound.saturating_mul(MOST_STRETCH) && quiet < bound + lost {
            return Err(Stop::Overloaded(format!(
                "the machine kept the kit or a node waiting for {} ms while the ring had to become ideal",
                lost.as_millis()
            )));
        }
        Ok(quiet >= bound + lost)
    }

    /// Lookups that bear out what the members have said: of every member's point and the one after it.
    fn confirm(&mut self) -> Result<(), Stop> {
        let members = self.members();
        let last = (1_u64 << self.shape.bits) - 1;
        let mut lookups = Vec::new();
        for (at, node) in members.iter().enumerate() {
            let after = if *node == last { 0 } else { node + 1 };
            let other = |step: usize| members[(at + step) % members.len()];
            lookups.extend([(other(1), *node), (other(2), after)]);
        }
        self.lookups(&lookups)
    }

    /// Notes what the members say now.
    pub(super) fn look_once(&mut self) -> Result<(), Stop> {
        let sight = self.sight()?;
        self.view.sights.push(sight);
        Ok(())
    }

    /// Whether the last sight had such a thing in it.
    pub(crate) fn demand(&self, what: &str, told: fn(&Tells) -> bool) -> Result<(), Stop> {
        match self.view.sights.last() {
            Some(sight) if !told(&sight.tells) => Err(Stop::Unimplemented(format!(
                "the node does not tell its {what}"
            ))),
            _ => Ok(()),
        }
    }

    /// Since when the view is quiet, for a report.
    pub(super) fn since(&self, moment: Moment) -> Duration {
        self.now().saturating_sub(moment)
    }
}

/// Every key is with its owner, and with nobody else.
fn only_at_owners(ring: &RingView<Id>) -> Judgement {
    use peerproof_model::chord::view::{Equipped as _, Ring as _};
    let stray = ring.stored.iter().any(|key| {
        let owner = ring.owner(*key);
        ring.members()
            .any(|member| ring.keeps(member, *key) != (Some(member) == owner))
    });
    if stray { Unknown } else { Holds }
}

fn said(state: State) -> MemberView<Id> {
    let fingers = state.fingers.unwrap_or_default();
    MemberView {
        successors: state.successors.into_iter().map(Id::from).collect(),
        predecessor: state.predecessor.flatten().map(Id::from),
        fingers: fingers
            .into_iter()
            .map(|finger| Finger {
                start: Id::from(finger.start),
                node: finger.node.map(Id::from),
            })
            .collect(),
        keys: state.keys.into_iter().flatten().map(Id::from).collect(),
    }
}

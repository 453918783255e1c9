//! Everything that a node refuses, in one place: the handlers cannot fail.

use super::{ChordNode, Errand, Phase, Rejected, Request, Timer};
use crate::chord::message::{Answer, Entry, Message, Query};
use crate::chord::mutant::Mutant;
use crate::node::Input;
use crate::space::circle::Id;

impl ChordNode {
    /// Whether the input can happen now.
    pub(super) fn admit(&self, input: &Input<Self>) -> Result<(), Rejected> {
        match input {
            Input::Opened(_) | Input::Closed(_) => Err(Rejected::NoConnections),
            Input::Receive { from, message } => self.admit_message(*from, message),
            Input::Expire(timer) => self.admit_timer(*timer),
            Input::Ask(request) => self.admit_request(request),
        }
    }

    fn admit_request(&self, request: &Request) -> Result<(), Rejected> {
        match request {
            Request::Create | Request::Join(_) if self.phase != Phase::Out => {
                return Err(Rejected::TakesPart);
            }
            Request::Create => return Ok(()),
            Request::Join(via) => {
                self.on_circle(*via)?;
                return self.is_another(*via);
            }
            _ if !self.is_member() => return Err(Rejected::NotAMember),
            Request::Start | Request::Leave => return Ok(()),
            Request::Find(key) | Request::Get(key) | Request::Delete(key) => {
                self.on_circle(*key)?;
            }
            Request::Put(key, value) => {
                self.on_circle(*key)?;
                self.fits(Some(value))?;
            }
        }
        let errand = match request {
            Request::Put(key, _) => Errand::Put(*key),
            Request::Get(key) => Errand::Get(*key),
            Request::Delete(key) => Errand::Delete(*key),
            Request::Find(key) => Errand::Find(*key),
            _ => return Ok(()),
        };
        if self.errands.contains_key(&errand) {
            return Err(Rejected::UnderWay(errand));
        }
        self.at_most(
            "errands",
            self.errands.len() + 1,
            self.config().most_errands,
        )
    }

    fn admit_timer(&self, timer: Timer) -> Result<(), Rejected> {
        let set = match timer {
            Timer::Stabilize => self.is_member() && self.round.is_none(),
            Timer::CheckPredecessor | Timer::FixFingers | Timer::Repair => self.is_member(),
            Timer::Round => self.is_member() && self.round.is_some(),
            Timer::Check => self.is_member() && self.check.is_some(),
            Timer::Errand(errand) => self.errands.contains_key(&errand),
            Timer::Handover(to) => self.handovers.contains_key(&to),
        };
        if set {
            Ok(())
        } else {
            Err(Rejected::NotSet(timer))
        }
    }

    fn admit_message(&self, from: Id, message: &Message) -> Result<(), Rejected> {
        if self.phase == Phase::Out {
            return Err(Rejected::NotAMember);
        }
        self.on_circle(from)?;
        self.is_another(from)?;
        for point in message.points() {
            self.on_circle(point)?;
        }
        match message {
            Message::Answer { tag, answer } => self.admit_answer(from, *tag, answer),
            _ if !self.is_member() => Err(Rejected::NotAMember),
            Message::Query { query, .. } => self.admit_query(query),
            Message::Relay { origin, hops, .. } => {
                self.is_another(*origin)?;
                let most = self.config().most_hops;
                self.at_most("hops", *hops as usize, most as usize)
            }
            Message::Notify => Ok(()),
            Message::UpdateFinger { finger, .. } => {
                if *finger < self.config().circle.bits() {
                    Ok(())
                } else {
                    Err(Rejected::NoSuchFinger(*finger))
                }
            }
            Message::Goodbye { successors, .. } => self.is_a_list(successors),
        }
    }

    fn admit_query(&self, query: &Query) -> Result<(), Rejected> {
        match query {
            Query::Route { failed, .. } => {
                // One more than a lookup goes round: the last one is still named.
                let most = self.config().most_failed + 1;
                self.at_most("failed nodes", failed.len(), most)
            }
            Query::Neighbours | Query::Ping | Query::Fetch { .. } => Ok(()),
            Query::Store { key, value } => {
                self.fits(value.as_ref())?;
                self.has_room(*key)
            }
            Query::Hold { entries, .. } => self.admit_entries(entries),
        }
    }

    /// Whether another write of that key has room.
    pub(super) fn has_room(&self, key: Id) -> Result<(), Rejected> {
        let new = usize::from(!self.store.contains_key(&key));
        self.at_most("entries", self.store.len() + new, self.config().most_keys)?;
        let new = usize::from(!self.writes.contains_key(&key));
        self.at_most(
            "writes",
            self.writes.len() + new,
            self.config().most_errands,
        )
    }

    fn admit_entries(&self, entries: &[Entry]) -> Result<(), Rejected> {
        self.at_most("entries", entries.len(), self.config().most_keys)?;
        for entry in entries {
            self.fits(entry.value.as_ref())?;
        }
        let new = entries
            .iter()
            .filter(|entry| !self.store.contains_key(&entry.key));
        let all = self.store.len() + new.count();
        self.at_most("entries", all, self.config().most_keys)
    }

    fn admit_answer(&self, from: Id, tag: u32, answer: &Answer) -> Result<(), Rejected> {
        let unasked = || Rejected::Unasked(from);
        match answer {
            Answer::Neighbours { successors, .. } => {
                self.is_a_list(successors)?;
                if self.round_waits(from, tag) {
                    return Ok(());
                }
                self.errand_for(from, tag, answer)
                    .map(|_| ())
                    .ok_or_else(unasked)
            }
            Answer::Alive => {
                let any = self.is(Mutant::AnyAnswerWill);
                let asked = |check: super::Check| check.of == from && (any || check.tag == tag);
                self.check
                    .filter(|check| asked(*check))
                    .map(|_| ())
                    .ok_or_else(unasked)
            }
            Answer::Held { entries } => {
                self.at_most("entries", entries.len(), self.config().most_keys)?;
                if self.waits_for_holder(from, entries) {
                    Ok(())
                } else {
                    Err(unasked())
                }
            }
            answer => {
                if let Answer::Owner { successors, .. } = answer {
                    self.is_a_list(successors)?;
                }
                if let Answer::Fetched { value, .. } = answer {
                    self.fits(value.as_ref())?;
                }
                let errand = self.errand_for(from, tag, answer).ok_or_else(unasked)?;
                match self.errand(errand) {
                    Some(lookup) => self.follows(lookup, from, answer),
                    None => Err(unasked()),
                }
            }
        }
    }

    fn on_circle(&self, point: Id) -> Result<(), Rejected> {
        let there = self.config().circle.from_bytes(point.to_bytes()).is_ok();
        if there {
            Ok(())
        } else {
            Err(Rejected::OffTheCircle(point))
        }
    }

    fn is_another(&self, node: Id) -> Result<(), Rejected> {
        if node == self.id() {
            Err(Rejected::Itself)
        } else {
            Ok(())
        }
    }

    fn is_a_list(&self, successors: &[Id]) -> Result<(), Rejected> {
        self.at_most("successors", successors.len(), self.config().successors)
    }

    fn fits(&self, value: Option<&Vec<u8>>) -> Result<(), Rejected> {
        let length = value.map_or(0, Vec::len);
        self.at_most("bytes of a value", length, self.config().longest_value)
    }

    fn at_most(&self, what: &'static str, count: usize, most: usize) -> Result<(), Rejected> {
        if count <= most {
            Ok(())
        } else {
            Err(Rejected::TooMany { what, count, most })
        }
    }
}

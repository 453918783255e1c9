//! Lookups, puts, gets and deletes.

use peerproof_model::chord::run_view::{Asked, End, Found, Moment, Write};
use peerproof_model::space::circle::Id;

use super::RingKit;
use super::asks::Replied;
use crate::case::Stop;
use crate::control::ErrorCode;
use crate::control::ring::{Reply, Request};

/// Lookups that are open at a time.
const AT_ONCE: usize = 48;

/// How often a node may say "later" in a ring that is in order.
const MOST_REFUSALS: u32 = 10;

impl RingKit {
    /// Lookups at the same time; who says "later" is asked again.
    pub(super) fn lookups(&mut self, wanted: &[(u64, u64)]) -> Result<(), Stop> {
        for some in wanted.chunks(AT_ONCE) {
            let mut wanted = some.to_vec();
            for turn in 0..=MOST_REFUSALS {
                let last = turn == MOST_REFUSALS;
                wanted = self.look_up(&wanted, last)?;
                if wanted.is_empty() {
                    break;
                }
                self.rest(self.ground.period)?;
            }
        }
        Ok(())
    }

    /// Asks them all, then hears them all; what was refused, unless it is the last time.
    fn look_up(&mut self, wanted: &[(u64, u64)], last: bool) -> Result<Vec<(u64, u64)>, Stop> {
        let mut open = Vec::new();
        for (node, key) in wanted {
            if self.is_member(*node) {
                let at = self.now();
                let asked = self.ask(*node, &Request::Lookup { key: *key })?;
                open.push((*node, *key, at, asked));
            }
        }
        let mut refused = Vec::new();
        for (node, key, at, asked) in open {
            let replied = self.reply(asked)?;
            if !last && matches!(replied, Replied::Refused { .. }) {
                refused.push((node, key));
                continue;
            }
            let end = self.end(replied, |reply| match reply {
                Reply::LookupOk(lookup) => Some(Found {
                    owner: Id::from(lookup.owner),
                    hops: lookup.hops,
                    path: lookup
                        .path
                        .map(|path| path.into_iter().map(Id::from).collect()),
                }),
                _ => None,
            });
            self.view.lookups.push(asked_of(node, key, at, end));
        }
        Ok(refused)
    }

    /// What came of a question, for the view.
    fn end<A>(&self, replied: Replied, read: impl Fn(Reply) -> Option<A>) -> End<A> {
        let at = self.now();
        let why = replied.why();
        match replied {
            Replied::Ok(reply) => read(reply).map_or(End::Open, |answer| End::Answered(at, answer)),
            Replied::Refused { code, .. } => End::Refused {
                at,
                definite: code.is_definite(),
                why,
            },
            Replied::Silent(_) => End::Silent(at),
            Replied::Gone(_) => End::Open,
        }
    }

    pub(super) fn lookups_from_all(&mut self, keys: &[u64]) -> Result<(), Stop> {
        let members = self.members();
        let wanted: Vec<(u64, u64)> = members
            .iter()
            .flat_map(|node| keys.iter().map(|key| (*node, *key)))
            .collect();
        self.lookups(&wanted)
    }

    pub(super) fn glance(&mut self, node: u64, keys: &[u64]) -> Result<(), Stop> {
        let wanted: Vec<(u64, u64)> = keys.iter().map(|key| (node, *key)).collect();
        self.look_up(&wanted, true)?;
        Ok(())
    }

    /// Whether lookups told such a thing.
    pub(crate) fn demand_of_lookups(
        &self,
        what: &str,
        told: fn(&Found) -> bool,
    ) -> Result<(), Stop> {
        let mut answers = self.view.lookups.iter().filter_map(Asked::answer);
        if answers.clone().next().is_some() && !answers.any(|(_, found)| told(found)) {
            return Err(Stop::Unimplemented(format!(
                "the node does not tell the {what} of a lookup"
            )));
        }
        Ok(())
    }

    /// Puts or deletes; who says "later" is asked again.
    pub(super) fn put(&mut self, node: u64, key: u64, value: Option<&str>) -> Result<(), Stop> {
        if !self.is_member(node) {
            return Ok(());
        }
        for turn in 0..=MOST_REFUSALS {
            let at = self.now();
            let replied = self.call(node, &write(key, value))?;
            let again = matches!(replied, Replied::Refused { .. }) && turn < MOST_REFUSALS;
            let end = match self.end(replied, |_| Some(())) {
                End::Refused { definite: true, .. } if again => None,
                End::Refused { .. } if again => Some(End::Open),
                end => Some(end),
            };
            if let Some(end) = end {
                self.note_write(node, key, value, at, end);
            }
            if !again {
                break;
            }
            self.rest(self.ground.period)?;
        }
        Ok(())
    }

    /// Puts, and waits for two periods only: it may happen, or not.
    pub(super) fn put_in_vain(&mut self, node: u64, key: u64, value: &str) -> Result<(), Stop> {
        if !self.is_member(node) {
            return Ok(());
        }
        let at = self.now();
        let open = self.ask(node, &write(key, Some(value)))?;
        self.rest(self.ground.period * 2)?;
        let acknowledged = self.has_answered(&open)?;
        let end = if acknowledged {
            let replied = self.reply(open)?;
            self.end(replied, |_| Some(()))
        } else {
            End::Open
        };
        self.note_write(node, key, Some(value), at, end);
        Ok(())
    }

    fn note_write(&mut self, node: u64, key: u64, value: Option<&str>, at: Moment, end: End<()>) {
        self.view.writes.push(Write {
            asked: asked_of(node, key, at, end),
            value: value.map(str::to_owned),
        });
    }

    /// One read; whether it found what it may find.
    fn read(&mut self, node: u64, key: u64) -> Result<(Asked<Option<String>>, bool), Stop> {
        let at = self.now();
        let replied = match self.call(node, &Request::Get { key })? {
            Replied::Refused {
                code: ErrorCode::KEY_DOES_NOT_EXIST,
                ..
            } => End::Answered(self.now(), None),
            replied => self.end(replied, |reply| match reply {
                Reply::GetOk { value } => Some(Some(value)),
                _ => None,
            }),
        };
        let asked = asked_of(node, key, at, replied);
        let possible = self.view.possible_values(Id::from(key), at, self.now());
        let right = asked
            .answer()
            .is_some_and(|(_, found)| possible.contains(&found.as_deref()));
        Ok((asked, right))
    }

    /// Reads until what may be found is found, or the ring has had the time for it.
    pub(super) fn get(&mut self, node: u64, key: u64) -> Result<(), Stop> {
        loop {
            if !self.is_member(node) {
                return Ok(());
            }
            let (read, right) = self.read(node, key)?;
            if right || self.view.is_settled_with_keys(read.at, self.now()) {
                self.view.reads.push(read);
                return Ok(());
            }
            self.rest(self.ground.period)?;
        }
    }

    pub(super) fn get_from_all(&mut self, key: u64) -> Result<(), Stop> {
        for node in self.members() {
            self.get(node, key)?;
        }
        Ok(())
    }

    /// Reads by way of one member after the other for so many periods.
    pub(super) fn watch(&mut self, key: u64, periods: u32) -> Result<(), Stop> {
        let began = self.now();
        let mut turn = 0;
        while self.since(began) < self.ground.period * periods {
            let members = self.members();
            let Some(node) = members.get(turn % members.len().max(1)).copied() else {
                return Ok(());
            };
            turn += 1;
            let (read, right) = self.read(node, key)?;
            self.view.reads.push(read);
            if !right {
                return Ok(());
            }
            self.rest(self.ground.period)?;
        }
        Ok(())
    }
}

fn write(key: u64, value: Option<&str>) -> Request {
    match value {
        Some(value) => Request::Put {
            key,
            value: value.to_owned(),
        },
        None => Request::Delete { key },
    }
}

fn asked_of<A>(node: u64, key: u64, at: Moment, end: End<A>) -> Asked<A> {
    let (node, key) = (Id::from(node), Id::from(key));
    Asked { node, key, at, end }
}

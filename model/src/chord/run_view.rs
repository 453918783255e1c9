//! What an observer of a run knows: who was a member when, what was asked and answered, and what the members said
//! of themselves at moments at which that can be believed.
//!
//! Nodes of other processes are seen from outside, so that most of what happens has no moment but a time within
//! which it happened. The facts of [`super::properties::run`] are asked of this view, and take the side of the node
//! wherever the view leaves a doubt.

use std::collections::BTreeSet;
use std::time::Duration;

use super::properties::{fingers_are_right, first_wrong_neighbour, keys_are_replicated};
use super::view::{Equipped as _, Ring, RingView};
use crate::property::Judgement::{self, Broken, Holds};
use crate::space::circle::{Circle, Id, between_or_first};

/// Since the run began.
pub type Moment = Duration;

/// A run, as far as it was seen.
#[derive(Clone, Debug)]
pub struct RunView {
    /// The circle.
    pub circle: Circle,
    /// The length that successor lists were told to have.
    pub successors: usize,
    /// On how many nodes a key is kept, its owner included.
    pub replicas: usize,
    /// How long repairs may take.
    pub bounds: Bounds,
    /// Whether messages between nodes may be lost: who then gives up a lookup, or takes a live node for dead, breaks
    /// nothing.
    pub lossy: bool,
    /// Who was a member when, in the order of asking.
    pub stays: Vec<Stay>,
    /// When some nodes could not reach others.
    pub partitions: Vec<Partition>,
    /// What all members said of themselves.
    pub sights: Vec<Sight>,
    /// What newcomers said first.
    pub first_words: Vec<FirstWords>,
    /// Lookups.
    pub lookups: Vec<Asked<Found>>,
    /// Puts and deletes.
    pub writes: Vec<Write>,
    /// Gets: the value, or that there is none.
    pub reads: Vec<Asked<Option<String>>>,
    /// What nodes did that no node may do, whatever the ring is like: who, when, and what in one sentence.
    pub faults: Vec<(Id, Moment, String)>,
}

/// How long repairs may take after the last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Until every member has the right neighbours.
    pub settle: Duration,
    /// Until every finger is right.
    pub fingers: Duration,
    /// Until every key is where it belongs.
    pub keys: Duration,
    /// How long a node must be silent before anybody may take it for dead.
    pub failure: Duration,
}

impl Bounds {
    /// The bounds of a ring of so many members on such a circle.
    pub fn of(
        members: usize,
        successors: usize,
        bits: u32,
        period: Duration,
        timeout: Duration,
    ) -> Self {
        let rounds = |count: u32| period.saturating_mul(count);
        let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        // Dead entries are found one after the other.
        let deaths = timeout.saturating_mul(small(successors).saturating_add(1));
        let settle = rounds(settling_rounds(members, successors)).saturating_add(deaths);
        Self {
            settle,
            fingers: settle.saturating_add(rounds(finger_rounds(bits))),
            keys: settle.saturating_add(rounds(settling_rounds(members, successors))),
            failure: timeout,
        }
    }
}

/// After how many rounds of stabilization a ring without changes has the right neighbours.
///
/// A round brings a wrong successor at least one member nearer, because its predecessor has been notified in the
/// round before; of n nodes that join at one place the farthest needs n such pairs of rounds. A list of r entries is
/// copied one entry a round. Twice that is allowed, as rounds of different nodes are not in step.
pub fn settling_rounds(members: usize, successors: usize) -> u32 {
    let rounds = members.saturating_add(successors).saturating_mul(4);
    u32::try_from(rounds).unwrap_or(u32::MAX)
}

/// After how many further rounds every finger was looked up, with one a round.
///
/// Who takes them in turn needs one round for each bit. Who takes one by chance, as the paper does, has missed one
/// of m after 14 m rounds with a probability of m e^-14, less than one in 100,000.
pub fn finger_rounds(bits: u32) -> u32 {
    bits.saturating_mul(14)
}

/// The time in which a node may have been a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    /// Who.
    pub node: Id,
    /// When it was asked to join.
    pub asked: Moment,
    /// When it said that it is a member.
    pub joined: Option<Moment>,
    /// When it was asked to leave.
    pub leaves: Option<Moment>,
    /// When it was gone, and how.
    pub gone: Option<(Moment, Gone)>,
    /// What it answered last, if it never became a member.
    pub refusal: Option<String>,
}

/// How a stay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// It said that it has left.
    Left,
    /// It crashed, and nobody was told.
    Crashed,
    /// It never became a member, in all the time that it had.
    Refused,
}

/// A time in which some nodes could not reach others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// From when.
    pub from: Moment,
    /// Until when.
    pub until: Option<Moment>,
    /// Who could reach whom.
    pub sides: Vec<BTreeSet<Id>>,
}

/// What all members said of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// When the last of them spoke.
    pub at: Moment,
    /// One ring where it was so at one moment: the members said the same twice, or no message was under way.
    /// Several where they said something else each time: then nobody knows which of them ever was.
    pub polls: Vec<RingView<Id>>,
    /// What they tell at all.
    pub tells: Tells,
}

/// Which parts of their state all members tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tells {
    /// Their predecessors.
    pub predecessors: bool,
    /// Their fingers.
    pub fingers: bool,
    /// Their keys.
    pub keys: bool,
}

/// What a newcomer said first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstWords {
    /// Who.
    pub node: Id,
    /// When.
    pub at: Moment,
    /// The member through which it was to join.
    pub introducer: Option<Id>,
    /// Whether anybody can have told it anything.
    pub heard: bool,
    /// Whether it says that it is a member.
    pub member: bool,
    /// Its predecessor: not told, none, or that one.
    pub predecessor: Option<Option<Id>>,
    /// Its first successor.
    pub successor: Option<Id>,
    /// Every node that it names.
    pub named: BTreeSet<Id>,
}

/// Something that was asked of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked<A> {
    /// Whom.
    pub node: Id,
    /// About which key.
    pub key: Id,
    /// When.
    pub at: Moment,
    /// What came of it.
    pub end: End<A>,
}

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End<A> {
    /// Nobody knows: it is still open, or the node is gone.
    Open,
    /// An answer.
    Answered(Moment, A),
    /// The node says that it did not, or perhaps did not, happen.
    Refused {
        /// When.
        at: Moment,
        /// Whether it certainly did not happen.
        definite: bool,
        /// In the node's words.
        why: String,
    },
    /// No answer within all the time that the node has.
    Silent(Moment),
}

/// A change of what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// What was asked.
    pub asked: Asked<()>,
    /// The value; none: the key was to be deleted.
    pub value: Option<String>,
}

/// The answer to a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The first member at or clockwise of the key.
    pub owner: Id,
    /// How often the lookup was passed on, if the node says so.
    pub hops: Option<u32>,
    /// Whom it visited, if the node says so.
    pub path: Option<Vec<Id>>,
}

impl<A> Asked<A> {
    /// The answer, with its moment.
    pub fn answer(&self) -> Option<(Moment, &A)> {
        match &self.end {
            End::Answered(at, answer) => Some((*at, answer)),
            _ => None,
        }
    }

    /// When it was over; nothing while it is open.
    pub fn over(&self) -> Option<Moment> {
        match &self.end {
            End::Open => None,
            End::Answered(at, _) | End::Refused { at, .. } | End::Silent(at) => Some(*at),
        }
    }

    /// Why there is no answer although it is over, in words.
    pub fn unanswered(&self) -> Option<String> {
        match &self.end {
            End::Refused { why, .. } => Some(format!("is refused: {why}")),
            End::Silent(_) => Some("is not answered".to_owned()),
            End::Open | End::Answered(..) => None,
        }
    }
}

impl Sight {
    /// What is true of the ring that was: where nobody knows which of several it was, every one is asked.
    pub fn judge(&self, fact: impl Fn(&RingView<Id>) -> Judgement) -> Judgement {
        let judgements = self.polls.iter().map(fact);
        judgements
            .reduce(Judgement::either)
            .unwrap_or(Judgement::Unknown)
    }
}

impl RunView {
    /// An empty run.
    pub fn new(circle: Circle, successors: usize, replicas: usize, bounds: Bounds) -> Self {
        Self {
            circle,
            successors,
            replicas,
            bounds,
            lossy: false,
            stays: Vec::new(),
            partitions: Vec::new(),
            sights: Vec::new(),
            first_words: Vec::new(),
            lookups: Vec::new(),
            writes: Vec::new(),
            reads: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The times in which who is a member, or who reaches whom, changed; without an end when it still changes.
    fn changes(&self) -> impl Iterator<Item = (Moment, Option<Moment>)> + '_ {
        let stays = self.stays.iter().flat_map(|stay| {
            let refused = stay.gone.filter(|(_, how)| *how == Gone::Refused);
            let begins = (stay.asked, stay.joined.or(refused.map(|(at, _)| at)));
            let ended = stay.gone.map(|(at, _)| at);
            let ends = match stay.leaves {
                Some(leaves) => Some((leaves, ended)),
                None => ended.map(|at| (at, Some(at))),
            };
            std::iter::once(begins).chain(ends)
        });
        let partitions = self.partitions.iter().map(|it| (it.from, it.until));
        stays.chain(partitions)
    }

    /// For how long nothing had changed at that moment: nothing while something changes.
    pub fn quiet_at(&self, at: Moment) -> Duration {
        let mut last = Moment::ZERO;
        for (from, until) in self.changes().filter(|(from, _)| *from <= at) {
            last = last.max(from);
            match until {
                Some(until) if until <= at => last = last.max(until),
                _ => return Duration::ZERO,
            }
        }
        at.saturating_sub(last)
    }

    /// Whether nothing changes from one moment to the other.
    pub fn is_quiet(&self, from: Moment, until: Moment) -> bool {
        let moves = |(begins, ends): (Moment, Option<Moment>)| {
            begins <= until && ends.is_none_or(|ends| ends > from)
        };
        !self.changes().any(moves)
    }

    /// The members at a moment, for certain: they have said so, and were neither asked to leave nor are they gone.
    pub fn members_at(&self, at: Moment) -> BTreeSet<Id> {
        let there = self.stays.iter().filter(|stay| {
            let ends = stay.leaves.into_iter().chain(stay.gone.map(|gone| gone.0));
            stay.joined.is_some_and(|joined| joined <= at) && ends.min().is_none_or(|end| end > at)
        });
        there.map(|stay| stay.node).collect()
    }

    /// Whether the ring of a sight has exactly the members that there are, each between its neighbours.
    pub fn is_in_order(&self, sight: &Sight) -> Judgement {
        let members = self.members_at(sight.at);
        sight.judge(|ring| {
            if let Some(silent) = members.iter().find(|member| !ring.is_member(**member)) {
                return Broken(format!("{silent} does not say that it is a member"));
            }
            if let Some(stranger) = ring.members().find(|member| !members.contains(member)) {
                return Broken(format!("{stranger} says that it is a member"));
            }
            first_wrong_neighbour(ring, sight.tells.predecessors).map_or(Holds, Broken)
        })
    }

    /// Whether every member of a ring in order has a finger for each bit of the circle, and each is the first member
    /// at or clockwise of where it begins.
    pub fn has_right_fingers(&self, sight: &Sight) -> Judgement {
        match self.is_in_order(sight) {
            // Fingers follow from who is there; without order nobody can say what is right.
            Holds if sight.tells.fingers => sight.judge(|ring| match self.missing_finger(ring) {
                Some(missing) => Broken(missing),
                None => fingers_are_right(ring),
            }),
            Holds => Judgement::Unknown,
            other => other,
        }
    }

    fn missing_finger(&self, ring: &RingView<Id>) -> Option<String> {
        ring.members().find_map(|member| {
            let begins = |exponent| self.circle.add_power(member, exponent);
            let is_set = |start: Id| {
                ring.fingers(member)
                    .any(|finger| finger.start == start && finger.node.is_some())
            };
            let mut starts = (0..self.circle.bits()).map(begins);
            let missing = starts.find(|start| !is_set(*start))?;
            Some(format!("{member} has no finger from {missing} on"))
        })
    }

    /// The first moment after a change at which a sight shows a fact, or at which the time for it is over.
    fn shown_from(
        &self,
        changed: Moment,
        bound: Duration,
        fact: impl Fn(&Sight) -> Judgement,
    ) -> Moment {
        let seen = self.sights.iter().filter(|sight| sight.at >= changed);
        let shown = seen.filter(|sight| fact(sight) == Holds);
        let latest = changed.saturating_add(bound);
        let earliest = shown.map(|sight| sight.at).min();
        earliest.map_or(latest, |seen| seen.min(latest))
    }

    /// From when on everybody may be expected to know of a change that ended at that moment.
    fn known_from(&self, changed: Moment) -> Moment {
        self.shown_from(changed, self.bounds.settle, |sight| self.is_in_order(sight))
    }

    /// The ring of a sight with what was stored by then, where its members tell of their keys.
    pub fn with_keys(&self, sight: &Sight, ring: &RingView<Id>) -> Option<RingView<Id>> {
        sight.tells.keys.then(|| RingView {
            stored: self.stored_at(sight.at),
            replication: self.replicas,
            ..ring.clone()
        })
    }

    /// From when on every key may be expected to be where it belongs.
    fn kept_from(&self, changed: Moment) -> Moment {
        self.shown_from(changed, self.bounds.keys, |sight| {
            let kept = |ring: &RingView<Id>| {
                let ring = self.with_keys(sight, ring);
                ring.map_or(Judgement::Unknown, |ring| keys_are_replicated(&ring))
            };
            match self.is_in_order(sight) {
                Holds => sight.judge(kept),
                other => other,
            }
        })
    }

    /// From when on every finger may be expected to be right.
    fn pointed_from(&self, changed: Moment) -> Moment {
        let right = |sight: &Sight| self.has_right_fingers(sight);
        self.shown_from(changed, self.bounds.fingers, right)
    }

    /// Whether every member had to have the right neighbours at `from`, and nothing changed until `until`.
    pub fn is_settled(&self, from: Moment, until: Moment) -> bool {
        self.is_repaired(from, until, |changed| self.known_from(changed))
    }

    /// The same, and every key had to be where it belongs.
    pub fn is_settled_with_keys(&self, from: Moment, until: Moment) -> bool {
        self.is_repaired(from, until, |changed| self.kept_from(changed))
    }

    /// The same, and every finger had to be right.
    pub fn is_settled_with_fingers(&self, from: Moment, until: Moment) -> bool {
        self.is_repaired(from, until, |changed| self.pointed_from(changed))
    }

    fn is_repaired(
        &self,
        from: Moment,
        until: Moment,
        repaired: impl Fn(Moment) -> Moment,
    ) -> bool {
        let changed = from.saturating_sub(self.quiet_at(from));
        self.is_quiet(from, until) && repaired(changed) <= from
    }

    /// Whether `node` owns the key under some membership that was in force between the two moments.
    ///
    /// A member counts as such from when it was asked to join until everybody may be expected to know that it is
    /// gone. Between it and the key there must be nobody of whom everybody had to know all the time.
    pub fn can_own(&self, node: Id, key: Id, from: Moment, until: Moment) -> bool {
        let maybe = |stay: &&Stay| {
            let gone = stay.gone.filter(|(_, how)| *how != Gone::Refused);
            let heard = gone.is_none_or(|(at, _)| self.known_from(at) >= from);
            stay.node == node && stay.asked <= until && heard
        };
        let passed_over = |stay: &Stay| {
            let ends = stay.leaves.into_iter().chain(stay.gone.map(|gone| gone.0));
            stay.node != node
                && stay.joined.is_some_and(|at| self.known_from(at) <= from)
                && ends.min().is_none_or(|end| end > until)
                && key != node
                && between_or_first(key, stay.node, node)
        };
        self.stays.iter().any(|stay| maybe(&stay)) && !self.stays.iter().any(passed_over)
    }

    /// Every moment at which a member crashed.
    pub fn crashes(&self) -> impl Iterator<Item = (Moment, Id)> + '_ {
        self.stays.iter().filter_map(|stay| match stay.gone {
            Some((at, Gone::Crashed)) if stay.joined.is_some() => Some((at, stay.node)),
            _ => None,
        })
    }

    /// Whether so many members crashed up to `until` before the ring could repair itself that it may have lost what
    /// it was told: as many as keep a key, or as a list has entries.
    pub fn too_many_crashed(&self, until: Moment) -> bool {
        let most = self.replicas.min(self.successors).max(1);
        let crashes: Vec<Moment> = self.crashes().map(|(at, _)| at).collect();
        crashes
            .iter()
            .filter(|first| **first <= until)
            .any(|first| {
                let end = self.kept_from(*first).min(until);
                let at_once = crashes.iter().filter(|at| *at >= first && **at <= end);
                at_once.count() >= most
            })
    }

    /// What a read of the key between the two moments may find. A write that is not over may happen at any later
    /// time; one that was acknowledged is over for good, and what came before it is gone.
    pub fn possible_values(&self, key: Id, from: Moment, until: Moment) -> Vec<Option<&str>> {
        let writes = || self.writes.iter().filter(|write| write.asked.key == key);
        let acknowledged = |write: &&Write| {
            let end = write.asked.answer().map(|(at, ())| at);
            end.filter(|at| *at <= from)
        };
        // Whoever was asked for before this had happened is overwritten.
        let last = writes()
            .filter(|write| acknowledged(write).is_some())
            .map(|write| write.asked.at)
            .max();
        let is_possible = |write: &&Write| {
            let never = matches!(write.asked.end, End::Refused { definite: true, .. });
            let overwritten = acknowledged(write).is_some_and(|at| last.is_some_and(|l| at < l));
            write.asked.at <= until && !never && !overwritten
        };
        let mut values: Vec<Option<&str>> = writes()
            .filter(is_possible)
            .map(|write| write.value.as_deref())
            .collect();
        if last.is_none() {
            values.push(None);
        }
        values
    }

    /// The keys under which something is stored for certain at a moment.
    pub fn stored_at(&self, at: Moment) -> BTreeSet<Id> {
        let keys: BTreeSet<Id> = self.writes.iter().map(|write| write.asked.key).collect();
        let certain = |key: &Id| !self.possible_values(*key, at, at).contains(&None);
        keys.into_iter().filter(certain).collect()
    }
}

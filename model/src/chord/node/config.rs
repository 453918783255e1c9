//! What a node is told before it starts.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use crate::chord::mutant::Mutant;
use crate::chord::ring::Variant;
use crate::chord::rules::Rules;
use crate::space::circle::{Circle, Id};

/// How a node becomes a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Joining {
    /// It learns its successor; stabilization does the rest.
    Lazy,
    /// It looks up all its fingers, takes its place, and updates the fingers of others.
    ThreeSteps,
}

/// Who passes a lookup on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Routing {
    /// The origin asks one node after the other.
    Iterative,
    /// Each node passes the lookup on; the last one answers the origin.
    Recursive,
}

/// The figures and choices of a node. [`Config::new`] has what deployed software does, as far as it was seen.
#[derive(Clone, Debug)]
pub struct Config {
    /// The circle; m is its number of bits.
    pub circle: Circle,
    /// Where on it the node lives.
    pub id: Id,
    /// Which generation of the maintenance rules it follows; [`Config::check`] says which are possible.
    pub variant: Variant,
    /// The decisions that the atomic models share, sound or with one broken.
    pub rules: Rules,
    /// r: the length of the successor list, at least 1. MIT's implementation has 16.
    pub successors: usize,
    /// On how many nodes a key lives, its owner included: 1 to r + 1.
    pub replicas: usize,
    /// How it becomes a member.
    pub joining: Joining,
    /// Whether it asks its successor whether it lives before it becomes a member, also where the variant does
    /// not say so.
    pub confirms_join: bool,
    /// How its lookups travel.
    pub routing: Routing,
    /// Whether it keeps fingers; without them lookups follow successors.
    pub fingers: bool,
    /// How often a question is asked before its receiver counts as dead, at least 1.
    pub tries: u8,
    /// How many tags there are before they come again, at least 1: with one tag an answer to an earlier question
    /// passes for an answer to a later one.
    pub tags: u32,
    /// Whether the last successor is kept when it is silent, and asked again and again.
    pub keeps_last: bool,
    /// Whether a node whose last successor was silent joins anew, by way of its predecessor.
    pub rejoins: bool,
    /// The most nodes that a lookup may pass.
    pub most_hops: u32,
    /// The most silent nodes that a lookup goes round before it fails.
    pub most_failed: usize,
    /// The most lookups and writes at a time, its own and those of others.
    pub most_errands: usize,
    /// The most entries that it stores.
    pub most_keys: usize,
    /// The longest value that it stores, in bytes.
    pub longest_value: usize,
    /// The lengths of its timers.
    pub timing: Timing,
}

/// The lengths of a node's timers; nothing: the timer is never set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between two rounds of stabilization.
    pub stabilize: Duration,
    /// Between two looks after the predecessor; [`Variant::Zave2017`] looks when it is notified instead.
    pub check_predecessor: Option<Duration>,
    /// Between two fingers that are looked up anew.
    pub fix_fingers: Option<Duration>,
    /// Between two rounds in which replicas are renewed and stray keys sent to their owners.
    pub repair: Option<Duration>,
    /// Until an answer is overdue.
    pub answer: Duration,
    /// Until the answer to a recursive lookup is overdue.
    pub lookup: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            stabilize: Duration::from_secs(20),
            check_predecessor: Some(Duration::from_secs(60)),
            fix_fingers: Some(Duration::from_secs(30)),
            repair: Some(Duration::from_secs(60)),
            answer: Duration::from_secs(1),
            lookup: Duration::from_secs(15),
        }
    }
}

impl Config {
    /// A node with the figures of deployed software.
    pub fn new(circle: Circle, id: Id) -> Self {
        Self {
            circle,
            id,
            variant: Variant::Zave2017,
            rules: Rules::default(),
            successors: 16,
            replicas: 4,
            joining: Joining::Lazy,
            confirms_join: true,
            routing: Routing::Iterative,
            fingers: true,
            tries: 3,
            tags: u32::MAX,
            keeps_last: false,
            rejoins: true,
            most_hops: 2 * circle.bits(),
            most_failed: 16,
            most_errands: 256,
            most_keys: 1 << 16,
            longest_value: 1 << 16,
            timing: Timing::default(),
        }
    }

    /// A node for models: two successors, no fingers, no replicas, one try, one tag, and only the timers of
    /// stabilization.
    pub fn small(circle: Circle, id: Id) -> Self {
        Self {
            successors: 2,
            replicas: 1,
            fingers: false,
            tries: 1,
            tags: 1,
            confirms_join: false,
            keeps_last: false,
            rejoins: false,
            most_hops: 4,
            most_failed: 2,
            most_errands: 4,
            most_keys: 4,
            longest_value: 1,
            timing: Timing {
                check_predecessor: None,
                fix_fingers: None,
                repair: None,
                ..Timing::default()
            },
            ..Self::new(circle, id)
        }
    }
}

impl Config {
    /// Whether a node can live with these figures.
    ///
    /// # Errors
    /// One of them is out of range, or the variant is not known with messages.
    pub fn check(&self) -> Result<(), ConfigError> {
        let out_of_range = |what, least, most| Err(ConfigError::OutOfRange { what, least, most });
        if self.variant == Variant::Podc2002 {
            return Err(ConfigError::Variant(self.variant));
        }
        if self.variant == Variant::Sigcomm2001 && self.successors != 1 {
            return out_of_range("successors", 1, 1);
        }
        if self.successors == 0 {
            return out_of_range("successors", 1, usize::MAX);
        }
        if self.replicas == 0 || self.replicas > self.successors + 1 {
            return out_of_range("replicas", 1, self.successors + 1);
        }
        if self.tries == 0 || self.tags == 0 {
            return out_of_range("tries and tags", 1, usize::MAX);
        }
        Ok(())
    }

    /// Whether a better successor must answer before it is adopted: the second fix of 2003, and 2017.
    pub(super) fn adopts_only_live(&self) -> bool {
        let live_stabilize = match self.variant {
            Variant::Ton2003 { live_stabilize, .. } => live_stabilize,
            Variant::Sigcomm2001 => false,
            Variant::Podc2002 | Variant::Zave2017 => true,
        };
        live_stabilize && !self.rules.is(Mutant::AdoptsTheDead)
    }

    /// Whether a successor must answer before a node joins in front of it: the first fix of
    /// 2003, or because the configuration says so.
    pub(super) fn joins_only_live(&self) -> bool {
        let live_join = match self.variant {
            Variant::Ton2003 { live_join, .. } => live_join,
            Variant::Sigcomm2001 | Variant::Zave2017 => false,
            Variant::Podc2002 => true,
        };
        live_join || self.confirms_join
    }

    /// Whether the rules of 2017 hold: a list is taken over whole on joining, a predecessor stays until it is
    /// silent, and nothing is believed of a neighbour that is only hearsay.
    pub(super) fn rectifies(&self) -> bool {
        self.variant == Variant::Zave2017
    }
}

/// Why a node cannot live with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The variant exists with atomic operations only.
    #[error("{0} is not known with messages")]
    Variant(Variant),
    /// A figure is out of range.
    #[error("{what}: {least} to {most}")]
    OutOfRange {
        /// Which.
        what: &'static str,
        /// The least.
        least: usize,
        /// The most.
        most: usize,
    },
}

/// A configuration within a state. It never changes while a node lives, so its place stands for all of it.
#[derive(Clone, Debug)]
pub(super) struct Shared(pub(super) Arc<Config>);

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}
impl Eq for Shared {}
impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Shared {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.id.cmp(&other.0.id)
    }
}
impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

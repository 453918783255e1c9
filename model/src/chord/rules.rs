//! The decisions of a node, each once. The atomic models and the node with messages both ask here, and a
//! [`Mutant`] breaks the same rule for both, where both have the rule.

use super::mutant::Mutant;
use crate::space::circle::{between, between_or_last};

/// The rules, sound or with one of them broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rules {
    /// The rule that is broken.
    pub mutant: Option<Mutant>,
}

/// Where a lookup goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hop<I> {
    /// The node itself owns the key.
    Here,
    /// The successor owns it: the answer.
    Owner(I),
    /// This node is nearer to the key.
    Forward(I),
}

impl Rules {
    /// Whether the rules have that flaw.
    pub fn is(self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Whether `candidate`, the predecessor of the successor, is the better successor of `own`:
    /// it lies between the two.
    pub fn is_better_successor<I: Ord + Copy>(self, own: I, candidate: I, successor: I) -> bool {
        if self.is(Mutant::AdoptsAnySuccessor) {
            return candidate != own;
        }
        self.between(own, candidate, successor)
    }

    /// Whether `own`, being notified by `candidate`, takes it for its predecessor: it has none, or `candidate`
    /// lies between the two. That a dead predecessor counts as none is up to whoever can tell.
    pub fn is_better_predecessor<I: Ord + Copy>(
        self,
        own: I,
        candidate: I,
        predecessor: Option<I>,
    ) -> bool {
        if self.is(Mutant::NotifyAcceptsAnything) {
            return candidate != own;
        }
        predecessor.is_none_or(|predecessor| self.between(predecessor, candidate, own))
    }

    /// Whether a node may join between `member` and its `successor`.
    pub fn fits_between<I: Ord + Copy>(self, member: I, joining: I, successor: I) -> bool {
        self.is(Mutant::JoinsAnywhere) || self.between(member, joining, successor)
    }

    /// Whether `own` is responsible for `key`: it lies in (predecessor, own]. Without a predecessor nobody
    /// knows but a lonely node, which has itself for a predecessor.
    pub fn owns<I: Ord + Copy>(self, predecessor: Option<I>, key: I, own: I) -> bool {
        let Some(predecessor) = predecessor else {
            return key == own;
        };
        if self.is(Mutant::OwnsUpToPredecessor) {
            return key == predecessor || (key != own && between(predecessor, key, own));
        }
        between_or_last(predecessor, key, own)
    }

    /// Where a lookup of `key` goes from `own`: the successor answers for (own, successor], else the nearest
    /// known node that precedes the key is asked, and failing such a one the successor.
    ///
    /// `known` are fingers and successor list entries in any order; entries believed dead are left out.
    pub fn hop<I: Ord + Copy>(
        self,
        own: I,
        successor: I,
        known: impl IntoIterator<Item = I>,
        key: I,
    ) -> Hop<I> {
        if key == own {
            return Hop::Here;
        }
        if between_or_last(own, key, successor) {
            return Hop::Owner(successor);
        }
        let mut nearest = None;
        for node in known {
            let precedes = if self.is(Mutant::LookupOvershoots) {
                node != own
            } else {
                between_or_last(own, node, key) && node != own
            };
            if precedes && nearest.is_none_or(|best| between(best, node, own)) {
                nearest = Some(node);
            }
        }
        let nearest = nearest.unwrap_or(successor);
        if self.is(Mutant::AnswersTooEarly) {
            return Hop::Owner(nearest);
        }
        Hop::Forward(nearest)
    }

    /// The list that follows from adopting `head` as successor: `head`, then what `head` says follows it,
    /// cut to `length`.
    pub fn adopted_list<I: Copy>(
        self,
        head: I,
        its_list: impl IntoIterator<Item = I>,
        length: usize,
    ) -> impl Iterator<Item = I> {
        let skipped = usize::from(self.is(Mutant::SkipsAnEntry));
        std::iter::once(head)
            .chain(its_list.into_iter().skip(skipped))
            .take(length)
    }

    /// Where finger number `exponent` is looked up from: the circle adds 2^exponent, from 0 on.
    pub fn finger_exponent(self, exponent: u32) -> u32 {
        exponent + u32::from(self.is(Mutant::FingersOffByOne))
    }

    fn between<I: Ord + Copy>(self, a: I, x: I, b: I) -> bool {
        if self.is(Mutant::NeverWraps) {
            return a < x && x < b;
        }
        between(a, x, b)
    }
}

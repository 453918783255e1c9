//! Which case catches which seeded violation, declared beforehand.

use peerproof_model::chord::mutant::Mutant;

use crate::suite::Break;

/// One thing that a reference node does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A rule of the model that is broken.
    Rule(Mutant),
    /// See [`BREAKS`] for what each does.
    Process(Fault),
}

impl Bug {
    /// The violation of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        let at = BREAKS.iter().position(|it| it.name == name)?;
        BUGS.get(at).copied()
    }
}

macro_rules! breaks {
    (
        rules { $($mutant:ident $rule:literal caught by $rule_case:literal: $rule_what:literal;)* }
        own { $($own:ident $name:literal caught by $case:literal: $what:literal;)* }
    ) => {
        /// What is wrong with the process around a node that follows the rules.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $(#[doc = $what] $own,)*
        }

        /// In the order of [`BREAKS`].
        const BUGS: &[Bug] = &[$(Bug::Rule(Mutant::$mutant),)* $(Bug::Process(Fault::$own),)*];

        /// The violations of the reference node: those of the model, then those of its process.
        pub static BREAKS: &[Break] = &[
            $(Break { name: $rule, what: $rule_what, caught_by: concat!("chord/", $rule_case) },)*
            $(Break { name: $name, what: $what, caught_by: concat!("chord/", $case) },)*
        ];
    };
}

breaks! {
    rules {
        NeverWraps "never-wraps" caught by "ring/ideal-within-periods": "Takes arcs that pass 0 for empty.";
        SkipsAnEntry "skips-an-entry" caught by "ring/successor-lists": "Leaves out the first entry of an adopted successor list.";
        KeepsDeadSuccessor "keeps-dead-successor" caught by "crash/successor": "Never drops a dead successor.";
        KeepsDeadPredecessor "keeps-dead-predecessor" caught by "crash/predecessor": "Never drops a dead predecessor.";
        NeverNotifies "never-notifies" caught by "join/one-by-one": "Never notifies anybody.";
        OwnsUpToPredecessor "owns-up-to-predecessor" caught by "keys/placement": "Takes its arc for closed at the predecessor and open at itself.";
        FingersOffByOne "fingers-off-by-one" caught by "fingers/right": "Looks finger number i up at 2^(i+1).";
        AnswersTooEarly "answers-too-early" caught by "lookup/every-boundary": "Answers a lookup with the node that it should have asked.";
        InventsPredecessor "invents-predecessor" caught by "join/no-invented-predecessor": "Joins with a predecessor that nobody has confirmed.";
        AcknowledgesEarly "acknowledges-early" caught by "replicas/acknowledged-is-durable": "Answers a write before its replicas have it.";
        NeverHandsOver "never-hands-over" caught by "keys/transfer-on-join": "Keeps the keys of a new predecessor to itself.";
        ForgetsDeletions "forgets-deletions" caught by "keys/delete": "Leaves no trace of a deleted value, so that an old replica brings it back.";
    }
    own {
        ComputesOffline "computes-offline" caught by "crash/unannounced-is-noticed": "Computes its neighbours and the owners of keys from every point that it ever heard of.";
        LiesInState "lies-in-state" caught by "ring/says-what-is-so": "Says the neighbours that it should have, and never stabilizes.";
        KnowsTheAssignment "knows-the-assignment" caught by "join/told-nothing-else": "Says the neighbours that it has in the ring of the lecture, whoever is there.";
        GuessesOwners "own-arithmetic" caught by "lecture/owner-of-42": "Answers lookups from the few nodes that it knows, and asks nobody.";
        LosesKeysOnLeave "loses-keys-on-leave" caught by "keys/transfer-on-leave": "Leaves without handing its keys over.";
        LeavesUnannounced "leaves-unannounced" caught by "leave/is-announced": "Leaves without a word to its neighbours.";
        FirstSuccessorOnly "first-successor-only" caught by "ring/successor-lists": "Keeps one successor, however many it is told to keep.";
        CountsOneHopMore "counts-one-hop-more" caught by "lookup/path": "Counts the nodes of a path, not the hops between them.";
        WalksTheRing "walks-the-ring" caught by "fingers/hops-logarithmic": "Passes lookups on to its successor, and keeps no fingers.";
        ForgetsTheWrap "forgets-the-wrap" caught by "wrap/keys-beyond-the-last": "Takes the last node for the owner of the keys beyond it.";
        KeepsOldState "keeps-old-state" caught by "rejoin/after-leave": "Takes up again, when it joins anew, what it knew and kept when it left.";
        NeedsItsIntroducer "needs-its-introducer" caught by "crash/successor": "Serves nobody while its introducer does not answer.";
        NeverForgives "never-forgives" caught by "partition/silent-member-returns": "Never listens again to a node that was silent once.";
        KeepsTheFirstValue "keeps-the-first-value" caught by "keys/overwrite": "Acknowledges a second value of a key, and keeps the first.";
        NoReplicas "no-replicas" caught by "replicas/placement": "Keeps a key as its owner alone.";
        ListsMovedKeys "lists-moved-keys" caught by "lecture/join-of-40-moves-keys": "Says that it keeps every key that it ever kept.";
        SettlesDown "settles-down" caught by "churn/long": "Stabilizes twenty times, and then no more.";
        NeverAsksAgain "never-asks-again" caught by "network/loss": "Waits forever for an answer that was lost.";
        DiesOfDuplicates "dies-of-duplicates" caught by "network/duplicates": "Falls silent when an answer comes twice.";
        AnswersInOrder "answers-in-order" caught by "lookup/every-boundary": "Answers the oldest question first, whichever answer it has.";
        FindsNobodyAlone "owns-nothing-alone" caught by "single/owns-everything": "Takes the arc from itself to itself for empty: alone, it finds no owner.";
        StoresNothing "stores-nothing" caught by "single/stores": "Acknowledges writes that it passes on to nobody and keeps nowhere.";
        HidesWhenAlone "hides-when-alone" caught by "single/state": "Says that it is no member while it is alone.";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_violation_has_one_name_and_the_models_keep_theirs() {
        let mut names: Vec<&str> = BREAKS.iter().map(|it| it.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), BREAKS.len());
        assert_eq!(BUGS.len(), BREAKS.len());
        for (bug, it) in BUGS.iter().zip(BREAKS) {
            assert_eq!(Bug::by_name(it.name), Some(*bug));
            if let Bug::Rule(mutant) = bug {
                assert_eq!((mutant.name(), mutant.what()), (it.name, it.what));
                assert!(!mutant.needs_atomic_steps());
            }
        }
    }
}

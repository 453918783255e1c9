//! Seeded violations: each breaks one rule, and declares beforehand which fact notices.

macro_rules! mutants {
    ($($variant:ident $name:literal breaks $property:literal: $what:literal;)*) => {
        /// One thing that a Chord node does wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutant {
            $(#[doc = $what] $variant,)*
        }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name for `--mutant` and `--break`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it does wrong, in one sentence.
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }

            /// The property that it breaks, by name.
            pub fn breaks(self) -> &'static str {
                match self { $(Self::$variant => $property,)* }
            }

            /// The mutant of that name.
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|mutant| mutant.name() == name)
            }
        }
    };
}

mutants! {
    NeverWraps "never-wraps" breaks "what_is_not_ideal_is_repaired": "Takes arcs that pass 0 for empty.";
    NotifyAcceptsAnything "notify-accepts-anything" breaks "predecessors_only_come_nearer": "Takes whoever notifies it for its predecessor.";
    AdoptsAnySuccessor "adopts-any-successor" breaks "ordered_successor_lists": "Adopts its successor's predecessor wherever that is.";
    JoinsAnywhere "joins-anywhere" breaks "ordered_successor_lists": "Joins at any member, not between one and its successor.";
    SkipsAnEntry "skips-an-entry" breaks "enough_principals": "Leaves out the first entry of an adopted successor list.";
    OwnsUpToPredecessor "owns-up-to-predecessor" breaks "keys_are_with_their_owner": "Takes its arc for closed at the predecessor and open at itself.";
    LookupOvershoots "lookup-overshoots" breaks "lookups_make_progress": "Forwards a lookup to the farthest node it knows, beyond the key or not.";
    FingersOffByOne "fingers-off-by-one" breaks "fingers_are_right": "Looks finger number i up at 2^(i+1).";

    // Of nodes with messages only.
    TrustsHearsay "trusts-hearsay" breaks "a_successor_has_answered": "Adopts a better successor without asking it.";
    KeepsSilentSuccessor "keeps-silent-successor" breaks "a_silent_successor_is_given_up": "Keeps a successor that does not answer.";
    KeepsSilentPredecessor "keeps-silent-predecessor" breaks "a_silent_predecessor_is_given_up": "Keeps a predecessor that does not answer.";
    NeverNotifies "never-notifies" breaks "a_successor_is_notified": "Never tells its successor that it is there.";
    AnyAnswerWill "any-answer-will" breaks "late_answers_change_nothing": "Takes an answer to an earlier question for one to a later question.";
    InventsPredecessor "invents-predecessor" breaks "a_joiner_knows_no_predecessor": "Joins with a predecessor that nobody has confirmed.";
    NamesFailedNodes "names-failed-nodes" breaks "failed_nodes_are_not_named_again": "Names nodes that the asking node has found dead.";
    FallsBackToFingers "falls-back-to-fingers" breaks "lookups_end_at_the_owner": "Takes its nearest finger for the owner when its successors are dead.";
    FollowsAnyAdvice "follows-any-advice" breaks "lookups_step_towards_the_key": "Asks whomever it is sent to, nearer to the key or not.";
    AcknowledgesEarly "acknowledges-early" breaks "acknowledged_keys_are_not_lost": "Answers a write before its replicas have it.";
    DropsBeforeHeld "drops-before-held" breaks "acknowledged_keys_are_not_lost": "Forgets what it hands over before the receiver keeps it.";
    NeverHandsOver "never-hands-over" breaks "keys_move_to_the_newcomer": "Keeps the keys of a new predecessor to itself.";
    ForgetsDeletions "forgets-deletions" breaks "deleted_values_stay_deleted": "Leaves no trace of a deleted value, so that an old replica brings it back.";
}

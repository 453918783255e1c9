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

            /// Whether it breaks a rule that only the atomic ring has: a node with messages that has it is sound.
            pub fn needs_atomic_steps(self) -> bool {
                matches!(
                    self,
                    Self::JoinsAnywhere
                        | Self::JoinsWithTheMember
                        | Self::RepeatsTheLastEntry
                        | Self::NeverFillsUp
                        | Self::ReconcilesBeforeUpdating
                        | Self::AdoptsBeforeAsking
                        | Self::ForgetsTheList
                        | Self::JoinsWithOneEntry
                        | Self::TurnsToItself
                        | Self::ClosesTheInterval
                        | Self::SwapsNeighbours
                        | Self::ForgetsItsPredecessor
                        | Self::NeverAdopts
                        | Self::KeepsOneCopy
                        | Self::ForgetsWhatMoves
                )
            }

            /// The mutant of that name.
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|mutant| mutant.name() == name)
            }
        }
    };
}

mutants! {
    NeverWraps "never-wraps" breaks "everybody_may_join_an_ideal_ring": "Takes arcs that pass 0 for empty.";
    NotifyAcceptsAnything "notify-accepts-anything" breaks "live_predecessors_only_come_nearer": "Takes whoever notifies it for its predecessor.";
    AdoptsAnySuccessor "adopts-any-successor" breaks "ordered_successor_lists": "Adopts its successor's predecessor wherever that is.";
    JoinsAnywhere "joins-anywhere" breaks "ordered_successor_lists": "Joins at any member, not between one and its successor.";
    JoinsWithTheMember "joins-with-the-member" breaks "ordered_successor_lists": "Takes the member it joins through for its successor.";
    SkipsAnEntry "skips-an-entry" breaks "enough_principals": "Leaves out the first entry of an adopted successor list.";
    KeepsDeadSuccessor "keeps-dead-successor" breaks "what_is_not_ideal_is_repaired": "Never drops a dead successor.";
    ReconcilesBeforeUpdating "reconciles-before-updating" breaks "what_is_not_ideal_is_repaired": "Copies a list behind a dead successor instead of dropping that first.";
    RepeatsTheLastEntry "repeats-the-last-entry" breaks "no_duplicates": "Fills a list up with its last entry once more.";
    NeverFillsUp "never-fills-up" breaks "lists_are_full": "Drops a dead successor and does not fill the list up.";
    AdoptsTheDead "adopts-the-dead" breaks "everyone_has_a_live_successor": "Adopts its successor's predecessor dead or alive.";
    KeepsDeadPredecessor "keeps-dead-predecessor" breaks "what_is_not_ideal_is_repaired": "Never drops a dead predecessor.";
    NeverNotifies "never-notifies" breaks "what_is_not_ideal_is_repaired": "Never notifies anybody.";
    AdoptsBeforeAsking "adopts-before-asking" breaks "at_least_one_ring": "Takes its successor's predecessor for its only successor before that has answered.";
    TurnsToItself "turns-to-itself" breaks "at_most_one_ring": "Takes itself for its successor when that is dead.";
    ClosesTheInterval "closes-the-interval" breaks "ordered_ring": "Takes itself for a better successor when it is its successor's predecessor.";
    SwapsNeighbours "swaps-neighbours" breaks "no_loopy_ring": "Joins with the member as successor and the member's successor as predecessor.";
    JoinsWithOneEntry "joins-with-one-entry" breaks "connected_appendages": "Joins with the first successor of a member alone, not with its list.";
    ForgetsTheList "forgets-the-list" breaks "principals_are_on_the_ring": "Drops its whole list with a dead successor, and guesses the identifier after that.";
    ForgetsItsPredecessor "forgets-its-predecessor" breaks "what_is_settled_stays_settled": "Forgets its predecessor, live or dead, whenever it stabilizes.";
    NeverAdopts "never-adopts" breaks "the_ideal_ring_stays_in_reach": "Never takes its successor's predecessor for its successor.";
    OwnsUpToPredecessor "owns-up-to-predecessor" breaks "keys_are_with_their_owner": "Takes its arc for closed at the predecessor and open at itself.";
    LookupOvershoots "lookup-overshoots" breaks "lookups_end_at_the_owner": "Forwards a lookup to the farthest node it knows, beyond the key or not.";
    FingersOffByOne "fingers-off-by-one" breaks "fingers_are_right": "Looks finger number i up at 2^(i+1).";
    AnswersTooEarly "answers-too-early" breaks "lookups_end_at_the_owner": "Answers a lookup with the node that it should have asked.";
    KeepsOneCopy "keeps-one-copy" breaks "keys_are_replicated": "Keeps a key as its owner alone, and gives it to no replica.";
    ForgetsWhatMoves "forgets-what-moves" breaks "no_key_is_lost": "Forgets the keys that a new predecessor owns, instead of giving them to it.";

    // Of nodes with messages only.
    AnyAnswerWill "any-answer-will" breaks "late_answers_change_nothing": "Takes an answer to an earlier question for one to a later question.";
    InventsPredecessor "invents-predecessor" breaks "a_joiner_knows_no_predecessor": "Joins with a predecessor that nobody has confirmed.";
    NamesFailedNodes "names-failed-nodes" breaks "failed_nodes_are_not_named_again": "Names nodes that the asking node has found dead.";
    FallsBackToFingers "falls-back-to-fingers" breaks "a_lookup_names_the_owner": "Takes its nearest finger for the owner when its successors are dead.";
    AcknowledgesEarly "acknowledges-early" breaks "acknowledged_keys_are_not_lost": "Answers a write before its replicas have it.";
    DropsBeforeHeld "drops-before-held" breaks "acknowledged_keys_are_not_lost": "Forgets what it hands over before the receiver keeps it.";
    NeverHandsOver "never-hands-over" breaks "keys_move_to_the_newcomer": "Keeps the keys of a new predecessor to itself.";
    ForgetsDeletions "forgets-deletions" breaks "deleted_values_stay_deleted": "Leaves no trace of a deleted value, so that an old replica brings it back.";
    CountsTheRefused "counts-the-refused" breaks "a_refused_input_leaves_no_trace": "Uses a tag up for an answer that it refuses.";
    TellsListsOnly "tells-lists-only" breaks "nodes_tell_what_is_so": "Does not tell that its predecessor has changed.";
}

impl Mutant {
    /// Whether only a node with messages can have it; the atomic models know nothing of it.
    pub fn needs_messages(self) -> bool {
        self >= Self::AnyAnswerWill
    }

    /// Whether an atomic ring has it without fingers and keys.
    pub fn is_of_the_ring(self) -> bool {
        self < Self::OwnsUpToPredecessor
    }
}

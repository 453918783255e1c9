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
}

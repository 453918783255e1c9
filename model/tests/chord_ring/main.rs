//! Chord's ring with atomic operations, in every published generation.

mod corrected;
mod examples;
mod loopy;
mod mutants;
mod page;
mod published;

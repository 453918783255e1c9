//! Chord's ring with atomic operations, in every published generation.

mod corrected;
mod equipped;
mod examples;
mod killers;
mod loopy;
mod page;
mod published;

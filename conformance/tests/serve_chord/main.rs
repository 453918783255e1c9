//! The reference node of a ring, through lines only: the lectures' ring, crashes, leaving, errors, and what the page says.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod breaks;
mod program;
mod ring;
mod town;

//! Small models whose state spaces are known from elsewhere.

mod concurrency;
mod net;
mod puzzles;
mod rules;
mod two_phase;

pub(crate) use concurrency::{
    bounded_queue, counters, increment, peterson, philosophers, token_ring,
};
pub(crate) use net::{Net, Step, goal};
pub(crate) use puzzles::{hanoi, river, sliding, tic_tac_toe, tic_tac_toe_form, water_jugs};
pub(crate) use rules::Rules;
pub(crate) use two_phase::TwoPhase;

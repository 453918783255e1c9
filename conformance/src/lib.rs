//! The harness: suites of cases, the kit that plays them, the reference nodes, and the reports.

pub mod baseline;
pub mod case;
pub mod cli;
pub mod control;
pub mod fleet;
pub mod interrupt;
pub mod jitter;
pub mod judge;
pub mod program;
pub mod record;
pub mod report;
pub mod run;
pub mod serve;
pub mod suite;
pub mod target;

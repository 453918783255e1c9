//! The cases of the BitTorrent suites.

pub(crate) mod seeder;
pub(super) mod tracker;

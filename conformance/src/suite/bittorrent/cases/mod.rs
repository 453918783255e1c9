//! The cases of the BitTorrent suites.

pub(super) mod leecher;
pub(crate) mod seeder;
pub(super) mod tracker;

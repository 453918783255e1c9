//! The cases of the BitTorrent suites.

pub(super) mod tracker;

//! BitTorrent: the suites that judge seeders, leechers and trackers, and what the kit plays towards them.

mod books;
mod cases;
pub mod leecher;
#[allow(dead_code, reason = "the suites that use all of it follow")]
mod peer;
pub mod seeder;
mod swarm;
pub mod tracker;
mod tracker_client;
mod words;

//! BitTorrent: the suites that judge seeders, leechers and trackers, and what the kit plays towards them.

#[allow(dead_code, reason = "the suites that use all of it follow")]
mod books;
mod cases;
#[allow(dead_code, reason = "the suites that use all of it follow")]
mod peer;
pub mod tracker;
mod tracker_client;
#[allow(dead_code, reason = "the suites that use all of it follow")]
mod words;

//! BitTorrent: the suites that judge seeders, leechers and trackers, and what the kit plays towards them.

#[allow(dead_code, reason = "the suites that use all of it follow")]
mod books;
#[allow(dead_code, reason = "the suites that use all of it follow")]
mod peer;
#[allow(dead_code, reason = "the suites that use all of it follow")]
mod words;

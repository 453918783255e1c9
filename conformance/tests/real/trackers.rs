//! The suite `bittorrent-tracker` against real trackers. Verdicts that differ from pass are pinned;
//! docs/findings.md has the bytes and the source behind each.

use std::net::SocketAddr;

use libtest_mimic::{Failed, Trial};
use peerproof::case::Verdict;
use peerproof::run::{Selection, SuiteReport, Unwatched, run};
use peerproof::suite::bittorrent::tracker::TrackerSuite;
use peerproof::suite::{Options, Suite};
use peerproof::target::Target;

use crate::clients::{Software, free_port, opentracker};
use crate::trial;
use crate::verdicts::{Pin, pinned};

/// What opentracker does otherwise, by case.
const OPENTRACKER: &[Pin] = &[
    ("http/compact-is-advice", &[Verdict::Fail]),
    ("http/names-in-dictionaries", &[Verdict::Unimplemented]),
    ("http/peer-id-missing", &[Verdict::NonStrict]),
    ("http/port-missing", &[Verdict::NonStrict]),
    ("udp/unknown-torrent", &[Verdict::Fail]),
];

/// One trial for every tracker.
pub(crate) fn trials() -> Vec<Trial> {
    vec![trial(Software::Opentracker, "tracker-suite", || {
        let options = Options::default();
        let known = TrackerSuite.info_hashes(options.seed);
        let known: Vec<[u8; 20]> = known.into_iter().map(|info_hash| info_hash.0).collect();
        let tracker = opentracker(&known, free_port())?;
        let report = judge(SocketAddr::V4(tracker.address), &options)?;
        pinned(&report, OPENTRACKER).map_err(|why| format!("{why}\n{}", tracker.output()).into())
    })]
}

fn judge(address: SocketAddr, options: &Options) -> Result<SuiteReport, Failed> {
    let session = TrackerSuite.open(&Target::Address(address), options)?;
    Ok(run(
        &TrackerSuite,
        &*session,
        &Selection::default(),
        options.seed,
        &Unwatched,
    ))
}

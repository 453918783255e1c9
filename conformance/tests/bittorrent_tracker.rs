//! The suite `bittorrent-tracker` against the reference tracker, sound and broken, and against hostile ones.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use peerproof::case::{Level, Verdict};
use peerproof::run::{Selection, SuiteReport, Unwatched, run};
use peerproof::serve::bittorrent::tracker::TrackerServer;
use peerproof::serve::{Running, ServeOptions, Server};
use peerproof::suite::bittorrent::tracker::TrackerSuite;
use peerproof::suite::{OpenError, Options, Suite};
use peerproof::target::Target;
use peerproof_model::claim::Strength;

fn judge(bug: Option<&str>, selection: &Selection, seed: u64) -> SuiteReport {
    let options = Options {
        seed,
        // Broken trackers are silent where they should speak; nobody needs to wait for them long.
        patience: Duration::from_millis(if bug.is_some() { 500 } else { 2000 }),
        ..Options::default()
    };
    let target = Target::Embedded {
        bug: bug.map(str::to_owned),
    };
    let session = TrackerSuite
        .open(&target, &options)
        .expect("the reference tracker starts");
    run(&TrackerSuite, &*session, selection, seed, &Unwatched)
}

fn everything() -> Selection {
    Selection {
        slow: true,
        ..Selection::default()
    }
}

fn only(id: &str) -> Selection {
    let glob = globset::Glob::new(id).expect("an id is a pattern");
    Selection {
        patterns: vec![glob.compile_matcher()],
        ..everything()
    }
}

/// Cases that say something is wrong.
fn noticed(report: &SuiteReport) -> impl Iterator<Item = &'static str> {
    let wrong = |verdict| matches!(verdict, Verdict::Fail | Verdict::NonStrict);
    report
        .outcomes()
        .filter(move |(_, outcome)| wrong(outcome.verdict))
        .map(|(case, _)| case.id)
}

#[test]
fn every_case_names_a_property_and_claims_that_exist() {
    let properties = TrackerSuite.properties();
    let mut ids = BTreeSet::new();
    for case in TrackerSuite.cases() {
        assert!(ids.insert(case.id), "{} is there twice", case.id);
        assert!(
            properties.contains(&case.property),
            "{}: {}",
            case.id,
            case.property
        );
        assert!(!case.claims.is_empty(), "{}", case.id);
        let claims: Vec<_> = case
            .claims
            .iter()
            .map(|id| {
                TrackerSuite
                    .claims()
                    .iter()
                    .find(|claim| claim.id == *id)
                    .expect(id)
            })
            .collect();
        let strongest = claims.iter().map(|claim| claim.strength).min();
        let allowed = match strongest {
            Some(Strength::Must) => Level::Must,
            Some(Strength::Should) => Level::Should,
            _ => Level::May,
        };
        assert!(
            case.level >= allowed,
            "{} is stricter than its claims",
            case.id
        );
    }
    assert!(ids.len() >= 25);
}

#[test]
fn the_sound_tracker_passes_every_case() {
    for (seed, selection) in [
        (1, everything()),
        (2, Selection::default()),
        (3, Selection::default()),
    ] {
        let report = judge(None, &selection, seed);
        for (case, outcome) in report.outcomes() {
            assert_eq!(
                outcome.verdict,
                Verdict::Pass,
                "{} with seed {seed}: {}",
                case.id,
                outcome.observed
            );
        }
        let chosen = TrackerSuite.cases();
        let chosen = chosen.iter().filter(|case| selection.slow || !case.slow);
        assert_eq!(report.outcomes().count(), chosen.count());
        assert_eq!(report.exit_status(), 0);
    }
}

#[test]
fn every_break_is_caught_by_the_case_declared_for_it() {
    let breaks = TrackerSuite.breaks();
    assert!(breaks.len() >= 14);
    for it in breaks {
        let report = judge(Some(it.name), &only(it.caught_by), 1);
        let (_, outcome) = report.outcomes().next().expect("the declared case runs");
        let caught = matches!(outcome.verdict, Verdict::Fail | Verdict::NonStrict);
        assert!(
            caught,
            "{}: {:?}, {}",
            it.name, outcome.verdict, outcome.observed
        );
    }
}

#[test]
fn every_case_notices_some_break() {
    let quick = Selection::default();
    let mut unnoticed: BTreeSet<&str> = TrackerSuite
        .cases()
        .iter()
        .filter(|case| !case.slow)
        .map(|case| case.id)
        .collect();
    for it in TrackerSuite.breaks() {
        for id in noticed(&judge(Some(it.name), &quick, 1)) {
            unnoticed.remove(id);
        }
    }
    assert!(
        unnoticed.is_empty(),
        "no broken tracker is noticed by {unnoticed:?}"
    );
}

#[test]
fn the_info_hashes_of_a_seed_are_known_beforehand() {
    let hashes = TrackerSuite.info_hashes(7);
    assert_eq!(hashes, TrackerSuite.info_hashes(7));
    assert_ne!(hashes, TrackerSuite.info_hashes(8));
    let distinct: BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
}

/// A tracker that serves one torrent only, and the file of that torrent.
fn closed_tracker(room: &Path) -> (Box<dyn Running>, PathBuf) {
    let torrent = room.join("only.torrent");
    let bytes: &[u8] =
        b"d4:infod6:lengthi1e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee";
    std::fs::write(&torrent, bytes).expect("a file");
    let options = ServeOptions {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        bug: None,
        seed: 1,
        torrent: Some(torrent.clone()),
        data: None,
    };
    let tracker = TrackerServer.start(&options).expect("it starts");
    (tracker, torrent)
}

#[test]
fn all_cases_can_share_the_one_torrent_of_a_closed_tracker() {
    let room = tempfile::tempdir().expect("a directory");
    let (tracker, torrent) = closed_tracker(room.path());
    let options = Options {
        torrent: Some(torrent),
        ..Options::default()
    };
    let session = TrackerSuite.open(&Target::Address(tracker.address()), &options);
    let session = session.expect("the tracker serves that torrent");
    let report = run(
        &TrackerSuite,
        &*session,
        &Selection::default(),
        1,
        &Unwatched,
    );
    for (case, outcome) in report.outcomes() {
        let second = case.id.contains("scrape-several") || case.id.contains("scrape-order");
        let expected = if second {
            Verdict::Unimplemented
        } else {
            Verdict::Pass
        };
        assert_eq!(
            outcome.verdict, expected,
            "{}: {}",
            case.id, outcome.observed
        );
    }
    assert_eq!(report.exit_status(), 0);
}

#[test]
fn a_closed_tracker_that_does_not_serve_the_kits_torrents_is_the_users_to_open() {
    let room = tempfile::tempdir().expect("a directory");
    let (tracker, _) = closed_tracker(room.path());
    let opened = TrackerSuite.open(&Target::Address(tracker.address()), &Options::default());
    assert!(matches!(opened, Err(OpenError::Usage(_))));
}

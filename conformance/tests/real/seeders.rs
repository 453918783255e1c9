//! The suite `bittorrent-seeder` against real clients. Verdicts that differ from pass are pinned;
//! docs/findings.md has the bytes and the source behind each.

use std::net::SocketAddr;

use libtest_mimic::{Failed, Trial};
use peerproof::case::Verdict;
use peerproof::run::{Selection, Unwatched, run};
use peerproof::suite::bittorrent::seeder::SeederSuite;
use peerproof::suite::{Options, Suite};
use peerproof::target::Target;

use crate::clients::{Software, free_port};
use crate::torrent::Torrent;
use crate::trial;
use crate::verdicts::{Pin, pinned};

/// 28 pieces and a short one.
const PIECE: usize = 256 * 1024;
const LENGTH: usize = 28 * PIECE + 12_345;

const NON_STRICT: &[Verdict] = &[Verdict::NonStrict];
const UNIMPLEMENTED: &[Verdict] = &[Verdict::Unimplemented];
const FAIL: &[Verdict] = &[Verdict::Fail];
/// It has ended: what follows can be asked nobody.
const INCONCLUSIVE: &[Verdict] = &[Verdict::Inconclusive];
/// Its clock of ten seconds decides whether the answer still comes in time.
const NON_STRICT_OR_PASS: &[Verdict] = &[Verdict::NonStrict, Verdict::Pass];

/// It lacks the extension; its bitfield may come before that ends the story, and fits.
const UNIMPLEMENTED_OR_PASS: &[Verdict] = &[Verdict::Unimplemented, Verdict::Pass];

/// What aria2 does otherwise, by case.
const ARIA2: &[Pin] = &[
    ("bitfield/late", NON_STRICT),
    ("slots/stated", UNIMPLEMENTED),
    ("bounds/overflow", FAIL),
    ("bounds/over-16-kib", NON_STRICT),
    ("fast/allowed-set", NON_STRICT),
    ("fast/uninvited-suggest", FAIL),
    ("fast/unasked-block", FAIL),
    ("fast/unasked-reject", NON_STRICT),
    ("extension/unknown-id", NON_STRICT),
    ("metadata/beyond-the-end", NON_STRICT),
    ("metadata/unknown-type", FAIL),
    ("unknown/with-payload", NON_STRICT),
    ("unknown/empty", NON_STRICT),
    ("survives/overflowing-request", FAIL),
    ("malformed/huge-length", INCONCLUSIVE),
    ("survives/huge-length", INCONCLUSIVE),
];

/// What transmission does otherwise, by case.
const TRANSMISSION: &[Pin] = &[
    ("bitfield/spare-bits", NON_STRICT),
    ("bitfield/late", NON_STRICT),
    ("slots/stated", UNIMPLEMENTED),
    ("fast/cancel-answered", NON_STRICT_OR_PASS),
    ("fast/allowed-set", UNIMPLEMENTED),
    ("fast/allowed-served", UNIMPLEMENTED),
    ("fast/unasked-block", FAIL),
    ("fast/unasked-reject", NON_STRICT),
    ("unknown/with-payload", NON_STRICT),
    ("unknown/empty", NON_STRICT),
    ("malformed/piece-too-short", NON_STRICT),
    ("malformed/huge-length", NON_STRICT),
];

/// What libtorrent does otherwise, by case.
const LIBTORRENT: &[Pin] = &[
    ("handshake/same-peer-id", NON_STRICT),
    ("handshake/own-peer-id", NON_STRICT),
    ("bitfield/spare-bits", NON_STRICT),
    ("bitfield/late", NON_STRICT),
    ("choked/no-block", UNIMPLEMENTED),
    ("slots/stated", UNIMPLEMENTED),
    ("fast/choked-rejected", UNIMPLEMENTED),
    ("fast/allowed-set", NON_STRICT),
    ("fast/allowed-served", UNIMPLEMENTED),
    ("fast/unasked-block", FAIL),
    ("fast/unasked-reject", NON_STRICT),
    ("extension/unknown-id", NON_STRICT),
    ("unknown/with-payload", NON_STRICT),
    ("unknown/empty", NON_STRICT),
    ("malformed/piece-too-short", NON_STRICT),
];

/// What rtorrent does otherwise, by case.
const RTORRENT: &[Pin] = &[
    ("bitfield/spare-bits", NON_STRICT),
    ("slots/stated", UNIMPLEMENTED),
    ("bounds/over-16-kib", NON_STRICT),
    ("fast/declaration-first", UNIMPLEMENTED_OR_PASS),
    ("extension/unknown-id", NON_STRICT),
    ("unknown/with-payload", NON_STRICT),
    ("unknown/empty", NON_STRICT),
];

/// What ctorrent does otherwise, by case.
const CTORRENT: &[Pin] = &[
    ("bitfield/spare-bits", NON_STRICT),
    ("bitfield/late", NON_STRICT),
    ("slots/stated", UNIMPLEMENTED),
    ("bounds/over-16-kib", NON_STRICT),
];

/// What is unimplemented without the fast extension.
const NO_FAST: &[Pin] = &[
    ("fast/declaration", UNIMPLEMENTED),
    ("fast/one-answer", UNIMPLEMENTED),
    ("fast/choked-rejected", UNIMPLEMENTED),
    ("fast/cancel-answered", UNIMPLEMENTED),
    ("fast/allowed-set", UNIMPLEMENTED),
    ("fast/allowed-served", UNIMPLEMENTED),
    ("fast/uninvited-have-all", UNIMPLEMENTED),
    ("fast/uninvited-have-none", UNIMPLEMENTED),
    ("fast/uninvited-suggest", UNIMPLEMENTED),
    ("fast/uninvited-allowed-fast", UNIMPLEMENTED),
    ("fast/uninvited-reject", UNIMPLEMENTED),
    ("fast/unasked-block", UNIMPLEMENTED),
    ("fast/unasked-reject", UNIMPLEMENTED),
];

/// What is unimplemented without the extension protocol.
const NO_EXTENSIONS: &[Pin] = &[
    ("extension/handshake", UNIMPLEMENTED),
    ("extension/well-formed", UNIMPLEMENTED),
    ("extension/unique-ids", UNIMPLEMENTED),
    ("extension/unknown-id", UNIMPLEMENTED),
    ("extension/unknown-names", UNIMPLEMENTED),
    ("extension/empty", UNIMPLEMENTED),
    ("extension/twice", UNIMPLEMENTED),
    ("metadata/size", UNIMPLEMENTED),
    ("metadata/answered", UNIMPLEMENTED),
    ("metadata/content", UNIMPLEMENTED),
    ("metadata/beyond-the-end", UNIMPLEMENTED),
    ("metadata/unknown-type", UNIMPLEMENTED),
];

/// One trial for every client.
pub(crate) fn trials() -> Vec<Trial> {
    let clients: [(Software, &[&[Pin]]); 5] = [
        (Software::Aria2, &[ARIA2]),
        (Software::Transmission, &[TRANSMISSION]),
        (Software::Libtorrent, &[LIBTORRENT]),
        (Software::Rtorrent, &[RTORRENT, NO_FAST]),
        (Software::Ctorrent, &[CTORRENT, NO_FAST, NO_EXTENSIONS]),
    ];
    let trials = clients.into_iter().map(|(software, pins)| {
        let pins = pins.concat();
        trial(software, "seeder-suite", move || judge(software, &pins))
    });
    trials.collect()
}

fn judge(software: Software, pins: &[Pin]) -> Result<(), Failed> {
    let room = tempfile::tempdir()?;
    let torrent = Torrent::new(LENGTH, PIECE, "http://127.0.0.1:9/announce");
    let job = torrent.lay_out(room.path(), free_port(), true)?;
    let client = software.seed(&job)?;
    let options = Options {
        torrent: Some(job.metainfo.clone()),
        ..Options::default()
    };
    let target = Target::Address(SocketAddr::V4(client.address));
    let session = SeederSuite.open(&target, &options)?;
    let selection = Selection::default();
    let report = run(
        &SeederSuite,
        &*session,
        &selection,
        options.seed,
        &Unwatched,
    );
    pinned(&report, pins).map_err(|why| format!("{why}\n{:?}", report.duration).into())
}

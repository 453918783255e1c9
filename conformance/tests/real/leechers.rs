//! The suite `bittorrent-leecher` against real clients, started for each case. Verdicts that differ from pass are
//! pinned; docs/findings.md has the bytes and the source behind each.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use libtest_mimic::{Failed, Trial};
use peerproof::case::Verdict;
use peerproof::run::{Selection, Unwatched, run};
use peerproof::suite::bittorrent::leecher::LeecherSuite;
use peerproof::suite::{Options, Suite};
use peerproof::target::Target;

use crate::clients::{Job, Software, required};
use crate::verdicts::{Pin, pinned};
use crate::{commands, isolation, trial};

/// Stands for the port in the command lines of the clients; no other number in them contains it.
const PORT: u16 = 65_123;

/// Fetches with transmission.
const TRANSMISSION: &str = include_str!("transmission-leecher.sh");

/// What aria2 does otherwise, by case.
const ARIA2: &[Pin] = &[
    ("handshake/bitfield-only-first", &[Verdict::Fail]),
    ("handshake/stranger", &[Verdict::NonStrict]),
    ("request/reqq", &[Verdict::NonStrict]),
];

/// What libtorrent does otherwise, by case.
const LIBTORRENT: &[Pin] = &[
    ("handshake/announced-peer-id", &[Verdict::Fail]),
    ("handshake/stranger", &[Verdict::NonStrict]),
    ("order/cancels-in-endgame", &[Verdict::NonStrict]),
];

/// What transmission does otherwise, by case.
const TRANSMISSION_PINS: &[Pin] = &[
    ("announce/stopped", &[Verdict::Fail]),
    ("handshake/stranger", &[Verdict::NonStrict]),
];

/// One trial for every client.
pub(crate) fn trials() -> Vec<Trial> {
    let loopback = [(Software::Aria2, ARIA2), (Software::Libtorrent, LIBTORRENT)];
    let mut trials: Vec<Trial> = loopback
        .into_iter()
        .map(|(software, pins)| {
            trial(software, "leecher-suite", move || {
                judge(software, None, pins)
            })
        })
        .collect();
    let network = Ipv4Addr::new(10, 77, 0, 0);
    let transmission = trial(Software::Transmission, "leecher-suite", move || {
        judge(Software::Transmission, Some(network), TRANSMISSION_PINS)
    });
    // It does not dial 127/8, and only the namespace has another network of this machine alone.
    let lacks_network = !isolation::isolated() && !required();
    trials.push(if lacks_network {
        transmission
            .with_kind("needs a network namespace of its own: run as root")
            .with_ignored_flag(true)
    } else {
        transmission
    });
    trials
}

fn judge(software: Software, swarm: Option<Ipv4Addr>, pins: &[Pin]) -> Result<(), Failed> {
    let home = tempfile::tempdir()?;
    let target = Target::Command(command_line(software, home.path())?);
    let options = Options {
        swarm,
        ..Options::default()
    };
    let session = LeecherSuite.open(&target, &options)?;
    let selection = Selection {
        slow: true,
        ..Selection::default()
    };
    let report = run(
        &LeecherSuite,
        &*session,
        &selection,
        options.seed,
        &Unwatched,
    );
    pinned(&report, pins).map_err(Failed::from)
}

/// The command line of a client with the placeholders of the suite.
fn command_line(software: Software, home: &Path) -> io::Result<String> {
    if software == Software::Transmission {
        let script = home.join("transmission-leecher.sh");
        fs::write(&script, TRANSMISSION)?;
        let script = script.display();
        return Ok(format!("exec sh {script} {{torrent}} {{dir}} {{port}}"));
    }
    let job = Job {
        metainfo: "{torrent}".into(),
        info_hash: [0; 20],
        name: String::new(),
        directory: "{dir}".into(),
        port: PORT,
    };
    let command = commands::client(software, &job, home)?;
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let line = format!("exec {}", words.join(" "));
    Ok(line.replace(&PORT.to_string(), "{port}"))
}

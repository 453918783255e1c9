//! The suites: for each kind of node the cases that judge it.

pub mod bittorrent;
pub mod chord;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use peerproof_model::bittorrent::message::InfoHash;
use peerproof_model::claim::Claim;

use crate::case::{CaseInfo, Outcome};
use crate::control::ring::Network;
use crate::fleet::Isolation;
use crate::run::{SuiteReport, WhyNot};
use crate::target::Target;

/// One suite, independent of its kit.
pub trait Suite: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;
    /// What it judges, in one sentence.
    fn about(&self) -> &'static str;
    /// Its cases, in the order of reports.
    fn cases(&self) -> Vec<CaseInfo>;
    /// The claims its cases refer to.
    fn claims(&self) -> &'static [Claim];
    /// The names of the properties its cases may ask.
    fn properties(&self) -> Vec<&'static str>;
    /// The seeded violations of its reference node.
    fn breaks(&self) -> &'static [Break];
    /// The info hashes that its cases announce with that seed, for trackers that serve known torrents only.
    fn info_hashes(&self, seed: u64) -> Vec<InfoHash> {
        let _ = seed;
        Vec::new()
    }
    /// Whether the kit drives the nodes over the control plane, so that there is a log of what it saw.
    fn drives_nodes(&self) -> bool {
        false
    }
    /// What whoever wrote the target does best next, when there is something.
    fn advice(&self, run: &SuiteReport) -> Option<String> {
        let _ = run;
        None
    }
    /// Reaches or starts the target.
    ///
    /// # Errors
    /// The options do not fit the suite, or nobody answers at the target.
    fn open(&self, target: &Target, options: &Options) -> Result<Box<dyn Session>, OpenError>;
}

/// A seeded violation of a reference node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// Its name for `--break`.
    pub name: &'static str,
    /// What the node does wrong, in one sentence.
    pub what: &'static str,
    /// The case that catches it, declared beforehand.
    pub caught_by: &'static str,
}

/// A target that is ready to be judged.
pub trait Session: Sync {
    /// Plays one case, identified by its id, and judges it. Must end within `Options::patience` bounds.
    fn play(&self, case: &CaseInfo, seed: u64) -> Outcome;
    /// Why a case cannot be played here, if it cannot.
    fn skips(&self, case: &CaseInfo) -> Option<WhyNot> {
        let _ = case;
        None
    }
    /// How many cases may run at the same time.
    fn concurrency(&self) -> usize;
    /// How reports name the target.
    fn target(&self) -> String;
}

/// What the user asked for, as far as suites care.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything random comes from.
    pub seed: u64,
    /// The torrent that the target serves (`bittorrent-seeder`).
    pub torrent: Option<PathBuf>,
    /// Where the kit leaves torrents for a running client to pick up (`bittorrent-leecher` with `--target`).
    pub torrents_dir: Option<PathBuf>,
    /// Where the target listens over UDP, if not at the port of TCP (`bittorrent-tracker`).
    pub udp_port: Option<u16>,
    /// The path of announces, if not `/announce` (`bittorrent-tracker`).
    pub announce_path: Option<String>,
    /// The /16 network in which the kit's swarm has its addresses (`bittorrent-leecher`); 127.0.0.0 without one.
    pub swarm: Option<Ipv4Addr>,
    /// How long the target has for one answer.
    pub patience: Duration,
    /// How long the target may take until it unchokes an interested peer, or announces.
    pub long_patience: Duration,
    /// How messages between nodes travel, if not as the target is used to (`chord`).
    pub network: Option<Network>,
    /// Where nodes that talk over sockets live (`chord`).
    pub isolation: Isolation,
    /// Between two rounds of stabilization, if not the suite's own choice (`chord`).
    pub period: Option<Duration>,
    /// How long smaller schedules of failing cases are looked for, in all cases together (`chord`).
    pub shrinking: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            torrent: None,
            torrents_dir: None,
            udp_port: None,
            announce_path: None,
            swarm: None,
            patience: Duration::from_secs(2),
            long_patience: Duration::from_secs(30),
            network: None,
            isolation: Isolation::default(),
            period: None,
            shrinking: Duration::ZERO,
        }
    }
}

/// Why a suite could not begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The user's mistake: exit status 2.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers: exit status 3.
    #[error("{0}")]
    Unreachable(String),
    /// The kit's own fault: exit status 4.
    #[error("{0}")]
    Kit(String),
}

impl OpenError {
    /// A suite whose nodes speak a protocol of their own, and need no adapter.
    pub fn takes_no_adapter() -> Self {
        let why = "--adapter is for nodes that are driven by the control plane: `peerproof test chord --adapter FILE`";
        Self::Usage(why.to_owned())
    }
}

/// Every suite, in the order of `peerproof list`.
pub fn all() -> Vec<&'static dyn Suite> {
    vec![
        &bittorrent::seeder::SeederSuite,
        &bittorrent::leecher::LeecherSuite,
        &bittorrent::tracker::TrackerSuite,
        &chord::ChordSuite,
    ]
}

/// The suite of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Suite> {
    all().into_iter().find(|suite| suite.name() == name)
}

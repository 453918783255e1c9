//! Starts the real BitTorrent clients and trackers, waits until they are ready, and ends them.
//!
//! Every client listens on 127.0.0.1 only, with DHT, local discovery, peer exchange, port mapping and uTP off and
//! plaintext TCP allowed. Torrents are single-file: a seeder's `directory` holds the file under its `info.name`,
//! a leecher's `directory` is empty. The metainfo must have an `announce`: rtorrent without DHT and ctorrent
//! refuse a torrent that has no tracker.

use std::fmt;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::commands;
use crate::process::{Process, eventually};
use crate::wire;

/// Set to 1, it turns the absence of a client into a failure.
const REQUIRE: &str = "PEERPROOF_REQUIRE_CLIENTS";
/// How long a client may take until it answers a handshake and, when seeding, shows every piece.
const READY: Duration = Duration::from_secs(30);

/// A program that nobody here wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    /// aria2: seeder and leecher.
    Aria2,
    /// transmission-daemon: seeder and leecher.
    Transmission,
    /// libtorrent (rasterbar) through its Python binding: seeder and leecher.
    Libtorrent,
    /// rtorrent (the other libtorrent): seeder and leecher.
    Rtorrent,
    /// Enhanced CTorrent: seeder and leecher.
    Ctorrent,
    /// opentracker: HTTP and UDP tracker.
    Opentracker,
}

/// Why a program does not run.
#[derive(Debug)]
pub(crate) enum NotRunning {
    /// It is not installed here.
    Absent { reason: String },
    /// It is installed, and did not become ready.
    Failed { what: String, output: String },
}

impl fmt::Display for NotRunning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { reason } => write!(f, "absent: {reason}"),
            Self::Failed { what, output } => write!(f, "{what}; its last output:\n{output}"),
        }
    }
}

/// What a client is started with.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// The metainfo file.
    pub(crate) metainfo: PathBuf,
    /// The info hash of that file.
    pub(crate) info_hash: [u8; 20],
    /// The `info.name` of that file.
    pub(crate) name: String,
    /// The directory of the data (seeder) or an empty one (leecher).
    pub(crate) directory: PathBuf,
    /// The TCP port to listen on.
    pub(crate) port: u16,
}

/// A running client or tracker, ready to talk; dropping it ends it.
pub(crate) struct Running {
    /// Which program it is.
    pub(crate) software: Software,
    /// What it calls its version.
    pub(crate) version: String,
    /// Where it listens (opentracker: TCP and UDP).
    pub(crate) address: SocketAddrV4,
    process: Process,
}

impl Running {
    /// Its name, version, and the end of its standard output and error, for messages.
    pub(crate) fn output(&self) -> String {
        format!(
            "{} {} said:\n{}",
            self.software.name(),
            self.version,
            self.process.output()
        )
    }

    /// Whether it still runs.
    pub(crate) fn alive(&mut self) -> bool {
        self.process.alive()
    }

    /// Has it stop its torrent, for which it announces `stopped`; returns before it has.
    ///
    /// All but transmission leave as well: they announce on their way out. ctorrent takes 12 s for it.
    pub(crate) fn stop(&mut self) -> Result<(), String> {
        match self.software {
            // SIGTERM is its emergency exit, without an announce.
            Software::Aria2 => self.process.signal(Signal::SIGINT),
            Software::Transmission => commands::stop_in_transmission(self.process.home()),
            _ => self.process.signal(Signal::SIGTERM),
        }
    }
}

/// Whether absence of a client is a failure.
pub(crate) fn required() -> bool {
    std::env::var_os(REQUIRE).is_some_and(|value| value == "1")
}

impl Software {
    /// The programs that are run as seeders.
    pub(crate) const SEEDERS: [Self; 5] = [
        Self::Aria2,
        Self::Transmission,
        Self::Libtorrent,
        Self::Rtorrent,
        Self::Ctorrent,
    ];
    /// The programs that are run as leechers.
    pub(crate) const LEECHERS: [Self; 5] = Self::SEEDERS;

    /// Its name in lower case.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aria2 => "aria2",
            Self::Transmission => "transmission",
            Self::Libtorrent => "libtorrent",
            Self::Rtorrent => "rtorrent",
            Self::Ctorrent => "ctorrent",
            Self::Opentracker => "opentracker",
        }
    }

    /// Whether, as a leecher, it dials peers at 127/8 addresses that its tracker hands to it.
    ///
    /// transmission takes 127/8 for martian there; it does accept inbound peers from 127/8, and in the
    /// namespace it dials [`LOCAL_NETWORK`](crate::isolation::LOCAL_NETWORK).
    pub(crate) fn dials_loopback(self) -> bool {
        self != Self::Transmission
    }

    /// What it calls its version.
    pub(crate) fn version(self) -> Result<String, NotRunning> {
        let (program, arguments, mark): (&str, &[&str], &str) = match self {
            Self::Aria2 => ("aria2c", &["--version"], "aria2 version "),
            Self::Transmission => (
                "transmission-daemon",
                &["--version"],
                "transmission-daemon ",
            ),
            Self::Libtorrent => (
                "/usr/bin/python3",
                &["-c", commands::LIBTORRENT_VERSION],
                "libtorrent ",
            ),
            Self::Rtorrent => ("rtorrent", &["-h"], "BitTorrent client version "),
            Self::Ctorrent => ("ctorrent", &["-h"], "Enhanced CTorrent "),
            // opentracker has no option for it; where the package does not say, its help text proves its presence.
            Self::Opentracker => ("opentracker", &["-h"], "Usage: opentracker"),
        };
        let output = Command::new(program).args(arguments).output();
        let output = output.map_err(|error| NotRunning::Absent {
            reason: format!("{program}: {error}"),
        })?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let Some((_, rest)) = text.split_once(mark) else {
            let reason = format!(
                "{program} {arguments:?} does not show a version: {}",
                text.trim()
            );
            return Err(NotRunning::Absent { reason });
        };
        if self == Self::Opentracker {
            return Ok(
                package_version("opentracker").unwrap_or_else(|| "of unknown version".to_owned())
            );
        }
        if self == Self::Transmission {
            let remote = Command::new("transmission-remote")
                .arg("--version")
                .output();
            remote.map_err(|error| NotRunning::Absent {
                reason: format!("transmission-remote: {error}"),
            })?;
        }
        let version = rest.split([' ', '\n']).next().unwrap_or_default();
        Ok(version.trim_end_matches('.').to_owned())
    }

    /// Starts it as a seeder of data that is complete, and waits until it shows every piece.
    pub(crate) fn seed(self, job: &Job) -> Result<Running, NotRunning> {
        self.start(job, true)
    }

    /// Starts it as a leecher of nothing yet, and waits until it answers a handshake.
    pub(crate) fn leech(self, job: &Job) -> Result<Running, NotRunning> {
        self.start(job, false)
    }

    fn start(self, job: &Job, seeding: bool) -> Result<Running, NotRunning> {
        let version = self.version()?;
        let home = temporary_home()?;
        let command = commands::client(self, job, home.path()).map_err(failed_to_prepare)?;
        let mut process = Process::start(command, home).map_err(failed_to_prepare)?;
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, job.port);
        let deadline = Instant::now() + READY;
        if self == Self::Transmission {
            commands::add_to_transmission(job, &mut process, deadline)
                .map_err(|what| failed(what, &process))?;
        }
        let mut probe = wire::Probe::new(address, job.info_hash);
        let ready = eventually(deadline.saturating_duration_since(Instant::now()), || {
            !process.alive()
                || if seeding {
                    probe.seeds()
                } else {
                    probe.answers()
                }
        });
        if !process.alive() {
            return Err(failed(
                format!("{} left before it was ready", self.name()),
                &process,
            ));
        }
        if !ready {
            let what = format!(
                "{} was not ready within {READY:?}: {}",
                self.name(),
                probe.last_problem()
            );
            return Err(failed(what, &process));
        }
        Ok(Running {
            software: self,
            version,
            address,
            process,
        })
    }
}

/// Starts opentracker on TCP and UDP `port`, serving `info_hashes` (Debian's build serves a whitelist only).
pub(crate) fn opentracker(info_hashes: &[[u8; 20]], port: u16) -> Result<Running, NotRunning> {
    let software = Software::Opentracker;
    let version = software.version()?;
    let home = temporary_home()?;
    let command =
        commands::opentracker(info_hashes, port, home.path()).map_err(failed_to_prepare)?;
    let mut process = Process::start(command, home).map_err(failed_to_prepare)?;
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let ready = eventually(READY, || {
        !process.alive() || (wire::http_answers(address) && wire::udp_tracker_answers(address))
    });
    if !ready || !process.alive() {
        return Err(failed(
            "opentracker did not answer over HTTP and UDP".to_owned(),
            &process,
        ));
    }
    Ok(Running {
        software,
        version,
        address,
        process,
    })
}

/// A port that no TCP or UDP socket of this machine uses at the moment.
///
/// Counting up from below the ephemeral range never hands out one port twice in a run and cannot
/// collide with the source port of an outgoing connection.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u32 = 16_384;
    const RANGE: u32 = 16_000;
    // Outside a namespace, two runs at once start at different places.
    let start = std::process::id().wrapping_mul(97) % RANGE;
    for _ in 0..RANGE {
        let offset = (start + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % RANGE;
        let port = u16::try_from(FIRST + offset).expect("below the ephemeral range");
        let any = (Ipv4Addr::UNSPECIFIED, port);
        if TcpListener::bind(any).is_ok() && UdpSocket::bind(any).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + RANGE);
}

fn package_version(package: &str) -> Option<String> {
    let output = Command::new("dpkg-query")
        .args(["-W", "-f", "${Version}", package])
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn temporary_home() -> Result<TempDir, NotRunning> {
    let home = tempfile::Builder::new()
        .prefix("peerproof-")
        .tempdir()
        .map_err(failed_to_prepare)?;
    // opentracker gives up its privileges and must still read its directory.
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755))
        .map_err(failed_to_prepare)?;
    Ok(home)
}

#[allow(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn failed_to_prepare(error: std::io::Error) -> NotRunning {
    NotRunning::Failed {
        what: format!("cannot prepare or start it: {error}"),
        output: String::new(),
    }
}

fn failed(what: String, process: &Process) -> NotRunning {
    NotRunning::Failed {
        what,
        output: process.output(),
    }
}

//! The real BitTorrent software: every client is started, talked to, and ended.
//!
//! A client that is not installed shows as an ignored test whose kind says why;
//! with PEERPROOF_REQUIRE_CLIENTS=1 it is a failed one.

#[path = "real/clients.rs"]
mod clients;
#[path = "real/commands.rs"]
mod commands;
#[path = "real/isolation.rs"]
mod isolation;
#[path = "real/leechers.rs"]
mod leechers;
#[path = "real/process.rs"]
mod process;
#[path = "real/seeders.rs"]
mod seeders;
#[path = "real/smoke.rs"]
mod smoke;
#[path = "real/swarm.rs"]
mod swarm;
#[path = "real/torrent.rs"]
mod torrent;
#[path = "real/trackers.rs"]
mod trackers;
#[path = "real/verdicts.rs"]
mod verdicts;
#[path = "real/wire.rs"]
mod wire;

use std::process::ExitCode;

use clients::{NotRunning, Software};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if let Some(status) = isolation::enter() {
        return status;
    }
    let trials = smoke::trials()
        .into_iter()
        .chain(leechers::trials())
        .chain(trackers::trials())
        .chain(seeders::trials());
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// A trial named `software/what` that runs only where the software is installed.
fn trial(
    software: Software,
    what: &str,
    run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let name = format!("{}/{what}", software.name());
    match software.version() {
        Ok(version) => Trial::test(name, run).with_kind(version),
        Err(absence) if clients::required() => {
            Trial::test(name, move || Err(absence.to_string().into()))
        }
        Err(NotRunning::Absent { reason } | NotRunning::Failed { what: reason, .. }) => {
            Trial::test(name, || Ok(()))
                .with_kind(format!("absent: {reason}"))
                .with_ignored_flag(true)
        }
    }
}

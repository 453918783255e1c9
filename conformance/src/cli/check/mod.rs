//! `peerproof check`: does the specification of a protocol keep its promise, in every state that it can reach?

mod bittorrent;
mod chord;
mod finding;
mod json;
mod terminal;

use std::fmt::Debug;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use peerproof_model::explore::{Limits, Progress, Story, Trace};

use self::finding::{Exports, Finding};
use super::explore::{self, Browser};
use super::replay::{Recorded, Replayed};
use super::{BROKEN, Failure, GOOD, UNJUDGED, nearest, outputs};

/// The most bytes that the explorer keeps unless somebody says otherwise: 3 GiB.
const USUAL_MEMORY: usize = 3 << 30;

/// The protocols that can be checked.
pub(super) const PROTOCOLS: &[&dyn Protocol] = &[&bittorrent::BitTorrent, &chord::Chord];

/// Where findings go as they are found.
pub(super) type Found<'a> = dyn FnMut(Finding) -> Result<(), Failure> + 'a;

/// A protocol whose specification can be checked.
pub(super) trait Protocol: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;
    /// Its scopes or variants, each with what it is for.
    fn listing(&self) -> Vec<(String, String)>;
    /// A flag that was given and means nothing here.
    fn foreign(&self, args: &Args) -> Option<&'static str>;
    /// Explores what the arguments ask for.
    fn check(&self, args: &Args, found: &mut Found<'_>) -> Result<(), Failure>;
    /// Shows a model in a browser.
    fn explore(&self, args: &explore::Args, browser: &mut Browser<'_>) -> Result<(), Failure>;
    /// Takes the steps of a trace.
    fn replay(&self, trace: &Recorded) -> Result<Replayed, Failure>;
}

#[derive(clap::Args)]
pub(super) struct Args {
    /// The protocol: bittorrent or chord
    protocol: String,
    /// Names every scope or variant, and what it is for
    #[arg(long)]
    list: bool,
    /// One scope by name. bittorrent: without it, every scope. chord: a ring with messages; without it, atomic operations
    #[arg(long, value_name = "NAME")]
    scope: Option<String>,
    /// bittorrent: a scope of a seeder, N - 1 leechers and a tracker
    #[arg(long, value_name = "N", conflicts_with = "scope")]
    peers: Option<u8>,
    /// bittorrent: how many pieces the torrent of that scope has
    #[arg(long, value_name = "N", conflicts_with = "scope")]
    pieces: Option<u8>,
    /// What the nodes speak: bep3 or bep3+bep6 (without it, what each scope says); a generation of Chord (zave2017)
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// chord: how many identifiers the circle has, each of them a possible node (4)
    #[arg(long, value_name = "N")]
    ids: Option<u8>,
    /// chord: how long a successor list is (2; 1 in sigcomm2001)
    #[arg(long, value_name = "N")]
    successors: Option<u8>,
    /// chord: members have fingers, which are looked up again at any moment
    #[arg(long, conflicts_with_all = ["symmetry", "liveness"])]
    fingers: bool,
    /// chord: a key that is kept on N members, and of which fewer than N fail before its copies are repaired
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..), conflicts_with_all = ["symmetry", "liveness"])]
    keys: Option<u8>,
    /// chord: what may happen beside maintenance: join, leave, fail (join,fail), or none
    #[arg(long, value_name = "LIST")]
    churn: Option<String>,
    /// chord: from rings of any size, without a base of principals that stay
    #[arg(long)]
    without_base: bool,
    /// chord: one state for all rotations of the circle; for safety alone
    #[arg(long, conflicts_with = "liveness")]
    symmetry: bool,
    /// chord: ask as well what is promised once churn stops
    #[arg(long)]
    liveness: bool,
    /// chord: how fair the steps of every member are: strong or weak
    #[arg(long, value_name = "HOW", default_value = "strong", value_parser = ["strong", "weak"])]
    fairness: String,
    /// Ask only this property: its shortest trace
    #[arg(long, value_name = "NAME")]
    property: Option<String>,
    /// Break a rule of the specification, and ask the property that must notice; `peerproof list --breaks` names them
    #[arg(long, value_name = "NAME")]
    mutant: Option<String>,
    /// End a run as incomplete beyond so many states (bittorrent: 1000000)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit_states: Option<u64>,
    /// End a run as incomplete beyond so many steps from where it starts
    #[arg(long, value_name = "N")]
    limit_depth: Option<u32>,
    /// End a run as incomplete after so many seconds
    #[arg(long, value_name = "SECONDS")]
    limit_time: Option<u64>,
    /// End a run as incomplete before the explorer holds more than so many bytes
    #[arg(long, value_name = "BYTES", default_value_t = USUAL_MEMORY)]
    limit_memory: usize,
    /// Explore on so many threads; without it, on as many as the machine has. The answer is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Write what was found for programs (docs/checking.md); `-` is standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the trace that breaks a property, for `peerproof replay`; a name that ends in .itf.json, .mmd or .dot gets
    /// that format; `-` is standard output
    #[arg(long, value_name = "FILE")]
    write_trace: Option<PathBuf>,
}

impl Args {
    /// A flag that only swarms have.
    fn of_swarms(&self) -> Option<&'static str> {
        let given = [
            (self.peers.is_some(), "--peers"),
            (self.pieces.is_some(), "--pieces"),
        ];
        first(&given)
    }

    /// A flag that only rings have.
    fn of_rings(&self) -> Option<&'static str> {
        let given = [
            (self.ids.is_some(), "--ids"),
            (self.successors.is_some(), "--successors"),
            (self.fingers, "--fingers"),
            (self.keys.is_some(), "--keys"),
            (self.churn.is_some(), "--churn"),
            (self.without_base, "--without-base"),
            (self.symmetry, "--symmetry"),
            (self.liveness, "--liveness"),
        ];
        first(&given)
    }
}

fn first(given: &[(bool, &'static str)]) -> Option<&'static str> {
    given
        .iter()
        .find(|(given, _)| *given)
        .map(|(_, flag)| *flag)
}

/// The protocol of that name, or what to type instead.
pub(super) fn protocol(name: &str) -> Result<&'static dyn Protocol, Failure> {
    let names = PROTOCOLS.iter().map(|protocol| protocol.name());
    known("protocol", name, names)?;
    let found = PROTOCOLS.iter().find(|protocol| protocol.name() == name);
    found
        .copied()
        .ok_or_else(|| Failure::usage(format!("no protocol is called `{name}`")))
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let protocol = protocol(&args.protocol)?;
    if args.list {
        terminal::listing(&protocol.listing(), out)?;
        return Ok(GOOD);
    }
    if let Some(flag) = protocol.foreign(args) {
        let name = protocol.name();
        return Err(Failure::usage(format!("{flag} means nothing to {name}")));
    }
    let files = [&args.json, &args.write_trace];
    let to_stdout = |path: &&PathBuf| outputs::is_stdout(path);
    if files.into_iter().flatten().filter(to_stdout).count() > 1 {
        return Err(Failure::usage(
            "only one report can go to standard output; give the other a file",
        ));
    }
    for path in files.into_iter().flatten().filter(|path| !to_stdout(path)) {
        outputs::writable(path)?;
    }
    let taken = files.into_iter().flatten().any(|path| to_stdout(&path));
    let mut findings = Vec::new();
    protocol.check(args, &mut |finding| {
        terminal::finding(&finding, if taken { &mut *err } else { &mut *out })?;
        findings.push(finding);
        Ok(())
    })?;
    terminal::conclusion(&findings, if taken { err } else { &mut *out })?;
    if let Some(path) = &args.json {
        outputs::put(path, out, &json::report(&findings))?;
    }
    if let Some(path) = &args.write_trace
        && let Some(text) = findings.iter().find_map(|found| trace(found, path))
    {
        outputs::put(path, out, &text)?;
    }
    Ok(status(&findings))
}

/// The run that breaks a property in the format that the name of the file asks for.
fn trace(finding: &Finding, path: &Path) -> Option<String> {
    let (_, run) = finding.broken()?;
    let name = path.to_string_lossy();
    let exports = run.exports.as_ref();
    if name.ends_with(".itf.json") {
        exports.map(|exports| exports.itf.clone())
    } else if name.ends_with(".dot") {
        exports.map(|exports| exports.dot.clone())
    } else if name.ends_with(".mmd") {
        let sequence = run.diagram.clone();
        sequence.or_else(|| exports.map(|exports| exports.states.clone()))
    } else {
        json::trace(finding)
    }
}

/// A trace of a model in the formats of other tools. `describe` gives the values of the variables in a state.
fn exports<M>(
    model: &M,
    trace: &Trace<M::Action>,
    variables: &[&str],
    describe: impl Fn(&M::State) -> Vec<String>,
) -> Option<Exports>
where
    M: stateright::Model<State: Clone, Action: PartialEq + Debug>,
{
    let story = Story::of(model, trace, variables, describe).ok()?;
    Some(told(&story))
}

fn told(story: &Story) -> Exports {
    Exports {
        itf: story.itf(),
        dot: story.dot(),
        states: story.state_diagram(),
    }
}

fn status(findings: &[Finding]) -> u8 {
    if findings.iter().any(Finding::is_violated) {
        BROKEN
    } else if findings.iter().any(Finding::is_incomplete) || findings.is_empty() {
        UNJUDGED
    } else {
        GOOD
    }
}

fn limits(args: &Args, usual_states: Option<u64>) -> Limits {
    let states = args.limit_states.or(usual_states);
    Limits {
        states: states.map(|states| usize::try_from(states).unwrap_or(usize::MAX)),
        depth: args.limit_depth.map(|depth| depth as usize),
        time: args.limit_time.map(Duration::from_secs),
        memory: Some(args.limit_memory),
    }
}

fn threads(args: &Args) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.map_or_else(all, usize::from)
}

/// Shows how far a run is, on standard error where it is a terminal, and nothing elsewhere.
fn watched<T>(name: &str, run: impl FnOnce(Progress) -> T) -> T {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{prefix} {spinner} {pos} states {elapsed:.dim}")
    {
        bar.set_style(style);
    }
    bar.set_prefix(name.to_owned());
    let progress = if bar.is_hidden() {
        Progress::unwatched()
    } else {
        let bar = bar.clone();
        Progress::told_to(move |states| bar.set_position(u64::try_from(states).unwrap_or(u64::MAX)))
    };
    let found = run(progress);
    bar.finish_and_clear();
    found
}

/// One of these names, or what to type instead.
pub(super) fn known<'a>(
    what: &str,
    name: &str,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), Failure> {
    if names.clone().any(|known| known == name) {
        return Ok(());
    }
    let hint = nearest::hint(name, names.clone());
    let mut all: Vec<&str> = names.collect();
    // A long list helps nobody.
    let more = if all.len() > 16 { ", and more" } else { "" };
    all.truncate(16);
    Err(Failure::usage(format!(
        "no {what} is called `{name}`; {hint}there are: {}{more}",
        all.join(", ")
    )))
}

//! `peerproof test`: judges a node.

use std::io::{IsTerminal, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use globset::GlobMatcher;

use super::outputs::{self, Outputs};
use super::progress::{Bar, Files, Watcher};
use super::{BROKEN, Catalogue, Failure, GOOD, KIT, UNJUDGED, USAGE, address, nearest, serve};
use crate::baseline::{Baseline, Date};
use crate::case::{CaseInfo, Level, Verdict};
use crate::control::ring::Network;
use crate::fleet::Isolation;
use crate::report::{Report, plain, terminal};
use crate::run::{self, Selection, SuiteReport};
use crate::suite::{OpenError, Options, Session, Suite};
use crate::target::Target;

/// How long smaller schedules are looked for, in all failing cases of a run together.
const SHRINKING: Duration = Duration::from_secs(30);

#[derive(clap::Args)]
pub(super) struct Args {
    /// The suite; without one, every suite runs against the embedded reference nodes
    suite: Option<String>,
    /// A node that runs already, as HOST:PORT
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["node", "bug"])]
    target: Option<String>,
    /// A command line that starts the node
    #[arg(long, value_name = "CMD", conflicts_with = "bug")]
    node: Option<String>,
    /// An adapter that says how the node is started and driven (docs/adapters.md)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "node", "bug"])]
    adapter: Option<PathBuf>,
    /// Test the embedded reference node with this seeded violation
    #[arg(long = "break", value_name = "BUG")]
    bug: Option<String>,
    /// The torrent that the target serves
    #[arg(long, value_name = "FILE")]
    torrent: Option<PathBuf>,
    /// Where the kit leaves torrents for a running leecher to pick up
    #[arg(long, value_name = "DIR")]
    torrents: Option<PathBuf>,
    /// Where a tracker listens over UDP, if not at its port of TCP
    #[arg(long, value_name = "PORT")]
    udp_port: Option<u16>,
    /// The path of a tracker's announces, if not /announce
    #[arg(long, value_name = "PATH", value_parser = announce_path)]
    announce_path: Option<String>,
    /// Print the info hashes that the suite announces with this seed, for a tracker's whitelist, and end
    #[arg(long)]
    print_info_hashes: bool,
    /// The /16 network of the kit's swarm, for a leecher that does not dial 127.0.0.0
    #[arg(long, value_name = "NETWORK")]
    swarm: Option<Ipv4Addr>,
    /// How messages between the nodes of a ring travel: through the kit, over sockets of their own, or over sockets
    /// within a network namespace for each node (on Linux, as root)
    #[arg(long, value_name = "NETWORK", value_enum)]
    network: Option<NetworkArg>,
    /// Between two rounds of stabilization of a ring, in milliseconds
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(5..=60_000))]
    period: Option<u64>,
    /// Stop early: at the first case that fails, in the order of the suite
    #[arg(long, value_name = "WHEN", value_enum)]
    until: Option<UntilArg>,
    /// Run only cases whose id matches; may be given several times
    #[arg(long = "case", value_name = "GLOB")]
    cases: Vec<String>,
    /// The least binding level that still runs
    #[arg(long, value_name = "LEVEL", value_enum, default_value = "may")]
    level: LevelArg,
    /// Where everything random comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run the cases that need minutes, too
    #[arg(long)]
    slow: bool,
    /// Run everything so many times, with the seeds that follow --seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    repeat: u32,
    /// How long the target has for one answer; longer deadlines scale with it
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = patience)]
    patience: f64,
    /// Known failures that do not count (docs/reports.md)
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Show the cases that pass, too
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    outputs: Outputs,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LevelArg {
    Must,
    Should,
    May,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum NetworkArg {
    Kit,
    Sockets,
    Namespaces,
}

impl NetworkArg {
    fn network(self) -> Network {
        match self {
            Self::Kit => Network::Kit,
            Self::Sockets | Self::Namespaces => Network::Sockets,
        }
    }

    fn isolation(self) -> Isolation {
        match self {
            Self::Kit | Self::Sockets => Isolation::Loopback,
            Self::Namespaces => Isolation::Namespaces,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Kit => "kit",
            Self::Sockets => "sockets",
            Self::Namespaces => "namespaces",
        }
    }
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum UntilArg {
    FirstFail,
}

fn patience(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("give seconds from 0.01 to 3600".to_owned()),
    }
}

/// A path that can stand in a request line.
fn announce_path(text: &str) -> Result<String, String> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#');
    if plain && text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err("give the path of the announce URL, such as /announce".to_owned())
    }
}

/// The info hashes of the suite, one in each line.
fn print_info_hashes(
    args: &Args,
    catalogue: &Catalogue,
    out: &mut dyn Write,
) -> Result<u8, Failure> {
    for suite in suites(args, catalogue)? {
        let info_hashes = suite.info_hashes(args.seed);
        if info_hashes.is_empty() && args.suite.is_some() {
            return Err(Failure::usage(format!(
                "--print-info-hashes: {} has none of its own",
                suite.name()
            )));
        }
        for info_hash in info_hashes {
            writeln!(out, "{info_hash}")?;
        }
    }
    Ok(GOOD)
}

pub(super) fn run(
    args: &Args,
    catalogue: &Catalogue,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<u8, Failure> {
    if args.print_info_hashes {
        return print_info_hashes(args, catalogue, out);
    }
    let plan = Plan::new(args, catalogue)?;
    let stdout_taken = args.outputs.take_stdout();
    let mut reports = Vec::new();
    for suite in &plan.suites {
        for turn in 0..args.repeat {
            let seed = args.seed.wrapping_add(u64::from(turn));
            let report = plan.judge(*suite, seed)?;
            let people: &mut dyn Write = if stdout_taken { err } else { out };
            match &report.problem {
                Some(why) => {
                    super::complain(err, &format!("{} cannot be judged: {why}", suite.name()));
                }
                None => terminal::write(people, &report, plan.layout)?,
            }
            out.flush()?;
            reports.push(report);
        }
    }
    let people: &mut dyn Write = if stdout_taken { err } else { out };
    unsteady(people, &reports)?;
    let status = exit_status(&reports);
    let conclusion = conclusion(status, &reports);
    writeln!(people, "{conclusion}")?;
    args.outputs.write(&reports, conclusion, out)?;
    Ok(status)
}

/// Everything about a run that is known, and checked, before it begins.
struct Plan<'a> {
    args: &'a Args,
    suites: Vec<&'static dyn Suite>,
    target: Target,
    selection: Selection,
    baseline: Baseline,
    layout: terminal::Layout,
}

impl<'a> Plan<'a> {
    fn new(args: &'a Args, catalogue: &Catalogue) -> Result<Self, Failure> {
        let suites = suites(args, catalogue)?;
        let target = target(args, &suites)?;
        let suites = selected(&args.cases, suites)?;
        if let Some(torrent) = &args.torrent {
            outputs::readable("torrent", torrent)?;
        }
        if let Some(directory) = &args.torrents
            && !directory.is_dir()
        {
            return Err(Failure::usage(format!(
                "--torrents {}: no such directory; make it first",
                directory.display()
            )));
        }
        let baseline = baseline(args, catalogue)?;
        let drives = |suite: &&'static dyn Suite| suite.drives_nodes();
        if args.outputs.logs.is_some() && !suites.iter().any(drives) {
            return Err(Failure::usage(
                "--logs is for suites whose nodes the kit drives, such as chord; --captures has the bytes of every suite",
            ));
        }
        args.outputs.check()?;
        let selection = Selection {
            patterns: args
                .cases
                .iter()
                .map(|text| glob(text))
                .collect::<Result<_, _>>()?,
            level: match args.level {
                LevelArg::Must => Level::Must,
                LevelArg::Should => Level::Should,
                LevelArg::May => Level::May,
            },
            slow: args.slow,
            until_first_fail: matches!(args.until, Some(UntilArg::FirstFail)),
        };
        let width = std::io::stdout()
            .is_terminal()
            .then(terminal_size::terminal_size)
            .flatten()
            .map(|(width, _)| usize::from(width.0));
        let layout = terminal::Layout {
            every_case: args.verbose,
            width,
        };
        Ok(Self {
            args,
            suites,
            target,
            selection,
            baseline,
            layout,
        })
    }

    /// Runs one suite with one seed.
    fn judge(&self, suite: &'static dyn Suite, seed: u64) -> Result<Report, Failure> {
        let defaults = Options::default();
        // Longer deadlines keep their proportion to the one that the user sets.
        let factor = self.args.patience / defaults.patience.as_secs_f64();
        let options = Options {
            seed,
            torrent: self.args.torrent.clone(),
            torrents_dir: self.args.torrents.clone(),
            udp_port: self.args.udp_port,
            announce_path: self.args.announce_path.clone(),
            swarm: self.args.swarm,
            patience: Duration::from_secs_f64(self.args.patience),
            long_patience: defaults.long_patience.mul_f64(factor),
            network: self.args.network.map(NetworkArg::network),
            isolation: self
                .args
                .network
                .map(NetworkArg::isolation)
                .unwrap_or_default(),
            period: self.args.period.map(Duration::from_millis),
            shrinking: SHRINKING,
        };
        let (run, problem) = match suite.open(&self.target, &options) {
            Ok(session) => (self.play(suite, &*session, seed)?, None),
            Err(OpenError::Usage(why)) => return Err(Failure::usage(why)),
            Err(problem) => (self.nothing(suite, seed), Some(problem)),
        };
        Ok(Report {
            suite,
            run,
            problem,
            baseline: self.baseline.clone(),
            today: Date::today(),
            command: self.command(suite, seed),
        })
    }

    /// Plays the selected cases against an open session.
    fn play(
        &self,
        suite: &dyn Suite,
        session: &dyn Session,
        seed: u64,
    ) -> Result<SuiteReport, Failure> {
        let cases = suite.cases();
        let runs =
            |case: &&CaseInfo| self.selection.names(case) && (self.selection.slow || !case.slow);
        let bar = Bar::new(suite.name(), cases.iter().filter(runs).count());
        let outputs = &self.args.outputs;
        let files = Files {
            captures: outputs.captures.as_deref(),
            logs: outputs.logs.as_deref(),
            seed,
        };
        let watcher = Watcher::new(bar, outputs.keep(), files);
        let run = run::run(suite, session, &self.selection, seed, &watcher);
        match watcher.trouble() {
            None => Ok(run),
            Some(error) => Err(Failure {
                status: KIT,
                message: format!("cannot write the files of a case: {error}"),
            }),
        }
    }

    /// A run in which no case ran.
    fn nothing(&self, suite: &dyn Suite, seed: u64) -> SuiteReport {
        let chosen = suite
            .cases()
            .into_iter()
            .filter(|case| self.selection.names(case));
        SuiteReport {
            suite: suite.name(),
            target: self.target.name(),
            seed,
            cases: chosen
                .map(|info| run::CaseReport {
                    info,
                    why_not: Some(run::WhyNot::Problem),
                    outcome: None,
                })
                .collect(),
            duration: Duration::ZERO,
        }
    }

    /// The words of a command that runs the suite with the same target and seed.
    fn command(&self, suite: &dyn Suite, seed: u64) -> Vec<String> {
        let args = self.args;
        let path = |path: &PathBuf| path.display().to_string();
        let mut words = vec![
            "peerproof".to_owned(),
            "test".to_owned(),
            suite.name().to_owned(),
        ];
        let mut flag = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                words.extend([name.to_owned(), value]);
            }
        };
        flag("--target", args.target.clone());
        flag("--node", args.node.clone());
        flag("--adapter", args.adapter.as_ref().map(path));
        flag("--break", args.bug.clone());
        flag("--torrent", args.torrent.as_ref().map(path));
        flag("--torrents", args.torrents.as_ref().map(path));
        flag("--udp-port", args.udp_port.map(|port| port.to_string()));
        flag("--announce-path", args.announce_path.clone());
        flag("--swarm", args.swarm.map(|network| network.to_string()));
        flag("--network", args.network.map(|it| it.word().to_owned()));
        flag("--period", args.period.map(|period| period.to_string()));
        flag("--seed", Some(seed.to_string()));
        let default = Options::default().patience.as_secs_f64();
        let changed = (args.patience - default).abs() > f64::EPSILON;
        flag("--patience", changed.then(|| args.patience.to_string()));
        words
    }
}

fn suites(args: &Args, catalogue: &Catalogue) -> Result<Vec<&'static dyn Suite>, Failure> {
    if let Some(name) = &args.suite {
        return Ok(vec![super::suite(catalogue, name)?]);
    }
    let one_only = [
        ("--target", args.target.is_some()),
        ("--node", args.node.is_some()),
        ("--adapter", args.adapter.is_some()),
        ("--break", args.bug.is_some()),
        ("--torrent", args.torrent.is_some()),
        ("--torrents", args.torrents.is_some()),
        ("--udp-port", args.udp_port.is_some()),
        ("--announce-path", args.announce_path.is_some()),
        ("--swarm", args.swarm.is_some()),
        ("--network", args.network.is_some()),
        ("--period", args.period.is_some()),
    ];
    if let Some((flag, _)) = one_only.iter().find(|(_, given)| *given) {
        return Err(Failure::usage(format!(
            "{flag} needs a suite: `peerproof test SUITE {flag} ...`; `peerproof list` names the suites"
        )));
    }
    Ok(catalogue.suites.clone())
}

fn target(args: &Args, suites: &[&'static dyn Suite]) -> Result<Target, Failure> {
    if let Some(text) = &args.target {
        let address =
            address::address(text).map_err(|why| Failure::usage(format!("--target: {why}")))?;
        return Ok(Target::Address(address));
    }
    if let Some(line) = &args.node {
        if line.trim().is_empty() {
            return Err(Failure::usage(
                "--node: the command line is empty; give the program that starts the node",
            ));
        }
        return Ok(Target::Command(line.clone()));
    }
    if let Some(file) = &args.adapter {
        outputs::readable("adapter", file)?;
        return Ok(Target::Adapter(file.clone()));
    }
    if let (Some(bug), [suite]) = (&args.bug, suites) {
        serve::known_break(bug, suite.name(), suite.breaks().iter().map(|it| it.name))?;
    }
    Ok(Target::Embedded {
        bug: args.bug.clone(),
    })
}

fn glob(text: &str) -> Result<GlobMatcher, Failure> {
    let glob = globset::Glob::new(text);
    let glob = glob.map_err(|error| {
        Failure::usage(format!("--case `{text}` is no pattern: {}", error.kind()))
    })?;
    Ok(glob.compile_matcher())
}

/// The suites that have a case which a pattern names; every pattern must name one.
fn selected(
    patterns: &[String],
    suites: Vec<&'static dyn Suite>,
) -> Result<Vec<&'static dyn Suite>, Failure> {
    if patterns.is_empty() {
        return Ok(suites);
    }
    let cases: Vec<CaseInfo> = suites.iter().flat_map(|suite| suite.cases()).collect();
    let mut globs = Vec::new();
    for text in patterns {
        let glob = glob(text)?;
        if !cases.iter().any(|case| glob.is_match(case.id)) {
            let hint = nearest::hint(text, cases.iter().map(|case| case.id));
            return Err(Failure::usage(format!(
                "no case matches `{text}`; {hint}`peerproof list` names the cases, and * stands for any text"
            )));
        }
        globs.push(glob);
    }
    let named = |suite: &&'static dyn Suite| {
        let cases = suite.cases();
        cases
            .iter()
            .any(|case| globs.iter().any(|glob| glob.is_match(case.id)))
    };
    Ok(suites.into_iter().filter(named).collect())
}

fn baseline(args: &Args, catalogue: &Catalogue) -> Result<Baseline, Failure> {
    let Some(path) = &args.baseline else {
        return Ok(Baseline::default());
    };
    outputs::readable("baseline", path)?;
    let refuse = |why: &str| Failure::usage(format!("the baseline {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| refuse(&error.to_string()))?;
    let baseline = Baseline::parse(&text).map_err(|error| refuse(&error.to_string()))?;
    let cases: Vec<CaseInfo> = catalogue
        .suites
        .iter()
        .flat_map(|suite| suite.cases())
        .collect();
    for known in &baseline.known {
        if !cases.iter().any(|case| known.matches(case.id)) {
            let hint = nearest::hint(&known.pattern, cases.iter().map(|case| case.id));
            return Err(refuse(&format!(
                "no case matches `{}`; {hint}`peerproof list` names them",
                known.pattern
            )));
        }
    }
    Ok(baseline)
}

/// The exit status of all reports together, by the precedence 2, 4, 1, 3, 0.
fn exit_status(reports: &[Report]) -> u8 {
    let statuses: Vec<u8> = reports.iter().map(Report::exit_status).collect();
    [USAGE, KIT, BROKEN, UNJUDGED]
        .into_iter()
        .find(|status| statuses.contains(status))
        .unwrap_or(if reports.is_empty() { UNJUDGED } else { GOOD })
}

fn conclusion(status: u8, reports: &[Report]) -> &'static str {
    let nothing_ran = || {
        let idle =
            |report: &Report| report.problem.is_none() && report.run.outcomes().next().is_none();
        reports.iter().all(idle)
    };
    match status {
        GOOD => "every must-level case passed",
        BROKEN => "the specification is broken: see the cases above (exit status 1)",
        UNJUDGED if nothing_ran() => {
            "no case ran: the chosen ones are slow (add --slow) or less binding than --level (exit status 3)"
        }
        UNJUDGED => "not everything could be judged (exit status 3)",
        _ => "the kit itself made an error (exit status 4)",
    }
}

/// Cases that did not end alike in every run.
fn unsteady(out: &mut dyn Write, reports: &[Report]) -> Result<(), Failure> {
    let mut seen: Vec<(&str, Vec<Verdict>)> = Vec::new();
    for (case, outcome) in reports.iter().flat_map(|report| report.run.outcomes()) {
        match seen.iter_mut().find(|(id, _)| *id == case.id) {
            Some((_, verdicts)) => verdicts.push(outcome.verdict),
            None => seen.push((case.id, vec![outcome.verdict])),
        }
    }
    for (id, verdicts) in seen {
        if verdicts.iter().any(|verdict| *verdict != verdicts[0]) {
            let words: Vec<&str> = verdicts.iter().map(|verdict| verdict.word()).collect();
            writeln!(out, "unsteady: {} ended {}", plain(id), words.join(", "))?;
        }
    }
    Ok(())
}

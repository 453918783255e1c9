//! `peerproof check`: does the specification of a protocol keep its promise, in every state that it can reach?

mod json;
mod terminal;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use peerproof_model::bittorrent::mutant::Mutant;
use peerproof_model::bittorrent::properties;
use peerproof_model::bittorrent::system::{Examination, Scope, examine, not_asked};
use peerproof_model::explore::{Limits, Progress, Verdict};

use super::{BROKEN, Failure, GOOD, UNJUDGED, nearest, outputs};

/// The protocols that can be checked.
const PROTOCOLS: &[&str] = &["bittorrent"];

/// The variants of BitTorrent.
const VARIANTS: &[&str] = &["bep3", "bep3+bep6"];

#[derive(clap::Args)]
pub(super) struct Args {
    /// The protocol: bittorrent
    protocol: String,
    /// Names every scope, and what it is for
    #[arg(long)]
    list: bool,
    /// One scope by name; without it, every scope
    #[arg(long, value_name = "NAME")]
    scope: Option<String>,
    /// A scope of a seeder, N - 1 leechers and a tracker
    #[arg(long, value_name = "N", conflicts_with = "scope")]
    peers: Option<u8>,
    /// How many pieces the torrent of that scope has
    #[arg(long, value_name = "N", conflicts_with = "scope")]
    pieces: Option<u8>,
    /// What the peers speak: bep3, or bep3+bep6 with the fast extension; without it, what each scope says
    #[arg(long, value_name = "NAME")]
    variant: Option<String>,
    /// Ask only this property: its shortest trace
    #[arg(long, value_name = "NAME")]
    property: Option<String>,
    /// Break a rule of the specification, and ask the property that must notice; `peerproof list --breaks` names them
    #[arg(long, value_name = "NAME")]
    mutant: Option<String>,
    /// End a run as incomplete beyond so many states
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    limit_states: u64,
    /// End a run as incomplete after so many seconds
    #[arg(long, value_name = "SECONDS")]
    limit_time: Option<u64>,
    /// End a run as incomplete before the explorer holds more than so many bytes
    #[arg(long, value_name = "BYTES")]
    limit_memory: Option<usize>,
    /// Explore on so many threads; without it, on as many as the machine has. The answer is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Write what was found for programs (docs/checking.md); `-` is standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the trace that breaks a property as JSON; `-` is standard output
    #[arg(long, value_name = "FILE")]
    write_trace: Option<PathBuf>,
}

/// One scope and what was found there.
struct Finding {
    scope: Scope,
    mutant: Option<Mutant>,
    found: Examination,
}

pub(super) fn run(args: &Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    known("protocol", &args.protocol, PROTOCOLS.iter().copied())?;
    if args.list {
        terminal::scopes(out)?;
        return Ok(GOOD);
    }
    let mutant = args.mutant.as_deref().map(mutant).transpose()?;
    let asked = asked(args, mutant)?;
    let scopes = scopes(args, asked)?;
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
    for scope in scopes {
        let bar = spinner(&scope);
        let found = examine(
            &scope,
            mutant,
            asked,
            limits(args),
            threads(args),
            progress(&bar),
        );
        bar.finish_and_clear();
        let finding = Finding {
            scope,
            mutant,
            found,
        };
        terminal::finding(&finding, if taken { &mut *err } else { &mut *out })?;
        let violated = finding.is_violated();
        findings.push(finding);
        // A mutant is found where it is found first.
        if violated && mutant.is_some() {
            break;
        }
    }
    terminal::conclusion(&findings, if taken { err } else { &mut *out })?;
    if let Some(path) = &args.json {
        outputs::put(path, out, &json::report(&findings))?;
    }
    if let Some(path) = &args.write_trace
        && let Some(text) = findings.iter().find_map(json::trace)
    {
        outputs::put(path, out, &text)?;
    }
    Ok(status(&findings))
}

impl Finding {
    fn is_violated(&self) -> bool {
        matches!(self.found.report.verdict, Verdict::Violated { .. })
    }

    fn is_incomplete(&self) -> bool {
        matches!(self.found.report.verdict, Verdict::Incomplete { .. })
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

fn limits(args: &Args) -> Limits {
    Limits {
        states: Some(usize::try_from(args.limit_states).unwrap_or(usize::MAX)),
        time: args.limit_time.map(Duration::from_secs),
        memory: args.limit_memory,
        ..Limits::default()
    }
}

fn threads(args: &Args) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    args.threads.map_or_else(all, usize::from)
}

/// A line on standard error where it is a terminal, and nothing elsewhere.
fn spinner(scope: &Scope) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{prefix} {spinner} {pos} states {elapsed:.dim}")
    {
        bar.set_style(style);
    }
    bar.set_prefix(scope.name);
    bar
}

fn progress(bar: &ProgressBar) -> Progress {
    if bar.is_hidden() {
        return Progress::unwatched();
    }
    let bar = bar.clone();
    Progress::told_to(move |states| bar.set_position(u64::try_from(states).unwrap_or(u64::MAX)))
}

/// The scopes that are wanted, and in which the property, if one is asked, can be asked.
fn scopes(args: &Args, asked: Option<&str>) -> Result<Vec<Scope>, Failure> {
    let mut scopes = match &args.scope {
        Some(name) => vec![named(name)?],
        None if args.peers.is_some() || args.pieces.is_some() => {
            let scope = Scope::of(args.peers.unwrap_or(2), args.pieces.unwrap_or(2));
            vec![scope.map_err(Failure::usage)?]
        }
        None => Scope::all(),
    };
    if let Some(variant) = &args.variant {
        known("variant", variant, VARIANTS.iter().copied())?;
        let fast = variant == VARIANTS[1];
        if scopes.len() > 1 {
            // Among all scopes, those with the other variant have a twin without it.
            scopes.retain(|scope| !scope.fast);
        }
        for scope in &mut scopes {
            scope.fast = fast;
        }
    }
    if let Some(name) = asked {
        let why = |scope: &Scope| {
            let unasked = not_asked(scope).into_iter();
            unasked
                .filter(|(unasked, _)| *unasked == name)
                .map(|(_, why)| why)
                .next()
        };
        let last = scopes.last().and_then(why);
        scopes.retain(|scope| why(scope).is_none());
        if let (true, Some(why)) = (scopes.is_empty(), last) {
            return Err(Failure::usage(format!("`{name}` is not asked here: {why}")));
        }
    }
    Ok(scopes)
}

fn named(name: &str) -> Result<Scope, Failure> {
    let all = Scope::all();
    known("scope", name, all.iter().map(|scope| scope.name))?;
    Scope::named(name).ok_or_else(|| Failure::usage(format!("no scope is called `{name}`")))
}

/// Which property is asked alone: the one that is named, or the one that the mutant must break.
fn asked(args: &Args, mutant: Option<Mutant>) -> Result<Option<&'static str>, Failure> {
    let Some(name) = &args.property else {
        return Ok(mutant.map(Mutant::breaks));
    };
    let peers = properties::peer().map(|property| property.name);
    let trackers = properties::of_trackers().map(|property| property.name);
    let names: Vec<&'static str> = peers.chain(trackers).collect();
    known("property", name, names.iter().copied())?;
    Ok(names.into_iter().find(|known| known == name))
}

fn mutant(name: &str) -> Result<Mutant, Failure> {
    let names = Mutant::ALL.iter().map(|mutant| mutant.name());
    known("mutant", name, names)?;
    Mutant::by_name(name).ok_or_else(|| Failure::usage(format!("no mutant is called `{name}`")))
}

/// One of these names, or what to type instead.
fn known<'a>(
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

//! The program's interface: what the arguments mean, what the exit status says, how mistakes are reported.

mod adapter;
mod address;
mod check;
mod explain;
mod explore;
mod judge;
mod kill_matrix;
mod list;
mod nearest;
mod outputs;
mod progress;
mod replay;
mod serve;
mod test;
mod vectors;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind};
use clap::{Parser, Subcommand};

use crate::serve::Kind;
use crate::suite::Suite;

/// Everything went well; for `test`, every must-level case passed and at least one ran.
pub const GOOD: u8 = 0;
/// A must-level case failed.
pub const BROKEN: u8 = 1;
/// Wrong usage or input.
pub const USAGE: u8 = 2;
/// Nothing could be judged.
pub const UNJUDGED: u8 = 3;
/// The kit's own error.
pub const KIT: u8 = 4;

#[derive(Parser)]
#[command(
    name = "peerproof",
    version,
    about = "Holds peer-to-peer nodes to their specification",
    max_term_width = 110
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Judge a node; without a suite, every suite against the embedded reference nodes
    Test(Box<test::Args>),
    /// List the suites, or the cases of one
    List(list::Args),
    /// Explain a case or a claim: what, why, source, how to reproduce
    Explain(explain::Args),
    /// Run a reference node, or a deliberately broken one
    Serve(serve::Args),
    /// Play every suite against every broken reference node, and show what catches it
    KillMatrix(kill_matrix::Args),
    /// Check the specification of a protocol exhaustively, at small scope
    Check(Box<check::Args>),
    /// Show the state space of a specification in a browser
    Explore(explore::Args),
    /// Take the steps of a counterexample that a check wrote
    Replay(replay::Args),
    /// Ask whether the specification can explain a log of running nodes
    Judge(judge::Args),
    /// Verify, decode or export the golden wire vectors
    Vectors(vectors::Args),
    /// Try the file behind which a node with a prompt, commands or HTTP is driven
    Adapter(adapter::Args),
}

/// What the program can judge and serve.
pub struct Catalogue {
    /// Its suites.
    pub suites: Vec<&'static dyn Suite>,
    /// Its reference nodes.
    pub servers: Vec<Kind>,
}

/// Why a command ended early.
#[derive(Debug)]
struct Failure {
    status: u8,
    message: String,
}

impl Failure {
    /// The user's mistake; the message says what to do next.
    fn usage(message: impl Into<String>) -> Self {
        Self {
            status: USAGE,
            message: message.into(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            status: KIT,
            message: format!("cannot write the output: {error}"),
        }
    }
}

/// The program: arguments and streams of the process, all suites.
pub fn main() -> ExitCode {
    crate::interrupt::watch();
    let catalogue = Catalogue {
        suites: crate::suite::all(),
        servers: crate::serve::all(),
    };
    let (mut out, mut err) = (anstream::stdout(), anstream::stderr());
    ExitCode::from(run(std::env::args_os(), &catalogue, &mut out, &mut err))
}

/// Runs the program on these arguments and streams, and returns its exit status.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    catalogue: &Catalogue,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    let mut out = Unread(out);
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return misread(&error, &mut out, err),
    };
    let done = match cli.command {
        Command::Test(args) => test::run(&args, catalogue, &mut out, err),
        Command::List(args) => list::run(&args, catalogue, &mut out),
        Command::Explain(args) => explain::run(&args, catalogue, &mut out),
        Command::Serve(args) => serve::run(&args, catalogue, &mut out),
        Command::KillMatrix(args) => kill_matrix::run(&args, catalogue, &mut out),
        Command::Check(args) => check::run(&args, &mut out, err),
        Command::Explore(args) => explore::run(&args, &mut out),
        Command::Replay(args) => replay::run(&args, &mut out),
        Command::Judge(args) => judge::run(&args, &mut out),
        Command::Vectors(args) => vectors::run(&args, &mut out, err),
        Command::Adapter(args) => adapter::run(&args, &mut out),
    };
    let done = done.and_then(|status| Ok(out.flush().map(|()| status)?));
    done.unwrap_or_else(|failure| {
        complain(err, &failure.message);
        failure.status
    })
}

/// One line on standard error. That nobody reads it is no reason to stop.
fn complain(err: &mut dyn Write, message: &str) {
    let _ = writeln!(err, "peerproof: {}", crate::report::plain(message));
}

/// What the argument parser says, in one line; help and version in full.
fn misread(error: &clap::Error, out: &mut dyn Write, err: &mut dyn Write) -> u8 {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return match write!(out, "{}", error.render().ansi()) {
            Ok(()) => GOOD,
            Err(_) => KIT,
        };
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = write!(err, "{}", error.render().ansi());
        return USAGE;
    }
    let text = error.render().to_string();
    let said = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .filter(|line| !line.is_empty());
    let line = said.collect::<Vec<_>>().join("; ");
    let command = match error.get(ContextKind::Usage) {
        Some(usage) => usage.to_string(),
        None => String::new(),
    };
    // `Usage: peerproof test [OPTIONS] [SUITE]` names the command whose help tells more.
    let command: Vec<&str> = command
        .split_whitespace()
        .skip_while(|word| *word != "peerproof")
        .take_while(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        .collect();
    let command = if command.is_empty() {
        "peerproof".to_owned()
    } else {
        command.join(" ")
    };
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    complain(
        err,
        &format!("{line}; `{command} --help` lists what there is"),
    );
    USAGE
}

/// Output that whoever read it may stop reading: `peerproof list | head -1` is no error.
struct Unread<'a>(&'a mut dyn Write);

impl Write for Unread<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        unread(self.0.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        unread(self.0.flush(), ())
    }
}

fn unread<T>(result: io::Result<T>, done: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(done),
        result => result,
    }
}

/// The suite of that name, or what to type instead.
fn suite(catalogue: &Catalogue, name: &str) -> Result<&'static dyn Suite, Failure> {
    let found = catalogue.suites.iter().find(|suite| suite.name() == name);
    found.copied().ok_or_else(|| {
        let names = catalogue.suites.iter().map(|suite| suite.name());
        let hint = nearest::hint(name, names);
        Failure::usage(format!(
            "no suite is called `{name}`; {hint}`peerproof list` names them all"
        ))
    })
}

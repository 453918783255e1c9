//! `peerproof serve`: a reference node to talk to, sound or broken.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::{Catalogue, Failure, GOOD, KIT, UNJUDGED, nearest, outputs};
use crate::interrupt;
use crate::serve::{Kind, ServeOptions, Server, Speaker};
use crate::suite::OpenError;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The kind of node, such as bittorrent-seeder
    protocol: String,
    /// Where to listen, if it does not talk over standard input and output; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A seeded violation by name; `peerproof list --breaks` names them
    #[arg(long = "break", value_name = "BUG")]
    bug: Option<String>,
    /// Where the node's free choices come from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The torrent to serve or fetch; without one, one is made
    #[arg(long, value_name = "FILE")]
    torrent: Option<PathBuf>,
    /// Where the content lies or goes
    #[arg(long, value_name = "PATH")]
    data: Option<PathBuf>,
}

pub(super) fn run(args: &Args, catalogue: &Catalogue, out: &mut dyn Write) -> Result<u8, Failure> {
    let name = &args.protocol;
    let kind = catalogue.servers.iter().find(|kind| kind.name() == name);
    let kind = kind.ok_or_else(|| {
        let names: Vec<&str> = catalogue.servers.iter().map(|kind| kind.name()).collect();
        let hint = nearest::hint(name, names.iter().copied());
        Failure::usage(format!(
            "no node is called `{name}`; {hint}there are: {}",
            names.join(", ")
        ))
    })?;
    if let Some(bug) = &args.bug {
        known_break(bug, kind.name(), kind.breaks().iter().map(|it| it.name))?;
    }
    match kind {
        Kind::Listens(server) => listen(*server, args, out),
        Kind::Speaks(speaker) => converse(*speaker, args, out),
    }
}

/// A node on standard input and output; it ends when its input does.
fn converse(speaker: &dyn Speaker, args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let input = Box::new(std::io::stdin());
    let done = speaker.converse(args.bug.as_deref(), input, out);
    done.map(|()| GOOD).map_err(|error| not_started(&error))
}

/// A node on a socket; the user ends it.
fn listen(server: &dyn Server, args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    if let Some(torrent) = &args.torrent {
        outputs::readable("torrent", torrent)?;
    }
    let options = ServeOptions {
        listen: args.listen,
        bug: args.bug.clone(),
        seed: args.seed,
        torrent: args.torrent.clone(),
        data: args.data.clone(),
    };
    let running = server
        .start(&options)
        .map_err(|error| not_started(&error))?;
    let interrupt = interrupt::expect();
    writeln!(out, "{} listens on {}", server.name(), running.address())?;
    for line in running.describe() {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "Ctrl-C ends it")?;
    out.flush()?;
    interrupt.wait();
    Ok(GOOD)
}

fn not_started(error: &OpenError) -> Failure {
    Failure {
        status: match error {
            OpenError::Usage(_) => super::USAGE,
            OpenError::Unreachable(_) => UNJUDGED,
            OpenError::Kit(_) => KIT,
        },
        message: error.to_string(),
    }
}

/// A break by name, or what to type instead.
pub(super) fn known_break<'a>(
    bug: &str,
    node: &str,
    breaks: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), Failure> {
    if breaks.clone().any(|name| name == bug) {
        return Ok(());
    }
    let hint = nearest::hint(bug, breaks);
    Err(Failure::usage(format!(
        "{node} has no break called `{bug}`; {hint}`peerproof list {node} --breaks` names them all"
    )))
}

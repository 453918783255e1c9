//! The reference nodes, on real sockets or on the control plane: something to talk to, and to test the kit on.

pub mod bittorrent;
pub mod chord;
pub(crate) mod runtime;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::suite::{Break, OpenError};

/// A kind of reference node that listens on a socket.
pub trait Server: Sync {
    /// Its name on the command line, such as `bittorrent-seeder`.
    fn name(&self) -> &'static str;
    /// What it is, in one sentence.
    fn about(&self) -> &'static str;
    /// The violations that it can be seeded with.
    fn breaks(&self) -> &'static [Break];
    /// Starts a node; it runs until the handle is dropped.
    ///
    /// # Errors
    /// The options do not fit, or the address cannot be bound.
    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Running>, OpenError>;
}

/// A reference node that runs. Dropping it stops the node and joins its threads.
pub trait Running: Send + Sync {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
    /// What a user who wants to talk to it should know, one line each.
    fn describe(&self) -> Vec<String>;
}

/// How a reference node is started.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The seeded violation, by name.
    pub bug: Option<String>,
    /// The seed of its free choices.
    pub seed: u64,
    /// The torrent to serve or fetch; without one a seeder makes its own.
    pub torrent: Option<PathBuf>,
    /// Where the content lies or goes.
    pub data: Option<PathBuf>,
}

/// A kind of reference node that reads lines and writes lines: see docs/control-plane.md.
pub trait Speaker: Sync {
    /// Its name on the command line, such as `chord`.
    fn name(&self) -> &'static str;
    /// What it is, in one sentence.
    fn about(&self) -> &'static str;
    /// The violations that it can be seeded with.
    fn breaks(&self) -> &'static [Break];
    /// Runs a node until its input ends, or nobody reads its output.
    ///
    /// # Errors
    /// There is no such violation.
    fn converse(
        &self,
        bug: Option<&str>,
        input: Box<dyn Read + Send>,
        output: &mut dyn Write,
    ) -> Result<(), OpenError>;
}

/// A kind of reference node.
#[derive(Clone, Copy)]
pub enum Kind {
    /// It listens on a socket.
    Listens(&'static dyn Server),
    /// It is told lines, and answers in lines.
    Speaks(&'static dyn Speaker),
}

impl Kind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listens(server) => server.name(),
            Self::Speaks(speaker) => speaker.name(),
        }
    }

    /// The violations that it can be seeded with.
    pub fn breaks(self) -> &'static [Break] {
        match self {
            Self::Listens(server) => server.breaks(),
            Self::Speaks(speaker) => speaker.breaks(),
        }
    }
}

/// Every kind of reference node.
pub fn all() -> Vec<Kind> {
    vec![
        Kind::Listens(&bittorrent::peer::Seeder),
        Kind::Listens(&bittorrent::leecher::LeecherServer),
        Kind::Listens(&bittorrent::tracker::TrackerServer),
        Kind::Speaks(&chord::Ring),
    ]
}

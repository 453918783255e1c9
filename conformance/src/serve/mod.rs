//! The reference nodes on real sockets: something to talk to, and to test the kit on.

pub mod bittorrent;
pub(crate) mod runtime;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::suite::{Break, OpenError};

/// A kind of reference node.
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

/// Every kind of reference node.
pub fn all() -> Vec<&'static dyn Server> {
    vec![
        &bittorrent::peer::Seeder,
        &bittorrent::leecher::LeecherServer,
        &bittorrent::tracker::TrackerServer,
    ]
}

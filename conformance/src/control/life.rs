//! A node that lives: what can be said and done to it, and what it brings.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::namespace::Namespace;

/// Starts nodes of one kind: programs, programs behind an adapter, or the reference within this process.
pub trait Starter: Send + Sync {
    /// Starts one that is called `name`; what it says goes into `inbox` until it has ended.
    ///
    /// # Errors
    /// The program cannot be started.
    fn start(&self, name: &str, inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError>;

    /// Starts one at its place. Who fills in command lines overrides this; the name is enough for the others.
    ///
    /// # Errors
    /// The program cannot be started.
    fn start_at(&self, place: &Place, inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError> {
        self.start(&place.name, inbox)
    }

    /// Whether the processes of a node enter the control group of its place, so that its packets can be told.
    fn enters_groups(&self) -> bool {
        false
    }

    /// Whether a node takes up a request when the one before is answered: what waits for its turn is not late.
    fn answers_in_turn(&self) -> bool {
        false
    }

    /// Whether all that a node does on a network happens within the network namespace of its place.
    fn enters_namespaces(&self) -> bool {
        false
    }

    /// How reports name what is started.
    fn name(&self) -> String;
}

/// What is known of a node before it starts.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Where it is to listen, over sockets.
    pub address: Option<SocketAddr>,
    /// The name of the member through which it will join.
    pub introducer: Option<String>,
    /// Where that one listens, over sockets.
    pub introducer_address: Option<SocketAddr>,
    /// The control group that its processes are to enter, as a directory; by it packets of the node are told.
    pub group: Option<PathBuf>,
    /// The network namespace in which it is to live.
    pub namespace: Option<Arc<Namespace>>,
}

/// A node that lives. Dropping it ends it and everything that it has started.
pub trait Life: Send {
    /// Hands it a line, without its end. Never waits for the node: false when it does not read, or is gone.
    fn say(&self, line: &str) -> bool;
    /// Stops it where it is, as SIGSTOP does.
    fn pause(&self);
    /// Lets it go on, as SIGCONT does.
    fn resume(&self);
    /// Ends it at once, as `kill -9` does.
    fn kill(&mut self);
    /// For how much of the time since then it was ready to run and had no processor, as far as the system tells.
    fn waited_since(&self, _began: Instant) -> Duration {
        Duration::ZERO
    }
    /// The end of what it wrote to standard error, for a report.
    fn last_words(&self) -> String;
}

/// Something that came from a node.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The node's name.
    pub from: String,
    /// When.
    pub at: Instant,
    /// What.
    pub news: News,
}

/// What a node brings. Exactly one of `Overused` and `Ended` comes, and it comes last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A line, without its end; bytes that are no UTF-8 are replaced.
    Line(String),
    /// A line that is longer than lines may be: it was not kept.
    LineTooLong,
    /// It has used up what it may use, and was ended for it: how, in one sentence.
    Overused(String),
    /// It has ended, or closed its standard output: how, in one sentence.
    Ended(String),
}

/// Why a node could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The command line, the adapter or the bug is wrong.
    #[error("{0}")]
    Usage(String),
    /// The machine cannot start it.
    #[error("{0}")]
    Machine(String),
}

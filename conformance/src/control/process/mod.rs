//! Programs as nodes: a command line per node, its lines on standard input and output, contained.
//!
//! What is contained: memory, processes and threads, open files, the size of files, processor time, and output. What is over the
//! limit is ended, with everything that it has started. What is not contained: a node runs as the user who runs the
//! kit, and reads and writes what that user may read and write, the network included unless its place is in a network
//! namespace. It gets a home directory of the kit's own, and no variables whose names sound like secrets. Whoever
//! judges strangers gives them a container or a machine of their own.
//!
//! | file | holds |
//! |---|---|
//! | `cage.rs` | limits and walls |
//! | `bound.rs` | a control group against fork bombs |
//! | `running.rs` | a program that runs |
//! | `reader.rs`, `writer.rs` | its standard output and input |
//! | `census.rs` | which processes belong to it |
//! | `warden.rs` | looks at what every node uses |
//! | `waits.rs` | how long a node waits for a processor |

mod bound;
mod cage;
mod census;
mod reader;
mod running;
mod waits;
mod warden;
mod writer;

use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use crate::interrupt;
use crate::program::{Home, filled, keep_end};

use super::namespace::within;
use super::{Arrival, Life, Place, StartError, Starter};
use bound::Bound;
use cage::{Inside, Walls};
use reader::IsPrompt;
use running::{Running, Shared};
use writer::Writer;

pub use cage::Limits;
pub(crate) use running::started_nothing;

/// Starts a program per node, by a command line with placeholders: `{name}`, `{id}` (the digits of the name),
/// `{host}` and `{port}` (where to listen, over sockets), `{introducer}` (its name, or over sockets its address;
/// empty for the first node).
#[derive(Debug)]
pub struct Programs {
    line: String,
    limits: Limits,
    walls: Walls,
    /// One for all nodes: what nodes of a kind share there, such as a cookie, they share.
    home: Home,
}

impl Programs {
    /// Programs of this command line.
    ///
    /// # Errors
    /// The command line is empty, or the machine has no place for their home.
    pub fn new(line: &str, limits: Limits) -> Result<Self, StartError> {
        if line.trim().is_empty() {
            return Err(StartError::Usage("the command line is empty".to_owned()));
        }
        let home = Home::new()
            .map_err(|error| StartError::Machine(format!("no home for the nodes: {error}")))?;
        Ok(Self {
            line: line.to_owned(),
            limits,
            walls: Walls::best(),
            home,
        })
    }

    /// Whether a node's processes cannot get away, whatever they do: the machine gives each node a process
    /// namespace. Without, what leaves its group and clears its environment can.
    pub fn holds_every_process(&self) -> bool {
        self.walls != Walls::Group
    }

    /// Whether the system itself bounds how many processes and threads a node has, between two looks of the kit.
    pub fn bounds_tasks(&self) -> bool {
        Bound::make(
            &format!("{}-question", std::process::id()),
            self.limits.tasks,
        )
        .is_some()
    }

    /// The command line of a node.
    fn line_for(&self, place: &Place) -> Result<String, StartError> {
        let name = place.name.as_str();
        let id: String = name.chars().filter(char::is_ascii_digit).collect();
        let introducer = match (place.introducer_address, &place.introducer) {
            (Some(address), _) => address.to_string(),
            (None, name) => name.clone().unwrap_or_default(),
        };
        let mut places = vec![("name", name), ("id", &id), ("introducer", &introducer)];
        let address = place
            .address
            .map(|it| (it.ip().to_string(), it.port().to_string()));
        match &address {
            Some((host, port)) => places.extend([("host", host.as_str()), ("port", port.as_str())]),
            None if self.line.contains("{host}") || self.line.contains("{port}") => {
                return Err(StartError::Usage(
                    "{host} and {port} are for nodes that talk over sockets".to_owned(),
                ));
            }
            None => {}
        }
        Ok(filled(&self.line, &places))
    }

    /// Starts another command line under the same limits. What it says after the last end of a line counts as a line
    /// once `is_prompt` says so: programs with a prompt wait there.
    ///
    /// # Errors
    /// The machine cannot start it.
    pub(super) fn start_line(
        &self,
        place: &Place,
        line: &str,
        is_prompt: impl Fn(&str) -> bool + Send + 'static,
        inbox: Sender<Arrival>,
    ) -> Result<Box<dyn Life>, StartError> {
        let running = self.run(place, line, Box::new(is_prompt), inbox)?;
        Ok(Box::new(running))
    }

    fn run(
        &self,
        place: &Place,
        line: &str,
        is_prompt: IsPrompt,
        inbox: Sender<Arrival>,
    ) -> Result<Running, StartError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = place.name.as_str();
        let machine = |error: std::io::Error| {
            StartError::Machine(format!("{name} cannot be started: {error}"))
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mark = format!("{}-{number}", std::process::id());
        let bound = Bound::make(&mark, 2 * self.limits.tasks);
        let bounded = bound.as_ref().map(Bound::directory);
        let inside = Inside {
            mark: &mark,
            // In one hierarchy a process is in one group: where both are in the same, the one for packets counts.
            groups: bounded.into_iter().chain(place.group.as_deref()).collect(),
        };
        let mut command = self
            .walls
            .command(line, &self.limits, self.home.path(), &inside);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let spawn = || within(place.namespace.as_deref(), || command.spawn())?;
        let (mut child, registration) = interrupt::start_group(spawn).map_err(machine)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let shared = Shared::new(child, registration, bound, self.walls, &mark, self.limits);
        let shared = Arc::new(shared);
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(StartError::Machine("a program without pipes".to_owned()));
        };
        let words = Arc::new(Mutex::default());
        let writer = Writer::start(stdin).map_err(machine)?;
        // From here on dropping it ends the program.
        let running = Running::new(Arc::clone(&shared), writer, Arc::clone(&words));
        let thread = || std::thread::Builder::new().name(format!("from {name}"));
        // They end with the pipes, which end with the program.
        thread()
            .spawn(move || keep_end(Box::new(stderr), &words))
            .map_err(machine)?;
        warden::watch(Arc::downgrade(&shared)).map_err(machine)?;
        let from = name.to_owned();
        thread()
            .spawn(move || shared.read(stdout, &is_prompt, &from, &inbox))
            .map_err(machine)?;
        Ok(running)
    }
}

impl Starter for Programs {
    fn start(&self, name: &str, inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError> {
        let place = Place {
            name: name.to_owned(),
            ..Place::default()
        };
        self.start_at(&place, inbox)
    }

    fn start_at(&self, place: &Place, inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError> {
        let line = self.line_for(place)?;
        let running = self.run(place, &line, Box::new(|_| false), inbox)?;
        Ok(Box::new(running))
    }

    fn enters_groups(&self) -> bool {
        true
    }

    fn enters_namespaces(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.line.clone()
    }
}

#[cfg(test)]
mod tests;

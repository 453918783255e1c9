//! Runs a node of a connection-oriented protocol on TCP.
//!
//! One thread steps the node; what happens reaches it through one queue. Each connection has a thread that reads and
//! one that writes. Timers run by the clock, free choices are drawn by seed. What strangers can make it hold is bounded: the
//! number of connections, the messages of a connection that wait to be taken, and the bytes that wait to be sent:
//! a neighbour that does not read is not read from either.

mod connection;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use peerproof_model::choose::Seeded;
use peerproof_model::node::{Input, Node, Output};

use self::connection::Connection;

/// The most connections at a time. The node itself may keep fewer.
const MOST_CONNECTIONS: usize = 128;

/// The most threads of connections, those that say farewell included.
const MOST_THREADS: usize = 4 * MOST_CONNECTIONS;

/// Happenings that wait to be stepped; whoever brings one more waits.
const QUEUE: usize = 256;

/// How long a dialled neighbour has to answer.
const DIAL_PATIENCE: Duration = Duration::from_secs(5);

/// Stacks of the threads of a connection: they hold little.
const STACK: usize = 128 << 10;

/// How the messages of a protocol travel.
pub(crate) trait Wire<N: Node>: Send + Sync + 'static {
    /// Reads one connection.
    type Reader: Send + 'static;
    /// A reader for a new connection.
    fn reader(&self) -> Self::Reader;
    /// Takes bytes that arrived; `into` takes the messages, one at a time.
    fn read(&self, reader: &mut Self::Reader, bytes: &[u8], into: &mut dyn FnMut(N::Message));
    /// Appends the bytes of a message.
    fn write(&self, message: &N::Message, out: &mut Vec<u8>);
    /// Takes a message to somebody with whom there is no connection; the answer goes into `mail`.
    fn carry(&self, _to: N::Id, _message: N::Message, _mail: &Mail<N>) {}
    /// The node tells its user something.
    fn told(&self, _event: N::Event) {}
    /// Whether one more connection is taken while `open` stand.
    fn admits(&self, open: usize) -> bool {
        open < MOST_CONNECTIONS
    }
}

/// What happens to a node.
enum Happening<N: Node> {
    Accepted(TcpStream, SocketAddr),
    Dialled(SocketAddr, Option<TcpStream>),
    Said(Name, N::Message),
    Ended(Name),
    Brought(Input<N>),
    Stop,
}

/// Names one connection: addresses come again, numbers do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    address: SocketAddr,
    number: u64,
}

/// Brings inputs to a node that runs.
pub(crate) struct Mail<N: Node>(SyncSender<Happening<N>>);

impl<N: Node> Clone for Mail<N> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<N: Node> Mail<N> {
    /// Brings an input; false when the node has ended.
    pub(crate) fn bring(&self, input: Input<N>) -> bool {
        self.0.send(Happening::Brought(input)).is_ok()
    }
}

/// A node that runs. Dropping it ends it and joins its threads.
pub(crate) struct Runtime<N: Node> {
    address: SocketAddr,
    mail: Mail<N>,
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl<N> Runtime<N>
where
    N: Node<Id = SocketAddr> + Send + 'static,
    N::Message: Send,
    N::Timer: Send,
    N::Request: Send,
    N::Event: Send,
{
    /// Runs `node` behind `listener`; the node learns of its start by what is brought to it.
    pub(crate) fn start<W: Wire<N>>(
        node: N,
        wire: Arc<W>,
        listener: TcpListener,
        seed: u64,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, receiver) = sync_channel(QUEUE);
        let mail = Mail(sender);
        let ending = Arc::new(AtomicBool::new(false));
        let mut host = Host {
            node,
            wire,
            mail: mail.clone(),
            choose: Seeded::new(seed),
            timers: BTreeMap::new(),
            connections: BTreeMap::new(),
            dialling: BTreeSet::new(),
            helpers: Vec::new(),
            next: 0,
        };
        let stepping = spawn("node", move || host.run(&receiver))?;
        let (accepting, door) = (mail.clone(), Arc::clone(&ending));
        let accepting = spawn("accept", move || accept(&listener, &accepting, &door))?;
        Ok(Self {
            address,
            mail,
            ending,
            threads: vec![stepping, accepting],
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Brings inputs to it.
    pub(crate) fn mail(&self) -> &Mail<N> {
        &self.mail
    }
}

impl<N: Node> Drop for Runtime<N> {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        // The stepping thread may have ended already, when a break lets it crash.
        let _ = self.mail.0.send(Happening::Stop);
        // Wakes the thread that accepts; it looks at the flag and ends.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
}

fn spawn_small(work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().stack_size(STACK).spawn(work)
}

fn accept<N: Node>(listener: &TcpListener, mail: &Mail<N>, ending: &AtomicBool) {
    for stream in listener.incoming() {
        if ending.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // Out of descriptors, or gone before it was taken: the next one may do better.
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        let Ok(from) = stream.peer_addr() else {
            continue;
        };
        if mail.0.send(Happening::Accepted(stream, from)).is_err() {
            return;
        }
    }
}

/// The thread that steps the node.
struct Host<N: Node, W> {
    node: N,
    wire: Arc<W>,
    mail: Mail<N>,
    choose: Seeded,
    timers: BTreeMap<N::Timer, Instant>,
    connections: BTreeMap<SocketAddr, Connection>,
    dialling: BTreeSet<SocketAddr>,
    helpers: Vec<JoinHandle<()>>,
    next: u64,
}

impl<N, W> Host<N, W>
where
    N: Node<Id = SocketAddr> + Send + 'static,
    N::Message: Send,
    N::Timer: Send,
    N::Request: Send,
    N::Event: Send,
    W: Wire<N>,
{
    fn run(&mut self, happenings: &Receiver<Happening<N>>) {
        loop {
            let now = Instant::now();
            if let Some(timer) = self.due(now) {
                self.timers.remove(&timer);
                self.step(Input::Expire(timer));
                continue;
            }
            let next = self.timers.values().min().copied();
            let wait = next.map_or(Duration::from_secs(60), |at| {
                at.saturating_duration_since(now)
            });
            match happenings.recv_timeout(wait) {
                Ok(Happening::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(happening) => self.on(happening),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        for connection in std::mem::take(&mut self.connections).into_values() {
            connection.cut();
        }
        // Readers that wait for a place in the queue must find it closed: drain until all have ended.
        while self.helpers.iter().any(|helper| !helper.is_finished()) {
            let _ = happenings.recv_timeout(Duration::from_millis(5));
        }
        for helper in self.helpers.drain(..) {
            let _ = helper.join();
        }
    }

    fn due(&self, now: Instant) -> Option<N::Timer> {
        let due = self.timers.iter().filter(|(_, at)| **at <= now);
        due.min_by_key(|(_, at)| **at)
            .map(|(timer, _)| timer.clone())
    }

    fn on(&mut self, happening: Happening<N>) {
        self.helpers.retain(|helper| !helper.is_finished());
        match happening {
            Happening::Accepted(stream, from) => {
                let crowded = self.helpers.len() >= MOST_THREADS;
                let known = self.connections.contains_key(&from);
                if self.wire.admits(self.connections.len()) && !crowded && !known {
                    self.connect(stream, from);
                }
            }
            Happening::Dialled(address, Some(stream)) if self.dialling.remove(&address) => {
                self.connect(stream, address);
            }
            Happening::Dialled(address, None) if self.dialling.remove(&address) => {
                self.step(Input::Closed(address));
            }
            Happening::Said(name, message) => {
                let Some(connection) = self.connection(name) else {
                    return;
                };
                connection.taken();
                let from = name.address;
                self.step(Input::Receive { from, message });
            }
            Happening::Ended(name) => {
                if self.connection(name).is_some() {
                    if let Some(connection) = self.connections.remove(&name.address) {
                        connection.cut();
                    }
                    self.step(Input::Closed(name.address));
                }
            }
            Happening::Brought(input) => self.step(input),
            Happening::Dialled(..) | Happening::Stop => {}
        }
    }

    fn connection(&self, name: Name) -> Option<&Connection> {
        let connection = self.connections.get(&name.address)?;
        (connection.number() == name.number).then_some(connection)
    }

    fn connect(&mut self, stream: TcpStream, address: SocketAddr) {
        let number = self.next;
        self.next += 1;
        let name = Name { address, number };
        let opened = connection::open(stream, name, Arc::clone(&self.wire), self.mail.clone());
        match opened {
            Ok((connection, threads)) => {
                self.connections.insert(address, connection);
                self.helpers.extend(threads);
                self.step(Input::Opened(address));
            }
            Err(_) => self.step(Input::Closed(address)),
        }
    }

    fn step(&mut self, input: Input<N>) {
        let mut out = Vec::new();
        // What cannot happen to the node now, such as a message that was read before it hung up, is no news.
        if self.node.step(input, &mut self.choose, &mut out).is_err() {
            return;
        }
        for output in out {
            self.act(output);
        }
    }

    fn act(&mut self, output: Output<N>) {
        match output {
            Output::Open(address) => self.dial(address),
            Output::Send { to, message } => match self.connections.get(&to) {
                Some(connection) => {
                    let mut bytes = Vec::new();
                    self.wire.write(&message, &mut bytes);
                    connection.send(&bytes);
                }
                None => self.wire.carry(to, message, &self.mail),
            },
            Output::Close(address) => {
                self.dialling.remove(&address);
                if let Some(connection) = self.connections.remove(&address) {
                    connection.close();
                }
            }
            Output::SetTimer { timer, after } => {
                self.timers.insert(timer, Instant::now() + after);
            }
            Output::CancelTimer(timer) => {
                self.timers.remove(&timer);
            }
            Output::Tell(event) => self.wire.told(event),
        }
    }

    fn dial(&mut self, address: SocketAddr) {
        if !self.dialling.insert(address) {
            return;
        }
        let mail = self.mail.clone();
        let dialling = spawn_small(move || {
            let stream = TcpStream::connect_timeout(&address, DIAL_PATIENCE).ok();
            // The node may have ended meanwhile.
            let _ = mail.0.send(Happening::Dialled(address, stream));
        });
        match dialling {
            Ok(thread) => self.helpers.push(thread),
            Err(_) => {
                self.dialling.remove(&address);
                self.step(Input::Closed(address));
            }
        }
    }
}

/// Locks what no thread leaves in a broken state.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

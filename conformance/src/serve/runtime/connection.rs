//! One connection of a node: a thread that reads, a thread that writes, and the bounds between them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use peerproof_model::node::Node;

use super::{Happening, Mail, Name, Wire, lock, spawn_small};

/// Messages of one connection that wait to be stepped; the reader waits for the next place.
const MOST_WAITING: usize = 16;

/// Bytes that wait to be sent; while there are more, nothing is read.
const HIGH_WATER: usize = 256 << 10;

/// Bytes that wait to be sent beyond which the neighbour is given up: it asked for too much at once.
const MOST_UNSENT: usize = 16 << 20;

/// How long a neighbour may let a write wait.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);

/// How long, after the last word, the other side may keep talking before the socket goes.
const FAREWELL: Duration = Duration::from_secs(1);

/// How often a reader to whom nothing is said looks whether the node has hung up.
const LOOK_UP: Duration = Duration::from_millis(200);

/// What the node knows of a connection.
pub(super) struct Connection {
    number: u64,
    stream: TcpStream,
    flow: Arc<Flow>,
}

/// What reader, writer and node share.
struct Flow {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Messages read and not yet stepped.
    waiting: usize,
    unsent: Vec<u8>,
    /// Bytes that the writer has in its hands.
    writing: usize,
    /// Nothing more will be sent.
    closing: bool,
    /// Nothing more can be sent or read.
    cut: bool,
}

impl Connection {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// One message was stepped: the reader may bring another.
    pub(super) fn taken(&self) {
        let mut state = lock(&self.flow.state);
        state.waiting = state.waiting.saturating_sub(1);
        self.flow.changed.notify_all();
    }

    /// Queues bytes.
    pub(super) fn send(&self, bytes: &[u8]) {
        let mut state = lock(&self.flow.state);
        if state.unsent.len().saturating_add(bytes.len()) > MOST_UNSENT {
            drop(state);
            return self.cut();
        }
        state.unsent.extend_from_slice(bytes);
        self.flow.changed.notify_all();
    }

    /// Sends what is queued, then ends the connection.
    pub(super) fn close(&self) {
        lock(&self.flow.state).closing = true;
        self.flow.changed.notify_all();
    }

    /// Ends the connection now.
    pub(super) fn cut(&self) {
        lock(&self.flow.state).cut = true;
        self.flow.changed.notify_all();
        // It may be gone already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// Starts the threads of a connection.
pub(super) fn open<N, W>(
    stream: TcpStream,
    name: Name,
    wire: Arc<W>,
    mail: Mail<N>,
) -> std::io::Result<(Connection, [JoinHandle<()>; 2])>
where
    N: Node + 'static,
    N::Message: Send,
    N::Id: Send,
    N::Timer: Send,
    N::Request: Send,
    W: Wire<N>,
{
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITE_PATIENCE))?;
    let flow = Arc::new(Flow {
        state: Mutex::default(),
        changed: Condvar::new(),
    });
    let connection = Connection {
        number: name.number,
        stream: stream.try_clone()?,
        flow: Arc::clone(&flow),
    };
    let (sending, outgoing) = (stream.try_clone()?, Arc::clone(&flow));
    let writer = spawn_small(move || write(sending, &outgoing))?;
    let reader = spawn_small(move || read(stream, name, &*wire, &mail, &flow));
    let reader = reader.inspect_err(|_| connection.cut())?;
    Ok((connection, [writer, reader]))
}

fn read<N: Node, W: Wire<N>>(
    mut stream: TcpStream,
    name: Name,
    wire: &W,
    mail: &Mail<N>,
    flow: &Flow,
) {
    let mut reader = wire.reader();
    let mut buffer = [0; 8 << 10];
    // Without a time-out, only slower to notice that the node has hung up.
    let _ = stream.set_read_timeout(Some(LOOK_UP));
    // An error ends the connection as the end of the stream does.
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if is_pause(&error) && !flow.is_ending() => continue,
            Err(_) => break,
        };
        let mut open = true;
        wire.read(&mut reader, &buffer[..count], &mut |message| {
            open = open && flow.admit() && mail.0.send(Happening::Said(name, message)).is_ok();
        });
        if !open {
            break;
        }
    }
    flow.drain(&mut stream);
    // The node may have ended, and then nobody needs to know.
    let _ = mail.0.send(Happening::Ended(name));
}

fn write(mut stream: TcpStream, flow: &Flow) {
    while let Some(bytes) = flow.next() {
        if stream.write_all(&bytes).is_err() {
            lock(&flow.state).cut = true;
            flow.changed.notify_all();
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
    // What was sent must arrive: only this direction ends here, the reader ends the other.
    let _ = stream.shutdown(Shutdown::Write);
}

/// Whether the error says only that nothing came for a while.
fn is_pause(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

impl Flow {
    /// Waits until one more message may wait; false when none will ever be taken.
    fn admit(&self) -> bool {
        let mut state = lock(&self.state);
        loop {
            if state.cut || state.closing {
                return false;
            }
            if state.waiting < MOST_WAITING && state.unsent.len() + state.writing < HIGH_WATER {
                state.waiting += 1;
                return true;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    /// Whether the node has hung up.
    fn is_ending(&self) -> bool {
        let state = lock(&self.state);
        state.cut || state.closing
    }

    /// What is to be sent next; `None` when nothing will be.
    fn next(&self) -> Option<Vec<u8>> {
        let mut state = lock(&self.state);
        state.writing = 0;
        self.changed.notify_all();
        loop {
            if state.cut {
                return None;
            }
            if !state.unsent.is_empty() {
                let bytes = std::mem::take(&mut state.unsent);
                state.writing = bytes.len();
                return Some(bytes);
            }
            if state.closing {
                return None;
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }

    /// After a farewell: reads what still comes, for a while, so that no reset overtakes what was sent.
    fn drain(&self, stream: &mut TcpStream) {
        let closing = {
            let state = lock(&self.state);
            state.closing && !state.cut
        };
        if closing {
            let until = Instant::now() + FAREWELL;
            let mut buffer = [0; 4 << 10];
            while Instant::now() < until {
                match stream.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(_) => {}
                    Err(error) if is_pause(&error) => {}
                    Err(_) => break,
                }
            }
        }
        let mut state = lock(&self.state);
        state.cut = true;
        self.changed.notify_all();
    }
}

//! A crafted neighbour of the target: it listens at an address of its own, has the pieces that the story gives it,
//! and chokes and serves as planned.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{
    BlockRequest, ExtensionHandshake, Handshake, PeerId, PeerMessage, Reserved,
};
use peerproof_model::bittorrent::view::{Frame, Link, Observation, Torrent};
use peerproof_model::bittorrent::wire::{extension, peer as wire};

use super::exchange::Exchange;
use super::plan::{Plan, Serves, Unchokes};
use crate::case::Stop;
use crate::record::{Channel, Happening, Transport};
use crate::suite::bittorrent::peer::stream::{self, Incoming};
use crate::suite::bittorrent::words;

/// How long a write to the target may take.
const WRITE_PATIENCE: Duration = Duration::from_secs(5);

/// How often a reader looks whether the case is over.
const LOOK: Duration = Duration::from_millis(100);

/// The most requests of the target that a neighbour keeps.
const KEPT_REQUESTS: usize = 4096;

/// No connection.
const NO_LINK: Link = Link::MAX;

/// A neighbour that listens. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Neighbour {
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    address: SocketAddrV4,
    peer_id: PeerId,
    plan: Plan,
    pub(super) torrent: Arc<Torrent>,
    exchange: Arc<Exchange>,
    over: AtomicBool,
    /// The link of the connection in `state`, or [`NO_LINK`].
    link: AtomicU32,
    /// The link of its last connection, open or not.
    last_link: AtomicU32,
    /// The link of the last connection on which the greeting is complete.
    /// The link that the kit has hung up on and the target has not closed yet.
    parting: AtomicU32,
    greeted_link: AtomicU32,
    /// How many requests wait in `state`.
    waiting: AtomicUsize,
    state: Mutex<State>,
    readers: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
pub(super) struct State {
    /// The connection with the target; a second one is turned away.
    connection: Option<Connection>,
    pub(super) serves: Serves,
    /// Requests that wait for the cue.
    pub(super) waiting: VecDeque<BlockRequest>,
    /// The piece whose announcement the next answer waits for.
    pub(super) pace: Option<u32>,
    /// Wrong answers given.
    pub(super) wrong: u32,
    unchoked: bool,
    /// Whether every further connection is turned away.
    refuses: bool,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    link: Link,
    channel: usize,
}

impl Neighbour {
    /// Listens at a free port of `ip`.
    pub(crate) fn start(
        ip: Ipv4Addr,
        peer_id: PeerId,
        plan: Plan,
        torrent: Arc<Torrent>,
        exchange: Arc<Exchange>,
    ) -> Result<Self, Stop> {
        let here = |error: io::Error| Stop::Kit(format!("no neighbour at {ip}: {error}"));
        let listener = TcpListener::bind((ip, 0)).map_err(here)?;
        let SocketAddr::V4(address) = listener.local_addr().map_err(here)? else {
            return Err(Stop::Kit(
                "an IPv4 socket without an IPv4 address".to_owned(),
            ));
        };
        let shared = Arc::new(Shared {
            address,
            peer_id,
            state: Mutex::new(State {
                connection: None,
                serves: plan.serves,
                waiting: VecDeque::new(),
                pace: None,
                wrong: 0,
                unchoked: false,
                refuses: false,
            }),
            plan,
            torrent,
            exchange,
            over: AtomicBool::new(false),
            link: AtomicU32::new(NO_LINK),
            last_link: AtomicU32::new(NO_LINK),
            parting: AtomicU32::new(NO_LINK),
            greeted_link: AtomicU32::new(NO_LINK),
            waiting: AtomicUsize::new(0),
            readers: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        let thread = thread::spawn(move || accepting.accept(&listener));
        Ok(Self {
            shared,
            listener: Some(thread),
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddrV4 {
        self.shared.address
    }

    /// Who it is.
    pub(crate) fn peer_id(&self) -> PeerId {
        self.shared.peer_id
    }

    /// Its connection with the target, if there is one with handshakes.
    pub(crate) fn link(&self) -> Option<Link> {
        // Asked while the books are held: the state, whose holders enter what they see, must not be needed here.
        let link = self.shared.link.load(Ordering::Acquire);
        (link != NO_LINK).then_some(link)
    }

    /// The last connection that it had with the target, open or not.
    pub(crate) fn last_link(&self) -> Option<Link> {
        let link = self.shared.last_link.load(Ordering::Acquire);
        (link != NO_LINK).then_some(link)
    }

    /// The last connection on which it has said everything that a neighbour says unasked at the beginning.
    pub(crate) fn greeted_link(&self) -> Option<Link> {
        let link = self.shared.greeted_link.load(Ordering::Acquire);
        (link != NO_LINK).then_some(link)
    }

    /// How many requests wait for the cue.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Acquire)
    }

    /// Dials the target from its own address and greets.
    pub(crate) fn dial(&self, target: SocketAddr) -> Result<(), Stop> {
        let source = Some((*self.shared.address.ip()).into());
        match stream::dial(target, source, WRITE_PATIENCE) {
            Ok(stream) => {
                self.shared.read_apart(stream, false);
                Ok(())
            }
            Err(stream::Refused::ByTarget(why)) => {
                let port = target.port();
                self.shared.exchange.observe(Observation::Refused { port });
                Err(Stop::Gone(format!("{target} takes no connection: {why}")))
            }
            Err(stream::Refused::Here(why)) => Err(Stop::Kit(why)),
        }
    }

    /// Says something now.
    pub(crate) fn say(&self, message: PeerMessage) -> Result<(), Stop> {
        let mut state = self.shared.state();
        match &message {
            PeerMessage::Choke => {
                state.unchoked = false;
                state.waiting.clear();
            }
            PeerMessage::Unchoke => state.unchoked = true,
            _ => {}
        }
        self.shared.say(&mut state, message)
    }

    /// From now on it serves like that; what waited is served first.
    pub(crate) fn serve(&self, serves: Serves) -> Result<(), Stop> {
        let mut state = self.shared.state();
        state.serves = serves;
        state.pace = None;
        self.shared.serve_waiting(&mut state)
    }

    /// Answers one request that waits; false when there is none.
    pub(crate) fn serve_one(&self) -> Result<bool, Stop> {
        let mut state = self.shared.state();
        let Some(block) = state.waiting.pop_front() else {
            return Ok(false);
        };
        self.shared
            .waiting
            .store(state.waiting.len(), Ordering::Release);
        self.shared.answer(&mut state, block)?;
        Ok(true)
    }

    /// Answers this request if it waits; false when it does not.
    pub(crate) fn serve_this(&self, block: BlockRequest) -> Result<bool, Stop> {
        let mut state = self.shared.state();
        let before = state.waiting.len();
        state.waiting.retain(|other| *other != block);
        if state.waiting.len() == before {
            return Ok(false);
        }
        self.shared.answer(&mut state, block)?;
        Ok(true)
    }

    /// Whether the target has closed its half of the connection that the kit hung up on last: it has read
    /// everything that it was sent there.
    pub(crate) fn has_parted(&self) -> bool {
        self.shared.parting.load(Ordering::Acquire) == NO_LINK
    }

    /// Ends its connection, and takes no other one.
    pub(crate) fn leave(&self) {
        let mut state = self.shared.state();
        state.refuses = true;
        self.shared.hang_up(&mut state, "the kit closes");
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        self.leave();
        // The accepting thread wakes up for this connection and sees that the case is over.
        let _ = TcpStream::connect_timeout(&self.shared.address.into(), LOOK);
        if let Some(thread) = self.listener.take() {
            let _ = thread.join();
        }
        let readers = std::mem::take(&mut *lock(&self.shared.readers));
        for reader in readers {
            let _ = reader.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.over.load(Ordering::Acquire) {
                return;
            }
            if let Ok(stream) = stream {
                self.read_apart(stream, true);
            }
        }
    }

    fn read_apart(self: &Arc<Self>, stream: TcpStream, by_target: bool) {
        let reading = Arc::clone(self);
        let thread = thread::spawn(move || {
            // Whatever else ends a conversation is in the books.
            if let Err(Stop::Kit(why)) = reading.converse(stream, by_target) {
                reading.exchange.trouble(why);
            }
        });
        let mut readers = lock(&self.readers);
        readers.retain(|reader| !reader.is_finished());
        readers.push(thread);
    }

    /// One connection from its first byte to its end.
    fn converse(&self, mut stream: TcpStream, by_target: bool) -> Result<(), Stop> {
        let broke = |error: io::Error| Stop::Gone(format!("the connection broke: {error}"));
        let (kit, target) = (
            stream.local_addr().map_err(broke)?,
            stream.peer_addr().map_err(broke)?,
        );
        stream.set_nodelay(true).map_err(broke)?;
        stream
            .set_write_timeout(Some(WRITE_PATIENCE))
            .map_err(broke)?;
        let mut first = [0; 1];
        if by_target && !self.has_first_byte(&stream, &mut first)? {
            return Ok(());
        }
        let recorder = &self.exchange.recorder;
        let channel = recorder.channel(Channel {
            name: format!("neighbour {}", self.address.ip()),
            transport: Transport::Tcp,
            kit,
            target,
            peer: None,
            opened_by_target: by_target,
        });
        let who = if by_target { target } else { kit };
        recorder.event(Some(channel), Happening::Opened, format!("{who} connects"));
        if by_target && first[0] != wire::PROTOCOL_NAME[0] {
            // An encrypted handshake: whoever is hung up on comes again in plain words.
            let label = "no plain handshake: the kit hangs up";
            recorder.event(Some(channel), Happening::ClosedByKit, label);
            return Ok(());
        }
        let Some(link) = self.take_in(&stream, channel, by_target)? else {
            recorder.event(
                Some(channel),
                Happening::ClosedByKit,
                "a second connection: the kit hangs up",
            );
            return Ok(());
        };
        let read = self.read(&mut stream, link, channel);
        // Fails where the kit has not hung up on this link.
        let (done, not) = (Ordering::AcqRel, Ordering::Acquire);
        let _ = self.parting.compare_exchange(link, NO_LINK, done, not);
        self.exchange.nudge();
        read
    }

    /// Waits for the first byte; false when the connection ended without one, or the case is over.
    fn has_first_byte(&self, stream: &TcpStream, first: &mut [u8; 1]) -> Result<bool, Stop> {
        let broke = |error: io::Error| Stop::Gone(format!("the connection broke: {error}"));
        stream.set_read_timeout(Some(LOOK)).map_err(broke)?;
        while !self.over.load(Ordering::Acquire) {
            match stream.peek(first) {
                Ok(0) => return Ok(false),
                Ok(_) => return Ok(true),
                Err(error) if is_pause(&error) => {}
                Err(error) => return Err(broke(error)),
            }
        }
        Ok(false)
    }

    /// Makes the connection the neighbour's own and greets on it where the kit dialled.
    fn take_in(
        &self,
        stream: &TcpStream,
        channel: usize,
        by_target: bool,
    ) -> Result<Option<Link>, Stop> {
        let mut state = self.state();
        if state.connection.is_some() || state.refuses {
            return Ok(None);
        }
        let broke = |error: io::Error| Stop::Gone(format!("the connection broke: {error}"));
        let link = self.exchange.opened(by_target);
        state.connection = Some(Connection {
            stream: stream.try_clone().map_err(broke)?,
            link,
            channel,
        });
        self.link.store(link, Ordering::Release);
        self.last_link.store(link, Ordering::Release);
        if !by_target {
            self.say_handshake(&mut state)?;
        }
        Ok(Some(link))
    }

    fn read(&self, stream: &mut TcpStream, link: Link, channel: usize) -> Result<(), Stop> {
        let mut incoming = Incoming::new(self.torrent.pieces());
        let recorder = &self.exchange.recorder;
        while !self.over.load(Ordering::Acquire) {
            match incoming.read(stream, Instant::now() + LOOK) {
                stream::Read::TimedOut => {}
                stream::Read::Bytes(frames) => {
                    incoming.fresh.clear();
                    if !self.is_on(link) {
                        // What the target says to somebody who has left is read, so that what was said to it
                        // before arrives, and makes no difference.
                        continue;
                    }
                    for arrived in frames {
                        recorder.event(
                            Some(channel),
                            Happening::Received(arrived.bytes),
                            arrived.label,
                        );
                        let frame = arrived.frame;
                        self.exchange.observe(Observation::Heard {
                            link,
                            frame: frame.clone(),
                        });
                        self.on_frame(&frame)?;
                    }
                }
                stream::Read::Ended(why) => {
                    let mut state = self.state();
                    if state.connection.take_if(|open| open.link == link).is_some() {
                        self.link.store(NO_LINK, Ordering::Release);
                        recorder.event(Some(channel), Happening::ClosedByTarget, why);
                        state.unchoked = false;
                        state.waiting.clear();
                        state.pace = None;
                        self.exchange.observe(Observation::ClosedBySubject(link));
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Whether the neighbour's connection is that one.
    fn is_on(&self, link: Link) -> bool {
        let state = self.state();
        state
            .connection
            .as_ref()
            .is_some_and(|open| open.link == link)
    }

    fn on_frame(&self, frame: &Frame) -> Result<(), Stop> {
        let mut state = self.state();
        let done = match frame {
            Frame::Handshake(theirs) => self.greet(&mut state, theirs),
            Frame::Malformed(_) => {
                self.hang_up(&mut state, "the kit hangs up");
                Ok(())
            }
            Frame::Message(message) => self.on_message(&mut state, message),
        };
        let waiting = state.waiting.len();
        if self.waiting.swap(waiting, Ordering::AcqRel) != waiting {
            self.exchange.nudge();
        }
        done
    }

    fn on_message(&self, state: &mut State, message: &PeerMessage) -> Result<(), Stop> {
        match message {
            PeerMessage::Interested
                if !state.unchoked && self.plan.unchokes == Unchokes::WhenInterested =>
            {
                state.unchoked = true;
                self.say(state, PeerMessage::Unchoke)
            }
            PeerMessage::Request(block)
                if state.unchoked && state.waiting.len() < KEPT_REQUESTS =>
            {
                state.waiting.push_back(*block);
                self.serve_waiting(state)
            }
            PeerMessage::Cancel(block) => {
                state.waiting.retain(|other| other != block);
                Ok(())
            }
            PeerMessage::Have(piece) if state.pace == Some(*piece) => {
                state.pace = None;
                self.serve_waiting(state)
            }
            _ => Ok(()),
        }
    }

    fn greet(&self, state: &mut State, theirs: &Handshake) -> Result<(), Stop> {
        if self.owes_handshake(state) {
            self.say_handshake(state)?;
        }
        let both = |has: fn(Reserved) -> bool| has(self.plan.reserved) && has(theirs.reserved);
        if both(Reserved::fast) && self.plan.has.is_complete() {
            self.say(state, PeerMessage::HaveAll)?;
        } else if both(Reserved::fast) && self.plan.has.is_empty() {
            self.say(state, PeerMessage::HaveNone)?;
        } else if !self.plan.has.is_empty() {
            let bits = self.plan.has.bitfield().to_vec();
            self.say(state, PeerMessage::Bitfield(bits))?;
        }
        if both(Reserved::extension_protocol) {
            let handshake = ExtensionHandshake {
                reqq: self.plan.reqq,
                v: Some(b"Peerproof".to_vec()),
                ..ExtensionHandshake::default()
            };
            let payload = extension::encode_handshake(&handshake);
            self.say(state, PeerMessage::Extended { id: 0, payload })?;
        }
        if let Some(open) = &state.connection {
            self.greeted_link.store(open.link, Ordering::Release);
            self.exchange.nudge();
        }
        Ok(())
    }

    /// Whether the kit has yet to say its handshake on the connection.
    fn owes_handshake(&self, state: &State) -> bool {
        let Some(open) = &state.connection else {
            return false;
        };
        self.exchange.is_ungreeted(open.link)
    }

    fn say_handshake(&self, state: &mut State) -> Result<(), Stop> {
        let handshake = Handshake {
            reserved: self.plan.reserved,
            info_hash: self.plan.names.unwrap_or(self.torrent.metainfo.info_hash()),
            peer_id: self.plan.is_called.unwrap_or(self.peer_id),
        };
        let bytes = wire::encode_handshake(&handshake);
        self.tell(
            state,
            &bytes,
            words::handshake(&handshake),
            Frame::Handshake(handshake),
        )
    }

    pub(super) fn say(&self, state: &mut State, message: PeerMessage) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        wire::encode_message(&message, &mut bytes);
        self.tell(
            state,
            &bytes,
            words::message(&message),
            Frame::Message(message),
        )
    }

    fn tell(
        &self,
        state: &mut State,
        bytes: &[u8],
        label: String,
        frame: Frame,
    ) -> Result<(), Stop> {
        let Some(open) = &mut state.connection else {
            return Err(Stop::Gone(format!(
                "the target has no connection with {}",
                self.address
            )));
        };
        // The books come first: an answer must never be there before its question.
        let link = open.link;
        self.exchange.observe(Observation::Told { link, frame });
        let sent = Happening::Sent(bytes.to_vec());
        self.exchange
            .recorder
            .event(Some(open.channel), sent, label);
        match stream::write(&mut open.stream, bytes) {
            // What the target said before it hung up is still to be read.
            stream::Written::All | stream::Written::Ended => Ok(()),
            stream::Written::Stuck => {
                self.hang_up(state, "the target does not read: the kit hangs up");
                Err(Stop::Silent(
                    "the target does not read what it is sent".to_owned(),
                ))
            }
        }
    }

    fn hang_up(&self, state: &mut State, label: &str) {
        state.unchoked = false;
        state.waiting.clear();
        state.pace = None;
        if let Some(open) = state.connection.take() {
            self.link.store(NO_LINK, Ordering::Release);
            self.parting.store(open.link, Ordering::Release);
            // Everything that was said still arrives. A failure means that the target was faster.
            let _ = open.stream.shutdown(std::net::Shutdown::Write);
            self.exchange
                .recorder
                .event(Some(open.channel), Happening::ClosedByKit, label);
            self.exchange
                .observe(Observation::ClosedByNeighbour(open.link));
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

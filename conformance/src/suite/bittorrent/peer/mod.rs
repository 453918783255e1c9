//! What the kit plays towards a peer: one TCP connection, dialled or accepted.
//!
//! Every byte goes into the recording, every message into the books. Every wait has a deadline, and a deadline
//! that passed while this machine was too busy is no evidence. What the target sends is bounded in bytes and
//! in messages; past that the kit hangs up.

pub(crate) mod stream;
mod verbs;

pub(crate) use self::verbs::{every_extension, extension_handshake};

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{
    BlockRequest, Handshake, PeerId, PeerMessage, Reserved,
};
use peerproof_model::bittorrent::view::{Frame, Link, LinkView, Observation, Torrent};
use peerproof_model::bittorrent::wire::peer as wire;

use self::stream::Incoming;
use super::books::{Books, Patience};
use super::words;
use crate::case::Stop;
use crate::jitter::Meter;
use crate::record::{Channel, Happening, Transport};

/// The most bytes that the kit reads on one connection.
const BYTES: usize = 64 << 20;

/// The most messages that the kit reads on one connection.
const MESSAGES: usize = 5_000;

/// The id under which the kit wants to receive metadata messages.
pub(crate) const METADATA_ID: u8 = 42;

/// Who the kit is on one connection, and how long the other side has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role {
    /// The kit's peer id.
    pub(crate) peer_id: PeerId,
    /// How long the target has.
    pub(crate) patience: Patience,
}

impl Role {
    /// The handshake that the kit sends in this role.
    pub(crate) fn handshake(&self, torrent: &Torrent, reserved: Reserved) -> Handshake {
        Handshake {
            reserved,
            info_hash: torrent.metainfo.info_hash(),
            peer_id: self.peer_id,
        }
    }
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// What was waited for is there.
    Met,
    /// The time is over.
    TimedOut,
    /// The connection has ended without it.
    Ended,
}

/// One connection between the kit and the target.
pub(crate) struct KitPeer {
    books: Arc<dyn Books>,
    stream: TcpStream,
    link: Link,
    channel: usize,
    role: Role,
    incoming: Incoming,
    bytes: usize,
    messages: usize,
    /// What the target has rejected since the last requests.
    refused: BTreeSet<BlockRequest>,
    end: Option<String>,
}

impl std::fmt::Debug for KitPeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KitPeer")
            .field("link", &self.link)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

impl KitPeer {
    /// Dials the target, from `source` where one is given.
    ///
    /// # Errors
    /// Nobody answers there, or the machine lacks the address or the socket.
    pub(crate) fn connect(
        books: &Arc<dyn Books>,
        target: SocketAddr,
        source: Option<IpAddr>,
        role: Role,
    ) -> Result<Self, Stop> {
        let began = Instant::now();
        match stream::dial(target, source, role.patience.answer) {
            Ok(stream) => Self::over(books, stream, role, false),
            Err(stream::Refused::ByTarget(why)) => {
                Meter::of_this_process()
                    .trusts(began, role.patience.answer)
                    .map_err(overloaded)?;
                Err(Stop::Gone(format!("{target} takes no connection: {why}")))
            }
            Err(stream::Refused::Here(why)) => Err(Stop::Kit(why)),
        }
    }

    /// Takes a connection that the target opened.
    ///
    /// # Errors
    /// The socket is gone already.
    pub(crate) fn accepted(
        books: &Arc<dyn Books>,
        stream: TcpStream,
        role: Role,
    ) -> Result<Self, Stop> {
        Self::over(books, stream, role, true)
    }

    fn over(
        books: &Arc<dyn Books>,
        stream: TcpStream,
        role: Role,
        by_target: bool,
    ) -> Result<Self, Stop> {
        let gone = |error: std::io::Error| Stop::Gone(format!("the connection broke: {error}"));
        let kit = stream.local_addr().map_err(gone)?;
        let target = stream.peer_addr().map_err(gone)?;
        stream.set_nodelay(true).map_err(gone)?;
        stream
            .set_write_timeout(Some(role.patience.answer))
            .map_err(gone)?;
        let link = books.opened(by_target, kit);
        let channel = books.recorder().channel(Channel {
            name: format!("peer {}", link + 1),
            transport: Transport::Tcp,
            kit,
            target,
            peer: None,
            opened_by_target: by_target,
        });
        let label = if by_target {
            format!("{target} connects")
        } else {
            format!("{kit} connects")
        };
        books
            .recorder()
            .event(Some(channel), Happening::Opened, label);
        let pieces = books.torrent().pieces();
        Ok(Self {
            books: Arc::clone(books),
            stream,
            link,
            channel,
            role,
            incoming: Incoming::new(pieces),
            bytes: 0,
            messages: 0,
            refused: BTreeSet::new(),
            end: None,
        })
    }

    /// Its name in the books.
    pub(crate) fn link(&self) -> Link {
        self.link
    }

    /// What is known of it, if everything that was sent has been read.
    pub(crate) fn view(&self) -> Result<LinkView, Stop> {
        self.books
            .link(self.link)
            .ok_or_else(|| Stop::Kit("the books lost a connection".to_owned()))
    }

    /// Whether the connection still stands, as far as the kit has read.
    pub(crate) fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Enters something about this connection.
    pub(crate) fn observe(&self, observation: Observation) {
        self.books.observe(observation);
    }

    /// Sends a handshake for the torrent of the books.
    pub(crate) fn say_handshake(&mut self, reserved: Reserved) -> Result<(), Stop> {
        let handshake = self.role.handshake(self.books.torrent(), reserved);
        self.say_this_handshake(handshake)
    }

    /// Sends a handshake, whatever it says.
    pub(crate) fn say_this_handshake(&mut self, handshake: Handshake) -> Result<(), Stop> {
        let bytes = wire::encode_handshake(&handshake);
        let label = words::handshake(&handshake);
        self.tell(&bytes, label, Some(Frame::Handshake(handshake)))
    }

    /// The handshake that the kit would send.
    pub(crate) fn own_handshake(&self, reserved: Reserved) -> Handshake {
        self.role.handshake(self.books.torrent(), reserved)
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, message: PeerMessage) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        wire::encode_message(&message, &mut bytes);
        let label = words::message(&message);
        self.tell(&bytes, label, Some(Frame::Message(message)))
    }

    /// Sends messages in one segment.
    pub(crate) fn send_together(&mut self, messages: &[PeerMessage]) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        let mut labels = Vec::new();
        for message in messages {
            wire::encode_message(message, &mut bytes);
            labels.push(words::message(message));
            let frame = Frame::Message(message.clone());
            let link = self.link;
            if self.end.is_none() {
                self.books.observe(Observation::Told { link, frame });
            }
        }
        self.tell(&bytes, labels.join(", "), None)
    }

    /// Sends bytes that are no message; `what` says what is wrong with them.
    pub(crate) fn send_malformed(&mut self, bytes: &[u8], what: &str) -> Result<(), Stop> {
        self.tell(
            bytes,
            what.to_owned(),
            Some(Frame::Malformed(what.to_owned())),
        )
    }

    /// Sends bytes that mean nothing yet, such as half a message.
    pub(crate) fn send_part(&mut self, bytes: &[u8], what: &str) -> Result<(), Stop> {
        self.tell(bytes, what.to_owned(), None)
    }

    /// Sends bytes that together mean `frame`, a few at a time.
    pub(crate) fn send_slowly(
        &mut self,
        bytes: &[u8],
        step: usize,
        pause: Duration,
        what: &str,
        frame: Frame,
    ) -> Result<(), Stop> {
        let last = bytes.len().div_ceil(step.max(1)).saturating_sub(1);
        let mut meaning = Some(frame);
        for (turn, part) in bytes.chunks(step.max(1)).enumerate() {
            let frame = if turn == last { meaning.take() } else { None };
            self.tell(part, what.to_owned(), frame)?;
            std::thread::sleep(pause);
        }
        Ok(())
    }

    fn tell(&mut self, bytes: &[u8], label: String, frame: Option<Frame>) -> Result<(), Stop> {
        if let Some(why) = &self.end {
            return Err(Stop::Gone(why.clone()));
        }
        // The books come first: an answer must never be there before its question.
        if let Some(frame) = frame {
            let link = self.link;
            self.books.observe(Observation::Told { link, frame });
        }
        let sent = Happening::Sent(bytes.to_vec());
        self.books.recorder().event(Some(self.channel), sent, label);
        match stream::write(&mut self.stream, bytes) {
            stream::Written::All => Ok(()),
            // What the target said before it hung up is still to be read.
            stream::Written::Ended => Ok(()),
            stream::Written::Stuck => {
                self.hang_up("the kit hangs up");
                let why = "the target does not read what it is sent".to_owned();
                Err(Stop::Silent(why))
            }
        }
    }

    /// Waits until `done` holds of the link, at most `patience`.
    ///
    /// # Errors
    /// The target floods, sends what is no message, or the machine was too busy for the deadline to count.
    pub(crate) fn wait_until(
        &mut self,
        patience: Duration,
        done: impl Fn(&LinkView) -> bool,
    ) -> Result<Wait, Stop> {
        let began = Instant::now();
        loop {
            if done(&self.view()?) {
                return Ok(Wait::Met);
            }
            if self.end.is_some() {
                return Ok(Wait::Ended);
            }
            self.incoming.fresh.clear();
            if !self.read(began, patience)? {
                return Ok(Wait::TimedOut);
            }
        }
    }

    /// Waits for a message that the target sends from now on, at most `patience`; `None` when none came.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn await_message(
        &mut self,
        patience: Duration,
        wanted: impl Fn(&PeerMessage) -> bool,
    ) -> Result<Option<PeerMessage>, Stop> {
        let began = Instant::now();
        loop {
            while let Some(message) = self.incoming.fresh.pop_front() {
                if wanted(&message) {
                    return Ok(Some(message));
                }
            }
            if self.end.is_some() || !self.read(began, patience)? {
                return Ok(None);
            }
        }
    }

    /// Reads once; false when the time since `began` is over.
    fn read(&mut self, began: Instant, patience: Duration) -> Result<bool, Stop> {
        match self.incoming.read(&mut self.stream, began + patience) {
            stream::Read::Bytes(frames) => {
                self.on_frames(frames)?;
                Ok(true)
            }
            stream::Read::TimedOut => on_time_out(began, patience),
            stream::Read::Ended(why) => {
                self.on_end(&why);
                Ok(true)
            }
        }
    }

    /// Waits until the target hangs up, at most `patience`; makes nothing of what it says until then.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn wait_for_the_end(&mut self, patience: Duration) -> Result<Wait, Stop> {
        let began = Instant::now();
        while self.end.is_none() {
            match stream::receive(&mut self.stream, began + patience) {
                stream::Received::Bytes(bytes) => {
                    self.bytes = self.bytes.saturating_add(bytes.len());
                    let label = format!("{} bytes", bytes.len());
                    let happening = Happening::Received(bytes);
                    let recorder = self.books.recorder();
                    recorder.event(Some(self.channel), happening, label);
                    self.check_budget()?;
                }
                stream::Received::TimedOut => {
                    on_time_out(began, patience)?;
                    return Ok(Wait::TimedOut);
                }
                stream::Received::Ended(why) => self.on_end(&why),
            }
        }
        Ok(Wait::Ended)
    }

    fn on_frames(&mut self, frames: Vec<stream::Arrived>) -> Result<(), Stop> {
        for arrived in frames {
            self.bytes = self.bytes.saturating_add(arrived.bytes.len());
            self.messages += 1;
            let happening = Happening::Received(arrived.bytes);
            let recorder = self.books.recorder();
            recorder.event(Some(self.channel), happening, arrived.label);
            if let Frame::Message(PeerMessage::RejectRequest(block)) = &arrived.frame {
                self.refused.insert(*block);
            }
            let malformed = match &arrived.frame {
                Frame::Malformed(why) => Some(why.clone()),
                _ => None,
            };
            let link = self.link;
            self.books.observe(Observation::Heard {
                link,
                frame: arrived.frame,
            });
            if let Some(why) = malformed {
                self.hang_up("the kit hangs up");
                return Err(Stop::Gone(format!(
                    "the target sends bytes that are no message: {why}"
                )));
            }
            self.check_budget()?;
        }
        Ok(())
    }

    fn check_budget(&mut self) -> Result<(), Stop> {
        if self.messages <= MESSAGES && self.bytes <= BYTES {
            return Ok(());
        }
        self.hang_up("the kit hangs up on a flood");
        Err(Stop::Gone(format!(
            "the target sent {} messages with {} bytes, more than the kit listens to",
            self.messages, self.bytes
        )))
    }

    fn on_end(&mut self, why: &str) {
        let rest = self.incoming.take_rest();
        let recorder = self.books.recorder();
        if !rest.is_empty() {
            let part = format!("{} bytes of an unfinished message", rest.len());
            recorder.event(Some(self.channel), Happening::Received(rest), part);
        }
        recorder.event(Some(self.channel), Happening::ClosedByTarget, why);
        self.end = Some(why.to_owned());
        self.books.observe(Observation::ClosedBySubject(self.link));
    }

    /// Ends the connection.
    pub(crate) fn hang_up(&mut self, label: &str) {
        if self.end.is_some() {
            return;
        }
        self.end = Some("the kit has hung up".to_owned());
        // The target may have closed at the same time: then there is nothing left to shut down.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
        let recorder = self.books.recorder();
        recorder.event(Some(self.channel), Happening::ClosedByKit, label);
        self.books
            .observe(Observation::ClosedByNeighbour(self.link));
    }

    /// Ends the connection with a reset, as a crashed machine does.
    pub(crate) fn reset(&mut self) {
        // Without the option the connection ends the ordinary way, which is as good for every story.
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        if self.end.is_none() {
            self.end = Some("the kit has reset the connection".to_owned());
            let recorder = self.books.recorder();
            recorder.event(Some(self.channel), Happening::ClosedByKit, "reset");
            self.books
                .observe(Observation::ClosedByNeighbour(self.link));
        }
    }
}

impl Drop for KitPeer {
    fn drop(&mut self) {
        self.hang_up("the kit closes");
    }
}

/// Says that the time is over, where that means anything.
fn on_time_out(began: Instant, patience: Duration) -> Result<bool, Stop> {
    Meter::of_this_process()
        .trusts(began, patience)
        .map_err(overloaded)?;
    Ok(false)
}

fn overloaded(lost: Duration) -> Stop {
    Stop::Overloaded(format!(
        "a deadline passed while this machine did not run the kit for {} ms",
        lost.as_millis()
    ))
}

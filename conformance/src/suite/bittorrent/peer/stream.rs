//! The socket under a connection: dialling, bounded reading and writing.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::PeerMessage;
use peerproof_model::bittorrent::view::Frame;
use peerproof_model::bittorrent::wire::peer::{FrameDecoder, HandshakeDecoder, frame_bound};

use super::words;

/// The largest message that the kit reads: well beyond what anybody should send, because the kit asks for too much.
const LARGEST_FRAME: usize = 512 << 10;

/// Why a connection does not stand.
pub(crate) enum Refused {
    /// Nobody takes it.
    ByTarget(String),
    /// This machine cannot make it.
    Here(String),
}

/// Dials `target`, from `source` where one is given.
pub(crate) fn dial(
    target: SocketAddr,
    source: Option<IpAddr>,
    patience: Duration,
) -> Result<TcpStream, Refused> {
    use socket2::{Domain, Protocol, Socket, Type};
    let here = |error: std::io::Error| Refused::Here(format!("no socket: {error}"));
    let domain = Domain::for_address(target);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP)).map_err(here)?;
    if let Some(source) = source {
        let from = SocketAddr::new(source, 0);
        socket.bind(&from.into()).map_err(here)?;
    }
    match socket.connect_timeout(&target.into(), patience) {
        Ok(()) => Ok(socket.into()),
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Err(here(error)),
        Err(error) => Err(Refused::ByTarget(error.to_string())),
    }
}

/// What came of a write.
pub(crate) enum Written {
    /// Everything is on its way.
    All,
    /// The target has hung up.
    Ended,
    /// The target does not read.
    Stuck,
}

/// Writes everything, as long as the write time-out of the socket allows.
pub(crate) fn write(stream: &mut TcpStream, bytes: &[u8]) -> Written {
    match stream.write_all(bytes) {
        Ok(()) => Written::All,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Written::Stuck
        }
        Err(_) => Written::Ended,
    }
}

/// One frame with the bytes it was read from.
pub(crate) struct Arrived {
    /// What was said.
    pub(crate) frame: Frame,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// Its meaning in words.
    pub(crate) label: String,
}

/// What came of a read.
pub(crate) enum Read {
    /// Bytes, and the frames that they complete.
    Bytes(Vec<Arrived>),
    /// Nothing until the deadline.
    TimedOut,
    /// The target has hung up.
    Ended(String),
}

/// What came of receiving.
pub(crate) enum Received {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing until the deadline.
    TimedOut,
    /// The target has hung up.
    Ended(String),
}

/// Receives once, at most until `deadline`.
pub(crate) fn receive(stream: &mut TcpStream, deadline: Instant) -> Received {
    let mut buffer = [0; 16 << 10];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // A time-out of zero would mean none at all.
        let left = left.max(Duration::from_millis(1));
        if let Err(error) = stream.set_read_timeout(Some(left)) {
            return Received::Ended(format!("the connection broke: {error}"));
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Received::Ended("the target closes".to_owned()),
            Ok(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                return Received::Bytes(bytes.to_vec());
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock | ErrorKind::TimedOut if Instant::now() >= deadline => {
                    return Received::TimedOut;
                }
                ErrorKind::WouldBlock | ErrorKind::TimedOut => {}
                ErrorKind::ConnectionReset => {
                    return Received::Ended("the target resets the connection".to_owned());
                }
                _ => return Received::Ended(format!("the connection broke: {error}")),
            },
        }
    }
}

enum Stage {
    Handshake(HandshakeDecoder),
    Messages,
    Broken,
}

/// What the target sends: handshake, then messages.
pub(crate) struct Incoming {
    stage: Stage,
    decoder: FrameDecoder,
    /// Bytes that belong to no frame returned so far.
    raw: Vec<u8>,
    /// Messages that nobody has awaited yet.
    pub(crate) fresh: VecDeque<PeerMessage>,
}

impl Incoming {
    pub(crate) fn new(pieces: u32) -> Self {
        Self {
            stage: Stage::Handshake(HandshakeDecoder::new()),
            decoder: FrameDecoder::new(frame_bound(pieces).max(LARGEST_FRAME)),
            raw: Vec::new(),
            fresh: VecDeque::new(),
        }
    }

    /// Reads once, at most until `deadline`.
    pub(crate) fn read(&mut self, stream: &mut TcpStream, deadline: Instant) -> Read {
        match receive(stream, deadline) {
            Received::Bytes(bytes) => Read::Bytes(self.take(&bytes)),
            Received::TimedOut => Read::TimedOut,
            Received::Ended(why) => Read::Ended(why),
        }
    }

    /// The bytes of a frame that never became complete.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.raw)
    }

    fn take(&mut self, bytes: &[u8]) -> Vec<Arrived> {
        let mut arrived = Vec::new();
        let behind = self.take_handshake(bytes, &mut arrived);
        if let Stage::Messages = self.stage {
            self.raw.extend_from_slice(behind);
            self.decoder.push(behind);
            self.take_messages(&mut arrived);
        }
        arrived
    }

    /// Takes what belongs to the handshake and returns the rest.
    fn take_handshake<'a>(&mut self, bytes: &'a [u8], arrived: &mut Vec<Arrived>) -> &'a [u8] {
        let Stage::Handshake(decoder) = &mut self.stage else {
            return bytes;
        };
        match decoder.push(bytes) {
            Ok((used, done)) => {
                let (own, behind) = bytes.split_at(used.min(bytes.len()));
                self.raw.extend_from_slice(own);
                if let Some(handshake) = done {
                    self.stage = Stage::Messages;
                    arrived.push(Arrived {
                        label: words::handshake(&handshake),
                        frame: Frame::Handshake(handshake),
                        bytes: std::mem::take(&mut self.raw),
                    });
                }
                behind
            }
            Err(error) => {
                self.raw.extend_from_slice(bytes);
                self.broken(&format!("no handshake: {error}"), arrived);
                &[]
            }
        }
    }

    fn take_messages(&mut self, arrived: &mut Vec<Arrived>) {
        let mut start = 0;
        loop {
            match self.decoder.next_message() {
                Ok(Some(message)) => {
                    let end = self.raw.len() - self.decoder.pending().min(self.raw.len());
                    arrived.push(Arrived {
                        label: words::message(&message),
                        bytes: self.raw.get(start..end).unwrap_or_default().to_vec(),
                        frame: Frame::Message(message.clone()),
                    });
                    self.fresh.push_back(message);
                    start = end;
                }
                Ok(None) => {
                    self.raw.drain(..start);
                    return;
                }
                Err(error) => {
                    self.raw.drain(..start);
                    self.broken(&error.to_string(), arrived);
                    return;
                }
            }
        }
    }

    fn broken(&mut self, why: &str, arrived: &mut Vec<Arrived>) {
        self.stage = Stage::Broken;
        arrived.push(Arrived {
            frame: Frame::Malformed(why.to_owned()),
            label: format!("no message: {why}"),
            bytes: std::mem::take(&mut self.raw),
        });
    }
}

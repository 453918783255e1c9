//! Just enough of the wire to see that a client is ready: a handshake, a bitfield, a block.
//!
//! This is not the kit: it is what tells a test that a client has come up, before the kit talks to it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// How long a probe waits for one answer.
const WAIT: Duration = Duration::from_secs(2);
/// Length of a handshake in bytes.
pub(crate) const HANDSHAKE: usize = 68;
/// The longest message a probe takes: a block of 16 KiB and its header fit.
const LONGEST: usize = 32 * 1024;
const PROTOCOL: &[u8; 20] = b"\x13BitTorrent protocol";

/// A handshake without any reserved bit set.
pub(crate) fn handshake(info_hash: [u8; 20], peer_id: [u8; 20]) -> Vec<u8> {
    [PROTOCOL.as_slice(), &[0; 8], &info_hash, &peer_id].concat()
}

/// A message with its length prefix.
pub(crate) fn message(id: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 1).expect("a short message");
    [&length.to_be_bytes(), [id].as_slice(), payload].concat()
}

/// A connection from `source` to `target`, with time-outs set.
pub(crate) fn connect(source: Ipv4Addr, target: SocketAddrV4) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    socket.connect_timeout(&SocketAddr::from(target).into(), WAIT)?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    Ok(stream)
}

/// The peer's 68 bytes, which must carry the protocol string and `info_hash`.
pub(crate) fn read_handshake(stream: &mut TcpStream, info_hash: [u8; 20]) -> io::Result<()> {
    let mut theirs = [0; HANDSHAKE];
    stream.read_exact(&mut theirs)?;
    if theirs[..20] != PROTOCOL[..] {
        return Err(io::Error::other("not a BitTorrent handshake"));
    }
    if theirs[28..48] != info_hash {
        return Err(io::Error::other("a handshake with another info hash"));
    }
    Ok(())
}

/// The next message that is not a keep-alive: id and payload.
pub(crate) fn read_message(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length == 0 {
            continue;
        }
        if length > LONGEST {
            return Err(io::Error::other(format!("a message of {length} bytes")));
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        let payload = body.split_off(1);
        return Ok((body[0], payload));
    }
}

/// Asks a client again and again, each time from another loopback address.
///
/// aria2 refuses an address for a while after a connection from it that it did not like;
/// the addresses used here, 127.0.254.x, are for probes alone.
pub(crate) struct Probe {
    target: SocketAddrV4,
    info_hash: [u8; 20],
    attempt: u8,
    problem: String,
}

impl Probe {
    pub(crate) fn new(target: SocketAddrV4, info_hash: [u8; 20]) -> Self {
        Self {
            target,
            info_hash,
            attempt: 0,
            problem: String::new(),
        }
    }

    /// Why the last attempt was not enough.
    pub(crate) fn last_problem(&self) -> &str {
        &self.problem
    }

    /// Whether the client answers a handshake.
    pub(crate) fn answers(&mut self) -> bool {
        let outcome = self.greet();
        self.note(outcome).is_some()
    }

    /// Whether the client answers a handshake and shows a bitfield with its first piece.
    ///
    /// Without the fast extension a seed that has checked its data sends one; a client
    /// that still checks either sends none or one that is empty.
    pub(crate) fn seeds(&mut self) -> bool {
        let outcome = self
            .greet()
            .and_then(|mut stream| match read_message(&mut stream)? {
                (5, bits) if bits.first().is_some_and(|byte| byte & 0x80 != 0) => Ok(()),
                (id, payload) => Err(io::Error::other(format!(
                    "message {id} with {payload:02x?} instead of a full bitfield"
                ))),
            });
        self.note(outcome).is_some()
    }

    fn greet(&mut self) -> io::Result<TcpStream> {
        self.attempt = self.attempt % 254 + 1;
        let mut stream = connect(Ipv4Addr::new(127, 0, 254, self.attempt), self.target)?;
        stream.write_all(&handshake(self.info_hash, *b"-PP0000-is-it-ready?"))?;
        read_handshake(&mut stream, self.info_hash)?;
        Ok(stream)
    }

    fn note<T>(&mut self, outcome: io::Result<T>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem = error.to_string();
                None
            }
        }
    }
}

/// The answer of an HTTP server to a GET of `path` from `source`, head and body.
pub(crate) fn http_get(source: Ipv4Addr, target: SocketAddrV4, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = connect(source, target)?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(64 * 1024).read_to_end(&mut answer)?;
    Ok(answer)
}

/// Whether an HTTP server answers at all.
pub(crate) fn http_answers(target: SocketAddrV4) -> bool {
    http_get(Ipv4Addr::LOCALHOST, target, "/announce")
        .is_ok_and(|answer| answer.starts_with(b"HTTP/1."))
}

/// Sends one datagram to a UDP tracker and waits for one.
pub(crate) fn udp_exchange(target: SocketAddrV4, request: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(WAIT))?;
    socket.connect(target)?;
    socket.send(request)?;
    let mut answer = vec![0; 2048];
    let length = socket.recv(&mut answer)?;
    answer.truncate(length);
    Ok(answer)
}

/// The connection id that a UDP tracker gives to transaction `transaction`.
pub(crate) fn udp_connection_id(target: SocketAddrV4, transaction: u32) -> io::Result<[u8; 8]> {
    let request = [
        0x0417_2710_1980_u64.to_be_bytes().as_slice(),
        &[0; 4],
        &transaction.to_be_bytes(),
    ]
    .concat();
    let answer = udp_exchange(target, &request)?;
    let head = [[0; 4], transaction.to_be_bytes()].concat();
    match answer
        .strip_prefix(head.as_slice())
        .and_then(|rest| rest.first_chunk())
    {
        Some(connection_id) => Ok(*connection_id),
        None => Err(io::Error::other(format!(
            "not a connect reply: {answer:02x?}"
        ))),
    }
}

/// Whether a UDP tracker gives out connection ids.
pub(crate) fn udp_tracker_answers(target: SocketAddrV4) -> bool {
    udp_connection_id(target, 1).is_ok()
}

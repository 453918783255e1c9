//! One HTTP request to a tracker on a connection of its own, with every byte recorded.
//!
//! The tracker is not trusted: head and body are bounded, and the whole answer has one deadline, however slowly
//! it drips in. Redirects are not followed.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::case::Stop;
use crate::record::{Channel, Happening, Recorder, Transport};

/// The most bytes of an answer.
const ANSWER_LIMIT: usize = 256 << 10;
/// The most header lines of an answer.
const HEADER_LIMIT: usize = 100;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// A whole response.
    Whole {
        /// The status code.
        status: u16,
        /// The body, without transfer coding.
        body: Vec<u8>,
    },
    /// Bytes that are no whole response.
    NotHttp(String),
    /// More bytes than the kit reads.
    TooLong,
    /// The connection ended without a byte.
    Closed,
    /// Not a byte came until the deadline.
    Nothing,
}

/// A connection that a request goes out on.
#[derive(Debug)]
pub(crate) struct HttpConnection {
    stream: TcpStream,
    recorder: Recorder,
    channel: usize,
    patience: Duration,
    local: SocketAddr,
}

impl HttpConnection {
    /// Connects from the address `source`.
    pub(super) fn open(
        target: SocketAddr,
        source: IpAddr,
        name: String,
        patience: Duration,
        recorder: &Recorder,
    ) -> Result<Self, Stop> {
        let stream = connect(target, source, patience)
            .map_err(|error| Stop::Gone(format!("no connection to {target}: {error}")))?;
        let local = stream
            .local_addr()
            .map_err(|error| Stop::Kit(error.to_string()))?;
        // A small request that waits for an acknowledgement would measure the kit, not the tracker.
        let _ = stream.set_nodelay(true);
        let channel = recorder.channel(Channel {
            name,
            transport: Transport::Tcp,
            kit: local,
            target,
            peer: None,
            opened_by_target: false,
        });
        recorder.event(Some(channel), Happening::Opened, "connects");
        Ok(Self {
            stream,
            recorder: recorder.clone(),
            channel,
            patience,
            local,
        })
    }

    /// The kit's end.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends bytes. A tracker that hangs up meanwhile may have answered, so an error shows when reading.
    pub(crate) fn send(&mut self, bytes: &[u8], label: &str) {
        let _ = self.stream.set_write_timeout(Some(self.patience));
        self.recorder
            .event(Some(self.channel), Happening::Sent(bytes.to_vec()), label);
        if let Err(error) = self.stream.write_all(bytes) {
            let note = format!("not all of it could be sent: {error}");
            self.recorder
                .event(Some(self.channel), Happening::Note, note);
        }
    }

    /// Waits for the answer and ends the connection.
    pub(super) fn answer(mut self) -> Response {
        let deadline = Instant::now() + self.patience;
        let mut received = Vec::new();
        let mut chunk = [0; 16 << 10];
        let end = loop {
            if let Framing::Whole(response) = response(&received, false) {
                break Ok(response);
            }
            if received.len() > ANSWER_LIMIT {
                break Ok(Response::TooLong);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break Err(format!("no end within {:?}", self.patience));
            }
            let _ = self.stream.set_read_timeout(Some(left));
            match self.stream.read(&mut chunk) {
                Ok(0) => {
                    self.recorder
                        .event(Some(self.channel), Happening::ClosedByTarget, "closes");
                    break self.at_the_end(&received);
                }
                Ok(count) => {
                    let bytes = chunk[..count].to_vec();
                    received.extend_from_slice(&bytes);
                    self.recorder
                        .event(Some(self.channel), Happening::Received(bytes), "answers");
                }
                Err(error) if waiting(&error) => {}
                Err(_) => {
                    self.recorder
                        .event(Some(self.channel), Happening::ClosedByTarget, "resets");
                    break self.at_the_end(&received);
                }
            }
        };
        self.recorder
            .event(Some(self.channel), Happening::ClosedByKit, "hangs up");
        match end {
            Ok(response) => response,
            Err(_) if received.is_empty() => Response::Nothing,
            Err(why) => Response::NotHttp(why),
        }
    }

    fn at_the_end(&self, received: &[u8]) -> Result<Response, String> {
        match response(received, true) {
            Framing::Whole(response) => Ok(response),
            Framing::Partial if received.is_empty() => Ok(Response::Closed),
            Framing::Partial => Err("it ends within the response".to_owned()),
        }
    }
}

fn waiting(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

fn connect(target: SocketAddr, source: IpAddr, patience: Duration) -> std::io::Result<TcpStream> {
    let socket = Socket::new(
        Domain::for_address(target),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.bind(&SockAddr::from(SocketAddr::new(source, 0)))?;
    socket.connect_timeout(&SockAddr::from(target), patience)?;
    Ok(socket.into())
}

/// How far a response has come.
enum Framing {
    Whole(Response),
    Partial,
}

/// Reads a response from its first bytes; `ended` says that no more will come.
fn response(bytes: &[u8], ended: bool) -> Framing {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut head = httparse::Response::new(&mut headers);
    let start = match head.parse(bytes) {
        Ok(httparse::Status::Complete(start)) => start,
        Ok(httparse::Status::Partial) => return Framing::Partial,
        Err(error) => return Framing::Whole(Response::NotHttp(error.to_string())),
    };
    let status = head.code.unwrap_or_default();
    let value = |name: &str| {
        let header = head
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| {
            String::from_utf8_lossy(header.value)
                .trim()
                .to_ascii_lowercase()
        })
    };
    let rest = &bytes[start..];
    if value("transfer-encoding").is_some_and(|coding| coding.ends_with("chunked")) {
        return chunked(status, rest);
    }
    let body = match value("content-length").map(|length| length.parse::<usize>()) {
        Some(Ok(length)) if rest.len() >= length => &rest[..length],
        Some(Ok(_)) => return Framing::Partial,
        Some(Err(_)) => {
            return Framing::Whole(Response::NotHttp("Content-Length is no number".to_owned()));
        }
        None if ended => rest,
        None => return Framing::Partial,
    };
    Framing::Whole(Response::Whole {
        status,
        body: body.to_vec(),
    })
}

fn chunked(status: u16, mut rest: &[u8]) -> Framing {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete((_, 0))) => {
                return Framing::Whole(Response::Whole { status, body });
            }
            Ok(httparse::Status::Complete((start, size))) => {
                let Ok(size) = usize::try_from(size) else {
                    return Framing::Partial;
                };
                let Some(end) = start.checked_add(size) else {
                    return Framing::Partial;
                };
                let (Some(data), Some(next)) =
                    (rest.get(start..end), rest.get(end.saturating_add(2)..))
                else {
                    return Framing::Partial;
                };
                body.extend_from_slice(data);
                rest = next;
            }
            Ok(httparse::Status::Partial) => return Framing::Partial,
            Err(_) => {
                return Framing::Whole(Response::NotHttp("a chunk without a size".to_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8], ended: bool) -> Option<Response> {
        match response(bytes, ended) {
            Framing::Whole(response) => Some(response),
            Framing::Partial => None,
        }
    }

    fn ok(body: &[u8]) -> Option<Response> {
        Some(Response::Whole {
            status: 200,
            body: body.to_vec(),
        })
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        let fixed = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nde";
        assert_eq!(whole(fixed, false), ok(b"de"));
        assert_eq!(whole(&fixed[..fixed.len() - 1], false), None);
        let open = b"HTTP/1.0 200 OK\r\n\r\nde";
        assert_eq!(whole(open, false), None);
        assert_eq!(whole(open, true), ok(b"de"));
        let chunks =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nd\r\n1\r\ne\r\n0\r\n\r\n";
        assert_eq!(whole(chunks, false), ok(b"de"));
        for end in 0..chunks.len() - 5 {
            assert_eq!(whole(&chunks[..end], false), None, "{end}");
        }
    }

    #[test]
    fn nonsense_is_told_from_an_unfinished_response() {
        assert!(matches!(
            whole(b"\x13BitTorrent protocol", false),
            Some(Response::NotHttp(_))
        ));
        let huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n";
        assert!(matches!(whole(huge, false), Some(Response::NotHttp(_))));
        let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n";
        assert_eq!(whole(chunk, true), None);
    }
}

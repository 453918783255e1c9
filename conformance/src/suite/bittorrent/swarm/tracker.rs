//! The kit's tracker: HTTP on a port of 127.0.0.1, one per torrent. It answers by script and enters every announce.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use peerproof_model::bencode::Value;
use peerproof_model::bittorrent::message::{
    AnnounceEvent, AnnounceRequest, AnnounceResponse, AnnounceSuccess, PeerId, Peers, ScrapeEntry,
    ScrapeResponse, TrackerFailure, TrackerPeer,
};
use peerproof_model::bittorrent::view::Observation;
use peerproof_model::bittorrent::wire::tracker_http;

use super::exchange::Exchange;
use crate::case::Stop;
use crate::record::{Channel, Happening, Transport};

/// The longest request that is read.
const LONGEST_REQUEST: usize = 16 << 10;

/// How long one request may take to arrive, and the answer to be taken.
const REQUEST_PATIENCE: Duration = Duration::from_secs(5);

/// The most requests that are answered at the same time.
const MOST_AT_ONCE: usize = 32;

/// Clocks of whole seconds may be that much early.
const CLOCK_SLACK: Duration = Duration::from_secs(1);

/// In which form peers are returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Six bytes for each (BEP 23).
    Compact,
    /// Dictionaries with peer id, ip and port (BEP 3).
    Dictionaries,
}

/// How the tracker answers.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// The first so many announces are refused, with peers in the same answer.
    pub(crate) refusals: usize,
    /// Whether it never returns a peer.
    pub(crate) returns_nobody: bool,
    /// The form of the peers.
    pub(crate) form: Form,
    /// Seconds between regular announces.
    pub(crate) interval: u32,
    /// The tracker id, if it names one.
    pub(crate) tracker_id: Option<Vec<u8>>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            refusals: 0,
            returns_nobody: false,
            form: Form::Compact,
            interval: 1800,
            tracker_id: None,
        }
    }
}

/// The tracker of one torrent. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Tracker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A tracker that has its port and does not answer yet.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    address: SocketAddr,
    script: Script,
    exchange: Arc<Exchange>,
    peers: Vec<(SocketAddrV4, PeerId)>,
    over: AtomicBool,
    books: Mutex<Books>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Books {
    announces: usize,
    last: Option<Instant>,
}

impl Bound {
    /// Takes a free port.
    pub(crate) fn new() -> Result<Self, Stop> {
        let here = |error: io::Error| Stop::Kit(format!("no tracker: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(here)?;
        let address = listener.local_addr().map_err(here)?;
        Ok(Self { listener, address })
    }

    /// Its announce URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/announce", self.address)
    }

    /// Answers from now on, with these peers.
    pub(crate) fn serve(
        self,
        script: Script,
        peers: Vec<(SocketAddrV4, PeerId)>,
        exchange: Arc<Exchange>,
    ) -> Tracker {
        let shared = Arc::new(Shared {
            address: self.address,
            script,
            exchange,
            peers,
            over: AtomicBool::new(false),
            books: Mutex::default(),
            threads: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || serving.accept(&self.listener));
        Tracker {
            shared,
            thread: Some(thread),
        }
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // The accepting thread wakes up for this connection and sees that the case is over.
        let _ = TcpStream::connect_timeout(&self.shared.address, REQUEST_PATIENCE);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for thread in std::mem::take(&mut *lock(&self.shared.threads)) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.over.load(Ordering::Acquire) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let mut threads = lock(&self.threads);
            threads.retain(|thread| !thread.is_finished());
            if threads.len() < MOST_AT_ONCE {
                let answering = Arc::clone(self);
                // A client that breaks its request off is heard of in the recording only.
                threads.push(thread::spawn(move || drop(answering.answer(stream))));
            }
        }
    }

    fn answer(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(REQUEST_PATIENCE))?;
        stream.set_write_timeout(Some(REQUEST_PATIENCE))?;
        let recorder = &self.exchange.recorder;
        let channel = recorder.channel(Channel {
            name: "tracker".to_owned(),
            transport: Transport::Tcp,
            kit: stream.local_addr()?,
            target: stream.peer_addr()?,
            peer: None,
            opened_by_target: true,
        });
        recorder.event(Some(channel), Happening::Opened, "a request to the tracker");
        let request = read_request(&mut stream)?;
        let path = path_of(&request).to_vec();
        let label = String::from_utf8_lossy(&path).into_owned();
        recorder.event(Some(channel), Happening::Received(request), label);
        let body = self.reply(&path);
        let mut answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .into_bytes();
        answer.extend_from_slice(&body);
        let label = format!("answer: {}", body.escape_ascii());
        recorder.event(Some(channel), Happening::Sent(answer.clone()), label);
        stream.write_all(&answer)?;
        stream.shutdown(std::net::Shutdown::Write)?;
        recorder.event(Some(channel), Happening::ClosedByKit, "the tracker closes");
        Ok(())
    }

    /// The body of the answer to a request.
    fn reply(&self, path: &[u8]) -> Vec<u8> {
        if path.starts_with(b"/scrape") {
            return self.scraped(path);
        }
        match tracker_http::decode_announce(path) {
            Ok(announce) => self.announced(announce),
            Err(error) => {
                self.exchange
                    .observe(Observation::AnnouncedMalformed(error.to_string()));
                failure("this is no announce", None)
            }
        }
    }

    fn scraped(&self, path: &[u8]) -> Vec<u8> {
        let asked = tracker_http::decode_scrape(path).unwrap_or_default();
        let entry = ScrapeEntry {
            complete: u32::try_from(self.peers.len()).unwrap_or(0),
            ..ScrapeEntry::default()
        };
        let files = asked
            .info_hashes
            .into_iter()
            .map(|info_hash| (info_hash, entry));
        tracker_http::encode_scrape_response(&ScrapeResponse::Files(files.collect()))
    }

    fn announced(&self, announce: AnnounceRequest) -> Vec<u8> {
        // One announce at a time, so that the books have them in the order of their answers.
        let mut books = lock(&self.books);
        books.announces += 1;
        let interval = Duration::from_secs(u64::from(self.script.interval));
        let due = |last: Instant| last.elapsed() + CLOCK_SLACK >= interval;
        if books.last.replace(Instant::now()).is_some_and(due) {
            self.exchange.observe(Observation::AnnounceDue);
        }
        let event = announce.event.clone();
        self.exchange.observe(Observation::Announced(announce));
        if books.announces <= self.script.refusals {
            let reason = "this torrent is not registered here";
            let refusal = TrackerFailure {
                reason: reason.into(),
                retry_in: None,
            };
            self.exchange
                .observe(Observation::Answered(AnnounceResponse::Failure(refusal)));
            return failure(reason, Some(&self.compact_peers()));
        }
        let success = AnnounceResponse::Success(self.success(&event));
        self.exchange
            .observe(Observation::Answered(success.clone()));
        tracker_http::encode_announce_response(&success)
    }

    fn success(&self, event: &AnnounceEvent) -> AnnounceSuccess {
        let addresses = self.peers.iter().map(|(address, _)| *address);
        let nobody = self.script.returns_nobody || *event == AnnounceEvent::Stopped;
        let peers = match self.script.form {
            _ if nobody => Peers::Compact(Vec::new()),
            Form::Compact => Peers::Compact(addresses.collect()),
            Form::Dictionaries => Peers::Dictionaries(
                self.peers
                    .iter()
                    .map(|(address, peer_id)| TrackerPeer {
                        peer_id: Some(*peer_id),
                        ip: address.ip().to_string().into_bytes(),
                        port: address.port(),
                    })
                    .collect(),
            ),
        };
        AnnounceSuccess {
            interval: self.script.interval,
            tracker_id: self.script.tracker_id.clone(),
            complete: Some(1),
            incomplete: Some(1),
            peers: Some(peers),
            ..AnnounceSuccess::default()
        }
    }

    fn compact_peers(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (address, _) in &self.peers {
            bytes.extend_from_slice(&address.ip().octets());
            bytes.extend_from_slice(&address.port().to_be_bytes());
        }
        bytes
    }
}

/// A refusal; `peers` in it may not be used.
fn failure(reason: &str, peers: Option<&[u8]>) -> Vec<u8> {
    let mut entries = vec![("failure reason", Value::from(reason))];
    if let Some(peers) = peers {
        entries.push(("interval", Value::Integer(1800)));
        entries.push(("peers", Value::Bytes(peers.to_vec())));
    }
    Value::dict(entries).encode()
}

fn read_request(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 2048];
    let deadline = Instant::now() + REQUEST_PATIENCE;
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut buffer)?;
        request.extend_from_slice(&buffer[..count]);
        if count == 0 || request.len() > LONGEST_REQUEST || Instant::now() >= deadline {
            break;
        }
    }
    Ok(request)
}

/// The path and query of a request line.
fn path_of(request: &[u8]) -> &[u8] {
    let line = request
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    line.split(|byte| *byte == b' ').nth(1).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_what_stands_between_the_spaces() {
        assert_eq!(
            path_of(b"GET /announce?a=b HTTP/1.1\r\nHost: x\r\n\r\n"),
            b"/announce?a=b"
        );
        assert_eq!(path_of(b"nonsense"), b"");
    }

    #[test]
    fn a_refusal_with_peers_is_a_failure_to_whoever_decodes_it() {
        let body = failure("no", Some(&[127, 0, 0, 1, 26, 225]));
        assert_eq!(
            body,
            b"d14:failure reason2:no8:intervali1800e5:peers6:\x7f\x00\x00\x01\x1a\xe1e"
        );
        let decoded = tracker_http::decode_announce_response(&body);
        assert!(matches!(decoded, Ok(AnnounceResponse::Failure(_))));
    }
}

//! How a reference peer announces itself over HTTP: one request after the other, so that they arrive in their order.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use peerproof_model::bittorrent::message::{
    AnnounceEvent, AnnounceRequest, AnnounceResponse, AnnounceSuccess, PeerId, Peers,
};
use peerproof_model::bittorrent::wire::{compact, tracker_http};

use super::leecher::WireBreak;

/// How long the tracker has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer that is read.
const LONGEST_ANSWER: u64 = 1 << 20;

/// Announces that may wait for the tracker; a tracker that is further behind gets the next one.
const WAITING: usize = 16;

/// Where the tracker answers.
#[derive(Clone, Debug)]
pub(super) struct TrackerUrl {
    /// Its address.
    pub(super) address: SocketAddr,
    /// The path of its URL.
    path: String,
}

impl TrackerUrl {
    /// Reads `http://ADDRESS:PORT/PATH`; names are not looked up.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address = if authority.contains(':') {
            authority.parse().ok()?
        } else {
            SocketAddr::new(authority.parse().ok()?, 80)
        };
        let path = format!("/{path}");
        Some(Self { address, path })
    }
}

/// The thread that announces. Dropping it sends what waits, then ends it.
#[derive(Debug)]
pub(super) struct Announcer {
    queue: Option<SyncSender<AnnounceRequest>>,
    thread: Option<JoinHandle<()>>,
}

impl Announcer {
    /// Announces to `url`; `answered` is told what came of each announce.
    pub(super) fn start(
        url: TrackerUrl,
        bug: Option<WireBreak>,
        answered: impl Fn(Option<AnnounceResponse>) + Send + 'static,
    ) -> Self {
        let (queue, waiting) = sync_channel(WAITING);
        let thread = thread::spawn(move || announce_all(&url, bug, &waiting, &answered));
        Self {
            queue: Some(queue),
            thread: Some(thread),
        }
    }

    /// Queues an announce.
    pub(super) fn announce(&self, announce: AnnounceRequest) {
        if let Some(queue) = &self.queue {
            // A full queue means a tracker that does not answer: the node repeats what matters.
            let _ = queue.try_send(announce);
        }
    }
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn announce_all(
    url: &TrackerUrl,
    bug: Option<WireBreak>,
    waiting: &Receiver<AnnounceRequest>,
    answered: &dyn Fn(Option<AnnounceResponse>),
) {
    // What a tracker calls this peer is sent back to it.
    let mut tracker_id = None;
    let mut turn = 0;
    for mut announce in waiting {
        announce.trackerid = tracker_id
            .clone()
            .filter(|_| bug != Some(WireBreak::ForgetsTrackerId));
        let completes_too = bug == Some(WireBreak::CompletedAtStart)
            && announce.event == AnnounceEvent::Started
            && announce.left == 0;
        let answer = exchange(url, &announce, bug, turn);
        turn += 1;
        if let Some(AnnounceResponse::Success(success)) = &answer
            && success.tracker_id.is_some()
        {
            tracker_id.clone_from(&success.tracker_id);
        }
        if completes_too {
            announce.event = AnnounceEvent::Completed;
            // Only its being sent matters.
            let _ = exchange(url, &announce, bug, turn);
        }
        answered(answer);
    }
}

/// One request and its answer; `None` when the tracker could not be reached or answered nonsense.
fn exchange(
    url: &TrackerUrl,
    announce: &AnnounceRequest,
    bug: Option<WireBreak>,
    turn: usize,
) -> Option<AnnounceResponse> {
    let path = path(url, announce.clone(), bug, turn);
    let body = get(url, &path).ok()?;
    let answer = tracker_http::decode_announce_response_tolerant(&body).ok();
    distorted(answer.map(|(answer, _)| answer), &body, bug)
}

fn path(
    url: &TrackerUrl,
    mut announce: AnnounceRequest,
    bug: Option<WireBreak>,
    turn: usize,
) -> String {
    match bug {
        Some(WireBreak::NewPeerId) => announce.peer_id = another_id(announce.peer_id, turn),
        Some(WireBreak::NeverCompact) => announce.compact = None,
        Some(WireBreak::NothingDownloaded) => announce.downloaded = 0,
        Some(WireBreak::UploadsMadeUp) => announce.uploaded = 1 << 30,
        Some(WireBreak::AnotherPort) => announce.port = announce.port.wrapping_add(1).max(1),
        _ => {}
    }
    let path = tracker_http::encode_announce(&url.path, &announce);
    if bug == Some(WireBreak::HexInfoHash) {
        // The hash in hexadecimal digits, as people read it.
        let empty = AnnounceRequest {
            peer_id: announce.peer_id,
            ..announce.clone()
        };
        let escaped = tracker_http::encode_announce("", &empty);
        let value = escaped.split(['=', '&']).nth(1).unwrap_or_default();
        return path.replacen(value, &announce.info_hash.to_string(), 1);
    }
    path
}

fn another_id(mut peer_id: PeerId, turn: usize) -> PeerId {
    peer_id.0[19] = peer_id.0[19].wrapping_add(u8::try_from(turn % 200).unwrap_or(0));
    peer_id
}

fn distorted(
    answer: Option<AnnounceResponse>,
    body: &[u8],
    bug: Option<WireBreak>,
) -> Option<AnnounceResponse> {
    match (bug, answer) {
        (Some(WireBreak::UsesRefusedPeers), Some(AnnounceResponse::Failure(_))) => {
            let value = peerproof_model::bencode::decode(body).ok()?;
            let peers = compact::decode_v4(value.get("peers")?.as_bytes()?, "peers").ok()?;
            Some(AnnounceResponse::Success(AnnounceSuccess {
                interval: 1800,
                peers: Some(Peers::Compact(peers)),
                ..AnnounceSuccess::default()
            }))
        }
        (Some(WireBreak::NoDictionaries), Some(AnnounceResponse::Success(mut success))) => {
            if matches!(success.peers, Some(Peers::Dictionaries(_))) {
                success.peers = None;
            }
            Some(AnnounceResponse::Success(success))
        }
        (Some(WireBreak::NoCompactPeers), Some(AnnounceResponse::Success(mut success))) => {
            if matches!(success.peers, Some(Peers::Compact(_))) {
                success.peers = None;
            }
            Some(AnnounceResponse::Success(success))
        }
        (Some(WireBreak::Hasty), Some(AnnounceResponse::Success(mut success))) => {
            success.interval = 1;
            Some(AnnounceResponse::Success(success))
        }
        (_, answer) => answer,
    }
}

/// The body of the answer to a GET request.
fn get(url: &TrackerUrl, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&url.address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: peerproof\r\nConnection: close\r\n\r\n",
        url.address
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n");
    let body = head.map(|end| answer.split_off(end + 4));
    if !answer.starts_with(b"HTTP/1.1 200") && !answer.starts_with(b"HTTP/1.0 200") {
        return Err(io::Error::other("the tracker does not answer 200"));
    }
    body.ok_or_else(|| io::Error::other("the tracker's answer has no body"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_url_is_address_and_path() {
        let url = TrackerUrl::parse("http://127.0.0.1:6969/announce").expect("an address");
        assert_eq!(url.address, SocketAddr::from(([127, 0, 0, 1], 6969)));
        assert_eq!(url.path, "/announce");
        assert!(TrackerUrl::parse("udp://127.0.0.1:1/announce").is_none());
        assert!(TrackerUrl::parse("http://tracker.example/announce").is_none());
    }
}

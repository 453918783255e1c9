//! What the kit plays towards a tracker: peers of their own addresses that announce and scrape over HTTP and UDP.
//!
//! Every peer of every case has an address and a port of its own, because a tracker may tell peers apart by either,
//! and may ban a host that one case offended it with.

mod http;
mod reading;
mod udp;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use peerproof_model::bittorrent::message::{
    AnnounceEvent, AnnounceRequest, InfoHash, PeerId, ScrapeRequest, UdpAnnounce, UdpRequest,
    UdpResponse,
};
use peerproof_model::bittorrent::tracker_view::{Answer, Exchange, Question, TrackerWatch};
use peerproof_model::bittorrent::wire::tracker_http::{encode_announce, encode_scrape};
use peerproof_model::bittorrent::wire::tracker_udp::{PROTOCOL_ID, encode_request};
use peerproof_model::choose::Seeded;

use crate::case::Stop;
use crate::record::{Happening, Recorder};
pub(crate) use http::HttpConnection;
use udp::UdpLine;

/// What follows the answer to a later question may still be an answer to an earlier one: so long the kit listens.
const GRACE: Duration = Duration::from_millis(50);

/// One of the two ways to a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Over TCP.
    Http,
    /// Datagrams.
    Udp,
}

/// Where and how a tracker is reached.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    /// HTTP, if it answers there.
    pub(crate) http: Option<SocketAddr>,
    /// UDP, if it answers there.
    pub(crate) udp: Option<SocketAddr>,
    /// The path of announces.
    pub(crate) announce_path: String,
    /// The path of scrapes, if the announce path has one.
    pub(crate) scrape_path: Option<String>,
}

/// The torrents that a case may speak of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Torrents {
    /// The case's own, or the one that all cases share.
    pub(crate) first: InfoHash,
    /// A second one, if the tracker is free to track any.
    pub(crate) second: Option<InfoHash>,
}

/// A peer, and what it would announce next.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// The address that it speaks from.
    pub(crate) host: IpAddr,
    /// Its announce.
    pub(crate) request: AnnounceRequest,
}

impl Peer {
    /// With the event `started`.
    pub(crate) fn started(&self) -> Self {
        self.saying(AnnounceEvent::Started)
    }

    /// With the event `stopped`.
    pub(crate) fn stopped(&self) -> Self {
        self.saying(AnnounceEvent::Stopped)
    }

    /// With the event `completed` and nothing left.
    pub(crate) fn completed(&self) -> Self {
        self.saying(AnnounceEvent::Completed).seeding()
    }

    /// With another event.
    pub(crate) fn saying(&self, event: AnnounceEvent) -> Self {
        let mut peer = self.clone();
        peer.request.event = event;
        peer
    }

    /// Nothing is left to download.
    pub(crate) fn seeding(&self) -> Self {
        let mut peer = self.clone();
        peer.request.left = 0;
        peer
    }

    /// Wants so many peers.
    pub(crate) fn wanting(&self, peers: u32) -> Self {
        let mut peer = self.clone();
        peer.request.numwant = Some(peers);
        peer
    }

    /// With or without a wish for the form of the list.
    pub(crate) fn compact(&self, wish: Option<bool>) -> Self {
        let mut peer = self.clone();
        peer.request.compact = wish;
        peer
    }

    /// About another torrent.
    pub(crate) fn of(&self, torrent: InfoHash) -> Self {
        let mut peer = self.clone();
        peer.request.info_hash = torrent;
        peer
    }
}

/// A socket of a peer with its connection id.
#[derive(Debug)]
struct Line {
    line: UdpLine,
    id: Option<u64>,
    transactions: Vec<u32>,
}

/// The kit of one case.
pub(crate) struct TrackerKit {
    doors: Doors,
    torrents: Torrents,
    watch: TrackerWatch,
    recorder: Recorder,
    patience: Duration,
    /// How much faster than the wall clock the tracker's clock runs.
    haste: u32,
    random: Seeded,
    number: u16,
    door: Door,
    lines: BTreeMap<IpAddr, Line>,
}

/// What a kit is made of.
pub(crate) struct Equipment {
    pub(crate) doors: Doors,
    pub(crate) torrents: Torrents,
    pub(crate) watch: TrackerWatch,
    pub(crate) recorder: Recorder,
    pub(crate) patience: Duration,
    pub(crate) haste: u32,
    /// Where everything random of this case comes from.
    pub(crate) seed: u64,
    /// The number of the case, from which its addresses follow.
    pub(crate) number: u16,
}

impl TrackerKit {
    /// A kit with nothing said yet.
    pub(crate) fn new(equipment: Equipment) -> Self {
        let door = if equipment.doors.http.is_some() {
            Door::Http
        } else {
            Door::Udp
        };
        Self {
            doors: equipment.doors,
            torrents: equipment.torrents,
            watch: equipment.watch,
            recorder: equipment.recorder,
            patience: equipment.patience,
            haste: equipment.haste,
            random: Seeded::new(equipment.seed),
            number: equipment.number,
            door,
            lines: BTreeMap::new(),
        }
    }

    /// What was seen so far.
    pub(crate) fn watch(&self) -> &TrackerWatch {
        &self.watch
    }

    /// The end of a story about something that a tracker may leave out: it was seen, or it is not implemented.
    pub(crate) fn seen_or_unimplemented(&self, what: &str) -> Result<(), Stop> {
        if self.watch.was_put_to_the_test() {
            Ok(())
        } else {
            Err(Stop::Unimplemented(what.to_owned()))
        }
    }

    /// From now on the peers use this door.
    pub(crate) fn over(&mut self, door: Door) -> Result<&mut Self, Stop> {
        self.door = door;
        match door {
            Door::Http => self.http().map(|_| ()),
            Door::Udp => self.udp().map(|_| ()),
        }?;
        Ok(self)
    }

    fn http(&self) -> Result<SocketAddr, Stop> {
        let missing = || Stop::Unimplemented("the tracker does not answer over TCP".to_owned());
        self.doors.http.ok_or_else(missing)
    }

    fn udp(&self) -> Result<SocketAddr, Stop> {
        let missing = || Stop::Unimplemented("the tracker does not answer over UDP".to_owned());
        self.doors.udp.ok_or_else(missing)
    }

    /// The case's own torrent.
    pub(crate) fn torrent(&self) -> InfoHash {
        self.torrents.first
    }

    /// A second torrent that the tracker takes.
    pub(crate) fn second_torrent(&self) -> Result<InfoHash, Stop> {
        self.torrents.second.ok_or_else(|| {
            Stop::Unimplemented("the tracker was given a single torrent by --torrent".to_owned())
        })
    }

    /// An info hash that nobody announces.
    pub(crate) fn unknown_torrent(&mut self) -> InfoHash {
        let mut bytes = [0; 20];
        self.random.fill(&mut bytes);
        InfoHash(bytes)
    }

    /// The peer of that number (0 to 9): a leecher that wants a compact list.
    pub(crate) fn peer(&mut self, number: u8) -> Peer {
        let mut peer_id = *b"-PP0100-000000000000";
        let digits = format!("{:06}{number:06}", self.number);
        peer_id[8..].copy_from_slice(&digits.as_bytes()[..12]);
        let request = AnnounceRequest {
            info_hash: self.torrents.first,
            peer_id: PeerId(peer_id),
            port: 10_000 + self.number * 10 + u16::from(number),
            left: 1 << 20,
            compact: Some(true),
            ..AnnounceRequest::default()
        };
        Peer {
            host: self.host(number),
            request,
        }
    }

    /// On loopback every peer has an address of its own; elsewhere the system chooses.
    fn host(&self, number: u8) -> IpAddr {
        let target = self
            .doors
            .http
            .or(self.doors.udp)
            .map(|address| address.ip());
        match target {
            Some(IpAddr::V4(address)) if address.is_loopback() => {
                let [block, case] = self.number.to_be_bytes();
                IpAddr::V4(Ipv4Addr::new(127, 100 + block, case, 10 + number))
            }
            Some(IpAddr::V6(address)) if address.is_loopback() => IpAddr::V6(address),
            Some(IpAddr::V6(_)) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        }
    }

    fn observe(&mut self, exchange: Exchange) {
        self.watch.observe(exchange);
    }

    /// Announces; what is answered is the caller's to judge.
    pub(crate) fn exchange(&mut self, peer: &Peer) -> Result<Exchange, Stop> {
        match self.door {
            Door::Http => {
                let path = encode_announce(&self.doors.announce_path, &peer.request);
                self.get(peer.host, Question::Announce(peer.request.clone()), &path)
            }
            Door::Udp => {
                let id = self.connection_id(peer.host)?;
                let announce = self.udp_announce(peer, id);
                self.ask(peer.host, UdpRequest::Announce(announce))
            }
        }
    }

    /// Announces, and goes on only if that is accepted.
    pub(crate) fn announce(&mut self, peer: &Peer) -> Result<(), Stop> {
        let exchange = self.exchange(peer)?;
        match exchange.accepted() {
            Some(_) => Ok(()),
            None => Err(Stop::Silent(format!(
                "the announce got {:?}",
                exchange.answer
            ))),
        }
    }

    /// Announces, and goes on whatever the tracker says.
    pub(crate) fn try_announce(&mut self, peer: &Peer) -> Result<(), Stop> {
        match self.announce(peer) {
            Err(Stop::Silent(_)) | Ok(()) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Asks for counts.
    pub(crate) fn scrape(&mut self, peer: &Peer, torrents: &[InfoHash]) -> Result<(), Stop> {
        let info_hashes = torrents.to_vec();
        match self.door {
            Door::Http => {
                let path = self.doors.scrape_path.clone().ok_or_else(|| {
                    Stop::Unimplemented("the announce path has no scrape (BEP 48)".to_owned())
                })?;
                let request = ScrapeRequest { info_hashes };
                let path = encode_scrape(&path, &request);
                let exchange = self.get(peer.host, Question::Scrape(request), &path)?;
                match exchange.answer {
                    Answer::Status(404 | 501) => Err(Stop::Unimplemented(
                        "the tracker has no scrape over HTTP".to_owned(),
                    )),
                    _ => Ok(()),
                }
            }
            Door::Udp => {
                let connection_id = self.connection_id(peer.host)?;
                let transaction_id = self.transaction();
                let scrape = UdpRequest::Scrape {
                    connection_id,
                    transaction_id,
                    info_hashes,
                };
                self.ask(peer.host, scrape).map(|_| ())
            }
        }
    }

    /// The path and query of an announce.
    pub(crate) fn path(&self, peer: &Peer) -> String {
        encode_announce(&self.doors.announce_path, &peer.request)
    }

    /// Sends a GET request for `path` and sees what comes of it.
    fn get(&mut self, host: IpAddr, question: Question, path: &str) -> Result<Exchange, Stop> {
        let request = self.request(path, "HTTP/1.1");
        self.send_request(host, question, &[request.as_bytes()])
    }

    /// The bytes of a GET request.
    pub(crate) fn request(&self, path: &str, version: &str) -> String {
        let host = self
            .doors
            .http
            .map_or_else(String::new, |address| address.to_string());
        let agent = concat!("peerproof/", env!("CARGO_PKG_VERSION"));
        format!(
            "GET {path} {version}\r\nHost: {host}\r\nUser-Agent: {agent}\r\nConnection: close\r\n\r\n"
        )
    }

    /// An announce whose path and query are written otherwise, but mean what `peer` says.
    pub(crate) fn announce_as(&mut self, peer: &Peer, path: &str) -> Result<(), Stop> {
        let question = Question::Announce(peer.request.clone());
        self.get(peer.host, question, path).map(|_| ())
    }

    /// An announce that lacks or garbles what `flaw` says.
    pub(crate) fn malformed(
        &mut self,
        peer: &Peer,
        flaw: &'static str,
        path: &str,
    ) -> Result<(), Stop> {
        self.get(peer.host, Question::MalformedAnnounce(flaw), path)
            .map(|_| ())
    }

    /// Bytes of a whole request on one connection, in as many segments; it means what `peer` says.
    pub(crate) fn announce_bytes(&mut self, peer: &Peer, segments: &[&[u8]]) -> Result<(), Stop> {
        let question = Question::Announce(peer.request.clone());
        self.send_request(peer.host, question, segments).map(|_| ())
    }

    /// Bytes that are no announce; any answer will do.
    pub(crate) fn disturb(
        &mut self,
        peer: &Peer,
        what: &'static str,
        bytes: &[u8],
    ) -> Result<(), Stop> {
        self.send_request(peer.host, Question::Other(what), &[bytes])
            .map(|_| ())
    }

    /// A connection for bytes that the case sends by itself.
    pub(crate) fn open(&mut self, peer: &Peer) -> Result<HttpConnection, Stop> {
        let name = format!("peer {}", peer.request.port % 10);
        HttpConnection::open(self.http()?, peer.host, name, self.patience, &self.recorder)
    }

    /// Waits for the answer to an announce on a connection that the case opened.
    pub(crate) fn finish(&mut self, peer: &Peer, connection: HttpConnection) {
        let from = connection.local();
        let question = Question::Announce(peer.request.clone());
        let exchange = reading::http_exchange(from, question, connection.answer());
        self.observe(exchange);
    }

    /// A tracker that was there before and refuses a connection now has ended: that is an answer, too.
    pub(crate) fn still_serves(&mut self, peer: &Peer) -> Result<(), Stop> {
        let end = self.announce(peer);
        if let Err(Stop::Gone(_)) = &end {
            self.observe(Exchange {
                from: SocketAddr::new(peer.host, 0),
                question: Question::Announce(peer.request.clone()),
                answer: Answer::Closed,
                departure: None,
            });
        }
        end
    }

    fn send_request(
        &mut self,
        host: IpAddr,
        question: Question,
        segments: &[&[u8]],
    ) -> Result<Exchange, Stop> {
        let target = self.http()?;
        let label = reading::label(&question);
        let mut connection = HttpConnection::open(
            target,
            host,
            host.to_string(),
            self.patience,
            &self.recorder,
        )?;
        for segment in segments {
            connection.send(segment, &label);
        }
        let from = connection.local();
        let exchange = reading::http_exchange(from, question, connection.answer());
        self.observe(exchange.clone());
        Ok(exchange)
    }

    /// A number for a transaction.
    pub(crate) fn transaction(&mut self) -> u32 {
        (self.random.bits() >> 32) as u32
    }

    fn line(&mut self, host: IpAddr) -> Result<&mut Line, Stop> {
        let target = self.udp()?;
        if !self.lines.contains_key(&host) {
            let line = UdpLine::open(target, host, host.to_string(), &self.recorder)?;
            self.lines.insert(
                host,
                Line {
                    line,
                    id: None,
                    transactions: Vec::new(),
                },
            );
        }
        self.lines
            .get_mut(&host)
            .ok_or_else(|| Stop::Kit("a socket was lost".to_owned()))
    }

    /// The connection id of that host; asks for one if it has none.
    pub(crate) fn connection_id(&mut self, host: IpAddr) -> Result<u64, Stop> {
        if let Some(id) = self.line(host)?.id {
            return Ok(id);
        }
        self.connect(host)
    }

    /// Asks for a connection id.
    pub(crate) fn connect(&mut self, host: IpAddr) -> Result<u64, Stop> {
        let transaction_id = self.transaction();
        let exchange = self.ask(host, UdpRequest::Connect { transaction_id })?;
        match exchange.answer {
            Answer::Reply(UdpResponse::Connect { connection_id, .. }) => {
                self.line(host)?.id = Some(connection_id);
                Ok(connection_id)
            }
            answer => Err(Stop::Silent(format!("the connect request got {answer:?}"))),
        }
    }

    /// The announce of a peer as a datagram.
    pub(crate) fn udp_announce(&mut self, peer: &Peer, connection_id: u64) -> UdpAnnounce {
        let request = &peer.request;
        UdpAnnounce {
            connection_id,
            transaction_id: self.transaction(),
            info_hash: request.info_hash,
            peer_id: request.peer_id,
            downloaded: request.downloaded,
            left: request.left,
            uploaded: request.uploaded,
            event: request.event.clone(),
            ip: Ipv4Addr::UNSPECIFIED,
            key: u32::from(request.port),
            num_want: request.numwant.map_or(-1, |wanted| wanted as i32),
            port: request.port,
            url_data: None,
        }
    }

    /// Sends a request and sees what comes of it, with one retransmission.
    pub(crate) fn ask(&mut self, host: IpAddr, request: UdpRequest) -> Result<Exchange, Stop> {
        let bytes = encode_request(&request);
        self.ask_with(host, request, &bytes)
    }

    /// The same with bytes that follow or differ, but mean `request`.
    pub(crate) fn ask_with(
        &mut self,
        host: IpAddr,
        request: UdpRequest,
        bytes: &[u8],
    ) -> Result<Exchange, Stop> {
        let patience = self.patience / 2;
        let transaction = request.transaction_id();
        let question = Question::Datagram(request);
        let label = reading::label(&question);
        let line = self.line(host)?;
        let past = std::mem::take(&mut line.transactions);
        let mut answer = None;
        for _ in 0..2 {
            line.line.send(bytes, &label)?;
            answer = line.line.receive(patience, |datagram| {
                reading::transaction(datagram).is_none_or(|id| !past.contains(&id))
            });
            if answer.is_some() {
                break;
            }
        }
        line.transactions = past;
        line.transactions.push(transaction);
        let from = line.line.local();
        let exchange = reading::udp_exchange(from, question, answer.as_deref());
        self.observe(exchange.clone());
        Ok(exchange)
    }

    /// Sends a datagram that the tracker may leave without an answer. A connect request behind it, which must be
    /// answered, shows when the tracker has seen it.
    pub(crate) fn provoke(
        &mut self,
        host: IpAddr,
        question: Question,
        bytes: &[u8],
    ) -> Result<(), Stop> {
        let transaction_id = self.transaction();
        let connect = UdpRequest::Connect { transaction_id };
        let patience = self.patience;
        let label = reading::label(&question);
        let line = self.line(host)?;
        line.line.send(bytes, &label)?;
        line.line.send(
            &encode_request(&connect),
            "connects, to see that it was read",
        )?;
        let past = line.transactions.clone();
        let (mut provoked, mut probed) = (None, None);
        let mut sort = |datagram: &[u8]| {
            match reading::transaction(datagram) {
                Some(id) if id == transaction_id => probed = Some(datagram.to_vec()),
                Some(id) if past.contains(&id) => {}
                _ => provoked = Some(datagram.to_vec()),
            }
            probed.is_some()
        };
        line.line.receive(patience, &mut sort);
        line.line.receive(GRACE, |datagram| {
            sort(datagram);
            false
        });
        line.transactions.push(transaction_id);
        let from = line.line.local();
        self.observe(reading::udp_exchange(from, question, provoked.as_deref()));
        let exchange = reading::udp_exchange(from, Question::Datagram(connect), probed.as_deref());
        self.observe(exchange.clone());
        match exchange.answer {
            Answer::Reply(UdpResponse::Connect { connection_id, .. }) => {
                self.line(host)?.id = Some(connection_id);
                Ok(())
            }
            answer => Err(Stop::Silent(format!(
                "the connect request behind it got {answer:?}"
            ))),
        }
    }

    /// The bytes that open a connect request.
    pub(crate) fn connect_bytes(&mut self, protocol: Option<u64>) -> Vec<u8> {
        let id = protocol.unwrap_or(PROTOCOL_ID).to_be_bytes();
        [&id[..], &[0; 4], &self.transaction().to_be_bytes()].concat()
    }

    /// Lets so many seconds of the tracker's clock pass.
    pub(crate) fn wait(&mut self, seconds: u32) {
        let note = format!("waits {seconds} s");
        self.recorder.event(None, Happening::Note, note);
        std::thread::sleep(Duration::from_secs(u64::from(seconds)) / self.haste);
        self.watch.elapse(seconds);
    }

    /// Every peer that the tracker may still list says that it stopped.
    pub(crate) fn leave(&mut self) {
        let swarms = self.watch.view().swarms.clone();
        for (info_hash, swarm) in swarms {
            for (address, member) in swarm.members.into_iter().take(16) {
                let request = AnnounceRequest {
                    info_hash,
                    peer_id: member.peer_id,
                    port: address.port(),
                    left: member.left,
                    compact: Some(true),
                    event: AnnounceEvent::Stopped,
                    ..AnnounceRequest::default()
                };
                let peer = Peer {
                    host: address.ip(),
                    request,
                };
                // A tracker that is gone needs no goodbye.
                if self.announce(&peer).is_err() {
                    return;
                }
            }
        }
    }
}

//! What the kit plays towards a tracker: peers of their own addresses that announce and scrape over HTTP and UDP.
//!
//! Every peer of every case has an address and a port of its own, because a tracker may tell peers apart by either,
//! and may ban a host that one case offended it with.

mod datagrams;
mod http;
mod peer;
mod reading;
mod udp;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{
    AnnounceEvent, AnnounceRequest, InfoHash, PeerId, ScrapeRequest, ScrapeResponse, UdpRequest,
    UdpResponse,
};
use peerproof_model::bittorrent::tracker_view::{Answer, Exchange, Question, TrackerWatch};
use peerproof_model::bittorrent::wire::tracker_http::{encode_announce, encode_scrape};
use peerproof_model::choose::Seeded;

use crate::case::Stop;
use crate::jitter::Meter;
use crate::record::{Happening, Recorder};
use datagrams::Line;
pub(crate) use http::HttpConnection;
pub(crate) use peer::Peer;

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
        // Bytes that must be escaped, that are no text, and that are digits of an escape.
        let mut peer_id = *b"-PP0100-\0\0\0%41&=+ \xff\x80";
        let [high, low] = self.number.to_be_bytes();
        peer_id[8..11].copy_from_slice(&[high, low, number]);
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
                "the announce got {}",
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

    /// Asks for counts, and goes on only if they are told.
    pub(crate) fn scrape(&mut self, peer: &Peer, torrents: &[InfoHash]) -> Result<(), Stop> {
        let info_hashes = torrents.to_vec();
        let exchange = match self.door {
            Door::Http => {
                let missing = "the announce path has no scrape (BEP 48)";
                let path = self.doors.scrape_path.as_ref();
                let path = path.ok_or_else(|| Stop::Unimplemented(missing.to_owned()))?;
                let request = ScrapeRequest { info_hashes };
                let path = encode_scrape(path, &request);
                self.get(peer.host, Question::Scrape(request), &path)?
            }
            Door::Udp => {
                let connection_id = self.connection_id(peer.host)?;
                let transaction_id = self.transaction();
                let scrape = UdpRequest::Scrape {
                    connection_id,
                    transaction_id,
                    info_hashes,
                };
                self.ask(peer.host, scrape)?
            }
        };
        let refused = exchange.refused();
        match exchange.answer {
            Answer::Scraped(ScrapeResponse::Files(_))
            | Answer::Reply(UdpResponse::Scrape { .. }) => Ok(()),
            answer if refused => Err(Stop::Unimplemented(format!("the scrape got {answer}"))),
            answer => Err(Stop::Silent(format!("the scrape got {answer}"))),
        }
    }

    /// Asks for counts, and goes on whatever the tracker says.
    pub(crate) fn try_scrape(&mut self, peer: &Peer, torrents: &[InfoHash]) -> Result<(), Stop> {
        match self.scrape(peer, torrents) {
            Err(Stop::Silent(_)) | Ok(()) => Ok(()),
            Err(other) => Err(other),
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
    pub(crate) fn finish(&mut self, peer: &Peer, connection: HttpConnection) -> Result<(), Stop> {
        let from = connection.local();
        let question = Question::Announce(peer.request.clone());
        let began = Instant::now();
        let exchange = reading::http_exchange(from, question, connection.answer());
        self.trusted(began, &exchange)?;
        self.observe(exchange);
        Ok(())
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
        let began = Instant::now();
        let exchange = reading::http_exchange(from, question, connection.answer());
        self.trusted(began, &exchange)?;
        self.observe(exchange.clone());
        Ok(exchange)
    }

    /// Silence says nothing about the tracker when the kit itself was kept from running meanwhile.
    fn trusted(&self, began: Instant, exchange: &Exchange) -> Result<(), Stop> {
        if !matches!(exchange.answer, Answer::Nothing | Answer::NotHttp(_)) {
            return Ok(());
        }
        let meter = Meter::of_this_process();
        meter
            .trusts(began, self.patience)
            .map_err(|lost| Stop::Overloaded(format!("the kit was kept from running for {lost:?}")))
    }

    /// A number for a transaction.
    pub(crate) fn transaction(&mut self) -> u32 {
        (self.random.bits() >> 32) as u32
    }

    /// Lets so many seconds of the tracker's clock pass.
    pub(crate) fn wait(&mut self, seconds: u32) {
        let note = format!("waits {seconds} s");
        self.recorder.event(None, Happening::Note, note);
        let began = Instant::now();
        std::thread::sleep(Duration::from_secs(u64::from(seconds)) / self.haste);
        // A busy machine wakes the kit late: what counts is how much time has passed.
        let passed = (began.elapsed() * self.haste).as_secs_f64().ceil();
        self.watch.elapse(passed as u32);
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

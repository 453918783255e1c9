//! A tracker as a pure state machine, over HTTP and UDP alike.
//!
//! It names whoever asks by the address that the question came from; a peer goes by that host and the port it
//! announces. The `ip` parameter is not believed. Every question is answered in the step that takes it, or not at all.

mod connection;
mod datagram;
mod swarm;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use self::connection::Secrets;
use self::swarm::Swarm;
use super::message::{
    AnnounceEvent, AnnounceRequest, AnnounceResponse, AnnounceSuccess, InfoHash, PeerId, Peers,
    ScrapeEntry, ScrapeRequest, ScrapeResponse, TrackerFailure, TrackerPeer, UdpResponse,
};
use super::mutant::Mutant;
use super::node::Message;
use crate::choose::Choose;
use crate::node::{Input, Node, Output};

/// What a tracker is told before it starts. [`TrackerConfig::new`] has what deployed software does.
#[derive(Clone, Debug)]
pub struct TrackerConfig {
    /// Tells trackers of one system apart.
    pub number: u32,
    /// Seconds between regular announces of a peer: usually 1800.
    pub interval: u32,
    /// Seconds that must pass before another announce, if it says so.
    pub min_interval: Option<u32>,
    /// Peers in an answer when the question does not say: 50.
    pub usual_peers: usize,
    /// Peers in an answer at most.
    pub most_peers: usize,
    /// The only torrents it serves; nothing: any.
    pub whitelist: Option<BTreeSet<InfoHash>>,
    /// Torrents, and peers of one torrent, that it remembers.
    pub most_members: usize,
    /// How long a peer that does not announce is remembered; nothing: for ever.
    pub expiry: Option<Duration>,
    /// From what its connection ids are derived: nobody else may know it.
    pub secret: [u8; 20],
    /// How long one secret is used for new connection ids.
    pub secret_life: Duration,
    /// How many secrets that are no longer used are still accepted; with `secret_life` two minutes (BEP 15).
    pub past_secrets: usize,
    /// The one thing that it does wrong, if any.
    pub mutant: Option<Mutant>,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl TrackerConfig {
    /// An open tracker.
    pub fn new() -> Self {
        Self {
            number: 0,
            interval: 1800,
            min_interval: None,
            usual_peers: 50,
            most_peers: 200,
            whitelist: None,
            most_members: 10_000,
            expiry: Some(Duration::from_secs(3600)),
            secret: [0x5c; 20],
            secret_life: Duration::from_secs(10),
            past_secrets: 12,
            mutant: None,
        }
    }

    /// For models: nobody expires.
    pub fn small() -> Self {
        Self {
            expiry: None,
            ..Self::new()
        }
    }
}

/// The timers of a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackerTimer {
    /// A peer has not announced for long.
    Expiry(InfoHash, SocketAddr),
    /// The secret of the connection ids is due to change.
    Secret,
}

/// Why an input cannot happen to a tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TrackerRejected {
    /// Nobody says this to a tracker.
    #[error("{0} cannot say this to a tracker")]
    Misdirected(SocketAddr),
    /// The timer was not set.
    #[error("no such timer is set")]
    NotSet,
}

/// A tracker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tracker {
    config: Shared,
    swarms: BTreeMap<InfoHash, Swarm>,
    secrets: Secrets,
}

/// A configuration within a state: it never changes while a tracker lives.
#[derive(Clone, Debug)]
struct Shared(Arc<TrackerConfig>);

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self.0.number == other.0.number
    }
}
impl Eq for Shared {}
impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Shared {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.number.cmp(&other.0.number)
    }
}
impl Hash for Shared {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.number.hash(state);
    }
}

/// What the handlers of one step share.
struct Act<'a> {
    from: SocketAddr,
    choose: &'a mut dyn Choose,
    out: &'a mut Vec<Output<Tracker>>,
}

impl Act<'_> {
    fn answer(&mut self, message: Message) {
        let to = self.from;
        self.out.push(Output::Send { to, message });
    }

    fn reply(&mut self, reply: UdpResponse) {
        self.answer(Message::Reply(reply));
    }
}

impl Node for Tracker {
    type Id = SocketAddr;
    type Message = Message;
    type Timer = TrackerTimer;
    type Request = Infallible;
    type Event = Infallible;
    type Rejected = TrackerRejected;

    fn step(
        &mut self,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), TrackerRejected> {
        match input {
            Input::Receive { from, message } => {
                let mut act = Act { from, choose, out };
                match message {
                    Message::Announce(request) => self.on_announce(&request, &mut act),
                    Message::Scrape(request) => self.on_scrape(&request, &mut act),
                    Message::Malformed(reason) => self.on_malformed(&reason, &mut act),
                    Message::Datagram(request) => self.on_datagram(&request, &mut act),
                    _ => return Err(TrackerRejected::Misdirected(from)),
                }
                Ok(())
            }
            Input::Expire(TrackerTimer::Expiry(torrent, peer)) => {
                let swarm = self.swarms.get_mut(&torrent);
                let gone = swarm.and_then(|swarm| swarm.members.remove(&peer));
                gone.map(|_| ()).ok_or(TrackerRejected::NotSet)
            }
            Input::Expire(TrackerTimer::Secret) => {
                let after = self.config().secret_life;
                let eternal = self.is(Mutant::EternalConnectionIds);
                let past = if eternal {
                    usize::MAX
                } else {
                    self.config().past_secrets
                };
                self.secrets.change(past);
                let timer = TrackerTimer::Secret;
                out.push(Output::SetTimer { timer, after });
                Ok(())
            }
            // An HTTP connection carries one question; that it opens and closes says nothing.
            Input::Opened(_) | Input::Closed(_) => Ok(()),
            Input::Ask(never) => match never {},
        }
    }
}

/// How a question came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Http,
    Udp,
}

/// What an accepted announce is answered with, whichever way it came.
struct Accepted {
    peers: Vec<(SocketAddr, PeerId)>,
    seeders: u32,
    leechers: u32,
}

impl Tracker {
    /// A tracker that has heard of nobody.
    pub fn new(config: Arc<TrackerConfig>) -> Self {
        let secrets = Secrets::new(config.secret);
        Self {
            config: Shared(config),
            swarms: BTreeMap::new(),
            secrets,
        }
    }

    /// What it was told before it started.
    pub fn config(&self) -> &TrackerConfig {
        &self.config.0
    }

    /// The peers that it takes for live, by torrent.
    pub fn members(&self) -> impl Iterator<Item = (InfoHash, SocketAddr)> + '_ {
        let swarms = self.swarms.iter();
        swarms.flat_map(|(torrent, swarm)| swarm.members.keys().map(|peer| (*torrent, *peer)))
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.config().mutant == Some(mutant)
    }

    fn on_announce(&mut self, request: &AnnounceRequest, act: &mut Act) {
        let response = match self.accept(request, Transport::Http, act) {
            Err(reason) => failure(reason),
            Ok(accepted) => AnnounceResponse::Success(self.success(request, accepted)),
        };
        act.answer(Message::Announced(response));
    }

    fn on_malformed(&mut self, reason: &str, act: &mut Act) {
        let response = if self.is(Mutant::AcceptsMalformed) {
            AnnounceResponse::Success(AnnounceSuccess {
                interval: self.config().interval,
                peers: Some(Peers::Compact(Vec::new())),
                ..AnnounceSuccess::default()
            })
        } else {
            failure(reason)
        };
        act.answer(Message::Announced(response));
    }

    /// Enters the announce and draws the peers of the answer, or says why not.
    fn accept(
        &mut self,
        request: &AnnounceRequest,
        transport: Transport,
        act: &mut Act,
    ) -> Result<Accepted, &'static str> {
        let torrent = request.info_hash;
        let most = self.config().most_members;
        let listed = self.config().whitelist.as_ref();
        if listed.is_some_and(|listed| !listed.contains(&torrent)) {
            return Err("this torrent is not tracked here");
        }
        if request.port == 0 {
            return Err("port 0 cannot be connected to");
        }
        let asker = SocketAddr::new(act.from.ip(), request.port);
        let leaves = request.event == AnnounceEvent::Stopped;
        let known = self.swarms.get(&torrent);
        let crowded = known.map_or(self.swarms.len() >= most, |swarm| {
            swarm.members.len() >= most && !swarm.members.contains_key(&asker)
        });
        if crowded && !leaves {
            return Err("too many peers");
        }
        if leaves && known.is_none() {
            return Ok(Accepted {
                peers: Vec::new(),
                seeders: 0,
                leechers: 0,
            });
        }
        let mutant = self.config().mutant;
        self.swarms
            .entry(torrent)
            .or_default()
            .enter(asker, request, mutant);
        self.watch_expiry(torrent, asker, leaves, act);
        let peers = if leaves {
            Vec::new()
        } else {
            self.draw(asker, request, transport, act)
        };
        let (seeders, leechers) = self.counts(&torrent);
        Ok(Accepted {
            peers,
            seeders,
            leechers,
        })
    }

    fn watch_expiry(&self, torrent: InfoHash, peer: SocketAddr, leaves: bool, act: &mut Act) {
        let timer = TrackerTimer::Expiry(torrent, peer);
        if let Some(after) = self.config().expiry {
            act.out.push(if leaves {
                Output::CancelTimer(timer)
            } else {
                Output::SetTimer { timer, after }
            });
        }
    }

    /// Seeders and leechers.
    fn counts(&self, torrent: &InfoHash) -> (u32, u32) {
        let counts = self.swarms.get(torrent).map_or((0, 0), Swarm::counts);
        if self.is(Mutant::SwapsCounts) {
            (counts.1, counts.0)
        } else {
            counts
        }
    }

    /// Peers of the torrent other than the one that asks: all, or as many as wanted at random.
    fn draw(
        &self,
        asker: SocketAddr,
        request: &AnnounceRequest,
        transport: Transport,
        act: &mut Act,
    ) -> Vec<(SocketAddr, PeerId)> {
        let mixes = self.is(Mutant::MixesTorrents);
        let swarms = self.swarms.iter();
        let swarms = swarms.filter(|(torrent, _)| **torrent == request.info_hash || mixes);
        // A datagram has room for the addresses of its own family only (BEP 15).
        let fits =
            |peer: &SocketAddr| transport == Transport::Http || peer.is_ipv4() == asker.is_ipv4();
        let mut peers: Vec<_> = swarms
            .flat_map(|(_, swarm)| swarm.listed(self.is(Mutant::ReturnsStopped)))
            .filter(|(peer, _)| *peer != asker && fits(peer))
            .collect();
        let wanted = request
            .numwant
            .map_or(self.config().usual_peers, |wanted| wanted as usize);
        let mut wanted = wanted.min(self.config().most_peers);
        if self.is(Mutant::NoPeers) {
            wanted = 0;
        } else if self.is(Mutant::OnePeer) {
            wanted = wanted.min(1);
        } else if self.is(Mutant::IgnoresNumwant) {
            wanted = peers.len();
        }
        if wanted < peers.len() {
            // The first places are drawn one by one; the rest is left out.
            for place in 0..wanted {
                let other = place + act.choose.choose(peers.len() - place);
                peers.swap(place, other);
            }
            peers.truncate(wanted);
        }
        self.garbled(peers, request)
    }

    /// The peers as a mutant lists them.
    fn garbled(
        &self,
        mut peers: Vec<(SocketAddr, PeerId)>,
        request: &AnnounceRequest,
    ) -> Vec<(SocketAddr, PeerId)> {
        for (peer, name) in &mut peers {
            if self.is(Mutant::WrongPorts) {
                peer.set_port(peer.port().wrapping_add(1));
            }
            if self.is(Mutant::WrongNames) {
                *name = request.peer_id;
            }
        }
        if self.is(Mutant::ListsTwice) {
            peers.extend(peers.clone());
        }
        peers
    }

    fn success(&self, request: &AnnounceRequest, accepted: Accepted) -> AnnounceSuccess {
        let mut success = AnnounceSuccess {
            interval: self.interval(),
            min_interval: self.config().min_interval,
            complete: Some(accepted.seeders),
            incomplete: Some(accepted.leechers),
            ..AnnounceSuccess::default()
        };
        if request.compact == Some(false) {
            let nameless = request.no_peer_id == Some(true);
            let dictionary = |(peer, name): (SocketAddr, _)| TrackerPeer {
                peer_id: (!nameless).then_some(name),
                ip: peer.ip().to_string().into_bytes(),
                port: peer.port(),
            };
            let peers = accepted.peers.into_iter().map(dictionary).collect();
            success.peers = Some(Peers::Dictionaries(peers));
            return success;
        }
        let (mut four, mut six) = (Vec::new(), Vec::new());
        for (peer, _) in accepted.peers {
            match peer {
                SocketAddr::V4(peer) => four.push(peer),
                SocketAddr::V6(peer) => six.push(peer),
            }
        }
        success.peers = Some(Peers::Compact(four));
        success.peers6 = (!six.is_empty()).then_some(six);
        success
    }

    fn interval(&self) -> u32 {
        if self.is(Mutant::NoInterval) {
            0
        } else {
            self.config().interval
        }
    }

    fn on_scrape(&mut self, request: &ScrapeRequest, act: &mut Act) {
        let asked: Vec<InfoHash> = if request.info_hashes.is_empty() {
            self.swarms.keys().copied().collect()
        } else {
            request.info_hashes.clone()
        };
        let entry = |torrent: &InfoHash| Some((*torrent, self.entry(torrent)?));
        let (known, mut entries): (Vec<InfoHash>, Vec<ScrapeEntry>) =
            asked.iter().filter_map(entry).unzip();
        if self.is(Mutant::ScrapeOutOfOrder) {
            entries.reverse();
        }
        let files = known.into_iter().zip(entries).collect();
        act.answer(Message::Scraped(ScrapeResponse::Files(files)));
    }

    /// What a scrape says of a torrent; nothing when nobody announced it.
    fn entry(&self, torrent: &InfoHash) -> Option<ScrapeEntry> {
        let (complete, incomplete) = self.counts(torrent);
        match self.swarms.get(torrent) {
            Some(swarm) => Some(ScrapeEntry {
                complete,
                downloaded: swarm.downloaded,
                incomplete,
            }),
            None if self.is(Mutant::ScrapeInvents) => Some(ScrapeEntry {
                complete: 1,
                downloaded: 1,
                incomplete: 1,
            }),
            None => None,
        }
    }
}

fn failure(reason: &str) -> AnnounceResponse {
    AnnounceResponse::Failure(TrackerFailure {
        reason: reason.as_bytes().to_vec(),
        retry_in: None,
    })
}

#[cfg(test)]
mod tests;

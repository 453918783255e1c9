//! What an outside observer knows of a tracker, from what it was asked and what it answered.
//!
//! The observer keeps its own books of who announced what. A tracker answers each request by itself, so a moment
//! is one whole exchange: a question, where it came from, and the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::message::{
    AnnounceEvent, AnnounceRequest, AnnounceResponse, InfoHash, PeerId, Peers, ScrapeRequest,
    ScrapeResponse, UdpRequest, UdpResponse,
};
use super::wire::WireError;
use crate::property::{Judgement, Property};

/// What a tracker is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// An announce over HTTP.
    Announce(AnnounceRequest),
    /// A scrape over HTTP.
    Scrape(ScrapeRequest),
    /// An announce over HTTP that lacks something or garbles it; the text says what.
    MalformedAnnounce(&'static str),
    /// Anything else over HTTP, to which every answer is right; the text says what.
    Other(&'static str),
    /// A request over UDP.
    Datagram(UdpRequest),
    /// A datagram that is no request; the text says why.
    MalformedDatagram(&'static str),
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// To an announce over HTTP.
    Announced(AnnounceResponse),
    /// To a scrape over HTTP.
    Scraped(ScrapeResponse),
    /// An HTTP status with a body that no tracker sends, or, to a question that is no request of trackers, any body.
    Status(u16),
    /// Over UDP.
    Reply(UdpResponse),
    /// A body or a datagram that no decoder accepts.
    Malformed(WireError),
    /// Bytes that are no HTTP response.
    NotHttp(String),
    /// The connection ended without an answer.
    Closed,
    /// Nothing, for as long as the observer waited.
    Nothing,
}

/// In words, as the object of `got`.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Announced(AnnounceResponse::Failure(failure))
            | Self::Scraped(ScrapeResponse::Failure(failure)) => {
                format!("a refusal: {}", failure.reason.escape_ascii())
            }
            Self::Announced(_) => "an answer to an announce".to_owned(),
            Self::Scraped(_) => "an answer to a scrape".to_owned(),
            Self::Status(status) => format!("the HTTP status {status}"),
            Self::Reply(UdpResponse::Error { message, .. }) => {
                format!("an error: {}", message.escape_ascii())
            }
            Self::Reply(UdpResponse::Connect { .. }) => "a connect reply".to_owned(),
            Self::Reply(UdpResponse::Announce { .. }) => "an announce reply".to_owned(),
            Self::Reply(UdpResponse::Scrape { .. }) => "a scrape reply".to_owned(),
            Self::Malformed(error) => format!("an answer that does not decode: {error}"),
            Self::NotHttp(why) => format!("no HTTP response: {why}"),
            Self::Closed => "the connection was closed without an answer".to_owned(),
            Self::Nothing => "no answer".to_owned(),
        };
        f.write_str(&text)
    }
}

/// One question with its answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exchange {
    /// Where the question came from.
    pub from: SocketAddr,
    /// The question.
    pub question: Question,
    /// The answer.
    pub answer: Answer,
    /// Where the answer departs from canonical bencoding, if it does.
    pub departure: Option<String>,
}

/// A peer of a swarm, as it announced itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// Its name.
    pub peer_id: PeerId,
    /// Bytes it still lacks.
    pub left: u64,
    /// The address that it gave for itself, which the tracker may believe or not.
    pub claimed: Option<SocketAddr>,
}

/// The books of one torrent. Peers go by the address they announced from, with the port they announced.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Swarm {
    /// Peers that announced and have not left.
    pub members: BTreeMap<SocketAddr, Member>,
    /// Peers that left, under every address they went by.
    pub gone: BTreeSet<SocketAddr>,
    /// Peers that announced `completed`.
    pub completed: BTreeSet<SocketAddr>,
    /// What `downloaded` was before anybody announced `completed`, once it was seen.
    pub downloaded_before: Option<u32>,
    /// Hosts whose last announce the tracker may have taken or not.
    pub doubtful: BTreeSet<IpAddr>,
}

/// What the observer knows of the tracker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackerView {
    /// Whether nobody but the observer's own peers announces these torrents.
    pub secluded: bool,
    /// The torrents that were spoken of.
    pub swarms: BTreeMap<InfoHash, Swarm>,
    /// The connection ids that were given out, to whom, and how many whole seconds ago.
    pub connections: BTreeMap<(u64, SocketAddr), u32>,
}

/// A view and the next exchange: what a property judges.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TrackerMoment {
    /// What was known before.
    pub view: TrackerView,
    /// What is asked and answered now.
    pub now: Exchange,
}

/// The peers and counts of an accepted announce, whichever way it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Where it came from.
    pub from: SocketAddr,
    /// What was announced.
    pub request: AnnounceRequest,
    /// Seconds until the next one.
    pub interval: u32,
    /// Seeders, where the tracker says.
    pub seeders: Option<u32>,
    /// Leechers, where the tracker says.
    pub leechers: Option<u32>,
    /// The peers whose addresses are numbers, with their names where the tracker says.
    pub peers: Vec<(SocketAddr, Option<PeerId>)>,
    /// How many peers are listed in all.
    pub listed: usize,
}

/// What the books say of a listed address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It announced and has not left.
    Live,
    /// It left.
    Gone,
    /// The tracker may have taken its announce or not.
    Doubtful,
    /// It never announced.
    Stranger,
}

impl Swarm {
    /// Seeders and leechers.
    pub fn counts(&self) -> (u32, u32) {
        let seeders = self
            .members
            .values()
            .filter(|member| member.left == 0)
            .count() as u32;
        (seeders, self.members.len() as u32 - seeders)
    }

    /// What is known of an address.
    pub fn standing(&self, address: SocketAddr) -> Standing {
        let claims = |member: &Member| member.claimed == Some(address);
        if self.members.contains_key(&address) || self.members.values().any(claims) {
            Standing::Live
        } else if self.doubtful.contains(&address.ip()) {
            Standing::Doubtful
        } else if self.gone.contains(&address) {
            Standing::Gone
        } else {
            Standing::Stranger
        }
    }

    /// Enters an announce that the tracker took.
    fn enter(&mut self, from: IpAddr, request: &AnnounceRequest) {
        let address = SocketAddr::new(from, request.port);
        let claimed = claimed(request);
        self.doubtful.remove(&from);
        match request.event {
            AnnounceEvent::Stopped => {
                let before = self
                    .members
                    .remove(&address)
                    .and_then(|member| member.claimed);
                self.gone
                    .extend([Some(address), claimed, before].into_iter().flatten());
            }
            _ => {
                for known in [Some(address), claimed].into_iter().flatten() {
                    self.gone.remove(&known);
                }
                let (peer_id, left) = (request.peer_id, request.left);
                self.members.insert(
                    address,
                    Member {
                        peer_id,
                        left,
                        claimed,
                    },
                );
            }
        }
        if request.event == AnnounceEvent::Completed {
            self.completed.insert(address);
        }
    }

    /// Enters what a scrape said of completed downloads.
    fn see_downloaded(&mut self, downloaded: u32) {
        if self.completed.is_empty() {
            self.downloaded_before.get_or_insert(downloaded);
        }
    }
}

/// The address that a peer gives for itself, if it is a number.
fn claimed(request: &AnnounceRequest) -> Option<SocketAddr> {
    let text = str::from_utf8(request.ip.as_deref()?).ok()?;
    Some(SocketAddr::new(text.parse().ok()?, request.port))
}

impl Exchange {
    /// The announce, whichever way it came, with its connection id over UDP.
    pub fn announce(&self) -> Option<(AnnounceRequest, Option<u64>)> {
        match &self.question {
            Question::Announce(request) => Some((request.clone(), None)),
            Question::Datagram(UdpRequest::Announce(announce)) => {
                Some((announce.into(), Some(announce.connection_id)))
            }
            _ => None,
        }
    }

    /// What was said to an accepted announce.
    pub fn accepted(&self) -> Option<Accepted> {
        let (request, _) = self.announce()?;
        let from = self.from;
        match &self.answer {
            Answer::Announced(AnnounceResponse::Success(success)) => {
                let v4 = listed(success.peers.as_ref());
                let v6 = success.peers6.iter().flatten();
                let v6 = v6.map(|peer| Some((SocketAddr::V6(*peer), None)));
                let all: Vec<_> = v4.into_iter().chain(v6).collect();
                Some(Accepted {
                    from,
                    request,
                    interval: success.interval,
                    seeders: success.complete,
                    leechers: success.incomplete,
                    listed: all.len(),
                    peers: all.into_iter().flatten().collect(),
                })
            }
            Answer::Reply(UdpResponse::Announce {
                interval,
                leechers,
                seeders,
                peers,
                ..
            }) => Some(Accepted {
                from,
                request,
                interval: *interval,
                seeders: Some(*seeders),
                leechers: Some(*leechers),
                listed: peers.len(),
                peers: peers.iter().map(|peer| (*peer, None)).collect(),
            }),
            _ => None,
        }
    }

    /// Whether the tracker said no.
    pub fn refused(&self) -> bool {
        matches!(
            &self.answer,
            Answer::Announced(AnnounceResponse::Failure(_))
                | Answer::Scraped(ScrapeResponse::Failure(_))
                | Answer::Status(400..)
                | Answer::Reply(UdpResponse::Error { .. })
        )
    }
}

/// The listed peers; `None` for one that goes by a name.
fn listed(peers: Option<&Peers>) -> Vec<Option<(SocketAddr, Option<PeerId>)>> {
    match peers {
        None => Vec::new(),
        Some(Peers::Compact(peers)) => peers
            .iter()
            .map(|peer| Some((SocketAddr::V4(*peer), None)))
            .collect(),
        Some(Peers::Dictionaries(peers)) => peers
            .iter()
            .map(|peer| {
                let ip: IpAddr = str::from_utf8(&peer.ip).ok()?.parse().ok()?;
                Some((SocketAddr::new(ip.to_canonical(), peer.port), peer.peer_id))
            })
            .collect(),
    }
}

impl TrackerView {
    /// Nothing is known yet.
    pub fn new(secluded: bool) -> Self {
        Self {
            secluded,
            swarms: BTreeMap::new(),
            connections: BTreeMap::new(),
        }
    }

    /// Whether the id was given to the host that now uses it; `None` when the id went to another port of the host.
    pub fn holds(&self, id: u64, user: SocketAddr) -> Option<bool> {
        if self.connections.contains_key(&(id, user)) {
            return Some(true);
        }
        let host = user.ip();
        let mut holders = self.holders(id);
        if holders.any(|holder| holder.ip() == host) {
            None
        } else {
            Some(false)
        }
    }

    /// Whoever the id was given to.
    pub fn holders(&self, id: u64) -> impl Iterator<Item = SocketAddr> + '_ {
        let given = self.connections.keys();
        given
            .filter(move |(other, _)| *other == id)
            .map(|(_, holder)| *holder)
    }

    /// How many seconds ago the id was given to that user, if it was.
    pub fn age(&self, id: u64, user: SocketAddr) -> Option<u32> {
        self.connections.get(&(id, user)).copied()
    }

    /// Time passes.
    pub fn elapse(&mut self, seconds: u32) {
        for age in self.connections.values_mut() {
            *age = age.saturating_add(seconds);
        }
    }

    /// Enters an exchange.
    pub fn apply(&mut self, now: &Exchange) {
        if let Some((request, id)) = now.announce() {
            let foreign = id.is_some_and(|id| self.holds(id, now.from) == Some(false));
            self.enter_announce(now, &request, foreign);
        }
        match (&now.question, &now.answer) {
            (Question::Scrape(_), Answer::Scraped(ScrapeResponse::Files(files))) => {
                for (info_hash, entry) in files {
                    self.swarms
                        .entry(*info_hash)
                        .or_default()
                        .see_downloaded(entry.downloaded);
                }
            }
            (
                Question::Datagram(UdpRequest::Scrape { info_hashes, .. }),
                Answer::Reply(UdpResponse::Scrape { entries, .. }),
            ) => {
                for (info_hash, entry) in info_hashes.iter().zip(entries) {
                    self.swarms
                        .entry(*info_hash)
                        .or_default()
                        .see_downloaded(entry.completed);
                }
            }
            (
                Question::Datagram(UdpRequest::Connect { .. }),
                Answer::Reply(UdpResponse::Connect { connection_id, .. }),
            ) => {
                self.connections.insert((*connection_id, now.from), 0);
            }
            (Question::MalformedAnnounce(_), _) => {
                for swarm in self.swarms.values_mut() {
                    swarm.doubtful.insert(now.from.ip());
                }
            }
            _ => {}
        }
    }

    fn enter_announce(&mut self, now: &Exchange, request: &AnnounceRequest, foreign: bool) {
        let swarm = self.swarms.entry(request.info_hash).or_default();
        let from = now.from.ip();
        if now.accepted().is_some() && !foreign {
            swarm.enter(from, request);
            return;
        }
        let ignored = foreign && now.answer == Answer::Nothing;
        if !ignored && !now.refused() {
            swarm.doubtful.insert(from);
        }
    }
}

/// An observer of a tracker, with questions.
#[derive(Clone, Debug)]
pub struct TrackerWatch {
    view: TrackerView,
    asked: Vec<(&'static Property<TrackerMoment>, Judgement)>,
}

impl TrackerWatch {
    /// Asks `properties` about a tracker of which `view` is known.
    pub fn new(
        view: TrackerView,
        properties: impl IntoIterator<Item = &'static Property<TrackerMoment>>,
    ) -> Self {
        let asked = properties
            .into_iter()
            .map(|property| (property, Judgement::Unknown));
        Self {
            view,
            asked: asked.collect(),
        }
    }

    /// What is known.
    pub fn view(&self) -> &TrackerView {
        &self.view
    }

    /// Time passes.
    pub fn elapse(&mut self, seconds: u32) {
        self.view.elapse(seconds);
    }

    /// Sees an exchange.
    pub fn observe(&mut self, now: Exchange) {
        let mut moment = TrackerMoment {
            view: self.view.clone(),
            now,
        };
        for (property, known) in &mut self.asked {
            let new = (property.judge)(&moment);
            *known = std::mem::replace(known, Judgement::Unknown).and_then(new);
        }
        moment.view.apply(&moment.now);
        self.view = moment.view;
    }

    /// Whether any question found something to judge.
    pub fn was_put_to_the_test(&self) -> bool {
        let mut judgements = self.asked.iter().map(|(_, judgement)| judgement);
        judgements.any(|judgement| *judgement != Judgement::Unknown)
    }

    /// What the property of that name says of everything seen so far; `Unknown` when it was not asked.
    pub fn judgement(&self, name: &str) -> Judgement {
        let found = self
            .asked
            .iter()
            .find(|(property, _)| property.name == name);
        found.map_or(Judgement::Unknown, |(_, judgement)| judgement.clone())
    }
}

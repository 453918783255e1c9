//! Between peer and tracker: over HTTP (BEP 3, 7, 23, 24, 31, 48) and over UDP (BEP 15, 41).

use super::{InfoHash, PeerId};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Why a peer announces.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnnounceEvent {
    /// No event, or an empty one: an announce at the regular interval.
    #[default]
    Regular,
    /// The download starts.
    Started,
    /// The download has completed; never sent when it was complete at the start.
    Completed,
    /// The peer leaves.
    Stopped,
    /// The peer is a partial seed (BEP 21).
    Paused,
    /// Any other word.
    Other(Vec<u8>),
}

/// An announce over HTTP: the parameters of the GET request.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnnounceRequest {
    /// The torrent.
    pub info_hash: InfoHash,
    /// The peer.
    pub peer_id: PeerId,
    /// The port it listens on.
    pub port: u16,
    /// Bytes uploaded since `started`.
    pub uploaded: u64,
    /// Bytes downloaded since `started`.
    pub downloaded: u64,
    /// Bytes still missing.
    pub left: u64,
    /// Why it announces.
    pub event: AnnounceEvent,
    /// Address or name the peer gives for itself.
    pub ip: Option<Vec<u8>>,
    /// How many peers it would like.
    pub numwant: Option<u32>,
    /// A secret by which the tracker knows the peer again when its address changes.
    pub key: Option<Vec<u8>>,
    /// Whether it wants the compact form (BEP 23).
    pub compact: Option<bool>,
    /// Whether peer ids may be left out of the reply.
    pub no_peer_id: Option<bool>,
    /// The `tracker id` of an earlier reply.
    pub trackerid: Option<Vec<u8>>,
    /// Parameters not named above, in the order of the request.
    pub other: Vec<(Vec<u8>, Vec<u8>)>,
}

/// When a failed announce may be repeated (BEP 31).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RetryIn {
    /// After this many minutes.
    Minutes(u32),
    /// Not at all.
    Never,
}

/// A tracker's refusal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackerFailure {
    /// `failure reason`, for people.
    pub reason: Vec<u8>,
    /// `retry in`.
    pub retry_in: Option<RetryIn>,
}

/// A peer in the dictionary form of a reply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackerPeer {
    /// `peer id`; left out when the request had `no_peer_id`.
    pub peer_id: Option<PeerId>,
    /// `ip`: IPv4 in dotted form, IPv6 in hexadecimal form, or a DNS name.
    pub ip: Vec<u8>,
    /// `port`
    pub port: u16,
}

/// The value of `peers` in a reply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Peers {
    /// A string of six bytes for each peer (BEP 23).
    Compact(Vec<SocketAddrV4>),
    /// A list of dictionaries (BEP 3).
    Dictionaries(Vec<TrackerPeer>),
}

/// A tracker's answer to an announce over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnnounceResponse {
    /// Refused; nothing else in the reply may be used.
    Failure(TrackerFailure),
    /// Accepted.
    Success(AnnounceSuccess),
}

/// The answer to an accepted announce. At least one of `peers` and `peers6` is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnnounceSuccess {
    /// Seconds until the next regular announce.
    pub interval: u32,
    /// Seconds that must pass before another announce.
    pub min_interval: Option<u32>,
    /// To be sent back as `trackerid`.
    pub tracker_id: Option<Vec<u8>>,
    /// Seeders.
    pub complete: Option<u32>,
    /// Leechers.
    pub incomplete: Option<u32>,
    /// Downloads completed so far.
    pub downloaded: Option<u32>,
    /// The address the request came from (BEP 24).
    pub external_ip: Option<IpAddr>,
    /// For people; the announce was accepted nevertheless.
    pub warning: Option<Vec<u8>>,
    /// IPv4 peers, or peers in dictionary form.
    pub peers: Option<Peers>,
    /// IPv6 peers in compact form (BEP 7).
    pub peers6: Option<Vec<SocketAddrV6>>,
}

/// A scrape over HTTP (BEP 48). No info hash asks for every torrent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScrapeRequest {
    /// The torrents, in the order of the request.
    pub info_hashes: Vec<InfoHash>,
}

/// What a tracker knows about a torrent (BEP 48).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScrapeEntry {
    /// Seeders.
    pub complete: u32,
    /// Downloads completed so far.
    pub downloaded: u32,
    /// Leechers.
    pub incomplete: u32,
}

/// A tracker's answer to a scrape over HTTP (BEP 48).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScrapeResponse {
    /// Refused.
    Failure(TrackerFailure),
    /// `files`: the torrents the tracker knows.
    Files(BTreeMap<InfoHash, ScrapeEntry>),
}

/// An announce over UDP (BEP 15).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UdpAnnounce {
    /// From the reply to connect.
    pub connection_id: u64,
    /// Echoed by the reply.
    pub transaction_id: u32,
    /// The torrent.
    pub info_hash: InfoHash,
    /// The peer.
    pub peer_id: PeerId,
    /// Bytes downloaded since `started`.
    pub downloaded: u64,
    /// Bytes still missing.
    pub left: u64,
    /// Bytes uploaded since `started`.
    pub uploaded: u64,
    /// Why it announces: never `Paused` or `Other`, which UDP cannot say.
    pub event: AnnounceEvent,
    /// The peer's address; unspecified stands for the packet's source.
    pub ip: Ipv4Addr,
    /// A secret by which the tracker knows the peer again when its address changes.
    pub key: u32,
    /// How many peers it would like; -1 leaves it to the tracker.
    pub num_want: i32,
    /// The port it listens on.
    pub port: u16,
    /// Options (BEP 41): path and query of the tracker's URL, joined from all parts.
    pub url_data: Option<Vec<u8>>,
}

/// A datagram to a tracker (BEP 15).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UdpRequest {
    /// Action 0: asks for a connection id.
    Connect {
        /// Echoed by the reply.
        transaction_id: u32,
    },
    /// Action 1.
    Announce(UdpAnnounce),
    /// Action 2.
    Scrape {
        /// From the reply to connect.
        connection_id: u64,
        /// Echoed by the reply.
        transaction_id: u32,
        /// The torrents, about 74 at most.
        info_hashes: Vec<InfoHash>,
    },
}

/// What a tracker knows about a torrent, in the order of BEP 15.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UdpScrapeEntry {
    /// Peers that have everything.
    pub seeders: u32,
    /// Downloads completed so far.
    pub completed: u32,
    /// Peers that lack something.
    pub leechers: u32,
}

/// A datagram from a tracker (BEP 15).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UdpResponse {
    /// Action 0.
    Connect {
        /// That of the request.
        transaction_id: u32,
        /// To be used for up to one minute.
        connection_id: u64,
    },
    /// Action 1.
    Announce {
        /// That of the request.
        transaction_id: u32,
        /// Seconds until the next regular announce.
        interval: u32,
        /// Peers that lack something.
        leechers: u32,
        /// Peers that have everything.
        seeders: u32,
        /// All IPv4, or all IPv6 if the datagram came over IPv6.
        peers: Vec<SocketAddr>,
    },
    /// Action 2.
    Scrape {
        /// That of the request.
        transaction_id: u32,
        /// One for each info hash of the request, in its order.
        entries: Vec<UdpScrapeEntry>,
    },
    /// Action 3.
    Error {
        /// That of the request.
        transaction_id: u32,
        /// For people.
        message: Vec<u8>,
    },
}

impl UdpRequest {
    /// The number that the reply echoes.
    pub fn transaction_id(&self) -> u32 {
        match self {
            Self::Connect { transaction_id } | Self::Scrape { transaction_id, .. } => {
                *transaction_id
            }
            Self::Announce(announce) => announce.transaction_id,
        }
    }
}

impl UdpResponse {
    /// The number of the request that this answers.
    pub fn transaction_id(&self) -> u32 {
        match self {
            Self::Connect { transaction_id, .. }
            | Self::Announce { transaction_id, .. }
            | Self::Scrape { transaction_id, .. }
            | Self::Error { transaction_id, .. } => *transaction_id,
        }
    }
}

/// A tracker treats both ways to announce alike. Zero address, key and negative wish are absent parameters.
impl From<&UdpAnnounce> for AnnounceRequest {
    fn from(announce: &UdpAnnounce) -> Self {
        Self {
            info_hash: announce.info_hash,
            peer_id: announce.peer_id,
            port: announce.port,
            uploaded: announce.uploaded,
            downloaded: announce.downloaded,
            left: announce.left,
            event: announce.event.clone(),
            ip: (!announce.ip.is_unspecified()).then(|| announce.ip.to_string().into_bytes()),
            numwant: u32::try_from(announce.num_want).ok(),
            key: (announce.key != 0).then(|| format!("{:08x}", announce.key).into_bytes()),
            compact: Some(true),
            no_peer_id: None,
            trackerid: None,
            other: Vec::new(),
        }
    }
}

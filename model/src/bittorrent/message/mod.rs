//! The messages of BitTorrent as values; `wire` has their bytes.
//!
//! Every type is ordered and hashable, because messages in flight are part of a checked state.

mod extension;
mod peer;
mod tracker;

pub use extension::{ExtensionHandshake, MetadataMessage, PexMessage, PexPeer};
pub use peer::{BlockRequest, Handshake, InfoHash, PeerId, PeerMessage, Reserved};
pub use tracker::{
    AnnounceEvent, AnnounceRequest, AnnounceResponse, AnnounceSuccess, Peers, RetryIn, ScrapeEntry,
    ScrapeRequest, ScrapeResponse, TrackerFailure, TrackerPeer, UdpAnnounce, UdpRequest,
    UdpResponse, UdpScrapeEntry,
};

//! What peers and trackers say, whatever the transport.

use crate::bittorrent::message::{
    AnnounceRequest, AnnounceResponse, ScrapeRequest, ScrapeResponse, UdpRequest, UdpResponse,
};
use crate::bittorrent::view::Frame;

/// A message of the system: between peers, or between a peer and a tracker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// Between peers.
    Frame(Frame),
    /// To a tracker over HTTP: a peer announces itself.
    Announce(AnnounceRequest),
    /// From a tracker over HTTP: the answer to an announce.
    Announced(AnnounceResponse),
    /// To a tracker over HTTP: asks for counts.
    Scrape(ScrapeRequest),
    /// From a tracker over HTTP: the answer to a scrape.
    Scraped(ScrapeResponse),
    /// To a tracker over UDP.
    Datagram(UdpRequest),
    /// From a tracker over UDP.
    Reply(UdpResponse),
    /// To a tracker over HTTP: a request that no decoder accepts; the text is the decoder's reason.
    Malformed(String),
}

//! A peer that the kit plays, and what it says next.

use std::net::IpAddr;

use peerproof_model::bittorrent::message::{AnnounceEvent, AnnounceRequest, InfoHash};

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

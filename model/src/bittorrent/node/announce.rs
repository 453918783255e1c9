//! What a peer says to its tracker, and what it does about the answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Act, Address, Event, Message, Peer, Timer};
use crate::bittorrent::message::{
    AnnounceEvent, AnnounceRequest, AnnounceResponse, AnnounceSuccess, PeerId, Peers,
};
use crate::bittorrent::mutant::Mutant;
use crate::node::Output;

impl Peer {
    /// Bytes that are not verified yet.
    pub fn left(&self) -> u64 {
        let torrent = &self.config().torrent;
        self.have
            .missing()
            .map(|piece| u64::from(torrent.piece_len(piece)))
            .sum()
    }

    pub(super) fn announce(&mut self, event: AnnounceEvent, act: &mut Act) {
        let Some(to) = self.config().tracker else {
            return;
        };
        let silent = match event {
            AnnounceEvent::Started => self.is(Mutant::NeverStarted),
            AnnounceEvent::Stopped => self.is(Mutant::NeverStopped),
            _ => false,
        };
        if silent && event == AnnounceEvent::Stopped {
            return;
        }
        let said = if silent {
            AnnounceEvent::Regular
        } else {
            event.clone()
        };
        let message = Message::Announce(self.announcement(said));
        act.out.push(Output::Send { to, message });
        if event != AnnounceEvent::Stopped {
            self.pending = event;
            act.set(Timer::Announce, self.config().timing.announce);
        }
    }

    fn announcement(&self, event: AnnounceEvent) -> AnnounceRequest {
        let config = self.config();
        let total = config.torrent.metainfo.total_len();
        let port = if self.is(Mutant::WrongPort) {
            0
        } else {
            config.listen_port
        };
        AnnounceRequest {
            info_hash: config.torrent.metainfo.info_hash(),
            peer_id: config.peer_id,
            port,
            uploaded: self.uploaded,
            downloaded: self.downloaded,
            left: if self.is(Mutant::WrongLeft) {
                total - self.left()
            } else {
                self.left()
            },
            event,
            numwant: config.numwant,
            compact: Some(true),
            trackerid: self.tracker_id.clone(),
            ..AnnounceRequest::default()
        }
    }

    pub(super) fn on_announce_due(&mut self, act: &mut Act) {
        // An event that the tracker has not confirmed is said again.
        let event = self.pending.clone();
        self.announce(event, act);
    }

    pub(super) fn on_announced(&mut self, response: AnnounceResponse, act: &mut Act) {
        match response {
            AnnounceResponse::Failure(failure) => act.tell(Event::Refused(failure.reason)),
            AnnounceResponse::Success(success) => {
                self.pending = AnnounceEvent::Regular;
                if let Some(id) = &success.tracker_id {
                    self.tracker_id = Some(id.clone());
                }
                // An interval of nothing would make the peer announce without pause.
                let seconds = u64::from(success.interval.max(1));
                act.set(Timer::Announce, Duration::from_secs(seconds));
                self.dial_new(&success, act);
            }
        }
    }

    fn dial_new(&mut self, success: &AnnounceSuccess, act: &mut Act) {
        for (address, peer_id) in offered(success) {
            let config = self.config();
            let full = self.links.len() + self.dialling.len() >= config.most_links;
            let known = self.links.contains_key(&address)
                || self.dialling.contains_key(&address)
                || self.banned.contains(&address);
            let own = config.address == Some(address) || peer_id == Some(config.peer_id);
            if !full && !known && !own && address.port() != 0 && config.tracker != Some(address) {
                self.dial(address, peer_id, act);
            }
        }
    }
}

/// The peers of an answer that can be dialled.
fn offered(success: &AnnounceSuccess) -> Vec<(Address, Option<PeerId>)> {
    let mut peers: Vec<(Address, Option<PeerId>)> = match &success.peers {
        Some(Peers::Compact(peers)) => peers
            .iter()
            .map(|peer| (SocketAddr::V4(*peer), None))
            .collect(),
        Some(Peers::Dictionaries(peers)) => peers
            .iter()
            .filter_map(|peer| {
                let ip: IpAddr = std::str::from_utf8(&peer.ip).ok()?.parse().ok()?;
                Some((SocketAddr::new(ip, peer.port), peer.peer_id))
            })
            .collect(),
        None => Vec::new(),
    };
    let six = success.peers6.iter().flatten();
    peers.extend(six.map(|peer| (SocketAddr::V6(*peer), None)));
    peers
}

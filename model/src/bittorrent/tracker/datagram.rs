//! Questions over UDP (BEP 15).

use std::net::SocketAddr;

use super::{Act, Tracker, TrackerTimer, Transport};
use crate::bittorrent::message::{
    AnnounceRequest, InfoHash, UdpAnnounce, UdpRequest, UdpResponse, UdpScrapeEntry,
};
use crate::bittorrent::mutant::Mutant;
use crate::node::Output;

impl Tracker {
    pub(super) fn on_datagram(&mut self, request: &UdpRequest, act: &mut Act) {
        let transaction_id = request.transaction_id();
        let transaction_id = if self.is(Mutant::WrongTransaction) {
            !transaction_id
        } else {
            transaction_id
        };
        match request {
            UdpRequest::Connect { .. } => {
                let connection_id = self.secrets.issue(self.holder(act.from));
                if self.secrets.begin() {
                    let after = self.config().secret_life;
                    act.out.push(Output::SetTimer {
                        timer: TrackerTimer::Secret,
                        after,
                    });
                }
                act.reply(UdpResponse::Connect {
                    transaction_id,
                    connection_id,
                });
            }
            UdpRequest::Announce(announce) => {
                if self.admits(announce.connection_id, act.from) {
                    self.on_udp_announce(announce, transaction_id, act);
                }
            }
            UdpRequest::Scrape {
                connection_id,
                info_hashes,
                ..
            } => {
                if self.admits(*connection_id, act.from) {
                    let entries = self.udp_entries(info_hashes);
                    act.reply(UdpResponse::Scrape {
                        transaction_id,
                        entries,
                    });
                }
            }
        }
    }

    /// Whose connection id it is: that of a host, whatever its port.
    fn holder(&self, from: SocketAddr) -> std::net::IpAddr {
        if self.is(Mutant::SharedConnectionId) {
            return std::net::Ipv4Addr::UNSPECIFIED.into();
        }
        from.ip()
    }

    /// A request with a connection id that was not given to its sender is not answered: the sender may be forged.
    fn admits(&self, connection_id: u64, from: SocketAddr) -> bool {
        if self.is(Mutant::RefusesConnectionIds) {
            return false;
        }
        self.is(Mutant::AnyConnectionId) || self.secrets.accepts(connection_id, self.holder(from))
    }

    fn on_udp_announce(&mut self, announce: &UdpAnnounce, transaction_id: u32, act: &mut Act) {
        let request = AnnounceRequest::from(announce);
        let reply = match self.accept(&request, Transport::Udp, act) {
            Err(reason) => UdpResponse::Error {
                transaction_id,
                message: reason.as_bytes().to_vec(),
            },
            Ok(_) if self.is(Mutant::WrongAction) => UdpResponse::Scrape {
                transaction_id,
                entries: Vec::new(),
            },
            Ok(accepted) => UdpResponse::Announce {
                transaction_id,
                interval: self.interval(),
                leechers: accepted.leechers,
                seeders: accepted.seeders,
                peers: accepted.peers.into_iter().map(|(peer, _)| peer).collect(),
            },
        };
        act.reply(reply);
    }

    fn udp_entries(&self, torrents: &[InfoHash]) -> Vec<UdpScrapeEntry> {
        let entries = torrents.iter().map(|torrent| {
            let entry = self.entry(torrent).unwrap_or_default();
            UdpScrapeEntry {
                seeders: entry.complete,
                completed: entry.downloaded,
                leechers: entry.incomplete,
            }
        });
        if self.is(Mutant::ScrapeOutOfOrder) {
            entries.rev().collect()
        } else {
            entries.collect()
        }
    }
}

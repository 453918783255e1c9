//! Connects, announces and scrapes over UDP, and datagrams that no tracker should serve.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{UdpAnnounce, UdpRequest, UdpResponse};
use peerproof_model::bittorrent::tracker_view::{Answer, Exchange, Question};
use peerproof_model::bittorrent::wire::tracker_udp::{PROTOCOL_ID, encode_request};

use super::udp::UdpLine;
use super::{Peer, TrackerKit, reading};
use crate::case::Stop;

/// What follows the answer to a later question may still be an answer to an earlier one: so long the kit listens.
const GRACE: Duration = Duration::from_millis(50);

/// A socket of a peer with its connection id.
#[derive(Debug)]
pub(super) struct Line {
    line: UdpLine,
    id: Option<u64>,
    transactions: Vec<u32>,
}

impl TrackerKit {
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
            answer => Err(Stop::Silent(format!("the connect request got {answer}"))),
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
        let began = Instant::now();
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
        self.trusted(began, &exchange)?;
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
        let began = Instant::now();
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
        let exchange = reading::udp_exchange(from, Question::Datagram(connect), probed.as_deref());
        self.trusted(began, &exchange)?;
        self.observe(reading::udp_exchange(from, question, provoked.as_deref()));
        self.observe(exchange.clone());
        match exchange.answer {
            Answer::Reply(UdpResponse::Connect { connection_id, .. }) => {
                self.line(host)?.id = Some(connection_id);
                Ok(())
            }
            answer => Err(Stop::Silent(format!(
                "the connect request behind it got {answer}"
            ))),
        }
    }

    /// The bytes that open a connect request.
    pub(crate) fn connect_bytes(&mut self, protocol: Option<u64>) -> Vec<u8> {
        let id = protocol.unwrap_or(PROTOCOL_ID).to_be_bytes();
        [&id[..], &[0; 4], &self.transaction().to_be_bytes()].concat()
    }
}

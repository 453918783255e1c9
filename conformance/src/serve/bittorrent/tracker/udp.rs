//! The datagrams of the reference tracker.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use peerproof_model::bittorrent::message::{UdpRequest, UdpResponse};
use peerproof_model::bittorrent::node::Message;
use peerproof_model::bittorrent::wire::tracker_udp::{
    PROTOCOL_ID, decode_request, encode_response,
};

use super::Shared;
use super::breaks::WireBug;

/// Bytes of an announce without options.
const ANNOUNCE: usize = 98;
/// The most ids that the break with guessable ids gives out.
const GUESSABLE_IDS: usize = 4096;
/// After so long without a datagram the server looks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// Serves until the tracker stops.
pub(super) fn serve(socket: &UdpSocket, shared: &Shared) {
    let _ = socket.set_read_timeout(Some(LOOK));
    let mut buffer = vec![0; 64 << 10];
    while !shared.stopping.load(Ordering::SeqCst) {
        // An error is the end of the time, or word that an earlier answer found nobody.
        let Ok((count, from)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        if let Some(answer) = answer(&buffer[..count], from, shared) {
            // A client that has gone needs no answer.
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn answer(datagram: &[u8], from: SocketAddr, shared: &Shared) -> Option<Vec<u8>> {
    let datagram = mended(datagram, shared);
    let request = decode(&datagram, shared)?;
    let mut request = guessed(request, shared);
    if let UdpRequest::Announce(announce) = &mut request {
        shared.misread(&mut announce.event, &mut announce.left);
    }
    let reply = match shared.ask(from, Message::Datagram(request))? {
        Message::Reply(reply) => reply,
        _ => return None,
    };
    Some(garbled(reply, shared))
}

/// The request; options that are garbled do not spoil the announce before them.
fn decode(datagram: &[u8], shared: &Shared) -> Option<UdpRequest> {
    let (request, used) = match decode_request(datagram) {
        Ok(decoded) => decoded,
        Err(_) => decode_request(datagram.get(..ANNOUNCE)?).ok()?,
    };
    let options = matches!(&request, UdpRequest::Announce(_)) && datagram.len() > ANNOUNCE;
    if shared.is(WireBug::ExactLengths) && (used != datagram.len() || options) {
        return None;
    }
    Some(request)
}

/// The datagram as a careless tracker reads it.
fn mended(datagram: &[u8], shared: &Shared) -> Vec<u8> {
    let mut datagram = datagram.to_vec();
    if shared.is(WireBug::PadsShortPackets) {
        let action = datagram.get(8..12).map_or(0, |action| action[3]);
        let length = if action == 1 { ANNOUNCE } else { 16 };
        if datagram.is_empty() {
            datagram.extend_from_slice(&PROTOCOL_ID.to_be_bytes());
        }
        datagram.resize(datagram.len().max(length), 0);
    }
    if shared.is(WireBug::AnyProtocolId) && datagram.get(8..12) == Some(&[0; 4]) {
        datagram[..8].copy_from_slice(&PROTOCOL_ID.to_be_bytes());
    }
    if shared.is(WireBug::EveryActionAnnounces)
        && datagram.get(11).is_some_and(|action| *action > 3)
    {
        datagram[11] = 1;
    }
    datagram
}

/// With guessable ids, the request as it would be with the specification's id.
fn guessed(mut request: UdpRequest, shared: &Shared) -> UdpRequest {
    if !shared.is(WireBug::GuessableIds) {
        return request;
    }
    let given = shared
        .guessable
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let real = |id: &mut u64| {
        let place = usize::try_from(*id).ok();
        *id = place
            .and_then(|place| given.get(place))
            .copied()
            .unwrap_or_default();
    };
    match &mut request {
        UdpRequest::Announce(announce) => real(&mut announce.connection_id),
        UdpRequest::Scrape { connection_id, .. } => real(connection_id),
        UdpRequest::Connect { .. } => {}
    }
    request
}

/// The specification's id, hidden behind the number of those that were given before it.
fn hidden(id: u64, shared: &Shared) -> u64 {
    let mut given = shared
        .guessable
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    if given.len() < GUESSABLE_IDS {
        given.push(id);
    }
    given.len() as u64 - 1
}

/// The reply as a break writes it.
fn garbled(mut reply: UdpResponse, shared: &Shared) -> Vec<u8> {
    match &mut reply {
        UdpResponse::Connect { connection_id, .. } if shared.is(WireBug::GuessableIds) => {
            *connection_id = hidden(*connection_id, shared);
        }
        UdpResponse::Announce { peers, .. } if shared.is(WireBug::ZeroAddresses) => {
            for peer in peers {
                *peer = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, peer.port()).into();
            }
        }
        UdpResponse::Scrape { entries, .. } if shared.is(WireBug::ShortScrapes) => {
            entries.truncate(1);
        }
        _ => {}
    }
    let mut bytes = encode_response(&reply);
    if shared.is(WireBug::HalfReplies) && matches!(reply, UdpResponse::Announce { .. }) {
        bytes.truncate(8);
    }
    if shared.is(WireBug::ShortConnects) && matches!(reply, UdpResponse::Connect { .. }) {
        bytes.truncate(12);
    }
    bytes
}

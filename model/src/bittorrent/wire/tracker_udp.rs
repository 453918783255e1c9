//! Trackers over UDP (BEP 15) with the options of BEP 41.
//!
//! Longer packets than specified are valid (BEP 15), so the decoders return how many bytes they understood.

use super::bytes::Reader;
use super::{ErrorClass, WireError, compact};
use crate::bittorrent::message::{
    AnnounceEvent, InfoHash, PeerId, UdpAnnounce, UdpRequest, UdpResponse, UdpScrapeEntry,
};
use std::net::{Ipv4Addr, SocketAddr};

/// The number that opens every connect request.
pub const PROTOCOL_ID: u64 = 0x417_2710_1980;

const CONNECT: u32 = 0;
const ANNOUNCE: u32 = 1;
const SCRAPE: u32 = 2;
const ERROR: u32 = 3;

/// The IP version of the datagram, which decides the size of the peers in an announce reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// 6 bytes for each peer.
    V4,
    /// 18 bytes for each peer.
    V6,
}

/// Decodes a datagram to a tracker, and tells how many of its bytes the request takes.
pub fn decode_request(datagram: &[u8]) -> Result<(UdpRequest, usize), WireError> {
    let mut reader = Reader::new(datagram);
    let connection_id = reader.u64()?;
    let action = reader.u32()?;
    if action == CONNECT && connection_id != PROTOCOL_ID {
        return Err(WireError::new(ErrorClass::ProtocolId, 0));
    }
    let transaction_id = reader.u32()?;
    let request = match action {
        CONNECT => UdpRequest::Connect { transaction_id },
        ANNOUNCE => UdpRequest::Announce(announce(connection_id, transaction_id, &mut reader)?),
        SCRAPE => {
            let (hashes, rest) = reader.rest().as_chunks::<20>();
            let info_hashes = hashes.iter().copied().map(InfoHash).collect();
            let request = UdpRequest::Scrape {
                connection_id,
                transaction_id,
                info_hashes,
            };
            return Ok((request, datagram.len() - rest.len()));
        }
        _ => return Err(WireError::new(ErrorClass::Action, 8)),
    };
    Ok((request, reader.offset()))
}

fn announce(
    connection_id: u64,
    transaction_id: u32,
    reader: &mut Reader<'_>,
) -> Result<UdpAnnounce, WireError> {
    let mut announce = UdpAnnounce {
        connection_id,
        transaction_id,
        info_hash: InfoHash(reader.array()?),
        peer_id: PeerId(reader.array()?),
        downloaded: reader.u64()?,
        left: reader.u64()?,
        uploaded: reader.u64()?,
        event: event(reader)?,
        ip: Ipv4Addr::from(reader.u32()?),
        key: reader.u32()?,
        num_want: reader.u32()?.cast_signed(),
        port: reader.u16()?,
        url_data: None,
    };
    announce.url_data = options(reader)?;
    Ok(announce)
}

fn event(reader: &mut Reader<'_>) -> Result<AnnounceEvent, WireError> {
    let offset = reader.offset();
    match reader.u32()? {
        0 => Ok(AnnounceEvent::Regular),
        1 => Ok(AnnounceEvent::Completed),
        2 => Ok(AnnounceEvent::Started),
        3 => Ok(AnnounceEvent::Stopped),
        _ => Err(WireError::new(ErrorClass::Event, offset)),
    }
}

/// Joins the URL data of all options. Kinds above 2 are skipped by their length.
fn options(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, WireError> {
    let mut url_data: Option<Vec<u8>> = None;
    while !reader.is_empty() {
        match reader.u8()? {
            0 => break,
            1 => {}
            kind => {
                let length = usize::from(reader.u8()?);
                let data = reader.slice(length)?;
                if kind == 2 {
                    url_data.get_or_insert_default().extend_from_slice(data);
                }
            }
        }
    }
    Ok(url_data)
}

/// The bytes of a request. An event that UDP cannot say goes out as none.
pub fn encode_request(request: &UdpRequest) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let mut head = |connection_id: u64, action: u32, transaction_id: u32| {
        out.extend_from_slice(&connection_id.to_be_bytes());
        out.extend_from_slice(&action.to_be_bytes());
        out.extend_from_slice(&transaction_id.to_be_bytes());
    };
    match request {
        UdpRequest::Connect { transaction_id } => head(PROTOCOL_ID, CONNECT, *transaction_id),
        UdpRequest::Announce(announce) => {
            head(announce.connection_id, ANNOUNCE, announce.transaction_id);
            put_announce(announce, &mut out);
        }
        UdpRequest::Scrape {
            connection_id,
            transaction_id,
            info_hashes,
        } => {
            head(*connection_id, SCRAPE, *transaction_id);
            out.extend(info_hashes.iter().flat_map(|info_hash| info_hash.0));
        }
    }
    out
}

fn put_announce(announce: &UdpAnnounce, out: &mut Vec<u8>) {
    let event: u32 = match announce.event {
        AnnounceEvent::Completed => 1,
        AnnounceEvent::Started => 2,
        AnnounceEvent::Stopped => 3,
        AnnounceEvent::Regular | AnnounceEvent::Paused | AnnounceEvent::Other(_) => 0,
    };
    out.extend_from_slice(&announce.info_hash.0);
    out.extend_from_slice(&announce.peer_id.0);
    for amount in [announce.downloaded, announce.left, announce.uploaded] {
        out.extend_from_slice(&amount.to_be_bytes());
    }
    for number in [
        event,
        announce.ip.to_bits(),
        announce.key,
        announce.num_want.cast_unsigned(),
    ] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(&announce.port.to_be_bytes());
    let Some(url_data) = &announce.url_data else {
        return;
    };
    if url_data.is_empty() {
        out.extend_from_slice(&[2, 0]);
    }
    for part in url_data.chunks(255) {
        out.extend_from_slice(&[2, part.len().to_le_bytes()[0]]);
        out.extend_from_slice(part);
    }
    out.push(0);
}

/// Decodes a datagram from a tracker, and tells how many of its bytes the reply takes.
pub fn decode_response(datagram: &[u8], family: Family) -> Result<(UdpResponse, usize), WireError> {
    let mut reader = Reader::new(datagram);
    let action = reader.u32()?;
    if action > ERROR {
        return Err(WireError::new(ErrorClass::Action, 0));
    }
    let transaction_id = reader.u32()?;
    let response = match action {
        CONNECT => UdpResponse::Connect {
            transaction_id,
            connection_id: reader.u64()?,
        },
        ANNOUNCE => {
            let (interval, leechers, seeders) = (reader.u32()?, reader.u32()?, reader.u32()?);
            let (peers, excess) = peers(reader.rest(), family)?;
            let response = UdpResponse::Announce {
                transaction_id,
                interval,
                leechers,
                seeders,
                peers,
            };
            return Ok((response, datagram.len() - excess));
        }
        SCRAPE => {
            let (entries, excess) = scrape_entries(reader.rest());
            return Ok((
                UdpResponse::Scrape {
                    transaction_id,
                    entries,
                },
                datagram.len() - excess,
            ));
        }
        _ => UdpResponse::Error {
            transaction_id,
            message: reader.rest().to_vec(),
        },
    };
    Ok((response, reader.offset()))
}

/// Whole peers, and the bytes behind them.
fn peers(bytes: &[u8], family: Family) -> Result<(Vec<SocketAddr>, usize), WireError> {
    let size = match family {
        Family::V4 => compact::V4_LENGTH,
        Family::V6 => compact::V6_LENGTH,
    };
    let excess = bytes.len() % size;
    let whole = &bytes[..bytes.len() - excess];
    let peers = match family {
        Family::V4 => compact::decode_v4(whole, "peers")?
            .into_iter()
            .map(SocketAddr::V4)
            .collect(),
        Family::V6 => compact::decode_v6(whole, "peers")?
            .into_iter()
            .map(SocketAddr::V6)
            .collect(),
    };
    Ok((peers, excess))
}

/// Whole entries, and the bytes behind them.
fn scrape_entries(bytes: &[u8]) -> (Vec<UdpScrapeEntry>, usize) {
    let (entries, rest) = bytes.as_chunks::<12>();
    let number = |entry: &[u8; 12], at: usize| {
        u32::from_be_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]])
    };
    let entries = entries.iter().map(|entry| UdpScrapeEntry {
        seeders: number(entry, 0),
        completed: number(entry, 4),
        leechers: number(entry, 8),
    });
    (entries.collect(), rest.len())
}

/// The bytes of a reply.
pub fn encode_response(response: &UdpResponse) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    let mut numbers = |numbers: &[u32]| {
        for number in numbers {
            out.extend_from_slice(&number.to_be_bytes());
        }
    };
    match response {
        UdpResponse::Connect {
            transaction_id,
            connection_id,
        } => {
            numbers(&[CONNECT, *transaction_id]);
            out.extend_from_slice(&connection_id.to_be_bytes());
        }
        UdpResponse::Announce {
            transaction_id,
            interval,
            leechers,
            seeders,
            peers,
        } => {
            numbers(&[ANNOUNCE, *transaction_id, *interval, *leechers, *seeders]);
            for peer in peers {
                match peer {
                    SocketAddr::V4(peer) => compact::encode_v4([*peer], &mut out),
                    SocketAddr::V6(peer) => compact::encode_v6([*peer], &mut out),
                }
            }
        }
        UdpResponse::Scrape {
            transaction_id,
            entries,
        } => {
            numbers(&[SCRAPE, *transaction_id]);
            for entry in entries {
                numbers(&[entry.seeders, entry.completed, entry.leechers]);
            }
        }
        UdpResponse::Error {
            transaction_id,
            message,
        } => {
            numbers(&[ERROR, *transaction_id]);
            out.extend_from_slice(message);
        }
    }
    out
}

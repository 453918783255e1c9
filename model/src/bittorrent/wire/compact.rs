//! Peer addresses of 6 bytes (BEP 23) and 18 bytes (BEP 7): address, then port, big-endian.

use super::{ErrorClass, WireError};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

/// Bytes of an IPv4 peer.
pub const V4_LENGTH: usize = 6;
/// Bytes of an IPv6 peer.
pub const V6_LENGTH: usize = 18;

/// Appends IPv4 peers.
pub fn encode_v4(peers: impl IntoIterator<Item = SocketAddrV4>, out: &mut Vec<u8>) {
    for peer in peers {
        out.extend_from_slice(&peer.ip().octets());
        out.extend_from_slice(&peer.port().to_be_bytes());
    }
}

/// Appends IPv6 peers. Flow and scope have no place in the compact form.
pub fn encode_v6(peers: impl IntoIterator<Item = SocketAddrV6>, out: &mut Vec<u8>) {
    for peer in peers {
        out.extend_from_slice(&peer.ip().octets());
        out.extend_from_slice(&peer.port().to_be_bytes());
    }
}

/// Decodes IPv4 peers; `key` names the string in an error, whose offset is that of the incomplete peer.
pub fn decode_v4(bytes: &[u8], key: &'static str) -> Result<Vec<SocketAddrV4>, WireError> {
    let (peers, rest) = bytes.as_chunks::<V4_LENGTH>();
    whole(bytes, rest, key)?;
    Ok(peers
        .iter()
        .map(|&[a, b, c, d, high, low]| v4([a, b, c, d], [high, low]))
        .collect())
}

/// Decodes IPv6 peers; `key` names the string in an error, whose offset is that of the incomplete peer.
pub fn decode_v6(bytes: &[u8], key: &'static str) -> Result<Vec<SocketAddrV6>, WireError> {
    let (peers, rest) = bytes.as_chunks::<V6_LENGTH>();
    whole(bytes, rest, key)?;
    Ok(peers.iter().map(v6).collect())
}

fn whole(bytes: &[u8], rest: &[u8], key: &'static str) -> Result<(), WireError> {
    if rest.is_empty() {
        Ok(())
    } else {
        Err(WireError::new(
            ErrorClass::CompactLength(key),
            bytes.len() - rest.len(),
        ))
    }
}

fn v4(address: [u8; 4], port: [u8; 2]) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::from(address), u16::from_be_bytes(port))
}

fn v6(bytes: &[u8; V6_LENGTH]) -> SocketAddrV6 {
    let mut address = [0; 16];
    address.copy_from_slice(&bytes[..16]);
    SocketAddrV6::new(
        Ipv6Addr::from(address),
        u16::from_be_bytes([bytes[16], bytes[17]]),
        0,
        0,
    )
}

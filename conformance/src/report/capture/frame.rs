//! Ethernet, IP, TCP and UDP headers with their checksums.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const TCP: u8 = 6;
const UDP: u8 = 17;

/// The most payload of a datagram; more cannot have been one.
const DATAGRAM: usize = 65_507 - 20;

/// The part of a TCP header that changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) sequence: u32,
    pub(super) acknowledged: u32,
    pub(super) flags: u8,
    /// Whether the options of a first segment follow.
    pub(super) options: bool,
    pub(super) payload: &'a [u8],
}

pub(super) const FIN: u8 = 0x01;
pub(super) const SYN: u8 = 0x02;
pub(super) const RST: u8 = 0x04;
pub(super) const PSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;

/// Maximum segment size 1460, then a no-op and window scale 7: what Linux says too.
const OPTIONS: [u8; 8] = [2, 4, 0x05, 0xb4, 1, 3, 3, 7];

/// A frame that carries a TCP segment.
pub(super) fn tcp(from: SocketAddr, to: SocketAddr, segment: Segment<'_>) -> Vec<u8> {
    let options: &[u8] = if segment.options { &OPTIONS } else { &[] };
    let words = if segment.options { 7_u8 } else { 5 };
    let mut bytes = Vec::with_capacity(28 + segment.payload.len());
    bytes.extend(from.port().to_be_bytes());
    bytes.extend(to.port().to_be_bytes());
    bytes.extend(segment.sequence.to_be_bytes());
    bytes.extend(segment.acknowledged.to_be_bytes());
    bytes.extend([words << 4, segment.flags]);
    // Window, checksum to come, no urgent data.
    bytes.extend([0xff, 0xff, 0, 0, 0, 0]);
    bytes.extend(options);
    bytes.extend(segment.payload);
    packet(from, to, TCP, bytes, 16)
}

/// A frame that carries a datagram.
pub(super) fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let payload = &payload[..payload.len().min(DATAGRAM)];
    let length = u16::try_from(payload.len() + 8).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(8 + payload.len());
    bytes.extend(from.port().to_be_bytes());
    bytes.extend(to.port().to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    packet(from, to, UDP, bytes, 6)
}

/// Puts the checksum into the transport header at `checksum_at`, and IP and Ethernet headers before it.
fn packet(
    from: SocketAddr,
    to: SocketAddr,
    protocol: u8,
    mut transport: Vec<u8>,
    checksum_at: usize,
) -> Vec<u8> {
    let length = u32::try_from(transport.len()).unwrap_or(u32::MAX);
    let mut pseudo = Vec::with_capacity(40);
    let (ethertype, header) = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            pseudo.extend(from.octets());
            pseudo.extend(to.octets());
            (0x0800_u16, ipv4_header(&pseudo, protocol, length))
        }
        (from, to) => {
            pseudo.extend(ipv6(from).octets());
            pseudo.extend(ipv6(to).octets());
            (0x86dd, ipv6_header(&pseudo, protocol, length))
        }
    };
    pseudo.extend(length.to_be_bytes());
    pseudo.extend([0, 0, 0, protocol]);
    let sum = match checksum(&[&pseudo, &transport]) {
        // In UDP zero means "none"; its other form in ones' complement means zero.
        0 if protocol == UDP => 0xffff,
        sum => sum,
    };
    transport[checksum_at..checksum_at + 2].copy_from_slice(&sum.to_be_bytes());
    let mut frame = Vec::with_capacity(14 + header.len() + transport.len());
    // Locally administered addresses, made of the two ports: the two ends of a channel differ.
    frame.extend([0x02, 0, 0, 0]);
    frame.extend(to.port().to_be_bytes());
    frame.extend([0x02, 0, 0, 0]);
    frame.extend(from.port().to_be_bytes());
    frame.extend(ethertype.to_be_bytes());
    frame.extend(header);
    frame.extend(transport);
    frame
}

fn ipv4_header(addresses: &[u8], protocol: u8, length: u32) -> Vec<u8> {
    let total = u16::try_from(length + 20).unwrap_or(u16::MAX);
    // Version and header length, type of service; later: no id, do not fragment, 64 hops.
    let mut header = vec![0x45, 0];
    header.extend(total.to_be_bytes());
    header.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
    header.extend(addresses);
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

fn ipv6_header(addresses: &[u8], protocol: u8, length: u32) -> Vec<u8> {
    let payload = u16::try_from(length).unwrap_or(u16::MAX);
    let mut header = vec![0x60, 0, 0, 0];
    header.extend(payload.to_be_bytes());
    header.extend([protocol, 64]);
    header.extend(addresses);
    header
}

fn ipv6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// The Internet checksum (RFC 1071) over parts of which all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u64::from(u16::from_be_bytes([
                pair[0],
                pair.get(1).copied().unwrap_or(0),
            ]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // The loop leaves 16 bits.
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_rfc_1071() {
        // Section 3 of the RFC: the sum of these words is ddf2.
        let words = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&[&words]), !0xddf2);
        assert_eq!(checksum(&[&words[..4], &words[4..]]), !0xddf2);
        assert_eq!(checksum(&[&[0x01]]), !0x0100);
    }

    #[test]
    fn a_receiver_that_sums_a_frame_gets_all_ones() {
        let (from, to) = (
            "127.0.0.1:1".parse().unwrap(),
            "127.0.0.1:2".parse().unwrap(),
        );
        let frame = udp(from, to, b"odd");
        assert_eq!(checksum(&[&frame[14..34]]), 0);
        let mut pseudo = frame[26..34].to_vec();
        pseudo.extend([0, 0, 0, 11, 0, 0, 0, UDP]);
        assert_eq!(checksum(&[&pseudo, &frame[34..]]), 0);
    }
}

//! Addresses for nodes that talk over sockets: each node has a loopback address of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// How many addresses and ports are tried for one node.
const TRIES: usize = 32;

/// The next address of this process, in 127.0.0.0/16.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// An address that no other node of this process has, with a port that nobody uses now over TCP and UDP.
///
/// # Errors
/// The machine gives none: on some systems 127.0.0.1 is the only loopback address.
pub(super) fn address() -> std::io::Result<SocketAddr> {
    let mut last = None;
    for _ in 0..TRIES {
        match free_port(next()) {
            Ok(address) => return Ok(address),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("no free address")))
}

/// Two processes begin at different places, so that they seldom meet.
fn next() -> Ipv4Addr {
    let first = std::process::id().wrapping_mul(509) as u16;
    loop {
        let number = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let [third, fourth] = number.to_be_bytes();
        // 127.0.0.x is where people keep their own things.
        if third != 0 && fourth != 0 && fourth != 255 {
            return Ipv4Addr::new(127, 0, third, fourth);
        }
    }
}

fn free_port(ip: Ipv4Addr) -> std::io::Result<SocketAddr> {
    let address = TcpListener::bind((ip, 0))?.local_addr()?;
    UdpSocket::bind(address)?;
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_node_has_an_address_of_its_own() {
        let addresses = (0..600).map(|_| next()).collect::<BTreeSet<_>>();
        assert_eq!(addresses.len(), 600);
        for ip in addresses {
            assert_eq!(ip.octets()[..2], [127, 0]);
            assert_ne!(ip.octets()[2], 0);
        }
    }
}

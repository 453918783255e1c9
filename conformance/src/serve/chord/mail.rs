//! How messages travel: as lines through the kit, or as datagrams with the addresses of the nodes that they name.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use peerproof_model::chord::message::Message;
use peerproof_model::chord::profile;
use peerproof_model::space::circle::Id;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::desk::{Deed, say};
use super::words::{introduced, point};
use crate::control::ring::{Init, Network};

/// The most addresses that a node keeps.
const MOST_ADDRESSES: usize = 4096;

/// The longest datagram that is read.
pub(super) const MOST_DATAGRAM: usize = 65_507;

/// A message between nodes over sockets: one JSON object in a datagram.
#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    /// The sender's name.
    src: String,
    /// Where the sender listens.
    address: SocketAddr,
    /// The receiver's name.
    dest: String,
    /// Where those of the named nodes listen whose address the sender knows.
    #[serde(default)]
    known: BTreeMap<String, SocketAddr>,
    /// The message.
    body: Value,
}

/// How one node's messages travel.
#[derive(Debug)]
pub(super) struct Mail {
    name: String,
    book: Option<Book>,
}

/// Who listens where.
#[derive(Debug)]
struct Book {
    own: SocketAddr,
    known: BTreeMap<Id, SocketAddr>,
}

impl Mail {
    pub(super) fn new(init: &Init) -> Result<Self, String> {
        let name = init.node_id.clone();
        if init.network == Network::Kit {
            return Ok(Self { name, book: None });
        }
        let own = init
            .address
            .as_deref()
            .ok_or("over sockets a node needs an `address`")?;
        let own = parsed(own)?;
        if !own.ip().is_loopback() && !is_private(own.ip()) {
            return Err(format!("{own} is neither a loopback nor a private address"));
        }
        let mut known = BTreeMap::new();
        if let Some(introducer) = &init.introducer
            && let Some(id) = introduced(Some(introducer))?
        {
            let text = introducer.address.as_deref();
            let text = text.ok_or("over sockets the introducer needs an `address`")?;
            known.insert(id, near(own, text)?);
        }
        Ok(Self {
            name,
            book: Some(Book { own, known }),
        })
    }

    /// Where the node listens, if it does.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        Some(self.book.as_ref()?.own)
    }

    /// Learns where a node listens.
    pub(super) fn meet(&mut self, node: Id, address: Option<&str>) -> Result<(), String> {
        match (&mut self.book, address) {
            (Some(book), Some(address)) => {
                book.learn(node, near(book.own, address)?);
                Ok(())
            }
            (Some(book), None) if !book.known.contains_key(&node) => {
                Err("over sockets the introducer needs an `address`".to_owned())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn send(&self, to: Id, message: &Message, out: &mut Vec<Deed>) {
        let body = profile::encode(message);
        let dest = format!("n{to}");
        let Some(book) = &self.book else {
            if let Value::Object(body) = body {
                out.push(say(&self.name, &dest, body));
            }
            return;
        };
        // Nobody can write to a node of which only the name is known: it is as lost as on a network.
        let Some(address) = book.known.get(&to) else {
            return;
        };
        let named = message.points().into_iter().filter(|node| *node != to);
        let known = named.filter_map(|node| Some((format!("n{node}"), *book.known.get(&node)?)));
        let letter = Letter {
            src: self.name.clone(),
            address: book.own,
            dest,
            known: known.collect(),
            body,
        };
        if let Ok(bytes) = serde_json::to_vec(&letter) {
            out.push(Deed::Datagram(*address, bytes));
        }
    }

    /// The sender and the message of a datagram.
    pub(super) fn open(&mut self, datagram: &[u8]) -> Result<(Id, Message), String> {
        let book = self.book.as_mut().ok_or("no node listens here")?;
        let letter: Letter =
            serde_json::from_slice(datagram).map_err(|why| format!("no letter: {why}"))?;
        let from = point(&letter.src).ok_or("the sender has no name of a node")?;
        if letter.dest != self.name {
            return Err(format!("a letter for {}", letter.dest));
        }
        let message = profile::decode(&letter.body).map_err(|why| why.to_string())?;
        book.learn(from, letter.address);
        let named = message.points();
        for (name, address) in &letter.known {
            if let Some(node) = point(name).filter(|node| named.contains(node)) {
                book.learn(node, *address);
            }
        }
        Ok((from, message))
    }
}

impl Book {
    /// Only addresses of its own network: no letter makes a node write to the world.
    fn learn(&mut self, node: Id, address: SocketAddr) {
        let room = self.known.len() < MOST_ADDRESSES || self.known.contains_key(&node);
        if is_near(self.own.ip(), address.ip()) && room {
            self.known.insert(node, address);
        }
    }
}

fn parsed(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is no address"))
}

/// An address in the network of the node at `own`.
fn near(own: SocketAddr, text: &str) -> Result<SocketAddr, String> {
    let address = parsed(text)?;
    if is_near(own.ip(), address.ip()) {
        Ok(address)
    } else {
        Err(format!("{address} is not in the network of {own}"))
    }
}

/// Whether two nodes are in one network: the loopback, or a private one with the same first two bytes.
fn is_near(own: IpAddr, other: IpAddr) -> bool {
    match (own, other) {
        _ if own.is_loopback() || other.is_loopback() => own.is_loopback() && other.is_loopback(),
        (IpAddr::V4(here), IpAddr::V4(there)) => {
            here.is_private() && here.octets()[..2] == there.octets()[..2]
        }
        _ => false,
    }
}

fn is_private(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_private())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_heeds_its_own_network_alone() {
        let is_near = |own: &str, other: &str| {
            let ip = |text: &str| text.parse().expect("an address");
            is_near(ip(own), ip(other))
        };
        for (own, other) in [
            ("127.0.3.4", "127.0.0.1"),
            ("::1", "::1"),
            ("10.77.1.1", "10.77.254.3"),
            ("192.168.1.1", "192.168.7.9"),
        ] {
            assert!(is_near(own, other), "{own} {other}");
        }
        for (own, other) in [
            ("127.0.3.4", "10.77.1.1"),
            ("10.77.1.1", "127.0.0.1"),
            ("10.77.1.1", "10.78.1.1"),
            ("10.77.1.1", "8.8.8.8"),
            ("8.8.8.8", "8.8.4.4"),
            ("10.77.1.1", "fe80::1"),
        ] {
            assert!(!is_near(own, other), "{own} {other}");
        }
    }
}

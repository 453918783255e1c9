//! The payloads of extended messages: handshake (BEP 10), metadata exchange (BEP 9), peer exchange (BEP 11).

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

/// Extended message 0: which extensions the sender has, under which ids (BEP 10). Unknown keys are not kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtensionHandshake {
    /// `m`: extension name to message id; id 0 disables the extension. Later handshakes add to earlier ones.
    pub m: BTreeMap<Vec<u8>, u8>,
    /// `p`: the sender's TCP listen port.
    pub p: Option<u16>,
    /// `v`: name and version of the sender's software.
    pub v: Option<Vec<u8>>,
    /// `yourip`: the receiver's address as the sender sees it, 4 or 16 bytes.
    pub yourip: Option<std::net::IpAddr>,
    /// `ipv4`: the sender's IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// `ipv6`: the sender's IPv6 address.
    pub ipv6: Option<Ipv6Addr>,
    /// `reqq`: how many outstanding requests the sender keeps without dropping any.
    pub reqq: Option<u32>,
    /// `metadata_size`: bytes of the raw `info` value (BEP 9).
    pub metadata_size: Option<u32>,
    /// `upload_only`: the sender downloads nothing (BEP 21).
    pub upload_only: Option<bool>,
}

/// A message of `ut_metadata` (BEP 9), which hands over the raw `info` value in blocks of 16384 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetadataMessage {
    /// `msg_type` 0: asks for a block.
    Request {
        /// The block.
        piece: u32,
    },
    /// `msg_type` 1: a block; its bytes follow the dictionary.
    Data {
        /// The block.
        piece: u32,
        /// Bytes of the whole `info` value.
        total_size: u32,
        /// The block's bytes.
        data: Vec<u8>,
    },
    /// `msg_type` 2: the sender does not have the block.
    Reject {
        /// The block.
        piece: u32,
    },
    /// Any other `msg_type`, which receivers ignore.
    Unknown {
        /// The type.
        msg_type: i64,
    },
}

/// A peer that a peer exchange message adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PexPeer<A> {
    /// Its address.
    pub address: A,
    /// 0x01 prefers encryption, 0x02 seed, 0x04 uTP, 0x08 holepunch, 0x10 reachable.
    pub flags: u8,
}

/// A message of `ut_pex` (BEP 11): peers that came and went since the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PexMessage {
    /// `added` with `added.f`.
    pub added: Vec<PexPeer<SocketAddrV4>>,
    /// `added6` with `added6.f`.
    pub added6: Vec<PexPeer<SocketAddrV6>>,
    /// `dropped`.
    pub dropped: Vec<SocketAddrV4>,
    /// `dropped6`.
    pub dropped6: Vec<SocketAddrV6>,
}

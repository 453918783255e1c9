//! Between peers: the handshake (BEP 3, 4) and the messages behind it (BEP 3, 5, 6, 10).

use std::fmt;

/// The SHA-1 of the raw bytes of a metainfo's `info` value.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InfoHash(pub [u8; 20]);

/// The 20 bytes by which a peer names itself (BEP 20 has the conventions).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 20]);

impl fmt::Display for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for InfoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Printable bytes as they are, the others escaped.
impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The eight reserved bytes of the handshake, which announce extensions (BEP 4).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reserved(pub [u8; 8]);

impl Reserved {
    /// No extension.
    pub const NONE: Self = Self([0; 8]);

    /// Byte 5, mask 0x10: the extension protocol (BEP 10).
    pub fn extension_protocol(self) -> bool {
        self.0[5] & 0x10 != 0
    }

    /// Byte 7, mask 0x04: the fast extension (BEP 6).
    pub fn fast(self) -> bool {
        self.0[7] & 0x04 != 0
    }

    /// Byte 7, mask 0x01: the DHT (BEP 5).
    pub fn dht(self) -> bool {
        self.0[7] & 0x01 != 0
    }

    /// The same with the extension protocol announced.
    #[must_use]
    pub fn with_extension_protocol(mut self) -> Self {
        self.0[5] |= 0x10;
        self
    }

    /// The same with the fast extension announced.
    #[must_use]
    pub fn with_fast(mut self) -> Self {
        self.0[7] |= 0x04;
        self
    }

    /// The same with the DHT announced.
    #[must_use]
    pub fn with_dht(mut self) -> Self {
        self.0[7] |= 0x01;
        self
    }
}

impl fmt::Debug for Reserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The first 68 bytes of each side of a connection (BEP 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handshake {
    /// Announced extensions.
    pub reserved: Reserved,
    /// The torrent that the connection is about.
    pub info_hash: InfoHash,
    /// The sender.
    pub peer_id: PeerId,
}

/// A range of bytes within a piece, as request, cancel and reject request name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRequest {
    /// The piece.
    pub index: u32,
    /// The first byte within the piece.
    pub begin: u32,
    /// Bytes.
    pub length: u32,
}

impl fmt::Display for BlockRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            index,
            begin,
            length,
        } = self;
        write!(f, "piece {index} at {begin}, {length} bytes")
    }
}

/// A message behind the handshake: a length, an id and a payload; a keep-alive has length zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PeerMessage {
    /// Length 0: nothing to say.
    KeepAlive,
    /// Id 0: requests will not be answered.
    Choke,
    /// Id 1: requests will be answered.
    Unchoke,
    /// Id 2: the receiver has a piece that the sender wants.
    Interested,
    /// Id 3: the receiver has no piece that the sender wants.
    NotInterested,
    /// Id 4: the sender has verified this piece.
    Have(u32),
    /// Id 5: the pieces the sender has, high bit first; only as first message.
    Bitfield(Vec<u8>),
    /// Id 6: asks for a block.
    Request(BlockRequest),
    /// Id 7: a block.
    Piece {
        /// The piece.
        index: u32,
        /// The first byte within the piece.
        begin: u32,
        /// The block.
        data: Vec<u8>,
    },
    /// Id 8: takes a request back.
    Cancel(BlockRequest),
    /// Id 9: the sender's UDP port of the DHT (BEP 5).
    Port(u16),
    /// Id 0x0D: the sender would like to send this piece (BEP 6).
    SuggestPiece(u32),
    /// Id 0x0E: the sender has every piece (BEP 6).
    HaveAll,
    /// Id 0x0F: the sender has no piece (BEP 6).
    HaveNone,
    /// Id 0x10: this request will not be answered (BEP 6).
    RejectRequest(BlockRequest),
    /// Id 0x11: requests for this piece are answered even while choked (BEP 6).
    AllowedFast(u32),
    /// Id 0x14: a message of an extension (BEP 10); id 0 is the extension handshake.
    Extended {
        /// The id that the receiver gave the extension.
        id: u8,
        /// The extension's own bytes.
        payload: Vec<u8>,
    },
    /// Any other id; receivers skip it by its length.
    Unknown {
        /// The message id.
        id: u8,
        /// What follows the id.
        payload: Vec<u8>,
    },
}

//! The stream between two peers: the handshake, then length-prefixed messages (BEP 3, 5, 6, 10).

use super::bytes::Reader;
use super::{ErrorClass, WireError};
use crate::bittorrent::message::{
    BlockRequest, Handshake, InfoHash, PeerId, PeerMessage, Reserved,
};

/// The byte 19 and `BitTorrent protocol`, with which every handshake starts.
pub const PROTOCOL_NAME: &[u8; 20] = b"\x13BitTorrent protocol";

/// Bytes of a handshake.
pub const HANDSHAKE_LENGTH: usize = 68;

/// Bytes of a block that peers request from one another; larger requests are refused (BEP 3).
pub const BLOCK_LENGTH: u32 = 1 << 14;

/// Message ids.
pub mod id {
    /// BEP 3
    pub const CHOKE: u8 = 0;
    /// BEP 3
    pub const UNCHOKE: u8 = 1;
    /// BEP 3
    pub const INTERESTED: u8 = 2;
    /// BEP 3
    pub const NOT_INTERESTED: u8 = 3;
    /// BEP 3
    pub const HAVE: u8 = 4;
    /// BEP 3
    pub const BITFIELD: u8 = 5;
    /// BEP 3
    pub const REQUEST: u8 = 6;
    /// BEP 3
    pub const PIECE: u8 = 7;
    /// BEP 3
    pub const CANCEL: u8 = 8;
    /// BEP 5
    pub const PORT: u8 = 9;
    /// BEP 6
    pub const SUGGEST_PIECE: u8 = 0x0D;
    /// BEP 6
    pub const HAVE_ALL: u8 = 0x0E;
    /// BEP 6
    pub const HAVE_NONE: u8 = 0x0F;
    /// BEP 6
    pub const REJECT_REQUEST: u8 = 0x10;
    /// BEP 6
    pub const ALLOWED_FAST: u8 = 0x11;
    /// BEP 10
    pub const EXTENDED: u8 = 0x14;
}

/// The largest length prefix a peer has reason to send about a torrent of this many pieces: a block, or a block of
/// metadata with its dictionary, or the bitfield.
pub fn frame_bound(pieces: u32) -> usize {
    let block = BLOCK_LENGTH as usize + 1024;
    let bitfield = 1 + (pieces as usize).div_ceil(8);
    block.max(bitfield)
}

/// The 68 bytes of a handshake.
pub fn encode_handshake(handshake: &Handshake) -> [u8; HANDSHAKE_LENGTH] {
    let mut out = [0; HANDSHAKE_LENGTH];
    out[..20].copy_from_slice(PROTOCOL_NAME);
    out[20..28].copy_from_slice(&handshake.reserved.0);
    out[28..48].copy_from_slice(&handshake.info_hash.0);
    out[48..].copy_from_slice(&handshake.peer_id.0);
    out
}

/// Decodes exactly one handshake.
pub fn decode_handshake(bytes: &[u8]) -> Result<Handshake, WireError> {
    let mut decoder = HandshakeDecoder::new();
    match decoder.push(bytes)? {
        (_, None) => Err(WireError::new(ErrorClass::Truncated, bytes.len())),
        (used, Some(_)) if used < bytes.len() => {
            Err(WireError::new(ErrorClass::TrailingBytes, used))
        }
        (_, Some(handshake)) => Ok(handshake),
    }
}

/// Takes a handshake from a stream that arrives in pieces of any size, and refuses it at the first byte that differs.
#[derive(Clone, Debug, Default)]
pub struct HandshakeDecoder {
    buffer: Vec<u8>,
    expected: Option<InfoHash>,
}

impl HandshakeDecoder {
    /// Accepts every info hash.
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts one info hash only.
    pub fn expecting(info_hash: InfoHash) -> Self {
        Self {
            buffer: Vec::new(),
            expected: Some(info_hash),
        }
    }

    /// The info hash, as soon as it has arrived: 20 bytes before the end, so that a listening peer can answer.
    pub fn info_hash(&self) -> Option<InfoHash> {
        self.buffer
            .get(28..48)?
            .first_chunk()
            .copied()
            .map(InfoHash)
    }

    /// Takes bytes up to the end of the handshake; returns how many, and the handshake when it is complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(usize, Option<Handshake>), WireError> {
        let used = bytes.len().min(HANDSHAKE_LENGTH - self.buffer.len());
        let before = self.buffer.len();
        self.buffer.extend_from_slice(&bytes[..used]);
        self.check(before)?;
        Ok((used, self.complete()))
    }

    fn check(&self, from: usize) -> Result<(), WireError> {
        let expected_hash = self
            .expected
            .as_ref()
            .map_or(&[][..], |info_hash| &info_hash.0);
        let ranges = [
            (0, &PROTOCOL_NAME[..], ErrorClass::ProtocolName),
            (28, expected_hash, ErrorClass::InfoHash),
        ];
        for (start, expected, class) in ranges {
            let arrived = self.buffer.iter().enumerate().skip(start.max(from));
            let differs = |&(at, byte): &(usize, &u8)| {
                expected.get(at - start).is_some_and(|want| want != byte)
            };
            if let Some((offset, _)) = arrived.into_iter().find(differs) {
                return Err(WireError::new(class, offset));
            }
        }
        Ok(())
    }

    fn complete(&self) -> Option<Handshake> {
        Some(Handshake {
            reserved: Reserved(*self.buffer.get(20..)?.first_chunk()?),
            info_hash: self.info_hash()?,
            peer_id: PeerId(*self.buffer.get(48..)?.first_chunk()?),
        })
    }
}

/// Appends a message with its length prefix.
pub fn encode_message(message: &PeerMessage, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    match message {
        PeerMessage::KeepAlive => {}
        PeerMessage::Choke => out.push(id::CHOKE),
        PeerMessage::Unchoke => out.push(id::UNCHOKE),
        PeerMessage::Interested => out.push(id::INTERESTED),
        PeerMessage::NotInterested => out.push(id::NOT_INTERESTED),
        PeerMessage::Have(piece) => put_numbers(id::HAVE, &[*piece], out),
        PeerMessage::Bitfield(bits) => put_bytes(id::BITFIELD, bits, out),
        PeerMessage::Request(block) => put_block(id::REQUEST, *block, out),
        PeerMessage::Piece { index, begin, data } => {
            put_numbers(id::PIECE, &[*index, *begin], out);
            out.extend_from_slice(data);
        }
        PeerMessage::Cancel(block) => put_block(id::CANCEL, *block, out),
        PeerMessage::Port(port) => put_bytes(id::PORT, &port.to_be_bytes(), out),
        PeerMessage::SuggestPiece(piece) => put_numbers(id::SUGGEST_PIECE, &[*piece], out),
        PeerMessage::HaveAll => out.push(id::HAVE_ALL),
        PeerMessage::HaveNone => out.push(id::HAVE_NONE),
        PeerMessage::RejectRequest(block) => put_block(id::REJECT_REQUEST, *block, out),
        PeerMessage::AllowedFast(piece) => put_numbers(id::ALLOWED_FAST, &[*piece], out),
        PeerMessage::Extended {
            id: extension,
            payload,
        } => {
            out.extend_from_slice(&[id::EXTENDED, *extension]);
            out.extend_from_slice(payload);
        }
        PeerMessage::Unknown { id, payload } => put_bytes(*id, payload, out),
    }
    // A message of 4 GiB cannot be sent; the prefix saturates rather than wraps, so that a receiver refuses it.
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_be_bytes());
}

fn put_bytes(id: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(id);
    out.extend_from_slice(payload);
}

fn put_numbers(id: u8, numbers: &[u32], out: &mut Vec<u8>) {
    out.push(id);
    for number in numbers {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn put_block(id: u8, block: BlockRequest, out: &mut Vec<u8>) {
    put_numbers(id, &[block.index, block.begin, block.length], out);
}

/// Decodes exactly one message with its length prefix.
pub fn decode_message(bytes: &[u8]) -> Result<PeerMessage, WireError> {
    let mut reader = Reader::new(bytes);
    let length = reader.u32()? as usize;
    check_message_length(length, bytes.get(4).copied())?;
    let body = reader.slice(length)?;
    if !reader.is_empty() {
        return Err(WireError::new(ErrorClass::TrailingBytes, reader.offset()));
    }
    decode_body(body)
}

/// Refuses a length prefix that does not fit the id behind it. The fault lies in the prefix, at offset 0.
fn check_message_length(length: usize, id: Option<u8>) -> Result<(), WireError> {
    let Some(id) = id.filter(|_| length > 0) else {
        return Ok(());
    };
    let fits = match id {
        id::CHOKE
        | id::UNCHOKE
        | id::INTERESTED
        | id::NOT_INTERESTED
        | id::HAVE_ALL
        | id::HAVE_NONE => length == 1,
        id::HAVE | id::SUGGEST_PIECE | id::ALLOWED_FAST => length == 5,
        id::REQUEST | id::CANCEL | id::REJECT_REQUEST => length == 13,
        id::PORT => length == 3,
        id::PIECE => length >= 9,
        id::EXTENDED => length >= 2,
        _ => true,
    };
    if fits {
        Ok(())
    } else {
        Err(WireError::new(ErrorClass::MessageLength, 0))
    }
}

/// Decodes what follows the length prefix, whose length has been checked against the id.
fn decode_body(body: &[u8]) -> Result<PeerMessage, WireError> {
    let mut reader = Reader::new(body);
    if reader.is_empty() {
        return Ok(PeerMessage::KeepAlive);
    }
    Ok(match reader.u8()? {
        id::CHOKE => PeerMessage::Choke,
        id::UNCHOKE => PeerMessage::Unchoke,
        id::INTERESTED => PeerMessage::Interested,
        id::NOT_INTERESTED => PeerMessage::NotInterested,
        id::HAVE => PeerMessage::Have(reader.u32()?),
        id::BITFIELD => PeerMessage::Bitfield(reader.rest().to_vec()),
        id::REQUEST => PeerMessage::Request(block(&mut reader)?),
        id::PIECE => PeerMessage::Piece {
            index: reader.u32()?,
            begin: reader.u32()?,
            data: reader.rest().to_vec(),
        },
        id::CANCEL => PeerMessage::Cancel(block(&mut reader)?),
        id::PORT => PeerMessage::Port(reader.u16()?),
        id::SUGGEST_PIECE => PeerMessage::SuggestPiece(reader.u32()?),
        id::HAVE_ALL => PeerMessage::HaveAll,
        id::HAVE_NONE => PeerMessage::HaveNone,
        id::REJECT_REQUEST => PeerMessage::RejectRequest(block(&mut reader)?),
        id::ALLOWED_FAST => PeerMessage::AllowedFast(reader.u32()?),
        id::EXTENDED => PeerMessage::Extended {
            id: reader.u8()?,
            payload: reader.rest().to_vec(),
        },
        id => PeerMessage::Unknown {
            id,
            payload: reader.rest().to_vec(),
        },
    })
}

fn block(reader: &mut Reader<'_>) -> Result<BlockRequest, WireError> {
    Ok(BlockRequest {
        index: reader.u32()?,
        begin: reader.u32()?,
        length: reader.u32()?,
    })
}

/// Takes messages from a stream that arrives in pieces of any size.
///
/// Push what has arrived, then call [`FrameDecoder::next_message`] until it returns none. Between pushes the decoder
/// then holds less than one message, so never more than the bound and its four bytes of prefix. A length prefix beyond
/// the bound, or one that does not fit its id, is refused before the message arrives. After an error the stream has
/// no known message boundary any more: the decoder repeats the error for ever, and the connection is to be closed.
#[derive(Clone, Debug)]
pub struct FrameDecoder {
    bound: usize,
    buffer: Vec<u8>,
    /// Bytes of `buffer` already decoded.
    start: usize,
    /// Bytes of the stream in front of `buffer`.
    dropped: usize,
    failed: Option<WireError>,
}

impl FrameDecoder {
    /// A decoder that accepts length prefixes up to `bound`; see [`frame_bound`].
    pub fn new(bound: usize) -> Self {
        Self {
            bound,
            buffer: Vec::new(),
            start: 0,
            dropped: 0,
            failed: None,
        }
    }

    /// Takes bytes of the stream. After an error they are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.buffer.drain(..self.start);
        self.dropped = self.dropped.saturating_add(self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete message.
    pub fn next_message(&mut self) -> Result<Option<PeerMessage>, WireError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.decode_next().map_err(|error| {
            let error = error.shifted(self.dropped.saturating_add(self.start));
            self.failed = Some(error);
            self.buffer = Vec::new();
            self.start = 0;
            error
        })
    }

    /// Bytes held that belong to no message returned so far.
    pub fn pending(&self) -> usize {
        self.buffer.len() - self.start
    }

    fn decode_next(&mut self) -> Result<Option<PeerMessage>, WireError> {
        let pending = self.buffer.get(self.start..).unwrap_or_default();
        let Some(prefix) = pending.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*prefix) as usize;
        if length > self.bound {
            return Err(WireError::new(ErrorClass::FrameLength, 0));
        }
        check_message_length(length, pending.get(4).copied())?;
        let Some(body) = pending.get(4..4 + length) else {
            return Ok(None);
        };
        let message = decode_body(body).map_err(|error| error.shifted(4))?;
        self.start += 4 + length;
        Ok(Some(message))
    }
}

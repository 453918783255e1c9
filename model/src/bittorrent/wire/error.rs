//! What can be wrong with the bytes of a message, and where.

use crate::bencode;
use std::fmt;

/// The kind of a wire error. Fields name the key or parameter at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The bytes end inside the message.
    Truncated,
    /// Bytes follow the message.
    TrailingBytes,
    /// The handshake does not start with 19 and `BitTorrent protocol`.
    ProtocolName,
    /// The handshake is about another torrent.
    InfoHash,
    /// The length prefix exceeds the receiver's bound.
    FrameLength,
    /// The length prefix does not fit the message id.
    MessageLength,
    /// A bencoded part is malformed.
    Bencode(bencode::ErrorClass),
    /// A bencoded part is not a dictionary.
    NotDictionary,
    /// A key that must be there is missing.
    MissingKey(&'static str),
    /// The value of a key has the wrong type.
    WrongType(&'static str),
    /// The value of a key lies outside of its range.
    OutOfRange(&'static str),
    /// A string of compact peers is not a multiple of the size of one.
    CompactLength(&'static str),
    /// A string of flags has another number of bytes than there are addresses.
    FlagCount(&'static str),
    /// A block of metadata does not have the size that its place demands.
    MetadataLength,
    /// The action number is unknown.
    Action,
    /// The connect request does not carry 0x41727101980.
    ProtocolId,
    /// The event number is unknown.
    Event,
    /// The request path is longer than the bound.
    QueryLength,
    /// The request path has no query.
    MissingQuery,
    /// `%` without two hexadecimal digits.
    PercentEncoding,
    /// A byte that a URL must escape.
    UnescapedByte,
    /// A parameter that must be there is missing.
    MissingParameter(&'static str),
    /// A parameter occurs twice.
    DuplicateParameter(&'static str),
    /// The value of a parameter is malformed.
    Parameter(&'static str),
    /// The bitfield does not have one bit for each piece, rounded up to bytes.
    BitfieldLength,
    /// A spare bit of the bitfield is set.
    SpareBits,
    /// The torrent has no piece of this index.
    PieceIndex,
    /// The range has no bytes.
    EmptyBlock,
    /// The block is longer than allowed.
    BlockLength,
    /// The range ends beyond the piece.
    BlockRange,
}

impl ErrorClass {
    /// The stable name of the class, as the golden vectors spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::TrailingBytes => "trailing-bytes",
            Self::ProtocolName => "protocol-name",
            Self::InfoHash => "info-hash",
            Self::FrameLength => "frame-length",
            Self::MessageLength => "message-length",
            Self::Bencode(class) => class.name(),
            Self::NotDictionary => "not-dictionary",
            Self::MissingKey(_) => "missing-key",
            Self::WrongType(_) => "wrong-type",
            Self::OutOfRange(_) => "out-of-range",
            Self::CompactLength(_) => "compact-length",
            Self::FlagCount(_) => "flag-count",
            Self::MetadataLength => "metadata-length",
            Self::Action => "action",
            Self::ProtocolId => "protocol-id",
            Self::Event => "event",
            Self::QueryLength => "query-length",
            Self::MissingQuery => "missing-query",
            Self::PercentEncoding => "percent-encoding",
            Self::UnescapedByte => "unescaped-byte",
            Self::MissingParameter(_) => "missing-parameter",
            Self::DuplicateParameter(_) => "duplicate-parameter",
            Self::Parameter(_) => "parameter",
            Self::BitfieldLength => "bitfield-length",
            Self::SpareBits => "spare-bits",
            Self::PieceIndex => "piece-index",
            Self::EmptyBlock => "empty-block",
            Self::BlockLength => "block-length",
            Self::BlockRange => "block-range",
        }
    }

    /// The key or parameter at fault, if there is one.
    pub fn subject(self) -> Option<&'static str> {
        match self {
            Self::MissingKey(name)
            | Self::WrongType(name)
            | Self::OutOfRange(name)
            | Self::CompactLength(name)
            | Self::FlagCount(name)
            | Self::MissingParameter(name)
            | Self::DuplicateParameter(name)
            | Self::Parameter(name) => Some(name),
            _ => None,
        }
    }

    /// What the decoder expected instead.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Truncated => "more bytes",
            Self::TrailingBytes => "the end of the message",
            Self::ProtocolName => "the byte 19 and `BitTorrent protocol`",
            Self::InfoHash => "the info hash of the torrent served",
            Self::FrameLength => "a length prefix within the bound",
            Self::MessageLength => "the length that the message id demands",
            Self::Bencode(class) => class.expected(),
            Self::NotDictionary => "a dictionary",
            Self::MissingKey(_) => "the key",
            Self::WrongType(_) => "a value of the key's type",
            Self::OutOfRange(_) => "a value in the key's range",
            Self::CompactLength(_) => "a multiple of the size of a compact peer",
            Self::FlagCount(_) => "one byte of flags for each address",
            Self::MetadataLength => "16384 bytes, or the rest in the last block",
            Self::Action => "a known action",
            Self::ProtocolId => "the protocol id 0x41727101980",
            Self::Event => "an event from 0 to 3",
            Self::QueryLength => "a shorter request",
            Self::MissingQuery => "a query",
            Self::PercentEncoding => "two hexadecimal digits",
            Self::UnescapedByte => "a percent-encoded byte",
            Self::MissingParameter(_) => "the parameter",
            Self::DuplicateParameter(_) => "the parameter once",
            Self::Parameter(_) => "a value in the parameter's form",
            Self::BitfieldLength => "one bit for each piece, rounded up to bytes",
            Self::SpareBits => "spare bits of zero",
            Self::PieceIndex => "the index of a piece",
            Self::EmptyBlock => "at least one byte",
            Self::BlockLength => "a shorter block",
            Self::BlockRange => "a range within the piece",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.subject()
            .map_or(Ok(()), |subject| write!(f, " `{subject}`"))
    }
}

/// Why bytes are not a message.
///
/// The offset counts from the start of the decoded bytes: of the datagram, the payload, the request path, or of the
/// whole stream for a connection between peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{class} at byte {offset}: expected {}", class.expected())]
pub struct WireError {
    /// What is wrong.
    pub class: ErrorClass,
    /// The first byte at fault; the number of bytes where they end too early.
    pub offset: usize,
}

impl WireError {
    pub(crate) fn new(class: ErrorClass, offset: usize) -> Self {
        Self { class, offset }
    }

    /// The same fault in a part that starts at byte `base`.
    pub(crate) fn shifted(self, base: usize) -> Self {
        Self {
            class: self.class,
            offset: self.offset.saturating_add(base),
        }
    }
}

impl From<bencode::DecodeError> for WireError {
    fn from(error: bencode::DecodeError) -> Self {
        Self {
            class: ErrorClass::Bencode(error.class),
            offset: error.offset,
        }
    }
}

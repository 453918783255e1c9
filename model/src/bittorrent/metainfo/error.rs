//! What can be wrong with metainfo, and where.

use crate::bittorrent::wire::{self, WireError};
use std::fmt;

/// The kind of a metainfo error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MetainfoErrorClass {
    /// Malformed bencoding, a missing key, a wrong type, a value out of range.
    Field(wire::ErrorClass),
    /// `info` has neither `length` nor `files`.
    NoContent,
    /// `info` has both `length` and `files`.
    LengthAndFiles,
    /// `files` is empty.
    NoFiles,
    /// The lengths of all files add up to more than 64 bits.
    TotalLength,
    /// A name or a path component is empty, `.`, `..`, or has a slash or NUL.
    PathComponent,
    /// The length of `pieces` is not a multiple of 20.
    PiecesLength,
    /// The number of hashes is not the total length divided by the piece length, rounded up.
    PieceCount,
}

impl MetainfoErrorClass {
    /// The stable name of the class, as the golden vectors spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Field(class) => class.name(),
            Self::NoContent => "no-content",
            Self::LengthAndFiles => "length-and-files",
            Self::NoFiles => "no-files",
            Self::TotalLength => "total-length",
            Self::PathComponent => "path-component",
            Self::PiecesLength => "pieces-length",
            Self::PieceCount => "piece-count",
        }
    }

    /// What was expected instead.
    pub fn expected(self) -> &'static str {
        match self {
            Self::Field(class) => class.expected(),
            Self::NoContent => "`length` or `files` in `info`",
            Self::LengthAndFiles => "only one of `length` and `files` in `info`",
            Self::NoFiles => "at least one file",
            Self::TotalLength => "lengths that add up to 64 bits",
            Self::PathComponent => "a plain file name",
            Self::PiecesLength => "20 bytes for each piece",
            Self::PieceCount => "a hash for each piece",
        }
    }
}

impl fmt::Display for MetainfoErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(class) => class.fmt(f),
            other => f.write_str(other.name()),
        }
    }
}

/// Why bytes are not metainfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[error("{class} at byte {offset}: expected {}", class.expected())]
pub struct MetainfoError {
    /// What is wrong.
    pub class: MetainfoErrorClass,
    /// The start of the value at fault, or of the dictionary that lacks a key.
    pub offset: usize,
}

impl From<WireError> for MetainfoError {
    fn from(error: WireError) -> Self {
        Self {
            class: MetainfoErrorClass::Field(error.class),
            offset: error.offset,
        }
    }
}

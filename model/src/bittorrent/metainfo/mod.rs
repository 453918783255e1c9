//! Metainfo (BEP 3): what a torrent file says, and the hash of its `info` value.

mod error;
mod layout;
mod read;

pub use error::{MetainfoError, MetainfoErrorClass};
pub use layout::PieceLayout;

use super::message::InfoHash;
use crate::bencode::{Strictness, Tolerance, Value};
use sha1::{Digest, Sha1};

/// The content of a torrent file, version 1.
///
/// The raw bytes of `info` are kept: the info hash is taken over them, metadata exchange hands them over, and a
/// decode followed by an encode need not reproduce them. Keys that are not listed here are not kept outside of `info`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metainfo {
    /// `announce`: the tracker's URL.
    pub announce: Option<String>,
    /// `announce-list`: tiers of trackers (BEP 12); empty if absent.
    pub announce_list: Vec<Vec<String>>,
    info: Info,
    raw_info: Vec<u8>,
    info_hash: InfoHash,
}

/// The `info` value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Info {
    /// `name`: suggested name of the file or directory.
    pub name: Vec<u8>,
    /// `piece length` and the total length.
    pub layout: PieceLayout,
    /// `pieces`: the SHA-1 of each piece.
    pub pieces: Vec<[u8; 20]>,
    /// `length` or `files`.
    pub content: Content,
    /// `private`: peers come from the tracker only (BEP 27).
    pub private: bool,
}

/// One file or several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// `length`: a single file of this many bytes.
    Single(u64),
    /// `files`: the files, whose contents follow one another.
    Multi(Vec<FileEntry>),
}

/// A file of several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileEntry {
    /// Bytes.
    pub length: u64,
    /// Directories and name. No component is empty, `.`, `..`, or has a slash or NUL.
    pub path: Vec<Vec<u8>>,
}

impl Metainfo {
    /// Reads a torrent file in canonical form.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetainfoError> {
        read::parse(bytes)
    }

    /// Reads a torrent file, and notes departures from the canonical form.
    pub fn parse_tolerant(bytes: &[u8]) -> Result<(Self, Vec<Tolerance>), MetainfoError> {
        read::parse_tolerant(bytes)
    }

    /// Reads a raw `info` value in canonical form, as metadata exchange hands it over, with no tracker.
    pub fn from_raw_info(raw_info: &[u8]) -> Result<Self, MetainfoError> {
        let info = read::info(raw_info, Strictness::Strict)?;
        Ok(Self::of(None, Vec::new(), info, raw_info.to_vec()))
    }

    /// Reads a raw `info` value, and does not mind departures from the canonical form.
    pub fn from_raw_info_tolerant(raw_info: &[u8]) -> Result<Self, MetainfoError> {
        let info = read::info(raw_info, Strictness::Tolerant)?;
        Ok(Self::of(None, Vec::new(), info, raw_info.to_vec()))
    }

    /// A torrent of one file. None if `piece_length` is zero or there are more than 2^32 pieces.
    pub fn from_content(
        name: &[u8],
        piece_length: u32,
        content: &[u8],
        announce: Option<&str>,
    ) -> Option<Self> {
        let length = content.len() as u64;
        Self::build(
            name,
            piece_length,
            content,
            announce,
            Content::Single(length),
            false,
        )
    }

    /// A torrent of the given content, hashed here.
    ///
    /// None if `piece_length` is zero, there are more than 2^32 pieces, or the lengths do not add up to the content.
    pub fn build(
        name: &[u8],
        piece_length: u32,
        bytes: &[u8],
        announce: Option<&str>,
        content: Content,
        private: bool,
    ) -> Option<Self> {
        let layout = PieceLayout::new(piece_length, bytes.len() as u64)?;
        if content.total_len() != Some(layout.total_len()) {
            return None;
        }
        let pieces = bytes
            .chunks(piece_length as usize)
            .map(|piece| Sha1::digest(piece).into())
            .collect();
        let info = Info {
            name: name.to_vec(),
            layout,
            pieces,
            content,
            private,
        };
        let raw_info = info.value().encode();
        Some(Self::of(
            announce.map(str::to_owned),
            Vec::new(),
            info,
            raw_info,
        ))
    }

    fn of(
        announce: Option<String>,
        announce_list: Vec<Vec<String>>,
        info: Info,
        raw_info: Vec<u8>,
    ) -> Self {
        let info_hash = InfoHash(Sha1::digest(&raw_info).into());
        Self {
            announce,
            announce_list,
            info,
            raw_info,
            info_hash,
        }
    }

    /// The `info` value.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The SHA-1 of the raw `info` value.
    pub fn info_hash(&self) -> InfoHash {
        self.info_hash
    }

    /// The raw `info` value.
    pub fn raw_info(&self) -> &[u8] {
        &self.raw_info
    }

    /// Bytes of the content.
    pub fn total_len(&self) -> u64 {
        self.info.layout.total_len()
    }

    /// Bytes of a piece, if there is one of this index; the last may be shorter than the others.
    pub fn piece_len(&self, index: u32) -> Option<u32> {
        self.info.layout.piece_len(index)
    }

    /// Whether `data` is the piece of this index.
    pub fn is_piece(&self, index: u32, data: &[u8]) -> bool {
        let expected = self.info.pieces.get(index as usize);
        expected.is_some_and(|hash| *hash == <[u8; 20]>::from(Sha1::digest(data)))
    }

    /// The bytes of the torrent file: `announce`, `announce-list` and the raw `info` value.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = b"d".to_vec();
        let mut put = |key: &str, value: &[u8]| {
            out.extend_from_slice(&Value::from(key).encode());
            out.extend_from_slice(value);
        };
        if let Some(announce) = &self.announce {
            put("announce", &Value::from(announce.as_str()).encode());
        }
        if !self.announce_list.is_empty() {
            let tier = |urls: &Vec<String>| {
                Value::List(urls.iter().map(|url| Value::from(url.as_str())).collect())
            };
            put(
                "announce-list",
                &Value::List(self.announce_list.iter().map(tier).collect()).encode(),
            );
        }
        put("info", &self.raw_info);
        out.push(b'e');
        out
    }
}

impl Content {
    /// Bytes of all files, if that is a number.
    pub fn total_len(&self) -> Option<u64> {
        match self {
            Self::Single(length) => Some(*length),
            Self::Multi(files) => files
                .iter()
                .try_fold(0_u64, |total, file| total.checked_add(file.length)),
        }
    }
}

impl Info {
    /// The value in canonical form, with the keys of version 1 only.
    fn value(&self) -> Value {
        let length = |length: u64| Value::Integer(i64::try_from(length).unwrap_or(i64::MAX));
        let mut entries = vec![
            ("name", Value::Bytes(self.name.clone())),
            ("piece length", Value::from(self.layout.piece_length())),
            ("pieces", Value::Bytes(self.pieces.concat())),
        ];
        entries.push(match &self.content {
            Content::Single(bytes) => ("length", length(*bytes)),
            Content::Multi(files) => {
                let file = |file: &FileEntry| {
                    let path = file.path.iter().cloned().map(Value::Bytes).collect();
                    Value::dict([("length", length(file.length)), ("path", Value::List(path))])
                };
                ("files", Value::List(files.iter().map(file).collect()))
            }
        });
        if self.private {
            entries.push(("private", Value::Integer(1)));
        }
        Value::dict(entries)
    }
}

/// Hashes and raw bytes are left out: they would bury the rest.
impl std::fmt::Debug for Metainfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metainfo")
            .field("info_hash", &self.info_hash)
            .field("announce", &self.announce)
            .field("announce_list", &self.announce_list)
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Info {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Info")
            .field("name", &self.name.escape_ascii().to_string())
            .field("layout", &self.layout)
            .field("content", &self.content)
            .field("private", &self.private)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

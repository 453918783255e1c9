//! Bencoding (BEP 3): a strict, bounded decoder without recursion, and a canonical encoder.
//!
//! | form | shape |
//! |---|---|
//! | integer | `i<decimal>e` |
//! | string | `<length>:<bytes>` |
//! | list | `l...e` |
//! | dictionary | `d...e`, keys are strings in ascending order of their raw bytes |
//!
//! [`decode`] accepts only the canonical form. [`decode_tolerant`] also accepts what deployed software reads
//! with a warning (unsorted keys, duplicate keys, leading zeros of a string length), and lists what it met.
//! Both keep the span of every value of the outermost dictionary, because an info hash is taken over the raw bytes.

mod decode;
mod encode;
mod error;

use std::collections::BTreeMap;
use std::fmt;

pub use decode::{Decoded, Decoder, Limits, Strictness, decode, decode_prefix, decode_tolerant};
pub use encode::encode_into;
pub use error::{DecodeError, ErrorClass, Tolerance, ToleranceKind};

/// A bencoded value.
///
/// Integers are `i64`: BEP 3 sets no bound, but every integer of the protocols here is a size, a count, a port or
/// a time and fits; a larger one is reported as [`ErrorClass::IntegerOverflow`], not as malformed input.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `i<decimal>e`
    Integer(i64),
    /// `<length>:<bytes>`
    Bytes(Vec<u8>),
    /// `l...e`
    List(Vec<Value>),
    /// `d...e`
    Dict(BTreeMap<Vec<u8>, Value>),
}

impl Value {
    /// The integer, if this is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// The bytes, if this is a string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The entries, if this is a dictionary.
    pub fn as_dict(&self) -> Option<&BTreeMap<Vec<u8>, Value>> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// The value under `key`, if this is a dictionary that has it.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_dict()?.get(key.as_bytes())
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        encode_into(self, &mut out);
        out
    }

    /// A dictionary of the given entries.
    pub fn dict<K: Into<Vec<u8>>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Dict(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<u32> for Value {
    fn from(integer: u32) -> Self {
        Self::Integer(i64::from(integer))
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

/// Strings print as text with escapes, because most keys and many values are ASCII.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Bytes(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::List(list) => f.debug_list().entries(list).finish(),
            Self::Dict(dict) => f
                .debug_map()
                .entries(
                    dict.iter()
                        .map(|(key, value)| (key.escape_ascii().to_string(), value)),
                )
                .finish(),
        }
    }
}

#[cfg(test)]
mod tests;

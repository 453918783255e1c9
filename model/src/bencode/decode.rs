//! The bounded decoder, its limits, and what it returns.

mod run;

use super::{DecodeError, ErrorClass, Tolerance, Value};
use run::Run;
use std::ops::Range;

/// Bounds of what a decoder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Nested lists and dictionaries.
    pub depth: usize,
    /// Values and keys together.
    pub items: usize,
    /// Bytes of the input.
    pub length: usize,
}

impl Limits {
    /// For files that a user names, such as metainfo: up to 16 MiB.
    pub const FILE: Self = Self {
        depth: 100,
        items: 1_000_000,
        length: 16 << 20,
    };
    /// For what a peer or tracker sends: up to 1 MiB.
    pub const MESSAGE: Self = Self {
        depth: 16,
        items: 20_000,
        length: 1 << 20,
    };
}

/// Whether departures from the canonical form are errors or are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strictness {
    /// Only the canonical form.
    Strict,
    /// The departures of [`ToleranceKind`](super::ToleranceKind) are noted.
    Tolerant,
}

/// Decodes the canonical form of one value with nothing behind it.
pub fn decode(input: &[u8]) -> Result<Value, DecodeError> {
    Ok(Decoder::strict(Limits::FILE).decode(input)?.value)
}

/// Decodes one value in canonical form from the front of `input`, and tells how many bytes it took.
pub fn decode_prefix(input: &[u8]) -> Result<(Value, usize), DecodeError> {
    let decoded = Decoder::strict(Limits::FILE).decode_prefix(input)?;
    Ok((decoded.value, decoded.length))
}

/// Decodes one value with nothing behind it, and notes tolerated departures from the canonical form.
pub fn decode_tolerant(input: &[u8]) -> Result<Decoded<'_>, DecodeError> {
    Decoder::tolerant(Limits::FILE).decode(input)
}

/// A decoded value with what is known about its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The value.
    pub value: Value,
    /// The number of bytes it took.
    pub length: usize,
    /// Departures from the canonical form, in order of their offset; empty after a strict decode.
    pub tolerances: Vec<Tolerance>,
    input: &'a [u8],
    /// Key and value of each entry of the outermost dictionary; of duplicates the first.
    entries: Vec<(Range<usize>, Range<usize>)>,
}

impl<'a> Decoded<'a> {
    /// Where the value of `key` lies, if the outermost value is a dictionary that has it.
    pub fn span(&self, key: &[u8]) -> Option<Range<usize>> {
        let entry = self
            .entries
            .iter()
            .find(|(name, _)| self.input.get(name.clone()) == Some(key))?;
        Some(entry.1.clone())
    }

    /// The raw bytes of the value of `key`, if the outermost value is a dictionary that has it.
    pub fn raw(&self, key: &[u8]) -> Option<&'a [u8]> {
        self.input.get(self.span(key)?)
    }
}

/// A decoder with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoder {
    /// The bounds.
    pub limits: Limits,
    /// What happens on departures from the canonical form.
    pub strictness: Strictness,
}

impl Decoder {
    /// A decoder that accepts only the canonical form.
    pub fn strict(limits: Limits) -> Self {
        Self {
            limits,
            strictness: Strictness::Strict,
        }
    }

    /// A decoder that notes tolerated departures from the canonical form.
    pub fn tolerant(limits: Limits) -> Self {
        Self {
            limits,
            strictness: Strictness::Tolerant,
        }
    }

    /// Decodes one value with nothing behind it.
    pub fn decode<'a>(&self, input: &'a [u8]) -> Result<Decoded<'a>, DecodeError> {
        if input.len() > self.limits.length {
            return Err(DecodeError {
                class: ErrorClass::InputLimit,
                offset: self.limits.length,
            });
        }
        let decoded = self.decode_prefix(input)?;
        if decoded.length < input.len() {
            return Err(DecodeError {
                class: ErrorClass::TrailingBytes,
                offset: decoded.length,
            });
        }
        Ok(decoded)
    }

    /// Decodes one value from the front of `input`. The length limit holds for the value, not for what follows.
    pub fn decode_prefix<'a>(&self, input: &'a [u8]) -> Result<Decoded<'a>, DecodeError> {
        let window = input.get(..self.limits.length).unwrap_or(input);
        let mut run = Run::new(*self, window, window.len() < input.len());
        let value = run.value()?;
        Ok(Decoded {
            value,
            length: run.at,
            tolerances: run.tolerances,
            input,
            entries: run.entries,
        })
    }
}

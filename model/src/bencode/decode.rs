//! The bounded decoder: one loop over an explicit stack of open lists and dictionaries.

use super::{DecodeError, ErrorClass, Tolerance, ToleranceKind, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
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
    /// The departures of [`ToleranceKind`] are noted.
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
        let mut run = Run {
            input: window,
            truncated: window.len() < input.len(),
            at: 0,
            items: 0,
            decoder: *self,
            tolerances: Vec::new(),
            open: Vec::new(),
            entries: Vec::new(),
        };
        let value = run.value()?;
        let Run {
            at: length,
            tolerances,
            entries,
            ..
        } = run;
        Ok(Decoded {
            value,
            length,
            tolerances,
            input,
            entries,
        })
    }
}

/// A list or dictionary whose end has not been read.
enum Open {
    List(Vec<Value>),
    Dict {
        entries: BTreeMap<Vec<u8>, Value>,
        last: Option<Range<usize>>,
        start: usize,
    },
}

/// One run of a decoder over an input.
struct Run<'a> {
    input: &'a [u8],
    truncated: bool,
    at: usize,
    items: usize,
    decoder: Decoder,
    tolerances: Vec<Tolerance>,
    open: Vec<Open>,
    entries: Vec<(Range<usize>, Range<usize>)>,
}

impl Run<'_> {
    fn value(&mut self) -> Result<Value, DecodeError> {
        loop {
            let mut complete = match self.opening()? {
                Some(value) => value,
                None => continue,
            };
            // A complete value closes into its parent, which may be complete with it at the next `e`.
            loop {
                match self.open.pop() {
                    None => return Ok(complete),
                    Some(parent) => {
                        let parent = self.place(parent, complete);
                        self.open.push(parent);
                    }
                }
                match self.closing()? {
                    Some(value) => complete = value,
                    None => break,
                }
            }
        }
    }

    /// Reads a scalar, or opens a list or dictionary; an empty one is complete at once.
    fn opening(&mut self) -> Result<Option<Value>, DecodeError> {
        self.count_item()?;
        let start = self.at;
        match self.peek()? {
            b'i' => Ok(Some(Value::Integer(self.integer()?))),
            b'0'..=b'9' => {
                let span = self.string()?;
                Ok(Some(Value::Bytes(self.input[span].to_vec())))
            }
            byte @ (b'l' | b'd') => {
                if self.open.len() >= self.decoder.limits.depth {
                    return Err(error(ErrorClass::DepthLimit, start));
                }
                self.at += 1;
                self.open.push(if byte == b'l' {
                    Open::List(Vec::new())
                } else {
                    Open::Dict {
                        entries: BTreeMap::new(),
                        last: None,
                        start: 0,
                    }
                });
                self.closing()
            }
            b'e' if matches!(self.open.last(), Some(Open::Dict { .. })) => {
                Err(error(ErrorClass::MissingValue, start))
            }
            _ => Err(error(ErrorClass::UnexpectedByte, start)),
        }
    }

    /// Reads the `e` of the innermost open value, if it comes next, and otherwise the next key of a dictionary.
    fn closing(&mut self) -> Result<Option<Value>, DecodeError> {
        if self.peek()? == b'e' {
            self.at += 1;
            return Ok(match self.open.pop() {
                Some(Open::List(list)) => Some(Value::List(list)),
                Some(Open::Dict { entries, .. }) => Some(Value::Dict(entries)),
                None => None,
            });
        }
        if matches!(self.open.last(), Some(Open::Dict { .. })) {
            self.key()?;
        }
        Ok(None)
    }

    fn key(&mut self) -> Result<(), DecodeError> {
        let offset = self.at;
        self.count_item()?;
        if !self.peek()?.is_ascii_digit() {
            return Err(error(ErrorClass::NonStringKey, offset));
        }
        let key = self.string()?;
        let value_start = self.at;
        let departure = match self.open.last() {
            Some(Open::Dict {
                entries,
                last: Some(last),
                ..
            }) => {
                let name = &self.input[key.clone()];
                match name.cmp(&self.input[last.clone()]) {
                    // Only after a disorder can a key be larger than the last one and yet known.
                    Ordering::Greater if self.tolerances.is_empty() => None,
                    _ if entries.contains_key(name) => Some(ToleranceKind::DuplicateKey),
                    Ordering::Less => Some(ToleranceKind::UnsortedKey),
                    Ordering::Greater | Ordering::Equal => None,
                }
            }
            _ => None,
        };
        if let Some(kind) = departure {
            self.tolerate(kind, offset)?;
        }
        if let Some(Open::Dict { last, start, .. }) = self.open.last_mut() {
            *last = Some(key);
            *start = value_start;
        }
        Ok(())
    }

    /// Puts a complete value into its parent. Of duplicate keys the first value counts, as in libtorrent.
    fn place(&mut self, parent: Open, value: Value) -> Open {
        match parent {
            Open::List(mut list) => {
                list.push(value);
                Open::List(list)
            }
            Open::Dict {
                mut entries,
                last,
                start,
            } => {
                if let Some(key) = &last {
                    let name = &self.input[key.clone()];
                    if !entries.contains_key(name) {
                        if self.open.is_empty() {
                            self.entries.push((key.clone(), start..self.at));
                        }
                        entries.insert(name.to_vec(), value);
                    }
                }
                Open::Dict {
                    entries,
                    last,
                    start,
                }
            }
        }
    }

    fn integer(&mut self) -> Result<i64, DecodeError> {
        self.at += 1;
        let start = self.at;
        let negative = self.peek()? == b'-';
        if negative {
            self.at += 1;
        }
        let digits = self.at;
        let mut value = Some(0_i64);
        loop {
            match self.peek()? {
                byte @ b'0'..=b'9' => {
                    let digit = i64::from(byte - b'0');
                    value = value
                        .and_then(|value| value.checked_mul(10))
                        .and_then(|value| {
                            if negative {
                                value.checked_sub(digit)
                            } else {
                                value.checked_add(digit)
                            }
                        });
                    self.at += 1;
                }
                b'e' => break,
                _ => return Err(error(ErrorClass::InvalidInteger, self.at)),
            }
        }
        let count = self.at - digits;
        let zero = self.input.get(digits) == Some(&b'0');
        match (count, zero, negative) {
            (0, ..) => Err(error(ErrorClass::EmptyInteger, digits)),
            (1, true, true) => Err(error(ErrorClass::NegativeZero, start)),
            (2.., true, _) => Err(error(ErrorClass::IntegerLeadingZero, digits)),
            _ => {
                self.at += 1;
                value.ok_or(error(ErrorClass::IntegerOverflow, start))
            }
        }
    }

    /// Reads a string and returns where its bytes lie.
    fn string(&mut self) -> Result<Range<usize>, DecodeError> {
        let start = self.at;
        let mut length = 0_usize;
        loop {
            match self.peek()? {
                byte @ b'0'..=b'9' => {
                    length = length
                        .checked_mul(10)
                        .and_then(|length| length.checked_add(usize::from(byte - b'0')))
                        .ok_or(error(ErrorClass::LengthOverflow, start))?;
                    self.at += 1;
                }
                b':' => break,
                _ => return Err(error(ErrorClass::InvalidLength, self.at)),
            }
        }
        if self.input.get(start) == Some(&b'0') && self.at - start > 1 {
            self.tolerate(ToleranceKind::LengthLeadingZero, start)?;
        }
        self.at += 1;
        if length > self.input.len() - self.at {
            return Err(self.ended());
        }
        let span = self.at..self.at + length;
        self.at = span.end;
        Ok(span)
    }

    fn tolerate(&mut self, kind: ToleranceKind, offset: usize) -> Result<(), DecodeError> {
        match self.decoder.strictness {
            Strictness::Strict => Err(error(kind.class(), offset)),
            Strictness::Tolerant => {
                self.tolerances.push(Tolerance { kind, offset });
                Ok(())
            }
        }
    }

    fn count_item(&mut self) -> Result<(), DecodeError> {
        self.items += 1;
        if self.items > self.decoder.limits.items {
            return Err(error(ErrorClass::ItemLimit, self.at));
        }
        Ok(())
    }

    fn peek(&self) -> Result<u8, DecodeError> {
        self.input.get(self.at).copied().ok_or_else(|| self.ended())
    }

    /// The input ended, or its part within the length limit did.
    fn ended(&self) -> DecodeError {
        let class = if self.truncated {
            ErrorClass::InputLimit
        } else {
            ErrorClass::UnexpectedEnd
        };
        error(class, self.input.len())
    }
}

fn error(class: ErrorClass, offset: usize) -> DecodeError {
    DecodeError { class, offset }
}

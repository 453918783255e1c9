//! One loop over an explicit stack of open lists and dictionaries.

use super::{Decoder, Strictness};
use crate::bencode::{DecodeError, ErrorClass, Tolerance, ToleranceKind, Value};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

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
pub(super) struct Run<'a> {
    input: &'a [u8],
    truncated: bool,
    pub(super) at: usize,
    items: usize,
    decoder: Decoder,
    pub(super) tolerances: Vec<Tolerance>,
    open: Vec<Open>,
    pub(super) entries: Vec<(Range<usize>, Range<usize>)>,
}

impl<'a> Run<'a> {
    /// `truncated` says that the input goes on beyond the length limit.
    pub(super) fn new(decoder: Decoder, input: &'a [u8], truncated: bool) -> Self {
        Self {
            input,
            truncated,
            at: 0,
            items: 0,
            decoder,
            tolerances: Vec::new(),
            open: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// Reads one value from the front of the input.
    pub(super) fn value(&mut self) -> Result<Value, DecodeError> {
        'values: loop {
            let mut complete = match self.opening()? {
                Some(value) => value,
                None => continue,
            };
            // A complete value goes into its parent, which may be complete with it at the next `e`.
            while !self.open.is_empty() {
                self.place(complete);
                complete = match self.closing()? {
                    Some(value) => value,
                    None => continue 'values,
                };
            }
            return Ok(complete);
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
    fn place(&mut self, value: Value) {
        let outermost = self.open.len() == 1;
        match self.open.last_mut() {
            Some(Open::List(list)) => list.push(value),
            Some(Open::Dict {
                entries,
                last: Some(key),
                start,
            }) => {
                if let Entry::Vacant(entry) = entries.entry(self.input[key.clone()].to_vec()) {
                    if outermost {
                        self.entries.push((key.clone(), *start..self.at));
                    }
                    entry.insert(value);
                }
            }
            // A dictionary has read a key before any value, and without a parent there is no call.
            Some(Open::Dict { last: None, .. }) | None => {}
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

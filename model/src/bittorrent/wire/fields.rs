//! Reading the entries of an outermost dictionary by key, with the place of each for errors.

use super::{ErrorClass, WireError};
use crate::bencode::{Decoded, Decoder, Tolerance, Value};
use std::collections::BTreeMap;
use std::ops::Range;

/// A decoded dictionary.
pub(crate) struct Fields<'a> {
    decoded: Decoded<'a>,
}

impl<'a> Fields<'a> {
    /// Decodes a dictionary with nothing behind it.
    pub(crate) fn decode(decoder: Decoder, input: &'a [u8]) -> Result<Self, WireError> {
        Self::of(decoder.decode(input)?)
    }

    /// Decodes a dictionary from the front of `input`.
    pub(crate) fn decode_prefix(decoder: Decoder, input: &'a [u8]) -> Result<Self, WireError> {
        Self::of(decoder.decode_prefix(input)?)
    }

    fn of(decoded: Decoded<'a>) -> Result<Self, WireError> {
        match decoded.value {
            Value::Dict(_) => Ok(Self { decoded }),
            _ => Err(WireError::new(ErrorClass::NotDictionary, 0)),
        }
    }

    /// Bytes that the dictionary takes.
    pub(crate) fn length(&self) -> usize {
        self.decoded.length
    }

    /// Departures from the canonical form.
    pub(crate) fn into_tolerances(self) -> Vec<Tolerance> {
        self.decoded.tolerances
    }

    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.decoded.value.get(key)
    }

    pub(crate) fn raw(&self, key: &str) -> Option<&'a [u8]> {
        self.decoded.raw(key.as_bytes())
    }

    pub(crate) fn span(&self, key: &str) -> Option<Range<usize>> {
        self.decoded.span(key.as_bytes())
    }

    /// An error about the value of `key`, at its place.
    pub(crate) fn fault(&self, class: ErrorClass, key: &str) -> WireError {
        WireError::new(class, self.span(key).map_or(0, |span| span.start))
    }

    /// The error that `key` is missing, at the start of the dictionary.
    pub(crate) fn missing(&self, key: &'static str) -> WireError {
        WireError::new(ErrorClass::MissingKey(key), 0)
    }

    pub(crate) fn bytes(&self, key: &'static str) -> Result<Option<&[u8]>, WireError> {
        self.typed(key, Value::as_bytes)
    }

    pub(crate) fn owned_bytes(&self, key: &'static str) -> Result<Option<Vec<u8>>, WireError> {
        Ok(self.bytes(key)?.map(<[u8]>::to_vec))
    }

    pub(crate) fn list(&self, key: &'static str) -> Result<Option<&[Value]>, WireError> {
        self.typed(key, Value::as_list)
    }

    pub(crate) fn dict(
        &self,
        key: &'static str,
    ) -> Result<Option<&BTreeMap<Vec<u8>, Value>>, WireError> {
        self.typed(key, Value::as_dict)
    }

    /// An integer in the range of `T`.
    pub(crate) fn number<T: TryFrom<i64>>(
        &self,
        key: &'static str,
    ) -> Result<Option<T>, WireError> {
        let Some(integer) = self.typed(key, Value::as_integer)? else {
            return Ok(None);
        };
        match T::try_from(integer) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(self.fault(ErrorClass::OutOfRange(key), key)),
        }
    }

    /// A string that `parse` understands; `class` if it does not.
    pub(crate) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, WireError> {
        let Some(bytes) = self.bytes(key)? else {
            return Ok(None);
        };
        parse(bytes)
            .map(Some)
            .ok_or_else(|| self.fault(ErrorClass::OutOfRange(key), key))
    }

    fn typed<'b, T>(
        &'b self,
        key: &'static str,
        read: impl FnOnce(&'b Value) -> Option<T>,
    ) -> Result<Option<T>, WireError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        read(value)
            .map(Some)
            .ok_or_else(|| self.fault(ErrorClass::WrongType(key), key))
    }
}

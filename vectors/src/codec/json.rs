//! Reading and writing the JSON of values.
//!
//! Byte strings are hexadecimal digits; numbers that may exceed 2^53 are decimal strings; absent parts are left out.

use serde_json::{Map, Value};
use std::fmt::Display;
use std::str::FromStr;

/// An object under construction.
pub(super) struct Object(Map<String, Value>);

impl Object {
    pub(super) fn new() -> Self {
        Self(Map::new())
    }

    /// An object that says which of several messages it is.
    pub(super) fn of_type(name: &str) -> Self {
        Self::new().put("type", name)
    }

    pub(super) fn put(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    pub(super) fn bytes(self, key: &str, bytes: &[u8]) -> Self {
        self.put(key, hex::encode(bytes))
    }

    /// A number that may exceed 2^53, or anything else that is written as text.
    pub(super) fn text(self, key: &str, value: impl Display) -> Self {
        self.put(key, value.to_string())
    }

    pub(super) fn texts<T: Display>(self, key: &str, values: &[T]) -> Self {
        self.put(
            key,
            values.iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
    }

    pub(super) fn put_some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    pub(super) fn bytes_some(self, key: &str, bytes: Option<&[u8]>) -> Self {
        self.put_some(key, bytes.map(hex::encode))
    }

    pub(super) fn text_some(self, key: &str, value: Option<impl Display>) -> Self {
        self.put_some(key, value.map(|value| value.to_string()))
    }

    pub(super) fn build(self) -> Value {
        Value::Object(self.0)
    }
}

/// An object being read.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a>(&'a Map<String, Value>);

impl<'a> Parts<'a> {
    pub(super) fn of(value: &'a Value) -> Result<Self, String> {
        value
            .as_object()
            .map(Self)
            .ok_or_else(|| format!("expected an object, not {value}"))
    }

    pub(super) fn type_name(self) -> Result<&'a str, String> {
        self.string("type")
    }

    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key)
    }

    pub(super) fn required(self, key: &str) -> Result<&'a Value, String> {
        self.get(key).ok_or_else(|| format!("`{key}` is missing"))
    }

    pub(super) fn string(self, key: &str) -> Result<&'a str, String> {
        string(self.required(key)?)
    }

    pub(super) fn list(self, key: &str) -> Result<&'a [Value], String> {
        let value = self.required(key)?;
        value
            .as_array()
            .map(Vec::as_slice)
            .ok_or_else(|| format!("`{key}` is not a list"))
    }

    pub(super) fn number<T: TryFrom<i64>>(self, key: &str) -> Result<T, String> {
        number(self.required(key)?)
    }

    pub(super) fn number_some<T: TryFrom<i64>>(self, key: &str) -> Result<Option<T>, String> {
        self.get(key).map(number).transpose()
    }

    pub(super) fn flag_some(self, key: &str) -> Result<Option<bool>, String> {
        let flag = |value: &Value| {
            value
                .as_bool()
                .ok_or_else(|| format!("`{key}` is not true or false"))
        };
        self.get(key).map(flag).transpose()
    }

    pub(super) fn bytes(self, key: &str) -> Result<Vec<u8>, String> {
        bytes(self.required(key)?)
    }

    pub(super) fn bytes_some(self, key: &str) -> Result<Option<Vec<u8>>, String> {
        self.get(key).map(bytes).transpose()
    }

    pub(super) fn array<const N: usize>(self, key: &str) -> Result<[u8; N], String> {
        array(self.required(key)?)
    }

    pub(super) fn text<T: FromStr>(self, key: &str) -> Result<T, String> {
        text(self.required(key)?)
    }

    pub(super) fn text_some<T: FromStr>(self, key: &str) -> Result<Option<T>, String> {
        self.get(key).map(text).transpose()
    }

    pub(super) fn texts<T: FromStr>(self, key: &str) -> Result<Vec<T>, String> {
        self.list(key)?.iter().map(text).collect()
    }
}

pub(super) fn string(value: &Value) -> Result<&str, String> {
    value
        .as_str()
        .ok_or_else(|| format!("expected a string, not {value}"))
}

pub(super) fn bytes(value: &Value) -> Result<Vec<u8>, String> {
    hex::decode(string(value)?).map_err(|error| format!("{value} is not hexadecimal: {error}"))
}

pub(super) fn array<const N: usize>(value: &Value) -> Result<[u8; N], String> {
    bytes(value)?
        .try_into()
        .map_err(|_| format!("{value} is not {N} bytes"))
}

pub(super) fn number<T: TryFrom<i64>>(value: &Value) -> Result<T, String> {
    let number = value.as_i64().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("{value} is not a number of the range"))
}

pub(super) fn text<T: FromStr>(value: &Value) -> Result<T, String> {
    string(value)?
        .parse()
        .map_err(|_| format!("{value} is malformed"))
}

//! The messages as JSON: the profile `chord/1`, which only nodes of this project, and those written for it, speak.
//!
//! A message is an object with a `type`: `query`, `answer`, `relay`, `notify`, `update_finger`, `goodbye`; the questions
//! and answers inside have a `kind`. The other fields are those of [`Message`]. Points are numbers, or 40 hexadecimal
//! digits where 53 bits are not enough; values are strings.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::message::Message;
use crate::space::circle::Id;

/// The name of this profile.
pub const PROFILE: &str = "chord/1";

/// The most points that a message may name.
pub const MOST_POINTS: usize = 4096;

/// The largest number that every JSON reader reads exactly.
const EXACT: u64 = (1 << 53) - 1;

/// The message in JSON.
pub fn encode(message: &Message) -> Value {
    // No map in it has a key that is no string, which is all that can go wrong.
    serde_json::to_value(message).unwrap_or(Value::Null)
}

/// The message of that JSON, or why there is none.
///
/// # Errors
/// It has another form, or names too many points.
pub fn decode(value: &Value) -> Result<Message, ProfileError> {
    let message =
        Message::deserialize(value).map_err(|error| ProfileError::Form(error.to_string()))?;
    let count = message.points().len();
    if count > MOST_POINTS {
        return Err(ProfileError::TooMany(count));
    }
    Ok(message)
}

/// Why JSON is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It has another form.
    #[error("no message of {PROFILE}: {0}")]
    Form(String),
    /// It names too many points.
    #[error("{0} points are more than {MOST_POINTS}")]
    TooMany(usize),
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.small() {
            Some(small) if small <= EXACT => serializer.serialize_u64(small),
            _ => serializer.serialize_str(&self.digits()),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Point {
            Number(u64),
            Digits(String),
        }
        match Point::deserialize(deserializer)? {
            Point::Number(number) => Ok(Self::from(number)),
            Point::Digits(digits) => Self::from_digits(&digits).ok_or_else(|| {
                D::Error::custom(format_args!("{digits:?} is no point of a circle"))
            }),
        }
    }
}

/// Values as strings.
pub(super) mod text {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::chord) fn serialize<S: Serializer>(
        value: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = value.as_ref().map(|bytes| String::from_utf8_lossy(bytes));
        text.serialize(serializer)
    }

    pub(in crate::chord) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(String::into_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chord::message::{Answer, Entry, Query};
    use serde_json::json;

    fn point(number: u64) -> Id {
        Id::from(number)
    }

    /// Hand-written, from the text of docs/control-plane.md.
    fn examples() -> Vec<(Value, Message)> {
        vec![
            (
                json!({"type": "query", "tag": 3, "query": {"kind": "route", "key": 42, "failed": [16]}}),
                Message::Query {
                    tag: 3,
                    query: Query::Route {
                        key: point(42),
                        failed: vec![point(16)],
                    },
                },
            ),
            (
                json!({"type": "query", "tag": 4, "query": {"kind": "neighbours"}}),
                Message::Query {
                    tag: 4,
                    query: Query::Neighbours,
                },
            ),
            (
                json!({"type": "answer", "tag": 4, "answer": {"kind": "neighbours", "predecessor": null, "successors": [80, 96]}}),
                Message::Answer {
                    tag: 4,
                    answer: Answer::Neighbours {
                        predecessor: None,
                        successors: vec![point(80), point(96)],
                    },
                },
            ),
            (
                json!({"type": "query", "tag": 5, "query": {"kind": "hold", "as_owner": true,
                    "entries": [{"key": 42, "version": 1, "value": "apple"}, {"key": 43, "version": 2, "value": null}]}}),
                Message::Query {
                    tag: 5,
                    query: Query::Hold {
                        entries: vec![
                            Entry {
                                key: point(42),
                                version: 1,
                                value: Some(b"apple".to_vec()),
                            },
                            Entry {
                                key: point(43),
                                version: 2,
                                value: None,
                            },
                        ],
                        as_owner: true,
                    },
                },
            ),
            (json!({"type": "notify"}), Message::Notify),
        ]
    }

    #[test]
    fn messages_and_json_say_the_same() {
        for (value, message) in examples() {
            assert_eq!(decode(&value).expect("a message"), message);
            assert_eq!(encode(&message), value);
        }
    }

    #[test]
    fn what_has_another_form_is_refused() {
        for wrong in [
            json!({"type": "query", "tag": 3}),
            json!({"type": "notified"}),
            json!({"type": "query", "tag": -1, "query": {"kind": "ping"}}),
            json!({"type": "answer", "tag": 1, "answer": {"kind": "alive"}, "more": 1}),
            json!([]),
            json!({"type": "update_finger", "node": "5", "finger": 1}),
        ] {
            assert!(decode(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn too_many_points_are_refused() {
        let failed: Vec<u64> = (0..5000).collect();
        let flood = json!({"type": "query", "tag": 3, "query": {"kind": "route", "key": 42, "failed": failed}});
        assert_eq!(decode(&flood), Err(ProfileError::TooMany(5001)));
    }

    #[test]
    fn large_points_are_digits() {
        let digits = "8b218ce7811e3ca7aea9e5a1f18a4da64262c644";
        let value = json!({"type": "update_finger", "node": digits, "finger": 1});
        let message = decode(&value).expect("a message");
        assert_eq!(encode(&message), value);
    }
}

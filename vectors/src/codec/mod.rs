//! Which wire format reads which message, with values as JSON.

mod bencode;
mod extension;
mod json;
mod metainfo;
mod peer;
mod tracker_http;
mod tracker_udp;

use crate::file::Context;
use peerproof_model::bencode::Tolerance;
use peerproof_model::bittorrent::wire::WireError;
use serde_json::Value;
use std::fmt;

pub(crate) use peerproof_model::bencode::Strictness;

/// From bytes to the JSON of a value.
type Decode = fn(&[u8], &Context, Strictness) -> Result<Decoded, Fault>;

/// From the JSON of a value to bytes.
type Encode = fn(&Value) -> Result<Vec<u8>, String>;

/// The wire format of one message.
pub(crate) struct Codec {
    pub(crate) protocol: &'static str,
    pub(crate) message: &'static str,
    pub(crate) decode: Decode,
    /// None for what is computed from the bytes rather than written in them.
    pub(crate) encode: Option<Encode>,
}

/// A decoded message.
pub(crate) struct Decoded {
    pub(crate) value: Value,
    /// What a strict decoder would have refused.
    pub(crate) tolerated: Vec<Fault>,
}

/// Why bytes are not a message, in the words of the vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of the fault.
    pub class: &'static str,
    /// The first byte at fault.
    pub offset: usize,
    /// The key or parameter at fault, if there is one.
    pub subject: Option<&'static str>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.class)?;
        if let Some(subject) = self.subject {
            write!(f, " `{subject}`")?;
        }
        write!(f, " at byte {}", self.offset)
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Self {
        Self {
            class: error.class.name(),
            offset: error.offset,
            subject: error.class.subject(),
        }
    }
}

impl From<Tolerance> for Fault {
    fn from(tolerance: Tolerance) -> Self {
        Self {
            class: tolerance.kind.class().name(),
            offset: tolerance.offset,
            subject: None,
        }
    }
}

/// A value with what was tolerated on the way to it.
fn tolerant(value: Value, tolerances: Vec<Tolerance>) -> Decoded {
    Decoded {
        value,
        tolerated: tolerances.into_iter().map(Fault::from).collect(),
    }
}

/// A value in canonical form.
fn strict(value: Value) -> Decoded {
    Decoded {
        value,
        tolerated: Vec::new(),
    }
}

/// Every message that vectors can be about.
fn table() -> impl Iterator<Item = &'static Codec> {
    [
        bencode::CODECS,
        metainfo::CODECS,
        peer::CODECS,
        extension::CODECS,
        tracker_http::CODECS,
        tracker_udp::CODECS,
    ]
    .into_iter()
    .flatten()
}

/// The wire format of a message.
pub(crate) fn find(protocol: &str, message: &str) -> Option<&'static Codec> {
    table().find(|codec| codec.protocol == protocol && codec.message == message)
}

/// Protocol and message of everything that [`decode`] reads.
pub fn messages() -> impl Iterator<Item = (&'static str, &'static str)> {
    table().map(|codec| (codec.protocol, codec.message))
}

/// Why bytes were not decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFailure {
    /// There is no such message.
    #[error("no wire format reads `{protocol}/{message}`")]
    UnknownMessage {
        /// The protocol asked for.
        protocol: String,
        /// The message asked for.
        message: String,
    },
    /// The bytes are not the message.
    #[error("{0}")]
    Fault(Fault),
}

/// Decodes bytes as a message and returns its value in the form of the vectors, with what was tolerated.
pub fn decode(
    protocol: &str,
    message: &str,
    bytes: &[u8],
    context: &Context,
) -> Result<(Value, Vec<Fault>), DecodeFailure> {
    let codec = find(protocol, message).ok_or_else(|| DecodeFailure::UnknownMessage {
        protocol: protocol.to_owned(),
        message: message.to_owned(),
    })?;
    let decoded =
        (codec.decode)(bytes, context, Strictness::Tolerant).map_err(DecodeFailure::Fault)?;
    Ok((decoded.value, decoded.tolerated))
}

//! A file of vectors, as it lies on disk.

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A file of vectors about one message.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VectorFile {
    /// Where the schema lies, for editors.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// The protocol, as the folder is named.
    pub protocol: String,
    /// The message, as the file is named.
    pub message: String,
    /// What the bytes are: a whole datagram, a payload, a path.
    pub bytes_are: String,
    /// Where the message is specified.
    pub source: Source,
    /// The flags that cases of this file have, each explained.
    pub flags: BTreeMap<String, String>,
    /// The vectors.
    pub cases: Vec<Case>,
}

/// Where a message is specified.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The document.
    pub document: String,
    /// Its section.
    pub section: String,
}

/// Whether bytes are a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// They are.
    Valid,
    /// They are not.
    Invalid,
    /// A strict receiver refuses them, deployed software reads them.
    Tolerated,
}

/// One vector.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Unique within the file.
    pub id: String,
    /// What the case is about, where its id does not say it all.
    #[serde(default)]
    pub comment: String,
    /// The bytes, in hexadecimal digits.
    pub bytes: String,
    /// Whether they are a message.
    pub result: Verdict,
    /// The decoded value; absent for invalid bytes.
    #[serde(default)]
    pub value: Option<Value>,
    /// What an encoder writes for the value, in hexadecimal digits, where it differs from `bytes`.
    #[serde(default)]
    pub canonical: Option<String>,
    /// What a strict receiver reports; absent for valid bytes.
    #[serde(default)]
    pub error: Option<ExpectedError>,
    /// What the receiver knows besides the bytes.
    #[serde(default)]
    pub context: Context,
    /// Names of flags that the file explains.
    #[serde(default)]
    pub flags: Vec<String>,
}

/// What a strict receiver reports.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedError {
    /// The kind of the fault.
    pub class: String,
    /// The first byte at fault.
    pub offset: usize,
    /// The key or parameter at fault, if there is one.
    #[serde(default)]
    pub subject: Option<String>,
}

/// What a receiver knows besides the bytes. A rule that needs what is absent is not applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// Pieces of the torrent.
    #[serde(default)]
    pub pieces: Option<u32>,
    /// Bytes of a piece of the torrent.
    #[serde(default)]
    pub piece_length: Option<u32>,
    /// Bytes of the torrent's content.
    #[serde(default)]
    pub total_length: Option<u64>,
    /// The info hash that the receiver serves, in hexadecimal digits.
    #[serde(default)]
    pub info_hash: Option<String>,
    /// The IP version that a datagram came over.
    #[serde(default)]
    pub family: Option<Family>,
    /// How many members a set shall have.
    #[serde(default)]
    pub k: Option<usize>,
}

/// An IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4
    Ipv4,
    /// IPv6
    Ipv6,
}

/// Why a file of vectors cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// The text is no JSON, or not of the form.
    #[error("{file}: line {line}, column {column}: {reason}")]
    Form {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong.
        reason: String,
    },
    /// The file as a whole is at fault.
    #[error("{file}: {reason}")]
    File {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// One case is at fault.
    #[error("{file}: case `{case}`: {reason}")]
    Case {
        /// The file.
        file: String,
        /// The id of the case.
        case: String,
        /// What is wrong.
        reason: String,
    },
}

impl VectorFile {
    /// Reads a file of vectors. `name` is its path below the folder of vectors, for errors and to hold it against
    /// the protocol and message that the file claims to be about.
    pub fn parse(name: &str, text: &str) -> Result<Self, VectorError> {
        let file: Self = serde_json::from_str(text).map_err(|error| VectorError::Form {
            file: name.to_owned(),
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        })?;
        file.check(name)?;
        Ok(file)
    }

    /// The rules that the form alone does not express.
    fn check(&self, name: &str) -> Result<(), VectorError> {
        let fault = |reason: String| VectorError::File {
            file: name.to_owned(),
            reason,
        };
        let expected = format!("{}/{}.json", self.protocol, self.message);
        if name != expected {
            return Err(fault(format!("the file says that it is `{expected}`")));
        }
        if self.cases.is_empty() {
            return Err(fault("the file has no case".to_owned()));
        }
        let mut ids = BTreeSet::new();
        let mut used = BTreeSet::new();
        for case in &self.cases {
            let reason = if ids.insert(&case.id) {
                case.fault()
            } else {
                Some("the id occurs twice".to_owned())
            };
            let undefined = case
                .flags
                .iter()
                .find(|flag| !self.flags.contains_key(*flag));
            let undefined =
                undefined.map(|flag| format!("the file does not explain the flag `{flag}`"));
            if let Some(reason) = reason.or(undefined) {
                return Err(VectorError::Case {
                    file: name.to_owned(),
                    case: case.id.clone(),
                    reason,
                });
            }
            used.extend(&case.flags);
        }
        match self.flags.keys().find(|flag| !used.contains(flag)) {
            Some(flag) => Err(fault(format!("no case has the flag `{flag}`"))),
            None => Ok(()),
        }
    }
}

impl Case {
    /// The bytes. [`VectorFile::parse`] refuses files whose digits are malformed.
    pub fn raw(&self) -> Vec<u8> {
        hex::decode(&self.bytes).unwrap_or_default()
    }

    /// What an encoder writes for the value.
    pub fn encoded(&self) -> Vec<u8> {
        hex::decode(self.canonical.as_ref().unwrap_or(&self.bytes)).unwrap_or_default()
    }

    fn fault(&self) -> Option<String> {
        for (name, digits) in [
            ("bytes", Some(&self.bytes)),
            ("canonical", self.canonical.as_ref()),
        ] {
            if let Some(Err(error)) = digits.map(hex::decode) {
                return Some(format!("`{name}` is not hexadecimal: {error}"));
            }
        }
        let (value, error) = match self.result {
            Verdict::Valid => (true, false),
            Verdict::Invalid => (false, true),
            Verdict::Tolerated => (true, true),
        };
        let rules = [
            (
                self.value.is_some() != value,
                "`value` belongs to valid and tolerated cases, and only to them",
            ),
            (
                self.error.is_some() != error,
                "`error` belongs to invalid and tolerated cases, and only to them",
            ),
            (
                self.canonical.is_some() && !value,
                "`canonical` belongs to cases with a value",
            ),
            (
                self.canonical.as_ref() == Some(&self.bytes),
                "`canonical` is left out where it equals `bytes`",
            ),
        ];
        rules
            .iter()
            .find(|(broken, _)| *broken)
            .map(|(_, reason)| (*reason).to_owned())
    }
}

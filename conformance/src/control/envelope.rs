//! Lines, envelopes and errors, as Maelstrom has them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest line, in bytes, without its end.
pub const MOST_LINE: usize = 1 << 20;

/// One line: who says what to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Who says it.
    pub src: String,
    /// To whom.
    pub dest: String,
    /// What; it has at least a `type`.
    pub body: Map<String, Value>,
}

/// Why a line is no envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is too long.
    #[error("a line of more than {MOST_LINE} bytes")]
    TooLong,
    /// It is no JSON, or has not the shape of an envelope.
    #[error("byte {byte}: {what}")]
    Form {
        /// Where the reader stopped, counted from 1.
        byte: usize,
        /// What it says about it.
        what: String,
    },
    /// The body has no `type`.
    #[error("the body has no `type`")]
    Untyped,
}

impl Envelope {
    /// The envelope of a line.
    ///
    /// # Errors
    /// It is too long, no JSON, or of another shape.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        if line.len() > MOST_LINE {
            return Err(LineError::TooLong);
        }
        let envelope: Self = serde_json::from_str(line).map_err(|error| LineError::Form {
            byte: error.column(),
            what: without_place(&error.to_string()),
        })?;
        if envelope.kind().is_none() {
            return Err(LineError::Untyped);
        }
        Ok(envelope)
    }

    /// The line, without its end.
    pub fn line(&self) -> String {
        // Maps with strings as keys are all there is, so nothing can go wrong.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The `type` of the body.
    pub fn kind(&self) -> Option<&str> {
        self.body.get("type").and_then(Value::as_str)
    }

    /// The number of a request.
    pub fn msg_id(&self) -> Option<u64> {
        self.body.get("msg_id").and_then(Value::as_u64)
    }

    /// The number of the request that this answers.
    pub fn in_reply_to(&self) -> Option<u64> {
        self.body.get("in_reply_to").and_then(Value::as_u64)
    }

    /// The error that it is, if it is one: the code (0, indefinite, when it has none) and the text.
    pub fn error(&self) -> Option<(ErrorCode, String)> {
        if self.kind() != Some("error") {
            return None;
        }
        let code = self.body.get("code").and_then(Value::as_u64).unwrap_or(0);
        let text = self.body.get("text").and_then(Value::as_str).unwrap_or("");
        Some((ErrorCode(code), text.to_owned()))
    }
}

/// The reader's words without its line and column, which the caller knows better.
fn without_place(text: &str) -> String {
    text.split(" at line ").next().unwrap_or(text).to_owned()
}

/// The code of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u64);

impl ErrorCode {
    /// It may or may not have happened.
    pub const TIMEOUT: Self = Self(0);
    /// Nobody has that name.
    pub const NODE_NOT_FOUND: Self = Self(1);
    /// The node has no such operation.
    pub const NOT_SUPPORTED: Self = Self(10);
    /// Later perhaps.
    pub const TEMPORARILY_UNAVAILABLE: Self = Self(11);
    /// The request makes no sense.
    pub const MALFORMED_REQUEST: Self = Self(12);
    /// It may or may not have happened.
    pub const CRASH: Self = Self(13);
    /// It did not happen.
    pub const ABORT: Self = Self(14);
    /// Nothing is stored under the key.
    pub const KEY_DOES_NOT_EXIST: Self = Self(20);
    /// Something is stored under the key already.
    pub const KEY_ALREADY_EXISTS: Self = Self(21);
    /// The request's condition is not met.
    pub const PRECONDITION_FAILED: Self = Self(22);
    /// Another transaction was in the way.
    pub const TXN_CONFLICT: Self = Self(30);

    /// Whether it certainly did not happen, and will not.
    pub fn is_definite(self) -> bool {
        matches!(self.0, 1 | 10 | 11 | 12 | 14 | 20 | 21 | 22 | 30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_and_its_line_say_the_same() {
        let line = r#"{"src":"n1","dest":"kit","body":{"type":"echo_ok","in_reply_to":7}}"#;
        let envelope = Envelope::parse(line).expect("an envelope");
        assert_eq!(envelope.kind(), Some("echo_ok"));
        assert_eq!(envelope.in_reply_to(), Some(7));
        assert_eq!(Envelope::parse(&envelope.line()), Ok(envelope));
    }

    #[test]
    fn what_is_no_envelope_is_named_with_the_byte() {
        let broken = Envelope::parse(r#"{"src":"n1","dest":kit}"#);
        assert!(
            matches!(broken, Err(LineError::Form { byte: 20, .. })),
            "{broken:?}"
        );
        let untyped = Envelope::parse(r#"{"src":"n1","dest":"kit","body":{}}"#);
        assert_eq!(untyped, Err(LineError::Untyped));
        let long = format!("{{\"src\":\"{}\"}}", "x".repeat(MOST_LINE));
        assert_eq!(Envelope::parse(&long), Err(LineError::TooLong));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Envelope::parse(&deep).is_err());
    }

    /// The table of Maelstrom's documentation of its protocol.
    #[test]
    fn timeouts_and_crashes_are_indefinite() {
        let definite = [1, 10, 11, 12, 14, 20, 21, 22, 30].map(ErrorCode);
        assert!(definite.iter().all(|code| code.is_definite()));
        assert!(
            ![0, 13, 1000]
                .map(ErrorCode)
                .iter()
                .any(|code| code.is_definite())
        );
    }
}

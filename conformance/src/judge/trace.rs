//! The log of a run: one JSON object per line, as a fleet writes it or somebody else.

use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::control::MOST_LINE;

/// The most events of a log.
pub const MOST_EVENTS: usize = 1_000_000;

/// The most bytes of a log.
const MOST_BYTES: usize = 128 << 20;

/// What a line of a log is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The node was started.
    Started,
    /// The kit asked it.
    Asked,
    /// It answered the kit.
    Answered,
    /// It sent the peer a message.
    Sent,
    /// It got a message of the peer.
    Delivered,
    /// It has ended.
    #[serde(alias = "crashed")]
    Ended,
    /// Something that changes nothing for what a node may do.
    #[serde(other)]
    Other,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The number of the line, from 1.
    pub place: usize,
    /// What happened.
    pub what: What,
    /// To whom.
    pub node: String,
    /// The other node of a message.
    pub peer: Option<String>,
    /// What was said.
    pub body: Map<String, Value>,
    /// More, in words.
    pub note: String,
}

/// What was seen of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// The figures of the ring, if the log begins with them.
    pub header: Option<Map<String, Value>>,
    /// The events, in order.
    pub lines: Vec<Line>,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A line is none of a log.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

#[derive(Deserialize)]
struct Raw {
    event: What,
    #[serde(default)]
    node: String,
    #[serde(default)]
    peer: Option<String>,
    #[serde(default)]
    body: Option<Map<String, Value>>,
    #[serde(default)]
    note: String,
}

/// Reads a log.
///
/// # Errors
/// It cannot be read, is too long, or has a line that is none of a log.
pub fn read(mut input: impl BufRead) -> Result<Log, LogError> {
    let most = MOST_LINE as u64 * 2;
    let mut log = Log::default();
    let (mut bytes, mut number, mut buffer) = (0, 0, Vec::new());
    loop {
        buffer.clear();
        if input.by_ref().take(most).read_until(b'\n', &mut buffer)? == 0 {
            return Ok(log);
        }
        number += 1;
        bytes += buffer.len();
        let wrong = |what: String| LogError::Line { line: number, what };
        if buffer.len() as u64 == most {
            return Err(wrong(format!("more than {most} bytes")));
        }
        if bytes > MOST_BYTES || log.lines.len() >= MOST_EVENTS {
            return Err(wrong(format!(
                "a log has at most {MOST_EVENTS} events and {MOST_BYTES} bytes"
            )));
        }
        let text = std::str::from_utf8(&buffer)
            .map_err(|why| wrong(format!("byte {}: no UTF-8", why.valid_up_to() + 1)))?;
        if text.trim().is_empty() {
            continue;
        }
        if number == 1 {
            log.header = header(text);
            if log.header.is_some() {
                continue;
            }
        }
        let raw: Raw = serde_json::from_str(text).map_err(|why| {
            let text = why.to_string();
            let what = text.split(" at line ").next().unwrap_or(&text);
            wrong(format!("byte {}: {what}", why.column()))
        })?;
        log.lines.push(Line {
            place: number,
            what: raw.event,
            node: raw.node,
            peer: raw.peer,
            body: raw.body.unwrap_or_default(),
            note: raw.note,
        });
    }
}

/// The first line, if it is a header.
fn header(text: &str) -> Option<Map<String, Value>> {
    let header: Map<String, Value> = serde_json::from_str(text).ok()?;
    header.contains_key("trace").then_some(header)
}

//! Everything that was seen, in order: what the kit asked and did, what the nodes answered and sent to each other.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

/// The most events that are kept; what follows is counted but not kept.
pub const KEPT_EVENTS: usize = 200_000;

/// The most bytes of bodies that are kept; what follows is counted but not kept.
const KEPT_BYTES: usize = 32 << 20;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The node was started.
    Started,
    /// The kit asked the node something.
    Asked,
    /// The node answered the kit.
    Answered,
    /// The node sent the peer a message.
    Sent,
    /// The node got a message of the peer.
    Delivered,
    /// A message of the node did not reach the peer.
    Lost,
    /// The kit ended the node, as `kill -9` does.
    Crashed,
    /// The node ended by itself, or was ended because it used up too much.
    Ended,
    /// The kit stopped the node where it was.
    Paused,
    /// The kit let it go on.
    Resumed,
    /// From now on the sides do not reach each other.
    Partitioned,
    /// From now on they do.
    Healed,
    /// From now on messages between nodes wait.
    Held,
    /// From now on they do not.
    Released,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Since the fleet began.
    pub at: Duration,
    /// What.
    pub what: What,
    /// To whom; nobody when it concerns all.
    pub node: String,
    /// The other node of a message.
    pub peer: Option<String>,
    /// What was said, or the sides of a partition.
    pub body: Option<Arc<Map<String, Value>>>,
    /// More, in words: why a message was lost, how a node ended.
    pub note: String,
}

/// The events, bounded.
#[derive(Debug, Default)]
pub(super) struct Trace {
    events: Vec<Event>,
    bytes: usize,
    dropped: usize,
}

impl Trace {
    /// Adds an event whose body has so many bytes. What is kept has no gaps: it is how the story began.
    pub(super) fn push(&mut self, event: Event, bytes: usize) {
        let full = self.events.len() >= KEPT_EVENTS || self.bytes + bytes > KEPT_BYTES;
        if full || self.dropped > 0 {
            self.dropped += 1;
            return;
        }
        self.bytes += bytes;
        self.events.push(event);
    }

    pub(super) fn events(&self) -> &[Event] {
        &self.events
    }

    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }
}

/// A line of the log.
#[derive(Serialize)]
struct Line<'a> {
    at_us: u64,
    event: What,
    #[serde(skip_serializing_if = "str::is_empty")]
    node: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
}

/// Writes events as a log: one JSON object per line, `header` first.
///
/// # Errors
/// Those of `out`.
pub fn write_log(
    header: Option<&Value>,
    events: &[Event],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    if let Some(header) = header {
        writeln!(out, "{header}")?;
    }
    for event in events {
        let line = Line {
            at_us: u64::try_from(event.at.as_micros()).unwrap_or(u64::MAX),
            event: event.what,
            node: &event.node,
            peer: event.peer.as_deref(),
            body: event.body.as_deref(),
            note: &event.note,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_one_object_per_line() {
        let body = serde_json::json!({"type": "notify", "id": 16});
        let event = Event {
            at: Duration::from_millis(3),
            what: What::Sent,
            node: "n16".to_owned(),
            peer: Some("n45".to_owned()),
            body: body.as_object().cloned().map(Arc::new),
            note: String::new(),
        };
        let header = serde_json::json!({"trace": "chord"});
        let mut log = Vec::new();
        write_log(Some(&header), &[event], &mut log).expect("memory");
        let expected = "{\"trace\":\"chord\"}\n{\"at_us\":3000,\"event\":\"sent\",\"node\":\"n16\",\"peer\":\"n45\",\
            \"body\":{\"type\":\"notify\",\"id\":16}}\n";
        assert_eq!(String::from_utf8(log).expect("text"), expected);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let event = Event {
            at: Duration::ZERO,
            what: What::Started,
            node: "n1".to_owned(),
            peer: None,
            body: None,
            note: String::new(),
        };
        let mut trace = Trace::default();
        for _ in 0..KEPT_EVENTS + 2 {
            trace.push(event.clone(), 0);
        }
        assert_eq!(trace.events().len(), KEPT_EVENTS);
        assert_eq!(trace.dropped(), 2);
        let mut trace = Trace::default();
        trace.push(event.clone(), KEPT_BYTES);
        trace.push(event.clone(), 1);
        // It would fit, and would leave a gap before it.
        trace.push(event, 0);
        assert_eq!(trace.events().len(), 1);
        assert_eq!(trace.dropped(), 2);
    }
}

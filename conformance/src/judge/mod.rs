//! Traces of running nodes, judged by the specification: can it explain what was seen?
//!
//! | file | holds |
//! |---|---|
//! | `trace.rs` | the log: one JSON object per line, read within bounds |
//! | `chord.rs` | what the log says of each node of a ring, for the model's judge |
//! | `words.rs` | messages and answers in words |

mod chord;
mod trace;
mod words;

pub use chord::{Explained, Refusal, Report, Verdict, judge};
pub use trace::{Line, Log, MOST_EVENTS, What, read};

use crate::fleet::{Event, What as Seen};

/// The log of what a fleet saw.
pub fn log(events: &[Event]) -> Log {
    let lines = events.iter().enumerate().map(|(index, event)| Line {
        place: index + 1,
        what: match event.what {
            Seen::Started => What::Started,
            Seen::Asked => What::Asked,
            Seen::Answered => What::Answered,
            Seen::Sent => What::Sent,
            Seen::Delivered => What::Delivered,
            Seen::Crashed | Seen::Ended => What::Ended,
            _ => What::Other,
        },
        node: event.node.clone(),
        peer: event.peer.clone(),
        body: event.body.as_deref().cloned().unwrap_or_default(),
        note: event.note.clone(),
    });
    Log {
        header: None,
        lines: lines.collect(),
    }
}

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

use std::time::{Duration, Instant};

use peerproof_model::chord::profile::PROFILE;
use peerproof_model::judge::Limits;
use serde_json::Value;

use crate::fleet::{Event, What as Seen};

/// How long the judge may take for one case of a suite.
const A_MOMENT: Duration = Duration::from_secs(2);

/// What a case of a suite may cost the judge.
const FEW: Limits = Limits {
    states: 50_000,
    waiting: 200_000,
};

/// The first thing in what a fleet saw that the specification cannot explain, if every node speaks the profile
/// and all its messages passed by.
pub fn unexplained(events: &[Event]) -> Option<String> {
    let field = |event: &Event, name: &str| {
        let body = event.body.as_ref()?;
        body.get(name)?.as_str().map(str::to_owned)
    };
    let is = |event: &Event, kind: &str| field(event, "type").as_deref() == Some(kind);
    let inits = events.iter().filter(|event| is(event, "init_ok"));
    let speaks = |event: &Event| field(event, "profile").as_deref() == Some(PROFILE);
    let delivered = events.iter().any(|event| event.what == Seen::Delivered);
    if !delivered || !inits.clone().all(speaks) {
        return None;
    }
    let began = Instant::now();
    let log = log(events);
    let report = judge(&log, FEW, &mut || began.elapsed() < A_MOMENT).ok()?;
    let Verdict::Refused(refusal) = report.verdict else {
        return None;
    };
    let line = log.lines.iter().find(|line| line.place == refusal.line)?;
    let to = line.peer.as_deref().unwrap_or("the kit");
    let body = Value::Object(line.body.clone());
    let instead = refusal.nearest.first();
    let instead = instead.map_or_else(String::new, |nearest| {
        format!("; a node that follows the specification could {nearest}")
    });
    Some(format!("{} said {body} to {to}{instead}", refusal.node))
}

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

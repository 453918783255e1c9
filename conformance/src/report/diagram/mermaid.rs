//! The diagram as Mermaid text, which many forges and editors draw.

use super::fold::{Folded, Row, rows};
use super::{Lanes, label, seconds, size};
use crate::record::{Happening, Recording};
use crate::report::plain;

/// The recording as a Mermaid `sequenceDiagram`.
pub fn mermaid(recording: &Recording) -> String {
    let lanes = Lanes::new(recording);
    let mut text = String::from("sequenceDiagram\n");
    for (index, lane) in lanes.0.iter().enumerate() {
        text += &match lane {
            Some(name) => format!(
                "    participant {} as {}\n",
                id(&lanes, index),
                quoted(name)
            ),
            None => format!("    participant {}\n", id(&lanes, index)),
        };
    }
    let over = match lanes.0.len() {
        1 => id(&lanes, 0),
        many => format!("{},{}", id(&lanes, 0), id(&lanes, many - 1)),
    };
    for row in rows(recording) {
        let line = match row {
            Row::Silence(silence) => format!("Note over {over}: {} of silence", seconds(silence)),
            Row::LeftOut(rows) => format!("Note over {over}: {rows} rows left out"),
            Row::Event(event) => line(recording, &lanes, &over, &event),
        };
        text += &format!("    {line}\n");
    }
    text
}

/// How Mermaid knows a lifeline.
fn id(lanes: &Lanes<'_>, lane: usize) -> String {
    match lanes.0.get(lane) {
        Some(Some(_)) => format!("k{lane}"),
        _ => "target".to_owned(),
    }
}

fn line(recording: &Recording, lanes: &Lanes<'_>, over: &str, event: &Folded<'_>) -> String {
    let what = &event.first.what;
    let mut words = quoted(label(what, &event.first.label));
    if event.times > 1 {
        words += &format!(
            " (and {} more like it, {})",
            event.times - 1,
            size(event.bytes)
        );
    }
    let Some(place) = lanes.place(recording, event.first) else {
        return format!("Note over {over}: {words}");
    };
    let arrow = match what {
        Happening::Note => return format!("Note over {}: {words}", id(lanes, place.subject)),
        Happening::Opened => "-->>",
        Happening::ClosedByKit | Happening::ClosedByTarget => "--x",
        Happening::Lost(_) => "-x",
        Happening::Sent(_) | Happening::Received(_) => "->>",
    };
    format!(
        "{}{arrow}{}: {words}",
        id(lanes, place.from),
        id(lanes, place.to)
    )
}

/// Text in which Mermaid finds no syntax of its own.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in plain(text).chars() {
        match c {
            '#' | ';' | '<' | '>' | '&' | '"' | '%' => quoted += &format!("#{};", u32::from(c)),
            _ => quoted.push(c),
        }
    }
    quoted
}

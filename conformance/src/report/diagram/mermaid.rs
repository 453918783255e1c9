//! The diagram as Mermaid text, which many forges and editors draw.

use super::fold::{Folded, Row, rows};
use super::{by_kit, label, lanes, seconds, size};
use crate::record::{Happening, Recording};
use crate::report::plain;

/// The recording as a Mermaid `sequenceDiagram`.
pub fn mermaid(recording: &Recording) -> String {
    let lanes = lanes(recording);
    let mut text = String::from("sequenceDiagram\n");
    for (index, name) in lanes.iter().enumerate() {
        text += &format!("    participant k{index} as {}\n", quoted(name));
    }
    text += "    participant target\n";
    let over = match lanes.len() {
        0 => "target".to_owned(),
        _ => "k0,target".to_owned(),
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

fn line(recording: &Recording, lanes: &[&str], over: &str, event: &Folded<'_>) -> String {
    let what = &event.first.what;
    let mut words = quoted(label(what, &event.first.label));
    if event.times > 1 {
        words += &format!(
            " (and {} more like it, {})",
            event.times - 1,
            size(event.bytes)
        );
    }
    let lane = event.first.channel.and_then(|index| {
        let name = &recording.channels.get(index)?.name;
        Some((index, lanes.iter().position(|lane| lane == name)?))
    });
    let Some((channel, lane)) = lane else {
        return format!("Note over {over}: {words}");
    };
    let arrow = match what {
        Happening::Note => return format!("Note over k{lane}: {words}"),
        Happening::Opened => "-->>",
        Happening::ClosedByKit | Happening::ClosedByTarget => "--x",
        Happening::Sent(_) | Happening::Received(_) => "->>",
    };
    if by_kit(recording, channel, what) {
        format!("k{lane}{arrow}target: {words}")
    } else {
        format!("target{arrow}k{lane}: {words}")
    }
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

//! Time diagrams of a recording: who said what when, long repetitions folded.

mod fold;
mod mermaid;
mod svg;

pub use fold::{FOLDED_FROM, LONGEST_PERIOD, ROWS};
pub use mermaid::mermaid;
pub use svg::{SHOWN_BYTES, STYLE, standalone, svg};

use crate::record::{Happening, Recording};

/// The lifelines of the kit: channels with the same name share one, since a tracker that answers
/// ten requests on ten connections is still one tracker.
fn lanes(recording: &Recording) -> Vec<&str> {
    let mut lanes: Vec<&str> = Vec::new();
    for channel in &recording.channels {
        if !lanes.contains(&channel.name.as_str()) {
            lanes.push(&channel.name);
        }
    }
    lanes
}

/// Whether the kit does it, rather than the target.
fn by_kit(recording: &Recording, channel: usize, what: &Happening) -> bool {
    match what {
        Happening::Sent(_) | Happening::ClosedByKit => true,
        Happening::Received(_) | Happening::ClosedByTarget => false,
        Happening::Opened | Happening::Note => recording
            .channels
            .get(channel)
            .is_none_or(|channel| !channel.opened_by_target),
    }
}

/// The label of an event, or the word for what happened when it has none.
fn label<'a>(what: &Happening, label: &'a str) -> &'a str {
    match what {
        _ if !label.is_empty() => label,
        Happening::Opened => "connects",
        Happening::ClosedByKit | Happening::ClosedByTarget => "closes",
        Happening::Sent(_) | Happening::Received(_) => "bytes",
        Happening::Note => "",
    }
}

/// A duration for people: three digits and a unit.
fn seconds(duration: std::time::Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.3} s")
    } else {
        format!("{seconds:.1} s")
    }
}

/// A number of bytes for people.
fn size(bytes: usize) -> String {
    const KIB: usize = 1 << 10;
    const MIB: usize = 1 << 20;
    if bytes >= MIB {
        // A recording keeps a few MiB at most: the division is exact enough.
        format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB)
    } else if bytes >= 10 * KIB {
        format!("{} KiB", bytes / KIB)
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests;

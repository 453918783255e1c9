//! Time diagrams of a recording: who said what when, long repetitions folded.

mod fold;
mod mermaid;
mod svg;

pub use fold::{FOLDED_FROM, LONGEST_PERIOD, ROWS};
pub use mermaid::mermaid;
pub use svg::{SHOWN_BYTES, STYLE, standalone, svg};

use crate::record::{Channel, Event, Happening, Recording};

/// The lifelines, in the order in which they stand: by name, the target last and without one. Channels with the same
/// name share one, since a tracker that answers ten requests on ten connections is still one tracker.
struct Lanes<'a>(Vec<Option<&'a str>>);

impl<'a> Lanes<'a> {
    fn new(recording: &'a Recording) -> Self {
        let mut lanes = Vec::new();
        for channel in &recording.channels {
            let ends = [Some(channel.name.as_str()), channel.peer.as_deref()];
            for end in ends.into_iter().filter(Option::is_some) {
                if !lanes.contains(&end) {
                    lanes.push(end);
                }
            }
        }
        if lanes.is_empty() || recording.channels.iter().any(|it| it.peer.is_none()) {
            lanes.push(None);
        }
        Self(lanes)
    }

    fn of(&self, name: Option<&str>) -> Option<usize> {
        self.0.iter().position(|lane| *lane == name)
    }

    /// Where an event stands; nowhere when it concerns the whole case.
    fn place(&self, recording: &Recording, event: &Event) -> Option<Place> {
        let index = event.channel?;
        let channel = recording.channels.get(index)?;
        let kit = self.of(Some(&channel.name))?;
        let other = self.of(channel.peer.as_deref())?;
        let (from, to) = if by_kit(channel, &event.what) {
            (kit, other)
        } else {
            (other, kit)
        };
        Some(Place {
            channel: index,
            from,
            to,
            subject: if channel.peer.is_some() { other } else { kit },
        })
    }
}

/// Where an event stands.
#[derive(Clone, Copy)]
struct Place {
    channel: usize,
    /// The lifelines of an arrow.
    from: usize,
    to: usize,
    /// The lifeline of a note, and of the bar that shows that a connection or a process stands.
    subject: usize,
}

/// Whether the kit's end does it.
fn by_kit(channel: &Channel, what: &Happening) -> bool {
    match what {
        Happening::Sent(_) | Happening::Lost(_) | Happening::ClosedByKit => true,
        Happening::Received(_) | Happening::ClosedByTarget => false,
        Happening::Opened | Happening::Note => !channel.opened_by_target,
    }
}

/// The label of an event, or the word for what happened when it has none.
fn label<'a>(what: &Happening, label: &'a str) -> &'a str {
    match what {
        _ if !label.is_empty() => label,
        Happening::Opened => "connects",
        Happening::ClosedByKit | Happening::ClosedByTarget => "closes",
        Happening::Sent(_) | Happening::Received(_) | Happening::Lost(_) => "bytes",
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

//! From events to rows: what repeats is folded, what is too long is left out, silence shows.

use std::time::Duration;

use crate::record::{Event, Happening, Recording};

/// The longest pattern of events that is recognised when it repeats.
pub const LONGEST_PERIOD: usize = 4;

/// How often a pattern must repeat to be folded.
pub const FOLDED_FROM: usize = 3;

/// The most rows of a diagram; the middle of a longer one is left out.
pub const ROWS: usize = 240;

/// From this silence on, a row says how long it was.
const SILENCE: Duration = Duration::from_millis(400);

/// One row of a diagram.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    /// One event, or several that look alike.
    Event(Folded<'a>),
    /// Nothing happened for so long.
    Silence(Duration),
    /// So many rows would stand here.
    LeftOut(usize),
}

/// Events that look alike: the first, and how often it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folded<'a> {
    pub(super) first: &'a Event,
    pub(super) times: usize,
    /// Of all of them together.
    pub(super) bytes: usize,
    /// When the last one came.
    pub(super) until: Duration,
}

/// The rows of a diagram of the recording.
pub(super) fn rows(recording: &Recording) -> Vec<Row<'_>> {
    let folded = fold(&recording.events);
    let mut rows = Vec::with_capacity(folded.len());
    let mut last: Option<Duration> = None;
    let mut summed_up = false;
    for event in folded {
        let silence = last.map_or(Duration::ZERO, |last| event.first.at.saturating_sub(last));
        // A note about everybody may sum up what happened meanwhile: then it was not silent.
        let sums_up = event.first.channel.is_none();
        if silence >= SILENCE && !sums_up && !summed_up {
            rows.push(Row::Silence(silence));
        }
        summed_up = sums_up;
        last = last.max(Some(event.until));
        rows.push(Row::Event(event));
    }
    if rows.len() > ROWS {
        let (head, tail) = (ROWS / 2, ROWS / 2 - 1);
        let left_out = rows.len() - head - tail;
        rows.splice(head..head + left_out, [Row::LeftOut(left_out)]);
    }
    rows
}

fn fold(events: &[Event]) -> Vec<Folded<'_>> {
    let keys: Vec<_> = events.iter().map(key).collect();
    let mut folded = Vec::new();
    let mut at = 0;
    while at < events.len() {
        let (period, times) = (1..=LONGEST_PERIOD)
            .map(|period| (period, repetitions(&keys[at..], period)))
            .filter(|(_, times)| *times >= FOLDED_FROM)
            .max_by_key(|(period, times)| (period * times, usize::MAX - period))
            .unwrap_or((1, 1));
        for first in at..at + period {
            let alike = || events[first..].iter().step_by(period).take(times);
            folded.push(Folded {
                first: &events[first],
                times,
                bytes: alike().map(|event| event.bytes).sum(),
                until: events[first + period * (times - 1)].at,
            });
        }
        at += period * times;
    }
    folded
}

/// How often the first `period` keys come again and again from the start.
fn repetitions<K: PartialEq>(keys: &[K], period: usize) -> usize {
    let Some(pattern) = keys.get(..period) else {
        return 0;
    };
    keys.chunks_exact(period)
        .take_while(|chunk| *chunk == pattern)
        .count()
}

/// What must be equal for two events to look alike: everything but the numbers in the label.
fn key(event: &Event) -> (Option<usize>, std::mem::Discriminant<Happening>, String) {
    let mut label = String::with_capacity(event.label.len());
    for c in event.label.chars() {
        if !c.is_ascii_digit() {
            label.push(c);
        } else if !label.ends_with('0') {
            label.push('0');
        }
    }
    (event.channel, std::mem::discriminant(&event.what), label)
}

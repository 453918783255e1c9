//! The diagram as SVG.
//!
//! Time runs down. The target's lifeline is on the right, one lifeline for each part that the kit plays is on its
//! left; a bar on it shows that a connection stands. Nodes that have names have lifelines of their own, and a bar for
//! as long as they live. Every row has its own height, so labels never lie on one another;
//! a label has a halo, so lifelines pass behind it.

use maud::{Markup, html};

use super::fold::{Folded, Row, rows};
use super::{Lanes, Place, label, seconds, size};
use crate::control::KIT;
use crate::record::{Happening, Recording, Transport};
use crate::report::plain;

/// The style sheet of the diagrams; a page states it once.
pub const STYLE: &str = "\
.diagram{font:12px system-ui,sans-serif;--ink:#1d2733;--paper:#fff;--faint:#8a94a0;--lane:#c9d1d9;--kit:#0b62c4;--peer:#8a4b00;--gone:#b3261e;--bar:#dbe7f6}\
@media(prefers-color-scheme:dark){.diagram{--ink:#e4e9ee;--paper:#161b22;--faint:#8d96a0;--lane:#3d4650;--kit:#74b0ff;--peer:#f0a95b;--gone:#ff8a80;--bar:#1f3a5f}}\
.diagram text{fill:var(--ink);stroke:var(--paper);stroke-width:4px;stroke-linejoin:round;paint-order:stroke}\
.diagram .lane{stroke:var(--lane);stroke-dasharray:3 3}.diagram .bar{fill:var(--bar);stroke:var(--lane)}\
.diagram .time,.diagram .address,.diagram .silence{fill:var(--faint);font-size:11px}.diagram .time{font-variant-numeric:tabular-nums}\
.diagram .name{font-weight:600}.diagram .note{font-style:italic}\
.diagram path{fill:none;stroke-width:1.4}.diagram .kit path{stroke:var(--kit)}.diagram .peer path{stroke:var(--peer)}\
.diagram .gone path{stroke:var(--gone)}.diagram .open path,.diagram .gone path{stroke-dasharray:5 3}.diagram .head path{stroke-dasharray:none}";

const TIME: usize = 74;
const HEADER: usize = 46;
const ROW: usize = 26;
const SILENCE: usize = 20;
const MARGIN: usize = 12;
/// A generous width of one character of a label.
const CHARACTER: usize = 7;
const LABEL: usize = 96;
const NAME: usize = 20;

/// How many bytes of an event a diagram shows.
pub const SHOWN_BYTES: usize = 48;

struct Layout<'a> {
    recording: &'a Recording,
    lanes: Lanes<'a>,
    /// Between two lifelines.
    spacing: usize,
}

impl Layout<'_> {
    fn lane(&self, index: usize) -> usize {
        TIME + 60 + index * self.spacing
    }

    /// The last lifeline.
    fn last(&self) -> usize {
        self.lane(self.lanes.0.len() - 1)
    }

    fn place(&self, event: &Folded<'_>) -> Option<Place> {
        self.lanes.place(self.recording, event.first)
    }
}

/// The recording as an SVG element, to stand in a page that states [`STYLE`].
pub fn svg(recording: &Recording) -> Markup {
    let lanes = Lanes::new(recording);
    let rows = rows(recording);
    let spacing = spacing(lanes.0.len() - 1, &rows);
    let layout = Layout {
        recording,
        lanes,
        spacing,
    };
    let mut y = HEADER;
    let placed: Vec<(usize, &Row<'_>)> = rows
        .iter()
        .map(|row| {
            y += if matches!(row, Row::Event(_)) {
                ROW
            } else {
                SILENCE
            };
            (y, row)
        })
        .collect();
    let height = y + MARGIN;
    let width = width(&layout, &rows);
    html! {
        svg xmlns="http://www.w3.org/2000/svg" class="diagram" role="img" aria-label="time diagram"
            width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } {
            (header(&layout, height))
            (bars(&layout, &placed, height))
            @for (y, row) in &placed {
                (draw(&layout, *y, row))
            }
        }
    }
}

/// The recording as an SVG document of its own.
pub fn standalone(recording: &Recording) -> String {
    let svg = svg(recording).into_string();
    svg.replacen('>', &format!("><style>{STYLE}</style>"), 1)
}

/// Between two lifelines the arrow is as long as the longest label; with many they stand close.
fn spacing(gaps: usize, rows: &[Row<'_>]) -> usize {
    let longest = rows.iter().map(|row| match row {
        Row::Event(event) => text(event).chars().count(),
        _ => 0,
    });
    let longest = longest.max().unwrap_or(0) * CHARACTER + 40;
    match gaps {
        0 | 1 => longest.clamp(300, 640),
        2 => longest.clamp(180, 300),
        3..=8 => 150,
        _ => 110,
    }
}

fn width(layout: &Layout<'_>, rows: &[Row<'_>]) -> usize {
    let ends = rows.iter().filter_map(|row| match row {
        Row::Event(event) => {
            let start = layout
                .place(event)
                .map_or(TIME, |place| layout.lane(leftmost(event, place)));
            Some(start + 12 + text(event).chars().count() * CHARACTER)
        }
        _ => None,
    });
    ends.max().unwrap_or(0).max(layout.last() + 70) + MARGIN
}

fn header(layout: &Layout<'_>, height: usize) -> Markup {
    html! {
        text.time x=(TIME - 14) y="16" text-anchor="end" { "time" }
        @for (index, lane) in layout.lanes.0.iter().enumerate() {
            (lifeline(layout.lane(index), lane.unwrap_or("target"), address(layout.recording, *lane), height))
        }
    }
}

/// The address of a lifeline, where it has exactly one.
fn address(recording: &Recording, lane: Option<&str>) -> Option<String> {
    let channels = recording
        .channels
        .iter()
        .filter(|it| it.transport != Transport::Pipe);
    let mut addresses = channels.filter_map(|channel| match lane {
        Some(name) => (channel.name == name).then_some(channel.kit),
        None => Some(channel.target),
    });
    let first = addresses.next()?;
    addresses.all(|it| it == first).then(|| first.to_string())
}

/// Where the text of an event begins: at a note's lifeline, or at the left end of an arrow.
fn leftmost(event: &Folded<'_>, place: Place) -> usize {
    match event.first.what {
        Happening::Note => place.subject,
        _ => place.from.min(place.to),
    }
}

fn lifeline(x: usize, name: &str, address: Option<String>, height: usize) -> Markup {
    html! {
        line.lane x1=(x) x2=(x) y1="38" y2=(height) {}
        text.name x=(x) y="16" text-anchor="middle" { (shortened(&plain(name), NAME)) }
        @if let Some(address) = address {
            text.address x=(x) y="31" text-anchor="middle" { (address) }
        }
    }
}

/// A bar on a lifeline for as long as a connection stands.
fn bars(layout: &Layout<'_>, placed: &[(usize, &Row<'_>)], height: usize) -> Markup {
    let mut open: Vec<Option<usize>> = vec![None; layout.recording.channels.len()];
    let mut subjects = vec![0; layout.recording.channels.len()];
    let mut bars: Vec<(usize, usize, usize)> = Vec::new();
    for (y, row) in placed {
        let Row::Event(event) = row else { continue };
        let Some(place) = layout.place(event) else {
            continue;
        };
        subjects[place.channel] = place.subject;
        match event.first.what {
            Happening::Opened => open[place.channel] = Some(*y),
            Happening::ClosedByKit | Happening::ClosedByTarget => {
                if let Some(from) = open[place.channel].take() {
                    bars.push((place.subject, from, *y));
                }
            }
            _ => {}
        }
    }
    for (from, lane) in open.iter().zip(subjects) {
        bars.extend(from.map(|from| (lane, from, height)));
    }
    html! {
        @for (lane, from, to) in bars {
            rect.bar x=(layout.lane(lane) - 3) y=(from) width="6" height=(to.saturating_sub(from)) {}
        }
    }
}

fn draw(layout: &Layout<'_>, y: usize, row: &Row<'_>) -> Markup {
    match row {
        Row::Silence(silence) => between(layout, y, &format!("{} of silence", seconds(*silence))),
        Row::LeftOut(rows) => between(layout, y, &format!("{rows} rows left out")),
        Row::Event(event) => match layout.place(event) {
            Some(place) if event.first.what != Happening::Note => arrow(layout, y, event, place),
            place => {
                let x = place.map_or(TIME, |place| layout.lane(place.subject) + 10);
                html! {
                    g {
                        title { (title(layout, event)) }
                        (time(y, event))
                        text.note x=(x) y=(y) { (text(event)) }
                    }
                }
            }
        },
    }
}

fn between(layout: &Layout<'_>, y: usize, words: &str) -> Markup {
    let middle = usize::midpoint(layout.lane(0), layout.last());
    html! { text.silence x=(middle) y=(y) text-anchor="middle" { "⋮  " (words) } }
}

fn arrow(layout: &Layout<'_>, y: usize, event: &Folded<'_>, place: Place) -> Markup {
    let (from, to) = (layout.lane(place.from), layout.lane(place.to));
    let left = from.min(to);
    let channel = &layout.recording.channels[place.channel];
    // With a name at the other end, the kit is a lifeline like the others.
    let by_kit = match &channel.peer {
        None => layout.lanes.0.get(place.to) == Some(&None),
        Some(_) => layout.lanes.0.get(place.from) == Some(&Some(KIT)),
    };
    let what = &event.first.what;
    let class = match what {
        Happening::ClosedByKit | Happening::ClosedByTarget | Happening::Lost(_) => "gone",
        Happening::Opened if by_kit => "kit open",
        Happening::Opened => "peer open",
        _ if by_kit => "kit",
        _ => "peer",
    };
    // What is lost ends in a cross before it arrives.
    let end = match what {
        Happening::Lost(_) => usize::midpoint(usize::midpoint(from, to), to),
        _ => to,
    };
    let head = match what {
        Happening::Lost(_) => format!(
            "M{} {}L{} {}M{} {}L{} {}",
            end - 4,
            y - 4,
            end + 4,
            y + 4,
            end - 4,
            y + 4,
            end + 4,
            y - 4
        ),
        _ => {
            let back = if from < to { to - 7 } else { to + 7 };
            format!("M{back} {}L{to} {y}L{back} {}", y - 4, y + 4)
        }
    };
    html! {
        g class=(class) {
            title { (title(layout, event)) }
            (time(y, event))
            path d={ "M" (from) " " (y) "H" (end) } {}
            g.head { path d=(head) {} }
            text x=(left + 10) y=(y - 5) { (text(event)) }
        }
    }
}

fn time(y: usize, event: &Folded<'_>) -> Markup {
    html! { text.time x=(TIME - 14) y=(y + 4) text-anchor="end" { (seconds(event.first.at)) } }
}

/// What stands on the arrow.
fn text(event: &Folded<'_>) -> String {
    let words = shortened(&plain(label(&event.first.what, &event.first.label)), LABEL);
    match event.times {
        1 => words,
        times => format!(
            "{times} × {words} … ({}, until {})",
            size(event.bytes),
            seconds(event.until)
        ),
    }
}

/// What a pointer on the arrow shows: the whole label, and how the bytes begin.
fn title(layout: &Layout<'_>, event: &Folded<'_>) -> String {
    let words = plain(label(&event.first.what, &event.first.label));
    let Some(bytes) = event.first.what.carried() else {
        return words;
    };
    let channel = event
        .first
        .channel
        .and_then(|it| layout.recording.channels.get(it));
    if channel.is_some_and(|it| it.transport == Transport::Pipe) {
        // A line is text, and the label says it.
        return words;
    }
    let shown = &bytes[..bytes.len().min(SHOWN_BYTES)];
    let more = if event.first.bytes > shown.len() {
        "…"
    } else {
        ""
    };
    format!(
        "{words}\n{} bytes: {}{more}",
        event.first.bytes,
        hex::encode(shown)
    )
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}

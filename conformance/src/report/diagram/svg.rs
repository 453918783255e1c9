//! The diagram as SVG.
//!
//! Time runs down. The target's lifeline is on the right, one lifeline for each part that the kit plays is on its
//! left; a bar on it shows that a connection stands. Every row has its own height, so labels never lie on one another;
//! a label has a halo, so lifelines pass behind it.

use maud::{Markup, html};

use super::fold::{Folded, Row, rows};
use super::{by_kit, label, lanes, seconds, size};
use crate::record::{Happening, Recording};
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
    lanes: Vec<&'a str>,
    /// Between two lifelines.
    spacing: usize,
}

impl Layout<'_> {
    fn lane(&self, index: usize) -> usize {
        TIME + 60 + index * self.spacing
    }

    fn target(&self) -> usize {
        self.lane(self.lanes.len())
    }

    /// The lane of an event and its channel.
    fn place(&self, event: &Folded<'_>) -> Option<(usize, usize)> {
        let channel = event.first.channel?;
        let name = &self.recording.channels.get(channel)?.name;
        Some((channel, self.lanes.iter().position(|lane| lane == name)?))
    }
}

/// The recording as an SVG element, to stand in a page that states [`STYLE`].
pub fn svg(recording: &Recording) -> Markup {
    let lanes = lanes(recording);
    let rows = rows(recording);
    let spacing = spacing(lanes.len(), &rows);
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

/// With one lifeline the arrow is as long as the longest label; with many they stand close.
fn spacing(lanes: usize, rows: &[Row<'_>]) -> usize {
    let longest = rows.iter().map(|row| match row {
        Row::Event(event) => text(event).chars().count(),
        _ => 0,
    });
    let longest = longest.max().unwrap_or(0) * CHARACTER + 40;
    match lanes {
        0 | 1 => longest.clamp(300, 640),
        2 => longest.clamp(180, 300),
        _ => 150,
    }
}

fn width(layout: &Layout<'_>, rows: &[Row<'_>]) -> usize {
    let ends = rows.iter().filter_map(|row| match row {
        Row::Event(event) => {
            let start = layout
                .place(event)
                .map_or(TIME, |(_, lane)| layout.lane(lane));
            Some(start + 12 + text(event).chars().count() * CHARACTER)
        }
        _ => None,
    });
    ends.max().unwrap_or(0).max(layout.target() + 70) + MARGIN
}

fn header(layout: &Layout<'_>, height: usize) -> Markup {
    html! {
        text.time x=(TIME - 14) y="16" text-anchor="end" { "time" }
        @for (index, name) in layout.lanes.iter().enumerate() {
            @let mut addresses = layout.recording.channels.iter().filter(|it| it.name == **name).map(|it| it.kit);
            @let first = addresses.next();
            @let address = first.filter(|first| addresses.all(|it| it == *first));
            (lifeline(layout.lane(index), name, address.map(|it| it.to_string()), height))
        }
        @let mut targets = layout.recording.channels.iter().map(|it| it.target);
        @let first = targets.next();
        @let address = first.filter(|first| targets.all(|it| it == *first));
        (lifeline(layout.target(), "target", address.map(|it| it.to_string()), height))
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
    let mut bars: Vec<(usize, usize, usize)> = Vec::new();
    for (y, row) in placed {
        let Row::Event(event) = row else { continue };
        let Some((channel, lane)) = layout.place(event) else {
            continue;
        };
        match event.first.what {
            Happening::Opened => open[channel] = Some(*y),
            Happening::ClosedByKit | Happening::ClosedByTarget => {
                if let Some(from) = open[channel].take() {
                    bars.push((lane, from, *y));
                }
            }
            _ => {}
        }
    }
    for (channel, from) in open.iter().enumerate() {
        let name = layout.recording.channels[channel].name.as_str();
        if let (Some(from), Some(lane)) = (from, layout.lanes.iter().position(|it| *it == name)) {
            bars.push((lane, *from, height));
        }
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
            Some((channel, lane)) if event.first.what != Happening::Note => {
                arrow(layout, y, event, channel, lane)
            }
            place => {
                let x = place.map_or(TIME, |(_, lane)| layout.lane(lane) + 10);
                html! {
                    g {
                        title { (title(event)) }
                        (time(y, event))
                        text.note x=(x) y=(y) { (text(event)) }
                    }
                }
            }
        },
    }
}

fn between(layout: &Layout<'_>, y: usize, words: &str) -> Markup {
    let middle = usize::midpoint(layout.lane(0), layout.target());
    html! { text.silence x=(middle) y=(y) text-anchor="middle" { "⋮  " (words) } }
}

fn arrow(layout: &Layout<'_>, y: usize, event: &Folded<'_>, channel: usize, lane: usize) -> Markup {
    let what = &event.first.what;
    let by_kit = by_kit(layout.recording, channel, what);
    let (left, right) = (layout.lane(lane), layout.target());
    let class = match what {
        Happening::ClosedByKit | Happening::ClosedByTarget => "gone",
        Happening::Opened if by_kit => "kit open",
        Happening::Opened => "peer open",
        _ if by_kit => "kit",
        _ => "peer",
    };
    let head = if by_kit {
        format!(
            "M{} {}L{right} {y}L{} {}",
            right - 7,
            y - 4,
            right - 7,
            y + 4
        )
    } else {
        format!("M{} {}L{left} {y}L{} {}", left + 7, y - 4, left + 7, y + 4)
    };
    html! {
        g class=(class) {
            title { (title(event)) }
            (time(y, event))
            path d={ "M" (left) " " (y) "H" (right) } {}
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
fn title(event: &Folded<'_>) -> String {
    let words = plain(label(&event.first.what, &event.first.label));
    let (Happening::Sent(bytes) | Happening::Received(bytes)) = &event.first.what else {
        return words;
    };
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

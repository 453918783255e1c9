use super::*;
use crate::record::{Channel, Event, Transport};
use std::time::Duration;

fn channel(name: &str) -> Channel {
    Channel {
        name: name.to_owned(),
        transport: Transport::Tcp,
        kit: "127.0.0.1:40000".parse().unwrap(),
        target: "127.0.0.1:6881".parse().unwrap(),
        peer: None,
        opened_by_target: false,
    }
}

fn event(at: u64, channel: Option<usize>, what: Happening, label: &str) -> Event {
    Event {
        bytes: 0,
        at: Duration::from_millis(at),
        channel,
        what,
        label: label.to_owned(),
    }
}

fn download(blocks: u64) -> Recording {
    let mut events = vec![event(0, Some(0), Happening::Opened, "")];
    for block in 0..blocks {
        let at = 10 + 2 * block;
        let (request, piece) = (
            format!("request piece 0 at {}, 16384 bytes", block << 14),
            format!("piece 0 at {}, 16384 bytes", block << 14),
        );
        events.push(event(at, Some(0), Happening::Sent(vec![6; 17]), &request));
        events.push(event(
            at + 1,
            Some(0),
            Happening::Received(vec![7; 16_397]),
            &piece,
        ));
    }
    events.push(event(2_000, Some(0), Happening::ClosedByTarget, ""));
    Recording::new(vec![channel("peer 1")], events)
}

#[test]
fn a_thousand_blocks_are_two_rows() {
    let text = mermaid(&download(1_000));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "sequenceDiagram",
            "participant k0 as peer 1",
            "participant target",
            "k0-->>target: connects",
            "k0->>target: request piece 0 at 0, 16384 bytes (and 999 more like it, 16 KiB)",
            "target->>k0: piece 0 at 0, 16384 bytes (and 999 more like it, 15.6 MiB)",
            "target--xk0: closes",
        ]
    );
}

#[test]
fn two_of_a_kind_stay_apart_and_silence_shows() {
    let text = mermaid(&download(2));
    assert_eq!(text.matches("request piece").count(), 2, "{text}");
    assert!(
        text.contains("Note over k0,target: 1.987 s of silence"),
        "{text}"
    );
}

#[test]
fn a_long_story_is_cut_in_the_middle() {
    let mut recording = download(0);
    for index in 0..2_000_usize {
        // A label that never repeats.
        let label = "x".repeat(index % 40) + &"y".repeat(index / 40);
        recording
            .events
            .push(event(1, None, Happening::Note, &label));
    }
    let rows = fold::rows(&recording);
    assert_eq!(rows.len(), ROWS);
    assert!(rows.iter().any(|row| matches!(row, fold::Row::LeftOut(_))));
}

#[test]
fn hostile_labels_stay_text() {
    let mut recording = download(0);
    recording.channels[0].name = "<script>\u{1b}[31m".to_owned();
    let label = "</text><script>alert(1)</script>; end \u{202e}";
    recording
        .events
        .push(event(1, Some(0), Happening::Sent(vec![1]), label));
    let svg = standalone(&recording);
    assert!(!svg.contains("<script"), "{svg}");
    assert!(svg.contains("&lt;script&gt;alert(1)"), "{svg}");
    assert!(!svg.contains('\u{1b}') && !svg.contains('\u{202e}'));
    let text = mermaid(&recording);
    assert!(
        text.contains("#59; end") && !text.contains("script>"),
        "{text}"
    );
}

#[test]
fn an_event_of_an_unknown_channel_is_a_note() {
    let recording = Recording::new(
        Vec::new(),
        [event(1, Some(7), Happening::Sent(vec![1]), "odd")],
    );
    assert!(mermaid(&recording).contains("Note over target: odd"));
    assert!(standalone(&recording).contains("odd"));
}

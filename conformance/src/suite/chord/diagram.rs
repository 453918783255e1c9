//! What was said in a ring, for reports: every node is a lifeline.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fleet::{Event, What};
use crate::record::{Channel, Event as Entry, Happening, Recording, Transport};

/// The longest text of one entry, in characters.
const LONGEST: usize = 160;

/// The trace as a recording.
pub(super) fn recording(trace: &[Event]) -> Recording {
    let mut channels: Vec<Channel> = Vec::new();
    let mut entries = Vec::new();
    for event in trace {
        let channel = (!event.node.is_empty()).then(|| lifeline(&mut channels, &event.node));
        let (what, label) = told(event);
        entries.push(Entry {
            at: event.at,
            channel,
            what,
            label,
            bytes: 0,
        });
    }
    Recording::new(channels, entries)
}

/// The lifeline of a node. Its addresses stand for pipes, which have none.
fn lifeline(channels: &mut Vec<Channel>, node: &str) -> usize {
    if let Some(known) = channels.iter().position(|channel| channel.name == node) {
        return known;
    }
    let port = u16::try_from(channels.len()).unwrap_or(u16::MAX);
    channels.push(Channel {
        name: node.to_owned(),
        transport: Transport::Tcp,
        kit: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
        target: SocketAddr::from((Ipv4Addr::LOCALHOST, port.saturating_add(2))),
        opened_by_target: false,
    });
    channels.len() - 1
}

fn told(event: &Event) -> (Happening, String) {
    let body = event.body.as_ref();
    let peer = event.peer.as_deref().unwrap_or("nobody");
    let bytes = || body.map(|body| line(body)).unwrap_or_default().into_bytes();
    match event.what {
        What::Asked => (Happening::Sent(bytes()), short(body)),
        What::Answered => (Happening::Received(bytes()), short(body)),
        What::Sent => (Happening::Note, format!("to {peer}: {}", short(body))),
        What::Delivered => (Happening::Note, format!("from {peer}: {}", short(body))),
        What::Lost => (
            Happening::Note,
            format!("to {peer}: {} ({})", short(body), event.note),
        ),
        other => {
            let word = serde_json::to_value(other).ok();
            let word = word.as_ref().and_then(Value::as_str).unwrap_or("happens");
            (
                Happening::Note,
                format!("{word} {}", event.note).trim().to_owned(),
            )
        }
    }
}

fn line(body: &Map<String, Value>) -> String {
    let mut line = serde_json::to_string(body).unwrap_or_default();
    line.push('\n');
    line
}

/// A body in few words: what it is, then its fields.
fn short(body: Option<&Arc<Map<String, Value>>>) -> String {
    let Some(body) = body else {
        return String::new();
    };
    let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
    let fields = body
        .iter()
        .filter(|(name, _)| !["type", "msg_id", "in_reply_to"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name} {value}"));
    let fields: Vec<String> = fields.collect();
    let text = format!("{kind} {}", fields.join(", "));
    text.trim().chars().take(LONGEST).collect()
}

//! A trace as a recording, for diagrams.
//!
//! A ring that maintains itself says hundreds of things of which no single one matters. So what nodes say to each
//! other whether the kit asks something or not is routine: its first message of every kind is shown, and those that
//! mention what the kit has just asked about; the others are counted. When the kit asks all nodes the same thing again and again, the last answer of each is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{Event, What};
use crate::control::KIT;
use crate::record::{Channel, Event as Entry, Happening, Recording};

/// How often a kind of message is seen while no question is open until it is routine.
const ROUTINE_FROM: usize = 3;

/// What is seen so often is routine, whatever else is going on.
const ROUTINE_ANYWAY: usize = 200;

/// For how long what nodes say to each other may come from a question that nobody answers.
const LONGEST_CAUSE: Duration = Duration::from_secs(2);

/// How many questions of one kind, one after the other, are a poll.
const POLL_FROM: usize = 8;

/// From this many counted messages on, a note says what they were.
const NOTED_FROM: usize = 50;

/// The most kinds that a note names.
const NAMED_KINDS: usize = 5;

/// The most items of a list that a label shows.
const SHOWN_ITEMS: usize = 8;

/// The longest label, in characters.
const LONGEST: usize = 240;

/// The trace as a recording: the kit and every node that has a name have a lifeline.
pub fn recording(trace: &[Event]) -> Recording {
    let routine = routine(trace);
    let polls = polls(trace);
    let mut story = Story::new(trace);
    for (event, polled) in trace.iter().zip(polls) {
        story.tell(event, &routine, polled);
    }
    story.note_counted(trace.last());
    Recording::new(story.channels, story.entries)
}

/// The kinds of messages that are routine.
fn routine(trace: &[Event]) -> BTreeSet<String> {
    let mut open: Vec<(&str, Duration)> = Vec::new();
    // How often each kind is seen: while no question is open, and at all.
    let mut seen: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for event in trace {
        match event.what {
            What::Asked => open.push((&event.node, event.at)),
            What::Answered => {
                if let Some(first) = open.iter().position(|(node, _)| *node == event.node) {
                    open.remove(first);
                }
            }
            What::Sent => {
                open.retain(|(_, asked)| event.at.saturating_sub(*asked) < LONGEST_CAUSE);
                let (quiet, all) = seen.entry(kind(event)).or_default();
                *quiet += usize::from(open.is_empty());
                *all += 1;
            }
            _ => {}
        }
    }
    seen.retain(|_, (quiet, all)| *quiet >= ROUTINE_FROM || *all >= ROUTINE_ANYWAY);
    seen.into_keys().collect()
}

/// What an event is to a poll: for every event of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Polled {
    /// None of a poll's.
    No,
    /// One of many, which is counted.
    Counted,
    /// The last answer of its node.
    Last,
}

/// Which events belong to runs of questions of one kind.
fn polls(trace: &[Event]) -> Vec<Polled> {
    let mut polls = vec![Polled::No; trace.len()];
    let mut run: Vec<usize> = Vec::new();
    let mut asked: Option<String> = None;
    for (index, event) in trace.iter().enumerate() {
        match event.what {
            What::Sent | What::Delivered | What::Lost => {}
            What::Asked if asked.as_deref() == Some(&kind(event)) => run.push(index),
            What::Answered if asked.is_some() => run.push(index),
            what => {
                end_poll(trace, &mut polls, &run);
                run.clear();
                asked = (what == What::Asked).then(|| kind(event));
                run.extend(asked.as_ref().map(|_| index));
            }
        }
    }
    end_poll(trace, &mut polls, &run);
    polls
}

fn end_poll(trace: &[Event], polls: &mut [Polled], run: &[usize]) {
    let questions = run.iter().filter(|at| trace[**at].what == What::Asked);
    if questions.count() < POLL_FROM {
        return;
    }
    let mut answered: BTreeSet<&str> = BTreeSet::new();
    for at in run.iter().rev() {
        let event = &trace[*at];
        let is_last = event.what == What::Answered && answered.insert(&event.node);
        polls[*at] = if is_last {
            Polled::Last
        } else {
            Polled::Counted
        };
    }
}

/// A question of the kit.
struct Question {
    node: String,
    asked: Duration,
    /// The fields that say what it is about.
    subjects: Vec<Subject>,
}

/// A field, by name and value.
type Subject = (String, Value);

/// The recording while it is made.
struct Story {
    channels: Vec<Channel>,
    entries: Vec<Entry>,
    /// Where each two talk: indices of `channels`.
    known: BTreeMap<(String, String), usize>,
    /// What the kit has asked and not been answered.
    open: Vec<Question>,
    /// The kinds that have been shown.
    shown: BTreeSet<String>,
    counted: BTreeMap<String, usize>,
}

impl Story {
    /// The lifelines stand in the order of the nodes' numbers.
    fn new(trace: &[Event]) -> Self {
        let mut story = Self {
            channels: Vec::new(),
            entries: Vec::new(),
            known: BTreeMap::new(),
            open: Vec::new(),
            shown: BTreeSet::new(),
            counted: BTreeMap::new(),
        };
        let names = trace.iter().map(|event| event.node.as_str());
        let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_by_key(|name| {
            let digits: String = name.chars().filter(char::is_ascii_digit).collect();
            digits.parse::<u64>().unwrap_or(u64::MAX)
        });
        for name in names {
            story.channel(KIT, name);
        }
        story
    }

    fn channel(&mut self, from: &str, to: &str) -> usize {
        let key = (from.to_owned(), to.to_owned());
        *self.known.entry(key).or_insert_with(|| {
            self.channels.push(Channel::between(from, to));
            self.channels.len() - 1
        })
    }

    fn tell(&mut self, event: &Event, routine: &BTreeSet<String>, polled: Polled) {
        let kit = |story: &mut Self| Some(story.channel(KIT, &event.node));
        let bytes = || line(event.body.as_ref());
        match event.what {
            What::Sent => {}
            What::Delivered | What::Lost => self.tell_message(event, routine),
            What::Asked | What::Answered if polled == Polled::Counted => {
                let kind = match event.what {
                    What::Asked => format!("questions `{}`", kind(event)),
                    _ => return,
                };
                *self.counted.entry(kind).or_default() += 1;
            }
            What::Asked => {
                let channel = kit(self);
                self.open.push(Question {
                    node: event.node.clone(),
                    asked: event.at,
                    subjects: subjects(event),
                });
                self.push(event, channel, Happening::Sent(bytes()), label(event));
            }
            What::Answered => {
                let channel = kit(self);
                if let Some(first) = self.open.iter().position(|it| it.node == event.node) {
                    self.open.remove(first);
                }
                self.push(event, channel, Happening::Received(bytes()), label(event));
            }
            What::Started => {
                let channel = kit(self);
                self.push(event, channel, Happening::Opened, "starts".to_owned());
            }
            What::Crashed => {
                self.note_counted(Some(event));
                let channel = kit(self);
                let words = "crash (kill -9)".to_owned();
                self.push(event, channel, Happening::ClosedByKit, words);
            }
            What::Ended => {
                self.note_counted(Some(event));
                let channel = kit(self);
                self.push(
                    event,
                    channel,
                    Happening::ClosedByTarget,
                    event.note.clone(),
                );
            }
            What::Paused | What::Resumed => {
                let words = match event.what {
                    What::Paused => "stopped (SIGSTOP)",
                    _ => "goes on (SIGCONT)",
                };
                let channel = kit(self);
                self.push(event, channel, Happening::Note, words.to_owned());
            }
            What::Partitioned | What::Healed | What::Held | What::Released => {
                self.note_counted(Some(event));
                self.push(event, None, Happening::Note, change(event));
            }
        }
    }

    /// A message between nodes, where it arrives or is lost.
    fn tell_message(&mut self, event: &Event, routine: &BTreeSet<String>) {
        let is_lost = event.what == What::Lost;
        let kind = kind(event);
        self.open
            .retain(|it| event.at.saturating_sub(it.asked) < LONGEST_CAUSE);
        let mut asked = self.open.iter().flat_map(|it| &it.subjects);
        let matters = asked.any(|subject| mentions(event.body.as_deref(), subject));
        if routine.contains(&kind) && !matters && !self.shown.insert(format!("{is_lost} {kind}")) {
            let words = if is_lost {
                format!("{kind} (lost)")
            } else {
                kind
            };
            *self.counted.entry(words).or_default() += 1;
            if self.counted.values().sum::<usize>() >= NOTED_FROM {
                self.note_counted(Some(event));
            }
            return;
        }
        let peer = event.peer.as_deref().unwrap_or("nobody");
        let (from, to) = if is_lost {
            (event.node.as_str(), peer)
        } else {
            (peer, event.node.as_str())
        };
        let channel = Some(self.channel(from, to));
        let bytes = line(event.body.as_ref());
        if is_lost {
            let words = format!("{} ({})", label(event), event.note);
            self.push(event, channel, Happening::Lost(bytes), words);
        } else {
            self.push(event, channel, Happening::Sent(bytes), label(event));
        }
    }

    /// Says what was counted since the last time.
    fn note_counted(&mut self, at: Option<&Event>) {
        let counted = std::mem::take(&mut self.counted);
        let total: usize = counted.values().sum();
        let (Some(at), true) = (at, total > 0) else {
            return;
        };
        let mut kinds: Vec<(String, usize)> = counted.into_iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let named = kinds.iter().take(NAMED_KINDS);
        let mut named: Vec<String> = named
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let rest: usize = kinds.iter().skip(NAMED_KINDS).map(|(_, count)| count).sum();
        if rest > 0 {
            named.push(format!("{rest} others"));
        }
        let words = format!("meanwhile: {}", named.join(", "));
        self.push(at, None, Happening::Note, words);
    }

    fn push(&mut self, event: &Event, channel: Option<usize>, what: Happening, label: String) {
        self.entries.push(Entry {
            at: event.at,
            channel,
            what,
            label,
            bytes: 0,
        });
    }
}

/// The fields of a question that say what it is about.
fn subjects(event: &Event) -> Vec<Subject> {
    let fields = event.body.iter().flat_map(|body| body.iter());
    let about = fields.filter(|(name, value)| {
        !["type", "msg_id"].contains(&name.as_str()) && (value.is_number() || value.is_string())
    });
    about
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether a body says that somewhere. Bodies are no deeper than the reader of JSON allows.
fn mentions(body: Option<&Map<String, Value>>, subject: &Subject) -> bool {
    fn within(value: &Value, subject: &Subject) -> bool {
        match value {
            Value::Object(fields) => mentions(Some(fields), subject),
            Value::Array(items) => items.iter().any(|item| within(item, subject)),
            _ => false,
        }
    }
    let mut fields = body.into_iter().flatten();
    fields
        .any(|(name, value)| (*name == subject.0 && *value == subject.1) || within(value, subject))
}

/// What stands on a note about the network.
fn change(event: &Event) -> String {
    let sides = event.body.as_ref().and_then(|body| body.get("sides"));
    let side = |names: &Value| {
        let names = names.as_array().into_iter().flatten();
        names
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    match event.what {
        What::Partitioned => {
            let sides = sides.and_then(Value::as_array).into_iter().flatten();
            let sides: Vec<String> = sides.map(side).collect();
            format!("partition: {}", sides.join(" | "))
        }
        What::Healed => "the partition is over".to_owned(),
        What::Held => "messages between nodes are held".to_owned(),
        _ => "messages between nodes go on".to_owned(),
    }
}

/// The type of a body, and the kind of what is inside where it has one.
fn kind(event: &Event) -> String {
    let Some(body) = &event.body else {
        return String::new();
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let mut kind = text(body.get("type")).unwrap_or_default();
    let inner = body.values().filter_map(Value::as_object);
    if let Some(inner) = inner.filter_map(|it| text(it.get("kind"))).next() {
        kind += " ";
        kind += &inner;
    }
    kind.chars().take(LONGEST / 4).collect()
}

/// A body in few words: what it is, then its fields.
fn label(event: &Event) -> String {
    let Some(body) = &event.body else {
        return String::new();
    };
    let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
    let hidden = ["type", "msg_id", "in_reply_to"];
    let fields = body
        .iter()
        .filter(|(name, _)| !hidden.contains(&name.as_str()));
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{name} {}", brief(value)))
        .collect();
    let mut text = format!("{kind} {}", fields.join(", "));
    if event.what == What::Answered && !event.note.is_empty() {
        text += &format!(" ({})", event.note);
    }
    text.trim().chars().take(LONGEST).collect()
}

/// A value without the marks that only machines need.
fn brief(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let shown: Vec<String> = items.iter().take(SHOWN_ITEMS).map(brief).collect();
            let more = if items.len() > SHOWN_ITEMS {
                ", …"
            } else {
                ""
            };
            format!("[{}{more}]", shown.join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().take(SHOWN_ITEMS);
            let fields: Vec<String> = fields
                .map(|(name, value)| format!("{name} {}", brief(value)))
                .collect();
            format!("({})", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn line(body: Option<&Arc<Map<String, Value>>>) -> Vec<u8> {
    let text = body.map(|body| serde_json::to_string(body.as_ref()).unwrap_or_default());
    text.unwrap_or_default().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::diagram;
    use serde_json::json;

    /// Writes traces down in the test's own short words.
    #[derive(Default)]
    struct Trace(Vec<Event>);

    impl Trace {
        fn add(&mut self, what: What, node: &str, peer: Option<&str>, body: &Value) {
            self.0.push(Event {
                at: Duration::from_millis(self.0.len() as u64),
                what,
                node: node.to_owned(),
                peer: peer.map(str::to_owned),
                body: body.as_object().cloned().map(Arc::new),
                note: String::new(),
            });
        }
        fn message(&mut self, from: &str, to: &str, body: &Value) {
            self.add(What::Sent, from, Some(to), body);
            self.add(What::Delivered, to, Some(from), body);
        }
        fn call(&mut self, node: &str, kind: &str) {
            self.add(What::Asked, node, None, &json!({"type": kind, "msg_id": 1}));
            let answer = json!({"type": format!("{kind}_ok"), "in_reply_to": 1});
            self.add(What::Answered, node, None, &answer);
        }
    }

    /// The rows of the diagram, without the participants.
    fn rows(trace: &Trace) -> Vec<String> {
        let text = diagram::mermaid(&recording(&trace.0));
        let rows = text.lines().map(|line| line.trim().to_owned());
        rows.filter(|line| !line.starts_with("participant"))
            .skip(1)
            .collect()
    }

    #[test]
    fn every_node_has_a_lifeline_and_messages_go_between_them() {
        let mut trace = Trace::default();
        for node in ["n112", "n9"] {
            trace.add(What::Started, node, None, &Value::Null);
        }
        trace.add(
            What::Asked,
            "n9",
            None,
            &json!({"type": "lookup", "msg_id": 4, "key": 42}),
        );
        trace.message("n9", "n112", &json!({"type": "relay", "key": 42}));
        trace.add(What::Lost, "n112", Some("n9"), &json!({"type": "bye"}));
        trace.0.last_mut().expect("an event").note = "lost by the network".to_owned();
        trace.add(
            What::Answered,
            "n9",
            None,
            &json!({"type": "lookup_ok", "in_reply_to": 4, "owner": 112}),
        );
        trace.add(What::Crashed, "n112", None, &Value::Null);
        let text = diagram::mermaid(&recording(&trace.0));
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "sequenceDiagram",
                "participant k0 as kit",
                "participant k1 as n9",
                "participant k2 as n112",
                "k0-->>k2: starts",
                "k0-->>k1: starts",
                "k0->>k1: lookup key 42",
                "k1->>k2: relay key 42",
                "k2-xk1: bye (lost by the network)",
                "k1->>k0: lookup_ok owner 112",
                "k0--xk2: crash (kill -9)",
            ]
        );
    }

    #[test]
    fn routine_is_counted_and_what_a_question_causes_is_shown() {
        let mut trace = Trace::default();
        for _ in 0..40 {
            trace.message(
                "n1",
                "n2",
                &json!({"type": "query", "question": {"kind": "successors"}}),
            );
            trace.message("n2", "n1", &json!({"type": "notify"}));
        }
        trace.add(
            What::Asked,
            "n1",
            None,
            &json!({"type": "get", "msg_id": 1, "key": 42}),
        );
        trace.message("n1", "n2", &json!({"type": "notify"}));
        trace.message("n1", "n2", &json!({"type": "relay"}));
        trace.message(
            "n1",
            "n2",
            &json!({"type": "query", "question": {"kind": "successors", "key": 42}}),
        );
        trace.add(
            What::Answered,
            "n1",
            None,
            &json!({"type": "get_ok", "in_reply_to": 1}),
        );
        trace.add(
            What::Partitioned,
            "",
            None,
            &json!({"sides": [["n1"], ["n2"]]}),
        );
        assert_eq!(
            rows(&trace),
            [
                "k1->>k2: query question (kind successors)",
                "k2->>k1: notify",
                "Note over k0,k2: meanwhile: 25 notify, 25 query successors",
                "k0->>k1: get key 42",
                "k1->>k2: relay",
                "k1->>k2: query question (kind successors, key 42)",
                "k1->>k0: get_ok",
                "Note over k0,k2: meanwhile: 15 notify, 14 query successors",
                "Note over k0,k2: partition: n1 | n2",
            ]
        );
    }

    #[test]
    fn of_a_poll_the_last_answers_are_shown() {
        let mut trace = Trace::default();
        trace.call("n1", "join");
        for _ in 0..30 {
            trace.call("n1", "state");
            trace.call("n2", "state");
        }
        trace.call("n2", "leave");
        assert_eq!(
            rows(&trace),
            [
                "k0->>k1: join",
                "k1->>k0: join_ok",
                "k1->>k0: state_ok",
                "k2->>k0: state_ok",
                "k0->>k2: leave",
                "k2->>k0: leave_ok",
                "Note over k0,k2: meanwhile: 60 questions `state`",
            ]
        );
    }
}

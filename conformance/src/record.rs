//! What was said on the wire during one case: every byte with its time and its meaning.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The most bytes one recording keeps; what follows is counted but not kept.
pub const KEPT_BYTES: usize = 4 << 20;

/// The most events one recording keeps; what follows is counted but not kept.
pub const KEPT_EVENTS: usize = 20_000;

/// The most conversations one recording keeps; a target that reconnects for ever does not fill the memory.
pub const KEPT_CHANNELS: usize = 4_096;

/// How two parties talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A byte stream.
    Tcp,
    /// Datagrams.
    Udp,
    /// Lines of a process: there are no addresses, and nothing that a capture could show.
    Pipe,
}

/// One conversation: between the kit and the target, or between two that have names.
#[derive(Clone, Debug)]
pub struct Channel {
    /// What the kit plays on it, such as `peer 1` or `tracker`; where the other end has a name, who is at this end.
    pub name: String,
    /// Who is at the other end, where that is not the target.
    pub peer: Option<String>,
    /// How they talk.
    pub transport: Transport,
    /// The kit's end.
    pub kit: SocketAddr,
    /// The target's end.
    pub target: SocketAddr,
    /// Whether the target opened it (for TCP).
    pub opened_by_target: bool,
}

impl Channel {
    /// The lines between two that have names. `Sent` is what `name` says, `Received` what `peer` says;
    /// what happens to one of them happens to `peer`.
    pub fn between(name: &str, peer: &str) -> Self {
        let nowhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Self {
            name: name.to_owned(),
            peer: Some(peer.to_owned()),
            transport: Transport::Pipe,
            kit: nowhere,
            target: nowhere,
            opened_by_target: false,
        }
    }
}

/// What happened on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The connection stands.
    Opened,
    /// The kit sent bytes.
    Sent(Vec<u8>),
    /// The target sent bytes.
    Received(Vec<u8>),
    /// The kit's end sent bytes that did not arrive.
    Lost(Vec<u8>),
    /// The kit closed.
    ClosedByKit,
    /// The target closed or reset.
    ClosedByTarget,
    /// Something worth a line in the diagram that is no traffic.
    Note,
}

impl Happening {
    /// The bytes that it carries.
    pub fn carried(&self) -> Option<&[u8]> {
        match self {
            Self::Sent(bytes) | Self::Received(bytes) | Self::Lost(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn carried_mut(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Self::Sent(bytes) | Self::Received(bytes) | Self::Lost(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// One event of a recording.
#[derive(Clone, Debug)]
pub struct Event {
    /// Since the case began.
    pub at: Duration,
    /// Index into [`Recording::channels`]; `None` for a note about the whole case.
    pub channel: Option<usize>,
    /// What happened.
    pub what: Happening,
    /// Its meaning in words, such as `request piece 3 at 0, 16384 bytes`.
    pub label: String,
    /// How many bytes it carried, kept or not.
    pub bytes: usize,
}

/// Everything that happened in one case.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The conversations, in the order they began.
    pub channels: Vec<Channel>,
    /// The events, in the order of time.
    pub events: Vec<Event>,
    /// Bytes that were seen but not kept.
    pub dropped_bytes: usize,
    /// Events that were seen but not kept.
    pub dropped_events: usize,
    kept: usize,
}

/// A handle to a recording that several threads write to.
#[derive(Clone, Debug)]
pub struct Recorder {
    began: Instant,
    shared: Arc<Mutex<Recording>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            shared: Arc::default(),
        }
    }
}

impl Recorder {
    /// A new, empty recording that begins now.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a conversation and returns its index, which names none when there are too many.
    pub fn channel(&self, channel: Channel) -> usize {
        let mut recording = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let index = recording.channels.len();
        if index < KEPT_CHANNELS {
            recording.channels.push(channel);
        }
        index
    }

    /// Adds an event, now.
    pub fn event(&self, channel: Option<usize>, what: Happening, label: impl Into<String>) {
        let at = self.began.elapsed();
        let mut recording = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        recording.push(Event {
            at,
            channel,
            what,
            label: label.into(),
            bytes: 0,
        });
    }

    /// Time since the recording began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What was recorded so far.
    pub fn take(&self) -> Recording {
        std::mem::take(&mut *self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Recording {
    /// A recording of these conversations and events, which happened elsewhere.
    pub fn new(channels: Vec<Channel>, events: impl IntoIterator<Item = Event>) -> Self {
        let mut recording = Self {
            channels,
            ..Self::default()
        };
        events.into_iter().for_each(|event| recording.push(event));
        recording
    }

    /// Forgets what only captures need: all but the first `bytes` of every event, and the middle of
    /// a story of more than `events`, in the place of which a note remains.
    pub fn shed(&mut self, bytes: usize, events: usize) {
        if self.events.len() > events {
            let tail = self.events.split_off(self.events.len() - events / 2);
            let cut = self.events.split_off(events / 2);
            self.dropped_events += cut.len();
            self.events.extend(cut.first().map(|first| Event {
                at: first.at,
                channel: None,
                what: Happening::Note,
                label: format!("{} events left out", cut.len()),
                bytes: 0,
            }));
            self.events.extend(tail);
        }
        self.kept = 0;
        for event in &mut self.events {
            if let Some(kept) = event.what.carried_mut() {
                cut(kept, bytes);
                self.kept += kept.len();
            }
        }
    }

    fn push(&mut self, mut event: Event) {
        if self.events.len() >= KEPT_EVENTS {
            self.dropped_events += 1;
            return;
        }
        if let Some(bytes) = event.what.carried_mut() {
            event.bytes = bytes.len();
            let room = KEPT_BYTES - self.kept;
            if bytes.len() > room {
                self.dropped_bytes += bytes.len() - room;
                cut(bytes, room);
            }
            self.kept += bytes.len();
        }
        self.events.push(event);
    }
}

/// Keeps the first `length` bytes. They move to a place of their own: shrunk where they are, they would leave holes
/// between them that nothing fits in, and a long run would grow by all that it had cut off.
fn cut(bytes: &mut Vec<u8>, length: usize) {
    if bytes.len() > length {
        *bytes = bytes.get(..length).unwrap_or_default().to_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shed_recording_keeps_its_ends_and_its_counts() {
        let recorder = Recorder::new();
        for index in 0..1_000 {
            recorder.event(None, Happening::Sent(vec![7; 100]), index.to_string());
        }
        let mut recording = recorder.take();
        recording.shed(48, 10);
        let labels: Vec<&str> = recording
            .events
            .iter()
            .map(|it| it.label.as_str())
            .collect();
        let expected = "0 1 2 3 4 990 events left out 995 996 997 998 999";
        assert_eq!(labels.join(" "), expected);
        assert_eq!(recording.dropped_events, 990);
        assert_eq!(recording.events[0].what, Happening::Sent(vec![7; 48]));
        assert_eq!(recording.events[0].bytes, 100);
    }

    #[test]
    fn a_flood_does_not_fill_the_memory() {
        let recorder = Recorder::new();
        for _ in 0..5 {
            recorder.event(None, Happening::Received(vec![0; 1 << 20]), "noise");
        }
        for _ in 0..KEPT_EVENTS {
            recorder.event(None, Happening::Note, "");
        }
        let recording = recorder.take();
        assert_eq!(recording.dropped_bytes, 1 << 20);
        let held = recording.events.iter().map(|event| match &event.what {
            Happening::Received(bytes) => bytes.capacity(),
            _ => 0,
        });
        assert_eq!(held.sum::<usize>(), KEPT_BYTES);
        assert_eq!(recording.events.len(), KEPT_EVENTS);
        assert_eq!(recording.dropped_events, 5);
    }
}

//! One TCP connection as the segments that could have carried it.

use std::net::SocketAddr;

use super::SEGMENT;
use super::frame::{self, ACK, FIN, PSH, RST, SYN, Segment};
use crate::record::{Channel, Happening};

/// What each end of a connection has said so far.
#[derive(Debug)]
pub(super) struct Stream {
    kit: End,
    target: End,
    opened_by_target: bool,
    established: bool,
}

#[derive(Debug)]
struct End {
    address: SocketAddr,
    /// The next sequence number.
    next: u32,
    closed: bool,
}

impl Stream {
    pub(super) fn new(channel: &Channel) -> Self {
        let end = |address, next| End {
            address,
            next,
            closed: false,
        };
        Self {
            // Fixed initial numbers: the same recording gives the same file.
            kit: end(channel.kit, 1_000),
            target: end(channel.target, 2_000),
            opened_by_target: channel.opened_by_target,
            established: false,
        }
    }

    /// The segments that an event puts on the wire.
    pub(super) fn frames(&mut self, what: &Happening) -> Vec<Vec<u8>> {
        match what {
            Happening::Opened => self.establish(),
            Happening::Sent(bytes) => self.deliver(true, bytes),
            Happening::Received(bytes) => self.deliver(false, bytes),
            Happening::ClosedByTarget if !self.established && !self.opened_by_target => {
                self.refuse()
            }
            Happening::ClosedByKit => self.close(true),
            Happening::ClosedByTarget => self.close(false),
            Happening::Lost(_) | Happening::Note => Vec::new(),
        }
    }

    /// The two ends, the one that speaks first.
    fn ends(&mut self, kit_speaks: bool) -> (&mut End, &mut End) {
        if kit_speaks {
            (&mut self.kit, &mut self.target)
        } else {
            (&mut self.target, &mut self.kit)
        }
    }

    fn establish(&mut self) -> Vec<Vec<u8>> {
        if std::mem::replace(&mut self.established, true) {
            return Vec::new();
        }
        let (opener, listener) = self.ends(!self.opened_by_target);
        let syn = opener.say(listener, SYN, &[]);
        let answer = listener.say(opener, SYN | ACK, &[]);
        vec![syn, answer, opener.say(listener, ACK, &[])]
    }

    /// A connection that never stood: the first segment is answered by a reset.
    fn refuse(&mut self) -> Vec<Vec<u8>> {
        if std::mem::replace(&mut self.target.closed, true) {
            return Vec::new();
        }
        let syn = self.kit.say(&self.target, SYN, &[]);
        // A reset that answers a first segment has no number of its own.
        self.target.next = 0;
        vec![syn, self.target.say(&self.kit, RST | ACK, &[])]
    }

    fn deliver(&mut self, kit_speaks: bool, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = self.establish();
        let (speaker, listener) = self.ends(kit_speaks);
        if speaker.closed || bytes.is_empty() {
            return frames;
        }
        for segment in bytes.chunks(SEGMENT) {
            frames.push(speaker.say(listener, PSH | ACK, segment));
        }
        frames.push(listener.say(speaker, ACK, &[]));
        frames
    }

    fn close(&mut self, kit_speaks: bool) -> Vec<Vec<u8>> {
        let mut frames = self.establish();
        let (speaker, listener) = self.ends(kit_speaks);
        if std::mem::replace(&mut speaker.closed, true) {
            return frames;
        }
        frames.push(speaker.say(listener, FIN | ACK, &[]));
        frames.push(listener.say(speaker, ACK, &[]));
        frames
    }
}

impl End {
    /// A segment to the other end, and the step of the sequence number that it takes.
    fn say(&mut self, to: &Self, flags: u8, payload: &[u8]) -> Vec<u8> {
        let acknowledged = if flags & ACK == 0 { 0 } else { to.next };
        let segment = Segment {
            sequence: self.next,
            acknowledged,
            flags,
            options: flags & SYN != 0,
            payload,
        };
        let step = u32::from(flags & (SYN | FIN) != 0);
        // Sequence numbers wrap by design; a payload is one segment.
        self.next = self
            .next
            .wrapping_add(u32::try_from(payload.len()).unwrap_or(0))
            .wrapping_add(step);
        frame::tcp(self.address, to.address, segment)
    }
}

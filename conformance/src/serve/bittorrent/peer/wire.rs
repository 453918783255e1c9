//! The bytes of the reference peer, and the violations that exist only there.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use peerproof_model::bittorrent::message::{Handshake, PeerId, PeerMessage};
use peerproof_model::bittorrent::node::{Message, Peer};
use peerproof_model::bittorrent::view::Frame;
use peerproof_model::bittorrent::wire::peer::{
    FrameDecoder, HANDSHAKE_LENGTH, HandshakeDecoder, encode_handshake, encode_message, frame_bound,
};
use peerproof_model::choose::Seeded;

use crate::serve::runtime::Wire;

/// A violation below the state machine: in how bytes are cut, or in what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireBug {
    /// Reads a handshake only where it comes in one piece.
    NeedsWholeHandshake,
    /// Reads a message only where it comes in one piece.
    NeedsWholeMessages,
    /// Stops serving anybody after a length prefix beyond every bound.
    DiesOfHugeLength,
    /// Waits for a message of any announced length.
    WaitsForHugeMessage,
    /// Hangs up on keep-alives.
    ClosesOnKeepAlive,
    /// Hangs up on reserved bits that it does not know.
    ClosesOnUnknownBits,
    /// Gives another peer id on every connection.
    NewPeerIdEachTime,
    /// Takes one connection at a time.
    OneConnection,
    /// Gives two extensions one id.
    SharedExtensionId,
    /// Sends metadata under its own id for it.
    MetadataUnderOwnId,
    /// Never sends keep-alives.
    NoKeepAlives,
    /// Sends length prefixes with the low byte first.
    LittleEndianLengths,
}

impl WireBug {
    /// Every one with its name.
    pub(crate) const ALL: &'static [(&'static str, Self)] = &[
        ("needs-whole-handshake", Self::NeedsWholeHandshake),
        ("needs-whole-messages", Self::NeedsWholeMessages),
        ("dies-of-huge-length", Self::DiesOfHugeLength),
        ("waits-for-huge-message", Self::WaitsForHugeMessage),
        ("closes-on-keep-alive", Self::ClosesOnKeepAlive),
        ("closes-on-unknown-bits", Self::ClosesOnUnknownBits),
        ("new-peer-id-each-time", Self::NewPeerIdEachTime),
        ("one-connection", Self::OneConnection),
        ("shared-extension-id", Self::SharedExtensionId),
        ("metadata-under-own-id", Self::MetadataUnderOwnId),
        ("no-keep-alives", Self::NoKeepAlives),
        ("little-endian-lengths", Self::LittleEndianLengths),
    ];

    /// The one of that name.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, bug)| *bug)
    }
}

/// How the messages of a peer travel.
pub(crate) struct PeerWire {
    pieces: u32,
    bug: Option<WireBug>,
    dead: AtomicBool,
    random: Mutex<Seeded>,
}

impl PeerWire {
    /// For a torrent of so many pieces.
    pub(crate) fn new(pieces: u32, bug: Option<WireBug>, seed: u64) -> Self {
        Self {
            pieces,
            bug,
            dead: AtomicBool::new(false),
            random: Mutex::new(Seeded::new(seed)),
        }
    }

    fn is(&self, bug: WireBug) -> bool {
        self.bug == Some(bug)
    }
}

/// Where a connection is in its stream.
pub(crate) enum Stage {
    Handshake(HandshakeDecoder),
    Messages(FrameDecoder),
    Broken,
}

impl Wire<Peer> for PeerWire {
    type Reader = Stage;

    fn reader(&self) -> Stage {
        Stage::Handshake(HandshakeDecoder::new())
    }

    fn read(&self, stage: &mut Stage, bytes: &[u8], into: &mut dyn FnMut(Message)) {
        let mut into = |frame| into(Message::Frame(frame));
        let behind = self.read_handshake(stage, bytes, &mut into);
        if let Stage::Messages(decoder) = stage
            && !behind.is_empty()
            && let Err(why) = self.read_messages(decoder, behind, &mut into)
        {
            *stage = Stage::Broken;
            into(Frame::Malformed(why));
        }
    }

    fn write(&self, message: &Message, out: &mut Vec<u8>) {
        match message {
            Message::Frame(Frame::Handshake(handshake)) => {
                out.extend_from_slice(&encode_handshake(&self.as_said(*handshake)));
            }
            Message::Frame(Frame::Message(message)) => self.write_message(message, out),
            // A peer sends nothing else to a peer.
            _ => {}
        }
    }

    fn admits(&self, open: usize) -> bool {
        let most = if self.is(WireBug::OneConnection) {
            1
        } else {
            64
        };
        open < most && !self.dead.load(Ordering::SeqCst)
    }
}

impl PeerWire {
    /// Takes what belongs to the handshake and returns what lies behind it.
    fn read_handshake<'a>(
        &self,
        stage: &mut Stage,
        bytes: &'a [u8],
        into: &mut dyn FnMut(Frame),
    ) -> &'a [u8] {
        let Stage::Handshake(decoder) = stage else {
            return bytes;
        };
        if self.is(WireBug::NeedsWholeHandshake) && bytes.len() < HANDSHAKE_LENGTH {
            *stage = Stage::Broken;
            return &[];
        }
        match decoder.push(bytes) {
            Ok((used, Some(handshake))) => {
                let known = [0x80, 0, 0, 0, 0, 0x10, 0, 0x1f];
                let unknown = |(bits, known): (&u8, u8)| bits & !known != 0;
                *stage = Stage::Messages(FrameDecoder::new(frame_bound(self.pieces)));
                if self.is(WireBug::ClosesOnUnknownBits)
                    && handshake.reserved.0.iter().zip(known).any(unknown)
                {
                    into(Frame::Malformed("reserved bits".to_owned()));
                }
                into(Frame::Handshake(handshake));
                bytes.get(used..).unwrap_or_default()
            }
            Ok(_) => &[],
            Err(why) => {
                *stage = Stage::Broken;
                into(Frame::Malformed(why.to_string()));
                &[]
            }
        }
    }

    fn read_messages(
        &self,
        decoder: &mut FrameDecoder,
        bytes: &[u8],
        into: &mut dyn FnMut(Frame),
    ) -> Result<(), String> {
        decoder.push(bytes);
        loop {
            let next = match decoder.next_message() {
                Ok(next) => next,
                Err(why) => return self.on_malformed(&why.to_string()),
            };
            let Some(message) = next else { break };
            if self.is(WireBug::ClosesOnKeepAlive) && message == PeerMessage::KeepAlive {
                return Err("a keep-alive".to_owned());
            }
            into(Frame::Message(message));
        }
        if self.is(WireBug::NeedsWholeMessages) && decoder.pending() > 0 {
            *decoder = FrameDecoder::new(frame_bound(self.pieces));
        }
        Ok(())
    }

    fn on_malformed(&self, why: &str) -> Result<(), String> {
        let huge = why.starts_with("frame-length");
        if self.is(WireBug::DiesOfHugeLength) && huge {
            self.dead.store(true, Ordering::SeqCst);
        }
        if self.is(WireBug::WaitsForHugeMessage) && huge {
            return Ok(());
        }
        Err(why.to_owned())
    }

    fn as_said(&self, mut handshake: Handshake) -> Handshake {
        if self.is(WireBug::NewPeerIdEachTime)
            && let Ok(mut random) = self.random.lock()
        {
            let mut id = handshake.peer_id.0;
            random.fill(&mut id[8..]);
            handshake.peer_id = PeerId(id);
        }
        handshake
    }

    fn write_message(&self, message: &PeerMessage, out: &mut Vec<u8>) {
        let start = out.len();
        match message {
            PeerMessage::Extended { id: 0, .. } if self.is(WireBug::SharedExtensionId) => {
                let payload = b"d1:md11:ut_metadatai1e6:ut_pexi1eee".to_vec();
                encode_message(&PeerMessage::Extended { id: 0, payload }, out);
            }
            PeerMessage::Extended { id, payload }
                if *id != 0 && self.is(WireBug::MetadataUnderOwnId) =>
            {
                let payload = payload.clone();
                encode_message(&PeerMessage::Extended { id: 1, payload }, out);
            }
            message => encode_message(message, out),
        }
        if self.is(WireBug::LittleEndianLengths)
            && let Some(prefix) = out.get_mut(start..start + 4)
        {
            prefix.reverse();
        }
    }
}

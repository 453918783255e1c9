//! Two whole connections of the reference peer: whatever two neighbours say, in chunks that alternate as the input
//! decides, the peer does not panic, what it says stays bounded, an input that it refuses leaves no trace,
//! and no property of peers is broken.
//!
//! The first byte chooses the peer: bit 0 seeds, bit 1 dials, bit 2 has both neighbours open with a right handshake,
//! bit 3 those set every reserved bit, bit 4 the peer has no extension. The second byte seeds its free choices.
//! Behind it, one byte `n` stands before each chunk: bit 0 names the neighbour, bit 1 lets the choker's timers run out
//! first, the other six bits times four are the length of the chunk.
#![no_main]

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use peerproof_model::bittorrent::message::{Handshake, PeerId, PeerMessage, Reserved};
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::node::{Config, Message, Peer, Request, Timer};
use peerproof_model::bittorrent::pieces::Pieces;
use peerproof_model::bittorrent::properties;
use peerproof_model::bittorrent::view::{Frame, Link, Moment, Observation, PeerView, Torrent};
use peerproof_model::bittorrent::wire::peer::{
    FrameDecoder, HandshakeDecoder, encode_handshake, frame_bound,
};
use peerproof_model::choose::Seeded;
use peerproof_model::node::{Input, Node, Output, rejects_without_trace};
use peerproof_model::property::Judgement;

/// Four pieces of 48 bytes in blocks of 16, the last piece shorter.
static TORRENT: LazyLock<Arc<Torrent>> = LazyLock::new(|| {
    let content: Arc<[u8]> = (0..180_u8).collect();
    let metainfo = Metainfo::from_content(b"fuzz", 48, &content, None).expect("a torrent");
    Arc::new(Torrent {
        metainfo,
        content: Some(content),
    })
});

/// What one end may be made to say in answer to one message, generously.
const MOST_OUTPUTS: usize = 1000;

struct Stage {
    peer: Peer,
    view: PeerView,
    choose: Seeded,
}

/// How a neighbour's bytes become frames.
struct Ears {
    handshake: Option<HandshakeDecoder>,
    frames: FrameDecoder,
    deaf: bool,
}

impl Ears {
    fn hear(&mut self, mut bytes: &[u8]) -> Vec<Frame> {
        let mut heard = Vec::new();
        if self.deaf {
            return heard;
        }
        if let Some(decoder) = &mut self.handshake {
            match decoder.push(bytes) {
                Ok((used, complete)) => {
                    bytes = &bytes[used..];
                    if let Some(handshake) = complete {
                        heard.push(Frame::Handshake(handshake));
                        self.handshake = None;
                    }
                }
                Err(error) => return self.malformed(heard, error.to_string()),
            }
        }
        self.frames.push(bytes);
        loop {
            match self.frames.next_message() {
                Ok(Some(message)) => heard.push(Frame::Message(message)),
                Ok(None) => return heard,
                Err(error) => return self.malformed(heard, error.to_string()),
            }
        }
    }

    fn malformed(&mut self, mut heard: Vec<Frame>, why: String) -> Vec<Frame> {
        self.deaf = true;
        heard.push(Frame::Malformed(why));
        heard
    }
}

fn address(link: Link) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(127, 0, 1, link as u8 + 1), 6881))
}

fn link(address: &SocketAddr) -> Link {
    match address {
        SocketAddr::V4(four) => Link::from(four.ip().octets()[3]) - 1,
        SocketAddr::V6(_) => unreachable!("neighbours have IPv4 addresses"),
    }
}

impl Stage {
    /// Judges a moment, then enters it into the books.
    fn see(&mut self, now: Observation) {
        let moment = Moment {
            view: self.view.clone(),
            now,
        };
        for property in properties::peer() {
            if let Judgement::Broken(why) = (property.judge)(&moment) {
                panic!("{} is broken: {why}", property.name);
            }
        }
        self.view.apply(&moment.now);
    }

    fn step(&mut self, input: Input<Peer>) {
        let untouched = rejects_without_trace(&self.peer, input.clone(), &mut self.choose.clone());
        assert_ne!(untouched, Some(false), "a refused input left a trace");
        let mut out = Vec::new();
        if self.peer.step(input, &mut self.choose, &mut out).is_err() {
            return;
        }
        assert!(out.len() <= MOST_OUTPUTS, "{} outputs", out.len());
        for output in out {
            match output {
                Output::Send {
                    to,
                    message: Message::Frame(frame),
                } => self.see(Observation::Heard {
                    link: link(&to),
                    frame,
                }),
                Output::Close(with) => self.see(Observation::ClosedBySubject(link(&with))),
                _ => {}
            }
        }
    }

    fn tell(&mut self, from: Link, frame: Frame) {
        // A closed link carries nothing any more.
        if !self
            .view
            .links
            .get(&from)
            .is_some_and(|link| link.is_open())
        {
            return;
        }
        self.see(Observation::Told {
            link: from,
            frame: frame.clone(),
        });
        self.step(Input::Receive {
            from: address(from),
            message: Message::Frame(frame),
        });
        let shaken = self.view.links.get(&from).is_some_and(|link| {
            link.is_open() && link.told.handshake.is_some() && link.heard.handshake.is_some()
        });
        if shaken {
            self.see(Observation::Quiet(from));
        }
    }
}

fn stage(choice: u8, seed: u8) -> Stage {
    let torrent = Arc::clone(&TORRENT);
    let mut config = Config::new(Arc::clone(&torrent), PeerId(*b"-PP0001-abcdefghijkl"));
    config.block_length = 16;
    config.allowed_fast = 2;
    config.timing.keep_alive = None;
    config.timing.idle = None;
    config.timing.answer = None;
    if choice & 16 != 0 {
        config.reserved = Reserved::NONE;
    }
    if choice & 1 != 0 {
        config = config.seeding();
    }
    let began_with = if choice & 1 != 0 {
        Pieces::all(torrent.pieces())
    } else {
        Pieces::none(torrent.pieces())
    };
    let slots = u32::try_from(config.slots()).ok();
    Stage {
        peer: Peer::new(Arc::new(config)),
        view: PeerView::new(torrent, began_with, slots),
        choose: Seeded::new(u64::from(seed)),
    }
}

fuzz_target!(|input: &[u8]| {
    let [choice, seed, script @ ..] = input else {
        return;
    };
    let mut stage = stage(*choice, *seed);
    stage.step(Input::Ask(Request::Start));
    let mut ears = BTreeMap::new();
    for neighbour in [0, 1] {
        let by_subject = choice & 2 != 0;
        if by_subject {
            stage.step(Input::Ask(Request::Dial {
                address: address(neighbour),
                peer_id: None,
            }));
        }
        stage.see(Observation::Opened {
            link: neighbour,
            by_subject,
        });
        stage.step(Input::Opened(address(neighbour)));
        let frames = FrameDecoder::new(frame_bound(TORRENT.pieces()));
        let handshake = Some(HandshakeDecoder::new());
        let mut own = Ears {
            handshake,
            frames,
            deaf: false,
        };
        if choice & 4 != 0 {
            let reserved = Reserved(if choice & 8 != 0 { [0xff; 8] } else { [0; 8] });
            let opening = Handshake {
                reserved,
                info_hash: TORRENT.metainfo.info_hash(),
                peer_id: PeerId([b'a' + neighbour as u8; 20]),
            };
            for frame in own.hear(&encode_handshake(&opening)) {
                stage.tell(neighbour, frame);
            }
        }
        ears.insert(neighbour, own);
    }
    let mut rest = script;
    while let [control, more @ ..] = rest {
        let length = (usize::from(control >> 2) * 4).min(more.len());
        let (chunk, after) = more.split_at(length);
        rest = after;
        if control & 2 != 0 {
            stage.step(Input::Expire(Timer::Rechoke));
            stage.see(Observation::ChokeRound);
            stage.step(Input::Expire(Timer::Optimistic));
        }
        let from = Link::from(control & 1);
        if let Some(own) = ears.get_mut(&from) {
            for frame in own.hear(chunk) {
                // A long unknown message says no more than a short one, and makes the books long.
                if !matches!(&frame, Frame::Message(PeerMessage::Unknown { payload, .. }) if payload.len() > 64)
                {
                    stage.tell(from, frame);
                }
            }
        }
    }
});

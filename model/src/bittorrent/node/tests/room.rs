//! A room of peers whose messages travel on first-in-first-out links, and a neighbour played by hand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::super::{Address, Config, Event, Message, Peer, Request, Timer};
use super::witness::{Judgements, Witness};
use crate::bittorrent::message::{Handshake, PeerId, PeerMessage, Reserved};
use crate::bittorrent::metainfo::Metainfo;
use crate::bittorrent::view::{Frame, Torrent};
use crate::choose::Seeded;
use crate::node::{Input, Node, Output};

/// A torrent of `pieces` pieces with two blocks of one byte each.
pub(super) fn torrent(pieces: u8) -> Arc<Torrent> {
    let content: Vec<u8> = (0..pieces * 2).collect();
    let metainfo = Metainfo::from_content(b"room", 2, &content, None).expect("small");
    Arc::new(Torrent {
        metainfo,
        content: Some(content.into()),
    })
}

pub(super) fn address(number: u8) -> Address {
    Address::from(([10, 0, 0, number], 6881))
}

pub(super) fn peer_id(number: u8) -> PeerId {
    PeerId([number; 20])
}

/// The configuration of peer `number`: one byte a block, no extension.
pub(super) fn small(torrent: &Arc<Torrent>, number: u8) -> Config {
    Config {
        address: Some(address(number)),
        ..Config::small(Arc::clone(torrent), peer_id(number))
    }
}

pub(super) fn handshake(torrent: &Torrent, number: u8, reserved: Reserved) -> Handshake {
    Handshake {
        reserved,
        info_hash: torrent.metainfo.info_hash(),
        peer_id: peer_id(number),
    }
}

/// Several peers.
pub(super) struct Room {
    pub(super) peers: BTreeMap<Address, Peer>,
    witnesses: BTreeMap<Address, Witness>,
    travelling: VecDeque<(Address, Address, Frame)>,
    pub(super) events: Vec<(Address, Event)>,
    choose: Seeded,
}

impl Room {
    pub(super) fn new(configs: impl IntoIterator<Item = Config>, seed: u64) -> Self {
        let mut room = Self {
            peers: BTreeMap::new(),
            witnesses: BTreeMap::new(),
            travelling: VecDeque::new(),
            events: Vec::new(),
            choose: Seeded::new(seed),
        };
        for config in configs {
            let address = config.address.expect("peers of a room know their address");
            room.witnesses.insert(address, Witness::new(&config));
            room.peers.insert(address, Peer::new(Arc::new(config)));
            room.step(address, &Input::Ask(Request::Start));
        }
        room
    }

    pub(super) fn dial(&mut self, from: Address, to: Address) {
        self.step(
            from,
            &Input::Ask(Request::Dial {
                address: to,
                peer_id: None,
            }),
        );
    }

    pub(super) fn step(&mut self, at: Address, input: &Input<Peer>) {
        let mut out = Vec::new();
        let peer = self.peers.get_mut(&at).expect("a peer of the room");
        let before = peer.clone();
        if peer
            .step(input.clone(), &mut self.choose, &mut out)
            .is_err()
        {
            assert_eq!(*peer, before);
            return;
        }
        let witness = self.witnesses.get_mut(&at).expect("every peer has one");
        witness.took(input);
        witness.did(input, &out);
        for output in out {
            match output {
                Output::Open(to) => {
                    self.step(at, &Input::Opened(to));
                    self.step(to, &Input::Opened(at));
                }
                Output::Close(to) => {
                    self.travelling
                        .retain(|(from, other, _)| (*from, *other) != (to, at));
                    self.step(to, &Input::Closed(at));
                }
                Output::Send {
                    to,
                    message: Message::Frame(frame),
                } => {
                    self.travelling.push_back((at, to, frame));
                }
                Output::Tell(event) => self.events.push((at, event)),
                Output::Send { .. } | Output::SetTimer { .. } | Output::CancelTimer(_) => {}
            }
        }
    }

    /// Delivers messages until none travels; choke rounds happen when nothing else does.
    pub(super) fn run(&mut self, rounds: usize) {
        for _ in 0..rounds {
            while let Some((from, to, frame)) = self.travelling.pop_front() {
                self.step(
                    to,
                    &Input::Receive {
                        from,
                        message: Message::Frame(frame),
                    },
                );
            }
            for witness in self.witnesses.values_mut() {
                witness.calm();
            }
            let everyone: Vec<Address> = self.peers.keys().copied().collect();
            for peer in everyone {
                self.step(peer, &Input::Expire(Timer::Rechoke));
                self.step(peer, &Input::Expire(Timer::Optimistic));
            }
        }
    }

    pub(super) fn judgements(&self, peer: Address) -> &Judgements {
        self.witnesses[&peer].judgements()
    }

    pub(super) fn is_complete(&self, peer: Address) -> bool {
        self.peers[&peer].have().is_complete()
    }
}

/// One peer whose neighbours are played by hand.
pub(super) struct Solo {
    pub(super) peer: Peer,
    pub(super) out: Vec<Output<Peer>>,
    pub(super) choose: Seeded,
    pub(super) witness: Witness,
    torrent: Arc<Torrent>,
}

impl Solo {
    pub(super) fn new(config: Config) -> Self {
        let torrent = Arc::clone(&config.torrent);
        let witness = Witness::new(&config);
        let peer = Peer::new(Arc::new(config));
        let mut solo = Self {
            peer,
            out: Vec::new(),
            choose: Seeded::new(7),
            witness,
            torrent,
        };
        solo.input(Input::Ask(Request::Start));
        solo
    }

    pub(super) fn input(&mut self, input: Input<Peer>) {
        self.witness.took(&input);
        let before = self.out.len();
        let kept = input.clone();
        let taken = self.peer.step(input, &mut self.choose, &mut self.out);
        taken.expect("an input that can happen");
        self.witness.did(&kept, &self.out[before..]);
    }

    pub(super) fn expire(&mut self, timer: Timer) {
        self.input(Input::Expire(timer));
    }

    /// Neighbour `number` dials and shakes hands.
    pub(super) fn join(&mut self, number: u8, reserved: Reserved) {
        self.input(Input::Opened(address(number)));
        let handshake = handshake(&self.torrent, number, reserved);
        self.frame(number, Frame::Handshake(handshake));
    }

    pub(super) fn frame(&mut self, number: u8, frame: Frame) {
        let message = Message::Frame(frame);
        self.input(Input::Receive {
            from: address(number),
            message,
        });
    }

    pub(super) fn tell(&mut self, number: u8, messages: impl IntoIterator<Item = PeerMessage>) {
        for message in messages {
            // A neighbour that was hung up on has nobody to talk to.
            if !self.has_closed(number) {
                self.frame(number, Frame::Message(message));
            }
        }
    }

    /// What neighbour `number` was sent since the last look, without the handshake.
    pub(super) fn heard(&mut self, number: u8) -> Vec<PeerMessage> {
        let mut heard = Vec::new();
        self.out.retain(|output| match output {
            Output::Send {
                to,
                message: Message::Frame(frame),
            } if *to == address(number) => {
                if let Frame::Message(message) = frame {
                    heard.push(message.clone());
                }
                false
            }
            _ => true,
        });
        heard
    }

    pub(super) fn has_closed(&self, number: u8) -> bool {
        self.out.contains(&Output::Close(address(number)))
    }
}

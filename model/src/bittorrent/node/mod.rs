//! One BitTorrent peer as a pure state machine: seeder and leecher alike.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`](Config) | what a peer is told before it starts |
//! | `link` | what it knows of one neighbour |
//! | `greeting` | handshake and declaration of pieces |
//! | `hearing` | dispatch of the neighbour's messages |
//! | `upload` | serving requests |
//! | `choker` | who may request |
//! | `picker` | which block to ask whom for |
//! | `assembly` | blocks to pieces, verification |
//! | `announce` | talk with the tracker |
//! | `extension` | extension handshake and metadata |
//!
//! The peer names a neighbour by its address: the one it dialled, or the remote end of the connection that it
//! accepted. What a neighbour does wrong is answered by closing the link, and is no error; an input is refused
//! only when it cannot happen to this peer, such as a message on a link that does not stand.

mod announce;
mod assembly;
mod choker;
mod config;
mod extension;
mod greeting;
mod hearing;
mod link;
mod message;
mod picker;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use self::assembly::Partial;
use self::config::Shared;
use self::link::LinkState;
use super::message::{AnnounceEvent, PeerId, PeerMessage};
use super::mutant::Mutant;
use super::pieces::Pieces;
use super::view::Frame;
use crate::choose::Choose;
use crate::node::{Input, Node, Output};

pub use self::config::{Config, Timing};
pub use self::message::Message;

/// How a peer names its neighbours and its tracker.
pub type Address = SocketAddr;

/// The most neighbours a peer remembers for having sent it bad pieces.
const MOST_BANNED: usize = 1000;

/// The timers of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The slots are due to be given anew.
    Rechoke,
    /// The optimistic slot is due to move on.
    Optimistic,
    /// The tracker is due to hear of the peer again.
    Announce,
    /// The next blocks may be sent (only where uploads are paced).
    Upload,
    /// Nothing was said to the neighbour for a while.
    KeepAlive(Address),
    /// The neighbour said nothing for too long.
    Idle(Address),
    /// The neighbour owes a block for too long.
    Answer(Address),
}

/// What the local user asks of a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// Take part: announce, accept and dial.
    Start,
    /// Leave: say so to the tracker and end every connection. What was verified is kept.
    Stop,
    /// Connect to this neighbour.
    Dial {
        /// Where it listens.
        address: Address,
        /// Who must answer there, if known.
        peer_id: Option<PeerId>,
    },
}

/// What a peer tells its local user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The hash of a piece matched.
    Verified(u32),
    /// The hash of a piece did not match; its blocks are fetched again.
    Discarded {
        /// The piece.
        piece: u32,
        /// Who had sent blocks of it.
        from: BTreeSet<Address>,
    },
    /// Every piece is here.
    Completed,
    /// A neighbour broke the protocol; its link was closed.
    Offended {
        /// The neighbour.
        by: Address,
        /// What it did.
        why: &'static str,
    },
    /// The tracker refused an announce, with this reason.
    Refused(Vec<u8>),
}

/// Why an input cannot happen to this peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejected {
    /// It has not been started, or was stopped.
    #[error("the peer does not run")]
    NotRunning,
    /// It was started before.
    #[error("the peer runs already")]
    Running,
    /// There is no such link.
    #[error("there is no link with {0}")]
    NoLink(Address),
    /// There is such a link.
    #[error("there is a link with {0} already")]
    Linked(Address),
    /// Only a tracker is told that, or only the tracker may say it.
    #[error("{0} cannot say this to a peer")]
    Misdirected(Address),
}

/// A peer of one torrent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    config: Shared,
    running: bool,
    links: BTreeMap<Address, LinkState>,
    dialling: BTreeMap<Address, Option<PeerId>>,
    have: Pieces,
    /// The bytes of verified pieces, where the torrent does not come with its content.
    store: BTreeMap<u32, std::sync::Arc<[u8]>>,
    partial: BTreeMap<u32, Partial>,
    /// Pieces that came out bad from several neighbours: the next try is one neighbour's alone.
    suspect: BTreeSet<u32>,
    banned: BTreeSet<Address>,
    optimistic: Option<Address>,
    /// The event that the tracker has not yet confirmed.
    pending: AnnounceEvent,
    /// What the tracker wants to be told again.
    tracker_id: Option<Vec<u8>>,
    uploaded: u64,
    downloaded: u64,
}

/// What the handlers of one step share: free choices and outputs.
struct Act<'a> {
    choose: &'a mut dyn Choose,
    out: &'a mut Vec<Output<Peer>>,
}

impl Act<'_> {
    fn say(&mut self, to: Address, message: PeerMessage) {
        self.frame(to, Frame::Message(message));
    }

    fn frame(&mut self, to: Address, frame: Frame) {
        let message = Message::Frame(frame);
        self.out.push(Output::Send { to, message });
    }

    fn tell(&mut self, event: Event) {
        self.out.push(Output::Tell(event));
    }

    fn set(&mut self, timer: Timer, after: std::time::Duration) {
        self.out.push(Output::SetTimer { timer, after });
    }

    fn cancel(&mut self, timer: Timer) {
        self.out.push(Output::CancelTimer(timer));
    }
}

impl Node for Peer {
    type Id = Address;
    type Message = Message;
    type Timer = Timer;
    type Request = Request;
    type Event = Event;
    type Rejected = Rejected;

    fn step(
        &mut self,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), Rejected> {
        // Everything that can be refused is refused here; the handlers below cannot fail.
        self.admit(&input)?;
        let before = out.len();
        let mut act = Act { choose, out };
        match input {
            Input::Opened(address) => self.on_opened(address, &mut act),
            Input::Receive { from, message } => match message {
                Message::Announced(response) => self.on_announced(response, &mut act),
                Message::Frame(frame) => self.on_frame(from, frame, &mut act),
                _ => {}
            },
            Input::Closed(address) => self.on_closed(address, &mut act),
            Input::Expire(timer) => self.on_timer(timer, &mut act),
            Input::Ask(Request::Start) => self.on_start(&mut act),
            Input::Ask(Request::Stop) => self.on_stop(&mut act),
            Input::Ask(Request::Dial { address, peer_id }) => self.dial(address, peer_id, &mut act),
        }
        if self.running {
            self.refill(&mut act);
            self.postpone_keep_alives(before, out);
        }
        Ok(())
    }
}

impl Peer {
    /// A peer that has not started yet.
    pub fn new(config: std::sync::Arc<Config>) -> Self {
        // Pieces whose bytes nobody gave it are not there to be served.
        let have = match config.torrent.content {
            Some(_) => config.initial.clone(),
            None => Pieces::none(config.torrent.pieces()),
        };
        Self {
            config: Shared(config),
            running: false,
            links: BTreeMap::new(),
            dialling: BTreeMap::new(),
            have,
            store: BTreeMap::new(),
            partial: BTreeMap::new(),
            suspect: BTreeSet::new(),
            banned: BTreeSet::new(),
            optimistic: None,
            pending: AnnounceEvent::Regular,
            tracker_id: None,
            uploaded: 0,
            downloaded: 0,
        }
    }

    /// What it was told before it started.
    pub fn config(&self) -> &Config {
        &self.config.0
    }

    /// The pieces that it has verified.
    pub fn have(&self) -> &Pieces {
        &self.have
    }

    /// The neighbours it is connected with.
    pub fn neighbours(&self) -> impl Iterator<Item = Address> + '_ {
        self.links.keys().copied()
    }

    /// The neighbours that are interested in it.
    pub fn interested_neighbours(&self) -> impl Iterator<Item = Address> + '_ {
        let interested = self.links.iter().filter(|(_, link)| link.wanted);
        interested.map(|(address, _)| *address)
    }

    /// The neighbours that may request.
    pub fn unchoked(&self) -> impl Iterator<Item = Address> + '_ {
        let unchoked = self.links.iter().filter(|(_, link)| !link.choking);
        unchoked.map(|(address, _)| *address)
    }

    /// Whether it takes part.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// The bytes of a verified piece.
    pub fn piece(&self, index: u32) -> Option<&[u8]> {
        if !self.have.contains(index) {
            return None;
        }
        self.stored(index)
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.config.0.mutant == Some(mutant)
    }

    /// Whether the input can happen now.
    fn admit(&self, input: &Input<Self>) -> Result<(), Rejected> {
        if let Input::Ask(Request::Start) = input {
            return if self.running {
                Err(Rejected::Running)
            } else {
                Ok(())
            };
        }
        if !self.running {
            return Err(Rejected::NotRunning);
        }
        let tracker = self.config().tracker;
        match input {
            Input::Opened(address) | Input::Ask(Request::Dial { address, .. }) => {
                let dialled_twice =
                    matches!(input, Input::Ask(_)) && self.dialling.contains_key(address);
                if self.links.contains_key(address) || dialled_twice {
                    return Err(Rejected::Linked(*address));
                }
                Ok(())
            }
            Input::Closed(address) => {
                if self.dialling.contains_key(address) || tracker == Some(*address) {
                    return Ok(());
                }
                self.linked(*address)
            }
            Input::Receive { from, message } => match message {
                Message::Frame(_) => self.linked(*from),
                Message::Announced(_) if tracker == Some(*from) => Ok(()),
                _ => Err(Rejected::Misdirected(*from)),
            },
            Input::Expire(
                Timer::KeepAlive(address) | Timer::Idle(address) | Timer::Answer(address),
            ) => self.linked(*address),
            Input::Expire(_) | Input::Ask(_) => Ok(()),
        }
    }

    fn linked(&self, address: Address) -> Result<(), Rejected> {
        if self.links.contains_key(&address) {
            Ok(())
        } else {
            Err(Rejected::NoLink(address))
        }
    }

    fn on_timer(&mut self, timer: Timer, act: &mut Act) {
        match timer {
            Timer::Rechoke => self.on_rechoke(act),
            Timer::Optimistic => self.on_optimistic(act),
            Timer::Announce => self.on_announce_due(act),
            Timer::Upload => self.on_upload_due(act),
            Timer::KeepAlive(to) => act.say(to, PeerMessage::KeepAlive),
            Timer::Idle(from) => self.hang_up(from, act),
            Timer::Answer(from) => self.on_unanswered(from, act),
        }
    }

    fn on_start(&mut self, act: &mut Act) {
        self.running = true;
        act.set(Timer::Rechoke, self.config().timing.rechoke);
        if self.config().optimistic_slot {
            act.set(Timer::Optimistic, self.config().timing.optimistic);
        }
        self.announce(AnnounceEvent::Started, act);
    }

    fn on_stop(&mut self, act: &mut Act) {
        self.announce(AnnounceEvent::Stopped, act);
        for address in std::mem::take(&mut self.links).into_keys() {
            self.stop_watching(address, act);
            act.out.push(Output::Close(address));
        }
        for address in std::mem::take(&mut self.dialling).into_keys() {
            act.out.push(Output::Close(address));
        }
        self.partial.clear();
        self.optimistic = None;
        for timer in [
            Timer::Rechoke,
            Timer::Optimistic,
            Timer::Announce,
            Timer::Upload,
        ] {
            act.cancel(timer);
        }
        self.pending = AnnounceEvent::Regular;
        self.running = false;
    }
}

#[cfg(test)]
mod tests;

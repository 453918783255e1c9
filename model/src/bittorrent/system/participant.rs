//! Peers and trackers as one kind of node, so that they live in one system.

use std::fmt;

use crate::bittorrent::message::{AnnounceEvent, AnnounceResponse, PeerMessage, Peers};
use crate::bittorrent::node::{self, Address, Message, Peer};
use crate::bittorrent::pieces::Pieces;
use crate::bittorrent::tracker::{Tracker, TrackerRejected, TrackerTimer};
use crate::bittorrent::view::Frame;
use crate::choose::Choose;
use crate::node::{Input, Node, Output};

/// Whoever takes part in a swarm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Participant {
    /// Seeder or leecher.
    Peer(Box<Peer>),
    /// The tracker.
    Tracker(Box<Tracker>),
}

/// The timers of both.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Of a peer.
    Peer(node::Timer),
    /// Of a tracker.
    Tracker(TrackerTimer),
}

/// Why either refuses an input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// A peer does.
    #[error(transparent)]
    Peer(node::Rejected),
    /// A tracker does.
    #[error(transparent)]
    Tracker(TrackerRejected),
    /// It is for the other kind.
    #[error("this is not for {0}")]
    Misplaced(&'static str),
}

/// A message that traces show in a few words.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said(pub Message);

impl Participant {
    /// The peer, if it is one.
    pub fn peer(&self) -> Option<&Peer> {
        match self {
            Self::Peer(peer) => Some(peer),
            Self::Tracker(_) => None,
        }
    }

    fn step_peer(
        peer: &mut Peer,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), Rejected> {
        let input = match input {
            Input::Opened(id) => Input::Opened(id),
            Input::Closed(id) => Input::Closed(id),
            Input::Receive { from, message } => Input::Receive {
                from,
                message: message.0,
            },
            Input::Expire(Timer::Peer(timer)) => Input::Expire(timer),
            Input::Expire(Timer::Tracker(_)) => return Err(Rejected::Misplaced("a peer")),
            Input::Ask(request) => Input::Ask(request),
        };
        let mut acts = Vec::new();
        peer.step(input, choose, &mut acts)
            .map_err(Rejected::Peer)?;
        out.extend(acts.into_iter().filter_map(|act| output(act, Timer::Peer)));
        Ok(())
    }

    fn step_tracker(
        tracker: &mut Tracker,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), Rejected> {
        let input = match input {
            Input::Opened(id) => Input::Opened(id),
            Input::Closed(id) => Input::Closed(id),
            Input::Receive { from, message } => Input::Receive {
                from,
                message: message.0,
            },
            Input::Expire(Timer::Tracker(timer)) => Input::Expire(timer),
            Input::Expire(Timer::Peer(_)) | Input::Ask(_) => {
                return Err(Rejected::Misplaced("a tracker"));
            }
        };
        let mut acts = Vec::new();
        tracker
            .step(input, choose, &mut acts)
            .map_err(Rejected::Tracker)?;
        out.extend(
            acts.into_iter()
                .filter_map(|act| output(act, Timer::Tracker)),
        );
        Ok(())
    }
}

/// What a participant does, as the system knows it; what it tells its local user is nobody else's business.
fn output<N>(act: Output<N>, timer: impl Fn(N::Timer) -> Timer) -> Option<Output<Participant>>
where
    N: Node<Id = Address, Message = Message>,
{
    Some(match act {
        Output::Open(id) => Output::Open(id),
        Output::Send { to, message } => Output::Send {
            to,
            message: Said(message),
        },
        Output::Close(id) => Output::Close(id),
        Output::SetTimer { timer: set, after } => Output::SetTimer {
            timer: timer(set),
            after,
        },
        Output::CancelTimer(cancelled) => Output::CancelTimer(timer(cancelled)),
        Output::Tell(_) => return None,
    })
}

impl Node for Participant {
    type Id = Address;
    type Message = Said;
    type Timer = Timer;
    type Request = node::Request;
    type Event = ();
    type Rejected = Rejected;

    fn step(
        &mut self,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), Rejected> {
        match self {
            Self::Peer(peer) => Self::step_peer(peer, input, choose, out),
            Self::Tracker(tracker) => Self::step_tracker(tracker, input, choose, out),
        }
    }
}

impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Message::Frame(Frame::Handshake(_)) => f.write_str("handshake"),
            Message::Frame(Frame::Malformed(why)) => write!(f, "malformed: {why}"),
            Message::Frame(Frame::Message(message)) => said(message, f),
            Message::Announce(announce) => match &announce.event {
                AnnounceEvent::Regular => write!(f, "announce, {} left", announce.left),
                event => write!(f, "announce {event:?}, {} left", announce.left),
            },
            Message::Announced(AnnounceResponse::Success(success)) => {
                let count = match &success.peers {
                    Some(Peers::Compact(peers)) => peers.len(),
                    Some(Peers::Dictionaries(peers)) => peers.len(),
                    None => 0,
                };
                write!(f, "answer with {count} peers")
            }
            other => write!(f, "{other:?}"),
        }
    }
}

fn said(message: &PeerMessage, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match message {
        PeerMessage::Have(piece) => write!(f, "have {piece}"),
        PeerMessage::Bitfield(bits) => {
            // A bitfield of a small torrent: its pieces say more than its bytes.
            let count = u32::try_from(bits.len()).unwrap_or(0).saturating_mul(8);
            match Pieces::from_bitfield(count, bits) {
                Ok(pieces) => write!(f, "bitfield {:?}", pieces.iter().collect::<Vec<_>>()),
                Err(_) => write!(f, "bitfield {bits:02x?}"),
            }
        }
        PeerMessage::Request(block) => write!(f, "request {block}"),
        PeerMessage::Cancel(block) => write!(f, "cancel {block}"),
        PeerMessage::RejectRequest(block) => write!(f, "reject {block}"),
        PeerMessage::Piece { index, begin, data } => {
            write!(f, "block of piece {index} at {begin}: {data:02x?}")
        }
        PeerMessage::AllowedFast(piece) => write!(f, "allowed fast {piece}"),
        PeerMessage::KeepAlive => f.write_str("keep-alive"),
        PeerMessage::Choke => f.write_str("choke"),
        PeerMessage::Unchoke => f.write_str("unchoke"),
        PeerMessage::Interested => f.write_str("interested"),
        PeerMessage::NotInterested => f.write_str("not interested"),
        PeerMessage::HaveAll => f.write_str("have all"),
        PeerMessage::HaveNone => f.write_str("have none"),
        other => write!(f, "{other:?}"),
    }
}

//! The reference leecher: the specification's [`Peer`] on sockets, with a tracker over HTTP.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use peerproof_model::bittorrent::message::{BlockRequest, PeerMessage};
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::mutant::Mutant;
use peerproof_model::bittorrent::node::{Config, Message, Peer, Request};
use peerproof_model::bittorrent::view::{Frame, Torrent};
use peerproof_model::bittorrent::wire::torrent_bounds::bitfield_of;
use peerproof_model::node::Input;

use super::announce::{Announcer, TrackerUrl};
use super::content;
use super::peer::{PeerWire, peer_id};
use crate::serve::runtime::{Mail, Runtime, Wire};
use crate::serve::{Running, ServeOptions, Server};
use crate::suite::{Break, OpenError};

macro_rules! wire_breaks {
    ($($variant:ident $name:literal caught by $case:literal: $what:literal;)*) => {
        /// What a leecher does wrong below its state machine: in its announces, and with the bytes it reads and writes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum WireBreak {
            $(#[doc = $what] $variant,)*
        }

        const WIRE_BREAKS: &[(WireBreak, Break)] = &[$((
            WireBreak::$variant,
            Break { name: $name, what: $what, caught_by: concat!("bittorrent-leecher/", $case) },
        )),*];
    };
}

wire_breaks! {
    HexInfoHash "hex-info-hash" caught by "announce/parameters": "Announces the info hash in hexadecimal digits.";
    NewPeerId "new-peer-id" caught by "announce/parameters": "Has another peer id in every announce.";
    AnotherPort "another-port" caught by "announce/port-accepts": "Announces a port where it does not listen.";
    NothingDownloaded "nothing-downloaded" caught by "announce/downloaded": "Announces that it has downloaded nothing.";
    UploadsMadeUp "uploads-made-up" caught by "announce/uploaded": "Announces an upload of 1 GiB.";
    CompletedAtStart "completed-at-start" caught by "announce/no-completed-for-a-seed": "Announces completed when it finds everything at its start.";
    Hasty "hasty" caught by "announce/interval": "Announces every second, whatever the interval.";
    NeverCompact "never-compact" caught by "announce/compact": "Does not ask for the compact form.";
    NoCompactPeers "no-compact-peers" caught by "announce/compact-peers": "Does not understand peers in the compact form.";
    NoDictionaries "no-dictionaries" caught by "announce/dictionary-peers": "Does not understand peers in dictionaries.";
    UsesRefusedPeers "uses-refused-peers" caught by "announce/failure-reason": "Takes peers out of an answer with a failure reason.";
    ForgetsTrackerId "forgets-tracker-id" caught by "announce/tracker-id": "Does not send the tracker id back.";
    AnotherPeerId "another-peer-id" caught by "handshake/announced-peer-id": "Has another peer id in its handshakes than in its announces.";
    OneByOne "one-by-one" caught by "request/pipelined": "Has one request under way at a time.";
    ForgetsDropped "forgets-dropped" caught by "request/again-after-choke": "Never repeats a request that a choke has dropped.";
    AsksOnce "asks-once" caught by "request/again-elsewhere": "Requests every block once in its life.";
    KeepsBadBlocks "keeps-bad-blocks" caught by "piece/bad-is-fetched-again": "Never requests a block again that it was given, whatever came of it.";
    GivesUpAfterShortBlocks "gives-up-after-short-blocks" caught by "piece/wrong-length": "Requests nothing any more once a block was too short.";
    BitfieldsForHaves "bitfields-for-haves" caught by "handshake/bitfield-only-first": "Announces pieces that it completes by bitfields.";
    InterestedInEverybody "interested-in-everybody" caught by "interest/not-in-an-empty-peer": "Is interested in every neighbour from the handshake on.";
}

/// Where the violations of the state machine are seen.
const MUTANTS: &[(Mutant, &str)] = &[
    (
        Mutant::WrongInfoHash,
        "bittorrent-leecher/handshake/names-the-torrent",
    ),
    (
        Mutant::KeepsForeignTorrents,
        "bittorrent-leecher/handshake/foreign-torrent",
    ),
    (
        Mutant::KeepsStrangers,
        "bittorrent-leecher/handshake/stranger",
    ),
    (
        Mutant::NeverInterested,
        "bittorrent-leecher/interest/in-a-seed",
    ),
    (Mutant::StaysInterested, "bittorrent-leecher/interest/lost"),
    (
        Mutant::RequestsChoked,
        "bittorrent-leecher/request/not-while-choked",
    ),
    (
        Mutant::RequestsUnannounced,
        "bittorrent-leecher/request/not-what-the-neighbour-lacks",
    ),
    (
        Mutant::RequestsWhatItHas,
        "bittorrent-leecher/request/not-what-it-has",
    ),
    (
        Mutant::OversizedRequests,
        "bittorrent-leecher/request/at-most-16-kib",
    ),
    (
        Mutant::RequestsBeyondTheEnd,
        "bittorrent-leecher/request/inside-the-piece",
    ),
    (Mutant::UnboundedPipeline, "bittorrent-leecher/request/reqq"),
    (
        Mutant::HaveBeforeVerification,
        "bittorrent-leecher/piece/have-only-after-the-last-block",
    ),
    (
        Mutant::AcceptsBadPieces,
        "bittorrent-leecher/piece/bad-is-not-announced",
    ),
    (
        Mutant::NeverHave,
        "bittorrent-leecher/piece/completed-is-announced",
    ),
    (Mutant::InOrder, "bittorrent-leecher/order/rarest-first"),
    (Mutant::RandomOrder, "bittorrent-leecher/order/rarest-first"),
    (
        Mutant::CommonestFirst,
        "bittorrent-leecher/order/rarest-first",
    ),
    (
        Mutant::NoStrictPriority,
        "bittorrent-leecher/order/strict-priority",
    ),
    (
        Mutant::EarlyDuplicates,
        "bittorrent-leecher/order/duplicates-only-in-endgame",
    ),
    (
        Mutant::NoCancel,
        "bittorrent-leecher/order/cancels-in-endgame",
    ),
    (Mutant::WrongData, "bittorrent-leecher/seeding/serves"),
    (
        Mutant::NeverStarted,
        "bittorrent-leecher/announce/first-is-started",
    ),
    (
        Mutant::NeverCompleted,
        "bittorrent-leecher/announce/completed",
    ),
    (
        Mutant::CompletedTwice,
        "bittorrent-leecher/announce/completed-once",
    ),
    (Mutant::NeverStopped, "bittorrent-leecher/announce/stopped"),
    (Mutant::WrongLeft, "bittorrent-leecher/announce/left"),
    (Mutant::WrongPort, "bittorrent-leecher/announce/parameters"),
];

/// Every seeded violation of the reference leecher, with the case that catches it.
pub(crate) fn breaks() -> &'static [Break] {
    static BREAKS: OnceLock<Vec<Break>> = OnceLock::new();
    BREAKS.get_or_init(|| {
        let mutants = MUTANTS.iter().map(|(mutant, case)| Break {
            name: mutant.name(),
            what: mutant.what(),
            caught_by: case,
        });
        mutants
            .chain(WIRE_BREAKS.iter().map(|(_, known)| *known))
            .collect()
    })
}

/// What a leecher is started with.
#[derive(Clone, Debug)]
pub(crate) struct Leeching {
    /// The torrent, with the tracker's URL.
    pub(crate) metainfo: Metainfo,
    /// The content, where everything is there from the beginning.
    pub(crate) content: Option<Arc<[u8]>>,
    /// The seeded violation, by name.
    pub(crate) bug: Option<String>,
    /// The seed of its free choices.
    pub(crate) seed: u64,
    /// Where it listens.
    pub(crate) listen: SocketAddr,
}

/// A leecher that runs. Dropping it has it leave.
pub(crate) struct Leecher {
    // In this order: the peer says goodbye, the announcer takes it to the tracker.
    runtime: Option<Runtime<Peer>>,
    wire: Arc<LeecherWire>,
    address: SocketAddr,
}

impl std::fmt::Debug for Leecher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leecher").finish_non_exhaustive()
    }
}

impl Leecher {
    /// Starts it.
    pub(crate) fn start(leeching: &Leeching) -> Result<Self, OpenError> {
        let (mutant, bug) = broken_by(leeching.bug.as_deref())?;
        let here = |error: std::io::Error| OpenError::Kit(format!("cannot listen: {error}"));
        let listener = TcpListener::bind(leeching.listen).map_err(here)?;
        let address = listener.local_addr().map_err(here)?;
        let url = leeching.metainfo.announce.as_deref().map(|url| {
            let unknown =
                || OpenError::Usage(format!("the tracker {url} is no http://ADDRESS:PORT/PATH"));
            TrackerUrl::parse(url).ok_or_else(unknown)
        });
        let url = url.transpose()?;
        let mut config = config(leeching);
        config.listen_port = address.port();
        config.tracker = url.as_ref().map(|url| url.address);
        config.mutant = mutant;
        if bug == Some(WireBreak::OneByOne) {
            config.pipeline = 1;
        }
        let wire = Arc::new(LeecherWire {
            pieces: config.torrent.pieces(),
            sound: PeerWire::new(config.torrent.pieces(), None, leeching.seed),
            bug,
            announcer: Mutex::new(None),
            memory: Mutex::default(),
        });
        let peer = Peer::new(Arc::new(config));
        let runtime =
            Runtime::start(peer, Arc::clone(&wire), listener, leeching.seed).map_err(here)?;
        let mail = runtime.mail().clone();
        if let Some(url) = url {
            let from = url.address;
            let answers = mail.clone();
            let announcer = Announcer::start(url, bug, move |answer| {
                let input = match answer {
                    Some(response) => Input::Receive {
                        from,
                        message: Message::Announced(response),
                    },
                    None => Input::Closed(from),
                };
                answers.bring(input);
            });
            *lock(&wire.announcer) = Some(announcer);
        }
        mail.bring(Input::Ask(Request::Start));
        Ok(Self {
            address: runtime.address(),
            runtime: Some(runtime),
            wire,
        })
    }
}

impl Drop for Leecher {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.mail().bring(Input::Ask(Request::Stop));
        }
        let announcer = lock(&self.wire.announcer).take();
        // What the tracker still has to hear is sent before this returns.
        drop(announcer);
    }
}

fn config(leeching: &Leeching) -> Config {
    let torrent = Torrent {
        metainfo: leeching.metainfo.clone(),
        content: leeching.content.clone(),
    };
    let config = Config::new(Arc::new(torrent), peer_id(leeching.seed));
    match leeching.content {
        Some(_) => config.seeding(),
        None => config,
    }
}

fn broken_by(name: Option<&str>) -> Result<(Option<Mutant>, Option<WireBreak>), OpenError> {
    let Some(name) = name else {
        return Ok((None, None));
    };
    if let Some((mutant, _)) = MUTANTS.iter().find(|(mutant, _)| mutant.name() == name) {
        return Ok((Some(*mutant), None));
    }
    let known = WIRE_BREAKS.iter().find(|(_, known)| known.name == name);
    match known {
        Some((bug, _)) => Ok((None, Some(*bug))),
        None => Err(OpenError::Usage(format!(
            "bittorrent-leecher has no break {name}"
        ))),
    }
}

/// How the messages of a leecher travel, and the violations that exist only there.
struct LeecherWire {
    pieces: u32,
    /// The sound part.
    sound: PeerWire,
    bug: Option<WireBreak>,
    announcer: Mutex<Option<Announcer>>,
    memory: Mutex<Memory>,
}

/// What the violations below the state machine remember.
#[derive(Debug, Default)]
struct Memory {
    /// Blocks requested and neither answered nor dropped.
    open: BTreeSet<(u32, u32)>,
    /// Blocks that must not be requested any more.
    shunned: BTreeSet<(u32, u32)>,
    /// Pieces announced so far.
    announced: BTreeSet<u32>,
    /// Whether nothing is requested any more.
    gave_up: bool,
}

impl Wire<Peer> for LeecherWire {
    type Reader = <PeerWire as Wire<Peer>>::Reader;

    fn reader(&self) -> Self::Reader {
        self.sound.reader()
    }

    fn read(&self, reader: &mut Self::Reader, bytes: &[u8], into: &mut dyn FnMut(Message)) {
        self.sound.read(reader, bytes, &mut |message| {
            if let Message::Frame(Frame::Message(message)) = &message {
                self.on_read(message);
            }
            into(message);
        });
    }

    fn write(&self, message: &Message, out: &mut Vec<u8>) {
        match (message, self.bug) {
            (Message::Frame(Frame::Handshake(handshake)), Some(WireBreak::AnotherPeerId)) => {
                let mut handshake = *handshake;
                handshake.peer_id.0[19] ^= 1;
                self.sound
                    .write(&Message::Frame(Frame::Handshake(handshake)), out);
            }
            (Message::Frame(Frame::Handshake(_)), Some(WireBreak::InterestedInEverybody)) => {
                self.sound.write(message, out);
                let interested = Frame::Message(PeerMessage::Interested);
                self.sound.write(&Message::Frame(interested), out);
            }
            (Message::Frame(Frame::Message(PeerMessage::Request(block))), Some(bug))
                if self.swallows(block, bug) => {}
            (
                Message::Frame(Frame::Message(PeerMessage::Have(piece))),
                Some(WireBreak::BitfieldsForHaves),
            ) => {
                let mut memory = lock(&self.memory);
                memory.announced.insert(*piece);
                let bits = bitfield_of(memory.announced.iter().copied(), self.pieces);
                let bitfield = Frame::Message(PeerMessage::Bitfield(bits));
                self.sound.write(&Message::Frame(bitfield), out);
            }
            _ => self.sound.write(message, out),
        }
    }

    fn carry(&self, _to: SocketAddr, message: Message, _mail: &Mail<Peer>) {
        if let (Message::Announce(announce), Some(announcer)) = (message, &*lock(&self.announcer)) {
            announcer.announce(announce);
        }
    }
}

impl LeecherWire {
    fn on_read(&self, message: &PeerMessage) {
        let Some(bug) = self.bug else { return };
        let mut memory = lock(&self.memory);
        match message {
            PeerMessage::Choke if bug == WireBreak::ForgetsDropped => {
                let dropped = std::mem::take(&mut memory.open);
                memory.shunned.extend(dropped);
            }
            PeerMessage::Piece { index, begin, data } => {
                memory.open.remove(&(*index, *begin));
                if bug == WireBreak::KeepsBadBlocks {
                    memory.shunned.insert((*index, *begin));
                }
                if bug == WireBreak::GivesUpAfterShortBlocks && data.len() % (1 << 14) != 0 {
                    memory.gave_up = true;
                }
            }
            _ => {}
        }
    }

    /// Whether a broken leecher does not send this request.
    fn swallows(&self, block: &BlockRequest, bug: WireBreak) -> bool {
        let mut memory = lock(&self.memory);
        let block = (block.index, block.begin);
        if memory.gave_up || memory.shunned.contains(&block) {
            return true;
        }
        memory.open.insert(block);
        if bug == WireBreak::AsksOnce {
            memory.shunned.insert(block);
        }
        false
    }
}

/// The reference leecher, for `peerproof serve`.
#[derive(Clone, Copy, Debug)]
pub struct LeecherServer;

impl Server for LeecherServer {
    fn name(&self) -> &'static str {
        "bittorrent-leecher"
    }

    fn about(&self) -> &'static str {
        "a peer that downloads a torrent from the peers of its tracker (BEP 3, 6, 10, 23)"
    }

    fn breaks(&self) -> &'static [Break] {
        breaks()
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Running>, OpenError> {
        let usage = |why: &str| OpenError::Usage(why.to_owned());
        let file = options.torrent.as_ref();
        let file =
            file.ok_or_else(|| usage("a leecher needs --torrent FILE, which names its tracker"))?;
        let metainfo = content::metainfo(file)?;
        let about = format!(
            "fetches {}, {} bytes",
            metainfo.info_hash(),
            metainfo.total_len()
        );
        let leecher = Leecher::start(&Leeching {
            metainfo,
            content: None,
            bug: options.bug.clone(),
            seed: options.seed,
            listen: options.listen,
        })?;
        Ok(Box::new(Served { leecher, about }))
    }
}

struct Served {
    leecher: Leecher,
    about: String,
}

impl Running for Served {
    fn address(&self) -> SocketAddr {
        self.leecher.address
    }

    fn describe(&self) -> Vec<String> {
        vec![self.about.clone()]
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The reference peer on TCP: the specification's state machine, its wire format, and its seeded violations.

mod breaks;
mod wire;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use peerproof_model::bittorrent::message::PeerId;
use peerproof_model::bittorrent::mutant::{Mutant, Side};
use peerproof_model::bittorrent::node::{Config, Peer, Request, Timing};
use peerproof_model::bittorrent::view::Torrent;
use peerproof_model::choose::Seeded;
use peerproof_model::node::Input;

use super::content;
use crate::serve::runtime::Runtime;
use crate::serve::{Running, ServeOptions, Server};
use crate::suite::{Break, OpenError};

pub use self::breaks::SEEDER_BREAKS;
pub(crate) use self::wire::{PeerWire, WireBug};

/// The reference seeder.
pub struct Seeder;

/// The pause between two blocks that the reference seeder sends to a neighbour: long enough for a cancel to arrive.
const UPLOAD_PAUSE: Duration = Duration::from_millis(1);

impl Server for Seeder {
    fn name(&self) -> &'static str {
        "bittorrent-seeder"
    }

    fn about(&self) -> &'static str {
        "a peer that has every piece of a torrent and serves it (BEP 3, 6, 9, 10)"
    }

    fn breaks(&self) -> &'static [Break] {
        &SEEDER_BREAKS
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Running>, OpenError> {
        let torrent = match (&options.torrent, &options.data) {
            (Some(torrent), Some(data)) => content::load(torrent, data)?,
            (None, None) => content::make(options.seed, None)?,
            _ => {
                let why = "a seeder needs --torrent and --data together, or neither";
                return Err(OpenError::Usage(why.to_owned()));
            }
        };
        let bug = options.bug.as_deref();
        let seeder = RunningSeeder::start(options.listen, torrent, bug, options.seed, None)?;
        Ok(Box::new(seeder))
    }
}

/// A reference seeder that runs.
pub(crate) struct RunningSeeder {
    runtime: Runtime<Peer>,
    torrent: Arc<Torrent>,
    slots: u32,
}

/// What a seeded violation does to which part of the peer.
enum Bug {
    Node(Mutant),
    Wire(WireBug),
}

fn bug_by_name(name: &str) -> Result<Bug, OpenError> {
    let mutant = Mutant::by_name(name).filter(|mutant| mutant.side() == Side::Seeder);
    mutant
        .map(Bug::Node)
        .or_else(|| WireBug::by_name(name).map(Bug::Wire))
        .ok_or_else(|| OpenError::Usage(format!("a seeder has no break `{name}`")))
}

impl RunningSeeder {
    /// Starts a seeder of `torrent`, which comes with its content. `keep_alive` shortens its keep-alive timer.
    pub(crate) fn start(
        listen: SocketAddr,
        torrent: Arc<Torrent>,
        bug: Option<&str>,
        seed: u64,
        keep_alive: Option<Duration>,
    ) -> Result<Self, OpenError> {
        let listener = TcpListener::bind(listen)
            .map_err(|error| OpenError::Usage(format!("cannot listen on {listen}: {error}")))?;
        let kit = |error: std::io::Error| OpenError::Kit(format!("cannot serve: {error}"));
        let address = listener.local_addr().map_err(kit)?;
        let bug = bug.map(bug_by_name).transpose()?;
        let (mutant, wire_bug) = match bug {
            Some(Bug::Node(mutant)) => (Some(mutant), None),
            Some(Bug::Wire(bug)) => (None, Some(bug)),
            None => (None, None),
        };
        let timing = Timing {
            keep_alive: match wire_bug {
                Some(WireBug::NoKeepAlives) => None,
                _ => keep_alive.or(Timing::default().keep_alive),
            },
            ..Timing::default()
        };
        let config = Config {
            listen_port: address.port(),
            upload_pause: Some(UPLOAD_PAUSE),
            timing,
            mutant,
            ..Config::new(Arc::clone(&torrent), peer_id(seed)).seeding()
        };
        let slots = u32::try_from(config.slots()).unwrap_or(u32::MAX);
        let wire = Arc::new(PeerWire::new(torrent.pieces(), wire_bug, seed));
        let runtime =
            Runtime::start(Peer::new(Arc::new(config)), wire, listener, seed).map_err(kit)?;
        runtime.mail().bring(Input::Ask(Request::Start));
        Ok(Self {
            runtime,
            torrent,
            slots,
        })
    }

    /// How many neighbours it serves at a time.
    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }
}

impl Running for RunningSeeder {
    fn address(&self) -> SocketAddr {
        self.runtime.address()
    }

    fn describe(&self) -> Vec<String> {
        let info = self.torrent.metainfo.info();
        vec![
            format!("info hash {}", self.torrent.metainfo.info_hash()),
            format!(
                "{} pieces of {} bytes, {} bytes in all",
                self.torrent.pieces(),
                info.layout.piece_length(),
                info.layout.total_len()
            ),
        ]
    }
}

/// A peer id after the conventions of BEP 20.
pub(crate) fn peer_id(seed: u64) -> PeerId {
    const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut random = Seeded::new(seed ^ 0x7065_6572_2069_6420);
    let mut id = *b"-PP0100-000000000000";
    for byte in &mut id[8..] {
        *byte = LETTERS[(random.bits() % LETTERS.len() as u64) as usize];
    }
    PeerId(id)
}

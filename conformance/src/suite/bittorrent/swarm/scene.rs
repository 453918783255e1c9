//! What a story plays in: the torrent, the neighbours, the tracker.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use peerproof_model::bittorrent::message::PeerId;
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::pieces::Pieces;
use peerproof_model::bittorrent::view::Torrent;
use peerproof_model::choose::Seeded;

use super::plan::Plan;
use super::tracker::Script;
use crate::case::Stop;

/// Bytes of a block.
pub(crate) const BLOCK: u32 = 1 << 14;

/// The set of one torrent's story.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// Pieces of the torrent.
    pub(crate) pieces: u32,
    /// Blocks of a piece.
    pub(crate) blocks: u32,
    /// Bytes that the last piece lacks.
    pub(crate) cut: u32,
    /// The neighbours that the tracker returns.
    pub(crate) neighbours: Vec<Plan>,
    /// How the tracker answers.
    pub(crate) tracker: Script,
    /// Whether the target finds the whole content in its directory.
    pub(crate) complete: bool,
}

impl Scene {
    /// A torrent of so many pieces of one block each, with these neighbours.
    pub(crate) fn of(pieces: u32, neighbours: Vec<Plan>) -> Self {
        Self {
            pieces,
            blocks: 1,
            cut: 0,
            neighbours,
            tracker: Script::default(),
            complete: false,
        }
    }

    /// The same with so many blocks in a piece.
    pub(crate) fn of_blocks(self, blocks: u32) -> Self {
        Self { blocks, ..self }
    }

    /// The same with a tracker that answers like this.
    pub(crate) fn tracked(self, tracker: Script) -> Self {
        Self { tracker, ..self }
    }

    /// The same with a target that has everything at the start.
    pub(crate) fn complete(self) -> Self {
        Self {
            complete: true,
            ..self
        }
    }

    /// The same with a tracker that returns nobody.
    pub(crate) fn alone(mut self) -> Self {
        self.tracker.returns_nobody = true;
        self
    }

    /// The torrent, with content and name that follow from the seed.
    pub(super) fn torrent(&self, seed: u64, announce: &str) -> Result<Arc<Torrent>, Stop> {
        let piece_length = self.blocks * BLOCK;
        let length = u64::from(self.pieces) * u64::from(piece_length) - u64::from(self.cut);
        let mut content = vec![0; usize::try_from(length).unwrap_or_default()];
        Seeded::new(seed).fill(&mut content);
        let name = format!("peerproof-{seed:016x}.bin");
        let metainfo =
            Metainfo::from_content(name.as_bytes(), piece_length, &content, Some(announce));
        let metainfo = metainfo.ok_or_else(|| Stop::Kit("the scene has no torrent".to_owned()))?;
        Ok(Arc::new(Torrent {
            metainfo,
            content: Some(content.into()),
        }))
    }
}

/// Every piece of a torrent of so many.
pub(crate) fn all(pieces: u32) -> Pieces {
    Pieces::all(pieces)
}

/// These pieces of a torrent of so many.
pub(crate) fn some(pieces: u32, here: impl IntoIterator<Item = u32>) -> Pieces {
    let mut some = Pieces::none(pieces);
    for piece in here {
        some.insert(piece);
    }
    some
}

/// An address that this process has not used: clients remember the addresses of neighbours that misbehaved.
///
/// `network` is the base, such as 127.0.0.0; every address is in the same /16.
pub(super) fn fresh_address(network: Ipv4Addr) -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // The first 256 stay free for the machine's own use.
    let host = 256 + NEXT.fetch_add(1, Ordering::Relaxed) % (65_536 - 512);
    Ipv4Addr::from(u32::from(network) & 0xffff_0000 | host)
}

/// A peer id for a neighbour of the kit.
pub(super) fn peer_id(seed: u64, neighbour: usize) -> PeerId {
    let mut id = *b"-PP0100-............";
    let tail = format!("{:010x}{:02}", seed & 0xff_ffff_ffff, neighbour % 100);
    id[8..].copy_from_slice(&tail.as_bytes()[..12]);
    PeerId(id)
}

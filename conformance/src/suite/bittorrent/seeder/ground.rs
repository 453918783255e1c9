//! Where the cases of one session meet: the target, its torrent, and what they must share.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use peerproof_model::bittorrent::message::PeerId;
use peerproof_model::bittorrent::view::Torrent;
use peerproof_model::choose::Seeded;

use crate::suite::bittorrent::books::Patience;

/// The published number of upload slots (BEP 3: four).
const USUAL_SLOTS: usize = 4;

/// The most peers that wait for an unchoke at a time.
const MOST_WAITING: usize = 12;

/// What the target was seen to do before the first case.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traits {
    /// It offers pieces to choked neighbours.
    pub(super) offers_fast: bool,
}

/// What all cases of a session share.
pub(super) struct Ground {
    pub(super) target: SocketAddr,
    pub(super) torrent: Arc<Torrent>,
    pub(super) patience: Patience,
    pub(super) traits: Traits,
    /// The upload slots of the target, where it states them.
    pub(super) stated_slots: Option<u32>,
    pub(super) slots: Arc<Slots>,
    sources: AtomicU32,
    ids: AtomicU64,
    seed: u64,
}

impl Ground {
    pub(super) fn new(
        target: SocketAddr,
        torrent: Arc<Torrent>,
        patience: Patience,
        seed: u64,
    ) -> Self {
        // Targets remember addresses that they dislike: another run should not meet its predecessor's.
        let first = std::process::id().wrapping_mul(251) % 0x3f_ffff;
        Self {
            target,
            torrent,
            patience,
            traits: Traits::default(),
            stated_slots: None,
            slots: Arc::default(),
            sources: AtomicU32::new(first),
            ids: AtomicU64::new(0),
            seed,
        }
    }

    /// An address for the kit's end of a connection. On loopback each connection has its own, because many peers
    /// take one connection per address; elsewhere the machine decides.
    pub(super) fn source(&self) -> Option<IpAddr> {
        if !self.target.is_ipv4() || !self.target.ip().is_loopback() {
            return None;
        }
        let number = self.sources.fetch_add(1, Ordering::Relaxed);
        let (last, rest) = (number % 250 + 1, number / 250);
        let (third, second) = (rest % 254 + 1, (rest / 254) % 250 + 1);
        let octet = |part: u32| u8::try_from(part).unwrap_or(1);
        Some(Ipv4Addr::new(127, octet(second), octet(third), octet(last)).into())
    }

    /// A peer id that no other connection of this session has.
    pub(super) fn next_peer_id(&self) -> PeerId {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let mut id = *b"-PP0100-000000000000";
        let mut random = Seeded::new(self.seed ^ (number << 20));
        random.fill(&mut id[8..]);
        PeerId(id)
    }
}

/// Turns in waiting for an unchoke. It begins with the published number of slots and grows
/// while the target turns out to serve more at a time.
pub(super) struct Slots {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    allowed: usize,
    taken: usize,
    unchoked: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                allowed: USUAL_SLOTS,
                taken: 0,
                unchoked: 0,
            }),
            changed: Condvar::new(),
        }
    }
}

/// A turn, or several at once; it ends when dropped.
pub(super) struct Permit {
    slots: Arc<Slots>,
    turns: usize,
    unchoked: usize,
}

impl Slots {
    /// Waits for so many turns at once: taking one after the other, two cases could wait for each other for ever.
    pub(super) fn permit(self: &Arc<Self>, turns: usize) -> Permit {
        let mut state = self.lock();
        while state.taken > 0 && state.taken + turns > state.allowed {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.taken += turns;
        drop(state);
        Permit {
            slots: Arc::clone(self),
            turns,
            unchoked: 0,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The target unchokes one more peer of the holder.
    pub(super) fn unchoked(&mut self) {
        if self.unchoked == self.turns {
            return;
        }
        self.unchoked += 1;
        let mut state = self.slots.lock();
        state.unchoked += 1;
        if state.unchoked >= state.allowed {
            state.allowed = (state.allowed + 2).min(MOST_WAITING);
            self.slots.changed.notify_all();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        state.taken -= self.turns;
        state.unchoked -= self.unchoked;
        self.slots.changed.notify_all();
    }
}

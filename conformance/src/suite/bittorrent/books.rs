//! What the connections of one case share: the recording, and the books about the target.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use peerproof_model::bittorrent::pieces::Pieces;
use peerproof_model::bittorrent::view::{
    Expected, Link, LinkView, Moment, Observation, PeerView, Torrent,
};
use peerproof_model::bittorrent::watch::Watch;
use peerproof_model::property::{Judgement, Property};

use crate::record::Recorder;
use crate::suite::Options;

/// Where a connection enters what it sees.
pub(crate) trait Books: Send + Sync {
    /// A connection stands; the answer names it.
    fn opened(&self, by_subject: bool, kit: SocketAddr) -> Link;
    /// Enters what was seen.
    fn observe(&self, observation: Observation);
    /// What is known of the link if everything that was sent has been read.
    fn link(&self, link: Link) -> Option<LinkView>;
    /// The torrent that everybody speaks of.
    fn torrent(&self) -> &Arc<Torrent>;
    /// Where every byte is kept.
    fn recorder(&self) -> &Recorder;
}

/// How long the target has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long the kit listens where silence is what should be.
    pub(crate) answer: Duration,
    /// How long a handshake may take: deployed peers take a few connections a second, and the kit opens several.
    pub(crate) handshake: Duration,
    /// How long an answer may take that is owed: deployed peers hold small messages back for ten seconds.
    pub(crate) due: Duration,
    /// How long an unchoke may take.
    pub(crate) unchoke: Duration,
}

impl Patience {
    /// The times that follow from those of the options.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            answer: options.patience,
            handshake: options.patience * 3,
            due: (options.long_patience / 2).max(options.patience),
            unchoke: options.long_patience,
        }
    }
}

/// The books of one case: one watch over all of its connections.
pub(crate) struct Exchange {
    watch: Mutex<Watch>,
    torrent: Arc<Torrent>,
    recorder: Recorder,
    links: AtomicU32,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Exchange {
    /// Books about a subject that begins with `began_with`, asking `properties`.
    pub(crate) fn new(
        torrent: Arc<Torrent>,
        began_with: Pieces,
        slots: Option<u32>,
        properties: impl IntoIterator<Item = &'static Property<Moment>>,
    ) -> Arc<Self> {
        let view = PeerView::new(Arc::clone(&torrent), began_with, slots);
        Arc::new(Self {
            watch: Mutex::new(Watch::new(view, properties)),
            torrent,
            recorder: Recorder::new(),
            links: AtomicU32::new(0),
        })
    }

    /// What the property of that name says so far.
    pub(crate) fn judgement(&self, property: &str) -> Judgement {
        self.watch().judgement(property)
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books for Exchange {
    fn opened(&self, by_subject: bool, kit: SocketAddr) -> Link {
        let link = self.links.fetch_add(1, Ordering::Relaxed);
        if let IpAddr::V4(ip) = kit.ip() {
            let expected = Expected {
                ip: Some(ip),
                peer_id: None,
            };
            self.watch().expect(link, expected);
        }
        self.observe(Observation::Opened { link, by_subject });
        link
    }

    fn observe(&self, observation: Observation) {
        self.watch().observe(observation);
    }

    fn link(&self, link: Link) -> Option<LinkView> {
        self.watch().view_if_read().links.remove(&link)
    }

    fn torrent(&self) -> &Arc<Torrent> {
        &self.torrent
    }

    fn recorder(&self) -> &Recorder {
        &self.recorder
    }
}

//! What everybody whom the kit plays has seen of the target, in one book.
//!
//! Every neighbour and the tracker report here, and a story waits here until the target has done something.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::PeerId;
use peerproof_model::bittorrent::picking::{Pick, Picking};
use peerproof_model::bittorrent::pieces::Pieces;
use peerproof_model::bittorrent::properties;
use peerproof_model::bittorrent::view::{Expected, Link, Observation, PeerView, Torrent};
use peerproof_model::bittorrent::watch::Watch;
use peerproof_model::property::Judgement;

use crate::case::Stop;
use crate::jitter::Meter;
use crate::record::{Happening, Recorder};

/// The most observations that one exchange takes; a target that floods is cut off there.
const OBSERVATIONS: usize = 50_000;

/// How often one target may connect while its neighbours have known peer ids.
const EXPECTED_LINKS: Link = 64;

/// The books of one torrent.
pub(crate) struct Exchange {
    books: Mutex<Books>,
    changed: Condvar,
    /// Where every byte is kept.
    pub(crate) recorder: Recorder,
}

/// What is known so far.
pub(crate) struct Books {
    watch: Watch,
    /// The same exchange as if everything that was sent had been read at once.
    read: PeerView,
    picking: Picking,
    links: Link,
    seen: usize,
    last: Instant,
    trouble: Option<String>,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").finish_non_exhaustive()
    }
}

impl Books {
    /// The view if everything that the kit sent has been read.
    pub(crate) fn view(&self) -> &PeerView {
        &self.read
    }

    /// Time since anything last happened.
    pub(crate) fn calm(&self) -> Duration {
        self.last.elapsed()
    }
}

impl Exchange {
    /// Books about a subject that begins with `began_with`.
    pub(crate) fn new(torrent: Arc<Torrent>, began_with: Pieces, recorder: Recorder) -> Arc<Self> {
        let view = PeerView::new(torrent, began_with, None);
        Arc::new(Self {
            books: Mutex::new(Books {
                watch: Watch::new(view.clone(), properties::peer()),
                read: view,
                picking: Picking::default(),
                links: 0,
                seen: 0,
                last: Instant::now(),
                trouble: None,
            }),
            changed: Condvar::new(),
            recorder,
        })
    }

    /// The tracker says that whoever the target dials has this peer id.
    pub(crate) fn expect_everywhere(&self, peer_id: PeerId) {
        let expected = Expected {
            ip: None,
            peer_id: Some(peer_id),
        };
        let mut books = self.books();
        let mut view = books.read.clone();
        view.expected = (0..EXPECTED_LINKS).map(|link| (link, expected)).collect();
        books.watch = Watch::new(view.clone(), properties::peer());
        books.read = view;
    }

    /// Enters a connection and names it.
    pub(crate) fn opened(&self, by_subject: bool) -> Link {
        let mut books = self.books();
        let link = books.links;
        books.links = link.saturating_add(1);
        self.enter(books, Observation::Opened { link, by_subject });
        link
    }

    /// Enters what was seen.
    pub(crate) fn observe(&self, observation: Observation) {
        self.enter(self.books(), observation);
    }

    /// Everything sent on the link has been read: the target had all the time it needs.
    pub(crate) fn settle(&self, link: Link) {
        self.books().watch.settle(link);
    }

    /// Whether the kit has not yet said its handshake on the link.
    pub(crate) fn is_ungreeted(&self, link: Link) -> bool {
        let books = self.books();
        let view = books.read.links.get(&link);
        view.is_some_and(|view| view.told.handshake.is_none())
    }

    /// Has whoever waits look again.
    pub(crate) fn nudge(&self) {
        // Taken so that nobody is between looking and waiting.
        drop(self.books());
        self.changed.notify_all();
    }

    /// Notes the kit's own fault; the case ends with it.
    pub(crate) fn trouble(&self, what: impl Into<String>) {
        let mut books = self.books();
        books.trouble.get_or_insert(what.into());
        self.changed.notify_all();
    }

    /// Waits until `reached` says something about the books, at most `patience`.
    pub(crate) fn wait<T>(
        &self,
        patience: Duration,
        what: &str,
        mut reached: impl FnMut(&Books) -> Option<T>,
    ) -> Result<T, Stop> {
        let began = Instant::now();
        let deadline = began + patience;
        let mut books = self.books();
        loop {
            if let Some(trouble) = &books.trouble {
                return Err(Stop::Kit(trouble.clone()));
            }
            if let Some(found) = reached(&books) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(match Meter::of_this_process().trusts(began, patience) {
                    Ok(()) => {
                        Stop::Silent(format!("the target did not {what} within {patience:?}"))
                    }
                    Err(lost) => Stop::Overloaded(format!(
                        "a deadline passed while this machine did not run the kit for {} ms",
                        lost.as_millis()
                    )),
                });
            }
            books = self
                .changed
                .wait_timeout(books, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Time since anything last happened; a flood that is not listened to any more is rest.
    pub(crate) fn calm(&self) -> Duration {
        self.books().calm()
    }

    /// Waits until nothing has happened for `calm`, at most `patience`; false when it never rests.
    pub(crate) fn wait_calm(&self, calm: Duration, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut books = self.books();
        loop {
            let quiet = books.calm();
            if quiet >= calm {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            books = self
                .changed
                .wait_timeout(books, calm - quiet)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// What the property of that name says so far.
    pub(crate) fn judgement(&self, name: &str) -> Judgement {
        self.books().watch.judgement(name)
    }

    /// The choices of pieces so far.
    pub(crate) fn picks(&self) -> Vec<Pick> {
        self.books().picking.picks().to_vec()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, mut books: MutexGuard<'_, Books>, now: Observation) {
        if books.seen >= OBSERVATIONS {
            return;
        }
        books.seen += 1;
        if books.seen == OBSERVATIONS {
            let what = "the target says more than the kit listens to";
            self.recorder.event(None, Happening::Note, what);
        }
        let Books {
            picking,
            read,
            watch,
            last,
            ..
        } = &mut *books;
        picking.observe(read, &now);
        // What was told just now has its time too.
        *last = Instant::now();
        read.apply(&now);
        watch.observe(now);
        self.changed.notify_all();
    }
}

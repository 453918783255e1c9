//! What stories are made of: greetings, permission, requests, and waiting until nothing more is owed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{
    BlockRequest, ExtensionHandshake, Handshake, MetadataMessage, PeerMessage, Reserved,
};
use peerproof_model::bittorrent::view::{LinkView, Observation};
use peerproof_model::bittorrent::wire::extension;

use super::{KitPeer, METADATA_ID, Wait};
use crate::case::Stop;

/// How often a request is repeated that a choke has dropped.
const TURNS: u32 = 4;

/// How often the kit says a keep-alive where it has nothing else to say.
const OWN_KEEP_ALIVE: Duration = Duration::from_secs(45);

/// Every extension that the kit knows.
pub(crate) fn every_extension() -> Reserved {
    Reserved::NONE.with_extension_protocol().with_fast()
}

impl KitPeer {
    /// Says a handshake and waits for the other one.
    ///
    /// # Errors
    /// None came.
    pub(crate) fn handshake(&mut self, reserved: Reserved) -> Result<Handshake, Stop> {
        self.say_handshake(reserved)?;
        self.await_handshake()
    }

    /// Waits for the target's handshake; what it owed by then is due.
    ///
    /// # Errors
    /// None came.
    pub(crate) fn await_handshake(&mut self) -> Result<Handshake, Stop> {
        let patience = self.role.patience.handshake;
        let wait = self.wait_until(patience, |link| link.heard.handshake.is_some())?;
        match (wait, self.view()?.heard.handshake) {
            (Wait::Met, Some(handshake)) => Ok(handshake),
            (Wait::Ended, _) => Err(self.gone("before its handshake")),
            _ => {
                self.observe(Observation::Quiet(self.link));
                Err(Stop::Silent(format!("no handshake within {patience:?}")))
            }
        }
    }

    /// Exchanges handshakes and says what a peer without pieces has to say behind them.
    ///
    /// # Errors
    /// No handshake came.
    pub(crate) fn greet(&mut self, reserved: Reserved) -> Result<Handshake, Stop> {
        let theirs = self.handshake(reserved)?;
        if reserved.fast() && theirs.reserved.fast() {
            self.send(PeerMessage::HaveNone)?;
        }
        if reserved.extension_protocol() && theirs.reserved.extension_protocol() {
            self.send(extension_handshake())?;
        }
        Ok(theirs)
    }

    /// Waits until the target has said which pieces it has.
    ///
    /// # Errors
    /// It did not say so.
    pub(crate) fn await_pieces(&mut self) -> Result<(), Stop> {
        self.need(self.role.patience.due, "word about its pieces", |link| {
            !link.heard.has.is_empty()
        })
    }

    /// Says that the kit is interested and waits until the target unchokes.
    ///
    /// # Errors
    /// It did not.
    pub(crate) fn await_unchoke(&mut self) -> Result<(), Stop> {
        if !self.view()?.told.interested {
            self.send(PeerMessage::Interested)?;
        }
        let patience = self.role.patience.unchoke;
        let unchoked = self.need(patience, "unchoke", |link| !link.heard.choking);
        if let Err(Stop::Silent(_)) = unchoked {
            self.all_is_due();
        }
        unchoked
    }

    /// Greets, is interested, and waits until some piece may be requested: after an unchoke any,
    /// before that those of the allowed-fast set.
    ///
    /// # Errors
    /// No piece was ever offered.
    pub(crate) fn ready(&mut self, reserved: Reserved) -> Result<(), Stop> {
        self.greet(reserved)?;
        self.await_pieces()?;
        self.send(PeerMessage::Interested)?;
        self.need(self.role.patience.unchoke, "unchoke", |link| {
            !link.heard.choking || offered(link).next().is_some()
        })
    }

    /// A piece that may be requested, a full-sized one where there is one.
    ///
    /// # Errors
    /// None may be, even after a wait.
    pub(crate) fn open_piece(&mut self) -> Result<u32, Stop> {
        self.open_piece_where(|_| true)
    }

    /// The same among the pieces of which `which` holds. Offers come one by one: the first that arrives need not be
    /// one of those, so this waits for one.
    ///
    /// # Errors
    /// None may be, even after a wait.
    pub(crate) fn open_piece_where(&mut self, which: impl Fn(u32) -> bool) -> Result<u32, Stop> {
        let pieces = self.books.torrent().pieces();
        let last = pieces.saturating_sub(1);
        let full = |piece: u32| piece != last && which(piece);
        if (0..last).any(full) {
            self.wait_until(self.role.patience.unchoke, |link| {
                open(link, full).is_some()
            })?;
        }
        let link = self.view()?;
        open(&link, full)
            .or_else(|| open(&link, &which))
            .ok_or_else(|| Stop::Silent("the target offers no such piece".to_owned()))
    }

    /// A request for a block of the metadata, where the target offers it.
    ///
    /// # Errors
    /// The books lost the connection.
    pub(crate) fn metadata_request(&self, piece: u32) -> Result<Option<PeerMessage>, Stop> {
        let link = self.view()?;
        let id = link.heard.metadata_id;
        let payload = extension::encode_metadata(&MetadataMessage::Request { piece });
        // Who has not said under which id it wants the answer gets none.
        let offered = link.extended() && id != 0 && link.told.metadata_id != 0;
        Ok(offered.then_some(PeerMessage::Extended { id, payload }))
    }

    /// The first block of a piece, as long as a block may be.
    pub(crate) fn first_block(&self, piece: u32) -> BlockRequest {
        BlockRequest {
            index: piece,
            begin: 0,
            length: self.piece_len(piece).min(1 << 14),
        }
    }

    /// The blocks of a piece, in order.
    pub(crate) fn blocks(&self, piece: u32) -> impl Iterator<Item = BlockRequest> + use<> {
        let end = self.piece_len(piece);
        (0..end).step_by(1 << 14).map(move |begin| BlockRequest {
            index: piece,
            begin,
            length: (end - begin).min(1 << 14),
        })
    }

    /// Bytes of a piece; 0 when the torrent lacks it.
    pub(crate) fn piece_len(&self, piece: u32) -> u32 {
        self.books.torrent().piece_len(piece)
    }

    /// Requests blocks, a few at a time, and waits until each is answered. What a choke dropped is requested
    /// again after the next unchoke. Afterwards everything owed on this link is due.
    ///
    /// # Errors
    /// The target ended the connection, or never unchoked again.
    pub(crate) fn fetch(
        &mut self,
        blocks: impl IntoIterator<Item = BlockRequest>,
        pipeline: usize,
    ) -> Result<(), Stop> {
        let blocks: Vec<BlockRequest> = blocks.into_iter().collect();
        for batch in blocks.chunks(pipeline.max(1)) {
            self.fetch_batch(batch)?;
        }
        Ok(())
    }

    fn fetch_batch(&mut self, batch: &[BlockRequest]) -> Result<(), Stop> {
        let mut missing = batch.to_vec();
        for _ in 0..TURNS {
            self.refused.clear();
            for block in &missing {
                self.send(PeerMessage::Request(*block))?;
            }
            let asked = missing.clone();
            let wait = self.settle(move |link| !asked.iter().any(|block| is_owed(link, block)))?;
            if wait == Wait::Ended {
                return Err(self.gone("instead of answering"));
            }
            let link = self.view()?;
            // What reached the target while it choked is not answered, or rejected: it is to be asked again.
            let dropped = |block: &BlockRequest| {
                let told = &link.told;
                let refused = link.heard.choking && self.refused.contains(block);
                told.withdrawn.contains(block) || told.hopeless.contains(block) || refused
            };
            missing.retain(dropped);
            if missing.is_empty() || wait == Wait::TimedOut {
                return Ok(());
            }
            self.await_unchoke()?;
        }
        Err(Stop::Silent(
            "the target chokes before it answers, again and again".to_owned(),
        ))
    }

    /// Waits until nothing more is owed as far as `done` says, or the time is over; then all of it is due.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn settle(&mut self, done: impl Fn(&LinkView) -> bool) -> Result<Wait, Stop> {
        let wait = self.wait_until(self.role.patience.due, done)?;
        self.all_is_due();
        Ok(wait)
    }

    /// Listens where silence is what should be, until `done` says that it is broken; then all is due.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn listen(&mut self, done: impl Fn(&LinkView) -> bool) -> Result<(), Stop> {
        self.wait_until(self.role.patience.answer, done)?;
        self.all_is_due();
        Ok(())
    }

    /// Everything that the target owes on this link has had its time.
    pub(crate) fn all_is_due(&self) {
        if self.is_open() {
            self.observe(Observation::Quiet(self.link));
        }
    }

    /// Says nothing but keep-alives, and listens for those of the target; silence of `patience` is entered.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn listen_for_keep_alive(&mut self, patience: Duration) -> Result<(), Stop> {
        let mut last = Instant::now();
        let mut said = last;
        while last.elapsed() < patience {
            let glance = Duration::from_secs(1).min(patience);
            let heard = self.await_message(glance, |_| true)?;
            match heard {
                Some(PeerMessage::KeepAlive) => return Ok(()),
                Some(_) => last = Instant::now(),
                None if !self.is_open() => return Err(self.gone("before any keep-alive")),
                None => {}
            }
            // Who says nothing at all is left by many after two minutes.
            if said.elapsed() >= OWN_KEEP_ALIVE {
                said = Instant::now();
                self.send(PeerMessage::KeepAlive)?;
            }
        }
        let seconds = u32::try_from(last.elapsed().as_secs()).unwrap_or(u32::MAX);
        let link = self.link;
        self.observe(Observation::Silence { link, seconds });
        Ok(())
    }

    /// Waits until the target hangs up. That it answers something harmless instead shows that it will not;
    /// where nothing harmless has an answer, the time decides.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn settle_closed(&mut self) -> Result<(), Stop> {
        let asked = match self.metadata_request(0)? {
            Some(request) if self.is_open() => {
                self.send(request)?;
                true
            }
            _ => false,
        };
        let alive = |link: &LinkView| asked && link.told.metadata_requests.is_empty();
        let patience = self.role.patience;
        self.wait_until(patience.due, |link| link.heard.closed || alive(link))?;
        // The answer may have been on its way before the end. Nobody is judged by this wait.
        match self.wait_until(patience.answer / 8, |link| link.heard.closed) {
            Ok(_) | Err(Stop::Overloaded(_)) => {}
            Err(stop) => return Err(stop),
        }
        self.all_is_due();
        Ok(())
    }

    /// Waits until a target that has been told no good handshake hangs up. What it says until then does not matter:
    /// its own handshake, or the key of an encrypted one.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn settle_turned_away(&mut self) -> Result<(), Stop> {
        self.wait_for_the_end(self.role.patience.due)?;
        self.all_is_due();
        Ok(())
    }

    /// Waits for the target's extension handshake, which tells how to ask for metadata.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn wait_for_extension_handshake(&mut self) -> Result<(), Stop> {
        self.wait_until(self.role.patience.due, |link| link.heard.extends)?;
        Ok(())
    }

    /// Waits for what the story needs next.
    ///
    /// # Errors
    /// It did not come.
    pub(crate) fn need(
        &mut self,
        patience: Duration,
        what: &str,
        done: impl Fn(&LinkView) -> bool,
    ) -> Result<(), Stop> {
        match self.wait_until(patience, done)? {
            Wait::Met => Ok(()),
            Wait::TimedOut => Err(Stop::Silent(format!("no {what} within {patience:?}"))),
            Wait::Ended => Err(self.gone(&format!("before any {what}"))),
        }
    }

    /// Why the story cannot go on now that the connection has ended.
    pub(crate) fn gone(&self, when: &str) -> Stop {
        let why = self.end.as_deref().unwrap_or("the connection has ended");
        Stop::Gone(format!("{why} {when}"))
    }
}

/// Whether an answer to the request must still come: with the fast extension to every one.
fn is_owed(link: &LinkView, block: &BlockRequest) -> bool {
    link.told.requests.contains(block) || link.fast() && link.told.awaits(block)
}

/// The first piece that may be requested now and of which `which` holds.
fn open(link: &LinkView, which: impl Fn(u32) -> bool) -> Option<u32> {
    if link.heard.choking {
        offered(link).find(|piece| which(*piece))
    } else {
        link.heard.has.iter().find(|piece| which(*piece))
    }
}

/// Pieces that may be requested while choked.
fn offered(link: &LinkView) -> impl Iterator<Item = u32> + '_ {
    let offered = link.heard.allowed_fast.iter().copied();
    offered.filter(|piece| link.fast() && link.heard.has.contains(*piece))
}

/// The kit's extension handshake: metadata exchange, and nothing else.
pub(crate) fn extension_handshake() -> PeerMessage {
    let handshake = ExtensionHandshake {
        m: BTreeMap::from([(b"ut_metadata".to_vec(), METADATA_ID)]),
        v: Some(b"Peerproof".to_vec()),
        ..ExtensionHandshake::default()
    };
    PeerMessage::Extended {
        id: 0,
        payload: extension::encode_handshake(&handshake),
    }
}

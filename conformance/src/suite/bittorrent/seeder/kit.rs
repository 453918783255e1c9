//! What the stories of the seeder suite can do: connect, greet, get served, and see whether others still are.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{BlockRequest, PeerMessage, Reserved};
use peerproof_model::bittorrent::view::{Frame, Observation, Torrent};
use peerproof_model::choose::Seeded;

use super::ground::{Ground, Permit};
use crate::case::Stop;
use crate::suite::bittorrent::books::{Books, Exchange};
use crate::suite::bittorrent::peer::{KitPeer, Role, Wait, every_extension, extension_handshake};

/// The kit of one case.
pub(crate) struct SeederKit {
    ground: Arc<Ground>,
    books: Arc<dyn Books>,
    /// What the case draws at random.
    pub(crate) random: Seeded,
    /// The turns to be unchoked that the case holds until it ends.
    permit: Option<Permit>,
}

impl SeederKit {
    pub(super) fn new(ground: Arc<Ground>, exchange: &Arc<Exchange>, seed: u64) -> Self {
        Self {
            ground,
            books: Arc::clone(exchange) as Arc<dyn Books>,
            random: Seeded::new(seed),
            permit: None,
        }
    }

    /// The torrent that the target serves.
    pub(crate) fn torrent(&self) -> &Arc<Torrent> {
        self.books.torrent()
    }

    /// Connects, as a peer that the target has not met.
    ///
    /// # Errors
    /// The target takes no connection.
    pub(crate) fn connect(&mut self) -> Result<KitPeer, Stop> {
        let role = self.role();
        KitPeer::connect(&self.books, self.ground.target, self.ground.source(), role)
    }

    /// Connects; that the target refuses is entered as a connection that it closed instead of answering.
    ///
    /// # Errors
    /// The target takes no connection.
    pub(crate) fn connect_or_blame(&mut self) -> Result<KitPeer, Stop> {
        self.connect().inspect_err(|stop| {
            if let Stop::Gone(_) = stop {
                self.refused();
            }
        })
    }

    fn refused(&self) {
        let nowhere = SocketAddr::new(IpAddr::from([0, 0, 0, 0]), 0);
        let link = self.books.opened(false, nowhere);
        let handshake = self.role().handshake(self.torrent(), Reserved::NONE);
        let frame = Frame::Handshake(handshake);
        self.books.observe(Observation::Told { link, frame });
        self.books.observe(Observation::ClosedBySubject(link));
    }

    fn role(&self) -> Role {
        Role {
            peer_id: self.ground.next_peer_id(),
            patience: self.ground.patience,
        }
    }

    /// Connects and greets.
    ///
    /// # Errors
    /// No handshake came.
    pub(crate) fn greeted(&mut self, reserved: Reserved) -> Result<KitPeer, Stop> {
        let mut peer = self.connect()?;
        peer.greet(reserved)?;
        Ok(peer)
    }

    /// Connects and greets with the fast extension.
    ///
    /// # Errors
    /// No handshake came, or the target lacks the extension.
    pub(crate) fn fast(&mut self) -> Result<KitPeer, Stop> {
        let peer = self.greeted_with(every_extension())?;
        if peer.view()?.fast() {
            return Ok(peer);
        }
        Err(lacks("the fast extension (byte 7, mask 0x04)"))
    }

    /// Connects and greets without the fast extension, which the target has.
    ///
    /// # Errors
    /// No handshake came, or the target lacks the extension.
    pub(crate) fn without_fast(&mut self) -> Result<KitPeer, Stop> {
        let peer = self.probed()?;
        let theirs = peer.view()?.heard.handshake;
        if theirs.is_some_and(|handshake| handshake.reserved.fast()) {
            return Ok(peer);
        }
        Err(lacks("the fast extension (byte 7, mask 0x04)"))
    }

    /// Connects and shakes hands with the extension protocol; the extension handshake is left to the story.
    ///
    /// # Errors
    /// No handshake came, or the target lacks the protocol.
    pub(crate) fn extended(&mut self) -> Result<KitPeer, Stop> {
        let mut peer = self.connect()?;
        peer.handshake(Reserved::NONE.with_extension_protocol())?;
        if peer.view()?.extended() {
            return Ok(peer);
        }
        Err(lacks("the extension protocol (byte 5, mask 0x10)"))
    }

    /// Connects and exchanges extension handshakes.
    ///
    /// # Errors
    /// The target lacks the protocol.
    pub(crate) fn probed_extended(&mut self) -> Result<KitPeer, Stop> {
        let mut peer = self.extended()?;
        peer.send(extension_handshake())?;
        peer.wait_for_extension_handshake()?;
        Ok(peer)
    }

    /// Connects, exchanges extension handshakes, and learns how to ask for metadata.
    ///
    /// # Errors
    /// The target offers no metadata.
    pub(crate) fn metadata(&mut self) -> Result<KitPeer, Stop> {
        let peer = self.probed_extended()?;
        if peer.view()?.heard.metadata_id == 0 {
            return Err(lacks("ut_metadata in its extension handshake"));
        }
        Ok(peer)
    }

    /// A peer that may request: the target unchokes it, or offers it pieces while choked.
    ///
    /// # Errors
    /// The target does neither.
    pub(crate) fn served(&mut self) -> Result<KitPeer, Stop> {
        if !self.ground.traits.offers_fast {
            self.take_turns(1);
        }
        let mut peer = self.connect()?;
        peer.ready(every_extension())?;
        self.note_unchoke(&peer)?;
        Ok(peer)
    }

    /// Several peers that may request, connected at the same time.
    ///
    /// # Errors
    /// The target takes fewer.
    pub(crate) fn all_served(&mut self, count: usize) -> Result<Vec<KitPeer>, Stop> {
        if !self.ground.traits.offers_fast {
            self.take_turns(count);
        }
        (0..count).map(|_| self.served()).collect()
    }

    /// A peer that the target unchokes.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn unchoked(&mut self, reserved: Reserved) -> Result<KitPeer, Stop> {
        self.take_turns(1);
        let mut peer = self.greeted(reserved)?;
        peer.await_pieces()?;
        peer.await_unchoke()?;
        self.note_unchoke(&peer)?;
        Ok(peer)
    }

    /// Whether the target chokes a peer that is not interested: some serve whoever connects.
    ///
    /// # Errors
    /// It does not choke.
    pub(crate) fn was_choked(&self, peer: &KitPeer) -> Result<(), Stop> {
        if peer.view()?.heard.choking {
            return Ok(());
        }
        let why = "the target unchokes whoever connects, so that it never chokes the kit";
        Err(Stop::Unimplemented(why.to_owned()))
    }

    /// Waits for turns to be unchoked: more at a time than the target serves would only wait for each other.
    fn take_turns(&mut self, turns: usize) {
        if self.permit.is_none() {
            self.permit = Some(self.ground.slots.permit(turns));
        }
    }

    fn note_unchoke(&mut self, peer: &KitPeer) -> Result<(), Stop> {
        if !peer.view()?.heard.choking
            && let Some(permit) = &mut self.permit
        {
            permit.unchoked();
        }
        Ok(())
    }

    /// The upload slots of the target, where it states them.
    pub(crate) fn stated_slots(&self) -> Option<u32> {
        self.ground.stated_slots
    }

    /// Waits until the target has unchoked one of them, as long as an unchoke may take.
    ///
    /// # Errors
    /// It unchoked none.
    pub(crate) fn await_first_unchoke(&mut self, crowd: &mut [KitPeer]) -> Result<(), Stop> {
        let glance = Duration::from_millis(50);
        let deadline = Instant::now() + self.ground.patience.unchoke;
        while Instant::now() < deadline {
            for peer in crowd.iter_mut() {
                if peer.wait_until(glance, |link| !link.heard.choking)? == Wait::Met {
                    return Ok(());
                }
            }
        }
        Err(Stop::Silent("the target unchokes nobody".to_owned()))
    }

    /// Gives all of them together the time for one answer; what is owed to any of them is due then.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn settle_crowd(&mut self, crowd: &mut [KitPeer]) -> Result<(), Stop> {
        let deadline = Instant::now() + self.ground.patience.answer;
        for peer in crowd.iter_mut() {
            let left = deadline.saturating_duration_since(Instant::now());
            peer.wait_until(left, |link| !link.heard.choking)?;
        }
        crowd.iter().for_each(KitPeer::all_is_due);
        Ok(())
    }

    /// Waits until the target has read everything so far: its answer to something harmless shows that.
    /// Where nothing harmless has an answer, listens for a while.
    ///
    /// # Errors
    /// As for [`KitPeer::wait_until`].
    pub(crate) fn probe(&self, peer: &mut KitPeer) -> Result<(), Stop> {
        let Some(request) = peer.metadata_request(0)?.filter(|_| peer.is_open()) else {
            return peer.listen(|link| link.heard.closed);
        };
        peer.send(request)?;
        peer.settle(|link| link.heard.closed || link.told.metadata_requests.is_empty())?;
        Ok(())
    }

    /// Connects and greets with the extension protocol where the target has it, so that [`SeederKit::probe`] has an answer.
    ///
    /// # Errors
    /// No handshake came.
    pub(crate) fn probed(&mut self) -> Result<KitPeer, Stop> {
        self.greeted_with(Reserved::NONE.with_extension_protocol())
    }

    /// Connects and greets; where both have the extension protocol, waits for the extension handshake.
    fn greeted_with(&mut self, reserved: Reserved) -> Result<KitPeer, Stop> {
        let mut peer = self.greeted(reserved)?;
        if peer.view()?.extended() {
            peer.wait_for_extension_handshake()?;
        }
        Ok(peer)
    }

    /// Whether a peer that the target has not met is answered.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn a_new_peer_is_answered(&mut self) -> Result<(), Stop> {
        let mut peer = self.connect_or_blame()?;
        peer.handshake(Reserved::NONE)?;
        Ok(())
    }

    /// Requests the first block of a piece that may be requested, and waits for the answer.
    ///
    /// # Errors
    /// The target ends the connection.
    pub(crate) fn fetch_one(&self, peer: &mut KitPeer) -> Result<(), Stop> {
        let piece = peer.open_piece()?;
        let block = peer.first_block(piece);
        peer.fetch([block], 1)
    }

    /// Sends something, then requests a good block: its answer shows that what was sent has been read.
    ///
    /// # Errors
    /// The target ends the connection.
    pub(crate) fn then_fetch_one(
        &self,
        peer: &mut KitPeer,
        message: PeerMessage,
    ) -> Result<(), Stop> {
        peer.send(message)?;
        self.fetch_one(peer)
    }

    /// Sends a request that should get no block, then a good one; the first answer or the end decides.
    ///
    /// # Errors
    /// As for [`KitPeer::fetch`].
    pub(crate) fn try_request(
        &mut self,
        wrong: impl Fn(&KitPeer, u32) -> BlockRequest,
    ) -> Result<(), Stop> {
        self.try_request_of(|_| true, wrong)
    }

    /// The same with a piece that may be requested and of which `which` holds.
    ///
    /// # Errors
    /// As for [`KitPeer::fetch`].
    pub(crate) fn try_request_of(
        &mut self,
        which: impl Fn(u32) -> bool,
        wrong: impl Fn(&KitPeer, u32) -> BlockRequest,
    ) -> Result<(), Stop> {
        let mut peer = self.served()?;
        let piece = peer.open_piece_where(which)?;
        let wrong = wrong(&peer, piece);
        peer.send(PeerMessage::Request(wrong))?;
        let good = peer.first_block(piece);
        // The target may close instead: that is an answer, too.
        match peer.fetch([good], 1) {
            Err(Stop::Gone(_)) | Ok(()) => Ok(()),
            Err(stop) => Err(stop),
        }
    }
}

fn lacks(what: &str) -> Stop {
    Stop::Unimplemented(format!("the target does not offer {what}"))
}

//! What the kit plays towards a leecher: the tracker and the whole swarm, one fresh torrent for each story.

mod exchange;
mod neighbour;
mod plan;
mod scene;
mod serving;
mod target;
mod tracker;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use peerproof_model::bittorrent::message::{
    AnnounceEvent, AnnounceRequest, BlockRequest, PeerMessage,
};
use peerproof_model::bittorrent::picking::{Pick, RAREST_FIRST, Tendency};
use peerproof_model::bittorrent::pieces::Pieces;
use peerproof_model::bittorrent::view::{Link, LinkView, Observation, PeerView};
use peerproof_model::choose::Seeded;
use peerproof_model::property::Judgement;

use self::exchange::{Books, Exchange};
use self::neighbour::Neighbour;
pub(super) use self::target::How;
use self::target::Started;
use crate::case::Stop;
use crate::record::{Happening, Recorder};
use crate::suite::Options;

pub(crate) use self::plan::{Plan, Serves};
pub(crate) use self::scene::{BLOCK, Scene, all, some};
pub(crate) use self::tracker::{Form, Script};

/// A download that goes on has the long patience so many times.
const MOST_TURNS: u32 = 6;

/// The kit of one case.
#[derive(Debug)]
pub(crate) struct Swarm {
    how: How,
    patience: Duration,
    long_patience: Duration,
    network: Ipv4Addr,
    seed: u64,
    rounds: u64,
    property: &'static str,
    recorder: Recorder,
    home: PathBuf,
    round: Option<Round>,
    judgement: Judgement,
    picks: Vec<Pick>,
}

/// One torrent of a case.
#[derive(Debug)]
struct Round {
    // In the order of their ends: the target leaves while tracker and neighbours still listen.
    started: Started,
    neighbours: Vec<Neighbour>,
    _tracker: tracker::Tracker,
    exchange: Arc<Exchange>,
}

impl Swarm {
    /// The kit of a case that asks `property`.
    pub(super) fn new(
        how: How,
        options: &Options,
        (seed, property): (u64, &'static str),
        home: &Path,
    ) -> Self {
        Self {
            how,
            patience: options.patience,
            long_patience: options.long_patience,
            network: options.swarm.unwrap_or(Ipv4Addr::new(127, 0, 0, 0)),
            seed,
            rounds: 0,
            property,
            recorder: Recorder::new(),
            home: home.to_owned(),
            round: None,
            judgement: Judgement::Unknown,
            picks: Vec::new(),
        }
    }

    /// A generator for what the story draws.
    pub(crate) fn choices(&self) -> Seeded {
        Seeded::new(
            self.seed
                .wrapping_add(self.rounds.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        )
    }

    /// Sets the scene: tracker, neighbours, and a target that is to fetch the torrent.
    pub(crate) fn begin(&mut self, scene: Scene) -> Result<(), Stop> {
        self.end_round();
        let bound = tracker::Bound::new()?;
        let seed = self.choices().bits();
        let torrent = scene.torrent(seed, &bound.url())?;
        self.rounds += 1;
        let began_with = if scene.complete {
            Pieces::all(scene.pieces)
        } else {
            Pieces::none(scene.pieces)
        };
        let exchange = Exchange::new(Arc::clone(&torrent), began_with, self.recorder.clone());
        if let ([_], Form::Dictionaries) = (&scene.neighbours[..], scene.tracker.form) {
            exchange.expect_everywhere(scene::peer_id(seed, 0));
        }
        let mut neighbours = Vec::new();
        for (index, plan) in scene.neighbours.into_iter().enumerate() {
            neighbours.push(Neighbour::start(
                scene::fresh_address(self.network),
                scene::peer_id(seed, index),
                plan,
                Arc::clone(&torrent),
                Arc::clone(&exchange),
            )?);
        }
        let peers = neighbours
            .iter()
            .map(|peer| (peer.address(), peer.peer_id()));
        let url = bound.url();
        let tracker = bound.serve(scene.tracker, peers.collect(), Arc::clone(&exchange));
        let home = self.home.join(format!("round-{}", self.rounds));
        let started = self.how.start(&torrent, &url, &home, scene.complete)?;
        self.round = Some(Round {
            started,
            neighbours,
            _tracker: tracker,
            exchange,
        });
        Ok(())
    }

    /// Ends the round: what it came to is kept.
    pub(crate) fn end_round(&mut self) {
        if let Some(round) = self.round.take() {
            let judgement = round.exchange.judgement(self.property);
            self.judgement =
                std::mem::replace(&mut self.judgement, Judgement::Unknown).and_then(judgement);
            self.picks.extend(round.exchange.picks());
        }
    }

    /// What the case's property says of everything that was seen.
    pub(super) fn judgement(&mut self) -> Judgement {
        self.end_round();
        if self.property == RAREST_FIRST.name {
            if let Some(tendency) = Tendency::of(&self.picks) {
                let what = tendency.to_string();
                self.recorder.event(None, Happening::Note, what);
            }
            (RAREST_FIRST.judge)(&self.picks)
        } else {
            self.judgement.clone()
        }
    }

    /// The recording of the case.
    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The choices of pieces so far, over all rounds that have ended.
    pub(crate) fn picks(&self) -> &[Pick] {
        &self.picks
    }

    fn round(&self) -> Result<&Round, Stop> {
        let none = || Stop::Kit("the story has no scene".to_owned());
        self.round.as_ref().ok_or_else(none)
    }

    fn neighbour(&self, index: usize) -> Result<&Neighbour, Stop> {
        let none = || Stop::Kit(format!("the scene has no neighbour {index}"));
        self.round()?.neighbours.get(index).ok_or_else(none)
    }

    fn wait<T>(
        &self,
        patience: Duration,
        what: &str,
        reached: impl FnMut(&Books) -> Option<T>,
    ) -> Result<T, Stop> {
        let round = self.round()?;
        let gone = round.exchange.wait(patience, what, reached);
        match gone {
            Err(Stop::Silent(why)) if round.started.has_ended() => {
                Err(Stop::Gone(format!("{why}: the target has ended by itself")))
            }
            other => other,
        }
    }

    /// Waits until the connection with the neighbour is as `reached` says.
    fn wait_link<T>(
        &self,
        neighbour: usize,
        what: &str,
        reached: impl Fn(&LinkView, &PeerView) -> Option<T>,
    ) -> Result<T, Stop> {
        let peer = self.neighbour(neighbour)?;
        self.wait(self.long_patience, what, |books| {
            let link = books.view().links.get(&peer.last_link()?)?;
            reached(link, books.view())
        })
    }
}

/// What stories are made of. Every wait has a deadline.
impl Swarm {
    /// Waits for an announce with this event, and returns it.
    pub(crate) fn await_announce(&self, event: &AnnounceEvent) -> Result<AnnounceRequest, Stop> {
        self.wait(
            self.long_patience,
            &format!("announce the event {event:?}"),
            |books| {
                let announces = &books.view().announces;
                announces
                    .iter()
                    .find(|announce| announce.event == *event)
                    .cloned()
            },
        )
    }

    /// Waits until there have been so many requests to the tracker that are announces.
    pub(crate) fn await_announces(&self, count: usize) -> Result<(), Stop> {
        self.wait(self.long_patience, "announce itself", |books| {
            (books.view().announces.len() >= count).then_some(())
        })
    }

    /// Waits until the target has connected to the neighbour and both have shaken hands. A target that announced itself
    /// but does not dial the kit's addresses is dialled.
    pub(crate) fn await_neighbour(&self, neighbour: usize) -> Result<(), Stop> {
        let peer = self.neighbour(neighbour)?;
        let shaken = |books: &Books| {
            let link = books.view().links.get(&peer.greeted_link()?)?;
            link.heard.handshake.map(|_| ())
        };
        let announced = self.await_first_announce()?;
        match self.wait(self.patience * 2, "shake hands", shaken) {
            Err(Stop::Silent(_)) if peer.link().is_none() => {
                self.recorder.event(
                    None,
                    Happening::Note,
                    "the target does not dial: the kit does",
                );
                peer.dial(self.target_at(announced.port)?)?;
                self.wait(self.long_patience, "shake hands", shaken)
            }
            other => other,
        }
    }

    /// Waits until the target itself has dialled the neighbour and shaken hands.
    pub(crate) fn await_dialled(&self, neighbour: usize) -> Result<(), Stop> {
        self.await_first_announce()?;
        self.wait_link(neighbour, "dial the neighbour", |link, _| {
            (link.opened_by_subject && link.heard.handshake.is_some()).then_some(())
        })
    }

    fn await_first_announce(&self) -> Result<AnnounceRequest, Stop> {
        self.wait(self.long_patience, "announce itself", |books| {
            books.view().announces.first().cloned()
        })
    }

    fn target_at(&self, port: u16) -> Result<SocketAddr, Stop> {
        Ok(SocketAddr::new(self.round()?.started.ip(), port))
    }

    /// Dials the target at the port that it announced.
    pub(crate) fn dial_from(&self, neighbour: usize) -> Result<(), Stop> {
        let announced = self.await_first_announce()?;
        self.neighbour(neighbour)?
            .dial(self.target_at(announced.port)?)
    }

    /// Waits until the target is interested in the neighbour.
    pub(crate) fn await_interested(&self, neighbour: usize) -> Result<(), Stop> {
        self.wait_link(neighbour, "become interested", |link, _| {
            link.heard.interested.then_some(())
        })
    }

    /// Waits until the target has requests under way to the neighbour, at least so many.
    pub(crate) fn await_requests(
        &self,
        neighbour: usize,
        count: usize,
    ) -> Result<BlockRequest, Stop> {
        self.wait_link(neighbour, &format!("request {count} blocks"), |link, _| {
            let first = link.heard.requests.first().copied();
            first.filter(|_| link.heard.requests.len() >= count)
        })
    }

    /// Waits until the target has been given every piece; it has the long patience for every step on the way.
    pub(crate) fn await_given(&self) -> Result<(), Stop> {
        let mut turns = 0;
        loop {
            turns += 1;
            let waited = self.wait(self.long_patience, "fetch every piece", |books| {
                books.view().possible().is_complete().then_some(())
            });
            match waited {
                Err(Stop::Silent(_)) if turns < MOST_TURNS && !self.is_resting()? => {}
                other => return other,
            }
        }
    }

    /// Whether nothing has happened for the long patience.
    fn is_resting(&self) -> Result<bool, Stop> {
        Ok(self.round()?.exchange.calm() >= self.long_patience)
    }

    /// Waits until the target has announced the piece to the neighbour.
    pub(crate) fn await_have(&self, neighbour: usize, piece: u32) -> Result<(), Stop> {
        self.wait_link(neighbour, &format!("announce piece {piece}"), |link, _| {
            link.heard.has.contains(piece).then_some(())
        })
    }

    /// Waits until the target has announced these pieces to the neighbour.
    pub(crate) fn await_haves(
        &self,
        neighbour: usize,
        pieces: impl IntoIterator<Item = u32>,
    ) -> Result<(), Stop> {
        pieces
            .into_iter()
            .try_for_each(|piece| self.await_have(neighbour, piece))
    }

    /// Waits until the target has announced so many pieces to the neighbour.
    pub(crate) fn await_have_count(&self, neighbour: usize, count: u32) -> Result<(), Stop> {
        self.wait_link(neighbour, &format!("announce {count} pieces"), |link, _| {
            (link.heard.has.len() >= count).then_some(())
        })
    }

    /// Waits until the target says that it is not interested in the neighbour, or has closed.
    pub(crate) fn await_not_interested(&self, neighbour: usize) -> Result<(), Stop> {
        self.wait_link(neighbour, "lose interest", |link, _| {
            (!link.heard.interested || !link.is_open()).then_some(())
        })
    }

    /// Waits until the target is connected with every neighbour and interested in it.
    pub(crate) fn await_interest_in_everybody(&self) -> Result<(), Stop> {
        let neighbours = self.round()?.neighbours.len();
        (0..neighbours).try_for_each(|neighbour| self.await_neighbour(neighbour))?;
        (0..neighbours).try_for_each(|neighbour| self.await_interested(neighbour))
    }

    /// Waits until the target was given a block of the piece, right or wrong.
    pub(crate) fn await_block_given(&self, piece: u32) -> Result<(), Stop> {
        self.wait(
            self.long_patience,
            &format!("request piece {piece}"),
            |books| {
                let mut right = books.view().given.range((piece, 0)..=(piece, u32::MAX));
                (right.next().is_some() || books.view().spoiled.contains(&piece)).then_some(())
            },
        )
    }

    /// Waits until a block is requested of both neighbours.
    pub(crate) fn await_duplicate(&self, one: usize, other: usize) -> Result<BlockRequest, Stop> {
        let links = (self.link(one)?, self.link(other)?);
        self.wait(
            self.long_patience,
            "request a block of two neighbours",
            |books| {
                let requests = |link| Some(&books.view().links.get(&link)?.heard.requests);
                requests(links.0)?
                    .intersection(requests(links.1)?)
                    .next()
                    .copied()
            },
        )
    }

    /// Waits until the target lets the neighbour request.
    pub(crate) fn await_unchoke(&self, neighbour: usize) -> Result<(), Stop> {
        self.wait_link(neighbour, "unchoke", |link, _| {
            (!link.heard.choking).then_some(())
        })
    }

    /// Waits until the target has sent the neighbour everything that it requested.
    pub(crate) fn await_blocks(&self, neighbour: usize) -> Result<(), Stop> {
        self.wait_link(neighbour, "send a block", |link, _| {
            link.told.requests.is_empty().then_some(())
        })
    }

    /// Waits until the connection with the neighbour is over.
    pub(crate) fn await_closed(&self, neighbour: usize) -> Result<(), Stop> {
        self.wait_link(neighbour, "close the connection", |link, _| {
            (!link.is_open()).then_some(())
        })
    }

    /// The connection with the neighbour.
    fn link(&self, neighbour: usize) -> Result<Link, Stop> {
        let gone = || {
            Stop::Gone(format!(
                "the target has no connection with neighbour {neighbour}"
            ))
        };
        self.neighbour(neighbour)?.link().ok_or_else(gone)
    }

    /// The neighbour says something.
    pub(crate) fn say(&self, neighbour: usize, message: PeerMessage) -> Result<(), Stop> {
        self.neighbour(neighbour)?.say(message)
    }

    /// From now on the neighbour serves like that.
    pub(crate) fn serve(&self, neighbour: usize, serves: Serves) -> Result<(), Stop> {
        self.neighbour(neighbour)?.serve(serves)
    }

    /// The neighbour answers so many requests, each when it comes.
    pub(crate) fn serve_some(&self, neighbour: usize, count: usize) -> Result<(), Stop> {
        let peer = self.neighbour(neighbour)?;
        (0..count).try_for_each(|_| {
            self.wait(self.long_patience, "request a block", |_| {
                (peer.waiting() > 0).then_some(())
            })?;
            peer.serve_one().map(drop)
        })
    }

    /// The neighbour answers this request, if it waits.
    pub(crate) fn serve_this(&self, neighbour: usize, block: BlockRequest) -> Result<bool, Stop> {
        self.neighbour(neighbour)?.serve_this(block)
    }

    /// The neighbour ends its connection for good. Goes on when the target has closed its half as well, and so has read
    /// everything that was said before; or when it does not, which nobody is judged by.
    pub(crate) fn leave(&self, neighbour: usize) -> Result<(), Stop> {
        let neighbour = self.neighbour(neighbour)?;
        neighbour.leave();
        let parted = |_: &Books| neighbour.has_parted().then_some(());
        match self.wait(self.patience, "close its half", parted) {
            Ok(()) | Err(Stop::Silent(_) | Stop::Overloaded(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Goes on when the target did what was waited for; when it did not, what it owes is due now.
    pub(crate) fn or_due<T>(&self, waited: Result<T, Stop>) -> Result<(), Stop> {
        match waited {
            Ok(_) => Ok(()),
            Err(Stop::Silent(_) | Stop::Gone(_)) => self.calm(),
            Err(other) => Err(other),
        }
    }

    /// Waits until the target rests; then everything that it owes to anybody is due.
    pub(crate) fn calm(&self) -> Result<(), Stop> {
        let rest = self.patience;
        let round = self.round()?;
        let began = std::time::Instant::now();
        if !round.exchange.wait_calm(rest, rest.max(self.long_patience)) {
            return Err(Stop::Silent("the target never rests".to_owned()));
        }
        if let Err(lost) = crate::jitter::Meter::of_this_process().trusts(began, rest) {
            let lost = lost.as_millis();
            return Err(Stop::Overloaded(format!(
                "this machine did not run the kit for {lost} ms of a rest"
            )));
        }
        let open: Vec<Link> = round
            .neighbours
            .iter()
            .filter_map(Neighbour::link)
            .collect();
        open.iter().for_each(|link| round.exchange.settle(*link));
        for link in open {
            round.exchange.observe(Observation::Quiet(link));
        }
        round.exchange.observe(Observation::Calm);
        Ok(())
    }

    /// Asks the target to leave, as a user does, and waits until it has left.
    pub(crate) fn end_target(&mut self) -> Result<(), Stop> {
        let patience = self.long_patience;
        let none = || Stop::Kit("the story has no scene".to_owned());
        let round = self.round.as_mut().ok_or_else(none)?;
        round.started.end(patience)?;
        round.exchange.observe(Observation::Left);
        Ok(())
    }
}

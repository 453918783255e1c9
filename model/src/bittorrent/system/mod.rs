//! The swarm: peers, their tracker and their churn as a [`stateright::Model`].
//!
//! [`swarm`] turns a [`Scope`] into a [`System`] of the very state machines that are served on sockets, with an
//! [`Onlooker`] that asks every property of peers and trackers of every step.

mod examine;
mod liveness;
mod onlooker;
mod participant;
mod scope;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use examine::{Examination, examine, terms};
pub use liveness::{completion, service};
pub use onlooker::{Memory, Onlooker, Watched};
pub use participant::{Participant, Rejected, Said, Timer};
pub use scope::{Holds, Meeting, Member, Scope};

use super::message::{PeerId, Reserved};
use super::metainfo::Metainfo;
use super::mutant::{Mutant, Side};
use super::node::{Config, Peer, Request, Timer as PeerTimer};
use super::pieces::Pieces;
use super::tracker::{Tracker, TrackerConfig};
use super::view::{PeerView, Torrent};
use crate::system::{Act, Clock, Expiries, Network, Place, Resident, System, Timers, When};

/// A swarm as a model.
pub type Swarm = System<Participant, Onlooker>;

/// Properties that are not asked in a scope, each with the reason.
pub fn not_asked(scope: &Scope) -> Vec<(&'static str, &'static str)> {
    let mut without = vec![
        (
            "downloaded_is_what_was_received",
            "totals only grow, so the model does not count them",
        ),
        (
            "uploaded_is_what_was_sent",
            "totals only grow, so the model does not count them",
        ),
    ];
    let sudden = scope.when == When::AnyMoment && !scope.scripts.is_empty();
    if scope.breaks > 0 || sudden {
        without.push((
            "returned_peers_are_dialled",
            "a returned peer may be gone, or its link broken, since the answer was made",
        ));
    }
    if scope.pipeline == 1 {
        without.push((
            "requests_are_pipelined",
            "the scope has a pipeline of one request",
        ));
    }
    without
}

/// The swarm of a scope, where every honest peer, or the tracker, has the mutation, if any.
pub fn swarm(scope: &Scope, mutant: Option<Mutant>) -> Swarm {
    let torrent = torrent(scope);
    let mut residents = Vec::new();
    let mut watched = Vec::new();
    for (place, member) in scope.peers.iter().enumerate() {
        let config = config(scope, &torrent, place, member, mutant);
        let slots = u32::try_from(config.slots()).ok();
        let view = PeerView::new(Arc::clone(&torrent), config.initial.clone(), slots);
        let asked = member.asked && !member.lies;
        watched.push(asked.then(|| onlooker::watch_peer(view)));
        residents.push(Resident {
            id: address(place),
            name: member.name.to_owned(),
            node: Participant::Peer(Box::new(Peer::new(Arc::new(config)))),
            present: member.present,
            serves_questions: false,
        });
    }
    if scope.meeting == Meeting::Tracker {
        residents.push(Resident {
            id: address(scope.peers.len()),
            name: "tracker".to_owned(),
            node: Participant::Tracker(Box::new(tracker(mutant))),
            present: true,
            serves_questions: true,
        });
        watched.push(Some(onlooker::watch_tracker()));
    }
    let without: BTreeSet<&str> = not_asked(scope).into_iter().map(|(name, _)| name).collect();
    let onlooker = Onlooker {
        paced: scope.paced,
        addresses: residents.iter().map(|resident| resident.id).collect(),
        watched,
        of_peers: onlooker::of_peers(&without),
        of_trackers: onlooker::of_trackers(&without),
    };
    let network = Network::Links {
        breaks: scope.breaks,
    };
    let mut system = System::new(residents, network, onlooker);
    system.timers = timers(scope);
    system.opening = opening(scope);
    system.begins_quiet = scope.begins_quiet;
    system.scripts.clone_from(&scope.scripts);
    system.acts = scope.when;
    system
}

/// The address of the participant at a place.
pub fn address(place: usize) -> SocketAddr {
    let host = u8::try_from(place).unwrap_or(u8::MAX).saturating_add(1);
    SocketAddr::from(([10, 0, 0, host], 6881))
}

fn torrent(scope: &Scope) -> Arc<Torrent> {
    let bytes = u32::from(scope.pieces) * u32::from(scope.blocks);
    let content: Vec<u8> = (1..=bytes).map(|byte| byte.to_le_bytes()[0]).collect();
    let metainfo = Metainfo::from_content(b"swarm", u32::from(scope.blocks), &content, None);
    Arc::new(Torrent {
        metainfo: metainfo.expect("pieces of a scope have blocks"),
        content: Some(content.into()),
    })
}

fn config(
    scope: &Scope,
    torrent: &Arc<Torrent>,
    place: usize,
    member: &Member,
    mutant: Option<Mutant>,
) -> Config {
    let number = u8::try_from(place).unwrap_or(u8::MAX);
    let mut config = Config::small(Arc::clone(torrent), PeerId([b'a' + number; 20]));
    config.initial = match member.holds {
        Holds::Everything => Pieces::all(torrent.pieces()),
        Holds::Only(pieces) => {
            let mut initial = Pieces::none(torrent.pieces());
            for piece in pieces {
                initial.insert(*piece);
            }
            initial
        }
    };
    config.address = Some(address(place));
    if scope.meeting == Meeting::Tracker {
        config.tracker = Some(address(scope.peers.len()));
    }
    config.regular_slots = scope.regular_slots;
    config.optimistic_slot = scope.optimistic_slot;
    config.pipeline = scope.pipeline;
    config.random_first = scope.random_first;
    if scope.fast {
        config.reserved = Reserved::NONE.with_fast();
        config.allowed_fast = 1;
    }
    config.upload_pause = scope.paced.then_some(Duration::from_secs(1));
    config.mutant = if member.lies {
        Some(Mutant::WrongData)
    } else {
        mutant.filter(|mutant| mutant.side() != Side::Tracker)
    };
    config
}

fn tracker(mutant: Option<Mutant>) -> Tracker {
    let mutant = mutant.filter(|mutant| mutant.side() == Side::Tracker);
    Tracker::new(Arc::new(TrackerConfig {
        mutant,
        ..TrackerConfig::small()
    }))
}

/// The peers that are there start, and those that know each other dial.
fn opening(scope: &Scope) -> Vec<Act<Request>> {
    let present = scope.peers.iter().enumerate();
    let present = present.filter(|(_, member)| member.present);
    let mut acts: Vec<Act<Request>> = present
        .filter_map(|(place, _)| Some(Act::Ask(Place::try_from(place).ok()?, Request::Start)))
        .collect();
    if let Meeting::Dials(pairs) = &scope.meeting {
        acts.extend(pairs.iter().map(|(from, to)| {
            let dial = Request::Dial {
                address: address(usize::from(*to)),
                peer_id: None,
            };
            Act::Ask(*from, dial)
        }));
    }
    acts
}

fn timers(scope: &Scope) -> Timers<Participant> {
    let (rechokes, moves) = (scope.rechokes, scope.optimistic_moves);
    let asked: Vec<bool> = scope.peers.iter().map(|member| member.asked).collect();
    let is_asked = move |place: Place| asked.get(usize::from(place)) == Some(&true);
    let expiries = move |place: Place, timer: &Timer| match timer {
        Timer::Peer(PeerTimer::Rechoke | PeerTimer::Optimistic) if !is_asked(place) => {
            Expiries::Never
        }
        Timer::Peer(PeerTimer::Rechoke) => rechokes,
        Timer::Peer(PeerTimer::Optimistic) => moves,
        Timer::Peer(PeerTimer::Upload) => Expiries::Unbounded,
        Timer::Peer(_) | Timer::Tracker(_) => Expiries::Never,
    };
    let often = |expiries| match expiries {
        Expiries::Never => "never".to_owned(),
        Expiries::Times(bound) => format!("at most {bound} times each"),
        Expiries::Unbounded => "without a bound".to_owned(),
    };
    Timers {
        clock: Clock::Untimed,
        when: scope.when,
        expiries: Arc::new(expiries),
        bounds: format!(
            "rechokes {}, optimistic moves {}, regular announces and time-outs never",
            often(rechokes),
            often(moves)
        ),
    }
}

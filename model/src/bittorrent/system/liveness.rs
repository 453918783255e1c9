//! What a swarm reaches in the end, asked of the explorer.

use std::sync::Arc;

use super::participant::{Participant, Timer};
use super::{Swarm, address};
use crate::bittorrent::node::Timer as PeerTimer;
use crate::bittorrent::properties::swarm::{PROPERTIES, SwarmView};
use crate::explore::{ActionClass, Fairness, Goal};
use crate::property::Judgement;
use crate::system::{Action, Place, State};

/// Outcomes of the optimistic draw that are told apart: more neighbours than a scope has.
const DRAWS: usize = 4;

/// What stops in the end.
const CHURN: &str = "joins, leaves and crashes, and links that break";

/// That every leecher completes while some live peer has every piece that it misses, once nobody joins or leaves and
/// no link breaks any more.
///
/// What is under way from one participant to another arrives in the end (weakly fair, for each pair). Timers are
/// strongly fair: where they may expire only in a quiet network, the messages that other timers cause make them
/// impossible again and again, and with weak fairness an upload might wait for ever. So is each outcome of the
/// optimistic draw.
pub fn completion(swarm: &Swarm) -> Goal<Swarm> {
    let places = swarm.residents.len();
    let property = &PROPERTIES[0];
    let judge = property.judge;
    Goal {
        name: property.name,
        holds: Arc::new(move |_, state| judge(&view(state)) == Judgement::Holds),
        churn: CHURN,
        classes: classes(swarm),
        class_of: Arc::new(move |_, action| class_of(places, action)),
    }
}

/// That `server` lets `asker` request again and again while `asker` is interested in it: once nobody joins or leaves,
/// no interested peer starves for ever. It is a goal that recurs; the fairness is that of [`completion`].
pub fn service(swarm: &Swarm, server: Place, asker: Place) -> Goal<Swarm> {
    let places = swarm.residents.len();
    let asking = address(usize::from(asker));
    let served = move |state: &State<Participant, super::Memory>| {
        let server = state.nodes.get(usize::from(server));
        let peer = server.and_then(|node| node.as_ref()?.peer());
        peer.is_none_or(|peer| {
            !peer.interested_neighbours().any(|one| one == asking)
                || peer.unchoked().any(|one| one == asking)
        })
    };
    Goal {
        name: PROPERTIES[1].name,
        holds: Arc::new(move |_, state| served(state)),
        churn: CHURN,
        classes: classes(swarm),
        class_of: Arc::new(move |_, action| class_of(places, action)),
    }
}

fn view(state: &State<Participant, super::Memory>) -> SwarmView {
    let peers = state.nodes.iter().enumerate();
    SwarmView::of(peers.filter_map(|(place, node)| {
        let peer = node.as_ref()?.peer()?;
        Some((address(place), peer))
    }))
}

/// For each pair what is under way; then for each participant its timers.
fn classes(swarm: &Swarm) -> Vec<ActionClass> {
    let names: Vec<&str> = swarm
        .residents
        .iter()
        .map(|known| known.name.as_str())
        .collect();
    let pairs = names
        .iter()
        .flat_map(|from| names.iter().map(move |to| (from, to)));
    let under_way = pairs.map(|(from, to)| ActionClass {
        name: format!("{from} to {to}"),
        fairness: Fairness::Weak,
    });
    let timers = names.iter().flat_map(|name| {
        let draws = (0..DRAWS).map(|draw| format!("optimistic draw {draw}"));
        let timers = ["rechoke".to_owned(), "upload".to_owned()]
            .into_iter()
            .chain(draws);
        timers.map(move |timer| ActionClass {
            name: format!("{timer} of {name}"),
            fairness: Fairness::Strong,
        })
    });
    under_way.chain(timers).collect()
}

fn class_of(places: usize, action: &Action<Participant>) -> Option<usize> {
    let pair = |from: &Place, to: &Place| usize::from(*from) * places + usize::from(*to);
    match action {
        Action::Deliver { from, to, .. } => Some(pair(from, to)),
        Action::Closed { node, other, .. } => Some(pair(other, node)),
        Action::Connect { by, to, .. } => Some(pair(by, to)),
        Action::Refuse { by, to, .. } => Some(pair(to, by)),
        Action::Lose { .. } | Action::Break { .. } | Action::Act { .. } => None,
        Action::Expire {
            node,
            timer,
            choices,
        } => {
            let kind = match timer {
                Timer::Peer(PeerTimer::Upload) => 1,
                Timer::Peer(PeerTimer::Optimistic) => {
                    2 + choices.first().copied().unwrap_or(0).min(DRAWS - 1)
                }
                _ => 0,
            };
            Some(places * places + usize::from(*node) * (2 + DRAWS) + kind)
        }
    }
}

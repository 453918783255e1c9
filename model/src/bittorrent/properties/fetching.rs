//! How a peer goes about fetching: what it keeps under way, and what it does about blocks that do not come.

use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::view::{Frame, LinkView, Moment, Observation, PeerView};
use crate::property::Judgement::{self, Unknown};
use crate::property::{Kind, Property, Timing};

macro_rules! properties {
    ($($name:ident $claim:literal;)*) => {
        /// The facts of this topic.
        pub(super) static PROPERTIES: &[Property<Moment>] = &[$(Property {
            name: stringify!($name),
            claims: &[$claim],
            kind: Kind::Always,
            timing: Timing::Untimed,
            judge: $name,
        }),*];
    };
}

properties! {
    the_announced_peer_id_is_used "bep3/peer-id-in-handshake";
    requests_are_pipelined "bep3/requests-pipelined";
    no_more_requests_than_the_neighbour_keeps "bep10/reqq";
    requests_dropped_by_a_choke_are_repeated "bep3/request-again-after-choke";
    requests_lost_with_a_link_are_repeated "bep3/request-again-elsewhere";
    spoiled_pieces_are_fetched_again "bep3/bad-piece-refetched";
    completes_from_sound_neighbours "bep3/download-completes";
}

/// The request that the subject makes now, with its link as it was before.
fn request(moment: &Moment) -> Option<(&LinkView, BlockRequest)> {
    match &moment.now {
        Observation::Heard {
            link,
            frame: Frame::Message(PeerMessage::Request(block)),
        } => Some((moment.view.links.get(link)?, *block)),
        _ => None,
    }
}

/// Whether somebody connected would give the subject a piece that it cannot have yet, and which one.
fn on_offer(view: &PeerView) -> Option<u32> {
    view.possible()
        .missing()
        .find(|piece| is_offered(view, *piece))
}

/// Nobody needs to ask again whoever has given wrong bytes of it.
fn is_offered(view: &PeerView, piece: u32) -> bool {
    let is_sound = |link: &LinkView| link.is_open() && !link.spoiled.contains(&piece);
    let offers =
        |link: &LinkView| is_sound(link) && !link.told.choking && link.told.has.contains(piece);
    view.links.values().any(offers)
}

fn the_announced_peer_id_is_used(moment: &Moment) -> Judgement {
    let Observation::Heard {
        frame: Frame::Handshake(handshake),
        ..
    } = &moment.now
    else {
        return Unknown;
    };
    moment.view.announces.last().map_or(Unknown, |announced| {
        Judgement::check(announced.peer_id == handshake.peer_id, || {
            format!(
                "the handshake says {}, the announce said {}",
                handshake.peer_id, announced.peer_id
            )
        })
    })
}

fn requests_are_pipelined(moment: &Moment) -> Judgement {
    if let Some((link, _)) = request(moment) {
        return if link.heard.requests.is_empty() {
            Unknown
        } else {
            Judgement::Holds
        };
    }
    let Observation::Quiet(link) = &moment.now else {
        return Unknown;
    };
    let Some(link) = moment.view.links.get(link) else {
        return Unknown;
    };
    let waits = link.is_open() && !link.told.choking && link.heard.requests.len() == 1;
    let asked = |piece: u32| link.heard.requests.iter().any(|block| block.index == piece);
    let more = moment
        .view
        .possible()
        .missing()
        .any(|piece| link.told.has.contains(piece) && !asked(piece));
    if waits && more {
        Judgement::Broken(
            "one request is under way, and no other although more is wanted".to_owned(),
        )
    } else {
        Unknown
    }
}

fn no_more_requests_than_the_neighbour_keeps(moment: &Moment) -> Judgement {
    if let Some((link, block)) = request(moment) {
        let new = usize::from(!link.heard.requests.contains(&block));
        let outstanding = link.heard.requests.len() + new;
        return match link.told.keeps_requests {
            Some(keeps) if outstanding > keeps as usize => Judgement::Broken(format!(
                "{outstanding} requests are under way to a neighbour that keeps {keeps}"
            )),
            Some(keeps) if outstanding == keeps as usize => Judgement::Holds,
            _ => Unknown,
        };
    }
    let Observation::Quiet(link) = &moment.now else {
        return Unknown;
    };
    // It could have asked for more, and did not.
    moment.view.links.get(link).map_or(Unknown, |link| {
        let outstanding = link.heard.requests.len();
        match link.told.keeps_requests {
            Some(keeps) if outstanding > 0 && outstanding <= keeps as usize => Judgement::Holds,
            _ => Unknown,
        }
    })
}

fn requests_dropped_by_a_choke_are_repeated(moment: &Moment) -> Judgement {
    if let Some((link, block)) = request(moment) {
        let dropped = link
            .heard
            .withdrawn
            .iter()
            .any(|old| old.index == block.index);
        return if dropped && !link.told.choking {
            Judgement::Holds
        } else {
            Unknown
        };
    }
    let Observation::Quiet(link) = &moment.now else {
        return Unknown;
    };
    let view = &moment.view;
    // What was fetched elsewhere since, or is being fetched there, need not be asked for again.
    let elsewhere = |block: &BlockRequest| {
        let mut links = view.links.values().filter(|link| link.is_open());
        links.any(|link| link.heard.requests.contains(block))
    };
    view.links.get(link).map_or(Unknown, |link| {
        let dropped = link.heard.withdrawn.iter();
        let wanted = dropped
            .filter(|block| !view.can_have(block.index) && !elsewhere(block))
            .count();
        let owes =
            link.is_open() && !link.told.choking && wanted > 0 && link.heard.requests.is_empty();
        if owes {
            Judgement::Broken(format!(
                "{wanted} requests that a choke dropped are not repeated after the unchoke"
            ))
        } else {
            Unknown
        }
    })
}

fn requests_lost_with_a_link_are_repeated(moment: &Moment) -> Judgement {
    let view = &moment.view;
    let lost = |block: &BlockRequest| {
        let was_asked = |link: &LinkView| {
            !link.is_open()
                && link
                    .heard
                    .requests
                    .iter()
                    .any(|old| old.index == block.index)
        };
        !view.can_have(block.index) && view.links.values().any(was_asked)
    };
    if let Some((_, block)) = request(moment) {
        return if lost(&block) {
            Judgement::Holds
        } else {
            Unknown
        };
    }
    if moment.now != Observation::Calm {
        return Unknown;
    }
    let closed = view.links.values().filter(|link| !link.is_open());
    let open_request = |piece: u32| {
        view.links.values().any(|link| {
            link.is_open() && link.heard.requests.iter().any(|block| block.index == piece)
        })
    };
    let forgotten = closed
        .flat_map(|link| &link.heard.requests)
        .find(|block| lost(block) && is_offered(view, block.index) && !open_request(block.index));
    forgotten.map_or(Unknown, |block| {
        Judgement::Broken(format!(
            "{block} was lost with a connection and is not requested elsewhere"
        ))
    })
}

fn spoiled_pieces_are_fetched_again(moment: &Moment) -> Judgement {
    let view = &moment.view;
    if let Some((_, block)) = request(moment) {
        let again = view.spoiled.contains(&block.index) && !view.can_have(block.index);
        return if again { Judgement::Holds } else { Unknown };
    }
    if moment.now != Observation::Calm {
        return Unknown;
    }
    let possible = view.possible();
    let wanted = view
        .spoiled
        .iter()
        .filter(|piece| !possible.contains(**piece));
    let left = wanted.into_iter().find(|piece| is_offered(view, **piece));
    left.map_or(Unknown, |piece| {
        Judgement::Broken(format!(
            "piece {piece} came with wrong bytes and is not fetched again"
        ))
    })
}

fn completes_from_sound_neighbours(moment: &Moment) -> Judgement {
    if moment.now != Observation::Calm {
        return Unknown;
    }
    let view = &moment.view;
    if view.possible().is_complete() {
        return Judgement::Holds;
    }
    on_offer(view).map_or(Unknown, |piece| {
        Judgement::Broken(format!(
            "the download rests at {} of {} pieces, though piece {piece} is on offer",
            view.possible().len(),
            view.torrent.pieces()
        ))
    })
}

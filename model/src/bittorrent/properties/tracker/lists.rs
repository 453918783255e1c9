//! Which peers a tracker returns.

use std::net::{SocketAddr, SocketAddrV6};

use super::answers::announces_are_answered;
use super::{accepted, always};
use crate::bittorrent::message::{AnnounceEvent, AnnounceResponse};
use crate::bittorrent::tracker_view::{Accepted, Answer, Standing, Swarm, TrackerMoment};
use crate::bittorrent::wire::ErrorClass;
use crate::property::{Judgement, Property};

/// A swarm that fits into any list: what trackers return by default is 30 and more.
const SMALL: usize = 20;

pub(super) static PROPERTIES: &[Property<TrackerMoment>] = &[
    always(
        "stopped_peers_are_not_listed",
        &["bep3/tracker-stopped"],
        stopped_peers_are_not_listed,
    ),
    always(
        "only_announced_peers_are_listed",
        &["bep3/tracker-peers"],
        only_announced_are_listed,
    ),
    always(
        "peers_find_each_other",
        &["bep3/tracker-peers"],
        peers_find_each_other,
    ),
    always(
        "every_form_of_an_announce_is_understood",
        &["bep3/tracker-escaping"],
        every_form_is_understood,
    ),
    always(
        "small_swarms_are_listed_whole",
        &["bep3/tracker-peers"],
        small_swarms_are_whole,
    ),
    always(
        "lists_are_no_longer_than_wanted",
        &["bep15/num-want"],
        no_longer_than_wanted,
    ),
    always(
        "ipv6_lists_hold_ipv6_peers",
        &["bep7/peers6-holds-ipv6"],
        ipv6_lists_hold_ipv6_peers,
    ),
    always(
        "nobody_is_listed_twice",
        &["bep3/tracker-peers"],
        nobody_is_listed_twice,
    ),
    always(
        "listed_names_are_the_announced_ones",
        &["bep3/tracker-peers"],
        names_are_right,
    ),
];

fn stopped_peers_are_not_listed(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, swarm)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let asker = SocketAddr::new(accepted.from.ip(), accepted.request.port);
    let gone =
        |address: &SocketAddr| *address != asker && swarm.standing(*address) == Standing::Gone;
    match accepted.peers.iter().find(|(address, _)| gone(address)) {
        Some((address, _)) => Judgement::Broken(format!("{address} is listed after it stopped")),
        None if swarm.gone.iter().all(|gone| *gone == asker) || !wants_peers(&accepted) => {
            Judgement::Unknown
        }
        None => Judgement::Holds,
    }
}

fn only_announced_are_listed(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, swarm)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let own = SocketAddr::new(accepted.from.ip(), accepted.request.port);
    let claimed = accepted.request.ip.is_some();
    let strange = |address: &SocketAddr| {
        *address != own && !claimed && swarm.standing(*address) == Standing::Stranger
    };
    match accepted.peers.iter().find(|(address, _)| strange(address)) {
        Some((address, _)) if moment.view.secluded => {
            Judgement::Broken(format!("{address} is listed, which nobody announced"))
        }
        Some(_) => Judgement::Unknown,
        None if accepted.peers.iter().any(|(address, _)| *address != own) => Judgement::Holds,
        None => Judgement::Unknown,
    }
}

/// The peers that are of use to the asker: a seeder has no use for seeders.
fn useful(accepted: &Accepted, swarm: &Swarm) -> Vec<SocketAddr> {
    let asker = SocketAddr::new(accepted.from.ip(), accepted.request.port);
    let seeding = accepted.request.left == 0;
    let members = swarm.members.iter();
    let useful = members.filter(|(address, member)| {
        **address != asker && member.claimed.is_none() && !(seeding && member.left == 0)
    });
    useful.map(|(address, _)| *address).collect()
}

fn wants_peers(accepted: &Accepted) -> bool {
    accepted.request.numwant != Some(0) && accepted.request.event != AnnounceEvent::Stopped
}

fn peers_find_each_other(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, swarm)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let useful = useful(&accepted, &swarm);
    if useful.is_empty() || !wants_peers(&accepted) || !moment.view.secluded {
        return Judgement::Unknown;
    }
    let found = accepted
        .peers
        .iter()
        .any(|(address, _)| useful.contains(address));
    // The asker itself may take the only place of a list that was wanted short.
    if !found && accepted.request.numwant == Some(1) && accepted.listed == 1 {
        return Judgement::Unknown;
    }
    Judgement::check(found, || {
        format!(
            "none of {} live peers is listed, such as {}",
            useful.len(),
            useful[0]
        )
    })
}

/// Whoever announces is answered, and told of those who announced the same torrent in another form.
fn every_form_is_understood(moment: &TrackerMoment) -> Judgement {
    match announces_are_answered(moment) {
        Judgement::Holds => peers_find_each_other(moment),
        other => other,
    }
}

fn small_swarms_are_whole(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, swarm)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let useful = useful(&accepted, &swarm);
    let wanted = accepted
        .request
        .numwant
        .map_or(SMALL, |wanted| wanted as usize);
    if useful.len() < 2 || !wants_peers(&accepted) || swarm.members.len() >= wanted.min(SMALL) {
        return Judgement::Unknown;
    }
    let listed = |address: &SocketAddr| accepted.peers.iter().any(|(peer, _)| peer == address);
    match useful.iter().find(|address| !listed(address)) {
        Some(address) => Judgement::Broken(format!("{address} is live but not listed")),
        None => Judgement::Holds,
    }
}

fn no_longer_than_wanted(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, swarm)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let Some(wanted) = accepted.request.numwant.map(|wanted| wanted as usize) else {
        return Judgement::Unknown;
    };
    if accepted.listed <= wanted && useful(&accepted, &swarm).len() <= wanted {
        return Judgement::Unknown;
    }
    Judgement::check(accepted.listed <= wanted, || {
        format!(
            "{} peers are listed where {wanted} were wanted",
            accepted.listed
        )
    })
}

fn nobody_is_listed_twice(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, _)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let mut addresses: Vec<_> = accepted.peers.iter().map(|(address, _)| *address).collect();
    addresses.sort_unstable();
    match addresses.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Judgement::Broken(format!("{} is listed twice", pair[0])),
        None if addresses.is_empty() => Judgement::Unknown,
        None => Judgement::Holds,
    }
}

fn names_are_right(moment: &TrackerMoment) -> Judgement {
    if let Answer::Malformed(error) = &moment.now.answer
        && error.class == ErrorClass::OutOfRange("peer id")
    {
        return Judgement::Broken("a listed peer id does not have 20 bytes".to_owned());
    }
    let Some((accepted, swarm)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let mut judgement = Judgement::Unknown;
    for (address, name) in &accepted.peers {
        let (Some(name), Some(member)) = (name, swarm.members.get(address)) else {
            continue;
        };
        let right = *name == member.peer_id;
        judgement = judgement.and_then(Judgement::check(right, || {
            format!(
                "{address} is listed as {name}, but announced as {}",
                member.peer_id
            )
        }));
    }
    judgement
}

fn ipv6_lists_hold_ipv6_peers(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, swarm)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let Answer::Announced(AnnounceResponse::Success(success)) = &moment.now.answer else {
        return Judgement::Unknown;
    };
    let strange = |peer: &&SocketAddrV6| {
        let address = SocketAddr::V6(**peer);
        swarm.standing(address) == Standing::Stranger && address.ip() != accepted.from.ip()
    };
    match success.peers6.iter().flatten().find(strange) {
        Some(peer) if moment.view.secluded => {
            Judgement::Broken(format!("peers6 holds {peer}, which nobody announced"))
        }
        Some(_) => Judgement::Unknown,
        None if swarm.members.is_empty() || !wants_peers(&accepted) => Judgement::Unknown,
        None => Judgement::Holds,
    }
}

//! What BEP 15 asks of a tracker's datagrams.

use std::net::SocketAddr;

use super::always;
use crate::bittorrent::message::{UdpRequest, UdpResponse};
use crate::bittorrent::tracker_view::{Answer, Question, TrackerMoment};
use crate::property::{Judgement, Property};

/// Ids of other hosts that are closer than this can be guessed. A random id falls so close to one of a hundred
/// others with a probability below 10^-10.
const GUESSABLE: u64 = 1 << 20;

/// For so many seconds a tracker should accept a connection id.
const LIFETIME: u32 = 120;

pub(super) static PROPERTIES: &[Property<TrackerMoment>] = &[
    always(
        "connects_are_answered",
        &["bep15/connect"],
        connects_are_answered,
    ),
    always(
        "transaction_ids_are_echoed",
        &["bep15/transaction-id"],
        transaction_ids_are_echoed,
    ),
    always(
        "actions_answer_the_request",
        &["bep15/actions"],
        actions_answer_the_request,
    ),
    always(
        "datagrams_are_whole",
        &["bep15/announce-reply"],
        datagrams_are_whole,
    ),
    always(
        "foreign_connection_ids_are_refused",
        &["bep15/connection-id-checked"],
        foreign_are_refused,
    ),
    always(
        "connection_ids_are_honoured",
        &["bep15/connection-id-lifetime"],
        ids_are_honoured,
    ),
    always(
        "connection_ids_expire",
        &["bep15/connection-id-expires"],
        ids_expire,
    ),
    always(
        "connection_ids_cannot_be_guessed",
        &["bep15/connection-id-unguessable"],
        not_guessable,
    ),
    always(
        "malformed_datagrams_are_not_served",
        &["bep15/request-layout"],
        malformed_not_served,
    ),
    always(
        "addresses_fit_the_datagram",
        &["bep15/address-family"],
        addresses_fit,
    ),
];

/// The request that is made now, and what came back, if it decodes.
fn datagram(moment: &TrackerMoment) -> Option<(&UdpRequest, Option<&UdpResponse>)> {
    match (&moment.now.question, &moment.now.answer) {
        (Question::Datagram(request), Answer::Reply(reply)) => Some((request, Some(reply))),
        (Question::Datagram(request), _) => Some((request, None)),
        _ => None,
    }
}

fn connects_are_answered(moment: &TrackerMoment) -> Judgement {
    match datagram(moment) {
        Some((UdpRequest::Connect { .. }, reply)) => {
            Judgement::check(matches!(reply, Some(UdpResponse::Connect { .. })), || {
                format!("a connect request got {}", moment.now.answer)
            })
        }
        _ => Judgement::Unknown,
    }
}

fn transaction_ids_are_echoed(moment: &TrackerMoment) -> Judgement {
    let Some((request, Some(reply))) = datagram(moment) else {
        return Judgement::Unknown;
    };
    let (asked, told) = (request.transaction_id(), reply.transaction_id());
    Judgement::check(asked == told, || {
        format!("the transaction {asked:08x} was answered as {told:08x}")
    })
}

fn actions_answer_the_request(moment: &TrackerMoment) -> Judgement {
    let Some((request, Some(reply))) = datagram(moment) else {
        return Judgement::Unknown;
    };
    let right = matches!(
        (request, reply),
        (_, UdpResponse::Error { .. })
            | (UdpRequest::Connect { .. }, UdpResponse::Connect { .. })
            | (UdpRequest::Announce(_), UdpResponse::Announce { .. })
            | (UdpRequest::Scrape { .. }, UdpResponse::Scrape { .. })
    );
    let asked = match request {
        UdpRequest::Connect { .. } => "a connect request",
        UdpRequest::Announce(_) => "an announce",
        UdpRequest::Scrape { .. } => "a scrape",
    };
    Judgement::check(right, || format!("{asked} got {}", moment.now.answer))
}

fn datagrams_are_whole(moment: &TrackerMoment) -> Judgement {
    match (&moment.now.question, &moment.now.answer) {
        (Question::Datagram(_), Answer::Malformed(error)) => {
            Judgement::Broken(format!("a datagram that does not decode: {error}"))
        }
        (Question::Datagram(_), Answer::Reply(_)) => Judgement::Holds,
        _ => Judgement::Unknown,
    }
}

/// Announce or scrape with its connection id, and whether it was served; `None` if that cannot be told.
fn served(moment: &TrackerMoment) -> Option<(u64, bool)> {
    let (request, reply) = datagram(moment)?;
    let id = match request {
        UdpRequest::Connect { .. } => return None,
        UdpRequest::Announce(announce) => announce.connection_id,
        UdpRequest::Scrape { connection_id, .. } => *connection_id,
    };
    match reply {
        Some(UdpResponse::Announce { .. } | UdpResponse::Scrape { .. }) => Some((id, true)),
        Some(UdpResponse::Error { .. }) => Some((id, false)),
        None if moment.now.answer == Answer::Nothing => Some((id, false)),
        _ => None,
    }
}

fn foreign_are_refused(moment: &TrackerMoment) -> Judgement {
    let Some((id, served)) = served(moment) else {
        return Judgement::Unknown;
    };
    if moment.view.holds(id, moment.now.from) != Some(false) {
        return Judgement::Unknown;
    }
    Judgement::check(!served, || {
        let owner = moment.view.holders(id).next().map(|holder| holder.ip());
        let owner = owner.map_or("nobody".to_owned(), |owner| owner.to_string());
        let user = moment.now.from.ip();
        format!("{user} was served with a connection id that was given to {owner}")
    })
}

fn ids_are_honoured(moment: &TrackerMoment) -> Judgement {
    let Some((id, served)) = served(moment) else {
        return Judgement::Unknown;
    };
    match moment.view.age(id, moment.now.from) {
        Some(age) if age <= LIFETIME => Judgement::check(served, || {
            format!("a connection id {age} s old got {}", moment.now.answer)
        }),
        _ => Judgement::Unknown,
    }
}

fn ids_expire(moment: &TrackerMoment) -> Judgement {
    let Some((id, served)) = served(moment) else {
        return Judgement::Unknown;
    };
    match moment.view.age(id, moment.now.from) {
        Some(age) if age > LIFETIME => Judgement::check(!served, || {
            format!("a connection id {age} s old was still accepted")
        }),
        _ => Judgement::Unknown,
    }
}

fn not_guessable(moment: &TrackerMoment) -> Judgement {
    let Some((_, Some(UdpResponse::Connect { connection_id, .. }))) = datagram(moment) else {
        return Judgement::Unknown;
    };
    let host = moment.now.from.ip();
    let given = moment.view.connections.keys();
    let others = given.filter(|(_, holder)| holder.ip() != host);
    let mut judgement = Judgement::Unknown;
    for (other, holder) in others {
        let far = other.abs_diff(*connection_id) >= GUESSABLE;
        judgement = judgement.and_then(Judgement::check(far, || {
            let owner = holder.ip();
            format!("{host} got {connection_id:016x}, next to {other:016x} of {owner}")
        }));
    }
    judgement
}

fn malformed_not_served(moment: &TrackerMoment) -> Judgement {
    let Question::MalformedDatagram(flaw) = &moment.now.question else {
        return Judgement::Unknown;
    };
    match &moment.now.answer {
        Answer::Nothing | Answer::Reply(UdpResponse::Error { .. }) => Judgement::Holds,
        answer => Judgement::Broken(format!("{flaw} got {answer}")),
    }
}

fn addresses_fit(moment: &TrackerMoment) -> Judgement {
    let Some((_, Some(UdpResponse::Announce { peers, .. }))) = datagram(moment) else {
        return Judgement::Unknown;
    };
    let fits = |peer: &SocketAddr| {
        let host = peer.ip();
        host.is_ipv4() == moment.now.from.is_ipv4() && !host.is_unspecified()
    };
    match peers.iter().find(|peer| !fits(peer)) {
        Some(peer) => Judgement::Broken(format!("{peer} is listed, which is nobody's address")),
        None if peers.is_empty() => Judgement::Unknown,
        None => Judgement::Holds,
    }
}

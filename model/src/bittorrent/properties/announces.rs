//! What a peer tells its tracker, and what it does with the answer.

use crate::bittorrent::message::{AnnounceEvent, AnnounceRequest, AnnounceResponse, Peers};
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
    the_first_announce_says_started "bep3/announce-started";
    announces_name_the_torrent_and_a_port "bep3/announce-parameters";
    left_is_what_is_missing "bep3/announce-left";
    downloaded_is_what_was_received "bep3/announce-downloaded";
    uploaded_is_what_was_sent "bep3/announce-uploaded";
    completed_is_announced "bep3/announce-completed";
    completed_is_announced_at_most_once "bep3/announce-completed-once";
    stopped_is_announced_on_leaving "bep3/announce-stopped";
    regular_announces_wait_for_the_interval "bep3/announce-interval";
    the_compact_form_is_asked_for "bep23/compact-asked-for";
    the_tracker_id_is_echoed "tracker/tracker-id-echoed";
    peers_of_a_refusal_are_not_used "bep3/failure-reason-alone";
    returned_peers_are_dialled "bep3/peers-are-dialled";
    the_announced_port_accepts_peers "bep3/announce-port";
}

fn announce(moment: &Moment) -> Option<&AnnounceRequest> {
    match &moment.now {
        Observation::Announced(announce) => Some(announce),
        _ => None,
    }
}

/// Bytes of the pieces that are here.
fn bytes_of(view: &PeerView, pieces: impl Iterator<Item = u32>) -> u64 {
    pieces
        .map(|piece| u64::from(view.torrent.piece_len(piece)))
        .sum()
}

/// Bytes of blocks that the subject can have received: each block counts once.
fn given_bytes(view: &PeerView) -> u64 {
    view.given.values().map(|length| u64::from(*length)).sum()
}

fn said(view: &PeerView, event: &AnnounceEvent) -> usize {
    let same = |earlier: &&AnnounceRequest| earlier.event == *event;
    view.announces.iter().filter(same).count()
}

fn the_first_announce_says_started(moment: &Moment) -> Judgement {
    match announce(moment) {
        Some(first) if moment.view.announces.is_empty() => {
            Judgement::check(first.event == AnnounceEvent::Started, || {
                format!("the first announce says {:?}", first.event)
            })
        }
        _ => Unknown,
    }
}

fn announces_name_the_torrent_and_a_port(moment: &Moment) -> Judgement {
    if let Observation::AnnouncedMalformed(why) = &moment.now {
        return Judgement::Broken(format!("the request is no announce: {why}"));
    }
    let Some(now) = announce(moment) else {
        return Unknown;
    };
    let wanted = moment.view.torrent.metainfo.info_hash();
    if now.info_hash != wanted {
        return Judgement::Broken(format!("info_hash is {}, not {wanted}", now.info_hash));
    }
    if let Some(other) = moment
        .view
        .announces
        .iter()
        .find(|earlier| earlier.peer_id != now.peer_id)
    {
        return Judgement::Broken(format!(
            "peer_id was {}, now {}",
            other.peer_id, now.peer_id
        ));
    }
    Judgement::check(now.port != 0, || "port is 0".to_owned())
}

/// Exact at the start and at the end; between them within the bytes that were given, since a peer may count
/// blocks or whole pieces.
fn left_is_what_is_missing(moment: &Moment) -> Judgement {
    let Some(now) = announce(moment) else {
        return Unknown;
    };
    let view = &moment.view;
    let total = view.torrent.metainfo.total_len();
    let most = bytes_of(view, view.began_with.missing());
    let least = most.saturating_sub(given_bytes(view));
    let fits = match now.event {
        AnnounceEvent::Completed => now.left == 0,
        _ => (least..=most).contains(&now.left),
    };
    Judgement::check(fits, || {
        let what = if now.event == AnnounceEvent::Completed {
            "0 at the completion".to_owned()
        } else {
            format!("between {least} and {most} of {total} bytes")
        };
        format!("left is {}, which must be {what}", now.left)
    })
}

/// Bytes that were thrown away count or not, so at completion there may be more than the torrent has.
fn downloaded_is_what_was_received(moment: &Moment) -> Judgement {
    let Some(now) = announce(moment) else {
        return Unknown;
    };
    let view = &moment.view;
    let missing = bytes_of(view, view.began_with.missing());
    let fits = match now.event {
        AnnounceEvent::Started => now.downloaded == 0,
        AnnounceEvent::Completed => now.downloaded >= missing,
        _ => return Unknown,
    };
    Judgement::check(fits, || {
        format!(
            "downloaded is {} at the event {:?}, with {missing} bytes to fetch",
            now.downloaded, now.event
        )
    })
}

fn uploaded_is_what_was_sent(moment: &Moment) -> Judgement {
    let Some(now) = announce(moment) else {
        return Unknown;
    };
    // Blocks can only have gone to a neighbour that was interested and unchoked.
    let served = moment
        .view
        .links
        .values()
        .any(|link| link.told.interested && !link.heard.choking);
    if served {
        return Unknown;
    }
    Judgement::check(now.uploaded == 0, || {
        format!("uploaded is {}, and nobody was sent a block", now.uploaded)
    })
}

fn completed_is_announced(moment: &Moment) -> Judgement {
    let view = &moment.view;
    match &moment.now {
        Observation::Announced(now) if now.event == AnnounceEvent::Completed => {
            Judgement::check(view.possible().is_complete(), || {
                format!(
                    "completed was announced with {} of {} pieces",
                    view.possible().len(),
                    view.torrent.pieces()
                )
            })
        }
        // Whoever never announced anything has no tracker to tell.
        Observation::Calm | Observation::Left
            if !view.announces.is_empty()
                && !view.began_with.is_complete()
                && view.possible().is_complete()
                && said(view, &AnnounceEvent::Completed) == 0 =>
        {
            Judgement::Broken(
                "the download is complete, and completed was not announced".to_owned(),
            )
        }
        _ => Unknown,
    }
}

fn completed_is_announced_at_most_once(moment: &Moment) -> Judgement {
    let view = &moment.view;
    let earlier = said(view, &AnnounceEvent::Completed);
    let seeding = view.began_with.is_complete();
    match &moment.now {
        Observation::Announced(now) if now.event == AnnounceEvent::Completed => {
            Judgement::check(earlier == 0 && !seeding, || {
                if seeding {
                    "completed was announced, though everything was there at the start".to_owned()
                } else {
                    "completed was announced twice".to_owned()
                }
            })
        }
        Observation::Announced(_) | Observation::Calm if seeding || earlier > 0 => Judgement::Holds,
        _ => Unknown,
    }
}

fn stopped_is_announced_on_leaving(moment: &Moment) -> Judgement {
    match (&moment.now, moment.view.announces.last()) {
        (Observation::Left, Some(last)) => {
            Judgement::check(last.event == AnnounceEvent::Stopped, || {
                format!("the last announce says {:?}", last.event)
            })
        }
        _ => Unknown,
    }
}

fn regular_announces_wait_for_the_interval(moment: &Moment) -> Judgement {
    match announce(moment) {
        Some(now) if now.event == AnnounceEvent::Regular && !moment.view.announces.is_empty() => {
            Judgement::check(moment.view.announce_due, || {
                "a regular announce came before the interval was over".to_owned()
            })
        }
        _ => Unknown,
    }
}

fn the_compact_form_is_asked_for(moment: &Moment) -> Judgement {
    announce(moment).map_or(Unknown, |now| {
        Judgement::check(now.compact == Some(true), || {
            "the announce does not say compact=1".to_owned()
        })
    })
}

fn the_tracker_id_is_echoed(moment: &Moment) -> Judgement {
    let Some(AnnounceResponse::Success(answer)) = &moment.view.answer else {
        return Unknown;
    };
    let (Some(now), Some(id)) = (announce(moment), &answer.tracker_id) else {
        return Unknown;
    };
    Judgement::check(now.trackerid.as_ref() == Some(id), || {
        match &now.trackerid {
            None => "the announce has no trackerid".to_owned(),
            Some(other) => format!("trackerid is {}", other.escape_ascii()),
        }
    })
}

fn peers_of_a_refusal_are_not_used(moment: &Moment) -> Judgement {
    if !matches!(moment.view.answer, Some(AnnounceResponse::Failure(_))) {
        return Unknown;
    }
    match moment.now {
        Observation::Opened {
            by_subject: true, ..
        } => Judgement::Broken(
            "a peer was dialled out of an answer with a failure reason".to_owned(),
        ),
        Observation::Calm => Judgement::Holds,
        _ => Unknown,
    }
}

fn returned_peers_are_dialled(moment: &Moment) -> Judgement {
    let Some(AnnounceResponse::Success(answer)) = &moment.view.answer else {
        return Unknown;
    };
    let returned = match &answer.peers {
        Some(Peers::Compact(peers)) => peers.len(),
        Some(Peers::Dictionaries(peers)) => peers.len(),
        None => 0,
    };
    match moment.now {
        Observation::Opened {
            by_subject: true, ..
        } if returned > 0 => Judgement::Holds,
        Observation::Calm if returned > 0 => Judgement::check(
            moment
                .view
                .links
                .values()
                .any(|link| link.opened_by_subject || link.is_open()),
            || format!("none of the {returned} peers of the answer was dialled"),
        ),
        _ => Unknown,
    }
}

fn the_announced_port_accepts_peers(moment: &Moment) -> Judgement {
    let Some(announced) = moment.view.announces.last() else {
        return Unknown;
    };
    // Nobody need answer a handshake for another torrent, or one that bears its own peer id.
    let welcome = |link: &&LinkView| {
        let own = link
            .told
            .handshake
            .is_some_and(|told| told.peer_id == announced.peer_id);
        !link.opened_by_subject && link.told.offence.is_none() && !own
    };
    let accepted = |link| moment.view.links.get(link).filter(welcome);
    match &moment.now {
        Observation::Heard {
            link,
            frame: Frame::Handshake(_),
        } if accepted(link).is_some() => Judgement::Holds,
        Observation::Refused { port } if *port == announced.port => Judgement::Broken(format!(
            "nobody takes connections at the announced port {port}"
        )),
        Observation::Quiet(link) | Observation::ClosedBySubject(link) => {
            // Whoever accepts speaks second: it owes nothing to somebody who has not shaken hands.
            let greeted = accepted(link).filter(|link| link.told.handshake.is_some());
            greeted.map_or(Unknown, |link| {
                Judgement::check(link.heard.handshake.is_some(), || {
                    "nobody shakes hands at the announced port".to_owned()
                })
            })
        }
        _ => Unknown,
    }
}

//! How a connection begins.

use crate::bittorrent::message::{Handshake, PeerId};
use crate::bittorrent::view::{Frame, LinkView, Moment, Observation, Offence, PeerView};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    the_handshake_names_the_torrent ["bep3/handshake"];
    the_handshake_is_answered ["bep3/handshake"];
    the_dialler_speaks_first ["bep3/dialler-speaks-first"];
    a_handshake_for_another_torrent_is_closed ["bep3/foreign-torrent-closed"];
    a_connection_with_itself_is_closed ["deployed/own-peer-id-closed"];
    a_stranger_behind_a_dialled_address_is_closed ["bep3/unexpected-peer-id-closed"];
}

/// The handshake that the subject says now, with its link as it was before.
fn said(moment: &Moment) -> Option<(&LinkView, &Handshake)> {
    match &moment.now {
        Observation::Heard {
            frame: Frame::Handshake(handshake),
            ..
        } => Some((moment.link()?, handshake)),
        _ => None,
    }
}

fn the_handshake_names_the_torrent(moment: &Moment) -> Judgement {
    let Some((_, handshake)) = said(moment) else {
        return Unknown;
    };
    let torrent = moment.view.torrent.metainfo.info_hash();
    Judgement::check(handshake.info_hash == torrent, || {
        format!("the handshake names {}, not {torrent}", handshake.info_hash)
    })
}

fn the_handshake_is_answered(moment: &Moment) -> Judgement {
    if let Some((link, _)) = said(moment) {
        return if link.told.handshake.is_some() {
            Holds
        } else {
            Unknown
        };
    }
    match moment.quiet() {
        Some(link) if link.told.handshake.is_some() && link.told.offence.is_none() => {
            Judgement::check(link.heard.handshake.is_some(), || {
                "a handshake for its torrent got no answer".to_owned()
            })
        }
        _ => Unknown,
    }
}

fn the_dialler_speaks_first(moment: &Moment) -> Judgement {
    if let Some((link, _)) = said(moment) {
        let first = link.opened_by_subject && link.told.handshake.is_none();
        return if first { Holds } else { Unknown };
    }
    match moment.quiet() {
        Some(link) if link.opened_by_subject && link.heard.handshake.is_none() => {
            Broken("it dialled, and said nothing".to_owned())
        }
        _ => Unknown,
    }
}

fn a_handshake_for_another_torrent_is_closed(moment: &Moment) -> Judgement {
    super::offences::closes(moment, Offence::ForeignTorrent)
}

/// The peer id that the subject gave, on any link or to the tracker.
fn own_id(view: &PeerView) -> Option<PeerId> {
    let said = view.links.values().find_map(|link| link.heard.handshake);
    let announced = view.announces.last().map(|announce| announce.peer_id);
    said.map(|handshake| handshake.peer_id).or(announced)
}

fn a_connection_with_itself_is_closed(moment: &Moment) -> Judgement {
    let own = own_id(&moment.view);
    closes_where(moment, "its own peer id", |link| {
        own.is_some() && link.told.handshake.map(|handshake| handshake.peer_id) == own
    })
}

fn a_stranger_behind_a_dialled_address_is_closed(moment: &Moment) -> Judgement {
    let (Observation::Quiet(name) | Observation::ClosedBySubject(name)) = &moment.now else {
        return Unknown;
    };
    let expected = moment
        .view
        .expected
        .get(name)
        .and_then(|expected| expected.peer_id);
    closes_where(moment, "another peer id than expected", |link| {
        let met = link.told.handshake.map(|handshake| handshake.peer_id);
        link.opened_by_subject && expected.is_some() && met.is_some() && met != expected
    })
}

/// The subject ends links of which `wrong` is true.
fn closes_where(moment: &Moment, what: &str, wrong: impl Fn(&LinkView) -> bool) -> Judgement {
    match (moment.ended(), moment.quiet()) {
        (Some(link), _) if wrong(link) => Holds,
        (_, Some(link)) if wrong(link) => Broken(format!("a link stands with {what}")),
        _ => Unknown,
    }
}

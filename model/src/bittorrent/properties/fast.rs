//! The fast extension (BEP 6).

use super::transfer::{USUAL_BLOCK, sent};
use crate::bittorrent::message::PeerMessage;
use crate::bittorrent::view::{LinkView, Moment, Observation};
use crate::bittorrent::wire::fast::allowed_fast_set;
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    fast_messages_only_when_both_have_the_bit ["bep6/negotiated"];
    with_fast_the_pieces_are_declared ["bep6/declaration"];
    with_fast_every_request_is_answered_once ["bep6/one-answer"];
    the_allowed_fast_set_is_the_generated_one ["bep6/allowed-fast-set"];
    allowed_fast_requests_are_served_while_choked ["bep6/allowed-fast-served"];
}

fn fast_messages_only_when_both_have_the_bit(moment: &Moment) -> Judgement {
    match moment.heard() {
        Some((
            link,
            message @ (PeerMessage::SuggestPiece(_)
            | PeerMessage::HaveAll
            | PeerMessage::HaveNone
            | PeerMessage::RejectRequest(_)
            | PeerMessage::AllowedFast(_)),
        )) => Judgement::check(link.fast(), || {
            format!("{message:?} was said without the fast extension")
        }),
        _ => {
            let plain = |link: &&LinkView| link.stands() && !link.fast();
            moment.quiet().filter(plain).map_or(Unknown, |_| Holds)
        }
    }
}

fn with_fast_the_pieces_are_declared(moment: &Moment) -> Judgement {
    match moment.quiet() {
        Some(link) if link.fast() && link.stands() => Judgement::check(link.heard.declared, || {
            "neither a bitfield nor have-all nor have-none was sent".to_owned()
        }),
        _ => Unknown,
    }
}

fn with_fast_every_request_is_answered_once(moment: &Moment) -> Judgement {
    let answer = match moment.heard() {
        Some((_, PeerMessage::RejectRequest(block))) => Some(*block),
        _ => sent(moment).map(|(_, block, _)| block),
    };
    let Some(link) = moment.link().filter(|link| link.fast()) else {
        return Unknown;
    };
    if let Some(block) = answer {
        return Judgement::check(link.told.awaits(&block), || {
            format!("{block} was answered, which was not asked for, or answered before")
        });
    }
    if moment.quiet().is_none() {
        return Unknown;
    }
    match link.told.awaited().next() {
        Some(block) => Broken(format!("{block} got neither a block nor a rejection")),
        None => Unknown,
    }
}

/// How many pieces are offered is the subject's choice: the first so many of the generated ones.
fn the_allowed_fast_set_is_the_generated_one(moment: &Moment) -> Judgement {
    let (Observation::Quiet(name), Some(link)) = (&moment.now, moment.quiet()) else {
        return Unknown;
    };
    let view = &moment.view;
    let offered = &link.heard.allowed_fast;
    let expected = view.expected.get(name).and_then(|expected| expected.ip);
    let (Some(ip), false, true) = (expected, offered.is_empty(), view.began_with.is_complete())
    else {
        return Unknown;
    };
    let (info_hash, pieces) = (view.torrent.metainfo.info_hash(), view.torrent.pieces());
    let generated = allowed_fast_set(ip, &info_hash, pieces, offered.len());
    match offered.iter().find(|piece| !generated.contains(piece)) {
        Some(piece) => Broken(format!(
            "piece {piece} is offered to {ip}, which is not among the {} generated ones",
            offered.len()
        )),
        None => Holds,
    }
}

/// A rejection is allowed: the subject may lack the means, or think that the neighbour has enough.
fn allowed_fast_requests_are_served_while_choked(moment: &Moment) -> Judgement {
    if let Some((link, block, _)) = sent(moment) {
        let free = link.heard.choking && link.heard.allowed_fast.contains(&block.index);
        return if free { Holds } else { Unknown };
    }
    let Some(link) = moment
        .quiet()
        .filter(|link| link.fast() && link.heard.choking)
    else {
        return Unknown;
    };
    let due = link.told.requests.iter().find(|block| {
        let free = link.heard.allowed_fast.contains(&block.index);
        free && moment.view.torrent.contains(block) && block.length <= USUAL_BLOCK
    });
    due.map_or(Unknown, |block| {
        Broken(format!(
            "{block} was offered while choking, and its request was not answered"
        ))
    })
}

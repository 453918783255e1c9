//! Facts of a peer under test that has no reason to leave, and that nobody but the observer is connected with.
//!
//! In a model a peer may leave or be full, so the explorer does not ask these; the harness does.

use std::collections::BTreeMap;

use super::transfer::sent;
use crate::bittorrent::message::PeerMessage;
use crate::bittorrent::view::{Frame, LinkView, Moment, Observation};
use crate::bittorrent::wire::extension::decode_handshake_tolerant;
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    every_new_connection_is_answered ["bep3/handshake"];
    an_innocent_neighbour_is_kept ["bep3/keep-alive-ignored"];
    the_peer_id_stays ["bep3/one-peer-id"];
    every_message_is_well_formed ["bep3/message-layout"];
    not_every_neighbour_is_unchoked ["bep3/upload-slots"];
    whole_pieces_have_their_hash ["bep3/piece-content"];
    extension_ids_are_unique ["bep10/unique-ids"];
    choked_requests_are_rejected ["bep6/choked-rejected"];
}

/// So many interested neighbours are more than anybody serves at a time by default.
const MANY: usize = 20;

/// Whether the neighbour has said a handshake that deserves an answer.
fn deserves_an_answer(link: &LinkView) -> bool {
    link.told.handshake.is_some() && link.told.offence.is_none()
}

fn every_new_connection_is_answered(moment: &Moment) -> Judgement {
    if let Observation::Heard {
        frame: Frame::Handshake(_),
        ..
    } = moment.now
    {
        let due = moment.link().is_some_and(deserves_an_answer);
        return if due { Holds } else { Unknown };
    }
    let waits = |link: &&LinkView| deserves_an_answer(link) && link.heard.handshake.is_none();
    match (moment.ended().filter(waits), moment.quiet().filter(waits)) {
        (Some(_), _) => Broken("the connection was closed instead of answered".to_owned()),
        (_, Some(_)) => Broken("a handshake for its torrent got no answer".to_owned()),
        _ => Unknown,
    }
}

fn an_innocent_neighbour_is_kept(moment: &Moment) -> Judgement {
    let innocent = |link: &&LinkView| link.stands() && link.told.is_innocent();
    match (
        moment.ended().filter(innocent),
        moment.quiet().filter(innocent),
    ) {
        (Some(_), _) => Broken("the connection was closed for no reason".to_owned()),
        (_, Some(_)) => Holds,
        _ => Unknown,
    }
}

fn the_peer_id_stays(moment: &Moment) -> Judgement {
    let Observation::Heard {
        frame: Frame::Handshake(handshake),
        ..
    } = &moment.now
    else {
        return Unknown;
    };
    let before = moment.view.links.values();
    match before.filter_map(|link| link.heard.handshake).next() {
        Some(first) => Judgement::check(first.peer_id == handshake.peer_id, || {
            format!(
                "it is {} on one connection and {} on another",
                first.peer_id, handshake.peer_id
            )
        }),
        None => Unknown,
    }
}

fn every_message_is_well_formed(moment: &Moment) -> Judgement {
    match &moment.now {
        Observation::Heard {
            frame: Frame::Malformed(why),
            ..
        } => Broken(format!("bytes that are no message: {why}")),
        Observation::Heard {
            frame: Frame::Message(_),
            ..
        } => Holds,
        _ => Unknown,
    }
}

fn not_every_neighbour_is_unchoked(moment: &Moment) -> Judgement {
    if moment.quiet().is_none() {
        return Unknown;
    }
    let links = moment.view.links.values();
    let interested: Vec<&LinkView> = links
        .filter(|link| link.is_open() && link.stands() && link.told.interested)
        .collect();
    let unchoked = interested.iter().filter(|link| !link.heard.choking);
    let unchoked = unchoked.count();
    if interested.len() < MANY || unchoked == 0 {
        return Unknown;
    }
    Judgement::check(unchoked < interested.len(), || {
        format!("all of {unchoked} interested neighbours are unchoked at the same time")
    })
}

/// Judged by the content where the observer has it, else by the hash, once every block of a piece was sent.
fn whole_pieces_have_their_hash(moment: &Moment) -> Judgement {
    let Some((_, block, data)) = sent(moment) else {
        return Unknown;
    };
    let torrent = &moment.view.torrent;
    if let Some(right) = torrent.is_right(block.index, block.begin, data) {
        return Judgement::check(right, || format!("{block} was sent with wrong bytes"));
    }
    let known = &moment.view.sent_blocks;
    let before = known.range((block.index, 0)..=(block.index, u32::MAX));
    let mut blocks: BTreeMap<u32, &[u8]> = before
        .map(|((_, begin), bytes)| (*begin, &**bytes))
        .collect();
    blocks.insert(block.begin, data);
    let length = torrent.piece_len(block.index) as usize;
    if blocks.values().map(|bytes| bytes.len()).sum::<usize>() < length {
        return Unknown;
    }
    let mut piece = Vec::with_capacity(length);
    for (begin, bytes) in blocks {
        let Some(overlap) = piece.len().checked_sub(begin as usize) else {
            return Unknown;
        };
        piece.extend_from_slice(bytes.get(overlap..).unwrap_or_default());
    }
    if piece.len() != length {
        return Unknown;
    }
    Judgement::check(torrent.metainfo.is_piece(block.index, &piece), || {
        format!("the blocks of piece {} do not have its hash", block.index)
    })
}

fn extension_ids_are_unique(moment: &Moment) -> Judgement {
    let Some((_, PeerMessage::Extended { id: 0, payload })) = moment.heard() else {
        return Unknown;
    };
    let Ok((handshake, _)) = decode_handshake_tolerant(payload) else {
        return Unknown;
    };
    let mut names: BTreeMap<u8, &[u8]> = BTreeMap::new();
    for (name, id) in handshake.m.iter().filter(|(_, id)| **id != 0) {
        if let Some(other) = names.insert(*id, name) {
            let (name, other) = (name.escape_ascii(), other.escape_ascii());
            return Broken(format!("{other} and {name} share the id {id}"));
        }
    }
    Holds
}

fn choked_requests_are_rejected(moment: &Moment) -> Judgement {
    let Some(link) = moment
        .link()
        .filter(|link| link.fast() && link.heard.choking)
    else {
        return Unknown;
    };
    if let Some((_, PeerMessage::RejectRequest(block))) = moment.heard() {
        let right = link.told.hopeless.contains(block);
        return if right { Holds } else { Unknown };
    }
    let due = moment.quiet().and(link.told.hopeless.iter().next());
    due.map_or(Unknown, |block| {
        Broken(format!(
            "{block} was requested while choked, and not rejected"
        ))
    })
}

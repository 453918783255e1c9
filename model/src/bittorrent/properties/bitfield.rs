//! What a peer says that it has.

use crate::bittorrent::message::PeerMessage;
use crate::bittorrent::pieces::Pieces;
use crate::bittorrent::view::{LinkView, Moment};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    the_declaration_is_the_first_message ["bep3/bitfield-first-only"];
    bitfields_come_first ["bep3/bitfield-only-at-the-start"];
    the_bitfield_fits_the_torrent ["bep3/bitfield-length", "bep3/bitfield-spare-bits"];
    only_verified_pieces_are_announced ["bep3/have-after-verification"];
    every_piece_is_announced ["bep3/pieces-are-announced"];
    a_piece_is_announced_once ["bep3/have-after-verification"];
}

fn declares(message: &PeerMessage) -> bool {
    let fast = [PeerMessage::HaveAll, PeerMessage::HaveNone];
    matches!(message, PeerMessage::Bitfield(_)) || fast.contains(message)
}

fn the_declaration_is_the_first_message(moment: &Moment) -> Judgement {
    match moment.heard() {
        Some((link, message)) if declares(message) => Judgement::check(!link.heard.spoke, || {
            "a bitfield came after other messages".to_owned()
        }),
        _ => Unknown,
    }
}

/// Put to the test by a piece that was completed: it is announced by have, and not by another bitfield.
fn bitfields_come_first(moment: &Moment) -> Judgement {
    match moment.heard() {
        Some((_, PeerMessage::Have(_))) => Holds,
        Some((link, message)) if declares(message) && link.heard.spoke => {
            Broken("a bitfield came after other messages".to_owned())
        }
        _ => Unknown,
    }
}

fn the_bitfield_fits_the_torrent(moment: &Moment) -> Judgement {
    let Some((_, PeerMessage::Bitfield(bits))) = moment.heard() else {
        return Unknown;
    };
    match Pieces::from_bitfield(moment.view.torrent.pieces(), bits) {
        Ok(_) => Holds,
        Err(why) => Broken(why.to_string()),
    }
}

/// The pieces that the subject says now that it has; `None` when what it says is no such thing.
fn announced(moment: &Moment) -> Option<Vec<u32>> {
    let count = moment.view.torrent.pieces();
    match moment.heard()?.1 {
        PeerMessage::Have(piece) => Some(vec![*piece]),
        PeerMessage::Bitfield(bits) => {
            let pieces = Pieces::from_bitfield(count, bits).ok()?;
            Some(pieces.iter().collect())
        }
        PeerMessage::HaveAll => Some((0..count).collect()),
        _ => None,
    }
}

fn only_verified_pieces_are_announced(moment: &Moment) -> Judgement {
    let Some(announced) = announced(moment) else {
        return Unknown;
    };
    match announced
        .iter()
        .find(|piece| !moment.view.can_have(**piece))
    {
        Some(piece) => Broken(format!(
            "piece {piece} is announced, which it cannot have verified"
        )),
        None if announced.is_empty() => Unknown,
        None => Holds,
    }
}

/// Whether the subject need not tell the neighbour about the piece: the neighbour has it.
fn is_pointless(link: &LinkView, piece: u32) -> bool {
    link.told.has.contains(piece)
}

fn every_piece_is_announced(moment: &Moment) -> Judgement {
    let view = &moment.view;
    let Some(link) = moment
        .quiet()
        .filter(|link| link.stands() && link.told.offence.is_none())
    else {
        return Unknown;
    };
    let mut owned = (0..view.torrent.pieces())
        .filter(|piece| view.must_have(*piece))
        .peekable();
    if owned.peek().is_none() {
        return Unknown;
    }
    match owned.find(|piece| !link.heard.has.contains(*piece) && !is_pointless(link, *piece)) {
        Some(piece) => Broken(format!("it has piece {piece} and does not say so")),
        None => Holds,
    }
}

fn a_piece_is_announced_once(moment: &Moment) -> Judgement {
    match moment.heard() {
        Some((link, PeerMessage::Have(piece))) => {
            Judgement::check(!link.heard.has.contains(*piece), || {
                format!("piece {piece} is announced again")
            })
        }
        _ => Unknown,
    }
}

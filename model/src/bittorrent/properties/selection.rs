//! Which block is requested next.

use super::transfer::request;
use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::view::{LinkView, Moment, PeerView};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    the_chosen_piece_is_a_rarest_one ["cohen2003/rarest-first"];
    a_started_piece_is_finished_first ["cohen2003/strict-priority"];
    duplicates_only_in_endgame ["bep3/endgame"];
    duplicates_are_cancelled_on_arrival ["bep3/endgame-cancel"];
}

/// Whether the subject may ask on this link for a block of the piece, and would have a use for it.
fn is_open_for(view: &PeerView, link: &LinkView, piece: u32) -> bool {
    let allowed = !link.told.choking || (link.fast() && link.told.allowed_fast.contains(&piece));
    let offered = link.told.has.contains(piece) && !link.told.rejected.contains(&piece);
    allowed && offered && !view.can_have(piece)
}

/// How many neighbours have the piece.
fn copies(view: &PeerView, piece: u32) -> usize {
    let open = view.links.values().filter(|link| link.is_open());
    open.filter(|link| link.told.has.contains(piece)).count()
}

/// Whether the subject has verified any piece: until then it may take a random one.
fn has_a_piece(view: &PeerView) -> bool {
    (0..view.torrent.pieces()).any(|piece| view.must_have(piece))
}

/// Exceptions: the first piece is taken at random; pieces that came out bad may be treated apart.
fn the_chosen_piece_is_a_rarest_one(moment: &Moment) -> Judgement {
    let view = &moment.view;
    let Some((link, block)) = request(moment) else {
        return Unknown;
    };
    let piece = block.index;
    if view.is_started(piece) || view.can_have(piece) || !has_a_piece(view) {
        return Unknown;
    }
    let others = (0..view.torrent.pieces())
        .filter(|other| *other != piece && is_open_for(view, link, *other))
        .filter(|other| !view.is_started(*other) && !view.discarded.contains(other));
    let own = copies(view, piece);
    let mut judgement = Unknown;
    for other in others {
        let rarer = copies(view, other);
        if rarer < own {
            return Broken(format!(
                "piece {piece}, which {own} neighbours have, was taken before piece {other}, which {rarer} have"
            ));
        }
        if rarer > own {
            judgement = Holds;
        }
    }
    judgement
}

fn a_started_piece_is_finished_first(moment: &Moment) -> Judgement {
    let view = &moment.view;
    let Some((link, block)) = request(moment) else {
        return Unknown;
    };
    let open = || (0..view.torrent.pieces()).filter(|piece| is_open_for(view, link, *piece));
    if view.is_started(block.index) {
        // It was put to the test where another piece could have been started.
        let alternative = open().any(|piece| !view.is_started(piece));
        let free = view
            .unrequested(block.index)
            .iter()
            .any(|range| range.contains(&block.begin));
        return if alternative && free { Holds } else { Unknown };
    }
    let unfinished = open().find(|piece| {
        let excused = *piece == block.index || view.discarded.contains(piece);
        !excused && view.is_started(*piece) && !view.unrequested(*piece).is_empty()
    });
    match unfinished {
        Some(piece) => Broken(format!(
            "piece {} was started while piece {piece} still had blocks to request",
            block.index
        )),
        None => Unknown,
    }
}

fn overlaps(one: &BlockRequest, other: &BlockRequest) -> bool {
    let end = |block: &BlockRequest| block.begin.saturating_add(block.length);
    one.index == other.index && one.begin < end(other) && other.begin < end(one)
}

fn duplicates_only_in_endgame(moment: &Moment) -> Judgement {
    let view = &moment.view;
    let Some((_, block)) = request(moment) else {
        return Unknown;
    };
    let open = view.links.values().filter(|link| link.is_open());
    let mut asked = open.flat_map(|link| link.heard.requests.iter());
    if !asked.any(|other| overlaps(&block, other)) {
        return Unknown;
    }
    let missing = (0..view.torrent.pieces()).filter(|piece| !view.can_have(*piece));
    let mut free = missing.filter(|piece| !view.unrequested(*piece).is_empty());
    match free.next() {
        None => Holds,
        Some(piece) => Broken(format!(
            "{block} was requested twice while blocks of piece {piece} had not been requested at all"
        )),
    }
}

/// Whether the subject was given the block.
fn is_here(view: &PeerView, block: &BlockRequest) -> bool {
    let arrived = view.assembling.get(&(block.index, block.begin));
    view.must_have(block.index) || arrived.is_some_and(|arrived| arrived.length >= block.length)
}

fn duplicates_are_cancelled_on_arrival(moment: &Moment) -> Judgement {
    let view = &moment.view;
    if let Some((link, PeerMessage::Cancel(block))) = moment.heard() {
        let right = is_here(view, block) && link.heard.requests.contains(block);
        return if right { Holds } else { Unknown };
    }
    let Some(link) = moment.quiet() else {
        return Unknown;
    };
    match link
        .heard
        .requests
        .iter()
        .find(|block| is_here(view, block))
    {
        Some(block) => Broken(format!(
            "{block} is here, and its other request was not cancelled"
        )),
        None => Unknown,
    }
}

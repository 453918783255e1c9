//! Requests and blocks.

use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::view::{LinkView, Moment};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    requests_only_while_unchoked ["bep3/choked-requests-are-not-answered"];
    requests_only_what_the_neighbour_has ["bep3/request-what-was-announced"];
    requests_only_what_is_missing ["bep3/request-what-is-missing"];
    requests_lie_inside_their_piece ["bep3/request-bounds"];
    requests_are_at_most_16_kib ["bep3/request-length"];
    blocks_are_what_was_asked_for ["bep3/piece-answers-request"];
    blocks_have_the_bytes_of_the_torrent ["bep3/piece-content"];
    choked_neighbours_get_no_blocks ["bep3/no-blocks-while-choking"];
    requests_of_an_unchoked_neighbour_are_answered ["bep3/seed-serves"];
    cancelled_requests_are_dropped ["bep3/cancel"];
}

/// The block length that every deployed peer serves, and beyond which BEP 3 has connections closed.
pub(super) const USUAL_BLOCK: u32 = 1 << 14;

/// The request that the subject makes now, with its link as it was before.
pub(super) fn request(moment: &Moment) -> Option<(&LinkView, BlockRequest)> {
    match moment.heard()? {
        (link, PeerMessage::Request(block)) => Some((link, *block)),
        _ => None,
    }
}

/// The block that the subject sends now, with its link as it was before.
pub(super) fn sent(moment: &Moment) -> Option<(&LinkView, BlockRequest, &[u8])> {
    match moment.heard()? {
        (link, PeerMessage::Piece { index, begin, data }) => {
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            Some((
                link,
                BlockRequest {
                    index: *index,
                    begin: *begin,
                    length,
                },
                data,
            ))
        }
        _ => None,
    }
}

fn requests_only_while_unchoked(moment: &Moment) -> Judgement {
    let Some((link, block)) = request(moment) else {
        return Unknown;
    };
    let free = link.fast() && link.told.allowed_fast.contains(&block.index);
    Judgement::check(!link.told.choking || free, || {
        format!("{block} was requested while the neighbour was choking")
    })
}

fn requests_only_what_the_neighbour_has(moment: &Moment) -> Judgement {
    let Some((link, block)) = request(moment) else {
        return Unknown;
    };
    Judgement::check(link.told.has.contains(block.index), || {
        format!("{block} was requested, which the neighbour had not announced")
    })
}

fn requests_only_what_is_missing(moment: &Moment) -> Judgement {
    let Some((_, block)) = request(moment) else {
        return Unknown;
    };
    let view = &moment.view;
    let shown = view
        .links
        .values()
        .any(|link| link.heard.has.contains(block.index));
    Judgement::check(!shown && !view.began_with.contains(block.index), || {
        format!("{block} was requested, which it has")
    })
}

fn requests_lie_inside_their_piece(moment: &Moment) -> Judgement {
    let Some((_, block)) = request(moment) else {
        return Unknown;
    };
    Judgement::check(moment.view.torrent.contains(&block), || {
        format!("{block} was requested, which is not inside a piece")
    })
}

fn requests_are_at_most_16_kib(moment: &Moment) -> Judgement {
    let Some((_, block)) = request(moment) else {
        return Unknown;
    };
    Judgement::check(block.length <= USUAL_BLOCK, || {
        format!("{block} was requested, more than {USUAL_BLOCK} at once")
    })
}

fn blocks_are_what_was_asked_for(moment: &Moment) -> Judgement {
    let Some((link, block, _)) = sent(moment) else {
        return Unknown;
    };
    Judgement::check(link.told.awaits(&block), || {
        format!("{block} was sent, which the neighbour had not asked for")
    })
}

fn blocks_have_the_bytes_of_the_torrent(moment: &Moment) -> Judgement {
    let Some((_, block, data)) = sent(moment) else {
        return Unknown;
    };
    match moment.view.torrent.is_right(block.index, block.begin, data) {
        Some(true) if data.is_empty() => Unknown,
        Some(true) => Holds,
        Some(false) => Broken(format!("{block} was sent with wrong bytes")),
        None => Unknown,
    }
}

/// Pieces of the allowed-fast set may be served. A request from before the choke may still be answered with the
/// fast extension, where the choke itself drops nothing.
fn choked_neighbours_get_no_blocks(moment: &Moment) -> Judgement {
    if let Some((link, block, _)) = sent(moment) {
        if !link.heard.choking {
            return Unknown;
        }
        let free = link.heard.allowed_fast.contains(&block.index);
        let before = link.told.requests.contains(&block);
        return Judgement::check(link.fast() && (free || before), || {
            format!("{block} was sent to a neighbour that is choked")
        });
    }
    match (moment.heard(), moment.quiet()) {
        (Some((link, PeerMessage::RejectRequest(block))), _) if link.heard.choking => {
            if link.told.hopeless.contains(block) {
                Holds
            } else {
                Unknown
            }
        }
        (_, Some(link)) if link.heard.choking && !link.told.hopeless.is_empty() => Holds,
        _ => match moment.ended() {
            Some(link) if link.heard.choking && !link.told.hopeless.is_empty() => Holds,
            _ => Unknown,
        },
    }
}

/// A piece that is allowed fast counts where it is served; not to serve it is allowed.
fn requests_of_an_unchoked_neighbour_are_answered(moment: &Moment) -> Judgement {
    if let Some((link, block, _)) = sent(moment) {
        let right = link.told.requests.contains(&block);
        return if right { Holds } else { Unknown };
    }
    let Some(link) = moment.quiet().filter(|link| !link.heard.choking) else {
        return Unknown;
    };
    let view = &moment.view;
    let due = |block: &&BlockRequest| {
        let here = view.began_with.contains(block.index) || link.heard.has.contains(block.index);
        here && view.torrent.contains(block) && block.length <= USUAL_BLOCK
    };
    match link.told.requests.iter().find(due) {
        Some(block) => Broken(format!("{block} was requested and not sent")),
        None => Unknown,
    }
}

fn cancelled_requests_are_dropped(moment: &Moment) -> Judgement {
    if let Some((link, block, _)) = sent(moment) {
        let cancelled = link.told.cancelled.contains(&block);
        return if cancelled {
            Broken(format!("{block} was sent although it had been cancelled"))
        } else {
            Unknown
        };
    }
    match (moment.heard(), moment.quiet()) {
        (Some((link, PeerMessage::RejectRequest(block))), _)
            if link.told.cancelled.contains(block) =>
        {
            Holds
        }
        (_, Some(link)) if !link.told.cancelled.is_empty() => Holds,
        _ => Unknown,
    }
}

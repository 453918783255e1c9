//! Requests that nobody may make.

use super::transfer::{USUAL_BLOCK, sent};
use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::view::{LinkView, Moment, Torrent};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    requests_beyond_the_piece_get_no_block ["bep3/request-bounds"];
    empty_requests_get_no_block ["bep3/request-bounds"];
    oversized_requests_get_no_block ["bep3/request-length"];
    huge_requests_get_no_block ["bep3/request-length"];
    oversized_requests_are_refused ["bep3/request-length"];
    requests_beyond_the_piece_are_refused ["bep3/request-bounds"];
}

/// More than any deployed peer serves.
const HUGE: u32 = 1 << 17;

fn is_beyond(torrent: &Torrent, block: &BlockRequest) -> bool {
    block.length > 0 && !torrent.contains(block)
}

fn is_empty(_: &Torrent, block: &BlockRequest) -> bool {
    block.length == 0
}

fn is_oversized(torrent: &Torrent, block: &BlockRequest) -> bool {
    torrent.contains(block) && block.length > USUAL_BLOCK
}

fn is_huge(_: &Torrent, block: &BlockRequest) -> bool {
    block.length > HUGE
}

type Wrong = fn(&Torrent, &BlockRequest) -> bool;

/// A wrong request of the neighbour that is not answered yet.
fn outstanding<'a>(
    moment: &'a Moment,
    link: &'a LinkView,
    wrong: Wrong,
) -> Option<&'a BlockRequest> {
    link.told
        .awaited()
        .find(|block| wrong(&moment.view.torrent, block))
}

/// Whether the message rejects a wrong request.
fn rejects(moment: &Moment, wrong: Wrong) -> bool {
    match moment.heard() {
        Some((link, PeerMessage::RejectRequest(block))) => {
            link.told.awaits(block) && wrong(&moment.view.torrent, block)
        }
        _ => false,
    }
}

/// A block for such a request is wrong whatever its length; every other answer is right, silence too.
fn no_block(moment: &Moment, wrong: Wrong) -> Judgement {
    if let Some((link, block, _)) = sent(moment) {
        let place =
            |asked: &&BlockRequest| (asked.index, asked.begin) == (block.index, block.begin);
        let is_wrong = |asked: &&BlockRequest| wrong(&moment.view.torrent, asked);
        let mut here = link.told.awaited().filter(place).peekable();
        if here.peek().is_none() || here.any(|asked| !is_wrong(&asked)) {
            return Unknown;
        }
        return Broken(format!("a request that cannot be served got {block}"));
    }
    let link = moment.ended().or_else(|| moment.quiet());
    let silent = link.is_some_and(|link| outstanding(moment, link, wrong).is_some());
    if silent || rejects(moment, wrong) {
        Holds
    } else {
        Unknown
    }
}

/// The link is ended, or the request rejected.
fn refused(moment: &Moment, wrong: Wrong) -> Judgement {
    if rejects(moment, wrong) {
        return Holds;
    }
    let wrong_on = |link: &&LinkView| outstanding(moment, link, wrong).is_some();
    match (
        moment.ended().filter(wrong_on),
        moment.quiet().filter(wrong_on),
    ) {
        (Some(_), _) => Holds,
        (_, Some(_)) => {
            Broken("a request that cannot be served was passed over in silence".to_owned())
        }
        _ => no_block(moment, wrong),
    }
}

fn requests_beyond_the_piece_get_no_block(moment: &Moment) -> Judgement {
    no_block(moment, is_beyond)
}

fn empty_requests_get_no_block(moment: &Moment) -> Judgement {
    no_block(moment, is_empty)
}

fn oversized_requests_get_no_block(moment: &Moment) -> Judgement {
    no_block(moment, is_oversized)
}

fn huge_requests_get_no_block(moment: &Moment) -> Judgement {
    no_block(moment, is_huge)
}

fn oversized_requests_are_refused(moment: &Moment) -> Judgement {
    refused(moment, is_oversized)
}

fn requests_beyond_the_piece_are_refused(moment: &Moment) -> Judgement {
    refused(moment, is_beyond)
}

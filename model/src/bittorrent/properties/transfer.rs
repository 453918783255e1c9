//! Requests and blocks.

use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::view::{Frame, LinkView, Moment, Observation};
use crate::property::{Judgement, Kind, Property, Timing};

/// The facts of this topic.
pub(super) static PROPERTIES: &[Property<Moment>] = &[
    Property {
        name: "requests_only_while_unchoked",
        claims: &["bep3/choked-requests-are-not-answered"],
        kind: Kind::Always,
        timing: Timing::Untimed,
        judge: requests_only_while_unchoked,
    },
    Property {
        name: "requests_only_what_the_neighbour_has",
        claims: &["bep3/request-what-was-announced"],
        kind: Kind::Always,
        timing: Timing::Untimed,
        judge: requests_only_what_the_neighbour_has,
    },
];

/// The request that the subject makes now, with its link as it was before.
fn request(moment: &Moment) -> Option<(&LinkView, BlockRequest)> {
    match &moment.now {
        Observation::Heard {
            link,
            frame: Frame::Message(PeerMessage::Request(block)),
        } => Some((moment.view.links.get(link)?, *block)),
        _ => None,
    }
}

fn requests_only_while_unchoked(moment: &Moment) -> Judgement {
    let Some((link, block)) = request(moment) else {
        return Judgement::Unknown;
    };
    let free = link.fast() && link.told.allowed_fast.contains(&block.index);
    Judgement::check(!link.told.choking || free, || {
        format!("{block} was requested while the neighbour was choking")
    })
}

fn requests_only_what_the_neighbour_has(moment: &Moment) -> Judgement {
    let Some((link, block)) = request(moment) else {
        return Judgement::Unknown;
    };
    Judgement::check(link.told.has.contains(block.index), || {
        format!("{block} was requested, which the neighbour had not announced")
    })
}

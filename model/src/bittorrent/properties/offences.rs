//! What a peer does about neighbours that break the protocol, and about those that only seem to.

use super::transfer::USUAL_BLOCK;
use crate::bittorrent::message::{BlockRequest, PeerMessage};
use crate::bittorrent::view::{LinkView, Moment, Observation, Offence};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    malformed_messages_are_closed ["bep3/malformed-closed"];
    a_late_bitfield_is_closed ["bep3/bitfield-first-only"];
    a_bitfield_that_does_not_fit_is_closed ["bep3/bitfield-length", "bep3/bitfield-spare-bits"];
    a_have_for_no_piece_is_closed ["bep3/have-in-range"];
    uninvited_fast_messages_are_closed ["bep6/closed-without-negotiation"];
    an_unasked_block_is_closed ["bep6/unasked-block-closed"];
    an_unasked_rejection_is_closed ["bep6/unasked-reject-closed"];
    unknown_messages_are_skipped ["deployed/unknown-ids-skipped"];
    unknown_extended_messages_are_skipped ["bep10/unknown-ignored"];
    never_silent_for_two_minutes ["bep3/keep-alive"];
}

/// The subject ends the link after that offence.
pub(super) fn closes(moment: &Moment, offence: Offence) -> Judgement {
    let guilty = |link: &&LinkView| link.told.offence == Some(offence);
    match (moment.ended().filter(guilty), moment.quiet().filter(guilty)) {
        (Some(_), _) => Holds,
        (_, Some(_)) => Broken(format!("the link stands after {offence}")),
        _ => Unknown,
    }
}

fn malformed_messages_are_closed(moment: &Moment) -> Judgement {
    closes(moment, Offence::Malformed)
}

fn a_late_bitfield_is_closed(moment: &Moment) -> Judgement {
    closes(moment, Offence::LateBitfield)
}

fn a_bitfield_that_does_not_fit_is_closed(moment: &Moment) -> Judgement {
    closes(moment, Offence::UnfitBitfield)
}

fn a_have_for_no_piece_is_closed(moment: &Moment) -> Judgement {
    closes(moment, Offence::NoSuchPiece)
}

fn uninvited_fast_messages_are_closed(moment: &Moment) -> Judgement {
    closes(moment, Offence::UninvitedFast)
}

fn an_unasked_block_is_closed(moment: &Moment) -> Judgement {
    closes(moment, Offence::UnaskedBlock)
}

fn an_unasked_rejection_is_closed(moment: &Moment) -> Judgement {
    closes(moment, Offence::UnaskedRejection)
}

/// The subject keeps an innocent link on which something unknown was said.
fn skips(moment: &Moment, what: &str, met: impl Fn(&LinkView) -> bool) -> Judgement {
    let torrent = &moment.view.torrent;
    let usual = |block: &BlockRequest| torrent.contains(block) && block.length <= USUAL_BLOCK;
    // Whoever made requests that cannot be served may be hung up on for those.
    let innocent =
        |link: &&LinkView| met(link) && link.told.is_innocent() && link.told.awaited().all(usual);
    match (
        moment.ended().filter(innocent),
        moment.quiet().filter(innocent),
    ) {
        (Some(_), _) => Broken(format!("the link was ended after {what}")),
        (_, Some(_)) => Holds,
        _ => Unknown,
    }
}

fn unknown_messages_are_skipped(moment: &Moment) -> Judgement {
    skips(moment, "a message of an unknown id", |link| {
        link.told.unknown
    })
}

fn unknown_extended_messages_are_skipped(moment: &Moment) -> Judgement {
    skips(moment, "an extended message of an unknown id", |link| {
        link.extended() && link.told.unknown_extended
    })
}

fn never_silent_for_two_minutes(moment: &Moment) -> Judgement {
    match (&moment.now, moment.heard()) {
        (_, Some((_, PeerMessage::KeepAlive))) => Holds,
        (Observation::Silence { seconds, .. }, _) => {
            let stands = moment
                .link()
                .is_some_and(|link| link.stands() && link.is_open());
            // Exactly two minutes is what the source says, but for the time that the message travels.
            if stands && *seconds > 122 {
                return Broken(format!("nothing was said for {seconds} s"));
            }
            Unknown
        }
        _ => Unknown,
    }
}

//! Who may request.

use peerproof_model::bittorrent::message::{PeerMessage, Reserved};

use super::{alone, case, slow};
use crate::case::Level::{Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::peer::KitPeer;
use crate::suite::bittorrent::seeder::SeederKit;

/// More peers than anybody serves at a time by default.
const CROWD: usize = 24;

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/unchoke/after-interest",
        Must,
        (
            &["bep3/upload-slots"],
            "an_interested_neighbour_is_unchoked_while_slots_are_free",
        ),
        "The kit says that it is interested.",
        "The target unchokes it, at its next decision.",
        |kit| {
            let peer = kit.unchoked(Reserved::NONE)?;
            peer.all_is_due();
            Ok(())
        },
    ),
    case(
        "bittorrent-seeder/unchoke/interest-again",
        Must,
        (
            &["bep3/choked-requests-are-not-answered"],
            "requests_of_an_unchoked_neighbour_are_answered",
        ),
        "The kit, unchoked, says that it is not interested, then that it is; unchoked, it requests a block.",
        "The target sends the block.",
        |kit| {
            let mut peer = kit.unchoked(Reserved::NONE)?;
            peer.send(PeerMessage::NotInterested)?;
            peer.send(PeerMessage::Interested)?;
            kit.fetch_one(&mut peer)
        },
    ),
    case(
        "bittorrent-seeder/choked/no-block",
        Must,
        (
            &["bep3/no-blocks-while-choking"],
            "choked_neighbours_get_no_blocks",
        ),
        "The kit requests a block before it is interested or unchoked.",
        "The target sends no block while it chokes.",
        |kit| {
            let mut peer = kit.greeted(Reserved::NONE)?;
            let block = peer.first_block(0);
            peer.send(PeerMessage::Request(block))?;
            // The bitfield may have been under way already: what comes after that is silence or a block.
            peer.listen(|link| link.heard.closed || !link.told.awaits(&block))?;
            kit.was_choked(&peer)
        },
    ),
    alone(case(
        "bittorrent-seeder/slots/stated",
        Must,
        (
            &["bep3/stated-upload-slots"],
            "never_more_unchoked_than_slots",
        ),
        "So many peers of the kit are interested as the target has upload slots, and three more.",
        "The target unchokes as many as it has slots, never more.",
        |kit| {
            let Some(slots) = kit.stated_slots() else {
                let why = "the target does not state its upload slots";
                return Err(Stop::Unimplemented(why.to_owned()));
            };
            let mut crowd = crowd(kit, slots as usize + 3)?;
            kit.settle_crowd(&mut crowd)
        },
    )),
    slow(alone(case(
        "bittorrent-seeder/slots/not-everybody",
        Should,
        (&["bep3/upload-slots"], "not_every_neighbour_is_unchoked"),
        "24 peers of the kit are interested at the same time.",
        "The target caps its uploads: it unchokes some of them, and not all.",
        |kit| {
            let mut crowd = crowd(kit, CROWD)?;
            kit.await_first_unchoke(&mut crowd)?;
            kit.settle_crowd(&mut crowd)
        },
    ))),
];

/// Peers that are connected and interested.
fn crowd(kit: &mut SeederKit, size: usize) -> Result<Vec<KitPeer>, Stop> {
    let mut crowd: Vec<KitPeer> = (0..size)
        .map(|_| {
            let mut peer = kit.connect()?;
            peer.say_handshake(Reserved::NONE)?;
            Ok(peer)
        })
        .collect::<Result<_, Stop>>()?;
    for peer in &mut crowd {
        peer.await_handshake()?;
        peer.await_pieces()?;
        peer.send(PeerMessage::Interested)?;
    }
    Ok(crowd)
}

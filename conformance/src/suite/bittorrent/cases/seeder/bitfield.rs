//! Which pieces the target says that it has, and what it makes of what the kit says.

use peerproof_model::bittorrent::message::{PeerMessage, Reserved};
use peerproof_model::bittorrent::pieces::Pieces;

use super::{Asked, case};
use crate::case::Level::{May, Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::seeder::SeederKit;

const UNFIT: Asked = (
    &["deployed/bad-bitfield-closed"],
    "a_bitfield_that_does_not_fit_is_closed",
);
const CLOSED: &str = "The target closes the connection.";

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/bitfield/complete",
        Must,
        (&["bep3/pieces-are-announced"], "every_piece_is_announced"),
        "The kit says a handshake without reserved bits.",
        "The target says, by a bitfield, haves or both, that it has every piece.",
        greeted_plainly,
    ),
    case(
        "bittorrent-seeder/bitfield/first",
        Must,
        (
            &["bep3/bitfield-first-only"],
            "the_declaration_is_the_first_message",
        ),
        "The kit says a handshake without reserved bits.",
        "The target's bitfield is its first message.",
        greeted_plainly,
    ),
    case(
        "bittorrent-seeder/bitfield/fits",
        Must,
        (
            &["bep3/bitfield-length", "bep3/bitfield-spare-bits"],
            "the_bitfield_fits_the_torrent",
        ),
        "The kit says a handshake without reserved bits.",
        "The target's bitfield has one bit for each piece, and its spare bits are zero.",
        greeted_plainly,
    ),
    case(
        "bittorrent-seeder/bitfield/too-long",
        Should,
        UNFIT,
        "The kit says a bitfield that is one byte too long.",
        CLOSED,
        |kit| {
            let mut bits = Pieces::none(kit.torrent().pieces()).bitfield().to_vec();
            bits.push(0);
            says_first(kit, PeerMessage::Bitfield(bits))
        },
    ),
    case(
        "bittorrent-seeder/bitfield/too-short",
        Should,
        UNFIT,
        "The kit says a bitfield that is one byte too short.",
        CLOSED,
        |kit| {
            let mut bits = Pieces::none(kit.torrent().pieces()).bitfield().to_vec();
            bits.pop();
            says_first(kit, PeerMessage::Bitfield(bits))
        },
    ),
    case(
        "bittorrent-seeder/bitfield/spare-bits",
        May,
        UNFIT,
        "The kit says a bitfield with a spare bit set.",
        CLOSED,
        |kit| {
            let pieces = kit.torrent().pieces();
            if pieces % 8 == 0 {
                let why = "the torrent's bitfield has no spare bits";
                return Err(Stop::Silent(why.to_owned()));
            }
            let mut bits = Pieces::none(pieces).bitfield().to_vec();
            if let Some(last) = bits.last_mut() {
                *last |= 1;
            }
            says_first(kit, PeerMessage::Bitfield(bits))
        },
    ),
    case(
        "bittorrent-seeder/bitfield/late",
        May,
        (&["bep3/bitfield-first-only"], "a_late_bitfield_is_closed"),
        "The kit says that it is not interested, and a bitfield after that.",
        CLOSED,
        |kit| {
            let bits = Pieces::none(kit.torrent().pieces()).bitfield().to_vec();
            let mut peer = kit.probed()?;
            peer.send(PeerMessage::NotInterested)?;
            peer.send(PeerMessage::Bitfield(bits))?;
            peer.settle_closed()
        },
    ),
    case(
        "bittorrent-seeder/have/no-such-piece",
        May,
        (&["bep3/have-in-range"], "a_have_for_no_piece_is_closed"),
        "The kit says that it has a piece which the torrent lacks.",
        CLOSED,
        |kit| {
            let beyond = kit.torrent().pieces();
            says_first(kit, PeerMessage::Have(beyond))
        },
    ),
];

/// The story of every case that looks at what the target says to a peer without extensions.
pub(super) fn greeted_plainly(kit: &mut SeederKit) -> Result<(), Stop> {
    let mut peer = kit.greeted(Reserved::NONE)?;
    peer.settle(|link| link.heard.has.is_complete())?;
    Ok(())
}

fn says_first(kit: &mut SeederKit, message: PeerMessage) -> Result<(), Stop> {
    let mut peer = kit.probed()?;
    peer.send(message)?;
    peer.settle_closed()
}

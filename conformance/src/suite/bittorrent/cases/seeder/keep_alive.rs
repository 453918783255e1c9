//! Keep-alives, silence, and messages that mean nothing to the target.

use std::time::Duration;

use peerproof_model::bittorrent::message::PeerMessage;

use super::blocks::whole_piece;
use super::{case, slow};
use crate::case::Case;
use crate::case::Level::{May, Must, Should};
use crate::suite::bittorrent::seeder::SeederKit;

/// Longer than the two minutes of the source, with the time that a message may travel.
const TWO_MINUTES: Duration = Duration::from_secs(124);

/// A silence that a connection of deployed software survives.
const LULL: Duration = Duration::from_secs(100);

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/keep-alive/ignored",
        Must,
        (
            &["bep3/keep-alive-ignored"],
            "an_innocent_neighbour_is_kept",
        ),
        "The kit sends three keep-alives.",
        "The target keeps the connection.",
        |kit| {
            let mut peer = kit.probed()?;
            let keep_alive = PeerMessage::KeepAlive;
            peer.send_together(&[keep_alive.clone(), keep_alive.clone(), keep_alive])?;
            kit.probe(&mut peer)
        },
    ),
    slow(case(
        "bittorrent-seeder/keep-alive/sent",
        Should,
        (&["bep3/keep-alive"], "never_silent_for_two_minutes"),
        "The kit stays connected and says nothing but keep-alives.",
        "The target sends a keep-alive at least every two minutes.",
        |kit| {
            let mut peer = kit.probed()?;
            peer.listen_for_keep_alive(TWO_MINUTES)
        },
    )),
    slow(case(
        "bittorrent-seeder/idle/kept",
        May,
        (&["bep3/keep-alive"], "an_innocent_neighbour_is_kept"),
        "The kit, interested, says nothing for 100 seconds.",
        "The target keeps the connection.",
        |kit| {
            let mut peer = kit.probed()?;
            peer.send(PeerMessage::Interested)?;
            peer.wait_until(LULL, |link| link.heard.closed)?;
            kit.probe(&mut peer)
        },
    )),
    case(
        "bittorrent-seeder/unknown/with-payload",
        Should,
        (
            &["deployed/unknown-ids-skipped"],
            "unknown_messages_are_skipped",
        ),
        "The kit sends a message of type 77 with 100 bytes.",
        "The target skips it.",
        |kit| {
            let mut peer = kit.probed()?;
            let mut payload = vec![0; 100];
            kit.random.fill(&mut payload);
            peer.send(PeerMessage::Unknown { id: 77, payload })?;
            kit.probe(&mut peer)
        },
    ),
    case(
        "bittorrent-seeder/unknown/empty",
        Should,
        (
            &["deployed/unknown-ids-skipped"],
            "unknown_messages_are_skipped",
        ),
        "The kit sends a message of type 255 without payload.",
        "The target skips it.",
        |kit| {
            let mut peer = kit.probed()?;
            let payload = Vec::new();
            peer.send(PeerMessage::Unknown { id: 255, payload })?;
            kit.probe(&mut peer)
        },
    ),
    case(
        "bittorrent-seeder/message/well-formed",
        Must,
        (&["bep3/message-layout"], "every_message_is_well_formed"),
        "The kit requests every block of a piece.",
        "Every message of the target has the length that its type demands.",
        whole_piece,
    ),
];

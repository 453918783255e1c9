//! Who may request.

use super::super::{Config, Timer};
use super::room::{Solo, address, small, torrent};
use crate::bittorrent::message::{PeerMessage, Reserved};

fn seeder(regular_slots: usize) -> Solo {
    Solo::new(Config {
        regular_slots,
        ..small(&torrent(2), 9).seeding()
    })
}

fn unchoked(solo: &mut Solo, number: u8) -> bool {
    let mut said = solo.heard(number);
    said.retain(|message| matches!(message, PeerMessage::Choke | PeerMessage::Unchoke));
    said.last() == Some(&PeerMessage::Unchoke)
}

#[test]
fn the_first_interested_fill_the_slots_and_the_next_waits() {
    let mut solo = seeder(1);
    for neighbour in [1, 2, 3] {
        solo.join(neighbour, Reserved::NONE);
        solo.tell(neighbour, [PeerMessage::Interested]);
    }
    assert!(unchoked(&mut solo, 1) && unchoked(&mut solo, 2));
    assert!(!unchoked(&mut solo, 3));
    // Somebody loses interest: the slot passes on at once.
    solo.tell(1, [PeerMessage::NotInterested]);
    assert_eq!(solo.heard(1), [PeerMessage::Choke]);
    assert!(unchoked(&mut solo, 3));
}

#[test]
fn whoever_gave_most_gets_the_regular_slot() {
    let mut solo = Solo::new(Config {
        optimistic_slot: false,
        pipeline: 1,
        ..small(&torrent(2), 9)
    });
    for neighbour in [1, 2] {
        solo.join(neighbour, Reserved::NONE);
        solo.tell(neighbour, [PeerMessage::Interested]);
    }
    assert!(unchoked(&mut solo, 1) && !unchoked(&mut solo, 2));
    solo.tell(2, [PeerMessage::Have(0), PeerMessage::Unchoke]);
    solo.tell(
        2,
        [PeerMessage::Piece {
            index: 0,
            begin: 0,
            data: vec![0],
        }],
    );
    solo.expire(Timer::Rechoke);
    assert_eq!(solo.heard(1), [PeerMessage::Choke]);
    assert!(unchoked(&mut solo, 2));
}

#[test]
fn the_optimistic_slot_moves_to_somebody_who_waits() {
    let mut solo = seeder(0);
    for neighbour in [1, 2] {
        solo.join(neighbour, Reserved::NONE);
        solo.tell(neighbour, [PeerMessage::Interested]);
    }
    assert!(unchoked(&mut solo, 1) && !unchoked(&mut solo, 2));
    solo.expire(Timer::Optimistic);
    assert_eq!(solo.heard(1), [PeerMessage::Choke]);
    assert!(unchoked(&mut solo, 2));
    solo.input(crate::node::Input::Closed(address(2)));
    assert!(unchoked(&mut solo, 1));
}

//! Whom a peer serves, and with what.

use super::*;

fn interested(scene: Scene) -> Scene {
    scene.met(PLAIN).told(PeerMessage::Interested)
}

/// A seeder that has unchoked its neighbour.
fn serving() -> Scene {
    interested(seeder())
        .heard(all())
        .heard(PeerMessage::Unchoke)
}

#[test]
fn slots() {
    let unchoke = PeerMessage::Unchoke;
    let two = || interested(interested(seeder()).heard(unchoke.clone()).on(1));
    let three = interested(two().heard(unchoke.clone()).on(2));
    fact(
        "never_more_unchoked_than_slots",
        two().heard(unchoke.clone()),
        three.clone().heard(unchoke.clone()),
        interested(seeder()).heard(unchoke.clone()),
    );
    fact(
        "an_interested_neighbour_is_unchoked_while_slots_are_free",
        interested(seeder()).heard(unchoke),
        interested(seeder()).quiet(),
        three.quiet(),
    );
}

#[test]
fn reciprocation() {
    let gives = |scene: Scene| scene.told(PeerMessage::Unchoke).told(block(0, 0, 100));
    let giver = |unchoked: bool| {
        let scene = gives(interested(leecher()));
        if unchoked {
            scene.heard(PeerMessage::Unchoke)
        } else {
            scene
        }
    };
    let riders = |scene: Scene| {
        let scene = interested(scene.on(1)).heard(PeerMessage::Unchoke);
        interested(scene.on(2))
            .heard(PeerMessage::Unchoke)
            .see(Observation::ChokeRound)
    };
    fact(
        "free_riders_get_only_the_optimistic_slot_while_reciprocators_wait",
        riders(giver(true)),
        riders(giver(false)),
        riders(interested(seeder())),
    );
}

#[test]
fn blocks() {
    let asked = || serving().told(request(0, 0, 100));
    fact(
        "blocks_are_what_was_asked_for",
        asked().heard(block(0, 0, 100)),
        asked().heard(block(0, 0, 99)),
        asked().quiet(),
    );
    fact(
        "blocks_have_the_bytes_of_the_torrent",
        asked().heard(block(0, 0, 100)),
        asked().heard(wrong(0, 0, 100)),
        asked().quiet(),
    );
    fact(
        "requests_of_an_unchoked_neighbour_are_answered",
        asked().heard(block(0, 0, 100)),
        asked().quiet(),
        serving().quiet(),
    );
    let choked = || interested(seeder()).told(request(0, 0, 100));
    fact(
        "choked_neighbours_get_no_blocks",
        choked().quiet(),
        choked().heard(block(0, 0, 100)),
        asked().heard(block(0, 0, 100)),
    );
    let cancelled = || asked().told(PeerMessage::Cancel(at(0, 0, 100)));
    fact(
        "cancelled_requests_are_dropped",
        cancelled().quiet(),
        cancelled().heard(block(0, 0, 100)),
        asked().quiet(),
    );
}

#[test]
fn bounds() {
    let served = PeerMessage::Piece {
        index: 2,
        begin: 39990,
        data: vec![0; 10],
    };
    let beyond = || serving().told(request(2, 39990, 11));
    let right = || {
        serving()
            .told(request(0, 0, 16384))
            .heard(block(0, 0, 16384))
    };
    fact(
        "requests_beyond_the_piece_get_no_block",
        beyond().quiet(),
        beyond().heard(served),
        right(),
    );
    fact(
        "requests_beyond_the_piece_are_refused",
        beyond().ended(),
        beyond().quiet(),
        right(),
    );
    let empty = || serving().told(request(0, 0, 0));
    let nothing = PeerMessage::Piece {
        index: 0,
        begin: 0,
        data: vec![],
    };
    fact(
        "empty_requests_get_no_block",
        empty().ended(),
        empty().heard(nothing),
        right(),
    );
    let long = || serving().told(request(0, 0, 16385));
    fact(
        "oversized_requests_get_no_block",
        long().quiet(),
        long().heard(block(0, 0, 16385)),
        right(),
    );
    fact(
        "oversized_requests_are_refused",
        long().ended(),
        long().quiet(),
        right(),
    );
    let huge = || serving().told(request(0, 0, (1 << 17) + 1));
    fact(
        "huge_requests_get_no_block",
        huge().quiet(),
        huge().heard(block(0, 0, 65536)),
        long().quiet(),
    );
}

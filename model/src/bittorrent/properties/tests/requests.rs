//! What a peer requests, and in which order.

use super::*;

/// A leecher whose neighbour has everything and unchokes.
fn fetching(has: &[u32]) -> Scene {
    subject(has)
        .met(PLAIN)
        .told(all())
        .told(PeerMessage::Unchoke)
}

#[test]
fn interest() {
    let met = || subject(&[0]).met(PLAIN);
    let wanted = || met().told(all());
    let useless = || met().told(PeerMessage::Bitfield(vec![0x80]));
    let interested = PeerMessage::Interested;
    fact(
        "interest_is_said",
        wanted().heard(interested.clone()),
        wanted().quiet(),
        useless().quiet(),
    );
    fact(
        "interested_only_when_something_is_lacking",
        wanted().heard(interested.clone()),
        useless().heard(interested.clone()),
        useless().quiet(),
    );
    fact(
        "interest_ends_with_the_last_wanted_piece",
        useless()
            .heard(interested.clone())
            .heard(PeerMessage::NotInterested),
        useless().heard(interested.clone()).quiet(),
        wanted().heard(interested).quiet(),
    );
}

#[test]
fn single_requests() {
    let choked = || leecher().met(PLAIN).told(all());
    fact(
        "requests_only_while_unchoked",
        fetching(&[]).heard(request(0, 0, 16384)),
        choked().heard(request(0, 0, 16384)),
        fetching(&[]).quiet(),
    );
    let offered = leecher()
        .met(PLAIN.with_fast())
        .told(PeerMessage::HaveAll)
        .told(PeerMessage::AllowedFast(1));
    assert_eq!(
        offered
            .heard(request(1, 0, 9))
            .judge("requests_only_while_unchoked"),
        Holds
    );
    let some = leecher()
        .met(PLAIN)
        .told(PeerMessage::Have(1))
        .told(PeerMessage::Unchoke);
    fact(
        "requests_only_what_the_neighbour_has",
        some.clone().heard(request(1, 0, 9)),
        some.heard(request(0, 0, 9)),
        fetching(&[]).quiet(),
    );
    fact(
        "requests_only_what_is_missing",
        fetching(&[0]).heard(request(1, 0, 9)),
        fetching(&[0]).heard(request(0, 0, 9)),
        fetching(&[0]).quiet(),
    );
    fact(
        "requests_lie_inside_their_piece",
        fetching(&[]).heard(request(2, 39999, 1)),
        fetching(&[]).heard(request(2, 39999, 2)),
        fetching(&[]).heard(PeerMessage::Interested),
    );
    fact(
        "requests_are_at_most_16_kib",
        fetching(&[]).heard(request(0, 0, 16384)),
        fetching(&[]).heard(request(0, 0, 16385)),
        fetching(&[]).heard(PeerMessage::Interested),
    );
}

/// Another neighbour that has only piece 1, so that piece 2 is rarer.
fn skewed(has: &[u32]) -> Scene {
    let scene = subject(has).on(1).met(PLAIN).told(PeerMessage::Have(1));
    scene
        .on(0)
        .met(PLAIN)
        .told(all())
        .told(PeerMessage::Unchoke)
}

#[test]
fn the_order_of_pieces() {
    fact(
        "the_chosen_piece_is_a_rarest_one",
        skewed(&[0]).heard(request(2, 0, 16384)),
        skewed(&[0]).heard(request(1, 0, 16384)),
        // The first piece of all may be any.
        skewed(&[]).heard(request(1, 0, 16384)),
    );
    let started = || fetching(&[]).heard(request(0, 0, 16384));
    fact(
        "a_started_piece_is_finished_first",
        started().heard(request(0, 16384, 16384)),
        started().heard(request(1, 0, 16384)),
        fetching(&[]).heard(request(1, 0, 16384)),
    );
    // What was started on a link that is gone is not started any more.
    let gone = started()
        .see(Observation::ClosedByNeighbour(0))
        .on(1)
        .met(PLAIN);
    let gone = gone
        .told(all())
        .told(PeerMessage::Unchoke)
        .heard(request(1, 0, 16384));
    assert_eq!(gone.judge("a_started_piece_is_finished_first"), Unknown);
}

/// Everything that is missing was requested of neighbour 0, and neighbour 1 has it too.
fn endgame(last: bool) -> Scene {
    let mut scene = fetching(&[0, 1])
        .on(1)
        .met(PLAIN)
        .told(all())
        .told(PeerMessage::Unchoke)
        .on(0);
    for (begin, length) in [(0, 16384), (16384, 16384)] {
        scene = scene.heard(request(2, begin, length));
    }
    if last {
        scene.heard(request(2, 32768, 7232))
    } else {
        scene
    }
}

#[test]
fn the_endgame() {
    fact(
        "duplicates_only_in_endgame",
        endgame(true).on(1).heard(request(2, 0, 16384)),
        endgame(false).on(1).heard(request(2, 0, 16384)),
        endgame(false).on(1).heard(request(2, 32768, 7232)),
    );
    let twice = || {
        endgame(true)
            .on(1)
            .heard(request(2, 0, 16384))
            .on(0)
            .told(block(2, 0, 16384))
            .on(1)
    };
    fact(
        "duplicates_are_cancelled_on_arrival",
        twice().heard(PeerMessage::Cancel(at(2, 0, 16384))),
        twice().quiet(),
        endgame(true).quiet(),
    );
}

#[test]
fn spoiled_pieces() {
    let asked = || fetching(&[]).heard(request(0, 0, 16384));
    let spoiled = || asked().told(wrong(0, 0, 16384));
    let sound = || spoiled().on(1).met(PLAIN).told(all());
    let name = "spoiled_pieces_are_fetched_again";
    fact(
        name,
        spoiled().heard(request(0, 0, 16384)),
        sound().told(PeerMessage::Unchoke).see(Observation::Calm),
        // There is nobody but the liar: to wait for somebody else is as good.
        spoiled().see(Observation::Calm),
    );
    let choked = sound().see(Observation::Calm);
    assert_eq!(choked.judge(name), Unknown);
}

//! Handshake, declaration, offences.

use super::*;

fn greeted(handshake: Handshake) -> Scene {
    seeder()
        .opened(false)
        .told_frame(Frame::Handshake(handshake))
}

fn neighbour() -> Handshake {
    handshake(PLAIN, PeerId([1; 20]))
}

#[test]
fn handshakes() {
    let own = Frame::Handshake(handshake(PLAIN, SUBJECT));
    fact(
        "the_handshake_names_the_torrent",
        greeted(neighbour()).heard_frame(own.clone()),
        greeted(neighbour()).heard_frame(Frame::Handshake(foreign())),
        greeted(neighbour()).quiet(),
    );
    fact(
        "the_handshake_is_answered",
        greeted(neighbour()).heard_frame(own.clone()),
        greeted(neighbour()).quiet(),
        greeted(foreign()).quiet(),
    );
    fact(
        "the_dialler_speaks_first",
        seeder().opened(true).heard_frame(own.clone()),
        seeder().opened(true).quiet(),
        seeder().opened(false).quiet(),
    );
    fact(
        "a_handshake_for_another_torrent_is_closed",
        greeted(foreign()).ended(),
        greeted(foreign()).quiet(),
        greeted(neighbour()).ended(),
    );
}

#[test]
fn who_is_met() {
    let known = || seeder().on(1).met(PLAIN).on(0).opened(false);
    let itself = Frame::Handshake(handshake(PLAIN, SUBJECT));
    fact(
        "a_connection_with_itself_is_closed",
        known().told_frame(itself.clone()).ended(),
        known().told_frame(itself.clone()).quiet(),
        known().told_frame(Frame::Handshake(neighbour())).ended(),
    );
    let expecting = |peer_id| Expected {
        ip: None,
        peer_id: Some(PeerId(peer_id)),
    };
    let dialled = |peer_id| {
        let scene = seeder().expecting(expecting(peer_id)).opened(true);
        scene.told_frame(Frame::Handshake(neighbour()))
    };
    fact(
        "a_stranger_behind_a_dialled_address_is_closed",
        dialled([5; 20]).ended(),
        dialled([5; 20]).quiet(),
        dialled([1; 20]).quiet(),
    );
}

#[test]
fn declarations() {
    let met = || subject(&[0]).met(PLAIN);
    let first = PeerMessage::Bitfield(vec![0x80]);
    fact(
        "the_declaration_is_the_first_message",
        met().heard(PeerMessage::KeepAlive).heard(first.clone()),
        met().heard(PeerMessage::Unchoke).heard(first.clone()),
        met().heard(PeerMessage::Unchoke),
    );
    fact(
        "the_bitfield_fits_the_torrent",
        met().heard(first.clone()),
        met().heard(PeerMessage::Bitfield(vec![0x90])),
        met().heard(PeerMessage::HaveAll),
    );
    assert!(
        met()
            .heard(PeerMessage::Bitfield(vec![0x80, 0]))
            .judge("the_bitfield_fits_the_torrent")
            .is_broken()
    );
    fact(
        "only_verified_pieces_are_announced",
        met().heard(first.clone()),
        met().heard(PeerMessage::Have(1)),
        met().heard(PeerMessage::HaveNone),
    );
    fact(
        "every_piece_is_announced",
        met().heard(first.clone()).quiet(),
        met().quiet(),
        leecher().met(PLAIN).quiet(),
    );
    // Nobody needs to hear of a piece that it has.
    assert_eq!(
        met()
            .told(first.clone())
            .quiet()
            .judge("every_piece_is_announced"),
        Holds
    );
    fact(
        "a_piece_is_announced_once",
        met().heard(PeerMessage::Have(0)),
        met().heard(first.clone()).heard(PeerMessage::Have(0)),
        met().heard(first),
    );
}

#[test]
fn a_piece_counts_as_verified_only_when_all_of_it_was_right() {
    let fetched = |last: PeerMessage| {
        let scene = leecher().met(PLAIN).told(all()).told(PeerMessage::Unchoke);
        let blocks = [(0, 16384), (16384, 16384), (32768, 7232)];
        let scene = blocks.iter().fold(scene, |scene, (begin, length)| {
            scene.heard(request(2, *begin, *length))
        });
        let scene = scene.told(block(2, 0, 16384)).told(block(2, 16384, 16384));
        scene.told(last).heard(PeerMessage::Have(2))
    };
    let fact = "only_verified_pieces_are_announced";
    assert_eq!(fetched(block(2, 32768, 7232)).judge(fact), Holds);
    assert!(fetched(wrong(2, 32768, 7232)).judge(fact).is_broken());
    assert!(fetched(PeerMessage::KeepAlive).judge(fact).is_broken());
}

/// The link is ended after the last word, which is no offence in the second scene.
fn closed(fact_name: &str, guilty: &Scene, innocent: Scene) {
    fact(
        fact_name,
        guilty.clone().ended(),
        guilty.clone().quiet(),
        innocent.ended(),
    );
}

#[test]
fn offences() {
    let met = || seeder().met(PLAIN);
    let fast = || seeder().met(PLAIN.with_fast()).told(PeerMessage::HaveNone);
    let none = PeerMessage::Bitfield(vec![0]);
    closed(
        "malformed_messages_are_closed",
        &met().told_frame(Frame::Malformed("x".into())),
        met(),
    );
    let late = met().told(PeerMessage::Interested).told(none.clone());
    closed("a_late_bitfield_is_closed", &late, met().told(none));
    let unfit = met().told(PeerMessage::Bitfield(vec![0x10]));
    closed("a_bitfield_that_does_not_fit_is_closed", &unfit, met());
    closed(
        "a_have_for_no_piece_is_closed",
        &met().told(PeerMessage::Have(3)),
        met().told(PeerMessage::Have(2)),
    );
    closed(
        "uninvited_fast_messages_are_closed",
        &met().told(PeerMessage::HaveNone),
        fast(),
    );
    closed(
        "an_unasked_block_is_closed",
        &fast().told(block(0, 0, 1)),
        met().told(block(0, 0, 1)),
    );
    let reject = PeerMessage::RejectRequest(at(0, 0, 1));
    closed(
        "an_unasked_rejection_is_closed",
        &fast().told(reject),
        fast(),
    );
}

#[test]
fn what_only_seems_to_be_an_offence() {
    let strange = PeerMessage::Unknown {
        id: 200,
        payload: vec![1],
    };
    let met = || {
        seeder()
            .met(PLAIN.with_extension_protocol())
            .told(strange.clone())
    };
    fact(
        "unknown_messages_are_skipped",
        met().quiet(),
        met().ended(),
        met().told(request(7, 0, 1)).ended(),
    );
    // A piece that the torrent lacks is a reason to close, in an offer and in a suggestion, though nobody must.
    for absurd in [
        PeerMessage::SuggestPiece(3),
        PeerMessage::AllowedFast(u32::MAX),
    ] {
        let scene = seeder().met(PLAIN.with_fast()).told(strange.clone());
        let scene = scene.told(absurd);
        assert_eq!(
            scene.clone().ended().judge("unknown_messages_are_skipped"),
            Unknown
        );
        assert_eq!(
            scene.ended().judge("an_innocent_neighbour_is_kept"),
            Unknown
        );
    }
    let extended = || {
        let strange = PeerMessage::Extended {
            id: 255,
            payload: vec![],
        };
        seeder().met(PLAIN.with_extension_protocol()).told(strange)
    };
    fact(
        "unknown_extended_messages_are_skipped",
        extended().quiet(),
        extended().ended(),
        seeder().met(PLAIN).told(strange.clone()).quiet(),
    );
    let silent = |seconds| {
        seeder()
            .met(PLAIN)
            .see(Observation::Silence { link: 0, seconds })
    };
    fact(
        "never_silent_for_two_minutes",
        seeder().met(PLAIN).heard(PeerMessage::KeepAlive),
        silent(130),
        silent(100),
    );
}

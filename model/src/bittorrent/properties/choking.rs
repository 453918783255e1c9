//! Who may request, and who would like to.

use crate::bittorrent::message::PeerMessage;
use crate::bittorrent::view::{LinkView, Moment, Observation, PeerView};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

facts! {
    never_more_unchoked_than_slots ["bep3/upload-slots"];
    an_interested_neighbour_is_unchoked_while_slots_are_free ["bep3/upload-slots"];
    free_riders_get_only_the_optimistic_slot_while_reciprocators_wait ["bep3/tit-for-tat"];
    interest_is_said ["bep3/interest-up-to-date"];
    interest_ends_with_the_last_wanted_piece ["bep3/interest-up-to-date"];
    interested_only_when_something_is_lacking ["bep3/interest-up-to-date"];
}

/// How many neighbours may request.
fn unchoked(view: &PeerView) -> usize {
    let open = view.links.values().filter(|link| link.is_open());
    open.filter(|link| !link.heard.choking).count()
}

fn never_more_unchoked_than_slots(moment: &Moment) -> Judgement {
    let (Some((link, PeerMessage::Unchoke)), Some(slots)) = (moment.heard(), moment.view.slots)
    else {
        return Unknown;
    };
    let after = unchoked(&moment.view) + usize::from(link.heard.choking);
    let bound = slots as usize;
    if after < bound {
        return Unknown;
    }
    Judgement::check(after == bound, || {
        format!("{after} neighbours are unchoked, with {slots} slots")
    })
}

fn an_interested_neighbour_is_unchoked_while_slots_are_free(moment: &Moment) -> Judgement {
    let view = &moment.view;
    if let Some((link, PeerMessage::Unchoke)) = moment.heard() {
        return if link.told.interested { Holds } else { Unknown };
    }
    let waiting = |link: &&LinkView| link.stands() && link.told.interested && link.heard.choking;
    let content = |link: &&LinkView| link.told.interested && !link.heard.choking;
    if moment.quiet().filter(content).is_some() {
        return Holds;
    }
    if moment.quiet().filter(waiting).is_none() {
        return Unknown;
    }
    // A subject that does not state its slots has one at least.
    let slots = view.slots.unwrap_or(1) as usize;
    if unchoked(view) < slots {
        return Broken("an interested neighbour is choked while a slot is free".to_owned());
    }
    Unknown
}

/// Judged when the slots have been given anew. A subject that has everything gets nothing from anybody.
fn free_riders_get_only_the_optimistic_slot_while_reciprocators_wait(moment: &Moment) -> Judgement {
    let view = &moment.view;
    let seeds = view.possible().is_complete();
    if moment.now != Observation::ChokeRound || seeds {
        return Unknown;
    }
    let wanting = || {
        view.links
            .values()
            .filter(|link| link.is_open() && link.told.interested)
    };
    let gave = |link: &&LinkView| link.received_this_round > 0;
    let waiting = wanting()
        .filter(gave)
        .filter(|link| link.heard.choking)
        .count();
    let riding = wanting()
        .filter(|link| !gave(link) && !link.heard.choking)
        .count();
    if wanting().filter(gave).count() == 0 || wanting().all(|link| gave(&link)) {
        return Unknown;
    }
    Judgement::check(waiting == 0 || riding <= 1, || {
        format!("{riding} neighbours that gave nothing are unchoked while {waiting} that gave wait")
    })
}

/// Whether the neighbour has a piece that the subject cannot have.
fn lacks_something(view: &PeerView, link: &LinkView) -> bool {
    link.told.has.iter().any(|piece| !view.can_have(piece))
}

fn interest_is_said(moment: &Moment) -> Judgement {
    if let Some((link, PeerMessage::Interested)) = moment.heard() {
        let right = lacks_something(&moment.view, link);
        return if right { Holds } else { Unknown };
    }
    match moment.quiet() {
        Some(link) if link.stands() && lacks_something(&moment.view, link) => {
            let innocent = link.told.offence.is_some() || link.heard.interested;
            if innocent {
                return Unknown;
            }
            Broken("the neighbour has a missing piece, and no interest is said".to_owned())
        }
        _ => Unknown,
    }
}

/// Whether the subject has verified all that the neighbour has.
fn wants_nothing(view: &PeerView, link: &LinkView) -> bool {
    link.told.has.iter().all(|piece| view.must_have(piece))
}

fn interest_ends_with_the_last_wanted_piece(moment: &Moment) -> Judgement {
    if let Some((link, PeerMessage::NotInterested)) = moment.heard() {
        let right = link.heard.interested && wants_nothing(&moment.view, link);
        return if right { Holds } else { Unknown };
    }
    match moment.quiet() {
        Some(link) if link.heard.interested && wants_nothing(&moment.view, link) => {
            Broken("it is still interested in a neighbour that has nothing it lacks".to_owned())
        }
        // Whoever hangs up has no interest either.
        None if moment.now == Observation::Calm => {
            let left = |link: &LinkView| link.heard.closed && link.heard.interested;
            let mut links = moment.view.links.values();
            let gone = links.any(|link| left(link) && wants_nothing(&moment.view, link));
            if gone { Holds } else { Unknown }
        }
        _ => Unknown,
    }
}

fn interested_only_when_something_is_lacking(moment: &Moment) -> Judgement {
    match moment.heard() {
        Some((link, PeerMessage::Interested)) => {
            let lacking = link
                .told
                .has
                .iter()
                .any(|piece| !moment.view.must_have(piece));
            Judgement::check(lacking, || {
                "it is interested in a neighbour that has nothing it lacks".to_owned()
            })
        }
        _ => Unknown,
    }
}

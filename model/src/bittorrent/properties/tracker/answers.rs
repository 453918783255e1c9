//! Whether and in which form a tracker answers over HTTP, and what it refuses.

use super::{accepted, always};
use crate::bittorrent::message::{AnnounceResponse, Peers, ScrapeResponse};
use crate::bittorrent::tracker_view::{Answer, Question, TrackerMoment};
use crate::bittorrent::wire::ErrorClass;
use crate::property::{Judgement, Property};

pub(super) static PROPERTIES: &[Property<TrackerMoment>] = &[
    always(
        "announces_are_answered",
        &["bep3/tracker-answers-announces"],
        announces_are_answered,
    ),
    always(
        "scrapes_are_answered",
        &["bep48/scrape"],
        scrapes_are_answered,
    ),
    always(
        "answers_are_well_formed",
        &["bep3/tracker-answers-announces"],
        answers_are_well_formed,
    ),
    always(
        "answers_are_canonical",
        &["bep3/tracker-reply-is-canonical"],
        answers_are_canonical,
    ),
    always(
        "compact_lists_are_whole",
        &["bep23/entries-of-six-bytes"],
        compact_lists_are_whole,
    ),
    always(
        "lists_are_compact_by_default",
        &["bep23/compact-by-default"],
        lists_are_compact,
    ),
    always(
        "malformed_announces_are_refused",
        &["bep3/failure-reason"],
        malformed_are_refused,
    ),
    always(
        "intervals_are_positive",
        &["bep3/tracker-interval"],
        intervals_are_positive,
    ),
];

/// A redirect tells nothing: nobody follows it here.
fn redirected(answer: &Answer) -> bool {
    matches!(answer, Answer::Status(300..=399))
}

pub(super) fn announces_are_answered(moment: &TrackerMoment) -> Judgement {
    let Some((_, connection_id)) = moment.now.announce() else {
        return Judgement::Unknown;
    };
    // Over UDP silence is right where the connection id is not the asker's, or old.
    let entitled = connection_id.is_none_or(|id| {
        let age = moment.view.age(id, moment.now.from);
        age.is_some_and(|age| age <= 60)
    });
    if !entitled || redirected(&moment.now.answer) {
        return Judgement::Unknown;
    }
    Judgement::check(moment.now.accepted().is_some(), || {
        format!("a well-formed announce got {}", moment.now.answer)
    })
}

fn scrapes_are_answered(moment: &TrackerMoment) -> Judgement {
    let Question::Scrape(_) = &moment.now.question else {
        return Judgement::Unknown;
    };
    let answer = &moment.now.answer;
    // A tracker may have no scrape, or refuse it.
    if redirected(answer) || moment.now.refused() {
        return Judgement::Unknown;
    }
    Judgement::check(
        matches!(answer, Answer::Scraped(ScrapeResponse::Files(_))),
        || format!("a well-formed scrape got {answer}"),
    )
}

/// Whatever the question was: no answer is half one. Over UDP and to nonsense, silence is an answer too.
fn answers_are_well_formed(moment: &TrackerMoment) -> Judgement {
    match (&moment.now.question, &moment.now.answer) {
        (_, Answer::Malformed(_)) => Judgement::Broken(moment.now.answer.to_string()),
        (Question::Announce(_) | Question::Scrape(_), Answer::NotHttp(_)) => {
            Judgement::Broken(moment.now.answer.to_string())
        }
        (_, Answer::NotHttp(_) | Answer::Closed | Answer::Nothing) => Judgement::Unknown,
        _ => Judgement::Holds,
    }
}

fn answers_are_canonical(moment: &TrackerMoment) -> Judgement {
    match (&moment.now.answer, &moment.now.departure) {
        (Answer::Announced(_) | Answer::Scraped(_), None) => Judgement::Holds,
        (Answer::Announced(_) | Answer::Scraped(_), Some(departure)) => Judgement::Broken(format!(
            "the answer is not canonical bencoding: {departure}"
        )),
        _ => Judgement::Unknown,
    }
}

fn compact_lists_are_whole(moment: &TrackerMoment) -> Judgement {
    match &moment.now.answer {
        Answer::Malformed(error) if matches!(error.class, ErrorClass::CompactLength(_)) => {
            Judgement::Broken(error.to_string())
        }
        Answer::Announced(AnnounceResponse::Success(success)) => match &success.peers {
            Some(Peers::Compact(peers)) if !peers.is_empty() => Judgement::Holds,
            _ => Judgement::Unknown,
        },
        _ => Judgement::Unknown,
    }
}

fn lists_are_compact(moment: &TrackerMoment) -> Judgement {
    let (Question::Announce(request), Answer::Announced(AnnounceResponse::Success(success))) =
        (&moment.now.question, &moment.now.answer)
    else {
        return Judgement::Unknown;
    };
    match &success.peers {
        Some(Peers::Compact(_)) if request.compact != Some(false) => Judgement::Holds,
        Some(Peers::Dictionaries(_)) if request.compact != Some(false) => {
            Judgement::Broken("the peers are a list of dictionaries".to_owned())
        }
        _ => Judgement::Unknown,
    }
}

fn malformed_are_refused(moment: &TrackerMoment) -> Judgement {
    let Question::MalformedAnnounce(flaw) = &moment.now.question else {
        return Judgement::Unknown;
    };
    match &moment.now.answer {
        Answer::Announced(AnnounceResponse::Success(_)) => {
            Judgement::Broken(format!("an announce with {flaw} was accepted"))
        }
        answer if moment.now.refused() => {
            debug_assert!(!redirected(answer), "a redirect is no refusal");
            Judgement::Holds
        }
        answer if redirected(answer) => Judgement::Unknown,
        answer => Judgement::Broken(format!("an announce with {flaw} got {answer}")),
    }
}

fn intervals_are_positive(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, _)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    Judgement::check(accepted.interval > 0, || {
        "the interval is 0 seconds".to_owned()
    })
}

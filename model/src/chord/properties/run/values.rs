//! What is stored, where, and for how long.

use super::always;
use crate::chord::properties::{holders, keys_are_replicated, keys_are_with_their_owner};
use crate::chord::run_view::{Asked, Gone, Moment, RunView};
use crate::chord::view::{Equipped, Ring, RingView};
use crate::property::Judgement::{self, Broken, Holds, Unknown};
use crate::property::Property;
use crate::space::circle::Id;

pub(super) fn properties() -> Vec<Property<RunView>> {
    vec![
        always(
            "stored_values_are_found",
            &["control/put", "control/get"],
            |view| reads(view, |_| true),
        ),
        always("the_last_write_wins", &["control/put"], |view| {
            reads(view, |read| writes_before(view, read) > 1)
        }),
        always("deleted_stays_deleted", &["control/delete"], |view| {
            reads(view, |read| {
                view.possible_values(read.key, read.at, read.at) == [None]
                    && writes_before(view, read) > 1
            })
        }),
        always(
            "acknowledged_values_survive",
            &["control/put", "lecture/keys-are-replicated"],
            |view| reads(view, |read| somebody_went(view, read)),
        ),
        always(
            "keys_are_where_they_belong",
            &["lecture/key-at-its-successor"],
            |view| kept(view, keys_are_with_their_owner),
        ),
        always(
            "values_are_replicated",
            &["lecture/keys-are-replicated", "control/put"],
            |view| kept(view, keys_are_replicated),
        ),
        always(
            "keys_move_to_the_newcomer",
            &["lecture/joining-takes-keys"],
            keys_move_to_the_newcomer,
        ),
    ]
}

/// How many puts and deletes of the key were acknowledged before a read.
fn writes_before(view: &RunView, read: &Asked<Option<String>>) -> usize {
    let writes = view
        .writes
        .iter()
        .filter(|write| write.asked.key == read.key);
    let ends = writes.filter_map(|write| write.asked.answer());
    ends.filter(|(at, ())| *at <= read.at).count()
}

/// Whether a member has crashed or left since the key was last written, before the read.
fn somebody_went(view: &RunView, read: &Asked<Option<String>>) -> bool {
    let writes = view
        .writes
        .iter()
        .filter(|write| write.asked.key == read.key);
    let last = writes
        .filter_map(|write| write.asked.answer())
        .map(|(at, ())| at);
    let Some(written) = last.filter(|at| *at <= read.at).max() else {
        return false;
    };
    view.stays.iter().any(|stay| {
        let went = stay.gone.filter(|(_, how)| *how != Gone::Refused);
        went.is_some_and(|(at, _)| at >= written && at <= read.at)
    })
}

/// Whether the chosen reads find what they may find. While the ring repairs itself a read may find nothing yet, and
/// what more nodes than keep it have taken away by crashing at once may be gone.
fn reads(view: &RunView, chosen: impl Fn(&Asked<Option<String>>) -> bool) -> Judgement {
    let mut judgement = Unknown;
    for read in view.reads.iter().filter(|read| chosen(read)) {
        let Some(over) = read.over() else { continue };
        let (node, key) = (read.node, read.key);
        let owed = view.is_settled_with_keys(read.at, over) && !view.too_many_crashed(over);
        if let Some((at, found)) = read.answer() {
            let possible = view.possible_values(key, read.at, at);
            if possible.contains(&found.as_deref()) {
                judgement = Holds;
            } else if owed {
                return Broken(format!(
                    "a get of {key} from {node} finds {}, and {} was stored",
                    shown(found.as_deref()),
                    shown(possible.first().copied().flatten())
                ));
            }
        } else if let Some(unanswered) = read.unanswered()
            && owed
            && !view.lossy
        {
            return Broken(format!("a get of {key} from {node} {unanswered}"));
        }
    }
    judgement.and_then(writes(view))
}

/// Whether a put or delete is refused although the ring is in order.
fn writes(view: &RunView) -> Judgement {
    for write in &view.writes {
        let asked = &write.asked;
        if let Some(unanswered) = asked.unanswered()
            && !view.lossy
            && asked.over().is_some_and(|at| view.is_settled(asked.at, at))
        {
            let what = if write.value.is_some() {
                "put"
            } else {
                "delete"
            };
            return Broken(format!(
                "a {what} of {} at {} {unanswered}",
                asked.key, asked.node
            ));
        }
    }
    Unknown
}

fn shown(value: Option<&str>) -> String {
    match value {
        Some(value) => format!("\"{}\"", value.chars().take(40).collect::<String>()),
        None => "nothing".to_owned(),
    }
}

/// Whether keys are where the rule says, in rings that are in order and have had the time for it.
fn kept(view: &RunView, rule: fn(&RingView<Id>) -> Judgement) -> Judgement {
    view.sights.iter().fold(writes(view), |so_far, sight| {
        let now = match view.is_in_order(sight) {
            Holds => sight.judge(|ring| {
                let ring = view.with_keys(sight, ring);
                ring.map_or(Unknown, |ring| rule(&ring))
            }),
            _ => Unknown,
        };
        let excused = !is_due(view, sight.at) || view.too_many_crashed(sight.at);
        so_far.and_then(if now.is_broken() && excused {
            Unknown
        } else {
            now
        })
    })
}

fn is_due(view: &RunView, at: Moment) -> bool {
    view.quiet_at(at) >= view.bounds.keys
}

/// What a newcomer owns, and was stored before it came, is with the newcomer; and where a key is kept once, nobody
/// else has it any more.
fn keys_move_to_the_newcomer(view: &RunView) -> Judgement {
    let mut judgement = Unknown;
    for newcomer in &view.stays {
        let Some(joined) = newcomer.joined else {
            continue;
        };
        let stored = view.stored_at(newcomer.asked);
        for sight in view.sights.iter().filter(|sight| sight.at >= joined) {
            if view.is_in_order(sight) != Holds {
                continue;
            }
            let still = view.stored_at(sight.at);
            let now = sight.judge(|ring| {
                let Some(ring) = view.with_keys(sight, ring) else {
                    return Unknown;
                };
                let moved = stored.intersection(&still);
                let moved = moved.filter(|key| ring.owner(**key) == Some(newcomer.node));
                moved.fold(Unknown, |so_far, key| {
                    so_far.and_then(has_moved(&ring, newcomer.node, *key))
                })
            });
            let excused = !is_due(view, sight.at) || view.too_many_crashed(sight.at);
            judgement = judgement.and_then(if now.is_broken() && excused {
                Unknown
            } else {
                now
            });
        }
    }
    judgement
}

fn has_moved(ring: &RingView<Id>, newcomer: Id, key: Id) -> Judgement {
    if !ring.keeps(newcomer, key) {
        return Broken(format!(
            "{newcomer} has joined and owns {key}, and does not have it"
        ));
    }
    let once = ring.replication() == 1;
    let keeper =
        |member: &Id| ring.keeps(*member, key) && !holders(ring, key).any(|it| it == *member);
    match ring.members().find(|member| once && keeper(member)) {
        Some(keeper) => Broken(format!(
            "{keeper} keeps {key}, which {newcomer} owns since it has joined"
        )),
        None => Holds,
    }
}

//! The model's questions and replies in the words of the control plane.

use peerproof_model::chord::host::{Question, Refusal, Reply as Said};
use peerproof_model::chord::view::MemberView;
use peerproof_model::space::circle::Id;

use crate::control::ErrorCode;
use crate::control::ring::{Finger, Introducer, Lookup, MOST_VALUE, Reply, Request, State};

/// The point of a node of that name: `n` and its number.
pub(crate) fn point(name: &str) -> Option<Id> {
    let digits = name.strip_prefix('n')?;
    let number: u64 = digits.parse().ok()?;
    (number.to_string() == digits).then(|| Id::from(number))
}

/// Points of the control plane have at most 32 bits.
pub(super) fn number(point: Id) -> u64 {
    point.small().unwrap_or(u64::MAX)
}

/// The point of a member through which to join.
pub(crate) fn introduced(introducer: Option<&Introducer>) -> Result<Option<Id>, String> {
    let Some(Introducer { node_id, .. }) = introducer else {
        return Ok(None);
    };
    match point(node_id) {
        Some(point) => Ok(Some(point)),
        None => Err(format!("`{node_id}` is no name of a node")),
    }
}

/// What a request asks of the model.
pub(crate) fn question(request: &Request) -> Result<Question, String> {
    Ok(match request {
        Request::Init(_) => return Err("`init` came before".to_owned()),
        Request::Join { introducer } => Question::Join(introduced(introducer.as_ref())?),
        Request::Leave => Question::Leave,
        Request::State => Question::State,
        Request::Lookup { key } => Question::Lookup(Id::from(*key)),
        Request::Put { value, .. } if value.len() > MOST_VALUE => {
            return Err(format!("a value has at most {MOST_VALUE} bytes"));
        }
        Request::Put { key, value } => Question::Put(Id::from(*key), value.clone().into_bytes()),
        Request::Get { key } => Question::Get(Id::from(*key)),
        Request::Delete { key } => Question::Delete(Id::from(*key)),
    })
}

/// What the node at `own` answers.
pub(super) fn reply(said: Said, own: Id) -> Result<Reply, (ErrorCode, String)> {
    Ok(match said {
        Said::Joined => Reply::JoinOk,
        Said::Left => Reply::LeaveOk,
        Said::State(member, view) => Reply::StateOk(state(member, &view, own)),
        Said::Found { owner, path } => Reply::LookupOk(Lookup {
            owner: number(owner),
            hops: u32::try_from(path.len().saturating_sub(1)).ok(),
            path: Some(path.into_iter().map(number).collect()),
        }),
        Said::Stored => Reply::PutOk,
        Said::Deleted => Reply::DeleteOk,
        Said::Got(value) => Reply::GetOk {
            value: String::from_utf8_lossy(&value).into_owned(),
        },
        Said::Refused(why) => {
            let (code, text) = refusal(why);
            return Err((code, text.to_owned()));
        }
    })
}

fn state(member: bool, view: &MemberView<Id>, own: Id) -> State {
    let fingers = view.fingers.iter().map(|finger| Finger {
        start: number(finger.start),
        node: finger.node.map(number),
    });
    let fingers: Vec<Finger> = fingers.collect();
    State {
        member,
        id: number(own),
        predecessor: Some(view.predecessor.map(number)),
        successors: view.successors.iter().copied().map(number).collect(),
        fingers: (!fingers.is_empty()).then_some(fingers),
        keys: Some(view.keys.iter().copied().map(number).collect()),
    }
}

/// The code and the words for what is not done.
fn refusal(why: Refusal) -> (ErrorCode, &'static str) {
    match why {
        Refusal::Malformed => (
            ErrorCode::MALFORMED_REQUEST,
            "no point of the circle, or no other node",
        ),
        Refusal::Unavailable => (
            ErrorCode::TEMPORARILY_UNAVAILABLE,
            "this node is no member, or nobody who could help answers",
        ),
        Refusal::InDoubt => (ErrorCode::TIMEOUT, "the owner has not said that it is done"),
        Refusal::NoSuchKey => (ErrorCode::KEY_DOES_NOT_EXIST, "no such key"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_nodes_are_n_and_their_number() {
        assert_eq!(point("n45"), Some(Id::from(45)));
        for other in ["kit", "n", "45", "n045", "n+4", "n-1", "m45", "n45 "] {
            assert_eq!(point(other), None, "{other}");
        }
    }
}

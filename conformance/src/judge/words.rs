//! What a model would have done, in one line each.

use peerproof_model::chord::host::{Host, Reply, Told};
use peerproof_model::chord::profile;
use peerproof_model::node::Output;

/// An output in words.
pub(super) fn output(output: &Output<Host>) -> String {
    match output {
        Output::Send { to, message } => format!("send n{to} {}", profile::encode(message)),
        Output::Tell(Told::Answer(ticket, reply)) => {
            format!("answer question {ticket}: {}", answer(reply))
        }
        Output::Tell(Told::Suspected(node)) => format!("take n{node} for dead"),
        Output::SetTimer { .. } | Output::CancelTimer(_) => "wait".to_owned(),
        Output::Open(_) | Output::Close(_) => "connect".to_owned(),
    }
}

fn answer(reply: &Reply) -> String {
    match reply {
        Reply::Joined => "it has joined".to_owned(),
        Reply::Left => "it has left".to_owned(),
        Reply::State(member, view) => format!(
            "member {member}, predecessor {}, successors {:?}, keys {:?}, fingers {:?}",
            view.predecessor
                .map_or_else(|| "unknown".to_owned(), |node| node.to_string()),
            view.successors,
            view.keys,
            view.fingers
                .iter()
                .map(|finger| finger.node)
                .collect::<Vec<_>>(),
        ),
        Reply::Found { owner, path } => format!("the owner is {owner}, by way of {path:?}"),
        Reply::Stored => "it is stored".to_owned(),
        Reply::Deleted => "it is deleted".to_owned(),
        Reply::Got(value) => format!("the value is {:?}", String::from_utf8_lossy(value)),
        Reply::Refused(why) => format!("it cannot ({why:?})"),
    }
}

//! One reference node behind the control plane: lines and expired alarms in, lines and alarms out.
//!
//! Whoever runs it carries the lines and keeps the alarms; so a whole ring runs in a test without a thread.

use std::net::SocketAddr;
use std::time::Duration;

use peerproof_model::chord::host;
use peerproof_model::chord::profile;
use serde_json::{Map, Value};

use super::breaks::Bug;
use super::member::Member;
use super::words::point;
use crate::control::ring::Request;
use crate::control::{Envelope, ErrorCode};

/// What the node wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Write this line, to the kit or, by way of it, to another node.
    Say(String),
    /// Listen there: what comes is for [`Desk::receive`].
    Listen(SocketAddr),
    /// Send this datagram there.
    Datagram(SocketAddr, Vec<u8>),
    /// Ring this alarm after that time; instead of earlier, if it was set.
    Set(Alarm, Duration),
    /// Do not ring it.
    Cancel(Alarm),
    /// Tell whoever looks after the program.
    Complain(String),
    /// Say nothing any more: only a broken node does that.
    FallSilent,
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// What the model's node waits for.
    Host(host::Alarm),
    /// The introducer's sign of life: only a broken node cares.
    Introducer,
}

/// Who asked, and under which number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asker {
    pub(super) name: String,
    pub(super) msg_id: u64,
}

/// The operations that a node of a ring has.
const OPERATIONS: [&str; 8] = [
    "init", "join", "leave", "state", "lookup", "put", "get", "delete",
];

/// A node before and after `init`.
#[derive(Debug)]
pub struct Desk {
    bug: Option<Bug>,
    member: Option<Box<Member>>,
}

impl Desk {
    /// A node that has been told nothing yet.
    pub fn new(bug: Option<Bug>) -> Self {
        Self { bug, member: None }
    }

    /// A line has come.
    pub fn hear(&mut self, line: &str, out: &mut Vec<Deed>) {
        let envelope = match Envelope::parse(line) {
            Ok(envelope) => envelope,
            Err(why) => return out.push(Deed::Complain(why.to_string())),
        };
        match (point(&envelope.src), &mut self.member) {
            (Some(from), Some(member)) if member.reads_lines() => {
                match profile::decode(&Value::Object(envelope.body)) {
                    Ok(message) => member.hear(from, message, out),
                    Err(why) => out.push(Deed::Complain(format!("{}: {why}", envelope.src))),
                }
            }
            // Whoever has been told nothing, or talks over sockets, heeds no line of another node.
            (Some(_), _) => {}
            (None, _) => self.asked(envelope, out),
        }
    }

    /// A datagram has come.
    pub fn receive(&mut self, datagram: &[u8], out: &mut Vec<Deed>) {
        if let Some(member) = &mut self.member {
            member.receive(datagram, out);
        }
    }

    /// An alarm has rung.
    pub fn ring(&mut self, alarm: Alarm, out: &mut Vec<Deed>) {
        if let Some(member) = &mut self.member {
            member.ring(alarm, out);
        }
    }

    fn asked(&mut self, envelope: Envelope, out: &mut Vec<Deed>) {
        let Some(msg_id) = envelope.msg_id() else {
            let kind = envelope.kind().unwrap_or_default();
            return out.push(Deed::Complain(format!("`{kind}` without a `msg_id`")));
        };
        let kind = envelope.kind().unwrap_or_default().to_owned();
        let own = envelope.dest;
        let asker = Asker {
            name: envelope.src,
            msg_id,
        };
        let refuse = |code, text: &str| error(&own, &asker, code, text);
        if !OPERATIONS.contains(&kind.as_str()) {
            let text = format!("there is no `{kind}` here");
            return out.push(refuse(ErrorCode::NOT_SUPPORTED, &text));
        }
        let request = match serde_json::from_value(Value::Object(envelope.body)) {
            Ok(request) => request,
            Err(why) => {
                return out.push(refuse(ErrorCode::MALFORMED_REQUEST, &why.to_string()));
            }
        };
        match (request, &mut self.member) {
            (Request::Init(_), Some(_)) => {
                out.push(refuse(ErrorCode::MALFORMED_REQUEST, "`init` came before"));
            }
            (Request::Init(init), None) => match Member::new(init, self.bug) {
                Ok(mut member) => {
                    member.introduce(asker, out);
                    self.member = Some(Box::new(member));
                }
                Err(why) => out.push(refuse(ErrorCode::MALFORMED_REQUEST, &why)),
            },
            (_, None) => {
                out.push(refuse(
                    ErrorCode::MALFORMED_REQUEST,
                    "`init` comes before everything",
                ));
            }
            (request, Some(member)) => member.asked(asker, request, out),
        }
    }
}

/// An answer that is an error.
pub(super) fn error(own: &str, asker: &Asker, code: ErrorCode, text: &str) -> Deed {
    let mut body = Map::new();
    body.insert("type".into(), "error".into());
    body.insert("code".into(), code.0.into());
    body.insert("text".into(), text.into());
    answer(own, asker, body)
}

/// An answer with that body.
pub(super) fn answer(own: &str, asker: &Asker, mut body: Map<String, Value>) -> Deed {
    body.insert("in_reply_to".into(), asker.msg_id.into());
    say(own, &asker.name, body)
}

/// A line.
pub(super) fn say(src: &str, dest: &str, body: Map<String, Value>) -> Deed {
    let envelope = Envelope {
        src: src.to_owned(),
        dest: dest.to_owned(),
        body,
    };
    Deed::Say(envelope.line())
}

//! What a log says of each node of a ring, and what the model's judge says about that.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use peerproof_model::chord::host::{Host, Refusal as Why};
use peerproof_model::chord::judge::{Answered, Seen, State};
use peerproof_model::chord::profile;
use peerproof_model::chord::view::Finger;
use peerproof_model::judge::{Delivery, Finding, Life, Limits, Sight};
use peerproof_model::node::Input;
use peerproof_model::space::circle::Id;
use serde_json::{Map, Value};

use super::trace::{Line, Log, LogError, What};
use super::words;
use crate::control::ErrorCode;
use crate::control::ring::{Figures, Network, Reply, Request};
use crate::serve::chord::figures::config;
use crate::serve::chord::words::{introduced, point, question};

/// What the judge says about a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How many events the log has.
    pub events: usize,
    /// How many lives of nodes were looked at.
    pub lives: usize,
    /// How many states were tried.
    pub states: usize,
    /// What follows.
    pub verdict: Verdict,
}

/// Whether the specification explains a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It does.
    Explained(Explained),
    /// It does not.
    Refused(Refusal),
    /// A bound was met first.
    Incomplete {
        /// The node at which it was met.
        node: String,
        /// The first line that was not explained until then.
        line: usize,
    },
}

/// What was explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explained {
    /// How many messages and answers of nodes.
    pub acts: usize,
}

/// What nothing explains.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The line of the log; every line before it is explained.
    pub line: usize,
    /// The node.
    pub node: String,
    /// Why, in one sentence.
    pub why: String,
    /// What the model could have done there instead, the nearest first.
    pub nearest: Vec<String>,
}

/// Judges a log.
///
/// # Errors
/// A line does not say what such a line must say.
pub fn judge(
    log: &Log,
    limits: Limits,
    goes_on: &mut dyn FnMut() -> bool,
) -> Result<Report, LogError> {
    let mut reader = Reader::new(log)?;
    for line in &log.lines {
        reader.read(line).map_err(|what| LogError::Line {
            line: line.place,
            what,
        })?;
    }
    let (lives, mut refusal) = reader.done();
    let mut report = Report {
        events: log.lines.len(),
        lives: lives.len(),
        states: 0,
        verdict: Verdict::Explained(Explained { acts: 0 }),
    };
    let (mut acts, mut incomplete) = (0, None);
    for (node, life) in lives {
        let verdict = life.judge(limits, goes_on);
        report.states += verdict.states;
        match verdict.finding {
            Finding::Explained => {
                let did = |(_, sight): &&(usize, _)| matches!(sight, Sight::Did(_));
                acts += life.sights.iter().filter(did).count();
            }
            Finding::Incomplete { place } => incomplete = incomplete.or(Some((node, place))),
            Finding::Refused { place, nearest } => {
                let found = Refusal {
                    line: place,
                    node,
                    why: "nothing that it was told, and no timer, explains this".to_owned(),
                    nearest: nearest.iter().map(words::output).collect(),
                };
                if refusal.as_ref().is_none_or(|other| found.line < other.line) {
                    refusal = Some(found);
                }
            }
        }
    }
    report.verdict = match (refusal, incomplete) {
        (Some(refusal), _) => Verdict::Refused(refusal),
        (None, Some((node, line))) => Verdict::Incomplete { node, line },
        (None, None) => Verdict::Explained(Explained { acts }),
    };
    Ok(report)
}

/// What is known of a node.
#[derive(Default)]
struct Known {
    life: Option<Life<Host>>,
    /// Whether it lives no more: what it said last may pass by later all the same.
    ended: bool,
    /// The questions that are not the model's: their answers are not either.
    others: HashSet<u64>,
}

struct Reader {
    delivery: Delivery,
    /// Whether any message between nodes passed by.
    has_messages: bool,
    figures: Option<Map<String, Value>>,
    nodes: BTreeMap<String, Known>,
    lives: Vec<(String, Life<Host>)>,
    /// Every message that was sent: from, to, what.
    sent: HashSet<(String, String, String)>,
    refusal: Option<Refusal>,
}

impl Reader {
    fn new(log: &Log) -> Result<Self, LogError> {
        let delivered = log.lines.iter().any(|line| line.what == What::Delivered);
        let ring = log.header.as_ref().and_then(|header| header.get("ring"));
        let figures = match ring {
            None => None,
            Some(Value::Object(ring)) => Some(ring.clone()),
            Some(_) => {
                return Err(LogError::Line {
                    line: 1,
                    what: "`ring` is no object".to_owned(),
                });
            }
        };
        let sent = |line: &Line| matches!(line.what, What::Sent | What::Delivered);
        Ok(Self {
            has_messages: log.lines.iter().any(sent),
            delivery: if delivered {
                Delivery::InOrder
            } else {
                Delivery::Perhaps
            },
            figures,
            nodes: BTreeMap::new(),
            lives: Vec::new(),
            sent: HashSet::new(),
            refusal: None,
        })
    }

    fn read(&mut self, line: &Line) -> Result<(), String> {
        if line.what == What::Other {
            return Ok(());
        }
        if line.node.is_empty() {
            return Err("no `node`".to_owned());
        }
        match line.what {
            What::Started => {
                self.end(&line.node);
                Ok(())
            }
            What::Ended => {
                self.nodes.entry(line.node.clone()).or_default().ended = true;
                Ok(())
            }
            What::Asked => self.on_asked(line),
            What::Answered => self.on_answered(line),
            What::Sent => self.on_sent(line),
            What::Delivered => self.on_delivered(line),
            What::Other => Ok(()),
        }
    }

    fn done(mut self) -> (Vec<(String, Life<Host>)>, Option<Refusal>) {
        let names: Vec<String> = self.nodes.keys().cloned().collect();
        for name in names {
            self.end(&name);
        }
        (self.lives, self.refusal)
    }

    fn end(&mut self, node: &str) {
        if let Some(life) = self.nodes.remove(node).and_then(|known| known.life) {
            self.lives.push((node.to_owned(), life));
        }
    }

    fn on_asked(&mut self, line: &Line) -> Result<(), String> {
        // A question that the node did not read was never asked.
        if !line.note.is_empty() {
            return Ok(());
        }
        let id = number(&line.body, "msg_id").ok_or("a question without `msg_id`")?;
        let request = serde_json::from_value(Value::Object(line.body.clone()));
        if matches!(request, Ok(Request::Init(_)))
            && self.nodes.get(&line.node).is_some_and(|known| known.ended)
        {
            self.end(&line.node);
        }
        let known = self.nodes.entry(line.node.clone()).or_default();
        match request {
            Ok(Request::Init(init)) if known.life.is_none() => {
                if init.network == Network::Sockets && !self.has_messages {
                    let why = "the log has no message of nodes that talk over sockets";
                    return Err(why.to_owned());
                }
                known.others.insert(id);
                let introducer = introduced(init.introducer.as_ref())?;
                known.life = Some(born(&init.ring, introducer, self.delivery)?);
                return Ok(());
            }
            Ok(request) => {
                if known.life.is_none() && self.figures.is_some() {
                    known.life = from_figures(self.figures.as_ref(), &line.node, self.delivery)?;
                }
                if let (Some(life), Ok(question)) = (&mut known.life, question(&request)) {
                    let input = Input::Ask((id, question));
                    life.sights.push((line.place, Sight::Heard(input)));
                    return Ok(());
                }
            }
            // What the model has no question for has no answer of the model's.
            Err(_) => {}
        }
        known.others.insert(id);
        Ok(())
    }

    fn on_answered(&mut self, line: &Line) -> Result<(), String> {
        let id = number(&line.body, "in_reply_to").ok_or("an answer without `in_reply_to`")?;
        let Some(known) = self.nodes.get_mut(&line.node) else {
            return Ok(());
        };
        if known.others.remove(&id) {
            return Ok(());
        }
        match (&mut known.life, answered(&line.body)) {
            (Some(life), Some(answered)) => {
                let seen = Seen::Answered(id, answered);
                life.sights.push((line.place, Sight::Did(seen)));
            }
            (Some(_), None) => self.refuse(line, "no answer of a ring"),
            (None, _) => {}
        }
        Ok(())
    }

    fn on_sent(&mut self, line: &Line) -> Result<(), String> {
        let peer = line.peer.as_deref().ok_or("no `peer`")?;
        let body = Value::Object(line.body.clone());
        let message = match profile::decode(&body) {
            Ok(message) => message,
            Err(why) => {
                self.refuse(line, &why.to_string());
                return Ok(());
            }
        };
        let letter = (line.node.clone(), peer.to_owned(), body.to_string());
        self.sent.insert(letter);
        let known = self.nodes.entry(line.node.clone()).or_default();
        if known.life.is_none() {
            known.life = from_figures(self.figures.as_ref(), &line.node, self.delivery)?;
        }
        match (&mut known.life, point(peer)) {
            (Some(life), Some(to)) => {
                let message = message.clone();
                let seen = Seen::Sent { to, message };
                life.sights.push((line.place, Sight::Did(seen)));
            }
            (_, None) => self.refuse(line, &format!("{peer} is no name of a node")),
            (None, _) => self.refuse(line, "it sends before it was told anything"),
        }
        if self.delivery == Delivery::Perhaps {
            self.hears(line, peer, &line.node, message)?;
        }
        Ok(())
    }

    fn on_delivered(&mut self, line: &Line) -> Result<(), String> {
        let peer = line.peer.as_deref().ok_or("no `peer`")?;
        let body = Value::Object(line.body.clone());
        let Ok(message) = profile::decode(&body) else {
            // The sender was refused for it; a sound receiver ignores it.
            return Ok(());
        };
        let letter = (peer.to_owned(), line.node.clone(), body.to_string());
        if !self.sent.contains(&letter) {
            self.refuse(line, &format!("{peer} has not sent it this"));
            return Ok(());
        }
        self.hears(line, &line.node, peer, message)
    }

    fn hears(
        &mut self,
        line: &Line,
        node: &str,
        from: &str,
        message: peerproof_model::chord::message::Message,
    ) -> Result<(), String> {
        let Some(from) = point(from) else {
            return Ok(());
        };
        let known = self.nodes.entry(node.to_owned()).or_default();
        if known.ended {
            return Ok(());
        }
        if known.life.is_none() {
            known.life = from_figures(self.figures.as_ref(), node, self.delivery)?;
        }
        if let Some(life) = &mut known.life {
            let input = Input::Receive { from, message };
            life.sights.push((line.place, Sight::Heard(input)));
        }
        Ok(())
    }

    fn refuse(&mut self, line: &Line, why: &str) {
        if self.refusal.is_none() {
            self.refusal = Some(Refusal {
                line: line.place,
                node: line.node.clone(),
                why: why.to_owned(),
                nearest: Vec::new(),
            });
        }
    }
}

/// A node that has just been told its figures.
fn born(
    figures: &Figures,
    introducer: Option<Id>,
    delivery: Delivery,
) -> Result<Life<Host>, String> {
    let config = config(figures).map_err(|why| why.to_string())?;
    Ok(Life {
        node: Host::new(Arc::new(config), introducer),
        sights: Vec::new(),
        delivery,
    })
}

/// A node of which the log begins without its `init`: the header has the figures, its name its point.
fn from_figures(
    figures: Option<&Map<String, Value>>,
    node: &str,
    delivery: Delivery,
) -> Result<Option<Life<Host>>, String> {
    let (Some(figures), Some(id)) = (figures, point(node)) else {
        return Ok(None);
    };
    let mut figures = figures.clone();
    figures.insert("id".to_owned(), id.small().unwrap_or(u64::MAX).into());
    let figures = serde_json::from_value(Value::Object(figures));
    let figures: Figures = figures.map_err(|why| format!("`ring` of the first line: {why}"))?;
    born(&figures, None, delivery).map(Some)
}

fn number(body: &Map<String, Value>, field: &str) -> Option<u64> {
    body.get(field).and_then(Value::as_u64)
}

/// An answer as it was seen.
fn answered(body: &Map<String, Value>) -> Option<Answered> {
    if body.get("type").and_then(Value::as_str) == Some("error") {
        let code = ErrorCode(number(body, "code").unwrap_or(0));
        return Some(Answered::Refused(match code {
            ErrorCode::KEY_DOES_NOT_EXIST => Why::NoSuchKey,
            ErrorCode::MALFORMED_REQUEST => Why::Malformed,
            code if code.is_definite() => Why::Unavailable,
            _ => Why::InDoubt,
        }));
    }
    let reply: Reply = serde_json::from_value(Value::Object(body.clone())).ok()?;
    Some(match reply {
        Reply::InitOk(_) => return None,
        Reply::JoinOk => Answered::Joined,
        Reply::LeaveOk => Answered::Left,
        Reply::StateOk(state) => Answered::State(State {
            member: state.member,
            predecessor: state.predecessor.map(|it| it.map(Id::from)),
            successors: state.successors.into_iter().map(Id::from).collect(),
            fingers: state.fingers.map(|fingers| {
                let finger = |it: crate::control::ring::Finger| Finger {
                    start: Id::from(it.start),
                    node: it.node.map(Id::from),
                };
                fingers.into_iter().map(finger).collect()
            }),
            keys: state
                .keys
                .map(|keys| keys.into_iter().map(Id::from).collect()),
        }),
        Reply::LookupOk(lookup) => Answered::Found {
            owner: Id::from(lookup.owner),
            hops: lookup.hops,
            path: lookup
                .path
                .map(|path| path.into_iter().map(Id::from).collect()),
        },
        Reply::PutOk => Answered::Stored,
        Reply::GetOk { value } => Answered::Got(value.into_bytes()),
        Reply::DeleteOk => Answered::Deleted,
    })
}

//! A node that knows its name: the model's host behind names, numbers and words.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use peerproof_model::choose::Seeded;
use peerproof_model::chord::host::{Alarm as Timer, Host, Ticket, Told};
use peerproof_model::chord::message::Message;
use peerproof_model::chord::profile::{self, PROFILE};
use peerproof_model::node::{Input, Node, Output};
use peerproof_model::space::circle::Id;
use serde_json::{Map, Value};

use super::breaks::Bug;
use super::desk::{Alarm, Asker, Deed, answer, error, say};
use super::figures::config;
use super::flaw::Flaw;
use super::words::{introduced, question, reply};
use crate::control::ErrorCode;
use crate::control::ring::{Init, InitOk, Network, Reply, Request};

/// A node after `init`.
#[derive(Debug)]
pub(super) struct Member {
    name: String,
    host: Host,
    flaw: Flaw,
    chance: Seeded,
    pause: Duration,
    /// Who asked what waits for an answer, and about which key.
    askers: BTreeMap<Ticket, (Asker, Request)>,
    last_ticket: Ticket,
}

impl Member {
    pub(super) fn new(init: Init, bug: Option<Bug>) -> Result<Self, String> {
        if init.protocol != "chord" {
            return Err(format!("the protocol is `chord`, not `{}`", init.protocol));
        }
        if init.network == Network::Sockets {
            return Err("this node talks through the kit only".to_owned());
        }
        let flaw = Flaw::new(bug);
        let config = config(&init.ring).map_err(|why| why.to_string())?;
        let config = flaw.figures(config);
        let introducer = introduced(init.introducer.as_ref())?;
        Ok(Self {
            name: init.node_id,
            pause: config.timing.stabilize,
            host: Host::new(Arc::new(config), introducer),
            flaw,
            chance: Seeded::new(init.ring.id),
            askers: BTreeMap::new(),
            last_ticket: 0,
        })
    }

    /// The answer to `init`.
    pub(super) fn introduce(&mut self, asker: Asker, out: &mut Vec<Deed>) {
        let operations = ["join", "leave", "state", "lookup", "put", "get", "delete"];
        let ok = InitOk {
            operations: Some(operations.map(str::to_owned).to_vec()),
            profile: Some(PROFILE.to_owned()),
        };
        self.tell(asker, Ok(Reply::InitOk(ok)), out);
        self.watch_introducer(out);
    }

    pub(super) fn asked(&mut self, asker: Asker, request: Request, out: &mut Vec<Deed>) {
        self.flaw.asked(&asker);
        if let Some(reply) = self.flaw.answers(&request, self.host.node()) {
            return self.tell(asker, reply, out);
        }
        if request == Request::Leave {
            self.flaw.leaves(self.host.node());
        }
        match question(&request) {
            Ok(question) => {
                self.last_ticket += 1;
                self.askers.insert(self.last_ticket, (asker, request));
                // Nobody is refused an answer: a question is never rejected.
                let _ = self.step(Input::Ask((self.last_ticket, question)), out);
            }
            Err(why) => self.tell(asker, Err((ErrorCode::MALFORMED_REQUEST, why)), out),
        }
    }

    /// A message of another node.
    pub(super) fn hear(&mut self, from: Id, message: Message, out: &mut Vec<Deed>) {
        match self.flaw.hears(from, message, self.host.node()) {
            Ok(message) => {
                // What a node refuses leaves no trace, and the sender hears nothing.
                let _ = self.step(Input::Receive { from, message }, out);
            }
            Err(Some(answer)) => self.send(from, &answer, out),
            Err(None) if self.flaw.is_silent() => out.push(Deed::FallSilent),
            Err(None) => {}
        }
    }

    pub(super) fn ring(&mut self, alarm: Alarm, out: &mut Vec<Deed>) {
        match alarm {
            Alarm::Host(Timer::Node(timer)) if self.flaw.ignores(timer) => {}
            Alarm::Host(timer) => {
                // A node that has left meanwhile refuses it.
                let _ = self.step(Input::Expire(timer), out);
            }
            Alarm::Introducer => {
                self.flaw.on_introducer_due();
                self.watch_introducer(out);
            }
        }
    }

    fn step(
        &mut self,
        input: Input<Host>,
        out: &mut Vec<Deed>,
    ) -> Result<(), <Host as Node>::Rejected> {
        let mut outputs = Vec::new();
        self.host.step(input, &mut self.chance, &mut outputs)?;
        for output in outputs {
            match output {
                Output::Send { to, message } => {
                    if let Some(message) = self.flaw.says(message, self.host.node()) {
                        self.send(to, &message, out);
                    }
                }
                Output::SetTimer { timer, after } => out.push(Deed::Set(Alarm::Host(timer), after)),
                Output::CancelTimer(timer) => out.push(Deed::Cancel(Alarm::Host(timer))),
                Output::Tell(Told::Answer(ticket, answer)) => {
                    if let Some((asker, request)) = self.askers.remove(&ticket) {
                        let reply = reply(answer, self.host.node().id());
                        let reply = reply.map(|reply| match reply {
                            Reply::StateOk(state) => {
                                Reply::StateOk(self.flaw.state(state, self.host.node()))
                            }
                            Reply::LookupOk(lookup) => {
                                Reply::LookupOk(self.flaw.lookup(lookup, &request))
                            }
                            reply => reply,
                        });
                        self.tell(asker, reply, out);
                    }
                }
                Output::Tell(Told::Suspected(node)) => self.flaw.suspects(node),
                Output::Open(_) | Output::Close(_) => {}
            }
        }
        Ok(())
    }

    fn send(&self, to: Id, message: &Message, out: &mut Vec<Deed>) {
        if let Value::Object(body) = profile::encode(message) {
            out.push(say(&self.name, &format!("n{to}"), body));
        }
    }

    fn watch_introducer(&mut self, out: &mut Vec<Deed>) {
        if let Some(introducer) = self.host.introducer()
            && let Some(message) = self.flaw.asks_introducer(introducer)
        {
            self.send(introducer, &message, out);
            out.push(Deed::Set(Alarm::Introducer, self.pause * 4));
        }
    }

    fn tell(
        &mut self,
        asker: Asker,
        reply: Result<Reply, (ErrorCode, String)>,
        out: &mut Vec<Deed>,
    ) {
        let asker = self.flaw.addressee(asker);
        out.push(match reply {
            Ok(reply) => answer(&self.name, &asker, object(&reply)),
            Err((code, text)) => error(&self.name, &asker, code, &text),
        });
    }
}

fn object(reply: &Reply) -> Map<String, Value> {
    match serde_json::to_value(reply) {
        Ok(Value::Object(body)) => body,
        // Replies are objects with strings as keys: there is nothing else.
        _ => Map::new(),
    }
}

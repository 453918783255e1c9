//! A node that knows its name: the model's host behind names, numbers and words.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use peerproof_model::choose::Seeded;
use peerproof_model::chord::host::{Alarm as Timer, Host, Ticket, Told};
use peerproof_model::chord::message::Message;
use peerproof_model::chord::profile::PROFILE;
use peerproof_model::node::{Input, Node, Output};
use peerproof_model::space::circle::Id;
use serde_json::{Map, Value};

use super::breaks::Bug;
use super::desk::{Alarm, Asker, Deed, answer, error};
use super::figures::config;
use super::flaw::Flaw;
use super::mail::Mail;
use super::words::{introduced, question, reply};
use crate::control::ErrorCode;
use crate::control::ring::{Init, InitOk, Introducer, Reply, Request};

/// A node after `init`.
#[derive(Debug)]
pub(super) struct Member {
    name: String,
    mail: Mail,
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
        let flaw = Flaw::new(bug);
        let config = config(&init.ring).map_err(|why| why.to_string())?;
        let config = flaw.figures(config);
        let introducer = introduced(init.introducer.as_ref())?;
        Ok(Self {
            mail: Mail::new(&init)?,
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
        if let Some(address) = self.mail.address() {
            out.push(Deed::Listen(address));
        }
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
        let asked = self.meet(&request).and_then(|()| question(&request));
        match asked {
            Ok(question) => {
                self.last_ticket += 1;
                self.askers.insert(self.last_ticket, (asker, request));
                // Nobody is refused an answer: a question is never rejected.
                let _ = self.step(Input::Ask((self.last_ticket, question)), out);
            }
            Err(why) => self.tell(asker, Err((ErrorCode::MALFORMED_REQUEST, why)), out),
        }
    }

    /// A join by way of another member says where that one listens.
    fn meet(&mut self, request: &Request) -> Result<(), String> {
        let Request::Join {
            introducer: Some(introducer),
        } = request
        else {
            return Ok(());
        };
        let Introducer { address, .. } = introducer;
        match introduced(Some(introducer))? {
            Some(node) => self.mail.meet(node, address.as_deref()),
            None => Ok(()),
        }
    }

    /// A message of another node, over sockets.
    pub(super) fn receive(&mut self, datagram: &[u8], out: &mut Vec<Deed>) {
        match self.mail.open(datagram) {
            Ok((from, message)) => self.hear(from, message, out),
            Err(why) => out.push(Deed::Complain(why)),
        }
    }

    /// Whether its messages travel as lines.
    pub(super) fn reads_lines(&self) -> bool {
        self.mail.address().is_none()
    }

    /// A message of another node.
    pub(super) fn hear(&mut self, from: Id, message: Message, out: &mut Vec<Deed>) {
        match self.flaw.hears(from, message, self.host.node()) {
            Ok(message) => {
                // What a node refuses leaves no trace, and the sender hears nothing.
                let _ = self.step(Input::Receive { from, message }, out);
            }
            Err(Some(answer)) => self.mail.send(from, &answer, out),
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
                        self.mail.send(to, &message, out);
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

    fn watch_introducer(&mut self, out: &mut Vec<Deed>) {
        if let Some(introducer) = self.host.introducer()
            && let Some(message) = self.flaw.asks_introducer(introducer)
        {
            self.mail.send(introducer, &message, out);
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

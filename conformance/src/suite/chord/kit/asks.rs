//! One question to a node, and what came of it.

use serde_json::{Map, Value};

use super::{RingKit, name};
use crate::case::Stop;
use crate::control::ErrorCode;
use crate::control::ring::{Reply, Request};
use crate::fleet::{Answered, Event, Ticket, Trouble, What};

/// What came of a question.
pub(super) enum Replied {
    /// An answer.
    Ok(Reply),
    /// It says why not.
    Refused {
        /// The code.
        code: ErrorCode,
        /// In its own words.
        why: String,
    },
    /// Nothing, in all the time that it has.
    Silent(String),
    /// It has ended.
    Gone(String),
}

impl Replied {
    /// Why there is no answer, in words.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Ok(_) => String::new(),
            Self::Refused { code, why } => format!("error {}, \"{why}\"", code.0),
            Self::Silent(why) | Self::Gone(why) => why.clone(),
        }
    }
}

/// A question that waits for its answer.
pub(super) struct Open {
    pub(super) node: u64,
    operation: String,
    ticket: Ticket,
}

impl RingKit {
    /// Asks, and does not wait.
    pub(super) fn ask(&mut self, node: u64, request: &Request) -> Result<Open, Stop> {
        let body = body(request)?;
        let operation = body
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if let Some(has) = self.operations.get(&node)
            && operation != "init"
            && !has.contains(&operation)
        {
            return Err(lacks(&operation));
        }
        let ticket = self.fleet()?.ask(&name(node), body);
        Ok(Open {
            node,
            operation,
            ticket,
        })
    }

    /// Waits for the answer.
    pub(super) fn reply(&mut self, open: Open) -> Result<Replied, Stop> {
        let Open {
            node,
            operation,
            ticket,
        } = open;
        match self.fleet()?.answer(ticket) {
            Ok(Answered::Ok(body)) => Ok(self.understood(node, &operation, body)),
            Ok(Answered::Error(ErrorCode::NOT_SUPPORTED, _)) => Err(lacks(&operation)),
            Ok(Answered::Error(code, why)) => Ok(Replied::Refused { code, why }),
            Err(Trouble::Malformed { what, .. }) => {
                self.fault(node, what.clone());
                Ok(Replied::Refused {
                    code: ErrorCode::TIMEOUT,
                    why: what,
                })
            }
            Err(trouble @ Trouble::Silent { .. }) => Ok(Replied::Silent(trouble.to_string())),
            Err(trouble @ Trouble::Gone { .. }) => Ok(Replied::Gone(trouble.to_string())),
            Err(trouble) => Err(trouble.into()),
        }
    }

    fn understood(&mut self, node: u64, operation: &str, body: Map<String, Value>) -> Replied {
        match serde_json::from_value(Value::Object(body)) {
            Ok(reply) => Replied::Ok(reply),
            Err(error) => {
                let what = format!("its answer to `{operation}`: {error}");
                self.fault(node, what.clone());
                Replied::Refused {
                    code: ErrorCode::TIMEOUT,
                    why: what,
                }
            }
        }
    }

    /// Whether the answer has come, without waiting for it.
    pub(super) fn has_answered(&mut self, open: &Open) -> Result<bool, Stop> {
        let number = open.ticket.number();
        let answers = |event: &Event| {
            let body = event.body.as_ref().filter(|_| event.what == What::Answered);
            body.and_then(|body| body.get("in_reply_to")?.as_u64()) == Some(number)
        };
        Ok(self.fleet()?.trace().iter().rev().any(answers))
    }

    /// Tells a process that is no node of the ring, and does not care what comes of it.
    pub(super) fn tell(&mut self, process: &str, request: &Request) -> Result<(), Stop> {
        let body = body(request)?;
        match self.fleet()?.call(process, body) {
            Err(Trouble::Kit(why) | Trouble::Usage(why)) => Err(Stop::Kit(why)),
            _ => Ok(()),
        }
    }

    /// Asks and waits.
    pub(super) fn call(&mut self, node: u64, request: &Request) -> Result<Replied, Stop> {
        let open = self.ask(node, request)?;
        self.reply(open)
    }
}

fn body(request: &Request) -> Result<Map<String, Value>, Stop> {
    match serde_json::to_value(request) {
        Ok(Value::Object(body)) => Ok(body),
        other => Err(Stop::Kit(format!("no request: {other:?}"))),
    }
}

fn lacks(operation: &str) -> Stop {
    Stop::Unimplemented(format!("the node has no `{operation}`"))
}

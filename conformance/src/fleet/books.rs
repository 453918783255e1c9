//! What the kit has asked and waits for. A number is never used twice.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value};

use crate::control::{Envelope, ErrorCode};

/// The most requests that are remembered, answered or not.
const MOST_OPEN: usize = 65_536;

/// A request of the kit; [`super::Fleet::answer`] gives what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

impl Ticket {
    /// The `msg_id` of the request.
    pub fn number(&self) -> u64 {
        self.0
    }
}

/// What a node answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// It did what it was asked to.
    Ok(Map<String, Value>),
    /// It says why not.
    Error(ErrorCode, String),
}

/// A request and what is known of its answer.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) node: String,
    pub(super) kind: String,
    pub(super) asked: Instant,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    /// Nothing yet.
    Open,
    /// It cannot be answered any more.
    Lost(String),
    /// Nobody waits any more; an answer that comes now is late, not wrong.
    GivenUp,
    /// The answer.
    Answered(Result<Answered, String>),
}

/// All requests.
#[derive(Debug, Default)]
pub(super) struct Books {
    asked: u64,
    requests: BTreeMap<u64, Request>,
}

/// What an answer is to the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It answers what was asked.
    Taken,
    /// It comes after the kit gave up.
    Late,
    /// Nobody asked this node that, or it has been answered.
    Unasked,
}

impl Books {
    /// A number for a request to `node`, of the type `kind`.
    pub(super) fn open(&mut self, node: &str, kind: &str, now: Instant) -> Ticket {
        self.asked += 1;
        let request = Request {
            node: node.to_owned(),
            kind: kind.to_owned(),
            asked: now,
            state: State::Open,
        };
        self.requests.insert(self.asked, request);
        if self.requests.len() > MOST_OPEN {
            self.requests.pop_first();
        }
        Ticket(self.asked)
    }

    /// The request of a ticket.
    pub(super) fn request(&self, ticket: &Ticket) -> Option<&Request> {
        self.requests.get(&ticket.0)
    }

    /// Whether its answer is still to come.
    pub(super) fn is_open(&self, ticket: &Ticket) -> bool {
        let request = self.requests.get(&ticket.0);
        request.is_some_and(|it| matches!(it.state, State::Open))
    }

    /// It cannot be answered: the node did not get it.
    pub(super) fn lose_one(&mut self, ticket: &Ticket, why: &str) {
        if let Some(request) = self.requests.get_mut(&ticket.0) {
            request.state = State::Lost(why.to_owned());
        }
    }

    /// Forgets the request and returns it. An open one may still be answered: late.
    pub(super) fn close(&mut self, ticket: &Ticket) -> Option<Request> {
        let request = self.requests.remove(&ticket.0)?;
        if matches!(request.state, State::Open) {
            let given_up = Request {
                node: request.node.clone(),
                kind: request.kind.clone(),
                asked: request.asked,
                state: State::GivenUp,
            };
            self.requests.insert(ticket.0, given_up);
        }
        Some(request)
    }

    /// Enters an answer of `node`.
    pub(super) fn enter(&mut self, node: &str, answer: &Envelope) -> Entry {
        let Some(number) = answer.in_reply_to() else {
            return Entry::Unasked;
        };
        let Some(request) = self.requests.get_mut(&number).filter(|it| it.node == node) else {
            return Entry::Unasked;
        };
        match request.state {
            State::Open => {
                request.state = State::Answered(read(&request.kind, answer));
                Entry::Taken
            }
            State::GivenUp => {
                self.requests.remove(&number);
                Entry::Late
            }
            State::Lost(_) | State::Answered(_) => Entry::Unasked,
        }
    }

    /// The node is gone: what it was asked is not answered any more.
    pub(super) fn lose(&mut self, node: &str, why: &str) {
        for request in self.requests.values_mut() {
            if request.node == node && matches!(request.state, State::Open) {
                request.state = State::Lost(why.to_owned());
            }
        }
    }
}

/// The answer to `x` is `x_ok` or an error.
fn read(kind: &str, answer: &Envelope) -> Result<Answered, String> {
    if let Some((code, text)) = answer.error() {
        return Ok(Answered::Error(code, text));
    }
    let said = answer.kind().unwrap_or_default();
    if said.strip_suffix("_ok") == Some(kind) {
        Ok(Answered::Ok(answer.body.clone()))
    } else {
        let said: String = said.chars().take(40).collect();
        Err(format!(
            "`{kind}` is answered by `{kind}_ok`, not by `{said}`"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(line: &str) -> Envelope {
        Envelope::parse(line).expect("an envelope")
    }

    #[test]
    fn an_answer_counts_once_and_from_who_was_asked() {
        let mut books = Books::default();
        let ticket = books.open("n1", "get", Instant::now());
        let right = answer(r#"{"src":"n1","dest":"kit","body":{"type":"get_ok","in_reply_to":1}}"#);
        assert_eq!(books.enter("n2", &right), Entry::Unasked);
        assert_eq!(books.enter("n1", &right), Entry::Taken);
        assert_eq!(books.enter("n1", &right), Entry::Unasked);
        let state = books.close(&ticket).map(|request| request.state);
        assert!(matches!(state, Some(State::Answered(Ok(Answered::Ok(_))))));
        assert_eq!(books.enter("n1", &right), Entry::Unasked);
        assert_ne!(books.open("n1", "get", Instant::now()), ticket);
    }

    #[test]
    fn an_answer_after_the_kit_gave_up_is_late() {
        let mut books = Books::default();
        let ticket = books.open("n1", "get", Instant::now());
        assert!(books.close(&ticket).is_some());
        let late = answer(r#"{"src":"n1","dest":"kit","body":{"type":"get_ok","in_reply_to":1}}"#);
        assert_eq!(books.enter("n1", &late), Entry::Late);
        assert_eq!(books.enter("n1", &late), Entry::Unasked);
    }

    #[test]
    fn an_answer_has_the_type_of_its_question() {
        let mut books = Books::default();
        let ticket = books.open("n1", "get", Instant::now());
        let other = answer(r#"{"src":"n1","dest":"kit","body":{"type":"put_ok","in_reply_to":1}}"#);
        assert_eq!(books.enter("n1", &other), Entry::Taken);
        let state = books.close(&ticket).map(|request| request.state);
        assert!(matches!(state, Some(State::Answered(Err(_)))), "{state:?}");
    }
}

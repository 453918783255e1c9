//! A rehearsal: one node goes through every operation of its adapter, and a second one joins it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::file::Adapter;
use super::life::Adapted;
use super::operation::{Operation, Style};
use super::session::{Performed, Session};
use crate::control::ErrorCode;
use crate::control::ring::{Figures, Init, Introducer, Network};

/// The points of the two nodes, and keys that one of them stores and does not store.
const FIRST: u64 = 16;
const SECOND: u64 = 80;
const STORED: u64 = 42;
const MISSING: u64 = 43;

/// What is stored: a shell, a URL and a line each have their own trouble with it.
const VALUE: &str = "apple pie & more";

/// One step of a rehearsal.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name of the node.
    pub node: String,
    /// What it is asked, such as `lookup 42`.
    pub request: String,
    /// What was sent, what came back, and what that means.
    pub performed: Performed,
    /// What is wrong with it, and what to do next.
    pub complaint: Option<String>,
}

/// Plays it at these two addresses. Every step is shown when it is done; it ends early when a program does not start.
pub fn rehearse(adapted: &Adapted, places: [SocketAddr; 2], show: &mut dyn FnMut(&Step)) {
    let adapter = adapted.adapter();
    let has = |operation| adapter.operations().any(|it| it == operation);
    let mut first = Player::new(adapted, FIRST, places[0], None);
    if !first.enters(show) {
        return;
    }
    if has(Operation::Lookup) {
        first.asks(
            &format!("lookup {STORED}"),
            |session| session.on_key(Operation::Lookup, STORED, None),
            show,
        );
    }
    if has(Operation::Put) {
        first.asks(
            &format!("put {STORED} {VALUE}"),
            |session| session.on_key(Operation::Put, STORED, Some(VALUE)),
            show,
        );
    }
    if has(Operation::Get) {
        for key in [STORED, MISSING] {
            if key == MISSING || has(Operation::Put) {
                let get = |session: &mut Session| session.on_key(Operation::Get, key, None);
                first.asks(&format!("get {key}"), get, show);
            }
        }
    }
    // Joining through somebody needs somebody.
    let introducer = Introducer {
        node_id: format!("n{FIRST}"),
        address: Some(places[0].to_string()),
    };
    let mut second = Player::new(adapted, SECOND, places[1], Some(introducer));
    if !second.enters(show) {
        return;
    }
    if has(Operation::State) {
        second.asks("state", Session::state, show);
        first.asks("state", Session::state, show);
    }
    if has(Operation::Delete) {
        first.asks(
            &format!("delete {STORED}"),
            |session| session.on_key(Operation::Delete, STORED, None),
            show,
        );
    }
    if has(Operation::Leave) {
        second.asks("leave", Session::leave, show);
    }
}

/// A node of the rehearsal. Its programs end with it.
struct Player<'a> {
    adapter: &'a Adapter,
    session: Session,
    init: Init,
}

impl<'a> Player<'a> {
    fn new(
        adapted: &'a Adapted,
        point: u64,
        address: SocketAddr,
        introducer: Option<Introducer>,
    ) -> Self {
        let name = format!("n{point}");
        let others = introducer.iter().map(|it| it.node_id.clone());
        let init = Init {
            node_ids: std::iter::once(name.clone()).chain(others).collect(),
            node_id: name,
            protocol: "chord".to_owned(),
            network: Network::Sockets,
            address: Some(address.to_string()),
            introducer,
            ring: Figures {
                bits: 7,
                id: point,
                successors: 3,
                replicas: 2,
                stabilize_ms: 200,
                timeout_ms: 1000,
            },
        };
        Self {
            adapter: adapted.adapter(),
            session: adapted.session(None),
            init,
        }
    }

    /// Starts and joins; whether it may be asked more.
    fn enters(&mut self, show: &mut dyn FnMut(&Step)) -> bool {
        let init = self.init.clone();
        let starts = self.asks("init", |session| session.init(&init), show);
        starts && self.asks("join", |session| session.join(None), show)
    }

    /// Asks something, and shows it; whether it went as it should.
    fn asks(
        &mut self,
        request: &str,
        ask: impl FnOnce(&mut Session) -> Performed,
        show: &mut dyn FnMut(&Step),
    ) -> bool {
        let performed = ask(&mut self.session);
        let complaint = self.complaint(request, &performed);
        let good = complaint.is_none();
        show(&Step {
            node: self.init.node_id.clone(),
            request: request.to_owned(),
            performed,
            complaint,
        });
        good
    }

    /// What is wrong with the outcome.
    fn complaint(&self, request: &str, performed: &Performed) -> Option<String> {
        let name = request.split(' ').next().unwrap_or(request);
        let missing = request == format!("get {MISSING}");
        match &performed.reading.outcome {
            Err((ErrorCode::KEY_DOES_NOT_EXIST, _)) if missing => None,
            Ok(_) if missing => Some(format!(
                "nothing was stored under {MISSING}: give [get] an error with code {} whose pattern matches what the program says then",
                ErrorCode::KEY_DOES_NOT_EXIST.0
            )),
            Err((_, _)) if missing => Some(format!(
                "that is how a missing key looks: give [get] an error with code {} whose pattern matches it",
                ErrorCode::KEY_DOES_NOT_EXIST.0
            )),
            Err((code, what)) => Some(self.advice(name, *code, what)),
            Ok(body) => {
                let expected = match name {
                    "state" => ("id", json!(self.init.ring.id)),
                    "lookup" => ("owner", json!(self.init.ring.id)),
                    "get" => ("value", json!(VALUE)),
                    _ => return None,
                };
                let (field, expected) = expected;
                let found = body.get(field).unwrap_or(&Value::Null);
                (*found != expected).then(|| {
                    format!("`{field}` is {found}, and must be {expected}: look at what its pattern matches, and what the program was told")
                })
            }
        }
    }

    fn advice(&self, name: &str, code: ErrorCode, what: &str) -> String {
        let by_start = self.adapter.joins_by_start() && name == "join";
        let last_words = self.session.last_words();
        let last_words = if last_words.is_empty() {
            String::new()
        } else {
            format!("; it wrote to standard error: {last_words}")
        };
        let next = match code {
            ErrorCode::TEMPORARILY_UNAVAILABLE if name == "init" || by_start => {
                "run the command line above by hand in the directory of the file; `ready`, `ready_port` or `prompt` in [node] say how it shows that it is ready"
            }
            ErrorCode::CRASH => {
                "compare the lines above with the patterns: a line without a match means nothing to the adapter"
            }
            ErrorCode::TIMEOUT if self.adapter.style() == Style::Prompt => {
                "does `prompt` in [node] match all that stands in the last line while it waits, or `until` the last line of the answer? `patience_ms` gives it more time"
            }
            ErrorCode::TIMEOUT => {
                "an error needs a pattern and a code in `errors`; `patience_ms` gives a slow program more time"
            }
            _ => "see the lines above",
        };
        format!("{what}{last_words}; {next}")
    }
}

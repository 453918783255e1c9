//! One node behind an adapter: its program, and what is done with it for each operation.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::file::{Adapter, Deed, How};
use super::http;
use super::operation::Operation;
use super::reading::{self, Answer, Circle, Reading};
use super::stage::{Refusal, Running, Stage};
use super::template::{Quote, Values};
use crate::control::namespace::Namespace;
use crate::control::process::Programs;
use crate::control::ring::{Init, Introducer, MOST_VALUE, Network};
use crate::control::{ErrorCode, News};

/// What was done for an operation.
#[derive(Clone, Debug)]
pub struct Performed {
    /// What was sent or started, in words that can be typed.
    pub sent: Vec<String>,
    /// What came back, and what it means.
    pub reading: Reading,
}

impl Performed {
    fn refused(refusal: Refusal) -> Self {
        let (sent, lines) = (Vec::new(), Vec::new());
        let outcome = Err(refusal);
        Self {
            sent,
            reading: Reading { lines, outcome },
        }
    }

    fn done(body: &Value) -> Self {
        let outcome = Ok(body.as_object().cloned().unwrap_or_default());
        let (sent, lines) = (Vec::new(), Vec::new());
        Self {
            sent,
            reading: Reading { lines, outcome },
        }
    }
}

/// A node behind an adapter.
pub struct Session {
    adapter: Arc<Adapter>,
    stage: Stage,
    values: Values,
    introducer: Option<Introducer>,
    circle: Circle,
    member: bool,
}

impl Session {
    /// A node of which nothing runs yet.
    ///
    /// Its command lines run in `directory`. It lives, and is reached, in `namespace`, or in the machine's network.
    pub fn new(
        adapter: Arc<Adapter>,
        programs: Arc<Programs>,
        directory: &Path,
        namespace: Option<Arc<Namespace>>,
    ) -> Self {
        let circle = Circle {
            id: 0,
            bits: 0,
            radix: adapter.radix,
        };
        Self {
            stage: Stage::new(Arc::clone(&adapter), programs, directory, namespace),
            adapter,
            values: Values::new(),
            introducer: None,
            circle,
            member: false,
        }
    }

    /// Its programs.
    pub(super) fn running(&self) -> Running {
        self.stage.running.clone()
    }

    /// How its program has ended, if it was not to end.
    pub(super) fn ended(&mut self) -> Option<News> {
        self.stage.notice();
        self.stage.ended.clone()
    }

    /// The end of what its program wrote to standard error.
    pub fn last_words(&self) -> String {
        self.stage.running.last_words()
    }

    /// Tells it about itself, and starts its program unless starting is joining.
    pub fn init(&mut self, init: &Init) -> Performed {
        let address = init
            .address
            .as_deref()
            .and_then(|address| address.parse::<SocketAddr>().ok());
        let Some(address) = address.filter(|_| init.network == Network::Sockets) else {
            let what = "nodes behind an adapter talk over sockets";
            return Performed::refused((ErrorCode::NOT_SUPPORTED, what.to_owned()));
        };
        let figures = init.ring;
        self.circle.id = figures.id;
        self.circle.bits = figures.bits;
        self.introducer.clone_from(&init.introducer);
        self.values = [
            ("host", address.ip().to_string()),
            ("port", address.port().to_string()),
            ("id", self.point(figures.id)),
            ("name", init.node_id.clone()),
            ("bits", figures.bits.to_string()),
            ("successors", figures.successors.to_string()),
            ("replicas", figures.replicas.to_string()),
            ("stabilize_ms", figures.stabilize_ms.to_string()),
            ("timeout_ms", figures.timeout_ms.to_string()),
        ]
        .into();
        if self.adapter.joins_by_start() {
            return Performed::done(&self.operations());
        }
        let mut performed = self.start(None);
        if performed.reading.outcome.is_ok() {
            performed.reading.outcome = Performed::done(&self.operations()).reading.outcome;
        }
        performed
    }

    fn operations(&self) -> Value {
        let kit_knows = |operation: &Operation| *operation != Operation::Create;
        let names = self
            .adapter
            .operations()
            .filter(kit_knows)
            .map(Operation::name);
        json!({ "operations": names.collect::<Vec<_>>() })
    }

    fn point(&self, point: u64) -> String {
        if self.circle.radix == 16 {
            format!("{point:x}")
        } else {
            point.to_string()
        }
    }

    /// Makes it a member, through this one instead of the one of `init`, if there is one.
    pub fn join(&mut self, introducer: Option<Introducer>) -> Performed {
        let introducer = introducer.or_else(|| self.introducer.clone());
        let through = introducer.as_ref().map(|it| self.through(it)).transpose();
        let through = match through {
            Ok(through) => through,
            Err(refusal) => return Performed::refused(refusal),
        };
        let mut performed = Performed::done(&json!({}));
        if self.adapter.joins_by_start() || !self.stage.has_program() {
            performed = self.start(through.clone());
        }
        if self.adapter.joins_by_start()
            && through.is_some()
            && let Some(how) = self.stage.take_end()
        {
            // Who finds nobody to join through may end: it can be asked again.
            let what = format!("it found no place in the ring: {how}");
            performed.reading.outcome = Err((ErrorCode::TEMPORARILY_UNAVAILABLE, what));
        }
        if !self.adapter.joins_by_start() && performed.reading.outcome.is_ok() {
            if let Some(through) = through {
                performed = self.perform(Operation::Join, &through);
            } else if self.adapter.deeds.contains_key(&Operation::Create) {
                performed = self.perform(Operation::Create, &Values::new());
            }
        }
        self.member |= performed.reading.outcome.is_ok();
        performed
    }

    /// What is filled in for the member to join through.
    fn through(&self, introducer: &Introducer) -> Result<Values, Refusal> {
        let malformed = |what: &str| (ErrorCode::MALFORMED_REQUEST, what.to_owned());
        let address = introducer
            .address
            .as_deref()
            .and_then(|it| it.parse::<SocketAddr>().ok());
        let address = address.ok_or_else(|| malformed("an introducer without an address"))?;
        let digits: String = introducer
            .node_id
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        let id = digits
            .parse()
            .map_err(|_| malformed("the name of the introducer has no point"))?;
        Ok([
            ("introducer_host", address.ip().to_string()),
            ("introducer_port", address.port().to_string()),
            ("introducer_id", self.point(id)),
            ("introducer_name", introducer.node_id.clone()),
        ]
        .into())
    }

    /// Has it leave; its program may end.
    pub fn leave(&mut self) -> Performed {
        self.stage.may_end = true;
        let mut performed = self.perform(Operation::Leave, &Values::new());
        let mut matched = performed
            .reading
            .lines
            .iter()
            .flat_map(|line| &line.matched);
        let refused = matched.any(|it| it.error.is_some());
        if !self.stage.has_program() && !refused {
            performed.reading.outcome = Ok(Map::new());
        }
        self.stage.may_end = performed.reading.outcome.is_ok();
        if self.stage.may_end {
            self.member = false;
            if self.adapter.joins_by_start() {
                self.stage.end_program();
            }
        }
        performed
    }

    /// What it knows.
    pub fn state(&mut self) -> Performed {
        if !self.member {
            return Performed::done(
                &json!({"member": false, "id": self.circle.id, "successors": []}),
            );
        }
        self.perform(Operation::State, &Values::new())
    }

    /// An operation on a key, and a value for `put`.
    pub fn on_key(&mut self, operation: Operation, key: u64, value: Option<&str>) -> Performed {
        if !self.member {
            let what = "the node is no member of a ring";
            return Performed::refused((ErrorCode::TEMPORARILY_UNAVAILABLE, what.to_owned()));
        }
        let mut more = Values::from([("key", self.point(key))]);
        if let Some(value) = value {
            if value.len() > MOST_VALUE {
                let what = format!("a value of more than {MOST_VALUE} bytes");
                return Performed::refused((ErrorCode::MALFORMED_REQUEST, what));
            }
            more.insert("value", value.to_owned());
        }
        self.perform(operation, &more)
    }

    /// Starts the program, and waits until it is ready.
    fn start(&mut self, through: Option<Values>) -> Performed {
        let adapter = Arc::clone(&self.adapter);
        let first = adapter
            .start_first
            .as_ref()
            .filter(|_| through.is_none() && self.introducer_is_open());
        let line = first.unwrap_or(&adapter.start);
        let mut values = self.values.clone();
        let known = through.or_else(|| {
            self.introducer
                .as_ref()
                .and_then(|it| self.through(it).ok())
        });
        values.extend(known.unwrap_or_default());
        let filled = line.filled(&values, Quote::Shell);
        let line = match filled {
            Ok(line) => line,
            Err(what) => return Performed::refused((ErrorCode::MALFORMED_REQUEST, what)),
        };
        let place = |name| self.values.get(name).cloned().unwrap_or_default();
        let address = format!("{}:{}", place("host"), place("port"));
        let answer = self.stage.start(&line, &address);
        let (lines, failure) = match answer {
            Ok(lines) => (lines, None),
            Err((lines, why)) => (lines, Some(why)),
        };
        let lines = lines
            .into_iter()
            .map(|text| reading::Line {
                text,
                matched: Vec::new(),
            })
            .collect();
        let outcome = match failure {
            None => Ok(Map::new()),
            Some(why) => Err((ErrorCode::TEMPORARILY_UNAVAILABLE, why)),
        };
        Performed {
            sent: vec![line],
            reading: Reading { lines, outcome },
        }
    }

    /// Whether the node is the first of its ring.
    fn introducer_is_open(&self) -> bool {
        self.adapter.joins_by_start() || self.introducer.is_none()
    }

    /// Sends what the file says, and reads the answer.
    fn perform(&mut self, operation: Operation, more: &Values) -> Performed {
        let adapter = Arc::clone(&self.adapter);
        let Some(deed) = adapter.deeds.get(&operation) else {
            let what = format!("the adapter has no [{}]", operation.name());
            return Performed::refused((ErrorCode::NOT_SUPPORTED, what));
        };
        let mut values = self.values.clone();
        values.extend(more.clone());
        match self.send(deed, &values) {
            Ok((sent, answer)) => {
                let reading = reading::read(operation, deed, self.circle, &answer);
                Performed {
                    sent: vec![sent],
                    reading,
                }
            }
            Err(refusal) => Performed::refused(refusal),
        }
    }

    fn send(&mut self, deed: &Deed, values: &Values) -> Result<(String, Answer), Refusal> {
        let malformed = |what| (ErrorCode::MALFORMED_REQUEST, what);
        match &deed.how {
            How::Send(line) => {
                let line = line.filled(values, Quote::Plain).map_err(malformed)?;
                let answer = self.stage.prompt(deed, &line)?;
                Ok((line, answer))
            }
            How::Run(line) => {
                let line = line.filled(values, Quote::Shell).map_err(malformed)?;
                let answer = self.stage.run(&line);
                Ok((line, answer))
            }
            How::Request {
                method,
                url,
                body,
                form,
            } => {
                let url = url.filled(values, Quote::Percent).map_err(malformed)?;
                let quote = if *form { Quote::Percent } else { Quote::Json };
                let body = body
                    .as_ref()
                    .map(|body| body.filled(values, quote))
                    .transpose();
                let body = body.map_err(malformed)?;
                let kind = if *form {
                    "application/x-www-form-urlencoded"
                } else {
                    "application/json"
                };
                let sent = body.as_deref().map(|body| (kind, body));
                let patience = self.adapter.patience;
                let answer = self
                    .stage
                    .within(|| http::ask(method, &url, sent, patience));
                let answer = answer.map_err(|error| {
                    let what = format!("the node's network cannot be entered: {error}");
                    (ErrorCode::TEMPORARILY_UNAVAILABLE, what)
                })?;
                Ok((
                    format!("{method} {url} {}", body.unwrap_or_default())
                        .trim_end()
                        .to_owned(),
                    answer,
                ))
            }
        }
    }
}

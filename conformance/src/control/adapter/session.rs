//! One node behind an adapter: its program, and what is done with it for each operation.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::file::{Adapter, Deed, How, Operation, Ready};
use super::http;
use super::reading::{self, Answer, Circle, Reading};
use super::template::{Quote, Values};
use crate::control::process::Programs;
use crate::control::ring::{Init, Introducer, MOST_VALUE, Network};
use crate::control::{Arrival, ErrorCode, Life, News, StartError};
use crate::program::filled;

/// The most lines of an answer, and the most bytes of all of them.
const MOST_LINES: usize = 10_000;
const MOST_ANSWER: usize = 1 << 20;

/// Between two looks whether a program accepts connections.
const REST: Duration = Duration::from_millis(20);

/// Why an operation has no answer: the code and the words of an error.
pub(super) type Refusal = (ErrorCode, String);

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

/// The programs of a node that run now, for whoever stops, continues or ends them.
#[derive(Default)]
pub(super) struct Running {
    ended: bool,
    program: Option<Box<dyn Life>>,
    command: Option<Box<dyn Life>>,
}

/// The programs of a node, known to two threads.
#[derive(Clone, Default)]
pub(super) struct Programme(Arc<Mutex<Running>>);

impl Programme {
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with each of them.
    pub(super) fn each(&self, act: impl Fn(&dyn Life)) {
        let running = self.lock();
        for life in [&running.program, &running.command].into_iter().flatten() {
            act(life.as_ref());
        }
    }

    /// Ends them, and those that would be started later.
    pub(super) fn end(&self) {
        let mut running = self.lock();
        running.ended = true;
        running.program = None;
        running.command = None;
    }

    /// What the program last wrote to its standard error.
    pub(super) fn last_words(&self) -> String {
        self.lock()
            .program
            .as_ref()
            .map(|life| life.last_words())
            .unwrap_or_default()
    }
}

/// A node behind an adapter.
pub struct Session {
    adapter: Arc<Adapter>,
    programs: Arc<Programs>,
    /// Where command lines run.
    directory: PathBuf,
    running: Programme,
    said: Receiver<Arrival>,
    sayer: Sender<Arrival>,
    values: Values,
    introducer: Option<Introducer>,
    circle: Circle,
    member: bool,
    /// Whether it has left: then its program may end.
    left: bool,
    /// How many programs and commands were started: each has a name of its own.
    started: u64,
    /// The name of the program that runs now.
    program: Option<String>,
    /// How that ended, when it was not to end.
    pub(super) ended: Option<News>,
}

impl Session {
    /// A node of which nothing runs yet.
    ///
    /// Its command lines run in `directory`.
    pub fn new(adapter: Arc<Adapter>, programs: Arc<Programs>, directory: &Path) -> Self {
        let (sayer, said) = channel();
        let circle = Circle {
            id: 0,
            bits: 0,
            radix: adapter.radix,
        };
        Self {
            adapter,
            programs,
            directory: directory.to_owned(),
            running: Programme::default(),
            said,
            sayer,
            values: Values::new(),
            introducer: None,
            circle,
            member: false,
            left: false,
            started: 0,
            program: None,
            ended: None,
        }
    }

    /// Its programs.
    pub(super) fn running(&self) -> Programme {
        self.running.clone()
    }

    /// The end of what its program wrote to standard error.
    pub fn last_words(&self) -> String {
        self.running.last_words()
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
        if self.adapter.joins_by_start() || self.program.is_none() {
            performed = self.start(through.clone());
        }
        if !self.adapter.joins_by_start() && performed.reading.outcome.is_ok() {
            if let Some(through) = through {
                performed = self.perform(Operation::Join, &through);
            } else if self.adapter.deeds.contains_key(&Operation::Create) {
                performed = self.perform(Operation::Create, &Values::new());
            }
        }
        if performed.reading.outcome.is_ok() {
            self.member = true;
            self.left = false;
        }
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
        self.left = true;
        let mut performed = self.perform(Operation::Leave, &Values::new());
        let refused = performed
            .reading
            .lines
            .iter()
            .flat_map(|line| &line.matched)
            .any(|it| it.error.is_some());
        if self.program.is_none() && !refused {
            performed.reading.outcome = Ok(Map::new());
        }
        self.left = performed.reading.outcome.is_ok();
        if self.left {
            self.member = false;
            if self.adapter.joins_by_start() {
                self.program = None;
                self.running.lock().program = None;
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
        let launched = self.launch(&line, true);
        let answer = launched.and_then(|name| self.until_ready(&name));
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

    /// Starts a command line: the program itself, or a command beside it. Its name.
    fn launch(&mut self, line: &str, is_program: bool) -> Result<String, Unfinished> {
        let failed = |error: StartError| (Vec::new(), error.to_string());
        let prompt = self.adapter.prompt.clone().filter(|_| is_program);
        let is_prompt = move |text: &str| prompt.as_ref().is_some_and(|prompt| prompt.is_in(text));
        self.started += 1;
        let name = format!(
            "{} {}",
            self.values.get("name").map_or("node", String::as_str),
            self.started
        );
        let mut running = self.running.lock();
        if running.ended {
            return Err(failed(StartError::Machine(
                "the node has been ended".to_owned(),
            )));
        }
        let sayer = self.sayer.clone();
        let directory = self.directory.display().to_string();
        let line = filled("cd {directory} && ", &[("directory", &directory)]) + line;
        let life = self
            .programs
            .start_line(&name, &line, is_prompt, sayer)
            .map_err(failed)?;
        if is_program {
            running.program = Some(life);
            self.program = Some(name.clone());
            self.ended = None;
        } else {
            running.command = Some(life);
        }
        Ok(name)
    }

    fn until_ready(&mut self, program: &str) -> Result<Vec<String>, Unfinished> {
        let adapter = Arc::clone(&self.adapter);
        match &adapter.ready {
            Ready::Says(pattern) => {
                let said = self.listen(program, |line| pattern.is_in(line));
                said.map_err(|(lines, why)| (lines, format!("it does not get ready: {why}")))
            }
            Ready::AtOnce => match &adapter.prompt {
                Some(prompt) => self.listen(program, |line| prompt.is_in(line)),
                None => Ok(Vec::new()),
            },
            Ready::Accepts => self.until_it_accepts().map_err(|why| (Vec::new(), why)),
        }
    }

    fn until_it_accepts(&mut self) -> Result<Vec<String>, String> {
        let deadline = Instant::now() + self.adapter.patience;
        let place = |name| self.values.get(name).cloned().unwrap_or_default();
        let address = format!("{}:{}", place("host"), place("port"));
        let parsed: SocketAddr = address
            .parse()
            .map_err(|_| format!("{address} is no address"))?;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if TcpStream::connect_timeout(&parsed, left.max(REST)).is_ok() {
                return Ok(Vec::new());
            }
            self.notice();
            if let Some(ended) = &self.ended {
                return Err(how(ended));
            }
            if left.is_zero() {
                return Err(format!("nobody accepts connections at {address}"));
            }
            std::thread::sleep(REST);
        }
    }

    /// Whether the program has ended shows here. What it said meanwhile answers nothing.
    pub(super) fn notice(&mut self) {
        while let Ok(arrival) = self.said.try_recv() {
            self.note(arrival);
        }
    }

    /// Takes note of how something ended; the words for it.
    fn note(&mut self, arrival: Arrival) -> Option<String> {
        if matches!(arrival.news, News::Line(_) | News::LineTooLong) {
            return None;
        }
        let words = how(&arrival.news);
        if self.program.as_ref() == Some(&arrival.from) {
            self.program = None;
            self.ended = Some(arrival.news).filter(|_| !self.left);
        }
        Some(words)
    }

    /// The lines that come from `name` until `is_last`, or until it ends.
    fn listen(
        &mut self,
        name: &str,
        is_last: impl Fn(&str) -> bool,
    ) -> Result<Vec<String>, Unfinished> {
        let deadline = Instant::now() + self.adapter.patience;
        let (mut lines, mut bytes) = (Vec::new(), 0);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(arrival) = self.said.recv_timeout(left) else {
                let why = format!(
                    "nothing ended the answer within {:?}",
                    self.adapter.patience
                );
                return Err((lines, why));
            };
            let is_of_it = arrival.from == name;
            if let (true, News::Line(line)) = (is_of_it, &arrival.news) {
                bytes += line.len();
                if lines.len() >= MOST_LINES || bytes > MOST_ANSWER {
                    return Err((lines, "the answer is too long".to_owned()));
                }
                lines.push(line.clone());
                if is_last(line) {
                    return Ok(lines);
                }
            } else if let Some(how) = self.note(arrival).filter(|_| is_of_it) {
                return Err((lines, how));
            }
        }
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
                let answer = self.prompt(deed, &line)?;
                Ok((line, answer))
            }
            How::Run(line) => {
                let line = line.filled(values, Quote::Shell).map_err(malformed)?;
                let answer = self.run(&line);
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
                let answer = http::ask(
                    method,
                    &url,
                    body.as_deref().map(|body| (kind, body)),
                    self.adapter.patience,
                );
                Ok((
                    format!("{method} {url} {}", body.unwrap_or_default())
                        .trim_end()
                        .to_owned(),
                    answer,
                ))
            }
        }
    }

    /// A line to the prompt; the answer ends with the next prompt, or with the line that the operation names.
    fn prompt(&mut self, deed: &Deed, line: &str) -> Result<Answer, Refusal> {
        self.notice();
        let said = self
            .running
            .lock()
            .program
            .as_ref()
            .is_some_and(|life| life.say(line));
        let Some(program) = self.program.clone().filter(|_| said) else {
            return Err((
                ErrorCode::TEMPORARILY_UNAVAILABLE,
                "the program takes no line".to_owned(),
            ));
        };
        let adapter = Arc::clone(&self.adapter);
        let is_prompt = |line: &str| {
            adapter
                .prompt
                .as_ref()
                .is_some_and(|prompt| prompt.is_in(line))
        };
        let is_last = |line: &str| {
            let until = deed.until.as_ref().is_some_and(|until| until.is_in(line));
            // Where no prompt follows, an error ends the answer as well.
            let error = adapter.prompt.is_none()
                && deed.errors.iter().any(|(pattern, _)| pattern.is_in(line));
            until || error || is_prompt(line)
        };
        Ok(match self.listen(&program, is_last) {
            Ok(mut lines) => {
                lines.retain(|line| !is_prompt(line));
                Answer {
                    lines,
                    failure: None,
                }
            }
            Err((lines, why)) => Answer {
                lines,
                failure: Some(why),
            },
        })
    }

    /// A command; its answer is all that it says, and how it ended unless it ended well.
    fn run(&mut self, line: &str) -> Answer {
        self.notice();
        let both = format!("{{ {line}\n}} 2>&1");
        let launched = self.launch(&both, false);
        let answer = launched.and_then(|name| self.listen(&name, |_| false));
        self.running.lock().command = None;
        let (mut lines, why) = match answer {
            Ok(lines) => (lines, String::new()),
            Err(unfinished) => unfinished,
        };
        if why == ENDED_WELL {
            return Answer {
                lines,
                failure: None,
            };
        }
        lines.push(why.clone());
        Answer {
            lines,
            failure: Some(why),
        }
    }
}

/// The lines of an answer that did not end as it should, and why.
type Unfinished = (Vec<String>, String);

/// How a command ends that did what it was to do.
const ENDED_WELL: &str = "it ended with status 0";

fn how(news: &News) -> String {
    match news {
        News::Ended(how) | News::Overused(how) => how.clone(),
        News::Line(_) | News::LineTooLong => String::new(),
    }
}

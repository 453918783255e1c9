//! A node behind an adapter as the fleet sees it: it is asked lines, and answers lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::file::Adapter;
use super::operation::Operation;
use super::session::{Performed, Session};
use super::stage::Running;
use crate::control::namespace::Namespace;
use crate::control::process::{Limits, Programs};
use crate::control::ring::Request;
use crate::control::{Arrival, Envelope, ErrorCode, KIT, Life, News, Place, StartError, Starter};

/// The most requests that wait for an answer.
const MOST_WAITING: usize = 256;

/// How often an idle node is looked at, whether its program has ended.
const LOOK: Duration = Duration::from_millis(50);

/// Starts nodes behind an adapter.
#[derive(Debug)]
pub struct Adapted {
    adapter: Arc<Adapter>,
    programs: Arc<Programs>,
    directory: PathBuf,
}

impl Adapted {
    /// Nodes behind the adapter of this file; its command lines run in the directory of the file.
    ///
    /// # Errors
    /// The file cannot be read, is wrong, or the machine has no place for a home of the nodes.
    pub fn read(file: &Path, limits: Limits) -> Result<Self, StartError> {
        let name = file.display().to_string();
        let usage = |what: &dyn std::fmt::Display| StartError::Usage(format!("{name}: {what}"));
        let text = std::fs::read_to_string(file).map_err(|error| usage(&error))?;
        let adapter = Arc::new(Adapter::parse(&text).map_err(|error| usage(&error))?);
        let programs = Arc::new(Programs::new(&name, limits)?);
        let directory = file.parent().unwrap_or(Path::new("")).join("");
        let directory = std::path::absolute(&directory).map_err(|error| usage(&error))?;
        Ok(Self {
            adapter,
            programs,
            directory,
        })
    }

    /// What the file says.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// One node, to do with it step by step, in this namespace or in the machine's network.
    pub fn session(&self, namespace: Option<Arc<Namespace>>) -> Session {
        let (adapter, programs) = (Arc::clone(&self.adapter), Arc::clone(&self.programs));
        Session::new(adapter, programs, &self.directory, namespace)
    }
}

impl Starter for Adapted {
    fn start(&self, name: &str, _inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError> {
        Err(StartError::Usage(format!(
            "{name} is behind an adapter: such nodes talk over sockets"
        )))
    }

    fn start_at(&self, place: &Place, inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError> {
        if place.address.is_none() {
            return self.start(&place.name, inbox);
        }
        let session = self.session(place.namespace.clone());
        let running = session.running();
        let (requests, queue) = sync_channel(MOST_WAITING);
        let name = place.name.clone();
        let worker = move || work(session, &name, &queue, &inbox);
        // It ends when the requests do.
        std::thread::Builder::new()
            .name(format!("adapter of {}", place.name))
            .spawn(worker)
            .map_err(|error| StartError::Machine(error.to_string()))?;
        Ok(Box::new(Adaptee {
            requests: Some(requests),
            running,
        }))
    }

    fn enters_namespaces(&self) -> bool {
        true
    }

    fn answers_in_turn(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        Starter::name(self.programs.as_ref())
    }
}

/// The life of a node behind an adapter.
struct Adaptee {
    requests: Option<SyncSender<String>>,
    running: Running,
}

impl Life for Adaptee {
    fn say(&self, line: &str) -> bool {
        let requests = self.requests.as_ref();
        requests.is_some_and(|requests| requests.try_send(line.to_owned()).is_ok())
    }

    fn pause(&self) {
        self.running.each(|life| life.pause());
    }

    fn resume(&self) {
        self.running.each(|life| life.resume());
    }

    fn kill(&mut self) {
        self.requests = None;
        self.running.end();
    }

    fn waited_since(&self, began: Instant) -> Duration {
        self.running.waited_since(began)
    }

    fn last_words(&self) -> String {
        self.running.last_words()
    }
}

impl Drop for Adaptee {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Answers requests one after the other, until nobody asks any more or the program has ended.
fn work(mut session: Session, name: &str, queue: &Receiver<String>, inbox: &Sender<Arrival>) {
    let bring = |news| {
        let (from, at) = (name.to_owned(), Instant::now());
        // Nobody listens any more: then nobody minds.
        let _ = inbox.send(Arrival { from, at, news });
    };
    let end = loop {
        match queue.recv_timeout(LOOK) {
            Ok(line) => {
                if let Some(answer) = answer(&mut session, name, &line) {
                    bring(News::Line(answer.line()));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                break News::Ended("the kit ended it".to_owned());
            }
        }
        if let Some(ended) = session.ended() {
            break ended;
        }
    };
    session.running().end();
    bring(end);
}

/// The answer to a line; none to what is no request.
fn answer(session: &mut Session, name: &str, line: &str) -> Option<Envelope> {
    let envelope = Envelope::parse(line).ok()?;
    let number = envelope.msg_id()?;
    let kind = envelope.kind()?.to_owned();
    let is_known = kind == "init" || Operation::ALL.iter().any(|it| it.name() == kind);
    let body = match serde_json::from_value(Value::Object(envelope.body)) {
        _ if !is_known => refusal(ErrorCode::NOT_SUPPORTED, "there is no such operation"),
        Ok(request) => reply(&kind, &perform(session, request)),
        Err(error) => refusal(ErrorCode::MALFORMED_REQUEST, &error.to_string()),
    };
    let mut body = body;
    body.insert("in_reply_to".to_owned(), json!(number));
    Some(Envelope {
        src: name.to_owned(),
        dest: KIT.to_owned(),
        body,
    })
}

fn perform(session: &mut Session, request: Request) -> Performed {
    match request {
        Request::Init(init) => session.init(&init),
        Request::Join { introducer } => session.join(introducer),
        Request::Leave => session.leave(),
        Request::State => session.state(),
        Request::Lookup { key } => session.on_key(Operation::Lookup, key, None),
        Request::Put { key, value } => session.on_key(Operation::Put, key, Some(&value)),
        Request::Get { key } => session.on_key(Operation::Get, key, None),
        Request::Delete { key } => session.on_key(Operation::Delete, key, None),
    }
}

fn reply(kind: &str, performed: &Performed) -> Map<String, Value> {
    match &performed.reading.outcome {
        Ok(found) => {
            let mut body = Map::from_iter([("type".to_owned(), json!(format!("{kind}_ok")))]);
            body.extend(found.clone());
            body
        }
        Err((code, text)) => refusal(*code, text),
    }
}

fn refusal(code: ErrorCode, text: &str) -> Map<String, Value> {
    let body = json!({"type": "error", "code": code.0, "text": text});
    body.as_object().cloned().unwrap_or_default()
}

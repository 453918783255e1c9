//! The programs of a node: they are started, listened to, and asked by lines and by commands.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::file::{Adapter, Deed, Ready};
use super::pattern::Pattern;
use super::reading::Answer;
use crate::control::namespace::{Namespace, within};
use crate::control::process::Programs;
use crate::control::{Arrival, ErrorCode, Life, News, Place, StartError};
use crate::program::filled;

/// The most lines of an answer, and the most bytes of all of them.
const MOST_LINES: usize = 10_000;
const MOST_ANSWER: usize = 1 << 20;

/// Between two looks whether a program accepts connections.
const REST: Duration = Duration::from_millis(20);

/// How a command ends that did what it was to do.
const ENDED_WELL: &str = "it ended with status 0";

/// Why an operation has no answer: the code and the words of an error.
pub(super) type Refusal = (ErrorCode, String);

/// The lines of an answer that did not end as it should, and why.
pub(super) type Unfinished = (Vec<String>, String);

/// The programs of a node that run now, for whoever stops, continues or ends them.
#[derive(Default)]
struct Lives {
    ended: bool,
    program: Option<Box<dyn Life>>,
    command: Option<Box<dyn Life>>,
}

/// The programs of a node, known to two threads.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<Lives>>);

impl Running {
    fn lock(&self) -> MutexGuard<'_, Lives> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with each of them.
    pub(super) fn each(&self, act: impl Fn(&dyn Life)) {
        let running = self.lock();
        for life in [&running.program, &running.command].into_iter().flatten() {
            act(life.as_ref());
        }
    }

    /// For how much of the time since then one of them had no processor.
    pub(super) fn waited_since(&self, began: Instant) -> Duration {
        let running = self.lock();
        let lives = [&running.program, &running.command].into_iter().flatten();
        let waited = lives.map(|life| life.waited_since(began));
        waited.max().unwrap_or_default()
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

/// Where the programs of one node play.
pub(super) struct Stage {
    adapter: Arc<Adapter>,
    programs: Arc<Programs>,
    /// Where command lines run.
    directory: PathBuf,
    /// The network namespace in which they run, if they do not run in the machine's.
    namespace: Option<Arc<Namespace>>,
    pub(super) running: Running,
    said: Receiver<Arrival>,
    sayer: Sender<Arrival>,
    /// How many programs and commands were started: each has a name of its own.
    started: u64,
    /// The name of the program that runs now.
    program: Option<String>,
    /// Whether it may end by itself: it has left.
    pub(super) may_end: bool,
    /// How it ended, when it was not to end.
    pub(super) ended: Option<News>,
    /// Which program has not finished an answer in time, and what will end that.
    owes: Option<(String, Pattern)>,
}

impl Stage {
    pub(super) fn new(
        adapter: Arc<Adapter>,
        programs: Arc<Programs>,
        directory: &Path,
        namespace: Option<Arc<Namespace>>,
    ) -> Self {
        let (sayer, said) = channel();
        Self {
            adapter,
            programs,
            directory: directory.to_owned(),
            namespace,
            running: Running::default(),
            said,
            sayer,
            started: 0,
            program: None,
            may_end: false,
            ended: None,
            owes: None,
        }
    }

    /// Whether its program runs, as far as is known.
    pub(super) fn has_program(&self) -> bool {
        self.program.is_some()
    }

    /// Ends its program.
    pub(super) fn end_program(&mut self) {
        self.program = None;
        self.running.lock().program = None;
    }

    /// How its program ended by itself, if it did: from now on it is one that was not started.
    pub(super) fn take_end(&mut self) -> Option<String> {
        self.notice();
        let how = how(&self.ended.take()?);
        self.end_program();
        Some(how)
    }

    /// Starts its program, and waits until it is ready; what it said until then.
    pub(super) fn start(&mut self, line: &str, address: &str) -> Result<Vec<String>, Unfinished> {
        let program = self.launch(line, true)?;
        self.until_ready(&program, address)
    }

    /// Starts a command line: the program itself, or a command beside it. Its name.
    fn launch(&mut self, line: &str, is_program: bool) -> Result<String, Unfinished> {
        let failed = |error: StartError| (Vec::new(), error.to_string());
        let prompt = self.adapter.prompt.clone().filter(|_| is_program);
        let is_prompt = move |text: &str| prompt.as_ref().is_some_and(|prompt| prompt.is_in(text));
        self.started += 1;
        let name = format!("program {}", self.started);
        let mut running = self.running.lock();
        if running.ended {
            return Err(failed(StartError::Machine(
                "the node has been ended".to_owned(),
            )));
        }
        let sayer = self.sayer.clone();
        let directory = self.directory.display().to_string();
        let line = filled("cd {directory} && ", &[("directory", &directory)]) + line;
        let place = Place {
            name: name.clone(),
            namespace: self.namespace.clone(),
            ..Place::default()
        };
        let life = self
            .programs
            .start_line(&place, &line, is_prompt, sayer)
            .map_err(failed)?;
        if is_program {
            running.program = Some(life);
            self.program = Some(name.clone());
            self.ended = None;
            self.may_end = false;
            self.owes = None;
        } else {
            running.command = Some(life);
        }
        Ok(name)
    }

    fn until_ready(&mut self, program: &str, address: &str) -> Result<Vec<String>, Unfinished> {
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
            Ready::Accepts => self
                .until_it_accepts(address)
                .map_err(|why| (Vec::new(), why)),
        }
    }

    fn until_it_accepts(&mut self, address: &str) -> Result<Vec<String>, String> {
        let deadline = Instant::now() + self.adapter.patience;
        let parsed: SocketAddr = address
            .parse()
            .map_err(|_| format!("{address} is no address"))?;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let connected = self.within(|| TcpStream::connect_timeout(&parsed, left.max(REST)));
            if matches!(connected, Ok(Ok(_))) {
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

    /// Does something where the programs of the node have their addresses.
    pub(super) fn within<T: Send>(&self, act: impl FnOnce() -> T + Send) -> std::io::Result<T> {
        within(self.namespace.as_deref(), act)
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
            self.ended = Some(arrival.news).filter(|_| !self.may_end);
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

    /// A line to the prompt; the answer ends with the next prompt, or with the line that the operation names.
    pub(super) fn prompt(&mut self, deed: &Deed, line: &str) -> Result<Answer, Refusal> {
        self.notice();
        if let Some((program, end)) = self.owes.take() {
            // The answer to what it was asked before is not there yet, and is not the answer to this.
            let late = self.listen(&program, |line| end.is_in(line));
            if late.is_err() {
                self.owes = Some((program, end)).filter(|_| self.has_program());
                let what = "it still owes the answer to what it was asked before";
                return Err((ErrorCode::TEMPORARILY_UNAVAILABLE, what.to_owned()));
            }
        }
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
            Err((lines, why)) => {
                let end = adapter.prompt.as_ref().or(deed.until.as_ref());
                let owes = end.map(|end| (program, end.clone()));
                self.owes = owes.filter(|_| self.has_program());
                Answer {
                    lines,
                    failure: Some(why),
                }
            }
        })
    }

    /// A command; its answer is all that it says, and how it ended unless it ended well.
    pub(super) fn run(&mut self, line: &str) -> Answer {
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

fn how(news: &News) -> String {
    match news {
        News::Ended(how) | News::Overused(how) => how.clone(),
        News::Line(_) | News::LineTooLong => String::new(),
    }
}

//! A program that runs as a node.

use std::collections::{BTreeSet, VecDeque};
use std::process::{Child, ChildStdout};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

use super::bound::Bound;
use super::cage::{Limits, MARK, Walls};
use super::census::{self, Name, Process};
use super::reader::{self, IsPrompt, Piece};
use super::waits::{self, Waits};
use super::writer::Writer;
use crate::control::allowance::Allowance;
use crate::control::{Arrival, Life, MOST_LINE, News};
use crate::interrupt;

/// How long a program that has closed its standard output has to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long the system has to take away what was killed.
const BURIAL: Duration = Duration::from_secs(2);

/// Between two looks at something that is about to happen.
const REST: Duration = Duration::from_millis(5);

/// How often processes that are started meanwhile are looked for when all are stopped.
const ROUNDS: usize = 8;

/// The life of a program. Dropping it ends it and all that it has started.
pub(super) struct Running {
    shared: Arc<Shared>,
    writer: Writer,
    words: Arc<Mutex<VecDeque<u8>>>,
}

/// What the kit, the reader and the warden know of a program.
#[derive(Debug)]
pub(super) struct Shared {
    root: Pid,
    walls: Walls,
    /// The variable by which its processes are recognised, with its value.
    mark: String,
    limits: Limits,
    state: Mutex<State>,
    _registrations: [interrupt::Registration; 2],
}

#[derive(Debug)]
struct State {
    child: Child,
    /// Why it was ended, by whoever came first.
    why: Option<Why>,
    /// Those that were seen to belong to it.
    seen: BTreeSet<Name>,
    waits: Waits,
    /// Goes when nobody is in it any more.
    bound: Option<Bound>,
}

#[derive(Clone, Debug)]
enum Why {
    Kit,
    Overused(String),
    Itself(String),
}

impl Running {
    pub(super) fn new(
        shared: Arc<Shared>,
        writer: Writer,
        words: Arc<Mutex<VecDeque<u8>>>,
    ) -> Self {
        Self {
            shared,
            writer,
            words,
        }
    }
}

impl Life for Running {
    fn say(&self, line: &str) -> bool {
        self.writer.say(line)
    }

    fn pause(&self) {
        self.shared
            .signal_all(Signal::SIGSTOP, |process| process.state != 'T');
    }

    fn resume(&self) {
        self.shared
            .signal_all(Signal::SIGCONT, |process| process.state == 'T');
    }

    fn kill(&mut self) {
        self.shared.end(Why::Kit);
        self.shared.bury();
    }

    fn waited_since(&self, began: Instant) -> Duration {
        self.shared.lock().waits.since(began)
    }

    fn last_words(&self) -> String {
        let words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = words.iter().copied().collect();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.end(Why::Kit);
    }
}

impl Shared {
    pub(super) fn new(
        child: Child,
        registration: interrupt::Registration,
        bound: Option<Bound>,
        walls: Walls,
        mark: &str,
        limits: Limits,
    ) -> Self {
        let mark = format!("{MARK}={mark}");
        let marked = mark.clone();
        let strays = interrupt::on_interrupt(move || {
            if walls == Walls::Group {
                end_marked(&marked);
            }
        });
        Self {
            // Ids of children come from the system and fit.
            root: Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX)),
            walls,
            mark,
            limits,
            state: Mutex::new(State {
                child,
                why: None,
                seen: BTreeSet::new(),
                waits: Waits::new(),
                bound,
            }),
            _registrations: [registration, strays],
        }
    }

    /// Reads what the program writes until it has ended, and says how it did.
    pub(super) fn read(
        self: &Arc<Self>,
        pipe: ChildStdout,
        is_prompt: &IsPrompt,
        name: &str,
        inbox: &Sender<Arrival>,
    ) {
        let bring = |at, news| {
            let from = name.to_owned();
            // Nobody listens any more: then nobody minds.
            let _ = inbox.send(Arrival { from, at, news });
        };
        let mut allowance = Allowance::default();
        let mut skipped = 0;
        reader::read(pipe, is_prompt, &mut |piece| {
            let at = Instant::now();
            let spent = match piece {
                Piece::Line(line) => {
                    skipped = 0;
                    let spent = allowance.spend(at, line.len());
                    if spent.is_ok() {
                        bring(at, News::Line(line));
                    }
                    spent
                }
                Piece::Excess(bytes) => {
                    if skipped == 0 {
                        bring(at, News::LineTooLong);
                    }
                    skipped += bytes;
                    allowance.spend(at, bytes)
                }
            };
            match spent {
                Ok(()) => true,
                Err(how) => {
                    self.end(Why::Overused(how));
                    false
                }
            }
        });
        let news = match self.ended() {
            Why::Kit => News::Ended("the kit ended it".to_owned()),
            Why::Overused(how) => News::Overused(how),
            Why::Itself(how) => News::Ended(how),
        };
        bring(Instant::now(), news);
    }

    /// Its standard output has come to its end: why. Nothing of it is left afterwards.
    fn ended(&self) -> Why {
        let deadline = Instant::now() + FAREWELL;
        let how = loop {
            if let Some(why) = &self.lock().why {
                break why.clone();
            }
            if let Some(how) = self.exit() {
                break Why::Itself(how);
            }
            if Instant::now() >= deadline {
                break Why::Itself("it closed its standard output".to_owned());
            }
            std::thread::sleep(REST);
        };
        let why = self.end(how);
        self.bury();
        why
    }

    /// How it ended, if it has, in words. Its id is not given back yet.
    fn exit(&self) -> Option<String> {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        match waitid(Id::Pid(self.root), flags).ok()? {
            WaitStatus::Exited(_, status) => Some(exit_words(status)),
            WaitStatus::Signaled(_, signal, _) => Some(signal_words(signal)),
            _ => None,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.lock().why.is_some()
    }

    /// Ends everything, once; why it was ended.
    fn end(&self, why: Why) -> Why {
        let mut state = self.lock();
        if let Some(why) = &state.why {
            return why.clone();
        }
        let why = match why {
            // A program that cannot start any more children says little of it, and ends.
            Why::Itself(_) if state.bound.as_ref().is_some_and(Bound::was_met) => {
                let allowed = self.limits.tasks;
                let had = 2 * allowed;
                Why::Overused(too_many_tasks(had, allowed))
            }
            why => why,
        };
        state.why = Some(why.clone());
        // Taken before the first one dies: its orphans would go unknown.
        let members = census::members(&census::take(), self.root.as_raw(), &state.seen);
        // An error means that nobody is there any more, which is what is wanted.
        let _ = killpg(self.root, Signal::SIGKILL);
        for member in &members {
            let _ = kill(Pid::from_raw(member.id), Signal::SIGKILL);
        }
        state.seen.extend(members.iter().map(Process::name));
        let _ = state.child.wait();
        why
    }

    /// Waits until nothing of it is left, and ends what had left it.
    fn bury(&self) {
        let deadline = Instant::now() + BURIAL;
        loop {
            if self.walls == Walls::Group {
                end_marked(&self.mark);
            }
            let seen = self.lock().seen.clone();
            let all = census::take();
            let left = |it: &Process| it.lives() && seen.contains(&it.name());
            if !all.iter().any(left) || Instant::now() >= deadline {
                let bound = self.lock().bound.take();
                return drop(bound);
            }
            std::thread::sleep(REST);
        }
    }

    /// Sends the signal to every process that `wants` it, also to those that are started meanwhile.
    fn signal_all(&self, signal: Signal, wants: impl Fn(&Process) -> bool) {
        for _ in 0..ROUNDS {
            let state = self.lock();
            if state.why.is_some() {
                return;
            }
            let mut members = census::members(&census::take(), self.root.as_raw(), &state.seen);
            // `unshare` passes on what it sees of its child. It sees nothing when it stops first and goes on last.
            let root = self.root.as_raw();
            members.sort_by_key(|it| (it.id == root) == (signal == Signal::SIGCONT));
            let mut all = true;
            for member in members.iter().filter(|it| it.lives() && wants(it)) {
                all = false;
                let _ = kill(Pid::from_raw(member.id), signal);
            }
            if members.is_empty() {
                // No /proc here.
                let _ = killpg(self.root, signal);
            }
            drop(state);
            if all {
                return;
            }
            std::thread::sleep(REST);
        }
    }

    /// Looks at what it uses now, and ends it when that is too much.
    pub(super) fn look(&self, processes: &[Process]) {
        let mut state = self.lock();
        if state.why.is_some() {
            return;
        }
        let members = census::members(processes, self.root.as_raw(), &state.seen);
        state.seen = members.iter().map(Process::name).collect();
        drop(state);
        // Nobody waits for the kit while it reads.
        let waits = waits::of(&members);
        self.lock().waits.note(waits);
        if let Some(how) = overuse(&members, &self.limits) {
            self.end(Why::Overused(how));
        } else if let Some(how) = self.exit() {
            // What it has left behind keeps its standard output open.
            self.end(Why::Itself(how));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends what carries the mark in its environment, in whatever group it is.
fn end_marked(mark: &str) {
    for id in census::marked(mark) {
        let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
    }
}

/// What of it is too much, in one sentence.
fn overuse(members: &[Process], limits: &Limits) -> Option<String> {
    let sum = |of: fn(&Process) -> u64| members.iter().map(of).sum::<u64>();
    let mut memory = sum(Process::memory);
    if memory > limits.memory {
        // What they share counts once, after all.
        memory = sum(Process::share);
    }
    let tasks = sum(|it| it.threads);
    let used = Duration::from_millis(10 * sum(|it| it.hundredths));
    if memory > limits.memory {
        let (held, allowed) = (memory >> 20, limits.memory >> 20);
        Some(format!(
            "it held {held} MiB of memory; {allowed} MiB are allowed"
        ))
    } else if tasks > limits.tasks {
        Some(too_many_tasks(tasks, limits.tasks))
    } else if used > limits.processor {
        let (used, allowed) = (used.as_secs(), limits.processor.as_secs());
        Some(format!(
            "it used {used} s of processor time; {allowed} s are allowed"
        ))
    } else {
        None
    }
}

fn too_many_tasks(had: u64, allowed: u64) -> String {
    format!("it had {had} processes and threads; {allowed} are allowed")
}

/// Whether a program that ended with these words never began: the shell found nothing that it could run.
pub(crate) fn started_nothing(how: &str) -> bool {
    [126, 127]
        .map(exit_words)
        .iter()
        .any(|words| how.ends_with(words))
}

/// The shell reports a signal as a status beyond 128.
fn exit_words(status: i32) -> String {
    match status {
        125 => "it could not be contained (status 125)".to_owned(),
        126 => "its command line could not be run (status 126)".to_owned(),
        127 => "its command was not found (status 127)".to_owned(),
        129..=159 => match Signal::try_from(status - 128) {
            Ok(signal) => signal_words(signal),
            Err(_) => format!("it ended with status {status}"),
        },
        _ => format!("it ended with status {status}"),
    }
}

fn signal_words(signal: Signal) -> String {
    format!("it was ended by {signal}")
}

// One line is far from a flood.
const _: () = assert!(MOST_LINE < crate::control::allowance::MOST_BYTES);

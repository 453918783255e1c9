//! What runs a desk: it hands lines over, rings alarms in time, and can be stopped where it is.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::desk::{Alarm, Deed, Desk};
use super::mail::MOST_DATAGRAM;

/// How long a reader of datagrams waits until it looks whether its node still lives.
const LOOK_UP: Duration = Duration::from_millis(100);

/// The most lines and datagrams that wait to be read.
const MOST_LINES: usize = 4096;

/// The most bytes of complaints that are kept.
const MOST_COMPLAINTS: usize = 4096;

/// Where a node finds what it is told.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    inside: Mutex<Inside>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    words: VecDeque<Word>,
    paused: bool,
    /// No more lines come: it ends when those that are there are read.
    closed: bool,
    /// It ends at once.
    ended: bool,
    complaints: String,
}

/// What a node is told.
#[derive(Debug)]
enum Word {
    Line(String),
    Datagram(Vec<u8>),
}

/// What a node waits for next.
enum Next {
    Word(Word),
    Time,
    End,
}

impl Inbox {
    /// Hands a line over, if there is room and somebody who reads.
    pub(super) fn offer(&self, line: &str) -> bool {
        self.put(|| Word::Line(line.to_owned()))
    }

    fn put(&self, word: impl FnOnce() -> Word) -> bool {
        let mut inside = self.inside();
        if inside.ended || inside.closed || inside.words.len() >= MOST_LINES {
            return false;
        }
        inside.words.push_back(word());
        self.news.notify_all();
        true
    }

    /// Hands a line over, and waits for room; false when nobody reads any more.
    pub(super) fn push(&self, line: String) -> bool {
        let mut inside = self.inside();
        while !inside.ended && inside.words.len() >= MOST_LINES {
            inside = wait(&self.news, inside, None);
        }
        if inside.ended {
            return false;
        }
        inside.words.push_back(Word::Line(line));
        self.news.notify_all();
        true
    }

    pub(super) fn pause(&self, paused: bool) {
        self.inside().paused = paused;
        self.news.notify_all();
    }

    pub(super) fn close(&self) {
        self.inside().closed = true;
        self.news.notify_all();
    }

    pub(super) fn end(&self) {
        self.inside().ended = true;
        self.news.notify_all();
    }

    /// The end of what the node complained about.
    pub(super) fn complaints(&self) -> String {
        self.inside().complaints.clone()
    }

    fn complain(&self, what: &str) {
        let mut inside = self.inside();
        inside.complaints.push_str(what);
        inside.complaints.push('\n');
        let excess = inside.complaints.len().saturating_sub(MOST_COMPLAINTS);
        let cut =
            (excess..=inside.complaints.len()).find(|at| inside.complaints.is_char_boundary(*at));
        inside.complaints.drain(..cut.unwrap_or(0));
    }

    /// The next line, or that it is time.
    fn next(&self, time: Option<Instant>) -> Next {
        let mut inside = self.inside();
        loop {
            if inside.ended {
                return Next::End;
            }
            if inside.paused {
                inside = wait(&self.news, inside, None);
                continue;
            }
            let now = Instant::now();
            if time.is_some_and(|time| time <= now) {
                return Next::Time;
            }
            if let Some(word) = inside.words.pop_front() {
                self.news.notify_all();
                return Next::Word(word);
            }
            if inside.closed {
                return Next::End;
            }
            inside = wait(&self.news, inside, time.map(|time| time - now));
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<'a>(
    news: &Condvar,
    inside: MutexGuard<'a, Inside>,
    most: Option<Duration>,
) -> MutexGuard<'a, Inside> {
    match most {
        None => news.wait(inside).unwrap_or_else(PoisonError::into_inner),
        Some(most) => {
            let woken = news.wait_timeout(inside, most);
            woken.unwrap_or_else(PoisonError::into_inner).0
        }
    }
}

/// Alarms, by when they ring.
#[derive(Debug, Default)]
struct Alarms {
    by_time: BTreeMap<(Instant, u64), Alarm>,
    set: BTreeMap<Alarm, (Instant, u64)>,
    turn: u64,
}

impl Alarms {
    fn set(&mut self, alarm: Alarm, at: Instant) {
        self.cancel(alarm);
        self.turn += 1;
        self.by_time.insert((at, self.turn), alarm);
        self.set.insert(alarm, (at, self.turn));
    }

    fn cancel(&mut self, alarm: Alarm) {
        if let Some(place) = self.set.remove(&alarm) {
            self.by_time.remove(&place);
        }
    }

    fn next(&self) -> Option<Instant> {
        self.by_time.first_key_value().map(|((at, _), _)| *at)
    }

    fn due(&mut self, now: Instant) -> Option<Alarm> {
        let first = self.by_time.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let alarm = first.remove();
        self.set.remove(&alarm);
        Some(alarm)
    }
}

/// Where a node listens, and the thread that reads there. Dropping it closes the socket.
struct Ear {
    socket: UdpSocket,
    inbox: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    fn new(address: SocketAddr, inbox: &Arc<Inbox>) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        let reads = socket.try_clone()?;
        reads.set_read_timeout(Some(LOOK_UP))?;
        let told = Arc::clone(inbox);
        let thread = std::thread::Builder::new().spawn(move || {
            let mut buffer = vec![0; MOST_DATAGRAM];
            while !told.inside().ended {
                // An error is a time-out, or what a dead peer's system says.
                if let Ok(length) = reads.recv(&mut buffer) {
                    told.put(|| Word::Datagram(buffer[..length].to_vec()));
                }
            }
        })?;
        Ok(Self {
            socket,
            inbox: Arc::clone(inbox),
            thread: Some(thread),
        })
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.inbox.end();
        // An empty datagram wakes the reader; without it, it looks up by itself.
        if let Ok(own) = self.socket.local_addr() {
            let _ = self.socket.send_to(&[], own);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Lives until the inbox ends it or is empty and closed, or nobody hears what it says; `say` takes a line without
/// its end. The inbox is ended then.
pub(super) fn live(mut desk: Desk, inbox: &Arc<Inbox>, mut say: impl FnMut(String) -> bool) {
    let mut alarms = Alarms::default();
    let mut deeds = Vec::new();
    let mut ear = None;
    let mut silent = false;
    loop {
        match inbox.next(alarms.next()) {
            Next::End => break,
            Next::Word(Word::Line(line)) => desk.hear(&line, &mut deeds),
            Next::Word(Word::Datagram(bytes)) => desk.receive(&bytes, &mut deeds),
            Next::Time => {
                if let Some(alarm) = alarms.due(Instant::now()) {
                    desk.ring(alarm, &mut deeds);
                }
            }
        }
        for deed in deeds.drain(..) {
            match deed {
                Deed::Say(line) => {
                    if !silent && !say(line) {
                        return inbox.end();
                    }
                }
                Deed::Listen(address) => match Ear::new(address, inbox) {
                    Ok(new) => ear = Some(new),
                    Err(why) => {
                        inbox.complain(&format!("cannot listen on {address}: {why}"));
                        return inbox.end();
                    }
                },
                Deed::Datagram(to, bytes) => {
                    if let Some(ear) = ear.as_ref().filter(|_| !silent) {
                        // What cannot be sent is lost, as on a network.
                        let _ = ear.socket.send_to(&bytes, to);
                    }
                }
                Deed::Set(alarm, after) => alarms.set(alarm, Instant::now() + after),
                Deed::Cancel(alarm) => alarms.cancel(alarm),
                Deed::Complain(what) => inbox.complain(&what),
                Deed::FallSilent => silent = true,
            }
        }
    }
    inbox.end();
}

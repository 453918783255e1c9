//! The reference tracker: the specification's tracker behind HTTP and UDP on one port.
//!
//! It holds no state of its own but the timers: every answer is the specification's.

mod breaks;
mod http;
mod udp;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{AnnounceEvent, InfoHash};
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::node::Message;
use peerproof_model::bittorrent::tracker::{Tracker, TrackerConfig, TrackerTimer};
use peerproof_model::choose::Seeded;
use peerproof_model::node::{Input, Node, Output};

pub use breaks::BREAKS;
use breaks::{Bug, WireBug};

use crate::serve::{Running, ServeOptions, Server};
use crate::suite::{Break, OpenError};

/// Connections that are served at the same time; more are hung up on.
const CONNECTIONS: usize = 256;

/// The most timers that are run before one question is answered.
const TIMERS_AT_ONCE: usize = 100_000;

/// The server of `bittorrent-tracker`.
pub struct TrackerServer;

impl Server for TrackerServer {
    fn name(&self) -> &'static str {
        "bittorrent-tracker"
    }

    fn about(&self) -> &'static str {
        "a tracker over HTTP and UDP on one port"
    }

    fn breaks(&self) -> &'static [Break] {
        &BREAKS
    }

    fn start(&self, options: &ServeOptions) -> Result<Box<dyn Running>, OpenError> {
        let settings = Settings {
            listen: options.listen,
            bug: options.bug.clone(),
            seed: options.seed,
            haste: 1,
            whitelist: match &options.torrent {
                Some(path) => Some(info_hash(path)?),
                None => None,
            },
        };
        Ok(Box::new(start(&settings)?))
    }
}

/// The info hash of a torrent file, as the only one that is tracked.
fn info_hash(path: &std::path::Path) -> Result<BTreeSet<InfoHash>, OpenError> {
    let usage = |why: String| OpenError::Usage(format!("{}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| usage(error.to_string()))?;
    let metainfo = Metainfo::parse(&bytes).map_err(|error| usage(error.to_string()))?;
    Ok([metainfo.info_hash()].into())
}

/// How the reference tracker is started.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where to listen; port 0 takes one that is free for both.
    pub(crate) listen: SocketAddr,
    /// The seeded violation, by name.
    pub(crate) bug: Option<String>,
    /// The seed of its free choices and its secret.
    pub(crate) seed: u64,
    /// How much faster than the wall clock its clock runs.
    pub(crate) haste: u32,
    /// The only torrents, if not any.
    pub(crate) whitelist: Option<BTreeSet<InfoHash>>,
}

/// A tracker that runs.
pub(crate) struct RunningTracker {
    shared: Arc<Shared>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

/// What the threads of a tracker share.
struct Shared {
    state: Mutex<State>,
    bug: Option<Bug>,
    began: Instant,
    haste: u32,
    stopping: AtomicBool,
    /// Set by the break that takes offence.
    offended: AtomicBool,
    /// The ids that the break with guessable ids has given out.
    guessable: Mutex<Vec<u64>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// The specification's tracker and its timers, by its own clock.
struct State {
    tracker: Tracker,
    choose: Seeded,
    due: BTreeMap<TrackerTimer, Duration>,
    order: BTreeSet<(Duration, TrackerTimer)>,
}

/// Starts a tracker.
pub(crate) fn start(settings: &Settings) -> Result<RunningTracker, OpenError> {
    let bug = match &settings.bug {
        Some(name) => Some(Bug::by_name(name).ok_or_else(|| {
            OpenError::Usage(format!("the tracker has no break called `{name}`"))
        })?),
        None => None,
    };
    let (listener, socket) = bind(settings.listen)?;
    let address = listener
        .local_addr()
        .map_err(|error| OpenError::Kit(error.to_string()))?;
    let mut choose = Seeded::new(settings.seed);
    let mut config = TrackerConfig::new();
    choose.fill(&mut config.secret);
    config.mutant = bug.and_then(Bug::mutant);
    config.whitelist = settings.whitelist.clone();
    let shared = Arc::new(Shared {
        state: Mutex::new(State {
            tracker: Tracker::new(Arc::new(config)),
            choose,
            due: BTreeMap::new(),
            order: BTreeSet::new(),
        }),
        bug,
        began: Instant::now(),
        haste: settings.haste,
        stopping: AtomicBool::new(false),
        offended: AtomicBool::new(false),
        guessable: Mutex::default(),
        workers: Mutex::new(Vec::new()),
    });
    let (over_tcp, over_udp) = (Arc::clone(&shared), Arc::clone(&shared));
    let threads = vec![
        std::thread::spawn(move || accept(&listener, &over_tcp)),
        std::thread::spawn(move || udp::serve(&socket, &over_udp)),
    ];
    Ok(RunningTracker {
        shared,
        address,
        threads,
    })
}

/// A port that is free over TCP and UDP.
fn bind(listen: SocketAddr) -> Result<(TcpListener, UdpSocket), OpenError> {
    let refuse = |error: std::io::Error| {
        OpenError::Usage(format!("the tracker cannot listen on {listen}: {error}"))
    };
    let tries = if listen.port() == 0 { 32 } else { 1 };
    let mut last = None;
    for _ in 0..tries {
        let listener = TcpListener::bind(listen).map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        match UdpSocket::bind(address) {
            Ok(socket) => return Ok((listener, socket)),
            Err(error) => last = Some(error),
        }
    }
    Err(refuse(
        last.unwrap_or_else(|| std::io::Error::other("no free port")),
    ))
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        // A connection that was lost before it was accepted concerns nobody else.
        let Ok(stream) = stream else { continue };
        if shared.is(WireBug::OneAtATime) {
            http::serve(stream, shared);
            continue;
        }
        let mut workers = shared
            .workers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        workers.retain(|worker| !worker.is_finished());
        if workers.len() < CONNECTIONS {
            let shared = Arc::clone(shared);
            workers.push(std::thread::spawn(move || http::serve(stream, &shared)));
        }
    }
}

impl Shared {
    fn is(&self, bug: WireBug) -> bool {
        self.bug == Some(Bug::Wire(bug))
    }

    /// Reads event and bytes left as a break does.
    fn misread(&self, event: &mut AnnounceEvent, left: &mut u64) {
        if self.is(WireBug::SeedersByEvent) && *event != AnnounceEvent::Completed {
            *left = (*left).max(1);
        }
        if self.is(WireBug::SeedersComplete) && *event == AnnounceEvent::Started && *left == 0 {
            *event = AnnounceEvent::Completed;
        }
        if self.is(WireBug::ForgetsOnReannounce) && *event == AnnounceEvent::Regular {
            *event = AnnounceEvent::Stopped;
        }
        if self.is(WireBug::KeepsTheStopped) && *event == AnnounceEvent::Stopped {
            *event = AnnounceEvent::Regular;
        }
    }

    /// Asks the specification. None: it does not answer.
    fn ask(&self, from: SocketAddr, message: Message) -> Option<Message> {
        let now = self.began.elapsed() * self.haste;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.expire(now);
        let out = state.step(Input::Receive { from, message }, now);
        out.into_iter().find_map(|output| match output {
            Output::Send { to, message } if to == from => Some(message),
            _ => None,
        })
    }
}

impl State {
    /// Runs the timers that are due.
    fn expire(&mut self, now: Duration) {
        for _ in 0..TIMERS_AT_ONCE {
            let Some((at, timer)) = self.order.first().copied().filter(|(at, _)| *at <= now) else {
                return;
            };
            self.cancel(timer);
            // A timer that runs again does so from when it was due, not from when somebody looked.
            self.step(Input::Expire(timer), at);
        }
    }

    fn step(&mut self, input: Input<Tracker>, now: Duration) -> Vec<Output<Tracker>> {
        let mut out = Vec::new();
        // What a tracker rejects left no trace, so there is nothing to answer.
        if self
            .tracker
            .step(input, &mut self.choose, &mut out)
            .is_err()
        {
            return Vec::new();
        }
        for output in &out {
            match output {
                Output::SetTimer { timer, after } => {
                    self.cancel(*timer);
                    self.due.insert(*timer, now + *after);
                    self.order.insert((now + *after, *timer));
                }
                Output::CancelTimer(timer) => self.cancel(*timer),
                _ => {}
            }
        }
        out
    }

    fn cancel(&mut self, timer: TrackerTimer) {
        if let Some(at) = self.due.remove(&timer) {
            self.order.remove(&(at, timer));
        }
    }
}

impl Running for RunningTracker {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn describe(&self) -> Vec<String> {
        vec![
            format!("announce over HTTP: http://{}/announce", self.address),
            format!("announce over UDP:  udp://{}/announce", self.address),
        ]
    }
}

impl Drop for RunningTracker {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // A last connection wakes the thread that accepts.
        let mut own = self.address;
        if own.ip().is_unspecified() {
            own.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
        }
        let _ = TcpStream::connect_timeout(&own, Duration::from_secs(1));
        let workers = std::mem::take(
            &mut *self
                .shared
                .workers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for thread in self.threads.drain(..).chain(workers) {
            let _ = thread.join();
        }
    }
}

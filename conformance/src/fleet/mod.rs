//! Many nodes at once: the kit starts them, asks them, carries their messages, and harms them as the story wants.
//!
//! Nothing here knows a protocol: nodes are names, bodies are JSON. Everything that arrives is handled while the
//! caller waits ([`Fleet::answer`], [`Fleet::call`], [`Fleet::pump_for`]); there is no thread of its own.
//!
//! | file | holds |
//! |---|---|
//! | `network.rs` | the kit's network: delays, losses, duplicates, partitions, by seed |
//! | `member.rs` | one node: whether it lives, how much it said |
//! | `harm.rs` | crashes, pauses, partitions, barriers |
//! | `parting.rs` | partitions and losses between nodes that talk over sockets |
//! | `firewall.rs` | they have loopback addresses: control groups tell whose packets are cut |
//! | `private.rs` | they have network namespaces: the bridge between those cuts |
//! | `books.rs` | what was asked and waits for an answer |
//! | `pump.rs` | what is done with everything that arrives |
//! | `ground.rs` | loopback addresses, for nodes that talk over sockets |
//! | `trace.rs` | everything that was seen, and its log |
//! | `recording.rs` | the trace as a recording, for diagrams: what is routine is counted |
//! | `mistakes.rs` | what no node may do |
//! | `trouble.rs` | why a node cannot be driven on |

mod books;
mod firewall;
mod ground;
mod harm;
mod member;
mod mistakes;
mod network;
mod parting;
mod private;
mod pump;
mod recording;
mod trace;
mod trouble;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::control::ring::Network;
use crate::control::{Arrival, Envelope, KIT, MOST_LINE, Place, StartError, Starter};
use crate::jitter::{self, Meter};

pub use books::{Answered, Ticket};
pub use mistakes::{KEPT_MISTAKES, Mistake, Wrong};
pub use network::{MOST_BYTES_IN_FLIGHT, MOST_IN_FLIGHT, Weather};
pub use recording::recording;
pub use trace::{Event, KEPT_EVENTS, What, write_log};
pub use trouble::Trouble;

use books::{Books, State};
use firewall::Firewall;
use member::Member;
use mistakes::Mistakes;
use parting::Parting;
use private::Private;
use trace::Trace;

/// The longest body between nodes, in bytes.
pub const MOST_MESSAGE: usize = 64 << 10;

/// The longest name of a node, in bytes.
const LONGEST_NAME: usize = 64;

/// How long an ended process may take until its last word is read.
const LAST_WORD: Duration = Duration::from_secs(10);

/// A deadline is put off for as long as the kit itself was not scheduled, up to this many times its length.
const MOST_EXTENSION: u32 = 3;

/// Where nodes that talk over sockets live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// In the network of this machine: each has a loopback address of its own.
    #[default]
    Loopback,
    /// In a network namespace each, from which they reach one another and nothing else.
    Namespaces,
}

/// How the nodes of a fleet talk, and how long the kit waits.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How messages between nodes travel.
    pub network: Network,
    /// Where they live, if over sockets.
    pub isolation: Isolation,
    /// The seed of everything random.
    pub seed: u64,
    /// What the kit's network does to messages.
    pub weather: Weather,
    /// How long a node may take for an answer.
    pub patience: Duration,
}

/// Nodes that live together. Dropping it ends them all.
pub struct Fleet {
    starter: Arc<dyn Starter>,
    plan: Plan,
    began: Instant,
    inbox: Receiver<Arrival>,
    /// Where nodes put what they say; kept, so that the inbox never closes.
    outbox: Sender<Arrival>,
    members: BTreeMap<String, Member>,
    network: network::Kit,
    /// For nodes that talk over sockets: what parts them, or why nothing can.
    parting: Result<Parting, String>,
    books: Books,
    trace: Trace,
    mistakes: Mistakes,
    meter: &'static Meter,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.members.keys().collect();
        f.debug_struct("Fleet")
            .field("plan", &self.plan)
            .field("members", &names)
            .finish_non_exhaustive()
    }
}

impl Fleet {
    /// A fleet without nodes.
    ///
    /// # Errors
    /// The machine has no addresses, or no namespaces, for nodes that talk over sockets.
    pub fn new(starter: Arc<dyn Starter>, plan: Plan) -> Result<Self, StartError> {
        let parting = match (plan.network, plan.isolation) {
            (Network::Kit, _) => Err("nodes talk through the kit".to_owned()),
            (Network::Sockets, Isolation::Loopback) => {
                ground::address().map_err(|error| {
                    StartError::Machine(format!("no loopback address for a node: {error}"))
                })?;
                if starter.enters_groups() {
                    Firewall::new().map(Parting::by)
                } else {
                    Err("nodes of this kind cannot be parted over loopback addresses".to_owned())
                }
            }
            (Network::Sockets, Isolation::Namespaces) if !starter.enters_namespaces() => {
                let why = "nodes of this kind cannot live in network namespaces";
                return Err(StartError::Usage(why.to_owned()));
            }
            (Network::Sockets, Isolation::Namespaces) => {
                let private = Private::new().map_err(StartError::Machine)?;
                Ok(Parting::by(private))
            }
        };
        let (outbox, inbox) = channel();
        Ok(Self {
            starter,
            network: network::Kit::new(plan.seed, plan.weather.clone()),
            plan,
            parting,
            began: Instant::now(),
            inbox,
            outbox,
            members: BTreeMap::new(),
            books: Books::default(),
            trace: Trace::default(),
            mistakes: Mistakes::default(),
            meter: Meter::of_this_process(),
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// From now on answers may take so long.
    pub fn set_patience(&mut self, patience: Duration) {
        self.plan.patience = patience;
    }

    /// How reports name what is started.
    pub fn starter_name(&self) -> String {
        self.starter.name()
    }

    /// Starts a node, also one that has ended before; its address if it is to talk over sockets.
    /// It is not told anything yet.
    ///
    /// # Errors
    /// It lives already, or the machine cannot start it.
    pub fn start(&mut self, name: &str) -> Result<Option<SocketAddr>, Trouble> {
        self.start_through(name, None)
    }

    /// Starts a node that will join through `introducer`, for command lines that say so.
    ///
    /// # Errors
    /// Those of [`Fleet::start`].
    pub fn start_through(
        &mut self,
        name: &str,
        introducer: Option<&str>,
    ) -> Result<Option<SocketAddr>, Trouble> {
        if name.is_empty() || name == KIT || name.len() > LONGEST_NAME {
            return Err(Trouble::Kit(format!("no name for a node: `{name}`")));
        }
        if self.is_alive(name) {
            return Err(Trouble::Kit(format!("{name} lives already")));
        }
        self.await_last_word(name)?;
        let mut place = Place {
            name: name.to_owned(),
            address: self.address_for(name)?,
            introducer: introducer.map(str::to_owned),
            introducer_address: introducer.and_then(|name| self.address(name)),
            ..Place::default()
        };
        if let Ok(parting) = &mut self.parting {
            parting.admit(&mut place).map_err(Trouble::Kit)?;
        }
        let life = self.starter.start_at(&place, self.outbox.clone())?;
        let member = Member::new(life, place.address);
        self.members.insert(name.to_owned(), member);
        self.note(What::Started, name, String::new());
        Ok(place.address)
    }

    /// Where a node listens, over sockets; also one that has ended, since it comes back there.
    pub fn address(&self, name: &str) -> Option<SocketAddr> {
        self.members.get(name)?.address
    }

    /// Asks a node, and does not wait. The body has a `type` and gets a `msg_id`.
    pub fn ask(&mut self, name: &str, mut body: Map<String, Value>) -> Ticket {
        let now = Instant::now();
        let kind = body.get("type").and_then(Value::as_str).unwrap_or_default();
        let ticket = self.books.open(name, kind, now);
        body.insert("msg_id".to_owned(), ticket.number().into());
        let envelope = Envelope {
            src: KIT.to_owned(),
            dest: name.to_owned(),
            body,
        };
        let line = envelope.line();
        let said = self.members.get(name).map(|member| member.say(&line));
        let note = match &said {
            Some(Ok(true)) => "",
            Some(Ok(false)) => "lost: the node does not read",
            Some(Err(_)) | None => "lost: the node is gone",
        };
        self.saw(
            What::Asked,
            name,
            None,
            Arc::new(envelope.body),
            line.len(),
            note,
        );
        match said {
            // What a full pipe does not take is silence: the node does not read.
            Some(Ok(_)) => {}
            Some(Err(how)) => self.books.lose_one(&ticket, &how),
            None => self.books.lose_one(&ticket, "it was never started"),
        }
        ticket
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// It does not come, or is none.
    pub fn answer(&mut self, ticket: Ticket) -> Result<Answered, Trouble> {
        let Some(request) = self.books.request(&ticket) else {
            return Err(Trouble::Kit("too many requests are open".to_owned()));
        };
        let (asked, node) = (request.asked, request.node.clone());
        while self.books.is_open(&ticket) && Instant::now() < self.deadline(&node, asked) {
            let until = self.deadline(&node, asked);
            self.pump_until(until, |fleet| !fleet.books.is_open(&ticket));
        }
        let Some(request) = self.books.close(&ticket) else {
            return Err(Trouble::Kit("too many requests are open".to_owned()));
        };
        let node = request.node;
        let began = self.turn(&node, asked);
        let waited = began.elapsed();
        match request.state {
            State::Answered(Ok(answered)) => Ok(answered),
            State::Answered(Err(what)) => Err(Trouble::Malformed { node, what }),
            State::Lost(how) => Err(Trouble::Gone { node, how }),
            State::Open | State::GivenUp => {
                let (request, lost) = (request.kind, self.lost_by(self.members.get(&node), began));
                Err(if jitter::means_something(waited, lost) {
                    Trouble::Silent {
                        node,
                        request,
                        waited,
                    }
                } else {
                    Trouble::Overloaded {
                        node,
                        request,
                        lost,
                    }
                })
            }
        }
    }

    /// Asks a node and waits for the answer.
    ///
    /// # Errors
    /// Those of [`Fleet::answer`].
    pub fn call(&mut self, name: &str, body: Map<String, Value>) -> Result<Answered, Trouble> {
        let ticket = self.ask(name, body);
        self.answer(ticket)
    }

    /// Lets the network run for so long.
    pub fn pump_for(&mut self, time: Duration) {
        self.pump_until(Instant::now() + time, |_| false);
    }

    /// How many messages between nodes are on their way, through the kit.
    pub fn in_flight(&self) -> usize {
        self.network.in_flight()
    }

    /// Whether a node lives, as far as the kit has heard.
    pub fn is_alive(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|it| it.life().is_some())
    }

    /// The end of what a node wrote to standard error.
    pub fn last_words(&self, name: &str) -> String {
        self.members
            .get(name)
            .map(Member::last_words)
            .unwrap_or_default()
    }

    /// What nodes did that no node may do, in order; the first [`KEPT_MISTAKES`].
    pub fn mistakes(&self) -> &[Mistake] {
        self.mistakes.kept()
    }

    /// How many mistakes there were beyond those that are kept.
    pub fn dropped_mistakes(&self) -> usize {
        self.mistakes.dropped()
    }

    /// Everything that was seen, in order; the first [`KEPT_EVENTS`].
    pub fn trace(&self) -> &[Event] {
        self.trace.events()
    }

    /// How many events there were beyond those that are kept: with any, the trace is not the whole story.
    pub fn dropped_events(&self) -> usize {
        self.trace.dropped()
    }

    /// When the fleet began: the zero of its trace.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// How much of the time since then the kit did not run although it wanted to, or one of the nodes.
    pub fn lost_since(&self, began: Instant) -> Duration {
        self.lost_by(self.members.values(), began)
    }

    /// The same with some of the nodes.
    fn lost_by<'a>(&self, nodes: impl IntoIterator<Item = &'a Member>, began: Instant) -> Duration {
        let lives = nodes.into_iter().filter_map(Member::life);
        let waited = lives.map(|life| life.waited_since(began));
        let waited = waited.max().unwrap_or_default();
        let lost = self.meter.lost_since(began).saturating_add(waited);
        // Both may have waited at the same time.
        lost.min(began.elapsed())
    }

    /// From when on a node could see to a request.
    fn turn(&self, name: &str, asked: Instant) -> Instant {
        let member = self.members.get(name);
        let last = member.filter(|_| self.starter.answers_in_turn());
        last.and_then(|it| it.answered)
            .map_or(asked, |last| last.max(asked))
    }

    /// Until when an answer of a node is waited for: longer while it does not run, or the kit.
    fn deadline(&self, name: &str, asked: Instant) -> Instant {
        let patience = self.plan.patience;
        let began = self.turn(name, asked);
        let lost = self.lost_by(self.members.get(name), began);
        began + patience + lost.min(patience * (MOST_EXTENSION - 1))
    }

    /// The loopback address of a node over sockets: the one it had, or one of its own.
    fn address_for(&self, name: &str) -> Result<Option<SocketAddr>, Trouble> {
        if self.plan.network == Network::Kit || self.plan.isolation == Isolation::Namespaces {
            return Ok(None);
        }
        if let Some(address) = self.address(name) {
            return Ok(Some(address));
        }
        let address = ground::address();
        address
            .map(Some)
            .map_err(|error| Trouble::Kit(format!("no address for {name}: {error}")))
    }

    /// What the ended process of this name said is read before another one of the name begins.
    fn await_last_word(&mut self, name: &str) -> Result<(), Trouble> {
        let said_all = |fleet: &Self| fleet.members.get(name).is_none_or(Member::has_said_all);
        self.pump_until(Instant::now() + LAST_WORD, said_all);
        if said_all(self) {
            Ok(())
        } else {
            Err(Trouble::Kit(format!("{name} was ended and does not end")))
        }
    }

    fn note(&mut self, what: What, node: &str, note: String) {
        let event = Event {
            at: self.began.elapsed(),
            what,
            node: node.to_owned(),
            peer: None,
            body: None,
            note,
        };
        self.trace.push(event, 0);
    }

    fn saw(
        &mut self,
        what: What,
        node: &str,
        peer: Option<&str>,
        body: Arc<Map<String, Value>>,
        bytes: usize,
        note: &str,
    ) {
        let event = Event {
            at: self.began.elapsed(),
            what,
            node: node.to_owned(),
            peer: peer.map(str::to_owned),
            body: Some(body),
            note: note.to_owned(),
        };
        self.trace.push(event, bytes);
    }

    fn mistake(&mut self, node: &str, what: Wrong) {
        let at = self.began.elapsed();
        let node = node.to_owned();
        self.mistakes.push(Mistake { node, at, what });
    }
}

/// Whether nodes that talk over loopback addresses can be parted on this machine.
///
/// # Errors
/// Why not, in one sentence.
pub fn can_part_sockets() -> Result<(), String> {
    Firewall::new().map(drop)
}

/// Whether nodes can have network namespaces on this machine.
///
/// # Errors
/// What is missing, in one sentence.
pub fn can_isolate() -> Result<(), String> {
    Private::works()
}

// A message fits into a line, whatever its envelope says.
const _: () = assert!(MOST_MESSAGE < MOST_LINE);

#[cfg(test)]
mod tests;

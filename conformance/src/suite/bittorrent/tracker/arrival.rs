//! How a session begins: the tracker is found or started, and asked whether it takes the kit's torrents.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{AnnounceResponse, InfoHash, UdpRequest, UdpResponse};
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::properties::of_trackers;
use peerproof_model::bittorrent::tracker_view::{Answer, Exchange, TrackerView, TrackerWatch};
use peerproof_model::bittorrent::wire::tracker_http::scrape_path;

use super::{ARRIVAL, Node, Started, TrackerSession, info_hashes, named, torrents_of};
use crate::case::Stop;
use crate::jitter::Meter;
use crate::record::Recorder;
use crate::serve::bittorrent::tracker::{Settings, start};
use crate::suite::bittorrent::tracker_client::{
    Door, Doors, Equipment, Peer, Torrents, TrackerKit,
};
use crate::suite::{OpenError, Options};
use crate::target::Target;

/// The clock of the embedded reference tracker runs faster, so that connection ids end within seconds.
const HASTE: u32 = 20;

/// How long a program may take until its tracker answers.
const READY: Duration = Duration::from_secs(20);
/// How much later than its first door a program may open its second.
const SECOND_DOOR: Duration = Duration::from_secs(1);
/// How long a tracker that refuses the kit's torrents is asked again: it may have opened its doors before it has
/// read its whitelist.
const WHITELIST: Duration = Duration::from_secs(5);
/// How often it is asked.
const REST: Duration = Duration::from_millis(50);

/// Reaches or starts the tracker.
pub(super) fn open(target: &Target, options: &Options) -> Result<TrackerSession, OpenError> {
    let single = match &options.torrent {
        Some(path) => Some(read(path)?),
        None => None,
    };
    // Deadlines are judged against how late this machine wakes the kit: from the beginning on.
    let _ = Meter::of_this_process();
    let mut haste = 1;
    let (address, mut node) = match target {
        Target::Address(address) => (*address, None),
        Target::Embedded { bug } => {
            haste = HASTE;
            let tracker = start(&Settings {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                bug: bug.clone(),
                seed: options.seed,
                haste,
                whitelist: None,
            })?;
            (
                crate::serve::Running::address(&tracker),
                Some(Node::Embedded(tracker)),
            )
        }
        Target::Command(line) => {
            let hashes = single.map_or_else(|| info_hashes(options.seed), |hash| vec![hash]);
            let program = Started::start(line, &hashes)?;
            (program.address(), Some(Node::Program(program)))
        }
        Target::Adapter(_) => return Err(OpenError::takes_no_adapter()),
    };
    let udp = SocketAddr::new(address.ip(), options.udp_port.unwrap_or(address.port()));
    let path = options
        .announce_path
        .clone()
        .unwrap_or_else(|| "/announce".to_owned());
    let asker = Asker {
        options,
        single,
        path,
    };
    let deadline = Instant::now() + READY;
    let mut first = None;
    let doors = loop {
        let doors = asker.doors(address, udp)?;
        let (over_tcp, over_udp) = (doors.http.is_some(), doors.udp.is_some());
        let starting = match &mut node {
            Some(Node::Program(program)) => !program.has_ended(),
            _ => false,
        };
        // A program that is starting may open one door after the other.
        let since = *first.get_or_insert_with(Instant::now);
        if !over_tcp && !over_udp {
            first = None;
        } else if (over_tcp && over_udp) || !starting || since.elapsed() > SECOND_DOOR {
            break doors;
        }
        if !starting || Instant::now() >= deadline {
            let mut why = format!("no tracker answers at {address}, over HTTP or UDP");
            if let (Target::Command(line), Some(Node::Program(program))) = (target, &node) {
                why = format!("`{line}`: {why}; {}", program.last_words());
            }
            return Err(OpenError::Unreachable(why));
        }
        std::thread::sleep(REST);
    };
    let view = asker.admitted(&doors)?;
    Ok(TrackerSession {
        name: named(&doors, &target.name()),
        doors,
        patience: options.patience,
        haste,
        shared: single.map(|torrent| (torrent, Mutex::new(view))),
        _node: node,
    })
}

fn read(path: &std::path::Path) -> Result<InfoHash, OpenError> {
    let usage = |why: String| OpenError::Usage(format!("{}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| usage(error.to_string()))?;
    let metainfo = Metainfo::parse(&bytes).map_err(|error| usage(error.to_string()))?;
    Ok(metainfo.info_hash())
}

/// Asks whether anybody is there.
struct Asker<'a> {
    options: &'a Options,
    single: Option<InfoHash>,
    path: String,
}

impl Asker<'_> {
    fn kit(&self, doors: &Doors) -> TrackerKit {
        let torrents = match self.single {
            Some(first) => Torrents {
                first,
                second: None,
            },
            None => torrents_of(ARRIVAL, self.options.seed),
        };
        TrackerKit::new(Equipment {
            doors: doors.clone(),
            torrents,
            watch: TrackerWatch::new(TrackerView::new(false), of_trackers().take(0)),
            recorder: Recorder::new(),
            patience: self.options.patience,
            haste: 1,
            seed: self.options.seed,
            number: 0,
        })
    }

    /// The doors behind which something answers.
    fn doors(&self, address: SocketAddr, udp: SocketAddr) -> Result<Doors, OpenError> {
        let mut doors = Doors {
            http: None,
            udp: Some(udp),
            scrape_path: scrape_path(&self.path),
            announce_path: self.path.clone(),
        };
        if TcpStream::connect_timeout(&address, self.options.patience).is_ok() {
            doors.http = Some(address);
        }
        let mut kit = self.kit(&doors);
        let host = kit.peer(0).host;
        let transaction_id = kit.transaction();
        let answers = kit.ask(host, UdpRequest::Connect { transaction_id });
        match answers {
            // Whatever came, somebody is there.
            Ok(exchange) if exchange.answer != Answer::Nothing => {}
            Err(Stop::Kit(why)) => return Err(OpenError::Kit(why)),
            _ => doors.udp = None,
        }
        Ok(doors)
    }

    /// A tracker that does not take the kit's torrents cannot be judged: that is the user's to change.
    fn admitted(&self, doors: &Doors) -> Result<TrackerView, OpenError> {
        let deadline = Instant::now() + WHITELIST;
        loop {
            let refused = match self.announce(doors) {
                Ok(view) => return Ok(view),
                Err(refused) => refused,
            };
            if Instant::now() >= deadline {
                return Err(OpenError::Usage(refused));
            }
            std::thread::sleep(REST);
        }
    }

    /// What is known of the torrent after its first announce, which matters where all cases share it;
    /// or why the tracker refuses it.
    fn announce(&self, doors: &Doors) -> Result<TrackerView, String> {
        let mut kit = self.kit(doors);
        let peer = kit.peer(0).started();
        let torrent = kit.torrent();
        let door = if doors.http.is_some() {
            Door::Http
        } else {
            Door::Udp
        };
        let exchange = kit.over(door).and_then(|kit| kit.exchange(&peer));
        let reason = match exchange.as_ref().map(|exchange| &exchange.answer) {
            Ok(Answer::Announced(AnnounceResponse::Failure(failure))) => &failure.reason,
            Ok(Answer::Reply(UdpResponse::Error { message, .. })) => message,
            _ => {
                // The count of completed downloads before any case adds to it, where it is told.
                let _ = kit.try_scrape(&peer, &[torrent]);
                kit.leave();
                let mut view = kit.watch().view().clone();
                view.secluded = exchange.is_ok_and(|exchange| alone(&exchange, &peer));
                return Ok(view);
            }
        };
        Err(format!(
            "the tracker refuses the torrent {torrent}: {}; let it serve the info hashes that \
             `peerproof test bittorrent-tracker --print-info-hashes --seed {}` prints, or name one that it serves by --torrent",
            String::from_utf8_lossy(reason),
            self.options.seed
        ))
    }
}

/// Whether the first announce of a torrent found nobody else in its swarm.
fn alone(exchange: &Exchange, peer: &Peer) -> bool {
    let Some(accepted) = exchange.accepted() else {
        return false;
    };
    let own = SocketAddr::new(exchange.from.ip(), peer.request.port);
    let counted = accepted
        .seeders
        .unwrap_or(0)
        .max(accepted.leechers.unwrap_or(0));
    accepted.listed == accepted.peers.len()
        && accepted.peers.iter().all(|(address, _)| *address == own)
        && counted <= 1
        && accepted.seeders != Some(1)
}

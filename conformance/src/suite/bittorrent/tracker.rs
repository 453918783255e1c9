//! The suite `bittorrent-tracker`: a tracker over HTTP and UDP.

mod arrival;
mod program;

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::claims::TRACKER;
use peerproof_model::bittorrent::message::InfoHash;
use peerproof_model::bittorrent::properties::{of_trackers, tracker_property};
use peerproof_model::bittorrent::tracker_view::{TrackerView, TrackerWatch};
use peerproof_model::claim::Claim;
use sha1::{Digest, Sha1};

use super::cases::tracker::all;
use super::tracker_client::{Doors, Equipment, Torrents, TrackerKit};
use crate::case::{Case, CaseInfo, Outcome, Verdict, verdict};
use crate::record::Recorder;
use crate::serve::bittorrent::tracker::{BREAKS, RunningTracker};
use crate::suite::{Break, OpenError, Options, Session, Suite};
use crate::target::Target;
use program::Started;

/// The suite.
pub struct TrackerSuite;

/// The name under which info hashes are derived for what is no case: the first announce of a session.
const ARRIVAL: &str = "bittorrent-tracker/arrival";

impl Suite for TrackerSuite {
    fn name(&self) -> &'static str {
        "bittorrent-tracker"
    }

    fn about(&self) -> &'static str {
        "a tracker over HTTP (BEP 3, 7, 23, 48) and UDP (BEP 15, 41)"
    }

    fn cases(&self) -> Vec<CaseInfo> {
        all().map(|case| case.info).collect()
    }

    fn claims(&self) -> &'static [Claim] {
        TRACKER
    }

    fn properties(&self) -> Vec<&'static str> {
        of_trackers().map(|property| property.name).collect()
    }

    fn breaks(&self) -> &'static [Break] {
        &BREAKS
    }

    fn info_hashes(&self, seed: u64) -> Vec<InfoHash> {
        info_hashes(seed)
    }

    fn open(&self, target: &Target, options: &Options) -> Result<Box<dyn Session>, OpenError> {
        Ok(Box::new(arrival::open(target, options)?))
    }
}

/// The torrents of a case when the tracker is free to track any, or tracks what it was told beforehand.
fn torrents_of(id: &str, seed: u64) -> Torrents {
    let derived = |which: u8| {
        let mut hash = Sha1::new();
        hash.update(b"peerproof");
        hash.update(seed.to_be_bytes());
        hash.update(id.as_bytes());
        hash.update([which]);
        InfoHash(hash.finalize().into())
    };
    Torrents {
        first: derived(0),
        second: Some(derived(1)),
    }
}

/// Every info hash that the suite announces with this seed, for trackers that serve known torrents only.
fn info_hashes(seed: u64) -> Vec<InfoHash> {
    let ids = all().map(|case| case.info.id).chain([ARRIVAL]);
    let torrents = ids.map(|id| torrents_of(id, seed));
    torrents
        .flat_map(|torrents| [Some(torrents.first), torrents.second])
        .flatten()
        .collect()
}

/// A tracker that is ready to be judged.
struct TrackerSession {
    name: String,
    doors: Doors,
    patience: Duration,
    haste: u32,
    /// The one torrent that all cases share, with what is known of it.
    shared: Option<(InfoHash, Mutex<TrackerView>)>,
    /// The tracker, where the kit started it.
    _node: Option<Node>,
}

/// A tracker that ends with the session.
enum Node {
    /// The reference tracker.
    Embedded(#[allow(dead_code, reason = "held until the session ends")] RunningTracker),
    /// A program with its whitelist.
    Program(#[allow(dead_code, reason = "held until the session ends")] Started),
}

impl Session for TrackerSession {
    fn play(&self, info: &CaseInfo, seed: u64) -> Outcome {
        let began = Instant::now();
        let number = all().position(|case| case.info.id == info.id);
        let Some((number, case)) = number.and_then(|number| Some((number, all().nth(number)?)))
        else {
            return Outcome::no_case(info);
        };
        let recorder = Recorder::new();
        let kit = |torrents, view| {
            let property = tracker_property(info.property);
            TrackerKit::new(Equipment {
                doors: self.doors.clone(),
                torrents,
                watch: TrackerWatch::new(view, property),
                recorder: recorder.clone(),
                patience: self.patience,
                haste: self.haste,
                seed: seed ^ (number as u64 + 1) << 32,
                number: number as u16 + 1,
            })
        };
        let (verdict, observed) = match &self.shared {
            None => {
                let view = TrackerView::new(true);
                judge(case, &mut kit(torrents_of(info.id, seed), view))
            }
            Some((first, view)) => {
                let mut view = view.lock().unwrap_or_else(PoisonError::into_inner);
                let torrents = Torrents {
                    first: *first,
                    second: None,
                };
                let mut kit = kit(torrents, view.clone());
                let judged = judge(case, &mut kit);
                *view = kit.watch().view().clone();
                judged
            }
        };
        Outcome::new(verdict, observed, recorder.take(), began.elapsed())
    }

    fn concurrency(&self) -> usize {
        if self.shared.is_some() { 1 } else { 4 }
    }

    fn target(&self) -> String {
        self.name.clone()
    }
}

fn judge(case: &Case<TrackerKit>, kit: &mut TrackerKit) -> (Verdict, String) {
    let end = (case.play)(kit);
    let judgement = kit.watch().judgement(case.info.property);
    kit.leave();
    let mut claims = TRACKER
        .iter()
        .filter(|claim| case.info.claims.contains(&claim.id));
    let optional = claims.all(|claim| claim.optional);
    verdict(&case.info, judgement, end, optional)
}

/// How the doors of a tracker are named in reports.
fn named(doors: &Doors, name: &str) -> String {
    let at = |address: Option<SocketAddr>| address.map_or("absent".to_owned(), |it| it.to_string());
    if doors.http == doors.udp {
        name.to_owned()
    } else {
        format!("{name} (HTTP {}, UDP {})", at(doors.http), at(doors.udp))
    }
}

//! The suite `bittorrent-seeder`: a peer that has every piece of a torrent, and serves it.

mod arrival;
mod ground;
mod kit;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::claims;
use peerproof_model::bittorrent::pieces::Pieces;
use peerproof_model::bittorrent::properties::{of_staying_peers, peer, peer_property};
use peerproof_model::claim::Claim;
use sha1::{Digest, Sha1};

use super::books::{Books as _, Exchange};
use super::cases::seeder::all;
use crate::case::{Case, CaseInfo, Outcome, Stop, verdict};
use crate::record::Recording;
use crate::serve::bittorrent::peer::SEEDER_BREAKS;
use crate::suite::{Break, OpenError, Options, Session, Suite};
use crate::target::Target;

use self::arrival::Keeper;
use self::ground::Ground;
pub(crate) use self::kit::SeederKit;

/// The suite.
pub struct SeederSuite;

/// Cases at a time: enough that slow answers overlap, few enough for peers that take some dozens of connections.
const CONCURRENCY: usize = 8;

/// Its own claims, and those of every peer that its cases refer to.
static CLAIMS: LazyLock<Vec<Claim>> = LazyLock::new(|| {
    let named = |claim: &&Claim| all().any(|case| case.info.claims.contains(&claim.id));
    claims::all().filter(named).copied().collect()
});

impl Suite for SeederSuite {
    fn name(&self) -> &'static str {
        "bittorrent-seeder"
    }

    fn about(&self) -> &'static str {
        "a peer that has every piece of a torrent and serves it (BEP 3, 6, 9, 10)"
    }

    fn cases(&self) -> Vec<CaseInfo> {
        all().map(|case| case.info).collect()
    }

    fn claims(&self) -> &'static [Claim] {
        &CLAIMS
    }

    fn properties(&self) -> Vec<&'static str> {
        let properties = peer().chain(of_staying_peers());
        properties.map(|property| property.name).collect()
    }

    fn breaks(&self) -> &'static [Break] {
        &SEEDER_BREAKS
    }

    fn open(&self, target: &Target, options: &Options) -> Result<Box<dyn Session>, OpenError> {
        let (ground, keeper) = arrival::open(target, options)?;
        Ok(Box::new(SeederSession {
            name: target.name(),
            ground: Arc::new(ground),
            stories: Mutex::default(),
            _keeper: keeper,
        }))
    }
}

/// A seeder that is ready to be judged.
struct SeederSession {
    name: String,
    ground: Arc<Ground>,
    /// The stories that cases still to come may share, by what the kit does and the seed.
    stories: Mutex<HashMap<Story, Shared>>,
    /// What ends with the session.
    _keeper: Keeper,
}

/// A story is what the kit does, by the address of the function, and the seed.
type Story = (usize, u64);

/// A story for several cases.
#[derive(Default)]
struct Shared {
    told: Arc<OnceLock<Arc<Told>>>,
    /// How many cases have come for it.
    taken: usize,
}

/// A story that was told, and what came of it. Cases that look at the same story share it.
struct Told {
    exchange: Arc<Exchange>,
    end: Result<(), Stop>,
    recording: Recording,
    duration: Duration,
}

impl SeederSession {
    /// The story of a case, told once for all cases that have the same one, and forgotten with the last of them:
    /// against a target that floods, every recording is as large as recordings get.
    fn told(&self, case: &Case<SeederKit>, seed: u64) -> Arc<Told> {
        let story = (case.play as usize, seed);
        let slot = {
            let mut stories = self.stories.lock().unwrap_or_else(PoisonError::into_inner);
            let shared = stories.entry(story).or_default();
            shared.taken += 1;
            let told = Arc::clone(&shared.told);
            if shared.taken == sharing(case).count() {
                stories.remove(&story);
            }
            told
        };
        Arc::clone(slot.get_or_init(|| Arc::new(self.tell(case, seed))))
    }

    fn tell(&self, case: &Case<SeederKit>, seed: u64) -> Told {
        let began = Instant::now();
        let asked = sharing(case).filter_map(|case| peer_property(case.info.property));
        let torrent = Arc::clone(&self.ground.torrent);
        let everything = Pieces::all(torrent.pieces());
        let exchange = Exchange::new(torrent, everything, self.ground.stated_slots, asked);
        let first = sharing(case)
            .next()
            .map_or(case.info.id, |first| first.info.id);
        let ground = Arc::clone(&self.ground);
        let mut kit = SeederKit::new(ground, &exchange, seed ^ number_of(first));
        let end = (case.play)(&mut kit);
        drop(kit);
        Told {
            recording: exchange.recorder().take(),
            exchange,
            end,
            duration: began.elapsed(),
        }
    }
}

impl Session for SeederSession {
    fn play(&self, info: &CaseInfo, seed: u64) -> Outcome {
        let Some(case) = all().find(|case| case.info.id == info.id) else {
            return Outcome::no_case(info);
        };
        let told = self.told(case, seed);
        let judgement = told.exchange.judgement(info.property);
        let (verdict, observed) = verdict(info, judgement, told.end.clone(), optional(info));
        let duration = told.duration;
        // The last one takes it, the others take copies.
        let recording =
            Arc::try_unwrap(told).map_or_else(|told| told.recording.clone(), |told| told.recording);
        Outcome::new(verdict, observed, recording, duration)
    }

    fn concurrency(&self) -> usize {
        CONCURRENCY
    }

    fn target(&self) -> String {
        self.name.clone()
    }
}

/// The cases that look at the same story.
fn sharing(case: &Case<SeederKit>) -> impl Iterator<Item = &'static Case<SeederKit>> {
    let play = case.play as usize;
    all().filter(move |other| other.play as usize == play)
}

/// Whether a peer may lack what the case is about.
fn optional(info: &CaseInfo) -> bool {
    let claims = CLAIMS
        .iter()
        .filter(|claim| info.claims.contains(&claim.id));
    claims.into_iter().any(|claim| claim.optional)
}

/// A number that belongs to a case for ever, so that its inputs do not depend on the other cases.
fn number_of(id: &str) -> u64 {
    let digest = Sha1::digest(id.as_bytes());
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

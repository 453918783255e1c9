//! The suite `bittorrent-seeder`: a peer that has every piece of a torrent, and serves it.

mod arrival;
mod ground;
mod kit;

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use peerproof_model::bittorrent::claims;
use peerproof_model::bittorrent::pieces::Pieces;
use peerproof_model::bittorrent::properties::{of_staying_peers, peer, peer_property};
use peerproof_model::claim::Claim;
use sha1::{Digest, Sha1};

use super::books::{Books as _, Exchange};
use super::cases::seeder::all;
use crate::case::{CaseInfo, Outcome, Verdict, verdict};
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
const CONCURRENCY: usize = 12;

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
            _keeper: keeper,
        }))
    }
}

/// A seeder that is ready to be judged.
struct SeederSession {
    name: String,
    ground: Arc<Ground>,
    /// What ends with the session.
    _keeper: Keeper,
}

impl Session for SeederSession {
    fn play(&self, info: &CaseInfo, seed: u64) -> Outcome {
        let began = Instant::now();
        let case = all().find(|case| case.info.id == info.id);
        let (Some(case), Some(property)) = (case, peer_property(info.property)) else {
            return Outcome {
                verdict: Verdict::Error,
                observed: format!("the suite has no case or property for {}", info.id),
                recording: Recording::default(),
                duration: began.elapsed(),
            };
        };
        let torrent = Arc::clone(&self.ground.torrent);
        let everything = Pieces::all(torrent.pieces());
        let slots = self.ground.stated_slots;
        let exchange = Exchange::new(torrent, everything, slots, [property]);
        let mut kit = SeederKit::new(
            Arc::clone(&self.ground),
            &exchange,
            seed ^ number_of(info.id),
        );
        let end = (case.play)(&mut kit);
        drop(kit);
        let optional = optional(info);
        let judgement = exchange.judgement(info.property);
        let (verdict, observed) = verdict(info, judgement, end, optional);
        Outcome {
            verdict,
            observed,
            recording: exchange.recorder().take(),
            duration: began.elapsed(),
        }
    }

    fn concurrency(&self) -> usize {
        CONCURRENCY
    }

    fn target(&self) -> String {
        self.name.clone()
    }
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

//! `bittorrent-leecher`: judges a peer that downloads. The kit is the tracker and the swarm.

use std::time::Instant;

use peerproof_model::bittorrent::claims::LEECHER;
use peerproof_model::bittorrent::picking::RAREST_FIRST;
use peerproof_model::bittorrent::properties;
use peerproof_model::claim::Claim;

use super::cases::leecher::cases;
use super::swarm::{How, Swarm};
use crate::case::{CaseInfo, Outcome, Stop, Verdict, verdict};
use crate::program::Home;
use crate::record::Recording;
use crate::suite::{Break, OpenError, Options, Session, Suite};
use crate::target::Target;

/// How many cases run at the same time where each has a target of its own.
const AT_ONCE: usize = 6;

/// The suite.
#[derive(Clone, Copy, Debug)]
pub struct LeecherSuite;

impl Suite for LeecherSuite {
    fn name(&self) -> &'static str {
        "bittorrent-leecher"
    }

    fn about(&self) -> &'static str {
        "Judges a BitTorrent peer that downloads: announces, interest, requests, verification, the order of pieces, seeding."
    }

    fn cases(&self) -> Vec<CaseInfo> {
        cases().map(|case| case.info).collect()
    }

    fn claims(&self) -> &'static [Claim] {
        LEECHER
    }

    fn properties(&self) -> Vec<&'static str> {
        let judged = properties::peer().map(|property| property.name);
        judged.chain([RAREST_FIRST.name]).collect()
    }

    fn breaks(&self) -> &'static [Break] {
        crate::serve::bittorrent::leecher::breaks()
    }

    fn open(&self, target: &Target, options: &Options) -> Result<Box<dyn Session>, OpenError> {
        let how = match (target, &options.torrents_dir) {
            (Target::Embedded { bug }, _) => How::Embedded(bug.clone()),
            (Target::Command(line), _) if !line.contains("{torrent}") => {
                let why = "the command line of --node must name {torrent}; it may name {dir}, {port} and {tracker}";
                return Err(OpenError::Usage(why.to_owned()));
            }
            (Target::Command(line), _) => How::Command(line.clone()),
            (Target::Adapter(_), _) => return Err(OpenError::takes_no_adapter()),
            (Target::Address(address), Some(folder)) if folder.is_dir() => How::Watching {
                address: *address,
                folder: folder.clone(),
            },
            (Target::Address(_), Some(folder)) => {
                let why = format!("{}: no such folder", folder.display());
                return Err(OpenError::Usage(why));
            }
            (Target::Address(_), None) => {
                let why = "a running leecher takes its torrents out of a folder: name it with --torrents DIR";
                return Err(OpenError::Usage(why.to_owned()));
            }
        };
        Ok(Box::new(LeecherSession {
            how,
            name: target.name(),
            options: options.clone(),
        }))
    }
}

struct LeecherSession {
    how: How,
    name: String,
    options: Options,
}

impl Session for LeecherSession {
    fn play(&self, case: &CaseInfo, seed: u64) -> Outcome {
        let began = Instant::now();
        let (verdict, observed, recording) = match self.play_story(case, seed) {
            Ok(played) => played,
            Err(why) => (Verdict::Error, why, Recording::default()),
        };
        Outcome::new(verdict, observed, recording, began.elapsed())
    }

    fn concurrency(&self) -> usize {
        match self.how {
            How::Embedded(_) | How::Command(_) => AT_ONCE,
            How::Watching { .. } => 1,
        }
    }

    fn target(&self) -> String {
        self.name.clone()
    }
}

impl LeecherSession {
    fn play_story(
        &self,
        info: &CaseInfo,
        seed: u64,
    ) -> Result<(Verdict, String, Recording), String> {
        let case = cases().find(|case| case.info.id == info.id);
        let case = case.ok_or_else(|| format!("the suite has no case {}", info.id))?;
        let home = Home::new().map_err(|error| format!("no directory for the case: {error}"))?;
        let seed = seed_of(seed, info.id);
        let mut kit = Swarm::new(
            self.how.clone(),
            &self.options,
            (seed, info.property),
            home.path(),
        );
        let end: Result<(), Stop> = (case.play)(&mut kit);
        let judgement = kit.judgement();
        let optional = LEECHER
            .iter()
            .filter(|claim| info.claims.contains(&claim.id))
            .any(|claim| claim.optional);
        let (verdict, observed) = verdict(info, judgement, end, optional);
        Ok((verdict, observed, kit.recorder().take()))
    }
}

/// Every case has a generator of its own, so that a case alone sees what it sees in a run of all.
fn seed_of(seed: u64, id: &str) -> u64 {
    id.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

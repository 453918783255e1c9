//! The suite `chord`: nodes that make a ring, driven by the control plane.
//!
//! | file | holds |
//! |---|---|
//! | `ground.rs` | what starts the nodes, how they talk, and how fast the ring turns |
//! | `step.rs` | what the kit does with a ring, step by step |
//! | `kit` | does it, and writes down what it sees |
//! | `cases` | the cases by topic |
//! | `diagnosis.rs` | names for what is often wrong |
//! | `shrink.rs` | the smallest schedule that still shows it |
//! | `diagram.rs` | what was said, for reports |

mod cases;
mod diagnosis;
mod diagram;
mod ground;
mod kit;
mod shrink;
mod step;

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use peerproof_model::chord::claims;
use peerproof_model::chord::properties::run::{run, run_named};
use peerproof_model::chord::run_view::RunView;
use peerproof_model::claim::Claim;
use peerproof_model::property::Judgement;
use sha1::{Digest as _, Sha1};

use crate::case::{CaseInfo, Outcome, Stop, Verdict, verdict};
use crate::record::Recording;
use crate::serve::chord::BREAKS;
use crate::suite::{Break, OpenError, Options, Session, Suite};
use crate::target::Target;

use self::cases::all;
use self::ground::Ground;
use self::kit::RingKit;
use self::shrink::Budget;

/// The suite.
pub struct ChordSuite;

/// The fact that is asked of every run, besides what its case is about.
const ALWAYS: &str = "nodes_live_and_keep_the_form";

/// The claims that its cases refer to.
static CLAIMS: LazyLock<Vec<Claim>> = LazyLock::new(|| {
    let named = |claim: &&Claim| {
        claim.id == "control/form" || all().any(|case| case.info.claims.contains(&claim.id))
    };
    claims::all().filter(named).copied().collect()
});

impl Suite for ChordSuite {
    fn name(&self) -> &'static str {
        "chord"
    }

    fn about(&self) -> &'static str {
        "nodes of a ring that speak the control plane (docs/control-plane.md)"
    }

    fn cases(&self) -> Vec<CaseInfo> {
        all().map(|case| case.info).collect()
    }

    fn claims(&self) -> &'static [Claim] {
        &CLAIMS
    }

    fn properties(&self) -> Vec<&'static str> {
        run().iter().map(|property| property.name).collect()
    }

    fn breaks(&self) -> &'static [Break] {
        BREAKS
    }

    fn open(&self, target: &Target, options: &Options) -> Result<Box<dyn Session>, OpenError> {
        let ground = Ground::open(target, options)?;
        Ok(Box::new(RingSession {
            budget: Budget::new(ground.shrinking),
            ground: Arc::new(ground),
        }))
    }
}

/// Nodes that are ready to be judged.
struct RingSession {
    ground: Arc<Ground>,
    budget: Budget,
}

/// What came of a schedule.
struct Told {
    view: RunView,
    end: Result<(), Stop>,
    recording: Recording,
    schedule: (kit::Shape, Vec<step::Step>),
}

impl RingSession {
    fn tell(&self, seed: u64, play: impl FnOnce(&mut RingKit) -> Result<(), Stop>) -> Told {
        let mut kit = RingKit::new(Arc::clone(&self.ground), seed);
        let end = play(&mut kit);
        Told {
            end,
            recording: kit.recording(),
            schedule: kit.schedule(),
            view: kit.into_view(),
        }
    }

    fn judge(&self, info: &CaseInfo, told: &Told) -> (Verdict, String) {
        let judgement = judgement(info, &told.view);
        verdict(info, judgement, told.end.clone(), optional(info))
    }
}

impl Session for RingSession {
    fn play(&self, info: &CaseInfo, seed: u64) -> Outcome {
        let began = Instant::now();
        let Some(case) = all().find(|case| case.info.id == info.id) else {
            return Outcome {
                verdict: Verdict::Error,
                observed: format!("the suite has no case {}", info.id),
                recording: Recording::default(),
                duration: began.elapsed(),
            };
        };
        let seed = seed ^ number_of(info.id);
        let told = self.tell(seed, case.play);
        let (verdict, mut observed) = self.judge(info, &told);
        let duration = began.elapsed();
        if matches!(verdict, Verdict::Fail | Verdict::NonStrict)
            && let Some(name) = diagnosis::of(&told.view, &observed)
        {
            observed = format!("{observed}; diagnosis: {name}");
        }
        Outcome {
            verdict,
            observed,
            recording: told.recording,
            duration,
        }
    }

    fn concurrency(&self) -> usize {
        self.ground.concurrency
    }

    fn target(&self) -> String {
        self.ground.name.clone()
    }
}

/// What the case's property says, unless a node does what no node may do.
fn judgement(info: &CaseInfo, view: &RunView) -> Judgement {
    let ask = |name| run_named(name).map_or(Judgement::Unknown, |fact| (fact.judge)(view));
    match ask(ALWAYS) {
        broken @ Judgement::Broken(_) => broken,
        _ => ask(info.property),
    }
}

/// Whether a node may lack what the case is about.
fn optional(info: &CaseInfo) -> bool {
    let mut claims = CLAIMS.iter();
    claims.any(|claim| info.claims.contains(&claim.id) && claim.optional)
}

/// A number that belongs to a case for ever, so that its inputs do not depend on the other cases.
fn number_of(id: &str) -> u64 {
    let digest = Sha1::digest(id.as_bytes());
    let bytes = digest.iter().take(8);
    bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
}

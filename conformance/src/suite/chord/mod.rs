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

mod cases;
mod diagnosis;
mod ground;
mod kit;
mod shrink;
mod step;

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use peerproof_model::chord::claims;
use peerproof_model::chord::properties::run::{run, run_named};
use peerproof_model::chord::run_view::{Moment, RunView};
use peerproof_model::claim::Claim;
use peerproof_model::property::Judgement;
use sha1::{Digest as _, Sha1};

use crate::case::{CaseInfo, Outcome, Stop, Verdict, verdict};
use crate::control::process::started_nothing;
use crate::control::ring::Network;
use crate::fleet::{Event, Isolation};
use crate::judge;
use crate::record::Recording;
use crate::run::{SuiteReport, WhyNot};
use crate::serve::chord::BREAKS;
use crate::suite::{Break, OpenError, Options, Session, Suite};
use crate::target::Target;

use self::cases::all;
use self::ground::Ground;
use self::kit::{RingKit, Shape};
use self::shrink::Budget;
use self::step::Step;

/// The suite.
pub struct ChordSuite;

/// How many schedules are tried at a time.
const WORKERS: usize = 6;

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

    fn drives_nodes(&self) -> bool {
        true
    }

    fn advice(&self, run: &SuiteReport) -> Option<String> {
        advice(run)
    }

    fn open(&self, target: &Target, options: &Options) -> Result<Box<dyn Session>, OpenError> {
        let ground = Arc::new(Ground::open(target, options)?);
        if let Target::Command(line) = target {
            meet(line, &ground)?;
        }
        Ok(Box::new(RingSession {
            budget: Budget::new(ground.shrinking),
            ground,
        }))
    }
}

/// Starts one node, so that a command line that starts nothing is told once, and not by every case.
fn meet(line: &str, ground: &Arc<Ground>) -> Result<(), OpenError> {
    match RingKit::new(Arc::clone(ground), 0).meet() {
        Err(Stop::Gone(how)) if started_nothing(&how) => Err(OpenError::Unreachable(format!(
            "`{line}`: {how}; --node takes a command line that starts one node, run by sh in this directory"
        ))),
        // Whatever else is wrong is for the cases to say.
        _ => Ok(()),
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
    /// Everything that the kit saw, for the model's judge.
    seen: Vec<Event>,
    shape: Shape,
    steps: Vec<(Moment, Step)>,
}

impl RingSession {
    fn tell(&self, seed: u64, play: impl FnOnce(&mut RingKit) -> Result<(), Stop>) -> Told {
        let mut kit = RingKit::new(Arc::clone(&self.ground), seed);
        let end = play(&mut kit);
        let (shape, steps) = kit.schedule();
        Told {
            end,
            recording: kit.recording(),
            seen: kit.seen(),
            shape,
            steps,
            view: kit.into_view(),
        }
    }

    /// The run of the smallest schedule found that breaks the same fact.
    fn smallest(&self, info: &CaseInfo, seed: u64, told: &Told) -> Option<Told> {
        let share = self.budget.take();
        let began = Instant::now();
        let steps: Vec<Step> = told.steps.iter().map(|(_, step)| step.clone()).collect();
        let shows = |steps: &[Step]| {
            let smaller = self.tell(seed, |kit| {
                kit.ring(told.shape);
                kit.follow(steps)
            });
            judgement(info, &smaller.view)
                .is_broken()
                .then_some(smaller)
        };
        let workers = self.ground.concurrency.min(WORKERS);
        let found = shrink::smallest(&steps, began + share, workers, shows);
        self.budget.give_back(share.saturating_sub(began.elapsed()));
        found.map(|(_, told)| told)
    }

    /// What was done, a line each.
    fn schedule(&self, told: &Told) -> Vec<String> {
        let shape = told.shape;
        let figures = format!(
            "a circle of 2^{} points, lists of {}, {} of each value, periods of {} ms",
            shape.bits,
            shape.successors,
            match shape.replicas {
                1 => "one copy".to_owned(),
                many => format!("{many} copies"),
            },
            self.ground.period.as_millis(),
        );
        let line = |(at, step): &(Moment, Step)| format!("{:8.3} s  {step}", at.as_secs_f64());
        std::iter::once(figures)
            .chain(told.steps.iter().map(line))
            .collect()
    }
}

impl Session for RingSession {
    fn play(&self, info: &CaseInfo, seed: u64) -> Outcome {
        let began = Instant::now();
        let Some(case) = all().find(|case| case.info.id == info.id) else {
            return Outcome::no_case(info);
        };
        let seed = seed ^ number_of(info.id);
        let mut told = self.tell(seed, case.play);
        let asked = judgement(info, &told.view);
        let broken = asked.is_broken();
        let (verdict, observed) = verdict(info, asked, told.end.clone(), optional(info));
        let mut outcome = Outcome::new(verdict, observed, Recording::default(), began.elapsed());
        if broken && matches!(outcome.verdict, Verdict::Fail | Verdict::NonStrict) {
            if let Some(name) = diagnosis::of(&told.view, &outcome.observed) {
                outcome.observed = format!("{}; diagnosis: {name}", outcome.observed);
            }
            if let Some(smaller) = self.smallest(info, seed, &told) {
                told = smaller;
            }
            outcome.schedule = self.schedule(&told);
            if let Some(what) = judge::unexplained(&told.seen) {
                outcome.schedule.push(format!("unexplained {what}"));
            }
            if let Judgement::Broken(why) = judgement(info, &told.view) {
                outcome.schedule.push(format!("broken      {why}"));
            }
        }
        outcome.recording = told.recording;
        outcome.events = told.seen;
        outcome
    }

    fn skips(&self, case: &CaseInfo) -> Option<WhyNot> {
        let parts = self.ground.isolation == Isolation::Namespaces;
        let needs =
            cases::needs_the_kits_network(case.id) || !parts && cases::needs_to_part(case.id);
        (needs && self.ground.network == Network::Sockets).then_some(WhyNot::Network)
    }

    fn concurrency(&self) -> usize {
        self.ground.concurrency
    }

    fn target(&self) -> String {
        self.ground.name.clone()
    }
}

/// What to do next: the first case in order that does not pass, and what it needs. The cases begin with what a node
/// needs first.
fn advice(run: &SuiteReport) -> Option<String> {
    let wants = |verdict| !matches!(verdict, Verdict::Pass | Verdict::NonStrict | Verdict::Error);
    let (case, outcome) = run.outcomes().find(|(_, outcome)| wants(outcome.verdict))?;
    if outcome.verdict != Verdict::Unimplemented {
        return Some(format!(
            "make {0} pass; `peerproof explain {0}` says what it asks",
            case.id
        ));
    }
    let same = run.outcomes().filter(|(_, other)| {
        other.verdict == Verdict::Unimplemented && other.observed == outcome.observed
    });
    Some(format!(
        "{}: {} waits for that, and {} more (docs/control-plane.md)",
        outcome.observed,
        case.id,
        same.count().saturating_sub(1)
    ))
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

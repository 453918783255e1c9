//! A case: one thing that a node must, should or may do, and what came of asking it.

use std::time::Duration;

use peerproof_model::property::Judgement;
use serde::{Deserialize, Serialize};

use crate::fleet::Event;
use crate::record::Recording;

/// How binding a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The claim demands it.
    Must,
    /// The claim advises it.
    Should,
    /// The claim allows it.
    May,
}

/// What a case says about the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The claim was put to the test and kept.
    Pass,
    /// Advice was not followed, or another documented behaviour was seen.
    NonStrict,
    /// The claim is broken.
    Fail,
    /// The target says or shows that it lacks an optional part.
    Unimplemented,
    /// The situation did not arise, or the machine was too loaded to judge.
    Inconclusive,
    /// The kit's own fault.
    Error,
}

impl Verdict {
    /// Every verdict, in the order of the summary.
    pub const ALL: [Self; 6] = [
        Self::Pass,
        Self::NonStrict,
        Self::Fail,
        Self::Unimplemented,
        Self::Inconclusive,
        Self::Error,
    ];

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NonStrict => "non-strict",
            Self::Fail => "fail",
            Self::Unimplemented => "unimplemented",
            Self::Inconclusive => "inconclusive",
            Self::Error => "error",
        }
    }
}

/// What everybody may know of a case without running it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaseInfo {
    /// Stable and never reused, such as `bittorrent-seeder/request/beyond-the-end`.
    pub id: &'static str,
    /// What the kit does, in one sentence.
    pub story: &'static str,
    /// Every outcome that the claims allow, in one sentence.
    pub expected: &'static str,
    /// How binding it is.
    pub level: Level,
    /// The claims it tests, by id.
    pub claims: &'static [&'static str],
    /// The property it asks of the projected exchange, by name.
    pub property: &'static str,
    /// Needs minutes by its nature; runs with `--slow` only.
    pub slow: bool,
    /// Must be alone with the target while it runs (it fills upload slots, or measures).
    pub alone: bool,
}

/// A case of a suite whose kit is `K`.
pub struct Case<K> {
    /// What it is.
    pub info: CaseInfo,
    /// What the kit does. The verdict does not come from here but from the property;
    /// the return value only says how far the story got.
    pub play: fn(&mut K) -> Result<(), Stop>,
}

/// What a case is about: the claims, and the property that it asks.
pub(crate) type Asked = (&'static [&'static str], &'static str);

/// A case that is quick and shares its target with others.
pub(crate) const fn case<K>(
    id: &'static str,
    level: Level,
    (claims, property): Asked,
    story: &'static str,
    expected: &'static str,
    play: fn(&mut K) -> Result<(), Stop>,
) -> Case<K> {
    let info = CaseInfo {
        id,
        story,
        expected,
        level,
        claims,
        property,
        slow: false,
        alone: false,
    };
    Case { info, play }
}

/// The same case, which needs minutes by its nature.
pub(crate) const fn slow<K>(mut case: Case<K>) -> Case<K> {
    case.info.slow = true;
    case
}

/// Why a story ended before its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// The target did not do what the story needed next, within the time it has.
    #[error("{0}")]
    Silent(String),
    /// The target ended the connection, or is gone.
    #[error("{0}")]
    Gone(String),
    /// The target says or shows that it lacks an optional part.
    #[error("{0}")]
    Unimplemented(String),
    /// Another documented behaviour than the one asked for.
    #[error("{0}")]
    NonStrict(String),
    /// The machine was too busy to judge a deadline.
    #[error("{0}")]
    Overloaded(String),
    /// The kit's own fault.
    #[error("{0}")]
    Kit(String),
}

/// What came of one case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen, in one sentence.
    pub observed: String,
    /// Every byte sent and received, with its time.
    pub recording: Recording,
    /// How long the case took.
    pub duration: Duration,
    /// The smallest list of steps found that shows the same, a line each; empty where there is none.
    pub schedule: Vec<String>,
    /// Everything that the kit saw of nodes it drives, for a log; empty for other targets.
    pub events: Vec<Event>,
}

impl Outcome {
    /// An outcome without a schedule, of a target that the kit does not drive.
    pub fn new(
        verdict: Verdict,
        observed: String,
        recording: Recording,
        duration: Duration,
    ) -> Self {
        Self {
            verdict,
            observed,
            recording,
            duration,
            schedule: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The suite was asked for a case that it does not have.
    pub(crate) fn no_case(info: &CaseInfo) -> Self {
        let why = format!("the suite has no case {}", info.id);
        Self::new(Verdict::Error, why, Recording::default(), Duration::ZERO)
    }
}

/// The one rule that turns a judgement and the end of a story into a verdict.
pub fn verdict(
    info: &CaseInfo,
    judgement: Judgement,
    end: Result<(), Stop>,
    optional: bool,
) -> (Verdict, String) {
    match (judgement, end) {
        (_, Err(Stop::Kit(why))) => (Verdict::Error, why),
        (_, Err(Stop::Overloaded(why))) => (Verdict::Inconclusive, why),
        (Judgement::Broken(why), _) if info.level == Level::Must => (Verdict::Fail, why),
        (Judgement::Broken(why), _) => (Verdict::NonStrict, why),
        (_, Err(Stop::NonStrict(why))) => (Verdict::NonStrict, why),
        (Judgement::Unknown, Err(Stop::Unimplemented(why))) if optional => {
            (Verdict::Unimplemented, why)
        }
        (Judgement::Holds, Ok(())) => (Verdict::Pass, "as expected".to_owned()),
        (Judgement::Holds, Err(why)) => (Verdict::Pass, format!("as expected; then {why}")),
        (Judgement::Unknown, Ok(())) => (
            Verdict::Inconclusive,
            "the situation that the property is about did not arise".to_owned(),
        ),
        (Judgement::Unknown, Err(why)) => (Verdict::Inconclusive, why.to_string()),
    }
}

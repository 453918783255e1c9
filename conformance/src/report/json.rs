//! The report for programs. `docs/report.schema.json` describes it; `docs/reports.md` explains it.

use serde::Serialize;

use super::{Known, Report, diagram};
use crate::case::{Level, Verdict};
use crate::run::{CaseReport, WhyNot};

/// One run of one suite, as JSON.
#[derive(Serialize)]
struct SuiteJson<'a> {
    peerproof: &'static str,
    suite: &'a str,
    target: &'a str,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    exit_status: u8,
    duration_ms: u64,
    cases: Vec<CaseJson<'a>>,
    not_run: Vec<NotRunJson<'a>>,
    summary: serde_json::Map<String, serde_json::Value>,
}

#[derive(Serialize)]
struct CaseJson<'a> {
    id: &'a str,
    level: Level,
    verdict: Verdict,
    claims: &'a [&'a str],
    expected: &'a str,
    observed: &'a str,
    duration_ms: u64,
    story: &'a str,
    property: &'a str,
    sources: Vec<SourceJson>,
    rerun: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<KnownJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagram: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    schedule: &'a [String],
}

#[derive(Serialize)]
struct SourceJson {
    claim: &'static str,
    wording: &'static str,
    source: String,
}

#[derive(Serialize)]
struct KnownJson<'a> {
    excused: bool,
    reason: &'a str,
}

#[derive(Serialize)]
struct NotRunJson<'a> {
    id: &'a str,
    level: Level,
    why: &'static str,
}

/// The reports as JSON: an object for one, an array for several, with a newline at the end.
pub fn write(reports: &[Report]) -> String {
    let values: Vec<SuiteJson<'_>> = reports.iter().map(suite).collect();
    let text = match values.as_slice() {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    // Serialising maps with string keys and plain numbers cannot fail.
    text.unwrap_or_default() + "\n"
}

fn suite(report: &Report) -> SuiteJson<'_> {
    let run = &report.run;
    let summary =
        Verdict::ALL.map(|verdict| (verdict.word().to_owned(), run.count(verdict).into()));
    let not_run = run.cases.iter().filter(|case| case.outcome.is_none());
    SuiteJson {
        peerproof: env!("CARGO_PKG_VERSION"),
        suite: run.suite,
        target: &run.target,
        seed: run.seed,
        problem: report.problem.as_ref().map(ToString::to_string),
        exit_status: report.exit_status(),
        duration_ms: milliseconds(run.duration),
        cases: run.cases.iter().filter_map(|it| case(report, it)).collect(),
        not_run: not_run
            .map(|case| NotRunJson {
                id: case.info.id,
                level: case.info.level,
                why: case.why_not.map_or("slow", WhyNot::word),
            })
            .collect(),
        summary: summary.into_iter().collect(),
    }
}

fn case<'a>(report: &'a Report, case: &'a CaseReport) -> Option<CaseJson<'a>> {
    let (info, outcome) = (&case.info, case.outcome.as_ref()?);
    let known = match report.known(info, outcome) {
        Known::Counts => None,
        Known::Excused(reason) => Some(KnownJson {
            excused: true,
            reason,
        }),
        Known::UnexpectedPass(reason) => Some(KnownJson {
            excused: false,
            reason,
        }),
    };
    let sources = report.claims(info).into_iter().map(|claim| SourceJson {
        claim: claim.id,
        wording: claim.wording,
        source: claim.source.to_string(),
    });
    Some(CaseJson {
        id: info.id,
        level: info.level,
        verdict: outcome.verdict,
        claims: info.claims,
        expected: info.expected,
        observed: &outcome.observed,
        duration_ms: milliseconds(outcome.duration),
        story: info.story,
        property: info.property,
        sources: sources.collect(),
        rerun: report.rerun(info),
        known,
        schedule: &outcome.schedule,
        diagram: (outcome.verdict != Verdict::Pass).then(|| diagram::mermaid(&outcome.recording)),
    })
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

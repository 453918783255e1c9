//! The report for people who were not there: one HTML file that needs nothing else.
//!
//! No script is needed to read it; the inline one filters and copies. The page forbids itself every connection.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Known, Report, diagram, plain, topic};
use crate::case::{CaseInfo, Level, Outcome, Verdict};
use crate::run::CaseReport;

const CSS: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The word for a case that was chosen and did not run.
const NOT_RUN: &str = "not-run";

/// The reports as one page. `conclusion` is the sentence that the program ends with.
pub fn write(reports: &[Report], conclusion: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
                title { "Peerproof: " (title(reports)) }
                style { (PreEscaped(CSS)) (PreEscaped(diagram::STYLE)) }
            }
            body {
                main {
                    h1 { "Peerproof report" }
                    p.faint { "peerproof " (env!("CARGO_PKG_VERSION")) }
                    (verdict_line(reports, conclusion))
                    (overview(reports))
                    (filter(reports))
                    p.faint.legend {
                        "In the diagrams time runs down. "
                        b.kit { "Blue" } " is what the kit does, " b.peer { "brown" } " what the target does; "
                        "a bar on a lifeline means that the connection stands. Point at an arrow to see its bytes."
                    }
                    @for (index, report) in reports.iter().enumerate() {
                        (section(index, report))
                    }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

fn title(reports: &[Report]) -> String {
    match reports {
        [one] => format!("{} against {}", one.run.suite, plain(&one.run.target)),
        several => format!("{} runs", several.len()),
    }
}

fn verdict_line(reports: &[Report], conclusion: &str) -> Markup {
    let class = match reports.iter().map(Report::exit_status).max() {
        Some(0) => "pass",
        Some(1) => "fail",
        Some(3) | None => "inconclusive",
        Some(_) => "error",
    };
    html! { p class={ "conclusion " (class) } { (conclusion) } }
}

fn overview(reports: &[Report]) -> Markup {
    html! {
        div.scroll {
            table.overview {
                tr {
                    th { "suite" }
                    th.target { "target" }
                    th { "seed" }
                    @for verdict in Verdict::ALL {
                        th { (verdict.word()) }
                    }
                    th { "not run" }
                    th { "time" }
                }
                @for (index, report) in reports.iter().enumerate() {
                    @let run = &report.run;
                    @let not_run = run.cases.len() - run.outcomes().count();
                    tr {
                        td { a href={ "#run-" (index) } { (run.suite) } }
                        td.target title=(plain(&run.target)) { (plain(&run.target)) }
                        td { (run.seed) }
                        @for verdict in Verdict::ALL {
                            (number(verdict.word(), run.count(verdict)))
                        }
                        (number(NOT_RUN, not_run))
                        td { (format!("{:.1} s", run.duration.as_secs_f64())) }
                    }
                }
            }
        }
    }
}

fn number(class: &str, count: usize) -> Markup {
    html! {
        @if count == 0 {
            td.zero { "0" }
        } @else {
            td class={ "v " (class) } { (count) }
        }
    }
}

/// Shown by the script, which alone can use it.
fn filter(reports: &[Report]) -> Markup {
    let cases = || reports.iter().flat_map(|report| &report.run.cases);
    let words = Verdict::ALL.map(Verdict::word).into_iter().chain([NOT_RUN]);
    let present = words.filter(|word| cases().any(|case| class(case) == *word));
    html! {
        div.filter hidden {
            @for word in present {
                button class=(word) data-verdict=(word) aria-pressed="true" { (word) }
            }
            input type="search" placeholder="part of a case id" aria-label="part of a case id";
        }
    }
}

fn class(case: &CaseReport) -> &'static str {
    case.outcome
        .as_ref()
        .map_or(NOT_RUN, |outcome| outcome.verdict.word())
}

fn section(index: usize, report: &Report) -> Markup {
    let run = &report.run;
    let mut topics: Vec<&str> = Vec::new();
    for case in &run.cases {
        let topic = topic(case.info.id);
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    html! {
        section {
            h2 id={ "run-" (index) } { (run.suite) }
            p.faint { (report.suite.about()) "; target " (plain(&run.target)) ", seed " (run.seed) }
            @if let Some(problem) = &report.problem {
                p.conclusion.inconclusive { (plain(&problem.to_string())) }
            }
            @for name in topics {
                div.topic {
                    h3 { (name) }
                    @for it in run.cases.iter().filter(|case| topic(case.info.id) == name) {
                        (case(index, report, it))
                    }
                }
            }
        }
    }
}

fn case(index: usize, report: &Report, case: &CaseReport) -> Markup {
    let (info, word) = (&case.info, class(case));
    let failed = matches!(word, "fail" | "error");
    let level = match info.level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    };
    html! {
        details class={ "case " (word) } id={ "run-" (index) "/" (info.id) } data-verdict=(word) open[failed] {
            summary {
                span.v { (word) }
                code { (info.id) }
                span.faint {
                    (level)
                    @if let Some(outcome) = &case.outcome {
                        ", " (format!("{:.2} s", outcome.duration.as_secs_f64()))
                    }
                }
            }
            div.body {
                (facts(report, info, case.outcome.as_ref()))
                div.rerun { code { (plain(&report.rerun(info))) } }
                @if let Some(outcome) = &case.outcome {
                    (drawing(outcome))
                }
            }
        }
    }
}

fn facts(report: &Report, info: &CaseInfo, outcome: Option<&Outcome>) -> Markup {
    html! {
        dl {
            dt { "what" }
            dd { (info.story) }
            dt { "expected" }
            dd { (info.expected) }
            @if let Some(outcome) = outcome {
                dt { "observed" }
                dd { (plain(&outcome.observed)) }
                @match report.known(info, outcome) {
                    Known::Counts => {}
                    Known::Excused(reason) => { dt { "known" } dd { (plain(reason)) } }
                    Known::UnexpectedPass(reason) => {
                        dt { "known" }
                        dd { "to fail (" (plain(reason)) "), but it passes: take it out of the baseline" }
                    }
                }
            } @else if report.problem.is_none() {
                dt { "observed" }
                dd { "nothing: it is slow, and runs with --slow only" }
            }
            @for claim in report.claims(info) {
                dt { "claim" }
                dd { (claim.wording) br; span.source { (claim.source) " · " (claim.id) } }
            }
            dt { "property" }
            dd { code { (info.property) } }
        }
    }
}

fn drawing(outcome: &Outcome) -> Markup {
    let recording = &outcome.recording;
    html! {
        @if !recording.events.is_empty() {
            p {}
            div.drawing { (diagram::svg(recording)) }
        }
        @if recording.dropped_events > 0 {
            p.faint { (recording.dropped_events) " more events were seen but not kept." }
        }
    }
}

//! Verdicts that are pinned: every case passes but for those that docs/findings.md explains.

use peerproof::case::Verdict;
use peerproof::run::SuiteReport;

/// A case, without the name of its suite, and the verdicts that it may have. More than one where the client's own
/// timing or luck decides whether the situation arises.
pub(crate) type Pin = (&'static str, &'static [Verdict]);

/// Every case passes, but for those that are pinned to other verdicts.
pub(crate) fn pinned(report: &SuiteReport, pins: &[Pin]) -> Result<(), String> {
    let prefix = format!("{}/", report.suite);
    let mut wrong = Vec::new();
    for (case, outcome) in report.outcomes() {
        let id = case.id.trim_start_matches(prefix.as_str());
        let pin = pins.iter().find(|(pinned, _)| *pinned == id);
        let expected: &[Verdict] = pin.map_or(&[Verdict::Pass], |(_, verdicts)| verdicts);
        if !expected.contains(&outcome.verdict) {
            wrong.push(format!(
                "{id} is {}: {}",
                outcome.verdict.word(),
                outcome.observed
            ));
        }
    }
    for (id, _) in pins {
        let ran = report
            .outcomes()
            .any(|(case, _)| case.id.strip_prefix(&prefix) == Some(id));
        if !ran {
            wrong.push(format!("{id} did not run"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

//! The report for continuous integration: JUnit XML.
//!
//! `fail` is a failure at level must; `error` an error; `unimplemented`, `inconclusive`, known failures and
//! cases that did not run are skipped, with the reason; `non-strict` is a success that says so.

use quick_junit::{NonSuccessKind, Report as Junit, TestCase, TestCaseStatus, TestSuite};

use super::{Known, Report, plain, topic};
use crate::case::{CaseInfo, Outcome, Verdict};

/// The reports as JUnit XML.
///
/// # Errors
/// The XML writer failed, which is the kit's own fault.
pub fn write(reports: &[Report]) -> Result<String, quick_junit::SerializeError> {
    let mut junit = Junit::new("peerproof");
    junit.set_time(reports.iter().map(|report| report.run.duration).sum());
    junit.add_test_suites(reports.iter().map(suite));
    junit.to_string()
}

fn suite(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new(report.run.suite);
    suite.set_time(report.run.duration);
    suite.add_property(("target", plain(&report.run.target).as_str()));
    suite.add_property(("seed", report.run.seed.to_string().as_str()));
    for case in &report.run.cases {
        let status = match &case.outcome {
            Some(outcome) => status(report, &case.info, outcome),
            None if report.problem.is_some() => skipped("the target could not be judged"),
            None => skipped("slow: runs with --slow"),
        };
        let mut test = TestCase::new(case.info.id, status);
        test.set_classname(format!("{}.{}", report.run.suite, topic(case.info.id)));
        if let Some(outcome) = &case.outcome {
            test.set_time(outcome.duration);
            if outcome.verdict != Verdict::Pass {
                test.set_system_out(details(report, &case.info, outcome));
            }
        }
        suite.add_test_case(test);
    }
    if let Some(problem) = &report.problem {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(plain(&problem.to_string()));
        let mut test = TestCase::new(format!("{}/target", report.run.suite), status);
        test.set_classname(format!("{}.target", report.run.suite));
        suite.add_test_case(test);
    }
    suite
}

fn status(report: &Report, case: &CaseInfo, outcome: &Outcome) -> TestCaseStatus {
    let observed = plain(&outcome.observed);
    match report.known(case, outcome) {
        Known::Excused(reason) => return skipped(&format!("known: {reason}; {observed}")),
        Known::UnexpectedPass(reason) => {
            return unsuccessful(
                NonSuccessKind::Failure,
                "unexpected-pass",
                &format!("known to fail ({reason}), but it passes"),
            );
        }
        Known::Counts => {}
    }
    let word = outcome.verdict.word();
    match outcome.verdict {
        Verdict::Pass | Verdict::NonStrict => TestCaseStatus::success(),
        Verdict::Fail => unsuccessful(NonSuccessKind::Failure, word, &observed),
        Verdict::Error => unsuccessful(NonSuccessKind::Error, word, &observed),
        Verdict::Unimplemented | Verdict::Inconclusive => skipped(&format!("{word}: {observed}")),
    }
}

fn unsuccessful(kind: NonSuccessKind, type_: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(type_).set_message(message);
    status
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why);
    status
}

fn details(report: &Report, case: &CaseInfo, outcome: &Outcome) -> String {
    let mut text = format!(
        "verdict:  {}\nexpected: {}\nobserved: {}\n",
        outcome.verdict.word(),
        case.expected,
        plain(&outcome.observed)
    );
    for claim in report.claims(case) {
        text += &format!(
            "claim:    {} [{}; {}]\n",
            claim.wording, claim.source, claim.id
        );
    }
    text + &format!("rerun:    {}\n", plain(&report.rerun(case)))
}

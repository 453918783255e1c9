//! Reports of a run: for people on a terminal, for machines, for course systems, for Wireshark.
//!
//! ```text
//!                        ┌ terminal   for people
//!            ┌ Report ───┼ html       for people, with diagrams
//! SuiteReport┤           ├ json       for programs (docs/report.schema.json)
//! Baseline   │           └ junit      for continuous integration
//!            ├ Recording ┬ diagram    SVG and Mermaid, inside the others
//!            │           └ capture    pcapng, for Wireshark
//!            └ events ──── log        of driven nodes, for `peerproof judge`
//! ```

pub mod capture;
pub mod diagram;
pub mod html;
pub mod json;
pub mod junit;
pub mod log;
pub mod terminal;

use std::path::PathBuf;

use peerproof_model::claim::Claim;

use crate::baseline::{Baseline, Date};
use crate::case::{CaseInfo, Outcome, Verdict};
use crate::run::SuiteReport;
use crate::suite::{OpenError, Suite};

/// The name of a file about one case of a run.
fn file_of_case(case: &str, seed: u64, extension: &str) -> PathBuf {
    let name = case.replace('/', ".");
    PathBuf::from(format!("{name}.seed-{seed}.{extension}"))
}

/// One run of one suite with all that the reports say about it.
pub struct Report {
    /// The suite that ran.
    pub suite: &'static dyn Suite,
    /// What came of it.
    pub run: SuiteReport,
    /// Why nothing could run, when nothing could.
    pub problem: Option<OpenError>,
    /// Verdicts that were known beforehand.
    pub baseline: Baseline,
    /// The day of the run: known failures expire.
    pub today: Date,
    /// The words of the command that ran the suite, without the choice of cases.
    pub command: Vec<String>,
}

/// What the baseline says about an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// Nothing: it counts.
    Counts,
    /// It is a known failure for this reason and does not count.
    Excused(&'a str),
    /// It was known to fail for this reason, and passes.
    UnexpectedPass(&'a str),
}

impl Report {
    /// What the baseline says about an outcome.
    pub fn known(&self, case: &CaseInfo, outcome: &Outcome) -> Known<'_> {
        if let Some(known) = self.baseline.excuse(case, outcome.verdict, self.today) {
            return Known::Excused(&known.reason);
        }
        match self.baseline.current(case, self.today).next() {
            Some(known) if outcome.verdict == Verdict::Pass => Known::UnexpectedPass(&known.reason),
            _ => Known::Counts,
        }
    }

    /// The exit status that this report alone deserves: 2, 4, 1, 3 or 0.
    pub fn exit_status(&self) -> u8 {
        match &self.problem {
            Some(OpenError::Usage(_)) => return 2,
            Some(OpenError::Unreachable(_)) => return 3,
            Some(OpenError::Kit(_)) => return 4,
            None => {}
        }
        let excused =
            |case: &_, outcome: &_| matches!(self.known(case, outcome), Known::Excused(_));
        let unexpected = self
            .run
            .outcomes()
            .any(|(case, outcome)| matches!(self.known(case, outcome), Known::UnexpectedPass(_)));
        match self.run.exit_status_except(excused) {
            0 | 3 if unexpected => 1,
            status => status,
        }
    }

    /// The claims of a case, in full.
    pub fn claims(&self, case: &CaseInfo) -> Vec<&'static Claim> {
        claims(self.suite, case)
    }

    /// The command that runs one case again, with the same inputs.
    pub fn rerun(&self, case: &CaseInfo) -> String {
        let mut words: Vec<&str> = self.command.iter().map(String::as_str).collect();
        words.extend(["--case", case.id]);
        if case.slow {
            words.push("--slow");
        }
        shell_line(&words)
    }
}

/// The claims of a case of a suite, in full, in the order of the case.
pub fn claims(suite: &dyn Suite, case: &CaseInfo) -> Vec<&'static Claim> {
    let all = suite.claims();
    case.claims
        .iter()
        .filter_map(|id| all.iter().find(|claim| claim.id == *id))
        .collect()
}

/// The part of a case id between the suite and the name: what the case is about.
pub fn topic(id: &str) -> &str {
    let mut parts = id.splitn(3, '/');
    parts.next();
    match (parts.next(), parts.next()) {
        (Some(topic), Some(_)) => topic,
        _ => "",
    }
}

/// Words as one line that a shell splits into the same words.
pub fn shell_line(words: &[&str]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            (*word).to_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Text that may hold what a peer sent, with everything escaped that would move a terminal's
/// cursor, change its colours, or change the direction of the text around it.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns {
            plain.extend(c.escape_default());
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_the_middle_of_an_id() {
        assert_eq!(topic("gnutella/query/duplicate-is-dropped"), "query");
        assert_eq!(topic("gnutella/alone"), "");
        assert_eq!(topic("gnutella"), "");
    }

    #[test]
    fn a_shell_splits_a_line_into_the_same_words() {
        let words = ["a b", "it's", "", "--case", "x/*", "$HOME", "\n"];
        let line = format!("printf '%s|' {}", shell_line(&words));
        let output = std::process::Command::new("sh")
            .args(["-c", &line])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            words.join("|") + "|"
        );
    }

    #[test]
    fn what_a_peer_says_does_not_drive_the_terminal() {
        assert_eq!(plain("\u{1b}[2Jé\u{202e}\r\n"), r"\u{1b}[2Jé\u{202e}\r\n");
    }
}

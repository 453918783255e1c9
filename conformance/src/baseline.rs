//! Known failures: verdicts that a run may have without failing, until a date.
//!
//! The file is TOML, one `[[known]]` table per entry:
//!
//! ```toml
//! [[known]]
//! case = "bittorrent-seeder/extension/*"   # a pattern on case ids
//! verdict = "fail"                         # the only verdict it excuses
//! reason = "reported upstream"             # shown in every report
//! expires = 2027-06-30                     # the last day on which it counts
//! ```

use std::fmt;
use std::time::SystemTime;

use globset::GlobMatcher;
use serde::Deserialize;

use crate::case::{CaseInfo, Verdict};

/// The known failures of a target.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// The entries, in the order of the file.
    pub known: Vec<Known>,
}

/// One known failure.
#[derive(Clone, Debug)]
pub struct Known {
    /// The pattern as written.
    pub pattern: String,
    /// The pattern on case ids.
    matcher: GlobMatcher,
    /// The verdict that it excuses.
    pub verdict: Verdict,
    /// Why it is known.
    pub reason: String,
    /// The last day on which it counts.
    pub expires: Date,
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// The day, from 1.
    pub day: u8,
}

/// Why a baseline file cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BaselineError {
    /// It is no TOML, or lacks a field, or has an unknown one.
    #[error("{0}")]
    Format(String),
    /// A pattern that no glob can be made of.
    #[error("`{pattern}` is no pattern: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// `expires` is not a date alone.
    #[error("`expires = {0}`: write a date alone, such as 2027-06-30")]
    Expiry(String),
    /// A verdict that cannot be excused.
    #[error("`{0}`: a {1} verdict cannot be known beforehand")]
    Verdict(String, &'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    known: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    case: String,
    verdict: Verdict,
    reason: String,
    expires: toml::value::Datetime,
}

impl Baseline {
    /// Reads the text of a baseline file.
    ///
    /// # Errors
    /// The text is no baseline file; the error says what to change.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            BaselineError::Format(format!("line {line}: {}", error.message()))
        })?;
        let known = file.known.into_iter().map(Known::try_from);
        Ok(Self {
            known: known.collect::<Result<_, _>>()?,
        })
    }

    /// The entry that excuses this verdict of this case on this day.
    pub fn excuse(&self, case: &CaseInfo, verdict: Verdict, today: Date) -> Option<&Known> {
        self.current(case, today)
            .find(|known| known.verdict == verdict)
    }

    /// The entry that says this case does not pass, on this day.
    pub fn current(&self, case: &CaseInfo, today: Date) -> impl Iterator<Item = &Known> {
        self.known
            .iter()
            .filter(move |known| known.matches(case.id) && today <= known.expires)
    }

    /// The entries that count no more.
    pub fn expired(&self, today: Date) -> impl Iterator<Item = &Known> {
        self.known.iter().filter(move |known| known.expires < today)
    }
}

impl Known {
    /// Whether the entry is about the case of that id.
    pub fn matches(&self, id: &str) -> bool {
        self.matcher.is_match(id)
    }
}

impl TryFrom<Entry> for Known {
    type Error = BaselineError;

    fn try_from(entry: Entry) -> Result<Self, BaselineError> {
        if matches!(entry.verdict, Verdict::Pass | Verdict::Error) {
            return Err(BaselineError::Verdict(entry.case, entry.verdict.word()));
        }
        let matcher = globset::Glob::new(&entry.case)
            .map_err(|error| BaselineError::Pattern {
                pattern: entry.case.clone(),
                why: error.kind().to_string(),
            })?
            .compile_matcher();
        let expires = match (entry.expires.date, entry.expires.time) {
            (Some(date), None) => Date {
                year: date.year,
                month: date.month,
                day: date.day,
            },
            _ => return Err(BaselineError::Expiry(entry.expires.to_string())),
        };
        Ok(Self {
            pattern: entry.case,
            matcher,
            verdict: entry.verdict,
            reason: entry.reason,
            expires,
        })
    }
}

impl Date {
    /// The day it is now, in Greenwich.
    pub fn today() -> Self {
        let seconds = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        Self::after_1970(seconds / 86_400)
    }

    /// The day that lies `days` after 1970-01-01.
    fn after_1970(mut days: u64) -> Self {
        let mut year = 1970;
        loop {
            let length = if leap(year) { 366 } else { 365 };
            if days < length {
                break;
            }
            days -= length;
            year += 1;
        }
        let february = if leap(year) { 29 } else { 28 };
        let mut month = 1;
        for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        Self {
            year,
            month,
            // What is left is less than the length of a month.
            day: u8::try_from(days + 1).unwrap_or(31),
        }
    }
}

fn leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_after_1970_are_calendar_dates() {
        // Facts of `date -u -d @SECONDS +%F`.
        for (days, date) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (19_723, "2024-01-01"),
            (20_088, "2024-12-31"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(Date::after_1970(days).to_string(), date);
        }
    }

    #[test]
    fn a_file_that_promises_too_much_is_refused() {
        let entry = |verdict: &str, expires: &str| {
            Baseline::parse(&format!(
                "[[known]]\ncase = \"a/*\"\nverdict = \"{verdict}\"\nreason = \"r\"\nexpires = {expires}\n"
            ))
        };
        assert!(entry("fail", "2027-06-30").is_ok());
        assert!(matches!(
            entry("pass", "2027-06-30"),
            Err(BaselineError::Verdict(..))
        ));
        assert!(matches!(
            entry("error", "2027-06-30"),
            Err(BaselineError::Verdict(..))
        ));
        assert!(matches!(
            entry("fail", "2027-06-30T00:00:00Z"),
            Err(BaselineError::Expiry(_))
        ));
        let Err(BaselineError::Format(why)) = entry("broken", "2027-06-30") else {
            panic!("an unknown verdict is refused");
        };
        assert!(why.starts_with("line 3: "), "{why}");
        assert!(matches!(
            Baseline::parse("[[known]]\ncase = \"a\"\n"),
            Err(BaselineError::Format(_))
        ));
    }
}

//! Regular expressions whose named groups say what a line of output means.

use regex::{Regex, RegexBuilder};

/// The longest pattern, in bytes.
pub(super) const MOST_PATTERN: usize = 4 << 10;

/// The largest compiled pattern, in bytes.
const MOST_COMPILED: usize = 1 << 20;

/// The most matches of one pattern that one line yields.
const MOST_MATCHES: usize = 10_000;

/// A regular expression.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    text: String,
    regex: Regex,
    /// Where the file has it.
    pub(super) line: usize,
}

/// What a named group matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which match it belongs to, counted over an answer: groups of one match belong together.
    pub of: usize,
    /// The name of the group.
    pub group: String,
    /// The text.
    pub text: String,
}

impl Pattern {
    /// Reads a regular expression all of whose groups are among `groups`.
    ///
    /// # Errors
    /// It is none, or has another group.
    pub(super) fn new(text: &str, line: usize, groups: &[&str]) -> Result<Self, String> {
        let regex = compiled(text, text)?;
        let mut names = regex.capture_names().flatten();
        if let Some(unknown) = names.find(|name| !groups.contains(name)) {
            let known = if groups.is_empty() {
                "groups mean nothing here".to_owned()
            } else {
                format!("here there are {}", groups.join(", "))
            };
            return Err(format!("no group is called `{unknown}`; {known}"));
        }
        let text = text.to_owned();
        Ok(Self { text, regex, line })
    }

    /// Reads a regular expression that matches whole lines only.
    ///
    /// # Errors
    /// It is none, or has a group with a name.
    pub(super) fn whole(text: &str, line: usize) -> Result<Self, String> {
        let mut pattern = Self::new(text, line, &[])?;
        pattern.regex = compiled(text, &format!("^(?:{text})$"))?;
        Ok(pattern)
    }

    /// The expression as it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has a group of that name.
    pub(super) fn has(&self, group: &str) -> bool {
        self.regex
            .capture_names()
            .flatten()
            .any(|name| name == group)
    }

    /// Whether it matches somewhere in the line.
    pub(super) fn is_in(&self, line: &str) -> bool {
        self.regex.is_match(line)
    }

    /// What its groups match in the line, from left to right; `None` when it does not match.
    /// Matches are counted on from `next`.
    pub(super) fn find(&self, line: &str, next: &mut usize) -> Option<Vec<Found>> {
        let mut all = None;
        for captures in self.regex.captures_iter(line).take(MOST_MATCHES) {
            let found = all.get_or_insert_with(Vec::new);
            let named = self.regex.capture_names().flatten();
            found.extend(named.filter_map(|group| {
                let text = captures.name(group)?.as_str().to_owned();
                let (of, group) = (*next, group.to_owned());
                Some(Found { of, group, text })
            }));
            *next += 1;
        }
        all
    }
}

fn compiled(text: &str, wrapped: &str) -> Result<Regex, String> {
    if text.len() > MOST_PATTERN {
        return Err(format!("a pattern of more than {MOST_PATTERN} bytes"));
    }
    RegexBuilder::new(wrapped)
        .size_limit(MOST_COMPILED)
        .dfa_size_limit(MOST_COMPILED)
        .build()
        .map_err(|error| because(&error))
}

/// The reason alone, without the drawing that shows the place.
fn because(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    format!(
        "no regular expression: {}",
        last.trim_start_matches("error: ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_match_yields_its_groups() {
        let pattern = Pattern::new(r"(?P<start>\d+)->(?P<finger>\d+)", 1, &["start", "finger"]);
        let found = pattern.expect("a pattern").find("81->96, 16->16", &mut 5);
        let found = found.expect("matches");
        let shown: Vec<(usize, &str, &str)> = found
            .iter()
            .map(|it| (it.of, it.group.as_str(), it.text.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (5, "start", "81"),
                (5, "finger", "96"),
                (6, "start", "16"),
                (6, "finger", "16")
            ]
        );
    }

    #[test]
    fn a_match_without_groups_is_one() {
        let pattern = Pattern::new("^joined", 1, &[]).expect("a pattern");
        assert_eq!(pattern.find("joined the ring", &mut 0), Some(Vec::new()));
        assert_eq!(pattern.find("not joined", &mut 0), None);
    }

    #[test]
    fn what_is_wrong_with_a_pattern_is_said() {
        let unclosed = Pattern::new("(a", 1, &[]).expect_err("unclosed");
        assert_eq!(unclosed, "no regular expression: unclosed group");
        let unknown = Pattern::new("(?P<ownr>a)", 1, &["owner"]).expect_err("unknown");
        assert_eq!(unknown, "no group is called `ownr`; here there are owner");
        let huge = Pattern::new(r"(\w{1000}){1000}", 1, &[]).expect_err("huge");
        assert!(huge.starts_with("no regular expression: "), "{huge}");
        assert!(Pattern::new(&"a".repeat(5000), 1, &[]).is_err());
    }

    #[test]
    fn a_prompt_is_the_whole_rest_of_the_output() {
        let prompt = Pattern::whole("a|>|> ", 1).expect("a pattern");
        assert!(prompt.is_in("> ") && prompt.is_in(">"));
        assert!(!prompt.is_in("42 -> ") && !prompt.is_in(""));
    }
}

//! What the answer of a program means: every line against every pattern of the operation.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::file::Deed;
use super::operation::Operation;
use super::pattern::Found;
use crate::control::ErrorCode;

/// What a program answered, before anything is read from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its lines.
    pub(super) lines: Vec<String>,
    /// Why it is no success, whatever the lines say: a status, a deadline.
    pub(super) failure: Option<String>,
}

/// An answer with what was read from it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Every line, with what matched.
    pub lines: Vec<Line>,
    /// The body of the reply, or the error.
    pub outcome: Result<Map<String, Value>, (ErrorCode, String)>,
}

/// A line of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line.
    pub text: String,
    /// What matched it; nothing: the line means nothing to the adapter.
    pub matched: Vec<Match>,
}

/// A pattern that matched a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The pattern.
    pub pattern: String,
    /// Where the file has it.
    pub line: usize,
    /// What its groups matched.
    pub found: Vec<Found>,
    /// The error that it stands for.
    pub error: Option<ErrorCode>,
}

/// The circle that points are on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circle {
    pub(super) id: u64,
    pub(super) bits: u32,
    pub(super) radix: u32,
}

/// Reads an answer.
pub(super) fn read(operation: Operation, deed: &Deed, circle: Circle, answer: &Answer) -> Reading {
    let mut next = 0;
    let lines: Vec<Line> = answer
        .lines
        .iter()
        .map(|text| {
            let errors = deed
                .errors
                .iter()
                .filter(|(pattern, _)| pattern.is_in(text));
            let errors = errors.map(|(pattern, code)| (pattern, Vec::new(), Some(*code)));
            let patterns = deed.patterns.iter();
            let found = patterns.filter_map(|it| Some((it, it.find(text, &mut next)?, None)));
            let matched = errors.chain(found).map(|(pattern, found, error)| Match {
                pattern: pattern.text().to_owned(),
                line: pattern.line,
                found,
                error,
            });
            let matched = matched.collect();
            Line {
                text: text.clone(),
                matched,
            }
        })
        .collect();
    let outcome = outcome(operation, deed, circle, answer, &lines);
    Reading { lines, outcome }
}

fn outcome(
    operation: Operation,
    deed: &Deed,
    circle: Circle,
    answer: &Answer,
    lines: &[Line],
) -> Result<Map<String, Value>, (ErrorCode, String)> {
    let matches = || lines.iter().flat_map(|line| &line.matched);
    for line in lines {
        if let Some(code) = line.matched.iter().find_map(|it| it.error) {
            return Err((code, line.text.clone()));
        }
    }
    if let Some(failure) = &answer.failure {
        return Err((ErrorCode::TIMEOUT, failure.clone()));
    }
    if !deed.patterns.is_empty() && matches().next().is_none() {
        let what = format!(
            "no line of the answer matches a pattern of [{}]",
            operation.name()
        );
        return Err((ErrorCode::CRASH, what));
    }
    let all: Vec<&Found> = matches().flat_map(|it| &it.found).collect();
    let told = |group: &str| deed.patterns.iter().any(|pattern| pattern.has(group));
    let groups = Groups { all: &all, circle };
    let body = match operation {
        Operation::State => state(&groups, told),
        Operation::Lookup => lookup(&groups),
        Operation::Get => value(&groups),
        _ => Ok(json!({})),
    };
    match body {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Ok(Map::new()),
        Err(what) => Err((ErrorCode::CRASH, what)),
    }
}

fn state(groups: &Groups<'_>, told: impl Fn(&str) -> bool) -> Result<Value, String> {
    let mut successors = groups.points("successor")?;
    successors.extend(groups.points_within("successors")?);
    let id = groups.points("id")?.first().copied();
    let mut body = json!({
        "member": !told("member") || groups.text("member").is_some(),
        "id": id.unwrap_or(groups.circle.id),
        "successors": successors,
    });
    if told("predecessor") {
        body["predecessor"] = json!(groups.points("predecessor")?.first());
    }
    if told("finger") || told("fingers") {
        body["fingers"] = json!(groups.fingers()?);
    }
    if told("key") || told("keys") {
        let mut keys = groups.points("key")?;
        keys.extend(groups.points_within("keys")?);
        keys.sort_unstable();
        keys.dedup();
        body["keys"] = json!(keys);
    }
    Ok(body)
}

fn lookup(groups: &Groups<'_>) -> Result<Value, String> {
    let mut path = groups.points("hop")?;
    path.extend(groups.points_within("path")?);
    let owner = groups.points("owner")?.first().copied();
    let owner = owner.or_else(|| path.last().copied());
    let owner = owner.ok_or("the answer names no owner")?;
    let mut body = json!({ "owner": owner });
    if let Some(hops) = groups.text("hops") {
        let hops: u32 = hops
            .parse()
            .map_err(|_| format!("`{hops}` is no number of hops"))?;
        body["hops"] = json!(hops);
    }
    if !path.is_empty() {
        body["path"] = json!(path);
    }
    Ok(body)
}

fn value(groups: &Groups<'_>) -> Result<Value, String> {
    let value = groups.text("value").ok_or("the answer has no value")?;
    Ok(json!({ "value": value }))
}

/// What all groups of an answer matched.
struct Groups<'a> {
    all: &'a [&'a Found],
    circle: Circle,
}

impl Groups<'_> {
    fn of<'b>(&'b self, group: &'b str) -> impl Iterator<Item = &'b Found> {
        self.all
            .iter()
            .copied()
            .filter(move |found| found.group == group)
    }

    fn text(&self, group: &str) -> Option<&str> {
        let found = self.all.iter().find(|found| found.group == group)?;
        Some(&found.text)
    }

    fn point(&self, text: &str) -> Result<u64, String> {
        let digits = text.trim();
        let digits = digits
            .strip_prefix("0x")
            .filter(|_| self.circle.radix == 16)
            .unwrap_or(digits);
        u64::from_str_radix(digits, self.circle.radix)
            .map_err(|_| format!("`{text}` is no point of the circle"))
    }

    /// The points that the group matched, one each.
    fn points(&self, group: &str) -> Result<Vec<u64>, String> {
        self.of(group)
            .map(|found| self.point(&found.text))
            .collect()
    }

    /// Every number within what the group matched.
    fn points_within(&self, group: &str) -> Result<Vec<u64>, String> {
        let number = if self.circle.radix == 16 {
            &*HEXADECIMAL
        } else {
            &*DECIMAL
        };
        let texts = self.of(group).map(|found| found.text.as_str());
        texts
            .flat_map(|text| number.find_iter(text))
            .map(|it| self.point(it.as_str()))
            .collect()
    }

    /// Fingers: each with the start that the same match has, or else the next one in order.
    fn fingers(&self) -> Result<Vec<Value>, String> {
        let mut nodes = Vec::new();
        for found in self.of("finger") {
            let start = self.of("start").find(|start| start.of == found.of);
            let start = start.map(|start| self.point(&start.text)).transpose()?;
            nodes.push((start, self.point(&found.text)?));
        }
        nodes.extend(
            self.points_within("fingers")?
                .into_iter()
                .map(|node| (None, node)),
        );
        let Circle { id, bits, .. } = self.circle;
        let in_order = |place: usize| {
            let step = u32::try_from(place)
                .ok()
                .and_then(|place| 1_u64.checked_shl(place));
            id.wrapping_add(step.unwrap_or(0)) % 1_u64.checked_shl(bits).unwrap_or(u64::MAX)
        };
        let nodes = nodes.into_iter().enumerate();
        let finger = |(place, (start, node)): (usize, (Option<u64>, u64))| json!({"start": start.unwrap_or_else(|| in_order(place)), "node": node});
        Ok(nodes.map(finger).collect())
    }
}

#[expect(clippy::unwrap_used, reason = "a test compiles it")]
static DECIMAL: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9]+\b").unwrap());

#[expect(clippy::unwrap_used, reason = "a test compiles it")]
static HEXADECIMAL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(?:0x)?[0-9a-fA-F]+\b").unwrap());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::adapter::Adapter;

    /// Reads `answer` by an adapter whose operation has these lines.
    fn reading(operation: Operation, table: &str, radix: u32, answer: &[&str]) -> Reading {
        let text = format!(
            "[node]\nstart = \"x {{port}} {{id}} {{introducer_port}}\"\nstart_first = \"x {{port}} {{id}}\"\nstyle = \"prompt\"\nprompt = \"> \"\n[{}]\n{table}",
            operation.name()
        );
        let adapter = Adapter::parse(&text).expect("an adapter");
        let lines = answer.iter().map(|line| (*line).to_owned()).collect();
        let answer = Answer {
            lines,
            failure: None,
        };
        let circle = Circle {
            id: 80,
            bits: 7,
            radix,
        };
        read(operation, &adapter.deeds[&operation], circle, &answer)
    }

    #[test]
    fn a_state_is_put_together_from_lines() {
        let table = r#"
            send = "show"
            patterns = ['pred=(?P<predecessor>\d+)', 'next: (?P<successors>.*)', '^f\d (?P<start>\d+) -> (?P<finger>\d+)', 'stored (?P<key>\d+)']
        "#;
        let answer = [
            "node 80",
            "pred=45",
            "next: [96, 112, 16]",
            "f0 81 -> 96",
            "f6 16 -> 16",
            "stored 60",
            "stored 50",
        ];
        let reading = reading(Operation::State, table, 10, &answer);
        assert_eq!(
            reading.outcome.map(Value::Object),
            Ok(json!({
                "member": true, "id": 80, "successors": [96, 112, 16], "predecessor": 45,
                "fingers": [{"start": 81, "node": 96}, {"start": 16, "node": 16}], "keys": [50, 60],
            }))
        );
        assert!(reading.lines[0].matched.is_empty());
        assert_eq!(reading.lines[1].matched[0].line, 9);
    }

    #[test]
    fn what_is_not_told_is_not_there() {
        let table = r#"
            send = "show"
            patterns = ['next (?P<successor>\d+)', 'pred (?P<predecessor>\d+)', 'f: (?P<fingers>.*)']
        "#;
        let reading = reading(
            Operation::State,
            table,
            10,
            &["next 96", "pred none", "f: 96 96 96 96 96 112 16"],
        );
        let state = reading.outcome.map(Value::Object).expect("a state");
        assert_eq!(state["predecessor"], Value::Null);
        assert_eq!(state["fingers"][6], json!({"start": 16, "node": 16}));
        assert_eq!(state.get("keys"), None);
    }

    #[test]
    fn lookups_in_hexadecimal_digits() {
        let table = r#"
            send = "find {key}"
            patterns = ['path (?P<path>.*)', 'in (?P<hops>\d+) hops']
        "#;
        let reading = reading(
            Operation::Lookup,
            table,
            16,
            &["path 0x50 -> 10 -> 20 -> 2d", "in 3 hops"],
        );
        let lookup = reading.outcome.map(Value::Object);
        assert_eq!(
            lookup,
            Ok(json!({"owner": 45, "hops": 3, "path": [80, 16, 32, 45]}))
        );
    }

    #[test]
    fn errors_come_first() {
        let table = r#"
            send = "get {key}"
            patterns = ['= (?P<value>.*)']
            errors = [{ pattern = "(?i)not found", code = 20 }]
        "#;
        let get = |answer: &[&str]| reading(Operation::Get, table, 10, answer).outcome;
        assert_eq!(
            get(&["= an apple"]).map(Value::Object),
            Ok(json!({"value": "an apple"}))
        );
        assert_eq!(
            get(&["= 1", "Not Found"]),
            Err((ErrorCode::KEY_DOES_NOT_EXIST, "Not Found".to_owned()))
        );
        let (code, _) = get(&["what?"]).expect_err("nothing matches");
        assert_eq!(code, ErrorCode::CRASH);
    }

    #[test]
    fn what_is_no_number_is_named() {
        let table = "send = \"find {key}\"\npatterns = ['at (?P<owner>.*)']";
        let reading = reading(Operation::Lookup, table, 10, &["at 127.0.0.1:7000"]);
        let (_, what) = reading.outcome.expect_err("no point");
        assert_eq!(what, "`127.0.0.1:7000` is no point of the circle");
    }
}

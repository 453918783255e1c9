//! Reading an adapter file. Whatever is wrong in it is named with its line.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::operation::{Operation, Style};
use super::pattern::Pattern;
use super::template::Template;
use crate::control::ErrorCode;

/// The longest file, in bytes.
const MOST_FILE: usize = 256 << 10;

/// The most patterns of one operation.
const MOST_PATTERNS: usize = 100;

/// How long an operation may take, unless the file says so, and at most; in milliseconds.
const PATIENCE: u64 = 5_000;
const MOST_PATIENCE: u64 = 600_000;

/// How to know that a program is ready.
#[derive(Clone, Debug)]
pub(super) enum Ready {
    /// It is, once it is started.
    AtOnce,
    /// It says a line.
    Says(Pattern),
    /// It accepts a connection.
    Accepts,
}

/// What is done for an operation.
#[derive(Clone, Debug)]
pub(super) enum How {
    /// A line is sent to the prompt.
    Send(Template),
    /// A command line is run.
    Run(Template),
    /// A request is made.
    Request {
        method: String,
        url: Template,
        body: Option<Template>,
        form: bool,
    },
}

impl How {
    pub(super) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Send(line) | Self::Run(line) => vec![line],
            Self::Request { url, body, .. } => {
                [Some(url), body.as_ref()].into_iter().flatten().collect()
            }
        }
    }

    fn has(&self, place: &str) -> bool {
        self.templates().iter().any(|template| template.has(place))
    }

    fn names_introducer(&self) -> bool {
        self.templates()
            .iter()
            .any(|template| template.names_introducer())
    }
}

/// An operation as the file has it.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub(super) how: How,
    /// The line that ends the answer.
    pub(super) until: Option<Pattern>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) errors: Vec<(Pattern, ErrorCode)>,
}

/// What an adapter file says.
#[derive(Clone, Debug)]
pub struct Adapter {
    pub(super) start: Template,
    pub(super) start_first: Option<Template>,
    pub(super) style: Style,
    pub(super) ready: Ready,
    pub(super) prompt: Option<Pattern>,
    pub(super) radix: u32,
    pub(super) patience: Duration,
    pub(super) deeds: BTreeMap<Operation, Deed>,
}

/// What is wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct AdapterError {
    /// Where, counted from 1.
    pub line: usize,
    /// What.
    pub what: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    node: Spanned<Node>,
    create: Option<Spanned<Table>>,
    join: Option<Spanned<Table>>,
    leave: Option<Spanned<Table>>,
    state: Option<Spanned<Table>>,
    lookup: Option<Spanned<Table>>,
    put: Option<Spanned<Table>>,
    get: Option<Spanned<Table>>,
    delete: Option<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    start: Spanned<String>,
    start_first: Option<Spanned<String>>,
    style: Style,
    ready: Option<Spanned<String>>,
    #[serde(default)]
    ready_port: bool,
    prompt: Option<Spanned<String>>,
    radix: Option<Spanned<u32>>,
    patience_ms: Option<Spanned<u64>>,
    #[serde(default)]
    errors: Vec<Complaint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    send: Option<Spanned<String>>,
    run: Option<Spanned<String>>,
    request: Option<Spanned<String>>,
    body: Option<Spanned<String>>,
    #[serde(default)]
    form: bool,
    until: Option<Spanned<String>>,
    #[serde(default)]
    patterns: Vec<Spanned<String>>,
    #[serde(default)]
    errors: Vec<Complaint>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Complaint {
    pattern: Spanned<String>,
    code: Spanned<u64>,
}

/// The text of a file, to count its lines.
#[derive(Clone, Copy)]
struct Source<'a>(&'a str);

impl Source<'_> {
    fn line(self, at: usize) -> usize {
        let before = self.0.as_bytes().iter().take(at);
        before.filter(|byte| **byte == b'\n').count() + 1
    }

    fn line_of<T>(self, value: &Spanned<T>) -> usize {
        self.line(value.span().start)
    }

    fn error<T>(self, at: &Spanned<T>, what: impl Into<String>) -> AdapterError {
        let line = self.line_of(at);
        AdapterError {
            line,
            what: what.into(),
        }
    }

    fn template(self, text: &Spanned<String>) -> Result<Template, AdapterError> {
        Template::new(text.get_ref()).map_err(|what| self.error(text, what))
    }

    fn pattern(self, text: &Spanned<String>, groups: &[&str]) -> Result<Pattern, AdapterError> {
        Pattern::new(text.get_ref(), self.line_of(text), groups)
            .map_err(|what| self.error(text, what))
    }

    fn prompt(self, text: &Spanned<String>) -> Result<Pattern, AdapterError> {
        let pattern = Pattern::whole(text.get_ref(), self.line_of(text));
        pattern.map_err(|what| self.error(text, what))
    }

    fn complaints(
        self,
        complaints: &[Complaint],
    ) -> Result<Vec<(Pattern, ErrorCode)>, AdapterError> {
        let read = |complaint: &Complaint| {
            let code = *complaint.code.get_ref();
            if ![0, 1, 10, 11, 12, 13, 14, 20, 21, 22, 30].contains(&code) {
                let what = format!("{code} is no code of an error; docs/control-plane.md has them");
                return Err(self.error(&complaint.code, what));
            }
            Ok((self.pattern(&complaint.pattern, &[])?, ErrorCode(code)))
        };
        complaints.iter().map(read).collect()
    }
}

impl Adapter {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// It is no TOML, has an unknown field, place or group, a bad pattern, or lacks something.
    pub fn parse(text: &str) -> Result<Self, AdapterError> {
        let source = Source(text);
        if text.len() > MOST_FILE {
            let what = format!("an adapter of more than {MOST_FILE} bytes");
            return Err(AdapterError { line: 1, what });
        }
        let file: File = toml::from_str(text).map_err(|error| AdapterError {
            line: error.span().map_or(1, |span| source.line(span.start)),
            what: error.message().to_owned(),
        })?;
        let node = file.node.get_ref();
        let common = source.complaints(&node.errors)?;
        let tables = [
            (Operation::Create, &file.create),
            (Operation::Join, &file.join),
            (Operation::Leave, &file.leave),
            (Operation::State, &file.state),
            (Operation::Lookup, &file.lookup),
            (Operation::Put, &file.put),
            (Operation::Get, &file.get),
            (Operation::Delete, &file.delete),
        ];
        let mut deeds = BTreeMap::new();
        for (operation, table) in tables {
            if let Some(table) = table {
                let deed = deed(source, node, operation, table, &common)?;
                deeds.insert(operation, deed);
            }
        }
        let adapter = Self {
            start: source.template(&node.start)?,
            start_first: node
                .start_first
                .as_ref()
                .map(|line| source.template(line))
                .transpose()?,
            style: node.style,
            ready: ready(source, node)?,
            prompt: node
                .prompt
                .as_ref()
                .map(|text| source.prompt(text))
                .transpose()?,
            radix: radix(source, node)?,
            patience: patience(source, node)?,
            deeds,
        };
        adapter.check_node(source, &file)?;
        Ok(adapter)
    }

    /// The operations that the file has.
    pub fn operations(&self) -> impl Iterator<Item = Operation> {
        let joins_by_start = !self.deeds.contains_key(&Operation::Join);
        Operation::ALL.into_iter().filter(move |operation| {
            self.deeds.contains_key(operation) || (*operation == Operation::Join && joins_by_start)
        })
    }

    /// The patterns that read answers, each with its line in the file.
    pub fn patterns(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = self.deeds.values().flat_map(|deed| &deed.patterns);
        all.map(|pattern| (pattern.line, pattern.text()))
    }

    /// How the program is talked to.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Whether its program is started when it is asked to join: it has no other way to join.
    pub fn joins_by_start(&self) -> bool {
        !self.deeds.contains_key(&Operation::Join)
    }

    /// What only the whole file shows: whether a node is told who and where it is, and whom to join through.
    fn check_node(&self, source: Source<'_>, file: &File) -> Result<(), AdapterError> {
        let node = file.node.get_ref();
        let joins = [Operation::Create, Operation::Join];
        let joins: Vec<&Deed> = joins.iter().filter_map(|it| self.deeds.get(it)).collect();
        for (line, template) in [
            (Some(&node.start), Some(&self.start)),
            (node.start_first.as_ref(), self.start_first.as_ref()),
        ] {
            let (Some(line), Some(template)) = (line, template) else {
                continue;
            };
            if !template.has("host") && !template.has("port") {
                return Err(source.error(
                    line,
                    "nothing tells the node where to listen: no `{host}` and no `{port}`",
                ));
            }
            if !template.has("id") && !joins.iter().any(|deed| deed.how.has("id")) {
                return Err(source.error(
                    line,
                    "nothing tells the node its point on the circle: no `{id}`",
                ));
            }
            if let Some(place) = ["key", "value"]
                .into_iter()
                .find(|place| template.has(place))
            {
                return Err(source.error(
                    line,
                    format!("there is no `{{{place}}}` yet when a node starts"),
                ));
            }
        }
        if self.start.names_introducer() && self.start_first.is_none() {
            let what = "a first node has no member to join through: give its command line as `start_first`";
            return Err(source.error(&node.start, what));
        }
        if let Some(first) = node.start_first.as_ref().filter(|_| {
            self.start_first
                .as_ref()
                .is_some_and(Template::names_introducer)
        }) {
            return Err(source.error(first, "a first node has no member to join through"));
        }
        let told = self
            .deeds
            .get(&Operation::Join)
            .is_some_and(|join| join.how.names_introducer());
        if !self.start.names_introducer() && !told {
            let what = "nothing tells the node whom to join through: no `{introducer_...}` in `start` or `[join]`";
            return match &file.join {
                Some(join) => Err(source.error(join, what)),
                None => Err(source.error(&node.start, what)),
            };
        }
        match (&file.create, &file.join) {
            (Some(create), None) => Err(source.error(
                create,
                "`[create]` without `[join]`: the first node is started by `start_first`",
            )),
            _ => Ok(()),
        }
    }
}

fn ready(source: Source<'_>, node: &Node) -> Result<Ready, AdapterError> {
    match &node.ready {
        Some(ready) if node.ready_port => Err(source.error(
            ready,
            "`ready` and `ready_port` are two ways to know the same",
        )),
        Some(ready) => source.pattern(ready, &[]).map(Ready::Says),
        None if node.ready_port => Ok(Ready::Accepts),
        None => Ok(Ready::AtOnce),
    }
}

fn radix(source: Source<'_>, node: &Node) -> Result<u32, AdapterError> {
    let Some(radix) = &node.radix else {
        return Ok(10);
    };
    match *radix.get_ref() {
        known @ (10 | 16) => Ok(known),
        _ => Err(source.error(radix, "points are written in radix 10 or 16")),
    }
}

fn patience(source: Source<'_>, node: &Node) -> Result<Duration, AdapterError> {
    let Some(patience) = &node.patience_ms else {
        return Ok(Duration::from_millis(PATIENCE));
    };
    match *patience.get_ref() {
        enough @ 1..=MOST_PATIENCE => Ok(Duration::from_millis(enough)),
        _ => Err(source.error(patience, format!("from 1 to {MOST_PATIENCE} milliseconds"))),
    }
}

/// One operation.
fn deed(
    source: Source<'_>,
    node: &Node,
    operation: Operation,
    table: &Spanned<Table>,
    common: &[(Pattern, ErrorCode)],
) -> Result<Deed, AdapterError> {
    let fields = table.get_ref();
    let how = how(source, node.style, table)?;
    let templates = how.templates();
    for place in ["key", "value"] {
        let needed = operation.places().contains(&place);
        if needed && !how.has(place) {
            return Err(source.error(
                table,
                format!("`[{}]` sends no `{{{place}}}`", operation.name()),
            ));
        }
        if !needed && templates.iter().any(|template| template.has(place)) {
            return Err(source.error(
                table,
                format!("`[{}]` has no `{{{place}}}`", operation.name()),
            ));
        }
    }
    if operation != Operation::Join && how.names_introducer() {
        return Err(source.error(table, "only `[join]` is through a member"));
    }
    if fields.patterns.len() > MOST_PATTERNS || fields.errors.len() > MOST_PATTERNS {
        return Err(source.error(table, format!("more than {MOST_PATTERNS} patterns")));
    }
    let patterns = fields
        .patterns
        .iter()
        .map(|text| source.pattern(text, operation.groups()));
    let patterns: Vec<Pattern> = patterns.collect::<Result<_, _>>()?;
    let needs = operation.needs();
    if !needs.is_empty()
        && !needs
            .iter()
            .any(|group| patterns.iter().any(|pattern| pattern.has(group)))
    {
        let what = format!(
            "no pattern of `[{}]` has a group {}",
            operation.name(),
            needs.join(" or ")
        );
        return Err(source.error(table, what));
    }
    let until = fields
        .until
        .as_ref()
        .map(|text| source.pattern(text, &[]))
        .transpose()?;
    if node.style == Style::Prompt && until.is_none() && node.prompt.is_none() {
        let what = format!(
            "nothing tells where the answer ends: give `prompt` in `[node]`, or `until` in `[{}]`",
            operation.name()
        );
        return Err(source.error(table, what));
    }
    let mut errors = source.complaints(&fields.errors)?;
    errors.extend_from_slice(common);
    Ok(Deed {
        how,
        until,
        patterns,
        errors,
    })
}

/// What is sent, by the style of the node.
fn how(source: Source<'_>, style: Style, table: &Spanned<Table>) -> Result<How, AdapterError> {
    let fields = table.get_ref();
    let by_field = [
        ("send", Style::Prompt, &fields.send),
        ("run", Style::Command, &fields.run),
        ("request", Style::Http, &fields.request),
    ];
    for (name, of, field) in by_field {
        if let Some(field) = field.as_ref().filter(|_| of != style) {
            let named = format!("{style:?}").to_lowercase();
            return Err(source.error(
                field,
                format!("`{name}` is not for nodes of style \"{named}\""),
            ));
        }
    }
    let missing =
        |name: &str| source.error(table, format!("`{name}` is missing: what is sent for it"));
    match style {
        Style::Prompt => {
            let line = fields.send.as_ref().ok_or_else(|| missing("send"))?;
            source.template(line).map(How::Send)
        }
        Style::Command => {
            let line = fields.run.as_ref().ok_or_else(|| missing("run"))?;
            source.template(line).map(How::Run)
        }
        Style::Http => {
            let line = fields.request.as_ref().ok_or_else(|| missing("request"))?;
            let (method, url) = line.get_ref().split_once(' ').unwrap_or_default();
            let known = ["GET", "POST", "PUT", "DELETE", "PATCH"].contains(&method);
            if !known || !url.starts_with("http://") {
                return Err(source.error(
                    line,
                    "a request is a method and a URL, such as `GET http://{host}:{port}/state`",
                ));
            }
            let url = Template::new(url).map_err(|what| source.error(line, what))?;
            let body = fields
                .body
                .as_ref()
                .map(|text| source.template(text))
                .transpose()?;
            let (method, form) = (method.to_owned(), fields.form);
            Ok(How::Request {
                method,
                url,
                body,
                form,
            })
        }
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;

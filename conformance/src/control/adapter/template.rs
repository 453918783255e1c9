//! What is sent to a node, with places where its address, its point or a key is filled in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

/// Every place there is, and what is filled in.
pub const PLACES: [(&str, &str); 15] = [
    ("host", "the address of the node, such as 127.0.0.3"),
    ("port", "its port"),
    ("id", "its point on the circle"),
    ("name", "its name"),
    ("bits", "the circle has 2^bits points"),
    ("successors", "how long its successor list is"),
    ("replicas", "on how many nodes a key is kept"),
    ("stabilize_ms", "between two rounds of stabilization"),
    ("timeout_ms", "how long a node may be silent"),
    ("introducer_host", "the address of a member to join through"),
    ("introducer_port", "the port of that member"),
    ("introducer_id", "the point of that member"),
    ("introducer_name", "the name of that member"),
    ("key", "the key of lookup, put, get and delete"),
    ("value", "the value of put"),
];

/// What is filled in, by place.
pub(super) type Values = BTreeMap<&'static str, String>;

/// How a value is written where it is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    /// As it is: in a line for a prompt.
    Plain,
    /// As one word for the shell.
    Shell,
    /// As a part of a URL or of a form.
    Percent,
    /// As a part of a JSON string; numbers stay as they are.
    Json,
}

/// Text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(&'static str),
}

/// `{{word}}`, which stands for `{word}`, or `{word}`. All other braces are text.
#[expect(clippy::unwrap_used, reason = "a test compiles it")]
static PLACE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\{\{([a-z_]+)\}\}|\{([a-z_]+)\}").unwrap());

impl Template {
    /// Reads text such as `lookup {key}`.
    ///
    /// # Errors
    /// It has a place that does not exist.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let (mut pieces, mut end) = (Vec::new(), 0);
        for found in PLACE.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            pieces.push(Piece::Text(text[end..whole.start()].to_owned()));
            end = whole.end();
            if let Some(escaped) = found.get(1) {
                pieces.push(Piece::Text(format!("{{{}}}", escaped.as_str())));
            } else if let Some(word) = found.get(2).map(|word| word.as_str()) {
                pieces.push(Piece::Place(known(word)?));
            }
        }
        pieces.push(Piece::Text(text[end..].to_owned()));
        Ok(Self(pieces))
    }

    /// Whether it has that place.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Place(place) if *place == name))
    }

    /// Whether it has a place for the member to join through.
    pub(super) fn names_introducer(&self) -> bool {
        let is = |piece: &Piece| matches!(piece, Piece::Place(place) if place.starts_with("introducer_"));
        self.0.iter().any(is)
    }

    /// The text with every place filled in.
    ///
    /// # Errors
    /// There is nothing to fill in somewhere, or it cannot be written there.
    pub(super) fn filled(&self, values: &Values, quote: Quote) -> Result<String, String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Place(name) => {
                    let value = values
                        .get(name)
                        .ok_or_else(|| format!("there is nothing to fill in for `{{{name}}}`"))?;
                    text.push_str(&quoted(value, quote)?);
                }
            }
        }
        Ok(text)
    }
}

fn known(word: &str) -> Result<&'static str, String> {
    let place = PLACES.iter().find(|(name, _)| *name == word);
    place.map(|(name, _)| *name).ok_or_else(|| {
        let names = PLACES.map(|(name, _)| name).join(", ");
        format!(
            "nothing is called `{{{word}}}`; there are {names}; text in braces is written `{{{{{word}}}}}`"
        )
    })
}

fn quoted(value: &str, quote: Quote) -> Result<String, String> {
    Ok(match quote {
        Quote::Plain if value.contains(['\n', '\r']) => {
            return Err("a line cannot hold a value with a line break".to_owned());
        }
        Quote::Plain => value.to_owned(),
        Quote::Shell if value.contains('\0') => {
            return Err("a command line cannot hold a zero byte".to_owned());
        }
        Quote::Shell => crate::program::filled("{it}", &[("it", value)]),
        Quote::Percent => percent(value),
        Quote::Json => {
            let string = serde_json::to_string(value).map_err(|error| error.to_string())?;
            string[1..string.len() - 1].to_owned()
        }
    })
}

/// Everything but unreserved characters as `%` and two digits.
fn percent(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let values = [("key", "42"), ("value", "it's \"50%\"")];
        values.map(|(name, value)| (name, value.to_owned())).into()
    }

    fn filled(text: &str, quote: Quote) -> String {
        let template = Template::new(text).expect("a template");
        template.filled(&values(), quote).expect("values")
    }

    #[test]
    fn places_are_filled_in_and_other_braces_are_text() {
        let line = r#"{"k": {key}, "v": "{value}", "x": {}, "y": "{{key}}"}"#;
        assert_eq!(
            filled(line, Quote::Json),
            r#"{"k": 42, "v": "it's \"50%\"", "x": {}, "y": "{key}"}"#
        );
    }

    #[test]
    fn values_are_written_as_the_place_needs_it() {
        assert_eq!(
            filled("put {key} {value}", Quote::Plain),
            "put 42 it's \"50%\""
        );
        assert_eq!(
            filled("put {key} {value}", Quote::Shell),
            r#"put 42 'it'\''s "50%"'"#
        );
        assert_eq!(
            filled("/put?v={value}", Quote::Percent),
            "/put?v=it%27s%20%2250%25%22"
        );
        let template = Template::new("{value}").expect("a template");
        let broken = [("value", "a\nb".to_owned())].into();
        assert!(template.filled(&broken, Quote::Plain).is_err());
        assert!(template.filled(&Values::new(), Quote::Plain).is_err());
    }

    #[test]
    fn a_place_that_does_not_exist_is_named() {
        let error = Template::new("lookup {kye}").expect_err("no such place");
        assert!(
            error.contains("`{kye}`") && error.contains("key"),
            "{error}"
        );
    }
}

//! What is asked of a node through an adapter, and how its program is talked to.

use serde::Deserialize;

/// What is asked of a node through an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Makes the node the first of a ring.
    Create,
    /// Makes it a member of a ring.
    Join,
    /// Has it hand over its keys and go.
    Leave,
    /// What it knows.
    State,
    /// Who owns a key.
    Lookup,
    /// Stores a value.
    Put,
    /// Asks for a value.
    Get,
    /// Takes a value away.
    Delete,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Create,
        Self::Join,
        Self::Leave,
        Self::State,
        Self::Lookup,
        Self::Put,
        Self::Get,
        Self::Delete,
    ];

    /// Its name, in files and requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::State => "state",
            Self::Lookup => "lookup",
            Self::Put => "put",
            Self::Get => "get",
            Self::Delete => "delete",
        }
    }

    /// The groups that mean something in its patterns.
    pub(super) fn groups(self) -> &'static [&'static str] {
        match self {
            Self::State => &[
                "member",
                "id",
                "predecessor",
                "successor",
                "successors",
                "start",
                "finger",
                "fingers",
                "key",
                "keys",
            ],
            Self::Lookup => &["owner", "hops", "hop", "path"],
            Self::Get => &["value"],
            _ => &[],
        }
    }

    /// The groups of which its patterns must have one.
    pub(super) fn needs(self) -> &'static [&'static str] {
        match self {
            Self::State => &["successor", "successors"],
            Self::Lookup => &["owner", "hop", "path"],
            Self::Get => &["value"],
            _ => &[],
        }
    }

    /// The places that its text must have.
    pub(super) fn places(self) -> &'static [&'static str] {
        match self {
            Self::Lookup | Self::Get | Self::Delete => &["key"],
            Self::Put => &["key", "value"],
            _ => &[],
        }
    }
}

/// How a program is talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Lines to its standard input, answers on its standard output.
    Prompt,
    /// A command that is run for every operation.
    Command,
    /// Requests to a server of its own.
    Http,
}

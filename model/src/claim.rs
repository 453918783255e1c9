//! The statements a protocol is held to.

use std::fmt;

/// One statement of a source, in our own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Stable, never reused, such as `bep3/bitfield-only-first`.
    pub id: &'static str,
    /// Where it is said.
    pub source: Source,
    /// What it says, in our own words.
    pub wording: &'static str,
    /// How binding it is.
    pub strength: Strength,
    /// Whether a node may lack the whole feature; only then can a verdict be "unimplemented".
    pub optional: bool,
}

/// A document and the place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The document, such as `BEP 3`.
    pub document: &'static str,
    /// The section or message, such as `peer messages`.
    pub section: &'static str,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.document, self.section)
    }
}

/// How binding a claim is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strength {
    /// Breaking it breaks the protocol.
    Must,
    /// Breaking it is allowed but unwise.
    Should,
    /// A choice that the source mentions.
    May,
}

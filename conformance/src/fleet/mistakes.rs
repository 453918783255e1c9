//! What nodes did that no node may do, whatever its protocol.

use std::fmt;
use std::time::Duration;

use crate::control::LineError;

/// The most mistakes that are kept; what follows is counted but not kept.
pub const KEPT_MISTAKES: usize = 256;

/// The longest foreign word in a mistake, in characters.
const LONGEST_WORD: usize = 200;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Whose.
    pub node: String,
    /// Since the fleet began.
    pub at: Duration,
    /// What.
    pub what: Wrong,
}

/// What a node did. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// A line is no envelope.
    Line {
        /// Which line.
        number: u64,
        /// Why not.
        error: LineError,
    },
    /// A line has another name than its own as `src`; it was not delivered.
    Source {
        /// Which line.
        number: u64,
        /// The name.
        said: String,
    },
    /// A message to another node is too long; it was not delivered.
    Message {
        /// Which line.
        number: u64,
        /// Its bytes.
        bytes: usize,
    },
    /// A line to the kit answers nothing that this node was asked, or what it has answered already.
    Unasked {
        /// Which line.
        number: u64,
        /// What it says it answers.
        in_reply_to: Option<u64>,
    },
    /// It used up what it may use, and was ended for it.
    Overused(String),
    /// It ended by itself.
    Ended(String),
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.node, self.what)
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { number, error } => write!(f, "line {number}: {error}"),
            Self::Source { number, said } => write!(f, "line {number}: its `src` is `{said}`"),
            Self::Message { number, bytes } => {
                write!(f, "line {number}: a message of {bytes} bytes")
            }
            Self::Unasked {
                number,
                in_reply_to,
            } => match in_reply_to {
                Some(id) => write!(f, "line {number}: it answers {id}, which is not open"),
                None => write!(f, "line {number}: it asks the kit, which answers nobody"),
            },
            Self::Overused(how) => write!(f, "ended by the kit: {how}"),
            Self::Ended(how) => f.write_str(how),
        }
    }
}

/// All mistakes, bounded.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    kept: Vec<Mistake>,
    dropped: usize,
}

impl Mistakes {
    /// A node that repeats one mistake does not drive out how others ended: those are kept in any case.
    pub(super) fn push(&mut self, mistake: Mistake) {
        let is_end = matches!(mistake.what, Wrong::Overused(_) | Wrong::Ended(_));
        if self.kept.len() >= KEPT_MISTAKES && !(is_end && self.kept.len() < 2 * KEPT_MISTAKES) {
            self.dropped += 1;
            return;
        }
        self.kept.push(mistake);
    }

    pub(super) fn kept(&self) -> &[Mistake] {
        &self.kept
    }

    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }
}

/// The beginning of a foreign word.
pub(super) fn short(word: &str) -> String {
    word.chars().take(LONGEST_WORD).collect()
}

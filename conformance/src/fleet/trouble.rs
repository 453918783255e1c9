//! Why a node cannot be driven on.

use std::time::Duration;

use crate::case::Stop;
use crate::control::StartError;

/// Why a node cannot be driven on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// It did not answer within the time it has.
    #[error("{node} did not answer `{request}` within {} ms", .waited.as_millis())]
    Silent {
        /// Who.
        node: String,
        /// What it was asked.
        request: String,
        /// How long the kit waited.
        waited: Duration,
    },
    /// It has ended, or does not live.
    #[error("{node} is gone: {how}")]
    Gone {
        /// Who.
        node: String,
        /// How it ended.
        how: String,
    },
    /// The machine was too busy to judge a deadline.
    #[error("{node} did not answer `{request}` in time, but the machine kept the kit or a node waiting for {} ms of it", .lost.as_millis())]
    Overloaded {
        /// Who was waited for.
        node: String,
        /// What it was asked.
        request: String,
        /// The time that was lost.
        lost: Duration,
    },
    /// Its answer is none to what it was asked.
    #[error("{node}: {what}")]
    Malformed {
        /// Who.
        node: String,
        /// What is wrong.
        what: String,
    },
    /// The command line, the adapter or the bug is wrong.
    #[error("{0}")]
    Usage(String),
    /// This network cannot do that on this machine.
    #[error("{0}")]
    Unsupported(String),
    /// The kit's own fault.
    #[error("{0}")]
    Kit(String),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        let words = trouble.to_string();
        match trouble {
            Trouble::Silent { .. } | Trouble::Malformed { .. } | Trouble::Unsupported(_) => {
                Self::Silent(words)
            }
            Trouble::Gone { .. } => Self::Gone(words),
            Trouble::Overloaded { .. } => Self::Overloaded(words),
            Trouble::Usage(_) | Trouble::Kit(_) => Self::Kit(words),
        }
    }
}

impl From<StartError> for Trouble {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Usage(why) => Self::Usage(why),
            StartError::Machine(why) => Self::Kit(why),
        }
    }
}

//! The figures of `init` as those of the model's node.

use std::time::Duration;

use peerproof_model::chord::node::{Config, ConfigError, Timing};
use peerproof_model::chord::ring::Variant;
use peerproof_model::space::circle::{Circle, CircleError, Id};

use crate::control::ring::{Figures, MOST_BITS, MOST_VALUE};

/// How often a silent node is asked until `timeout_ms` is over.
const TRIES: u8 = 3;

/// The longest successor list.
const MOST_SUCCESSORS: usize = 64;

/// The most keys that a node keeps.
const MOST_KEYS: usize = 4096;

/// Why no node can live with the figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FiguresError {
    #[error("`bits` is 1 to {MOST_BITS}")]
    Bits,
    #[error("`successors` is 1 to {MOST_SUCCESSORS}")]
    Successors,
    #[error("`stabilize_ms` and `timeout_ms` are 1 to 3,600,000")]
    Times,
    #[error("{0}")]
    Circle(#[from] CircleError),
    #[error("{0}")]
    Config(#[from] ConfigError),
}

/// A node with these figures, of the rules of 2003 with both fixes: a newcomer knows no predecessor.
pub(crate) fn config(figures: &Figures) -> Result<Config, FiguresError> {
    if !(1..=MOST_BITS).contains(&figures.bits) {
        return Err(FiguresError::Bits);
    }
    if !(1..=MOST_SUCCESSORS).contains(&figures.successors) {
        return Err(FiguresError::Successors);
    }
    let times = 1..=3_600_000;
    if !times.contains(&figures.stabilize_ms) || !times.contains(&figures.timeout_ms) {
        return Err(FiguresError::Times);
    }
    let circle = Circle::new(figures.bits)?;
    let id = circle.from_bytes(Id::from(figures.id).to_bytes())?;
    let stabilize = Duration::from_millis(figures.stabilize_ms);
    let answer = Duration::from_millis(figures.timeout_ms) / u32::from(TRIES);
    let config = Config {
        variant: Variant::TON2003_FIXED,
        successors: figures.successors,
        replicas: figures.replicas,
        tries: TRIES,
        most_keys: MOST_KEYS,
        longest_value: MOST_VALUE,
        timing: Timing {
            stabilize,
            check_predecessor: Some(stabilize),
            fix_fingers: Some(stabilize / 2),
            repair: Some(stabilize * 2),
            answer,
            lookup: answer * 4,
        },
        ..Config::new(circle, id)
    };
    config.check()?;
    Ok(config)
}

//! One node of a fleet: whether it lives, and how much it has said.

use std::net::SocketAddr;
use std::time::Instant;

use crate::control::Life;
use crate::control::allowance::Allowance;

pub(super) struct Member {
    life: Result<Box<dyn Life>, End>,
    pub(super) address: Option<SocketAddr>,
    /// Lines so far.
    pub(super) lines: u64,
    /// When it last answered.
    pub(super) answered: Option<Instant>,
    allowance: Allowance,
    said_all: bool,
}

/// How it ended.
struct End {
    how: String,
    last_words: String,
}

impl Member {
    pub(super) fn new(life: Box<dyn Life>, address: Option<SocketAddr>) -> Self {
        Self {
            life: Ok(life),
            address,
            lines: 0,
            answered: None,
            allowance: Allowance::default(),
            said_all: false,
        }
    }

    /// Its life, if it has one.
    pub(super) fn life(&self) -> Option<&dyn Life> {
        self.life.as_deref().ok()
    }

    /// Hands it a line: whether it takes it, or how it ended.
    pub(super) fn say(&self, line: &str) -> Result<bool, String> {
        match &self.life {
            Ok(life) => Ok(life.say(line)),
            Err(end) => Err(end.how.clone()),
        }
    }

    /// Counts one more line.
    pub(super) fn spend(&mut self, at: Instant, bytes: usize) -> Result<(), String> {
        self.lines += 1;
        self.allowance.spend(at, bytes)
    }

    /// Ends it, unless it has ended.
    pub(super) fn end(&mut self, how: &str) -> bool {
        let Ok(life) = &mut self.life else {
            return false;
        };
        life.kill();
        let end = End {
            how: how.to_owned(),
            last_words: life.last_words(),
        };
        self.life = Err(end);
        true
    }

    pub(super) fn last_words(&self) -> String {
        match &self.life {
            Ok(life) => life.last_words(),
            Err(end) => end.last_words.clone(),
        }
    }

    /// Nothing comes from this process any more.
    pub(super) fn has_said_all(&self) -> bool {
        self.said_all
    }

    pub(super) fn set_said_all(&mut self) {
        self.said_all = true;
    }
}

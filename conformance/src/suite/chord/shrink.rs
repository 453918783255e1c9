//! The smallest schedule that still shows what is wrong.

use std::time::Duration;

/// How long smaller schedules may be looked for, in all cases together.
pub(super) struct Budget {
    pub(super) left: Duration,
}

impl Budget {
    pub(super) fn new(left: Duration) -> Self {
        Self { left }
    }
}

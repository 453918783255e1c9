//! How far a run may go, and who is told how far it got.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How far a run may go; a run that would go farther is incomplete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// States visited.
    pub states: Option<usize>,
    /// Actions from an initial state.
    pub depth: Option<usize>,
    /// Time spent.
    pub time: Option<Duration>,
    /// Bytes of what the explorer keeps: states, parents, table, and successors that wait for their place; for
    /// liveness the steps between all states as well, and what the search for loops notes of states.
    /// What the model needs while it steps is not counted.
    pub memory: Option<usize>,
}

/// Told now and then how many states a run has visited.
#[derive(Clone)]
pub struct Progress(Option<Arc<dyn Fn(usize) + Send + Sync>>);

impl Progress {
    /// Nobody looks.
    pub fn unwatched() -> Self {
        Self(None)
    }

    /// Calls `told` every few thousand states.
    pub fn told_to(told: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(super) fn tell(&self, states: usize) {
        if let Some(told) = &self.0 {
            told(states);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Progress(watched)"
        } else {
            "Progress(unwatched)"
        })
    }
}

/// A structure would have exceeded the memory limit, or cannot name more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The memory limit.
    Memory,
    /// There are more of these than 32 bits can number.
    Numbers(&'static str),
}

/// Why a run ends before its answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    States,
    Depth,
    Time,
    Memory,
    /// There are more of these than 32 bits can number.
    Numbers(&'static str),
}

impl From<Full> for Cut {
    fn from(full: Full) -> Self {
        match full {
            Full::Memory => Self::Memory,
            Full::Numbers(what) => Self::Numbers(what),
        }
    }
}

/// The bytes that a run's structures hold, counted by capacity, and their limit.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    peak: AtomicUsize,
    limit: usize,
}

impl Budget {
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self {
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            limit: limit.unwrap_or(usize::MAX),
        }
    }

    /// Asks for bytes before they are allocated.
    pub(super) fn take(&self, bytes: usize) -> Result<(), Full> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed);
        if used.saturating_add(bytes) > self.limit {
            self.give_back(bytes);
            return Err(Full::Memory);
        }
        self.peak.fetch_max(used + bytes, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// The most that was used at any time.
    pub(super) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Whether so many bytes beside those counted here exceed the limit.
    pub(super) fn exceeded_with(&self, others: usize) -> bool {
        self.used().saturating_add(others) > self.limit
    }

    /// Makes room for `by` more items in `vec`; `exactly` so many, or twice what there was if that is more.
    pub(super) fn make_room<T>(
        &self,
        vec: &mut Vec<T>,
        by: usize,
        exactly: bool,
    ) -> Result<(), Full> {
        let (needed, before) = (vec.len() + by, vec.capacity());
        if needed <= before {
            return Ok(());
        }
        let after = if exactly {
            needed
        } else {
            needed.max(2 * before).max(4)
        };
        self.take((after - before) * size_of::<T>())?;
        vec.reserve_exact(after - vec.len());
        // The allocator may give more than was asked for.
        let more = vec.capacity().saturating_sub(after) * size_of::<T>();
        if more > 0 {
            let used = self.used.fetch_add(more, Ordering::Relaxed);
            self.peak.fetch_max(used + more, Ordering::Relaxed);
        }
        Ok(())
    }
}

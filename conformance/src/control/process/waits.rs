//! How long a node waits for a processor. From /proc: elsewhere than on Linux nobody tells.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use super::census::Process;
use crate::jitter::Delays;

/// How many threads of a process are asked how long they waited.
const LOOKED_AT: usize = 32;

/// For how long the threads of a node have waited for a processor.
#[derive(Debug)]
pub(super) struct Waits {
    looked: Instant,
    so_far: BTreeMap<(i32, i32), Duration>,
    delays: Delays,
}

impl Waits {
    pub(super) fn new() -> Self {
        Self {
            looked: Instant::now(),
            so_far: BTreeMap::new(),
            delays: Delays::default(),
        }
    }

    /// How much of the time since then the node has waited.
    pub(super) fn since(&self, began: Instant) -> Duration {
        self.delays.since(began)
    }

    /// Takes note of a look: how long the thread that waited longest has waited since the last one. It counts if that
    /// was most of the time: less is what threads that share a processor do to each other.
    pub(super) fn note(&mut self, waits: BTreeMap<(i32, i32), Duration>) {
        let now = Instant::now();
        let time = now.saturating_duration_since(self.looked);
        let before = std::mem::replace(&mut self.so_far, waits);
        self.looked = now;
        let more = self.so_far.iter().map(|(thread, wait)| {
            let known = before.get(thread).copied().unwrap_or_default();
            wait.saturating_sub(known).min(time)
        });
        if let Some(longest) = more.max().filter(|longest| *longest * 2 > time) {
            self.delays.keep(now, longest);
        }
    }
}

/// For how long each thread of these processes was ready to run and had no processor.
pub(super) fn of(members: &[Process]) -> BTreeMap<(i32, i32), Duration> {
    members.iter().flat_map(|it| of_process(it.id)).collect()
}

/// For how long each thread of a process was ready to run and had no processor, since it began; the first
/// [`LOOKED_AT`] of them. Nothing where the system does not tell.
fn of_process(process: i32) -> Vec<((i32, i32), Duration)> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return Vec::new();
    };
    let wait = |thread: i32| {
        let text = fs::read_to_string(format!("/proc/{process}/task/{thread}/schedstat")).ok()?;
        let nanoseconds = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
        Some(((process, thread), Duration::from_nanos(nanoseconds)))
    };
    threads
        .take(LOOKED_AT)
        .filter_map(|entry| wait(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn more_busy_threads_than_processors_wait() {
        let processors = std::thread::available_parallelism()
            .expect("a number")
            .get();
        let own = i32::try_from(std::process::id()).expect("an id");
        let own: Vec<Process> = super::super::census::take()
            .into_iter()
            .filter(|process| process.id == own)
            .collect();
        let mut waits = Waits::new();
        let began = Instant::now();
        waits.note(of(&[]));
        assert_eq!(waits.since(began), Duration::ZERO);
        let until = Instant::now() + Duration::from_millis(300);
        std::thread::scope(|scope| {
            for _ in 0..8 * processors {
                scope.spawn(|| while Instant::now() < until {});
            }
            waits.note(of(&own));
            while Instant::now() < until - Duration::from_millis(50) {
                std::thread::yield_now();
            }
            // Each has had an eighth of the time.
            waits.note(of(&own));
            assert_ne!(waits.since(began), Duration::ZERO);
        });
    }
}

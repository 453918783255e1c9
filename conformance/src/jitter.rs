//! How late this machine runs the kit, and the nodes that it starts: the measure against which every deadline is judged.
//!
//! A deadline that passed while the kit itself was not scheduled says nothing about the target; nor does one while the
//! target waited for a processor.

use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The meter sleeps this long and looks how much longer it took.
const TICK: Duration = Duration::from_millis(5);

/// Delays below this are every machine's daily life and not kept.
const KEPT_DELAY: Duration = Duration::from_millis(20);

/// The most delays that are remembered.
const KEPT: usize = 4096;

/// The part of a deadline that the kit may have slept through before the deadline means nothing.
const TOLERATED_PART: u32 = 4;

/// A meter of scheduling delays.
#[derive(Debug)]
pub struct Meter {
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    delays: Delays,
    last_wake: Instant,
}

/// Times for which somebody who wanted to run did not: the last ones, up to a number.
#[derive(Debug, Default)]
pub struct Delays {
    /// Until when, and for how long.
    kept: VecDeque<(Instant, Duration)>,
}

impl Delays {
    /// Somebody did not run until then, and for so long.
    pub fn keep(&mut self, until: Instant, delay: Duration) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((until, delay));
    }

    /// How much of the time since `began` that was.
    pub fn since(&self, began: Instant) -> Duration {
        let delays = self.kept.iter().rev();
        delays
            .take_while(|(until, _)| *until >= began)
            .map(|(until, delay)| (*delay).min(until.saturating_duration_since(began)))
            .fold(Duration::ZERO, Duration::saturating_add)
    }
}

/// Whether a deadline means anything after so much of it was lost.
pub fn means_something(deadline: Duration, lost: Duration) -> bool {
    lost <= deadline / TOLERATED_PART
}

impl Meter {
    fn new() -> Self {
        Self {
            books: Mutex::new(Books {
                delays: Delays::default(),
                last_wake: Instant::now(),
            }),
        }
    }

    /// The meter of this process; it runs from the first call on.
    pub fn of_this_process() -> &'static Self {
        static METER: OnceLock<Meter> = OnceLock::new();
        static RUNS: OnceLock<bool> = OnceLock::new();
        let meter = METER.get_or_init(Self::new);
        RUNS.get_or_init(|| {
            let thread = std::thread::Builder::new().name("jitter".to_owned());
            let spawned = thread.spawn(|| {
                loop {
                    std::thread::sleep(TICK);
                    meter.woke(Instant::now());
                }
            });
            spawned.is_ok()
        });
        meter
    }

    fn woke(&self, now: Instant) {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let delay = now
            .saturating_duration_since(books.last_wake)
            .saturating_sub(TICK);
        books.last_wake = now;
        if delay >= KEPT_DELAY {
            books.delays.keep(now, delay);
        }
    }

    /// The time since `began` for which the meter was not scheduled although it wanted to be.
    pub fn lost_since(&self, began: Instant) -> Duration {
        let now = Instant::now();
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let overdue = now
            .saturating_duration_since(books.last_wake.max(began))
            .saturating_sub(TICK);
        let overdue = if overdue >= KEPT_DELAY {
            overdue
        } else {
            Duration::ZERO
        };
        overdue.saturating_add(books.delays.since(began))
    }

    /// Whether a deadline of `patience` that began at `began` means anything: `Err` says how much time was lost.
    ///
    /// # Errors
    /// The kit was kept from running for more than a quarter of the deadline.
    pub fn trusts(&self, began: Instant, patience: Duration) -> Result<(), Duration> {
        let lost = self.lost_since(began);
        if means_something(patience, lost) {
            Ok(())
        } else {
            Err(lost)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_late_wake_is_counted_from_the_beginning_of_the_deadline_on() {
        let meter = Meter::new();
        let start = Instant::now();
        meter.woke(start + Duration::from_millis(900));
        // The whole delay lies behind `start`, and most of it behind the middle.
        assert!(meter.lost_since(start) >= Duration::from_millis(850));
        assert!(meter.lost_since(start) < Duration::from_millis(920));
        let middle = start + Duration::from_millis(600);
        assert_eq!(meter.lost_since(middle), Duration::from_millis(300));
        assert!(meter.trusts(start, SECOND).is_err());
        assert!(meter.trusts(start, 10 * SECOND).is_ok());
    }

    #[test]
    fn delays_before_the_deadline_do_not_count() {
        let meter = Meter::new();
        let start = Instant::now();
        meter.woke(start + SECOND);
        let later = start + SECOND + Duration::from_millis(1);
        meter.woke(later + TICK);
        assert_eq!(meter.lost_since(later), Duration::ZERO);
    }

    #[test]
    fn a_meter_that_is_not_woken_at_all_counts_too() {
        let meter = Meter::new();
        let start = Instant::now();
        std::thread::sleep(Duration::from_millis(60));
        assert!(meter.lost_since(start) >= KEPT_DELAY);
    }

    #[test]
    fn the_memory_is_bounded() {
        let meter = Meter::new();
        let start = Instant::now();
        for turn in 1..=(KEPT as u32 + 10) {
            meter.woke(start + SECOND * turn);
        }
        let books = meter.books.lock().expect("no panic while held");
        assert_eq!(books.delays.kept.len(), KEPT);
    }
}

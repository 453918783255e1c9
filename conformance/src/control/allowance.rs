//! How much a node may say in a second. What says more is a flood, and floods fill memories.

use std::time::{Duration, Instant};

/// Over how long it is counted.
const WINDOW: Duration = Duration::from_secs(1);

/// The most lines in one window.
pub const MOST_LINES: usize = 20_000;

/// The most bytes in one window.
pub const MOST_BYTES: usize = 16 << 20;

/// Counts what one node says.
#[derive(Clone, Debug, Default)]
pub struct Allowance {
    since: Option<Instant>,
    lines: usize,
    bytes: usize,
}

impl Allowance {
    /// Counts one more line of so many bytes, which came at `at`.
    ///
    /// # Errors
    /// It is too much: how, in one sentence.
    pub fn spend(&mut self, at: Instant, bytes: usize) -> Result<(), String> {
        let fresh = |since| at.saturating_duration_since(since) >= WINDOW;
        if self.since.is_none_or(fresh) {
            *self = Self {
                since: Some(at),
                lines: 0,
                bytes: 0,
            };
        }
        self.lines += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.lines > MOST_LINES {
            Err(format!("it wrote more than {MOST_LINES} lines in a second"))
        } else if self.bytes > MOST_BYTES {
            Err(format!(
                "it wrote more than {} MiB in a second",
                MOST_BYTES >> 20
            ))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_has_an_allowance_of_its_own() {
        let start = Instant::now();
        let mut allowance = Allowance::default();
        for second in 0..3 {
            for line in 0..MOST_LINES {
                let at = start + WINDOW * second + Duration::from_micros(line as u64);
                assert_eq!(allowance.spend(at, 10), Ok(()));
            }
        }
        let at = start + 2 * WINDOW + WINDOW / 2;
        assert!(allowance.spend(at, 10).is_err());
    }

    #[test]
    fn few_long_lines_are_a_flood_too() {
        let start = Instant::now();
        let mut allowance = Allowance::default();
        for _ in 0..16 {
            assert_eq!(allowance.spend(start, 1 << 20), Ok(()));
        }
        assert!(allowance.spend(start, 1).is_err());
    }
}

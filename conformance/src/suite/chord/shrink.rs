//! The smallest schedule that still shows what is wrong: steps are left out as long as it shows, within bounds.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::step::Step;

/// The most schedules that are tried for one case.
const MOST_TRIES: usize = 48;

/// The longest search for one case.
const LONGEST: Duration = Duration::from_secs(15);

/// How long smaller schedules may be looked for, in all cases together.
pub(super) struct Budget {
    left: Mutex<Duration>,
}

impl Budget {
    pub(super) fn new(left: Duration) -> Self {
        Self {
            left: Mutex::new(left),
        }
    }

    /// Some time, for one case.
    pub(super) fn take(&self) -> Duration {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let share = (*left).min(LONGEST);
        *left -= share;
        share
    }

    /// What of it was not used.
    pub(super) fn give_back(&self, time: Duration) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_add(time);
    }
}

/// The smallest list of steps found for which `shows` gives something, with what it gives. `workers` lists are tried
/// at a time; of those that show it the first one counts, so that the same run finds the same list.
pub(super) fn smallest<T: Send>(
    steps: &[Step],
    until: Instant,
    workers: usize,
    shows: impl Fn(&[Step]) -> Option<T> + Sync,
) -> Option<(Vec<Step>, T)> {
    let mut best: Option<(Vec<Step>, T)> = None;
    let mut size = steps.len().div_ceil(2);
    let mut tries = 0;
    while size > 0 {
        let current = best.as_ref().map_or(steps, |(steps, _)| steps);
        let candidates = smaller(current, size);
        let mut found = None;
        for batch in candidates.chunks(workers.max(1)) {
            if tries + batch.len() > MOST_TRIES || Instant::now() >= until {
                return best;
            }
            tries += batch.len();
            found = tried(batch, &shows);
            if found.is_some() {
                break;
            }
        }
        match found {
            Some(smaller) => best = Some(smaller),
            None => size /= 2,
        }
    }
    best
}

/// The lists that lack so many neighbouring steps; for single steps also those in which one step has less in it.
fn smaller(steps: &[Step], size: usize) -> Vec<Vec<Step>> {
    let without = |from: usize| {
        let kept = steps.iter().enumerate();
        let kept = kept.filter(|(at, _)| *at < from || *at >= from + size);
        kept.map(|(_, step)| step.clone()).collect::<Vec<Step>>()
    };
    let mut lists: Vec<Vec<Step>> = (0..steps.len()).step_by(size).map(without).collect();
    if size == 1 {
        for (at, step) in steps.iter().enumerate() {
            for less in step.smaller() {
                let mut list = steps.to_vec();
                list[at] = less;
                lists.push(list);
            }
        }
    }
    lists.retain(|list| !list.is_empty());
    lists
}

/// Tries the lists at the same time; the first that shows it.
fn tried<T: Send>(
    batch: &[Vec<Step>],
    shows: &(impl Fn(&[Step]) -> Option<T> + Sync),
) -> Option<(Vec<Step>, T)> {
    let shown: Vec<Option<T>> = std::thread::scope(|scope| {
        let threads: Vec<_> = batch
            .iter()
            .map(|steps| scope.spawn(move || shows(steps)))
            .collect();
        // A kit that panics has shown nothing.
        let joined = threads
            .into_iter()
            .map(|thread| thread.join().ok().flatten());
        joined.collect()
    });
    let mut pairs = batch.iter().zip(shown);
    pairs.find_map(|(steps, shown)| Some((steps.clone(), shown?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn only_what_is_needed_stays() {
        let steps: Vec<Step> = (0..12).map(|node| Step::Join(node, Some(0))).collect();
        let needs = |steps: &[Step]| {
            let has = |node| steps.contains(&Step::Join(node, Some(0)));
            (has(3) && has(10)).then_some(())
        };
        let found = smallest(&steps, later(), 2, needs).map(|(steps, ())| steps);
        let expected = vec![Step::Join(3, Some(0)), Step::Join(10, Some(0))];
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn steps_become_smaller_too() {
        let steps = [Step::Crash(vec![1, 2, 3, 4]), Step::Look];
        let needs = |steps: &[Step]| {
            let crashes = |step: &Step| matches!(step, Step::Crash(nodes) if nodes.contains(&3));
            steps.iter().any(crashes).then_some(())
        };
        let found = smallest(&steps, later(), 1, needs).map(|(steps, ())| steps);
        assert_eq!(found, Some(vec![Step::Crash(vec![3])]));
    }

    #[test]
    fn time_that_is_over_finds_nothing() {
        let steps = [Step::Look, Step::Heal];
        assert_eq!(smallest(&steps, Instant::now(), 1, |_| Some(())), None);
    }

    #[test]
    fn what_was_not_used_is_there_for_others() {
        let budget = Budget::new(Duration::from_secs(20));
        assert_eq!(budget.take(), LONGEST);
        assert_eq!(budget.take(), Duration::from_secs(5));
        budget.give_back(Duration::from_secs(3));
        assert_eq!(budget.take(), Duration::from_secs(3));
    }
}

//! What the search for runs may take: memory, and time.

use std::ops::{Deref, DerefMut};
use std::time::Instant;

use crate::explore::limits::{Budget, Cut};

/// How often the clock is read, in steps of an algorithm over a graph.
const STEPS: u32 = 4_096;
/// The same, in states that are asked of the model: its steps may take long.
const STATES: u32 = 64;

/// The memory and the time that are left.
#[derive(Debug)]
pub(super) struct Allowance {
    budget: Budget,
    deadline: Option<Instant>,
}

impl Allowance {
    pub(super) fn new(budget: Budget, deadline: Option<Instant>) -> Self {
        Self { budget, deadline }
    }

    /// Takes memory for good.
    pub(super) fn take(&self, bytes: usize) -> Result<(), Cut> {
        Ok(self.budget.take(bytes)?)
    }

    /// The most that was taken at any time.
    pub(super) fn peak(&self) -> usize {
        self.budget.peak()
    }

    /// An empty list with room for so many items.
    pub(super) fn room<T>(&self, items: usize) -> Result<Counted<'_, T>, Cut> {
        let mut list = self.list();
        self.budget.make_room(&mut list.items, items, true)?;
        Ok(list)
    }

    /// A list that has the same item so many times.
    pub(super) fn filled<T: Clone>(&self, item: T, items: usize) -> Result<Counted<'_, T>, Cut> {
        let mut list = self.room(items)?;
        list.items.resize(items, item);
        Ok(list)
    }

    /// An empty list.
    pub(super) fn list<T>(&self) -> Counted<'_, T> {
        Counted {
            budget: &self.budget,
            items: Vec::new(),
        }
    }

    /// For an algorithm over a graph.
    pub(super) fn pace(&self) -> Pace {
        Pace::new(self.deadline, STEPS)
    }

    /// For asking the model.
    pub(super) fn pace_of_model(&self) -> Pace {
        Pace::new(self.deadline, STATES)
    }
}

/// Reads the clock now and then: at the first step, and after some more each time.
pub(super) struct Pace {
    deadline: Option<Instant>,
    every: u32,
    left: u32,
}

impl Pace {
    fn new(deadline: Option<Instant>, every: u32) -> Self {
        Self {
            deadline,
            every,
            left: 0,
        }
    }

    /// Takes a step, unless the time is over.
    #[inline]
    pub(super) fn step(&mut self) -> Result<(), Cut> {
        if self.left > 0 {
            self.left -= 1;
            return Ok(());
        }
        self.left = self.every - 1;
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(Cut::Time),
            _ => Ok(()),
        }
    }
}

/// A list whose room is counted before it is allocated, and given back in the end.
#[derive(Debug)]
pub(super) struct Counted<'a, T> {
    budget: &'a Budget,
    items: Vec<T>,
}

impl<T> Counted<'_, T> {
    #[inline]
    pub(super) fn push(&mut self, item: T) -> Result<(), Cut> {
        self.make_room(1)?;
        self.items.push(item);
        Ok(())
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        self.items.pop()
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
    }

    pub(super) fn extend(&mut self, items: impl ExactSizeIterator<Item = T>) -> Result<(), Cut> {
        self.make_room(items.len())?;
        self.items.extend(items);
        Ok(())
    }

    /// While a list grows, the old one may stand beside the new one.
    #[inline]
    fn make_room(&mut self, by: usize) -> Result<(), Cut> {
        if self.items.capacity() - self.items.len() >= by {
            return Ok(());
        }
        let before = self.items.capacity() * size_of::<T>();
        self.budget.take(before)?;
        let made = self.budget.make_room(&mut self.items, by, false);
        self.budget.give_back(before);
        Ok(made?)
    }
}

impl<T> Deref for Counted<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> DerefMut for Counted<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<T> Drop for Counted<'_, T> {
    fn drop(&mut self) {
        self.budget
            .give_back(self.items.capacity() * size_of::<T>());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_list_is_counted_while_it_is_there() {
        let allowance = Allowance::new(Budget::new(Some(1_200)), None);
        {
            let mut list = allowance.filled(7u32, 100).expect("400 bytes");
            assert_eq!(allowance.budget.used(), 400);
            list.push(8).expect("twice as many");
            assert_eq!((allowance.budget.used(), list[99], list[100]), (800, 7, 8));
            assert_eq!(allowance.room::<u8>(401).map(|_| ()), Err(Cut::Memory));
            list.extend((0..99).map(|_| 0)).expect("there is room");
            assert_eq!(list.push(9), Err(Cut::Memory));
            assert_eq!(list.len(), 200);
        }
        assert_eq!((allowance.budget.used(), allowance.peak()), (0, 1_200));
    }

    #[test]
    fn the_clock_is_read_at_once_and_again_after_some_steps() {
        let now = Instant::now();
        let mut late = Pace::new(Some(now), 3);
        assert_eq!(late.step(), Err(Cut::Time));
        let hour = Duration::from_secs(3_600);
        let mut pace = Pace::new(Some(now + hour), 3);
        assert_eq!(pace.step(), Ok(()));
        pace.deadline = Some(now);
        let steps = [(); 4].map(|()| pace.step());
        assert_eq!(steps, [Ok(()), Ok(()), Err(Cut::Time), Ok(())]);
    }
}

//! The free choices of a protocol: a random peer, which of equal candidates, a coin.
//!
//! A node states how many outcomes there are and is told which one holds. The explorer enumerates the
//! outcomes with [`every_outcome`], the simulator and the server draw them with [`Seeded`], a replay
//! repeats them with [`Scripted`].

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Whoever decides the free choices of a node.
pub trait Choose {
    /// One of `0..among`; `among` must not be 0.
    fn choose(&mut self, among: usize) -> usize;
}

/// Choices drawn from a generator with a seed: the same seed gives the same choices on every machine.
#[derive(Clone, Debug)]
pub struct Seeded(ChaCha8Rng);

impl Seeded {
    /// A generator that starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The next 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Fills `bytes` with random bits.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

impl Choose for Seeded {
    fn choose(&mut self, among: usize) -> usize {
        // The bias of the remainder is below 2^-40 for every count that a protocol meets.
        (self.bits() % among.max(1) as u64) as usize
    }
}

/// Choices read from a list; past its end the first outcome holds. It remembers what was asked.
#[derive(Clone, Debug, Default)]
pub struct Scripted {
    script: Vec<usize>,
    asked: Vec<usize>,
}

impl Scripted {
    /// Follows `script`.
    pub fn new(script: Vec<usize>) -> Self {
        Self {
            script,
            asked: Vec::new(),
        }
    }
}

impl Choose for Scripted {
    fn choose(&mut self, among: usize) -> usize {
        let among = among.max(1);
        let turn = self.asked.len();
        self.asked.push(among);
        if turn == self.script.len() {
            self.script.push(0);
        }
        self.script[turn].min(among - 1)
    }
}

/// Runs `act` once for every sequence of outcomes and returns each result with the choices that led to it.
///
/// `act` must be deterministic but for its choices. The order is lexicographic.
pub fn every_outcome<R>(mut act: impl FnMut(&mut dyn Choose) -> R) -> Vec<(Vec<usize>, R)> {
    let mut results = Vec::new();
    let mut script = Vec::new();
    loop {
        let mut choices = Scripted::new(script);
        let result = act(&mut choices);
        let Scripted {
            script: made,
            asked,
        } = choices;
        results.push((made.clone(), result));
        script = made;
        // The next sequence: drop exhausted choices from the end, advance the last that has more.
        loop {
            match script.last() {
                None => return results,
                Some(&last) if last + 1 < asked[script.len() - 1] => {
                    let end = script.len() - 1;
                    script[end] += 1;
                    break;
                }
                Some(_) => {
                    script.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_of_outcomes_is_visited_once() {
        let all = every_outcome(|choose| {
            let first = choose.choose(3);
            // The number of later choices may depend on earlier ones.
            if first == 1 {
                (first, choose.choose(2))
            } else {
                (first, 9)
            }
        });
        let results: Vec<_> = all.iter().map(|(_, result)| *result).collect();
        assert_eq!(results, [(0, 9), (1, 0), (1, 1), (2, 9)]);
        assert_eq!(all[2].0, [1, 1]);
    }

    #[test]
    fn no_choice_is_one_outcome() {
        assert_eq!(every_outcome(|_| 7), [(vec![], 7)]);
    }

    #[test]
    fn a_replay_repeats_the_choices() {
        let all = every_outcome(|choose| (choose.choose(2), choose.choose(4)));
        for (script, result) in all {
            let mut again = Scripted::new(script);
            assert_eq!((again.choose(2), again.choose(4)), result);
        }
    }
}

//! Threads, rings and queues.

use super::rules::Rules;

/// The state with some bytes changed.
fn with(state: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut next = state.to_vec();
    for (at, value) in changes {
        next[*at] = *value;
    }
    next
}

/// Counters from 0 to `most`, each of which may be raised by one.
pub(crate) fn counters(count: usize, most: u8) -> Rules {
    Rules::new("counters", vec![vec![0; count]], move |state| {
        let open = (0..count).filter(|at| state[*at] < most);
        open.map(|at| (("raise", at as u8), with(state, &[(at, state[at] + 1)])))
            .collect()
    })
}

/// Peterson's algorithm for two. Bytes: what each is about to do, each one's flag, whose turn it is.
pub(crate) fn peterson() -> Rules {
    Rules::new("peterson", vec![vec![0; 5]], |state| {
        let step = |me: usize| {
            let (other, own_flag) = (1 - me, 2 + me);
            Some(match state[me] {
                0 => (
                    ("raise the flag", me as u8),
                    with(state, &[(own_flag, 1), (me, 1)]),
                ),
                1 => (
                    ("give way", me as u8),
                    with(state, &[(4, other as u8), (me, 2)]),
                ),
                2 if state[2 + other] == 0 || usize::from(state[4]) == me => {
                    (("enter", me as u8), with(state, &[(me, 3)]))
                }
                2 => return None,
                _ => (("leave", me as u8), with(state, &[(own_flag, 0), (me, 0)])),
            })
        };
        (0..2).filter_map(step).collect()
    })
}

/// Dijkstra's self-stabilizing ring, from every state: the first machine has the privilege when its number is its
/// predecessor's, and then counts up; any other when it differs from its predecessor's, and then copies it.
pub(crate) fn token_ring(machines: usize, numbers: u8) -> Rules {
    let all = usize::from(numbers).pow(machines as u32);
    let digits = |mut n: usize| {
        let digit = |_| {
            let digit = (n % usize::from(numbers)) as u8;
            n /= usize::from(numbers);
            digit
        };
        (0..machines).map(digit).collect()
    };
    Rules::new("token ring", (0..all).map(digits).collect(), move |state| {
        let step = |at: usize| {
            let before = state[(at + machines - 1) % machines];
            let next = match (at, state[at] == before) {
                (0, true) => (state[0] + 1) % numbers,
                (1.., false) => before,
                _ => return None,
            };
            Some((("move", at as u8), with(state, &[(at, next)])))
        };
        (0..machines).filter_map(step).collect()
    })
}

/// Philosophers who take the left fork, then the right one, eat, and put both back.
/// A byte for each: 0 thinks, 1 holds the left fork, 2 eats.
pub(crate) fn philosophers(count: usize) -> Rules {
    Rules::new("philosophers", vec![vec![0; count]], move |state| {
        let step = |at: usize| {
            let (left, right) = (state[(at + count - 1) % count], state[(at + 1) % count]);
            let who = at as u8;
            match state[at] {
                // My left fork is my left neighbour's right one, which it holds while it eats.
                0 if left < 2 => Some((("take left", who), with(state, &[(at, 1)]))),
                // My right fork is my right neighbour's left one.
                1 if right == 0 => Some((("take right", who), with(state, &[(at, 2)]))),
                2 => Some((("put back", who), with(state, &[(at, 0)]))),
                _ => None,
            }
        };
        (0..count).filter_map(step).collect()
    })
}

/// A queue of bits with room for so many.
pub(crate) fn bounded_queue(room: usize) -> Rules {
    let mut rules = Rules::new("bounded queue", vec![Vec::new()], move |queue| {
        let mut steps = Vec::new();
        if queue.len() < room {
            for bit in 0..2 {
                steps.push((("put", bit), [queue, &[bit]].concat()));
            }
        }
        if let Some((first, rest)) = queue.split_first() {
            steps.push((("take", *first), rest.to_vec()));
        }
        steps
    });
    rules.fixed = false;
    rules
}

/// Threads that read a shared number and write back one more. Bytes: the number, then what each read and what it has
/// done (0 nothing, 1 read, 2 written).
pub(crate) fn increment(threads: usize) -> Rules {
    Rules::new("increment", vec![vec![0; 1 + 2 * threads]], move |state| {
        let step = |who: usize| {
            let (read, done) = (1 + 2 * who, 2 + 2 * who);
            match state[done] {
                0 => Some((
                    ("read", who as u8),
                    with(state, &[(read, state[0]), (done, 1)]),
                )),
                1 => {
                    let written = with(state, &[(0, state[read] + 1), (done, 2)]);
                    Some((("write", who as u8), written))
                }
                _ => None,
            }
        };
        (0..threads).filter_map(step).collect()
    })
}

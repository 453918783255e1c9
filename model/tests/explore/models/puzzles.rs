//! Puzzles and games of which the numbers of positions and moves are known.

use super::rules::Rules;

/// Jugs for three and five gallons.
pub(crate) fn water_jugs() -> Rules {
    Rules::new("water jugs", vec![vec![0, 0]], |state| {
        let (small, large) = (state[0], state[1]);
        let to_large = small.min(5 - large);
        let to_small = large.min(3 - small);
        vec![
            (("fill", 3), vec![3, large]),
            (("fill", 5), vec![small, 5]),
            (("empty", 3), vec![0, large]),
            (("empty", 5), vec![small, 0]),
            (("pour into", 5), vec![small - to_large, large + to_large]),
            (("pour into", 3), vec![small + to_small, large - to_small]),
        ]
    })
}

/// The sliding puzzle, from the solved position; 0 is the gap.
pub(crate) fn sliding(rows: usize, columns: usize) -> Rules {
    let solved = (1..(rows * columns) as u8).chain([0]).collect();
    Rules::new("sliding puzzle", vec![solved], move |state| {
        let gap = state.iter().position(|tile| *tile == 0).expect("a gap");
        let (row, column) = (gap / columns, gap % columns);
        let mut beside = Vec::new();
        if row > 0 {
            beside.push(gap - columns);
        }
        if row + 1 < rows {
            beside.push(gap + columns);
        }
        if column > 0 {
            beside.push(gap - 1);
        }
        if column + 1 < columns {
            beside.push(gap + 1);
        }
        let slide = |from: usize| {
            let mut next = state.to_vec();
            next.swap(gap, from);
            (("slide", state[from]), next)
        };
        beside.into_iter().map(slide).collect()
    })
}

/// The towers of Hanoi: the peg of each disc, the smallest first.
pub(crate) fn hanoi(discs: usize) -> Rules {
    Rules::new("hanoi", vec![vec![0; discs]], move |state| {
        let mut steps = Vec::new();
        for disc in 0..discs {
            for peg in 0..3 {
                let smaller = &state[..disc];
                if peg != state[disc] && !smaller.contains(&state[disc]) && !smaller.contains(&peg)
                {
                    let mut next = state.to_vec();
                    next[disc] = peg;
                    steps.push((("move", (disc * 3) as u8 + peg), next));
                }
            }
        }
        steps
    })
}

/// Three missionaries and three cannibals with a boat for two. Bytes: missionaries, cannibals, and the boat that
/// are on the first bank.
pub(crate) fn river() -> Rules {
    Rules::new("river", vec![vec![3, 3, 1]], |state| {
        let (missionaries, cannibals, here) = (state[0], state[1], state[2] == 1);
        let mut steps = Vec::new();
        for (m, c) in [(1, 0), (2, 0), (0, 1), (0, 2), (1, 1)] {
            let moved = |there: u8, crossing: u8| {
                if here {
                    there.checked_sub(crossing)
                } else {
                    Some(there + crossing).filter(|all| *all <= 3)
                }
            };
            let (Some(ms), Some(cs)) = (moved(missionaries, m), moved(cannibals, c)) else {
                continue;
            };
            let safe = |ms: u8, cs: u8| ms == 0 || ms >= cs;
            if safe(ms, cs) && safe(3 - ms, 3 - cs) {
                steps.push((("cross", 3 * m + c), vec![ms, cs, u8::from(!here)]));
            }
        }
        steps
    })
}

const LINES: [[usize; 3]; 8] = [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7, 8],
    [0, 3, 6],
    [1, 4, 7],
    [2, 5, 8],
    [0, 4, 8],
    [2, 4, 6],
];

/// Tic-tac-toe until somebody wins: 0 is empty, 1 begins.
pub(crate) fn tic_tac_toe() -> Rules {
    Rules::new("tic-tac-toe", vec![vec![0; 9]], |board| {
        let won = LINES
            .iter()
            .any(|line| board[line[0]] != 0 && line.iter().all(|at| board[*at] == board[line[0]]));
        let taken = board.iter().filter(|cell| **cell != 0).count();
        let player = if taken % 2 == 0 { 1 } else { 2 };
        let free = (0..9).filter(|at| board[*at] == 0 && !won);
        free.map(|at| {
            let mut next = board.to_vec();
            next[at] = player;
            (("play", at as u8), next)
        })
        .collect()
    })
}

/// The least of the eight boards that turning and mirroring make of one.
pub(crate) fn tic_tac_toe_form(board: &[u8]) -> Vec<u8> {
    let turned =
        |board: &[u8]| -> Vec<u8> { (0..9).map(|at| board[(2 - at % 3) * 3 + at / 3]).collect() };
    let mirrored =
        |board: &[u8]| -> Vec<u8> { (0..9).map(|at| board[at / 3 * 3 + 2 - at % 3]).collect() };
    let mut forms = vec![board.to_vec()];
    for _ in 0..3 {
        forms.push(turned(&forms[forms.len() - 1]));
    }
    let mirrors: Vec<_> = forms.iter().map(|form| mirrored(form)).collect();
    forms
        .into_iter()
        .chain(mirrors)
        .min()
        .expect("eight boards")
}

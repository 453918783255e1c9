//! Two-phase commit.

use peerproof_model::explore::Pack;
use stateright::{Model, Property};

/// Two-phase commit, by the rules of Gray and Lamport's paper as Stateright's example has them.
#[derive(Clone, Debug)]
pub(crate) struct TwoPhase {
    pub(crate) managers: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    Working,
    Prepared,
    Committed,
    Aborted,
}

/// The messages ever sent are kept as flags: `prepared[m]` was sent by manager `m`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Commit {
    managers: Vec<Stage>,
    coordinator: Stage,
    heard: Vec<bool>,
    prepared: Vec<bool>,
    commit: bool,
    abort: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Act {
    Commit,
    Abort,
    HearPrepared(u8),
    Prepare(u8),
    GiveUp(u8),
    HearCommit(u8),
    HearAbort(u8),
}

impl Model for TwoPhase {
    type State = Commit;
    type Action = Act;

    fn init_states(&self) -> Vec<Commit> {
        let each = usize::from(self.managers);
        vec![Commit {
            managers: vec![Stage::Working; each],
            coordinator: Stage::Working,
            heard: vec![false; each],
            prepared: vec![false; each],
            commit: false,
            abort: false,
        }]
    }

    fn actions(&self, state: &Commit, actions: &mut Vec<Act>) {
        let deciding = state.coordinator == Stage::Working;
        if deciding && state.heard.iter().all(|heard| *heard) {
            actions.push(Act::Commit);
        }
        if deciding {
            actions.push(Act::Abort);
        }
        for m in 0..self.managers {
            let at = usize::from(m);
            if deciding && state.prepared[at] {
                actions.push(Act::HearPrepared(m));
            }
            if state.managers[at] == Stage::Working {
                actions.extend([Act::Prepare(m), Act::GiveUp(m)]);
            }
            if state.commit {
                actions.push(Act::HearCommit(m));
            }
            if state.abort {
                actions.push(Act::HearAbort(m));
            }
        }
    }

    fn next_state(&self, state: &Commit, action: Act) -> Option<Commit> {
        let mut next = state.clone();
        match action {
            Act::Commit => {
                next.coordinator = Stage::Committed;
                next.commit = true;
            }
            Act::Abort => {
                next.coordinator = Stage::Aborted;
                next.abort = true;
            }
            Act::HearPrepared(m) => next.heard[usize::from(m)] = true,
            Act::Prepare(m) => {
                next.managers[usize::from(m)] = Stage::Prepared;
                next.prepared[usize::from(m)] = true;
            }
            Act::GiveUp(m) | Act::HearAbort(m) => {
                next.managers[usize::from(m)] = Stage::Aborted;
            }
            Act::HearCommit(m) => next.managers[usize::from(m)] = Stage::Committed,
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::sometimes("all_abort", |_, s: &Commit| {
                s.managers.iter().all(|m| *m == Stage::Aborted)
            }),
            Property::sometimes("all_commit", |_, s: &Commit| {
                s.managers.iter().all(|m| *m == Stage::Committed)
            }),
            Property::always("nobody_aborts_what_another_commits", |_, s: &Commit| {
                !(s.managers.contains(&Stage::Aborted) && s.managers.contains(&Stage::Committed))
            }),
        ]
    }
}

const STAGES: [Stage; 4] = [
    Stage::Working,
    Stage::Prepared,
    Stage::Committed,
    Stage::Aborted,
];

/// A byte for each manager, and one for the coordinator.
impl Pack for TwoPhase {
    fn width(&self) -> Option<usize> {
        Some(usize::from(self.managers) + 1)
    }

    fn pack(&self, state: &Commit, bytes: &mut Vec<u8>) {
        let flag = |on: bool, bit: u8| u8::from(on) << bit;
        for at in 0..usize::from(self.managers) {
            let stage = state.managers[at] as u8;
            bytes.push(stage | flag(state.heard[at], 2) | flag(state.prepared[at], 3));
        }
        bytes.push(state.coordinator as u8 | flag(state.commit, 2) | flag(state.abort, 3));
    }

    fn unpack(&self, bytes: &[u8]) -> Commit {
        let (coordinator, managers) = bytes.split_last().expect("a coordinator");
        let stage = |byte: &u8| STAGES[usize::from(byte & 3)];
        let flags = |bit: u8| managers.iter().map(|byte| byte >> bit & 1 == 1).collect();
        Commit {
            managers: managers.iter().map(stage).collect(),
            coordinator: stage(coordinator),
            heard: flags(2),
            prepared: flags(3),
            commit: coordinator >> 2 & 1 == 1,
            abort: coordinator >> 3 & 1 == 1,
        }
    }
}

//! Loopy rings: who gets into one, who stays in one, who gets out.

use std::collections::{BTreeMap, BTreeSet};

use peerproof_model::chord::properties::{is_ideal, is_loopy, lookup_path};
use peerproof_model::chord::ring::{
    Action, AtomicRing, Churn, Pointers, Scope, Start, State, Variant,
};
use peerproof_model::chord::rules::Rules;
use peerproof_model::chord::view::{MemberView, Ring, RingView};
use stateright::Model;

/// One cycle through five nodes that winds round the circle twice.
const CYCLE: [u8; 5] = [0, 2, 4, 1, 3];

/// The loopy ring: every list follows the cycle, every predecessor is the one before on it.
fn loopy(successors: usize) -> State {
    let member = |at: usize| {
        let list: Vec<u8> = (1..=successors)
            .map(|ahead| CYCLE[(at + ahead) % 5])
            .collect();
        (CYCLE[at], Pointers::new(&list, Some(CYCLE[(at + 4) % 5])))
    };
    State::of(&[0, 1, 2, 3, 4].map(member))
}

fn maintained(variant: Variant, ids: u8, successors: u8, starts: Vec<State>) -> AtomicRing {
    let scope = Scope::new(variant, ids, successors).churning(Churn::NONE);
    AtomicRing::new(scope.from(Start::Given(starts))).expect("a possible scope")
}

/// The actions that change something.
fn effective(ring: &AtomicRing, state: &State) -> Vec<(Action, State)> {
    ring.next_steps(state)
}

#[test]
fn a_loopy_ring_is_a_fixed_point_of_plain_stabilization() {
    let state = loopy(2);
    assert_eq!(is_loopy(&state, 0), Some(true));
    let plain = Variant::ALL
        .into_iter()
        .filter(|variant| matches!(variant, Variant::Ton2003 { .. }));
    for variant in plain {
        let ring = maintained(variant, 5, 2, vec![state]);
        assert_eq!(effective(&ring, &state), [], "{variant}");
    }
    let ring = maintained(Variant::Sigcomm2001, 5, 1, vec![loopy(1)]);
    assert_eq!(effective(&ring, &loopy(1)), []);
}

/// The corrected protocol does not get into one. Put into one, it stays: it prevents, and does not repair.
#[test]
fn the_corrected_protocol_does_not_repair_a_loopy_ring_either() {
    let state = loopy(2);
    let ring = maintained(Variant::Zave2017, 5, 2, vec![state]);
    assert!(!ring.is_repairable(&state));
    assert!(!ring.is_ideal(&state));
}

/// In the loopy ring lookups go wrong, though every pointer is consistent with its neighbours'.
#[test]
fn lookups_fail_in_a_loopy_ring() {
    let state = loopy(2);
    let mut view = RingView::default();
    for member in state.live() {
        let said = MemberView {
            successors: state.at(member).list().collect(),
            predecessor: state.at(member).predecessor(),
            ..MemberView::default()
        };
        view.members.insert(member, said);
    }
    // Node 0 takes 2 for the first node after it, so it answers 2 for the key of node 1.
    assert_eq!(lookup_path(&view, Rules::default(), 0, 1), Some(vec![0, 2]));
    assert_eq!(view.owner(1), Some(1));
}

#[test]
fn strong_stabilization_repairs_the_loopy_ring() {
    let ring = maintained(Variant::Podc2002, 5, 1, vec![loopy(1)]);
    let graph = Graph::of(&ring);
    assert!(graph.goal_is_kept_and_always_in_reach());
    assert_eq!(graph.states.len(), 142);
}

/// Every start of `nodes` nodes that successors alone connect, loopy ones included, with every predecessor that each may
/// believe in.
fn connected_starts(nodes: u8, predecessors: bool) -> Vec<State> {
    let each = usize::from(nodes);
    let digits = |code: usize, base: usize| -> Vec<u8> {
        (0..nodes)
            .map(|place| (code / base.pow(u32::from(place)) % base) as u8)
            .collect()
    };
    let mut starts = Vec::new();
    for code in 0..each.pow(u32::from(nodes)) {
        let successors = digits(code, each);
        if !is_connected(&successors) {
            continue;
        }
        let ways = if predecessors {
            (each + 1).pow(u32::from(nodes))
        } else {
            1
        };
        for way in 0..ways {
            let members: Vec<(u8, Pointers)> = (0..nodes)
                .zip(digits(way, each + 1))
                .map(|(place, before)| {
                    let successor = successors[usize::from(place)];
                    (place, Pointers::new(&[successor], before.checked_sub(1)))
                })
                .collect();
            starts.push(State::of(&members));
        }
    }
    starts
}

fn is_connected(successors: &[u8]) -> bool {
    let mut part: Vec<usize> = (0..successors.len()).collect();
    for _ in 0..successors.len() {
        for (from, to) in successors.iter().map(|to| usize::from(*to)).enumerate() {
            let least = part[from].min(part[to]);
            part[from] = least;
            part[to] = least;
        }
    }
    part.iter().all(|part| *part == 0)
}

/// The whole graph of a small model.
struct Graph {
    states: Vec<State>,
    steps: Vec<Vec<(Action, usize)>>,
    goal: Vec<bool>,
}

impl Graph {
    fn of(ring: &AtomicRing) -> Self {
        let mut states = Vec::new();
        let mut numbers: BTreeMap<State, usize> = BTreeMap::new();
        for state in ring.init_states() {
            numbers.entry(state).or_insert_with(|| {
                states.push(state);
                states.len() - 1
            });
        }
        let mut steps = Vec::new();
        while steps.len() < states.len() {
            let state: State = states[steps.len()];
            let mut own = Vec::new();
            for (action, next) in effective(ring, &state) {
                let number = *numbers.entry(next).or_insert_with(|| {
                    states.push(next);
                    states.len() - 1
                });
                own.push((action, number));
            }
            steps.push(own);
        }
        let goal = states
            .iter()
            .map(|state| is_ideal(state, usize::from(ring.scope().successors)));
        let goal = goal.collect();
        Self {
            states,
            steps,
            goal,
        }
    }

    /// No step leads out of the goal, and from every state some steps lead to it.
    fn goal_is_kept_and_always_in_reach(&self) -> bool {
        let kept = (0..self.states.len())
            .filter(|at| self.goal[*at])
            .all(|at| self.steps[at].iter().all(|(_, to)| self.goal[*to]));
        let mut before = vec![Vec::new(); self.states.len()];
        for (from, steps) in self.steps.iter().enumerate() {
            for (_, to) in steps {
                before[*to].push(from);
            }
        }
        let mut reaches = self.goal.clone();
        let mut open: Vec<usize> = (0..reaches.len()).filter(|at| reaches[*at]).collect();
        while let Some(at) = open.pop() {
            for from in &before[at] {
                if !std::mem::replace(&mut reaches[*from], true) {
                    open.push(*from);
                }
            }
        }
        kept && reaches.iter().all(|reaches| *reaches)
    }

    /// Strongly connected components of more than one state, by Kosaraju's two passes.
    fn components(&self) -> Vec<Vec<usize>> {
        let size = self.states.len();
        let mut order = Vec::new();
        let mut seen = vec![false; size];
        for root in 0..size {
            let mut work = vec![(root, 0)];
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            while let Some((at, turn)) = work.pop() {
                match self.steps[at].get(turn) {
                    Some((_, to)) => {
                        work.push((at, turn + 1));
                        if !std::mem::replace(&mut seen[*to], true) {
                            work.push((*to, 0));
                        }
                    }
                    None => order.push(at),
                }
            }
        }
        let mut before = vec![Vec::new(); size];
        for (from, steps) in self.steps.iter().enumerate() {
            for (_, to) in steps {
                before[*to].push(from);
            }
        }
        let mut taken = vec![false; size];
        let mut components = Vec::new();
        for root in order.into_iter().rev() {
            let mut component = Vec::new();
            let mut work = vec![root];
            while let Some(at) = work.pop() {
                if !std::mem::replace(&mut taken[at], true) {
                    component.push(at);
                    work.extend(&before[at]);
                }
            }
            if component.len() > 1 {
                components.push(component);
            }
        }
        components
    }

    /// Whether some step is possible in every state of the component and never stays in it: who is weakly fair to
    /// every step of every member does not stay there for ever.
    fn is_left_by_the_fair(&self, component: &[usize]) -> bool {
        let inside: BTreeSet<usize> = component.iter().copied().collect();
        let mut always: Option<BTreeSet<Action>> = None;
        let mut stays = BTreeSet::new();
        for at in component {
            let enabled: BTreeSet<Action> =
                self.steps[*at].iter().map(|(action, _)| *action).collect();
            let staying = self.steps[*at].iter().filter(|(_, to)| inside.contains(to));
            stays.extend(staying.map(|(action, _)| *action));
            always = Some(match always {
                None => enabled,
                Some(so_far) => so_far.intersection(&enabled).copied().collect(),
            });
        }
        always
            .unwrap_or_default()
            .iter()
            .any(|action| !stays.contains(action))
    }
}

/// Strong stabilization leads to the ordered ring from every connected start, whatever predecessors are believed: the
/// ring is always in reach, nobody is stuck before, and who is weakly fair gets there.
#[test]
fn strong_stabilization_orders_every_connected_start() {
    for (nodes, predecessors, starts, states, cycles) in [
        (2, true, 27, 27, 0),
        (3, true, 1_088, 1_088, 0),
        (4, true, 88_750, 88_750, 2_500),
    ] {
        let given = connected_starts(nodes, predecessors);
        assert_eq!(given.len(), starts, "{nodes}");
        let graph = Graph::of(&maintained(Variant::Podc2002, nodes, 1, given));
        assert_eq!(graph.states.len(), states, "{nodes}");
        assert!(graph.goal_is_kept_and_always_in_reach(), "{nodes}");
        let components = graph.components();
        assert_eq!(components.len(), cycles, "{nodes}");
        for component in components {
            assert!(component.iter().all(|at| !graph.goal[*at]));
            assert!(
                graph.is_left_by_the_fair(&component),
                "{:?}",
                graph.states[component[0]]
            );
        }
    }
}

/// Plain stabilization does not, from 3 nodes on: this many starts never lead to the ordered ring.
#[test]
fn plain_stabilization_gets_stuck() {
    let starts = connected_starts(4, false);
    assert_eq!(starts.len(), 142);
    let mut lost = 0;
    for start in starts {
        let graph = Graph::of(&maintained(Variant::TON2003_FIXED, 4, 1, vec![start]));
        lost += usize::from(!graph.goal.contains(&true));
    }
    assert_eq!(lost, 17);
}

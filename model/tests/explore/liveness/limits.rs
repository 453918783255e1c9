//! What cannot be asked, and runs that are cut short.

use super::*;

#[test]
fn what_cannot_be_asked_is_said() {
    let net = net(&[(0, Some(1), 1)]);
    let explorer = Explorer::new(&net);
    let error = explorer
        .converges(&goal(&[1], &[Weak]))
        .expect_err("class 1 is unknown");
    assert_eq!(
        error,
        LivenessError::UnknownClass {
            class: 1,
            classes: 1
        }
    );
    let many = [Weak; 65];
    let error = explorer
        .converges(&goal(&[1], &many))
        .expect_err("65 classes");
    assert_eq!(error, LivenessError::TooManyClasses { classes: 65 });
    let symmetric = Explorer::new(&net).canonical(|_, state| *state);
    let error = symmetric
        .stays_reachable(&goal(&[1], &[Weak, Weak]))
        .expect_err("symmetry");
    assert_eq!(error, LivenessError::Symmetry);
}

#[test]
fn a_run_that_is_cut_short_proves_nothing() {
    let net = net(&[(0, Some(0), 1), (1, Some(0), 2), (2, Some(0), 2)]);
    let ask = |limits| {
        let report = Explorer::new(&net)
            .limits(limits)
            .converges(&goal(&[2], &[Weak]));
        report.expect("it can be asked")
    };
    let full = ask(Limits::default());
    assert_eq!(full.verdict, LivenessVerdict::Holds);
    let states = Limits {
        states: Some(2),
        ..Limits::default()
    };
    // Enough for the search, and not for the graph.
    let memory = Limits {
        memory: Some(full.bytes - 1),
        ..Limits::default()
    };
    for limits in [states, memory] {
        let verdict = ask(limits).verdict;
        assert!(
            matches!(verdict, LivenessVerdict::Incomplete { .. }),
            "{verdict:?}"
        );
    }
    let enough = Limits {
        memory: Some(full.bytes),
        ..Limits::default()
    };
    assert_eq!(ask(enough).verdict, LivenessVerdict::Holds);
}

#[test]
fn a_loop_does_what_all_of_the_most_classes_ask() {
    // Every class leads from state 0 to itself, so a fair loop takes each of them.
    let steps: Vec<Step> = (0..MOST_CLASSES).map(|class| (0, Some(class), 0)).collect();
    for fairness in [Weak, Strong] {
        let verdict = converges(&net(&steps), &goal(&[1], &[fairness; MOST_CLASSES]));
        let LivenessVerdict::Violated(Counterexample::Loop { cycle, .. }) = verdict else {
            panic!("nothing leads to the goal");
        };
        assert_eq!(cycle.len(), MOST_CLASSES);
    }
}

#[test]
fn time_ends_a_run_that_the_search_had_time_for() {
    // The search of so few states does not read the clock.
    let net = net(&[(0, Some(0), 1), (1, Some(0), 0)]);
    let limits = Limits {
        time: Some(Duration::ZERO),
        ..Limits::default()
    };
    let explorer = Explorer::new(&net).limits(limits);
    assert_eq!(explorer.check(&[]).verdict, Verdict::Holds);
    let report = explorer.converges(&goal(&[1], &[Weak])).expect("asked");
    let why = "the limit of 0 s was reached after 2 states at depth 1".to_owned();
    assert_eq!(report.verdict, LivenessVerdict::Incomplete { why });
}

/// A net of which only the states up to a number lie within the boundary.
struct Bounded(Net, u32);

impl Model for Bounded {
    type State = u32;
    type Action = Step;

    fn init_states(&self) -> Vec<u32> {
        self.0.init_states()
    }

    fn actions(&self, state: &u32, actions: &mut Vec<Step>) {
        self.0.actions(state, actions);
    }

    fn next_state(&self, state: &u32, step: Step) -> Option<u32> {
        self.0.next_state(state, step)
    }

    fn within_boundary(&self, state: &u32) -> bool {
        *state <= self.1
    }
}

impl Pack for Bounded {
    fn pack(&self, state: &u32, bytes: &mut Vec<u8>) {
        self.0.pack(state, bytes);
    }

    fn unpack(&self, bytes: &[u8]) -> u32 {
        self.0.unpack(bytes)
    }
}

#[test]
fn liveness_and_safety_see_the_same_states_within_the_boundary() {
    // From 1 a step leads out, to 9, where a loop would never reach the goal, and through which a way leads to 3.
    let net = Net {
        starts: vec![8, 0],
        steps: vec![
            (0, Some(0), 1),
            (1, Some(0), 2),
            (1, Some(1), 9),
            (9, Some(0), 9),
            (9, Some(0), 3),
            (8, Some(0), 8),
        ],
    };
    for (most, states, steps, holds) in [(7, 3, 2, true), (9, 6, 6, false)] {
        let bounded = Bounded(net.clone(), most);
        let explorer = Explorer::new(&bounded);
        assert_eq!(explorer.check(&[]).states, states);
        let goal = goal(&[2], &[Weak, Weak]);
        let goal = Goal {
            name: goal.name,
            holds: Arc::new(|_: &Bounded, state| *state == 2),
            churn: goal.churn,
            classes: goal.classes,
            class_of: Arc::new(|_, (_, class, _)| *class),
        };
        for report in [explorer.converges(&goal), explorer.stays_reachable(&goal)] {
            let report = report.expect("it can be asked");
            assert_eq!((report.states, report.steps), (states, steps));
            assert_eq!(report.verdict == LivenessVerdict::Holds, holds);
        }
    }
}

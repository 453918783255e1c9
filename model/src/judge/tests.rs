//! The judge of a node that is small enough to judge by hand.

use std::time::Duration;

use super::*;
use crate::choose::Choose;

/// It counts what it hears and says the count when its timer runs out; asked for a guess, it says 0 or 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Counter {
    count: u8,
}

impl Node for Counter {
    type Id = u8;
    type Message = ();
    type Timer = ();
    type Request = ();
    type Event = u8;
    type Rejected = ();

    fn step(
        &mut self,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), ()> {
        let after = Duration::from_secs(1);
        let timer = ();
        match input {
            Input::Receive { from: 9, .. } => return Err(()),
            Input::Receive { .. } if self.count < 9 => {
                self.count += 1;
                out.push(Output::SetTimer { timer, after });
            }
            Input::Expire(()) => out.push(Output::Tell(self.count)),
            Input::Ask(()) => {
                let guess = if choose.choose(2) == 0 { 0 } else { 1 };
                out.push(Output::Tell(guess));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Witnessed for Counter {
    type Seen = u8;
    type Names = ();

    fn is_seen(output: &Output<Self>) -> bool {
        matches!(output, Output::Tell(_))
    }

    fn fits((): &mut (), did: &Output<Self>, seen: &u8) -> bool {
        *did == Output::Tell(*seen)
    }

    fn translated((): &(), heard: &Input<Self>) -> Input<Self> {
        heard.clone()
    }

    fn likeness(did: &Output<Self>, seen: &u8) -> u32 {
        match did {
            Output::Tell(count) => 255 - u32::from(count.abs_diff(*seen)),
            _ => 0,
        }
    }
}

const TOLD: Sight<Counter> = Sight::Heard(Input::Receive {
    from: 1,
    message: (),
});
const ASKED: Sight<Counter> = Sight::Heard(Input::Ask(()));

fn judged(delivery: Delivery, sights: &[Sight<Counter>]) -> Finding<Counter> {
    let life = Life {
        node: Counter { count: 0 },
        sights: sights.iter().cloned().enumerate().collect(),
        delivery,
    };
    life.judge(Limits::default(), &mut || true).finding
}

fn said(count: u8) -> Sight<Counter> {
    Sight::Did(count)
}

#[test]
fn timers_that_nobody_saw_are_inferred() {
    let in_order = |sights: &[_]| judged(Delivery::InOrder, sights);
    assert_eq!(
        in_order(&[TOLD, said(1), TOLD, said(2)]),
        Finding::Explained
    );
    // The node may be slow: it heard twice before it took up the second.
    assert_eq!(
        in_order(&[TOLD, TOLD, said(1), said(2)]),
        Finding::Explained
    );
    // Its timer is not set a second time.
    assert_eq!(
        in_order(&[TOLD, said(1), said(1)]),
        Finding::Refused {
            place: 2,
            nearest: vec![]
        }
    );
}

#[test]
fn what_nothing_explains_is_named_with_the_nearest_that_could_have_been() {
    let finding = judged(Delivery::InOrder, &[TOLD, TOLD, TOLD, said(7), said(8)]);
    let nearest = [3, 2, 1].map(Output::Tell).to_vec();
    assert_eq!(finding, Finding::Refused { place: 3, nearest });
    // It cannot count what it had not heard yet.
    let early = judged(Delivery::InOrder, &[TOLD, said(2), TOLD]);
    let nearest = vec![Output::Tell(1)];
    assert_eq!(early, Finding::Refused { place: 1, nearest });
}

#[test]
fn every_free_choice_is_an_explanation() {
    for guesses in [[0, 0], [0, 1], [1, 0], [1, 1]] {
        let sights = [ASKED, ASKED, said(guesses[0]), said(guesses[1])];
        assert_eq!(judged(Delivery::InOrder, &sights), Finding::Explained);
    }
    let finding = judged(Delivery::InOrder, &[ASKED, said(2)]);
    assert!(matches!(finding, Finding::Refused { place: 1, .. }));
}

#[test]
fn what_the_node_refuses_is_behind_it() {
    let refused = Sight::Heard(Input::Receive {
        from: 9,
        message: (),
    });
    assert_eq!(
        judged(Delivery::InOrder, &[refused, TOLD, said(1)]),
        Finding::Explained
    );
}

#[test]
fn without_an_order_what_was_sent_may_be_lost() {
    let sights = [TOLD, TOLD, TOLD, said(2)];
    assert_eq!(judged(Delivery::Perhaps, &sights), Finding::Explained);
    assert!(matches!(
        judged(Delivery::Perhaps, &[TOLD, said(2)]),
        Finding::Refused { place: 1, .. }
    ));
}

#[test]
fn a_bound_that_is_met_is_no_verdict() {
    let sights = [TOLD, TOLD, TOLD, TOLD, TOLD, said(3)];
    let life = Life {
        node: Counter { count: 0 },
        sights: sights.into_iter().enumerate().collect(),
        // Any three may have arrived: there is more than one possibility at a time.
        delivery: Delivery::Perhaps,
    };
    let judged = |limits| life.judge(limits, &mut || true).finding;
    assert_eq!(judged(Limits::default()), Finding::Explained);
    let few = Limits {
        states: 3,
        ..Limits::default()
    };
    assert!(matches!(judged(few), Finding::Incomplete { .. }));
    let narrow = Limits {
        waiting: 0,
        ..Limits::default()
    };
    assert!(matches!(judged(narrow), Finding::Incomplete { .. }));
    let finding = life.judge(Limits::default(), &mut || false).finding;
    assert_eq!(finding, Finding::Incomplete { place: 5 });
}

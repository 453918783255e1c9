//! Systems of toy nodes of which every run is known.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use peerproof_model::choose::Choose;
use peerproof_model::explore::{Fact, Limits, PropertyVerdict, Verdict, check, check_facts, find};
use peerproof_model::explore::{Progress, replay_named};
use peerproof_model::node::{Input, Node, Output};
use peerproof_model::system::{
    Act, Clock, Expiries, Findings, Network, Nobody, Observe, Resident, Seen, State, System,
    TRACELESS, Timers, When,
};
use stateright::Model;

/// Writes down what happens to it; what it does is asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Diary {
    lines: Vec<String>,
}

/// What a diary can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Wish {
    Open(u8),
    Close(u8),
    Send(u8, u32),
    Set(&'static str, u64),
    Toss,
    Misbehave,
}

impl Node for Diary {
    type Id = u8;
    type Message = u32;
    type Timer = &'static str;
    type Request = Vec<Wish>;
    type Event = ();
    type Rejected = &'static str;

    fn step(
        &mut self,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), &'static str> {
        match input {
            Input::Opened(id) => self.lines.push(format!("opened {id}")),
            Input::Receive { message: 13, .. } => return Err("13 is refused"),
            Input::Receive { from, message } => self.lines.push(format!("{message} from {from}")),
            Input::Closed(id) => self.lines.push(format!("closed {id}")),
            Input::Expire(timer) => self.lines.push(format!("timer {timer}")),
            Input::Ask(wishes) => {
                for wish in wishes {
                    self.grant(wish, choose, out)?;
                }
            }
        }
        Ok(())
    }
}

impl Diary {
    fn grant(
        &mut self,
        wish: Wish,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), &'static str> {
        match wish {
            Wish::Open(id) => out.push(Output::Open(id)),
            Wish::Close(id) => out.push(Output::Close(id)),
            Wish::Send(to, message) => out.push(Output::Send { to, message }),
            Wish::Set(timer, seconds) => out.push(Output::SetTimer {
                timer,
                after: Duration::from_secs(seconds),
            }),
            Wish::Toss => self.lines.push(format!("tossed {}", choose.choose(3))),
            Wish::Misbehave => {
                self.lines.push("half done".into());
                return Err("changed its mind");
            }
        }
        Ok(())
    }
}

fn diaries(count: u8) -> Vec<Resident<Diary>> {
    let diary = |id| Resident {
        id,
        name: format!("diary{id}"),
        node: Diary::default(),
        present: true,
        serves_questions: false,
    };
    (0..count).map(diary).collect()
}

/// Every content that the diary at `place` has when nothing more can happen.
fn ends<O: Observe<Diary>>(system: &System<Diary, O>, place: usize) -> BTreeSet<Vec<String>> {
    let mut seen = Vec::new();
    let mut open: Vec<_> = system.init_states();
    let mut ends = BTreeSet::new();
    while let Some(state) = open.pop() {
        if seen.contains(&state) {
            continue;
        }
        let next = system.next_states(&state);
        if next.is_empty() {
            let lines = state.nodes[place].as_ref().map(|node| node.lines.clone());
            ends.insert(lines.unwrap_or_else(|| vec!["absent".into()]));
        }
        seen.push(state);
        open.extend(next);
    }
    ends
}

fn lines(all: &[&[&str]]) -> BTreeSet<Vec<String>> {
    let line = |text: &&str| (*text).to_owned();
    all.iter()
        .map(|lines| lines.iter().map(line).collect())
        .collect()
}

fn datagrams(loss: bool, duplication: bool, reordering: bool) -> System<Diary, Nobody> {
    let network = Network::Datagrams {
        loss,
        duplication,
        reordering,
    };
    let mut system = System::new(diaries(2), network, Nobody);
    system.opening = vec![Act::Ask(0, vec![Wish::Send(1, 1), Wish::Send(1, 2)])];
    system
}

#[test]
fn datagrams_arrive_in_order_once_unless_the_network_may_do_otherwise() {
    let (one, two) = ("1 from 0", "2 from 0");
    let ends = |loss, reordering| ends(&datagrams(loss, false, reordering), 1);
    assert_eq!(ends(false, false), lines(&[&[one, two]]));
    assert_eq!(
        ends(true, false),
        lines(&[&[], &[one], &[two], &[one, two]])
    );
    assert_eq!(ends(false, true), lines(&[&[one, two], &[two, one]]));
    let all: &[&[&str]] = &[&[], &[one], &[two], &[one, two], &[two, one]];
    assert_eq!(ends(true, true), lines(all));
}

#[test]
fn a_duplicated_datagram_arrives_again() {
    let twice = |s: &State<Diary, ()>| {
        let lines = &s.nodes[1].as_ref().expect("present").lines;
        lines.len() == 2 && lines[0] == lines[1]
    };
    let fact = || Fact::sometimes("twice", move |_: &System<Diary, Nobody>, s: &_| twice(s));
    let with = Arc::new(datagrams(false, true, false));
    let trace = find(&with, fact(), Limits::default()).expect("found before the run ends");
    let names = trace.expect("reachable").names(&*with);
    let copied = "diary0 -> diary1: 1, a copy stays under way";
    assert_eq!(names[0], copied);
    assert_eq!(names.len(), 2);
    let without = Arc::new(datagrams(false, false, false));
    assert_eq!(find(&without, fact(), Limits::default()), Ok(None));
}

fn links(breaks: u8) -> System<Diary, Nobody> {
    System::new(diaries(2), Network::Links { breaks }, Nobody)
}

#[test]
fn both_ends_learn_of_a_connection_and_messages_keep_their_order() {
    let mut system = links(0);
    system.opening = vec![Act::Ask(0, vec![Wish::Open(1)])];
    system.acts = When::QuietNetwork;
    system.scripts = vec![vec![
        Act::Ask(0, vec![Wish::Send(1, 1), Wish::Send(1, 2)]),
        Act::Ask(1, vec![Wish::Send(0, 3)]),
        Act::Ask(1, vec![Wish::Close(0)]),
    ]];
    assert_eq!(
        ends(&system, 0),
        lines(&[&["opened 1", "3 from 1", "closed 1"]])
    );
    assert_eq!(
        ends(&system, 1),
        lines(&[&["opened 0", "1 from 0", "2 from 0"]])
    );
}

#[test]
fn messages_cross_a_close() {
    let mut system = links(0);
    system.opening = vec![Act::Ask(0, vec![Wish::Open(1)])];
    // At any moment after both are told: one sends and closes while the other sends.
    system.scripts = vec![
        vec![Act::Ask(0, vec![Wish::Send(1, 1), Wish::Close(1)])],
        vec![Act::Ask(1, vec![Wish::Send(0, 2)])],
    ];
    let first = ends(&system, 0);
    assert!(first.is_superset(&lines(&[&["opened 1", "2 from 1"], &["opened 1"]])));
    let second = ends(&system, 1);
    assert!(second.contains(&vec![
        "opened 0".into(),
        "1 from 0".into(),
        "closed 0".into()
    ]));
    // What was sent before the close arrives before the close is noticed, or nothing was sent.
    for lines in second {
        let closed = lines.iter().position(|line| line == "closed 0");
        let one = lines.iter().position(|line| line == "1 from 0");
        assert!(one < closed || one.is_none(), "{lines:?}");
    }
}

#[test]
fn a_dial_to_nobody_is_refused_and_a_departure_is_noticed() {
    let mut system = links(0);
    system.residents[1].present = false;
    system.opening = vec![Act::Ask(0, vec![Wish::Open(1)])];
    assert_eq!(ends(&system, 0), lines(&[&["closed 1"]]));
    system.acts = When::QuietNetwork;
    system.scripts = vec![vec![
        Act::Join(1, Some(vec![Wish::Open(0), Wish::Set("t", 1)])),
        Act::Leave(1, None),
    ]];
    system.timers.when = When::QuietNetwork;
    let told = &["closed 1", "opened 1", "closed 1"];
    assert_eq!(ends(&system, 0), lines(&[told]));
    assert_eq!(ends(&system, 1), lines(&[&["absent"]]));
}

#[test]
fn a_crash_may_lose_what_a_leave_delivers() {
    let told = |act| {
        let mut system = links(0);
        system.opening = vec![Act::Ask(0, vec![Wish::Open(1)])];
        system.scripts = vec![vec![Act::Ask(0, vec![Wish::Send(1, 1)]), act]];
        ends(&system, 1)
    };
    let delivered = vec!["opened 0".to_owned(), "1 from 0".into(), "closed 0".into()];
    let lost = vec!["opened 0".to_owned(), "closed 0".into()];
    let left = told(Act::Leave(0, None));
    let crashed = told(Act::Crash(0));
    assert!(left.contains(&delivered));
    assert!(crashed.contains(&delivered) && crashed.contains(&lost));
}

#[test]
fn a_link_breaks_as_often_as_the_scope_says() {
    let mut system = links(1);
    system.opening = vec![Act::Ask(0, vec![Wish::Open(1)])];
    assert_eq!(ends(&system, 0), lines(&[&["opened 1", "closed 1"]]));
    system.network = Network::Links { breaks: 0 };
    assert_eq!(ends(&system, 0), lines(&[&["opened 1"]]));
}

fn two_timers(timers: Timers<Diary>) -> BTreeSet<Vec<String>> {
    let mut system = links(0);
    system.opening = vec![Act::Ask(
        0,
        vec![Wish::Set("slow", 30), Wish::Set("quick", 10)],
    )];
    system.timers = timers;
    ends(&system, 0)
}

#[test]
fn timers_expire_in_any_order_or_in_the_order_of_their_ticks() {
    let untimed = Timers::untimed();
    let (quick, slow) = ("timer quick", "timer slow");
    assert_eq!(
        two_timers(untimed.clone()),
        lines(&[&[quick, slow], &[slow, quick]])
    );
    let ticked = Timers {
        clock: Clock::Ticked {
            tick: Duration::from_secs(10),
        },
        ..untimed
    };
    assert_eq!(two_timers(ticked.clone()), lines(&[&[quick, slow]]));
    let bounded = Timers {
        expiries: Arc::new(|_, timer: &&str| match *timer {
            "slow" => Expiries::Never,
            _ => Expiries::Times(1),
        }),
        ..ticked
    };
    assert_eq!(two_timers(bounded), lines(&[&[quick]]));
}

#[test]
fn timers_may_be_held_until_the_network_is_quiet() {
    let run = |when| {
        let mut system = datagrams(false, false, false);
        system.timers.when = when;
        system.opening.push(Act::Ask(1, vec![Wish::Set("t", 1)]));
        ends(&system, 1)
    };
    let last = &["1 from 0", "2 from 0", "timer t"];
    assert_eq!(run(When::QuietNetwork), lines(&[last]));
    assert_eq!(run(When::AnyMoment).len(), 3);
}

#[test]
fn every_outcome_of_a_choice_is_an_action_that_replays() {
    let mut system = links(0);
    system.scripts = vec![vec![Act::Ask(0, vec![Wish::Toss, Wish::Toss])]];
    assert_eq!(ends(&system, 0).len(), 9);
    let names = ["diary0: is asked [Toss, Toss] (choices [2, 1])".to_owned()];
    let (_, states) = replay_named(&system, 0, &names).expect("one of the nine");
    let lines = &states[1].nodes[0].as_ref().expect("present").lines;
    assert_eq!(*lines, ["tossed 2", "tossed 1"]);
    // Choices before the beginning give several beginnings.
    system.opening = system.scripts.remove(0);
    assert_eq!(system.init_states().len(), 9);
}

#[test]
fn a_refused_input_must_leave_no_trace() {
    let mut sound = datagrams(false, false, false);
    sound.opening = vec![Act::Ask(0, vec![Wish::Send(1, 13)])];
    let sound = Arc::new(sound);
    assert_eq!(check(&sound, Limits::default()).verdict, Verdict::Holds);
    assert!(sound.tally.names().contains(TRACELESS));
    let mut broken = links(0);
    broken.scripts = vec![vec![Act::Ask(0, vec![Wish::Misbehave])]];
    let facts = broken.facts();
    let broken = Arc::new(broken);
    let report = check_facts(&broken, facts, Limits::default(), Progress::unwatched());
    let property = TRACELESS;
    assert_eq!(report.verdict, Verdict::Violated { property });
}

/// Looks for a message that overtakes another.
#[derive(Clone, Debug)]
struct OrderWatch;

const IN_ORDER: &str = "numbers_arrive_in_ascending_order";

impl Observe<Diary> for OrderWatch {
    type Memory = u32;

    fn properties(&self) -> Vec<&'static str> {
        vec![IN_ORDER]
    }

    fn begin(&self) -> u32 {
        0
    }

    fn see(&self, last: &mut u32, seen: &Seen<'_, Diary>, findings: &mut Findings) {
        if let Seen::Took {
            input: Input::Receive { message, .. },
            ..
        } = seen
        {
            findings.tested.push(IN_ORDER);
            if message < last {
                let observed = format!("{message} came after {last}");
                findings.broken.push((IN_ORDER, observed));
            }
            *last = *message;
        }
    }
}

fn watched(reordering: bool) -> System<Diary, OrderWatch> {
    let network = Network::Datagrams {
        loss: false,
        duplication: false,
        reordering,
    };
    let mut system = System::new(diaries(2), network, OrderWatch);
    system.opening = vec![Act::Ask(0, vec![Wish::Send(1, 1), Wish::Send(1, 2)])];
    system
}

#[test]
fn an_observer_finds_what_is_broken_and_what_was_put_to_the_test() {
    let sound = watched(false);
    let facts = sound.facts();
    let sound = Arc::new(sound);
    let report = check_facts(&sound, facts, Limits::default(), Progress::unwatched());
    assert_eq!(report.verdict, Verdict::Holds);
    // Nothing, one, both: the observer's memory splits nothing here.
    assert_eq!(report.states, 3);
    assert_eq!(sound.tally.names(), BTreeSet::from([IN_ORDER]));

    let broken = Arc::new(watched(true));
    let fact = System::<Diary, OrderWatch>::fact(IN_ORDER);
    let report = check_facts(
        &broken,
        vec![fact],
        Limits::default(),
        Progress::unwatched(),
    );
    let property = report.property(IN_ORDER).expect("asked");
    assert_eq!(property.verdict, PropertyVerdict::Violated);
    assert_eq!(
        property.trace.names(&*broken),
        ["diary0 -> diary1: 2", "diary0 -> diary1: 1"]
    );
    assert_eq!(
        broken.observed(IN_ORDER, &property.trace).as_deref(),
        Some("1 came after 2")
    );
    assert_eq!(broken.observed(TRACELESS, &property.trace), None);
    assert_eq!(watched(false).observed(IN_ORDER, &property.trace), None);
    let diagram = broken.mermaid(&property.trace).expect("it replays");
    assert_eq!(
        diagram,
        "sequenceDiagram\n    participant diary0\n    participant diary1\n    \
         diary0->>diary1: 2\n    diary0->>diary1: 1\n    \
         Note over diary1: numbers_arrive_in_ascending_order is broken, 1 came after 2\n"
    );
}

#[test]
fn the_watched_property_has_a_reachable_partner() {
    let mut system = watched(false);
    system.watched = Some(IN_ORDER);
    let partner = System::<Diary, OrderWatch>::put_to_the_test(IN_ORDER);
    let found = find(&Arc::new(system), partner.clone(), Limits::default());
    assert_eq!(found.expect("complete").expect("reachable").len(), 1);
    let mut silent = watched(false);
    silent.opening.clear();
    silent.watched = Some(IN_ORDER);
    assert_eq!(
        find(&Arc::new(silent), partner, Limits::default()),
        Ok(None)
    );
}

#[test]
fn a_server_is_asked_without_a_connection_and_an_answer_to_an_earlier_life_finds_nobody() {
    let mut system = links(0);
    system.residents[1].serves_questions = true;
    system.opening = vec![Act::Ask(0, vec![Wish::Send(1, 1), Wish::Send(1, 2)])];
    system.acts = When::QuietNetwork;
    system.scripts = vec![vec![
        Act::Ask(1, vec![Wish::Send(0, 3)]),
        Act::Leave(0, Some(vec![Wish::Send(1, 4)])),
    ]];
    assert_eq!(
        ends(&system, 1),
        lines(&[&["1 from 0", "2 from 0", "4 from 0"]])
    );
    // The answer is under way while the one that asked leaves and comes back.
    system.opening.clear();
    system.acts = When::AnyMoment;
    system.scripts = vec![vec![
        Act::Ask(1, vec![Wish::Send(0, 3)]),
        Act::Leave(0, None),
        Act::Join(0, None),
    ]];
    assert_eq!(ends(&system, 0), lines(&[&[]]));
}

#[test]
fn a_system_may_begin_when_the_opening_has_been_delivered() {
    let mut system = links(0);
    system.opening = vec![
        Act::Ask(0, vec![Wish::Open(1)]),
        Act::Ask(1, vec![Wish::Toss]),
    ];
    system.begins_quiet = true;
    let states = system.init_states();
    assert_eq!(states.len(), 3);
    for state in states {
        assert!(state.traffic.is_quiet() && state.traffic.linked(0, 1));
    }
}

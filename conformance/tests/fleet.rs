//! Fleets of real programs: small shell scripts, most of which misbehave.

use std::sync::Arc;
use std::time::{Duration, Instant};

use peerproof::control::process::{Limits, Programs};
use peerproof::control::ring::Network;
use peerproof::fleet::{Answered, Fleet, Isolation, Plan, Trouble, Weather, What, Wrong};
use serde_json::{Map, Value, json};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node in the shell. It answers everything with `<type>_ok`; `tell` makes it send a message to `to`, `shout` makes
/// it write `line`, `quit` makes it leave, `hang` makes it stop reading. What other nodes say to it goes to standard error.
const NODE: &str = r#"
text() { printf '%s' "$line" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
while read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/.*"msg_id":\([0-9]*\).*/\1/p')
    type=$(text type)
    case $type in
        word) echo "heard $(text text)" >&2; continue ;;
        tell) echo "{\"src\":\"{name}\",\"dest\":\"$(text to)\",\"body\":{\"type\":\"word\",\"text\":\"$(text text)\"}}" ;;
        lie) echo "{\"src\":\"$(text as)\",\"dest\":\"kit\",\"body\":{\"type\":\"lie_ok\",\"in_reply_to\":$id}}" ;;
        noise) echo "debug: here we are"; yes | head -c 2000000 ;;
        quit) echo "no such key" >&2; exit 3 ;;
        hang) sleep 600 ;;
    esac
    echo "{\"src\":\"{name}\",\"dest\":\"kit\",\"body\":{\"type\":\"${type}_ok\",\"in_reply_to\":$id}}"
done
"#;

fn fleet_of(line: &str, names: &[&str], patience: Duration) -> Fleet {
    let programs = Programs::new(line, Limits::default()).expect("programs");
    let plan = Plan {
        network: Network::Kit,
        isolation: Isolation::Loopback,
        seed: 1,
        weather: Weather::default(),
        patience,
    };
    let mut fleet = Fleet::new(Arc::new(programs), plan).expect("a fleet");
    for name in names {
        assert_eq!(fleet.start(name), Ok(None));
    }
    fleet
}

fn body(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn ok(answer: &Result<Answered, Trouble>) {
    assert!(matches!(answer, Ok(Answered::Ok(_))), "{answer:?}");
}

/// Lets the fleet run until something holds.
fn eventually(fleet: &mut Fleet, holds: impl Fn(&Fleet) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds(fleet) {
        assert!(Instant::now() < deadline, "{:?}", fleet.mistakes());
        fleet.pump_for(Duration::from_millis(10));
    }
}

#[test]
fn programs_talk_through_the_kit() {
    let mut fleet = fleet_of(NODE, &["n1", "n2"], PATIENCE);
    let tell = body(&json!({"type": "tell", "to": "n2", "text": "good day"}));
    ok(&fleet.call("n1", tell.clone()));
    eventually(&mut fleet, |fleet| {
        fleet.last_words("n2") == "heard good day"
    });
    let sides = [vec!["n1".to_owned()], vec!["n2".to_owned()]];
    assert_eq!(fleet.partition(&sides), Ok(()));
    ok(&fleet.call("n1", tell));
    let lost = |fleet: &Fleet| fleet.trace().iter().any(|event| event.what == What::Lost);
    eventually(&mut fleet, lost);
    assert_eq!(fleet.mistakes(), []);
}

#[test]
fn a_program_that_quits_is_gone_and_comes_back() {
    let mut fleet = fleet_of(NODE, &["n1"], PATIENCE);
    let gone = fleet.call("n1", body(&json!({"type": "quit"})));
    assert!(
        matches!(&gone, Err(Trouble::Gone { how, .. }) if how == "it ended with status 3"),
        "{gone:?}"
    );
    assert!(!fleet.is_alive("n1"));
    let ended = Wrong::Ended("it ended with status 3".to_owned());
    assert_eq!(
        fleet
            .mistakes()
            .iter()
            .map(|it| &it.what)
            .collect::<Vec<_>>(),
        [&ended]
    );
    for _ in 0..3 {
        assert_eq!(fleet.start("n1"), Ok(None));
        ok(&fleet.call("n1", body(&json!({"type": "echo"}))));
        fleet.crash("n1");
    }
    assert_eq!(fleet.mistakes().len(), 1);
}

#[test]
fn a_program_that_hangs_is_silent_and_does_not_stop_the_others() {
    let mut fleet = fleet_of(NODE, &["n1", "n2"], PATIENCE);
    ok(&fleet.call("n1", body(&json!({"type": "echo"}))));
    let open = fleet.ask("n1", body(&json!({"type": "hang"})));
    ok(&fleet.call("n2", body(&json!({"type": "echo"}))));
    fleet.crash("n1");
    assert!(matches!(fleet.answer(open), Err(Trouble::Gone { .. })));
    let mut fleet = fleet_of("exec sleep 600", &["n1"], Duration::from_millis(300));
    let silent = fleet.call("n1", body(&json!({"type": "echo"})));
    // A busy machine may say that it was too busy.
    assert!(
        matches!(
            silent,
            Err(Trouble::Silent { .. } | Trouble::Overloaded { .. })
        ),
        "{silent:?}"
    );
    assert!(fleet.is_alive("n1"));
}

#[test]
fn a_program_does_not_speak_for_others() {
    let mut fleet = fleet_of(NODE, &["n1", "n2"], PATIENCE);
    // The lie comes first, and would be the answer; the true one follows.
    ok(&fleet.call("n1", body(&json!({"type": "lie", "as": "n2"}))));
    let lie = Wrong::Source {
        number: 1,
        said: "n2".to_owned(),
    };
    assert_eq!(
        fleet
            .mistakes()
            .iter()
            .map(|it| &it.what)
            .collect::<Vec<_>>(),
        [&lie]
    );
    let said = fleet
        .trace()
        .iter()
        .filter(|event| event.what == What::Answered);
    assert_eq!(said.count(), 1);
}

#[test]
fn a_program_that_floods_is_ended_and_the_others_go_on() {
    let mut fleet = fleet_of(NODE, &["n1", "n2"], PATIENCE);
    ok(&fleet.call("n2", body(&json!({"type": "echo"}))));
    let flooded = fleet.call("n1", body(&json!({"type": "noise"})));
    assert!(matches!(flooded, Err(Trouble::Gone { .. })), "{flooded:?}");
    let last = fleet.mistakes().last().map(|it| &it.what);
    assert!(matches!(last, Some(Wrong::Overused(_))), "{last:?}");
    assert!(fleet.dropped_mistakes() > 0);
    ok(&fleet.call("n2", body(&json!({"type": "echo"}))));
}

#[test]
fn a_paused_program_answers_when_it_goes_on() {
    let mut fleet = fleet_of(NODE, &["n1"], PATIENCE);
    ok(&fleet.call("n1", body(&json!({"type": "echo"}))));
    fleet.pause("n1");
    let open = fleet.ask("n1", body(&json!({"type": "echo"})));
    let answers = |fleet: &Fleet| {
        fleet
            .trace()
            .iter()
            .filter(|it| it.what == What::Answered)
            .count()
    };
    fleet.pump_for(Duration::from_millis(100));
    assert_eq!(answers(&fleet), 1);
    fleet.resume("n1");
    ok(&fleet.answer(open));
}

#[test]
fn many_programs_at_once() {
    let names: Vec<String> = (1..=12).map(|id| format!("n{id}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fleet = fleet_of(NODE, &names, PATIENCE);
    let echo = body(&json!({"type": "echo"}));
    let tickets: Vec<_> = names
        .iter()
        .map(|name| fleet.ask(name, echo.clone()))
        .collect();
    for ticket in tickets.into_iter().rev() {
        ok(&fleet.answer(ticket));
    }
}

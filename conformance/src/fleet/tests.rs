use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::*;
use crate::control::{Life, News};

const MILLISECOND: Duration = Duration::from_millis(1);

/// What a scripted node does with a line: the lines that it writes.
type Script = Box<dyn Fn(&str, &Envelope) -> Vec<String> + Send + Sync>;

/// Nodes within the test that do with every line what the script says, at once.
struct Scripted {
    script: Arc<Script>,
    /// Every line that a node got: its name and the line.
    heard: Arc<Mutex<Vec<(String, String)>>>,
}

struct Actor {
    name: String,
    script: Arc<Script>,
    heard: Arc<Mutex<Vec<(String, String)>>>,
    inbox: Sender<Arrival>,
    has_ended: AtomicBool,
}

impl Actor {
    fn bring(&self, at: Instant, news: News) {
        let is_end = matches!(news, News::Ended(_));
        if !self.has_ended.fetch_or(is_end, Ordering::SeqCst) {
            let from = self.name.clone();
            let _ = self.inbox.send(Arrival { from, at, news });
        }
    }
}

impl Life for Actor {
    fn say(&self, line: &str) -> bool {
        let envelope = Envelope::parse(line).expect("the kit writes envelopes");
        let heard = (self.name.clone(), line.to_owned());
        self.heard.lock().expect("no panic").push(heard);
        let at = Instant::now();
        for line in (self.script)(&self.name, &envelope) {
            let news = match line.as_str() {
                "THE END" => News::Ended("it ended with status 3".to_owned()),
                "TOO LONG" => News::LineTooLong,
                _ => News::Line(line),
            };
            self.bring(at, news);
        }
        true
    }
    fn pause(&self) {}
    fn resume(&self) {}
    fn kill(&mut self) {
        self.bring(Instant::now(), News::Ended("it was killed".to_owned()));
    }
    fn last_words(&self) -> String {
        "alas".to_owned()
    }
}

impl Starter for Scripted {
    fn start(&self, name: &str, inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError> {
        Ok(Box::new(Actor {
            name: name.to_owned(),
            script: Arc::clone(&self.script),
            heard: Arc::clone(&self.heard),
            inbox,
            has_ended: AtomicBool::new(false),
        }))
    }
    fn name(&self) -> String {
        "a script".to_owned()
    }
}

type Heard = Arc<Mutex<Vec<(String, String)>>>;

fn fleet_with(
    weather: Weather,
    script: impl Fn(&str, &Envelope) -> Vec<String> + Send + Sync + 'static,
) -> (Fleet, Heard) {
    let heard = Heard::default();
    let starter = Scripted {
        script: Arc::new(Box::new(script)),
        heard: Arc::clone(&heard),
    };
    let plan = Plan {
        network: Network::Kit,
        isolation: Isolation::Loopback,
        seed: 1,
        weather,
        patience: Duration::from_secs(20),
    };
    let mut fleet = Fleet::new(Arc::new(starter), plan).expect("a fleet");
    for name in ["n1", "n2"] {
        assert_eq!(fleet.start(name), Ok(None));
    }
    (fleet, heard)
}

fn body(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn line(src: &str, dest: &str, body: &Value) -> String {
    json!({"src": src, "dest": dest, "body": body}).to_string()
}

/// A node that answers `echo` and passes what stands in `to` and `say` on.
fn talker(name: &str, heard: &Envelope) -> Vec<String> {
    let text = |key: &str| heard.body.get(key).and_then(Value::as_str);
    let answer = line(
        name,
        KIT,
        &json!({"type": "say_ok", "in_reply_to": heard.msg_id()}),
    );
    match (heard.kind(), text("to"), text("text")) {
        (Some("say"), Some(to), Some(text)) => {
            vec![
                line(name, to, &json!({"type": "word", "text": text})),
                answer,
            ]
        }
        (Some("raw"), _, Some(text)) => vec![text.to_owned()],
        _ => Vec::new(),
    }
}

fn say(fleet: &mut Fleet, from: &str, to: &str, text: &str) {
    let said = fleet.call(from, body(&json!({"type": "say", "to": to, "text": text})));
    assert!(matches!(said, Ok(Answered::Ok(_))), "{said:?}");
}

/// Has `from` write a line, which nobody answers.
fn write(fleet: &mut Fleet, from: &str, line: &str) {
    fleet.ask(from, body(&json!({"type": "raw", "text": line})));
    fleet.pump_for(Duration::ZERO);
}

/// The texts that `node` got from others.
fn words(heard: &Heard, node: &str) -> Vec<String> {
    let heard = heard.lock().expect("no panic");
    let lines = heard.iter().filter(|(name, _)| name == node);
    lines
        .filter_map(|(_, line)| {
            let envelope = Envelope::parse(line).ok()?;
            let text = envelope.body.get("text")?.as_str()?.to_owned();
            (envelope.kind() == Some("word")).then_some(text)
        })
        .collect()
}

/// Lets the network run until nothing is on its way.
fn settle(fleet: &mut Fleet) {
    while fleet.in_flight() > 0 {
        fleet.pump_for(MILLISECOND);
    }
}

fn wrongs(fleet: &Fleet) -> Vec<Wrong> {
    fleet.mistakes().iter().map(|it| it.what.clone()).collect()
}

fn happened(fleet: &Fleet) -> Vec<What> {
    fleet.trace().iter().map(|event| event.what).collect()
}

#[test]
fn a_message_is_handed_on_as_it_was_written() {
    let (mut fleet, heard) = fleet_with(Weather::default(), talker);
    let odd = r#"{"dest":"n2", "src":"n1", "more": [1.50], "body":{"type":"word","text":"one"}}"#;
    write(&mut fleet, "n1", odd);
    settle(&mut fleet);
    let last = heard.lock().expect("no panic").last().cloned();
    assert_eq!(last, Some(("n2".to_owned(), odd.to_owned())));
    use What::*;
    assert_eq!(happened(&fleet), [Started, Started, Asked, Sent, Delivered]);
    let delivered = &fleet.trace()[4];
    assert_eq!(delivered.node, "n2");
    assert_eq!(delivered.peer.as_deref(), Some("n1"));
    assert_eq!(wrongs(&fleet), []);
}

#[test]
fn requests_are_numbered_and_answers_find_them() {
    let (mut fleet, _) = fleet_with(Weather::default(), |name, heard| {
        let word = heard.body.get("word").cloned();
        let answer = json!({"type": "echo_ok", "in_reply_to": heard.msg_id(), "word": word});
        vec![line(name, KIT, &answer)]
    });
    let first = fleet.ask("n1", body(&json!({"type": "echo", "word": "a"})));
    let second = fleet.ask("n2", body(&json!({"type": "echo", "word": "b"})));
    assert_ne!(first, second);
    for (ticket, word) in [(second, "b"), (first, "a")] {
        let Ok(Answered::Ok(answer)) = fleet.answer(ticket) else {
            panic!("no answer");
        };
        assert_eq!(answer["word"], word);
    }
    let other = fleet.call("n1", body(&json!({"type": "get"})));
    assert!(matches!(other, Err(Trouble::Malformed { .. })), "{other:?}");
}

#[test]
fn an_error_is_an_answer() {
    let (mut fleet, _) = fleet_with(Weather::default(), |name, heard| {
        let id = heard.msg_id();
        let error = json!({"type": "error", "in_reply_to": id, "code": 20, "text": "none"});
        vec![line(name, KIT, &error)]
    });
    let got = fleet.call("n1", body(&json!({"type": "get"})));
    let none = Answered::Error(
        crate::control::ErrorCode::KEY_DOES_NOT_EXIST,
        "none".to_owned(),
    );
    assert_eq!(got, Ok(none));
}

#[test]
fn silence_ends_with_the_patience() {
    let (mut fleet, _) = fleet_with(Weather::default(), |_, _| Vec::new());
    fleet.plan.patience = 30 * MILLISECOND;
    let got = fleet.call("n1", body(&json!({"type": "get"})));
    // On a machine that is too busy the same wait says nothing about the node.
    let silent = matches!(&got, Err(Trouble::Silent { node, .. } | Trouble::Overloaded { node, .. }) if node == "n1");
    assert!(silent, "{got:?}");
    let never = fleet.call("n9", body(&json!({"type": "get"})));
    assert!(matches!(never, Err(Trouble::Gone { .. })), "{never:?}");
}

#[test]
fn the_weather_is_that_of_the_plan() {
    let weather = Weather {
        duplicates: 1.0,
        ..Weather::default()
    };
    let (mut fleet, heard) = fleet_with(weather, talker);
    say(&mut fleet, "n1", "n2", "a");
    settle(&mut fleet);
    assert_eq!(words(&heard, "n2"), ["a", "a"]);
    let lossy = Weather {
        loss: 1.0,
        ..Weather::default()
    };
    assert_eq!(fleet.set_weather(lossy), Ok(()));
    say(&mut fleet, "n1", "n2", "b");
    settle(&mut fleet);
    assert_eq!(words(&heard, "n2"), ["a", "a"]);
    assert_eq!(happened(&fleet).last(), Some(&What::Answered));
    assert!(happened(&fleet).contains(&What::Lost));
}

#[test]
fn a_partition_lasts_until_it_is_healed() {
    let (mut fleet, heard) = fleet_with(Weather::default(), talker);
    let sides = [vec!["n1".to_owned()], vec!["n2".to_owned()]];
    assert_eq!(fleet.partition(&sides), Ok(()));
    say(&mut fleet, "n1", "n2", "a");
    settle(&mut fleet);
    assert_eq!(fleet.heal(), Ok(()));
    say(&mut fleet, "n1", "n2", "b");
    settle(&mut fleet);
    assert_eq!(words(&heard, "n2"), ["b"]);
    let lost = fleet.trace().iter().find(|event| event.what == What::Lost);
    let lost = lost.expect("the first");
    assert_eq!(
        (lost.node.as_str(), lost.peer.as_deref()),
        ("n1", Some("n2"))
    );
}

#[test]
fn the_barrier_holds_messages_and_not_questions() {
    let (mut fleet, heard) = fleet_with(Weather::default(), talker);
    assert_eq!(fleet.hold(), Ok(()));
    for text in ["a", "b", "c"] {
        say(&mut fleet, "n1", "n2", text);
    }
    fleet.pump_for(20 * MILLISECOND);
    assert_eq!(words(&heard, "n2"), [""; 0]);
    assert_eq!(fleet.in_flight(), 3);
    assert_eq!(fleet.release(), Ok(()));
    settle(&mut fleet);
    assert_eq!(words(&heard, "n2"), ["a", "b", "c"]);
}

#[test]
fn a_message_to_nobody_vanishes() {
    let (mut fleet, heard) = fleet_with(Weather::default(), talker);
    say(&mut fleet, "n1", "n77", "a");
    settle(&mut fleet);
    assert_eq!(words(&heard, "n2"), [""; 0]);
    assert_eq!(wrongs(&fleet), []);
    let lost = fleet.trace().iter().find(|event| event.what == What::Lost);
    assert_eq!(
        lost.map(|it| it.note.as_str()),
        Some("lost: nobody has that name")
    );
}

#[test]
fn nobody_speaks_for_another() {
    let (mut fleet, heard) = fleet_with(Weather::default(), talker);
    let lie = line("n2", "n1", &json!({"type": "word", "text": "I am n2"}));
    write(&mut fleet, "n1", &lie);
    let lie = line(KIT, "n2", &json!({"type": "word", "text": "I am the kit"}));
    write(&mut fleet, "n1", &lie);
    settle(&mut fleet);
    assert_eq!(words(&heard, "n1").len() + words(&heard, "n2").len(), 0);
    let source = |number, said: &str| Wrong::Source {
        number,
        said: said.to_owned(),
    };
    assert_eq!(wrongs(&fleet), [source(1, "n2"), source(2, KIT)]);
}

#[test]
fn what_is_no_line_is_a_mistake_with_its_number() {
    let (mut fleet, _) = fleet_with(Weather::default(), talker);
    write(&mut fleet, "n1", "starting up...");
    write(&mut fleet, "n1", "TOO LONG");
    let unasked = line("n1", KIT, &json!({"type": "say_ok", "in_reply_to": 700}));
    write(&mut fleet, "n1", &unasked);
    let long = json!({"type": "word", "text": "x".repeat(MOST_MESSAGE)});
    write(&mut fleet, "n1", &line("n1", "n2", &long));
    let words: Vec<String> = fleet.mistakes().iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "n1: line 1: byte 1: expected value",
            "n1: line 2: a line of more than 1048576 bytes",
            "n1: line 3: it answers 700, which is not open",
            "n1: line 4: a message of 65561 bytes",
        ]
    );
    assert!(fleet.is_alive("n1"));
}

#[test]
fn mistakes_are_bounded_and_a_flood_ends_the_node() {
    let (mut fleet, heard) = fleet_with(Weather::default(), |name, heard| match heard.kind() {
        Some("flood") => vec!["no line".to_owned(); 3 * crate::control::allowance::MOST_LINES],
        _ => talker(name, heard),
    });
    let flooded = fleet.call("n1", body(&json!({"type": "flood"})));
    assert!(matches!(flooded, Err(Trouble::Gone { .. })), "{flooded:?}");
    assert!(!fleet.is_alive("n1"));
    let last = wrongs(&fleet).pop();
    assert!(matches!(last, Some(Wrong::Overused(_))), "{last:?}");
    assert_eq!(fleet.mistakes().len(), KEPT_MISTAKES + 1);
    assert!(fleet.dropped_mistakes() > 0);
    // The others go on.
    say(&mut fleet, "n2", "n2", "a");
    settle(&mut fleet);
    assert_eq!(words(&heard, "n2"), ["a"]);
}

#[test]
fn a_node_that_ends_is_gone_and_can_be_started_again() {
    let (mut fleet, heard) = fleet_with(Weather::default(), talker);
    write(&mut fleet, "n1", "THE END");
    assert!(!fleet.is_alive("n1"));
    let ended = Wrong::Ended("it ended with status 3".to_owned());
    assert_eq!(wrongs(&fleet), [ended]);
    assert_eq!(fleet.last_words("n1"), "alas");
    let asked = fleet.call("n1", body(&json!({"type": "say"})));
    assert!(matches!(asked, Err(Trouble::Gone { .. })), "{asked:?}");
    assert_eq!(fleet.start("n1"), Ok(None));
    say(&mut fleet, "n2", "n1", "again");
    settle(&mut fleet);
    assert_eq!(words(&heard, "n1"), ["again"]);
}

#[test]
fn a_crash_is_no_mistake_and_loses_what_comes_after() {
    let (mut fleet, heard) = fleet_with(Weather::default(), talker);
    let open = fleet.ask("n2", body(&json!({"type": "wait"})));
    fleet.crash("n2");
    let gone = fleet.answer(open);
    assert!(matches!(gone, Err(Trouble::Gone { .. })), "{gone:?}");
    say(&mut fleet, "n1", "n2", "a");
    settle(&mut fleet);
    assert_eq!(words(&heard, "n2"), [""; 0]);
    assert_eq!(wrongs(&fleet), []);
    assert_eq!(fleet.start("n2"), Ok(None));
    assert!(matches!(fleet.start("n2"), Err(Trouble::Kit(_))));
    say(&mut fleet, "n1", "n2", "b");
    settle(&mut fleet);
    assert_eq!(words(&heard, "n2"), ["b"]);
}

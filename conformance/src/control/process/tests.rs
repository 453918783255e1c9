//! Small programs that misbehave, each within its walls.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use super::*;
use crate::control::News;

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

struct Node {
    life: Box<dyn Life>,
    inbox: Receiver<Arrival>,
}

fn start(walls: Walls, line: &str, limits: Limits) -> Node {
    let mut programs = Programs::new(line, limits).expect("programs");
    programs.walls = walls;
    let (outbox, inbox) = channel();
    let life = programs.start("n1", outbox).expect("a program");
    Node { life, inbox }
}

/// The walls of this machine, best first.
fn walls() -> Vec<Walls> {
    let mut walls = vec![Walls::best(), Walls::Group];
    walls.dedup();
    walls
}

impl Node {
    fn next(&self) -> News {
        self.inbox.recv_timeout(PATIENCE).expect("news").news
    }

    /// Everything until it has ended, the end apart.
    fn all(&self) -> (Vec<News>, News) {
        let mut all = Vec::new();
        loop {
            match self.next() {
                end @ (News::Ended(_) | News::Overused(_)) => {
                    // Nothing comes after the end.
                    assert!(self.inbox.recv_timeout(PATIENCE).is_err());
                    return (all, end);
                }
                news => all.push(news),
            }
        }
    }
}

/// Ids of the living processes that were started as these words.
fn ids(words: &str) -> Vec<i32> {
    let all = census::take();
    let is_it = |process: &&census::Process| {
        let arguments = std::fs::read(format!("/proc/{}/cmdline", process.id)).unwrap_or_default();
        process.lives()
            && String::from_utf8_lossy(&arguments)
                .replace('\0', " ")
                .trim()
                == words
    };
    all.iter().filter(is_it).map(|it| it.id).collect()
}

fn running(words: &str) -> usize {
    ids(words).len()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn overused(end: &News) -> &str {
    match end {
        News::Overused(how) => how,
        other => panic!("{other:?}"),
    }
}

#[test]
fn lines_go_in_and_come_out() {
    for walls in walls() {
        let node = start(
            walls,
            "echo ready {name} {id} {introducer}; cat; echo bye >&2",
            Limits::default(),
        );
        assert_eq!(node.next(), News::Line("ready n1 1 ".to_owned()));
        assert!(node.life.say(r#"{"a":1}"#) && node.life.say("two"));
        assert_eq!(node.next(), News::Line(r#"{"a":1}"#.to_owned()));
        assert_eq!(node.next(), News::Line("two".to_owned()));
    }
}

#[test]
fn an_end_is_told_with_its_reason_and_the_last_words() {
    for walls in walls() {
        let ends = [
            (
                "echo out; echo no such key >&2; exit 3",
                "it ended with status 3",
            ),
            ("kill -SEGV $$", "it was ended by SIGSEGV"),
            (
                "/nonexistent/node {name}",
                "its command was not found (status 127)",
            ),
            ("true", "it ended with status 0"),
        ];
        for (line, words) in ends {
            let node = start(walls, line, Limits::default());
            let (_, end) = node.all();
            assert_eq!(end, News::Ended(words.to_owned()), "{line}");
        }
        let node = start(walls, "echo no such key >&2; exit 3", Limits::default());
        node.all();
        eventually("its last words", || node.life.last_words() == "no such key");
    }
}

#[test]
fn who_leaves_a_child_behind_has_ended_with_it() {
    for walls in walls() {
        let node = start(walls, "sleep 7001.1 & exit 4", Limits::default());
        assert_eq!(
            node.all().1,
            News::Ended("it ended with status 4".to_owned())
        );
        assert_eq!(running("sleep 7001.1"), 0);
    }
}

#[test]
fn a_hung_node_is_not_waited_for() {
    for walls in walls() {
        let mut node = start(walls, "echo up; exec sleep 7002.1", Limits::default());
        assert_eq!(node.next(), News::Line("up".to_owned()));
        let line = "x".repeat(1 << 20);
        let taken = (0..20).filter(|_| node.life.say(&line)).count();
        assert!((1..=5).contains(&taken), "{taken}");
        node.life.kill();
        assert_eq!(node.all().1, News::Ended("the kit ended it".to_owned()));
        assert_eq!(running("sleep 7002.1"), 0);
    }
}

#[test]
fn a_flood_of_lines_is_ended() {
    for walls in walls() {
        let node = start(walls, "yes | head -c 50000000", Limits::default());
        let (lines, end) = node.all();
        assert!(overused(&end).contains("lines in a second"), "{end:?}");
        assert!(lines.len() < 2_000_000, "{}", lines.len());
    }
}

#[test]
fn a_line_without_an_end_is_not_kept() {
    for walls in walls() {
        let line = "head -c 50000000 /dev/zero | tr '\\0' x";
        let (lines, _) = start(walls, line, Limits::default()).all();
        assert_eq!(lines, [News::LineTooLong]);
    }
}

#[test]
fn a_node_that_eats_memory_is_ended() {
    let limits = Limits {
        memory: 200 << 20,
        ..Limits::default()
    };
    // At most 2 GiB; what the system refuses is kept, so that the kit sees it in any case.
    let line = r#"exec python3 -c "
import time
kept = []
try:
    for step in range(128):
        kept.append(b'x' * (16 << 20))
        time.sleep(0.02)
except MemoryError:
    pass
time.sleep(600)
""#;
    for walls in walls() {
        let (_, end) = start(walls, line, limits).all();
        assert!(overused(&end).contains("200 MiB are allowed"), "{end:?}");
    }
}

#[test]
fn a_node_that_opens_too_much_is_refused() {
    let limits = Limits {
        open_files: 64,
        ..Limits::default()
    };
    let line = r#"exec python3 -c "
kept = []
try:
    for number in range(2000):
        kept.append(open('/dev/null'))
except OSError as error:
    print(error.errno, flush=True)
""#;
    for walls in walls() {
        let (lines, _) = start(walls, line, limits).all();
        // 24 is EMFILE.
        assert_eq!(lines, [News::Line("24".to_owned())]);
    }
}

#[test]
fn a_node_with_too_many_children_is_ended_with_all_of_them() {
    let limits = Limits {
        tasks: 100,
        ..Limits::default()
    };
    for walls in walls() {
        let line = "i=0; while [ $i -lt 300 ]; do sleep 7003.1 & i=$((i+1)); done; wait";
        let (_, end) = start(walls, line, limits).all();
        assert!(overused(&end).contains("100 are allowed"), "{end:?}");
        assert_eq!(running("sleep 7003.1"), 0);
    }
}

#[test]
fn a_node_that_computes_for_ever_is_ended() {
    let limits = Limits {
        processor: Duration::from_secs(1),
        ..Limits::default()
    };
    for walls in walls() {
        let (_, end) = start(walls, "while :; do :; done", limits).all();
        assert!(overused(&end).contains("1 s are allowed"), "{end:?}");
    }
}

#[test]
fn what_leaves_its_group_ends_too() {
    for walls in walls() {
        // Orphans in sessions of their own.
        let line = "(setsid sleep 7004.1 &); (setsid sh -c 'setsid sleep 7004.2' &); echo up; exec sleep 7004.3";
        let mut node = start(walls, line, Limits::default());
        assert_eq!(node.next(), News::Line("up".to_owned()));
        eventually("all of them", || {
            running("sleep 7004.1") * running("sleep 7004.2") == 1
        });
        node.life.kill();
        eventually("none of them", || {
            (1..=3).all(|it| running(&format!("sleep 7004.{it}")) == 0)
        });
    }
}

#[test]
fn a_paused_node_stands_still_and_goes_on() {
    for walls in walls() {
        let node = start(walls, "echo up; (sleep 7006.1 &); cat", Limits::default());
        assert_eq!(node.next(), News::Line("up".to_owned()));
        eventually("a child", || running("sleep 7006.1") == 1);
        let state = |id: i32| {
            let all = census::take();
            all.iter().find(|it| it.id == id).map(|it| it.state)
        };
        let child = ids("sleep 7006.1")[0];
        node.life.pause();
        eventually("it stands", || state(child) == Some('T'));
        assert!(node.life.say("after a while"));
        node.life.resume();
        eventually("it goes on", || state(child) == Some('S'));
        assert_eq!(node.next(), News::Line("after a while".to_owned()));
    }
}

#[test]
fn a_paused_node_can_be_ended() {
    for walls in walls() {
        let mut node = start(walls, "echo up; exec sleep 7007.1", Limits::default());
        assert_eq!(node.next(), News::Line("up".to_owned()));
        node.life.pause();
        node.life.kill();
        assert_eq!(running("sleep 7007.1"), 0);
    }
}

#[test]
fn nodes_have_a_home_of_the_kit() {
    for walls in walls() {
        let (lines, _) = start(walls, "echo $HOME; echo $TMPDIR; pwd", Limits::default()).all();
        let here = std::env::current_dir().expect("a directory");
        let here = here.to_string_lossy().into_owned();
        let [
            News::Line(home),
            News::Line(temporary),
            News::Line(directory),
        ] = &lines[..]
        else {
            panic!("{lines:?}");
        };
        assert!(home.contains("peerproof-"), "{home}");
        assert_eq!((temporary, directory), (home, &here));
    }
}

#[test]
fn a_command_line_is_filled_in() {
    let line = "node --at {host}:{port} --via {introducer} {name} {id}";
    let programs = Programs::new(line, Limits::default()).expect("programs");
    let mut place = Place {
        name: "n45".to_owned(),
        address: "127.0.3.4:7000".parse().ok(),
        introducer: Some("n16".to_owned()),
        introducer_address: "127.0.3.3:7001".parse().ok(),
        ..Place::default()
    };
    let filled = programs.line_for(&place).expect("a line");
    assert_eq!(
        filled,
        "node --at 127.0.3.4:7000 --via 127.0.3.3:7001 n45 45"
    );
    place.address = None;
    assert!(matches!(
        programs.line_for(&place),
        Err(StartError::Usage(_))
    ));
    assert!(matches!(
        Programs::new("  ", Limits::default()),
        Err(StartError::Usage(_))
    ));
}

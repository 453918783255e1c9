//! The explorer beside Stateright and SPIN, on one model: seven counters from 0 to 9.
//!
//! A plain program: one run of a checker takes seconds, needs hundreds of megabytes, and tells its own states, so
//! repeated sampling would add nothing but waiting. Every checker runs `RUNS` times, in turns, and the fastest run of
//! each is reported beside the slowest.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use peerproof_model::explore::{Explorer, Fact, Pack, Verdict};
use stateright::{Checker, Model, Property};

/// How often every checker runs; the environment variable `RUNS` says otherwise.
const RUNS: usize = 3;
/// States and transitions of the model: 10^7, and seven times nine tenths of it.
const STATES: usize = 10_000_000;
const TRANSITIONS: usize = 63_000_000;

/// Counters, each of which may be raised by one.
#[derive(Clone, Debug)]
struct Counters;

type State = [u8; 7];

impl Model for Counters {
    type State = State;
    type Action = u8;

    fn init_states(&self) -> Vec<State> {
        vec![[0; 7]]
    }

    fn actions(&self, state: &State, actions: &mut Vec<u8>) {
        actions.extend((0u8..7).filter(|which| state[usize::from(*which)] < 9));
    }

    fn next_state(&self, state: &State, which: u8) -> Option<State> {
        Some(std::array::from_fn(|at| {
            state[at] + u8::from(at == usize::from(which))
        }))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "every_counter_is_small",
            |_, state: &State| state.iter().all(|counter| *counter <= 9),
        )]
    }
}

impl Pack for Counters {
    fn width(&self) -> Option<usize> {
        Some(7)
    }

    fn pack(&self, state: &State, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(state);
    }

    fn unpack(&self, bytes: &[u8]) -> State {
        bytes.try_into().expect("seven bytes")
    }
}

/// What one run of a checker measured.
struct Measured {
    time: Duration,
    /// Bytes per state, by the checker's own count.
    bytes: Option<f64>,
}

type Run = Box<dyn Fn() -> Option<Measured>>;

fn main() {
    // `cargo test --benches` must not explore ten million states.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runs = std::env::var("RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok());
    let spin = Spin::build();
    let mut checkers: Vec<(String, Run)> = vec![
        ("peerproof, 1 thread".into(), Box::new(|| ours(1))),
        ("peerproof, 2 threads".into(), Box::new(|| ours(2))),
        (
            "Stateright BFS, 1 thread".into(),
            Box::new(|| stateright(true)),
        ),
        (
            "Stateright DFS, 1 thread".into(),
            Box::new(|| stateright(false)),
        ),
    ];
    match spin {
        Ok(spin) => {
            let name = format!("SPIN ({})", Spin::FLAGS);
            checkers.push((name, Box::new(move || spin.run())));
        }
        Err(why) => println!("SPIN is not measured: {why}"),
    }
    // For a look at one of them alone: `ONLY="peerproof, 1"`.
    let only = std::env::var("ONLY").unwrap_or_default();
    checkers.retain(|(name, _)| name.starts_with(&only));
    let mut best: Vec<Vec<Measured>> = checkers.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs.unwrap_or(RUNS) {
        for ((name, run), measured) in checkers.iter().zip(&mut best) {
            match run() {
                Some(one) => measured.push(one),
                None => println!("{name}: this run gave nothing that can be read"),
            }
        }
    }
    println!("seven counters 0..9: {STATES} states, {TRANSITIONS} transitions");
    println!(
        "{:<70} {:>9} {:>9} {:>12} {:>11}",
        "", "fastest", "slowest", "states/s", "bytes/state"
    );
    for ((name, _), measured) in checkers.iter().zip(&best) {
        report(name, measured);
    }
}

fn report(name: &str, measured: &[Measured]) {
    let Some(fastest) = measured.iter().min_by_key(|one| one.time) else {
        return;
    };
    let slowest = measured
        .iter()
        .map(|one| one.time)
        .max()
        .unwrap_or_default();
    let speed = STATES as f64 / fastest.time.as_secs_f64();
    let bytes = fastest
        .bytes
        .map_or("-".to_owned(), |bytes| format!("{bytes:.1}"));
    println!(
        "{name:<70} {:>7.2} s {:>7.2} s {speed:>12.0} {bytes:>11}",
        fastest.time.as_secs_f64(),
        slowest.as_secs_f64()
    );
}

fn ours(threads: usize) -> Option<Measured> {
    let explorer = Explorer::new(&Counters).threads(threads);
    let began = Instant::now();
    let report = explorer.check(&Fact::of(&Counters));
    let time = began.elapsed();
    assert_eq!(report.verdict, Verdict::Holds);
    assert_eq!((report.states, report.transitions), (STATES, TRANSITIONS));
    Some(Measured {
        time,
        bytes: Some(report.bytes_per_state),
    })
}

fn stateright(breadth_first: bool) -> Option<Measured> {
    let began = Instant::now();
    let builder = Counters.checker().threads(1);
    let states = if breadth_first {
        builder.spawn_bfs().join().unique_state_count()
    } else {
        builder.spawn_dfs().join().unique_state_count()
    };
    let time = began.elapsed();
    assert_eq!(states, STATES);
    Some(Measured { time, bytes: None })
}

/// A verifier made by SPIN.
struct Spin {
    folder: PathBuf,
}

impl Spin {
    const FLAGS: &'static str = "gcc -O3 -DSAFETY -DNOREDUCE -DMEMLIM=4096; pan -m1000 -w24";

    fn build() -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("peerproof-spin-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/counters.pml");
        let spin = Self { folder };
        let source = source.to_string_lossy().into_owned();
        spin.command("spin", &["-a", &source])?;
        let flags = "-O3 -DSAFETY -DNOREDUCE -DMEMLIM=4096 -o pan pan.c";
        spin.command("gcc", &flags.split(' ').collect::<Vec<_>>())?;
        Ok(spin)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(program);
        let output = command.args(arguments).current_dir(&self.folder).output();
        let output = output.map_err(|error| format!("{program}: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{program} failed: {said}"));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn run(&self) -> Option<Measured> {
        let began = Instant::now();
        let pan = self.folder.join("pan");
        let said = self
            .command(&pan.to_string_lossy(), &["-m1000", "-w24"])
            .ok()?;
        let time = began.elapsed();
        let number = |line: &str| line.split_whitespace().next()?.parse::<f64>().ok();
        let line = |what: &str| {
            said.lines()
                .find(|line| line.contains(what))
                .and_then(number)
        };
        let states = line("states, stored")?;
        // The end of the loop and the beginning are states of their own for SPIN.
        assert!((states - STATES as f64).abs() < 10.0, "{said}");
        let megabytes = line("total actual memory usage")?;
        Some(Measured {
            time,
            bytes: Some(megabytes * 1_048_576.0 / states),
        })
    }
}

impl Drop for Spin {
    fn drop(&mut self) {
        // What is left in the folder of temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

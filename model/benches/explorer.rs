//! The explorer beside Stateright and SPIN: seven counters from 0 to 9; and beside Stateright alone: the corrected
//! Chord with five identifiers and lists of two.
//!
//! A plain program: one run of a checker takes seconds, needs hundreds of megabytes, and tells its own states, so
//! repeated sampling would add nothing but waiting. Every checker runs `RUNS` times, in turns, and the fastest run of
//! each is reported beside the slowest.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use peerproof_model::chord::ring::{self, AtomicRing, Scope, Variant};
use peerproof_model::explore::{Explorable, Explorer, Fact, Pack, Verdict};
use stateright::{Checker, Model, Property};

/// How often every checker runs; the environment variable `RUNS` says otherwise.
const RUNS: usize = 3;
/// States and transitions of the counters: 10^7, and seven times nine tenths of it.
const COUNTED: Size = (10_000_000, 63_000_000);
/// States and transitions of the ring, pinned by the tests.
const RINGS: Size = (777_771, 4_953_005);

/// How many states a model has, and transitions.
type Size = (usize, usize);

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

/// The corrected Chord, with one cheap fact: what is compared is the exploring.
#[derive(Clone, Debug)]
struct Ring(AtomicRing);

impl Ring {
    fn new() -> Self {
        let scope = Scope::new(Variant::Zave2017, 5, 2);
        Self(AtomicRing::new(scope).expect("a possible scope"))
    }
}

impl Model for Ring {
    type State = ring::State;
    type Action = ring::Action;

    fn init_states(&self) -> Vec<Self::State> {
        self.0.init_states()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.0.actions(state, actions);
    }

    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State> {
        self.0.next_state(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(
            "somebody_is_there",
            |_, state: &ring::State| state.live().next().is_some(),
        )]
    }
}

impl Pack for Ring {
    fn width(&self) -> Option<usize> {
        self.0.width()
    }

    fn pack(&self, state: &Self::State, bytes: &mut Vec<u8>) {
        self.0.pack(state, bytes);
    }

    fn unpack(&self, bytes: &[u8]) -> Self::State {
        self.0.unpack(bytes)
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
    let runs = runs.unwrap_or(RUNS);
    let mut counters = checkers(&Counters, COUNTED);
    match Spin::build() {
        Ok(spin) => {
            let name = format!("SPIN ({})", Spin::FLAGS);
            counters.push((name, Box::new(move || spin.run())));
        }
        Err(why) => println!("SPIN is not measured: {why}"),
    }
    compare("seven counters 0..9", COUNTED, counters, runs);
    let rings = checkers(&Ring::new(), RINGS);
    compare(
        "chord zave2017, 5 identifiers, lists of 2",
        RINGS,
        rings,
        runs,
    );
}

/// Ours and Stateright's, on a model of that size.
fn checkers<M>(model: &M, size: Size) -> Vec<(String, Run)>
where
    M: Explorable + Clone,
{
    let (one, two) = (model.clone(), model.clone());
    let (broad, deep) = (model.clone(), model.clone());
    vec![
        (
            "peerproof, 1 thread".into(),
            Box::new(move || ours(&one, 1, size)),
        ),
        (
            "peerproof, 2 threads".into(),
            Box::new(move || ours(&two, 2, size)),
        ),
        (
            "Stateright BFS, 1 thread".into(),
            Box::new(move || stateright(&broad, true, size)),
        ),
        (
            "Stateright DFS, 1 thread".into(),
            Box::new(move || stateright(&deep, false, size)),
        ),
    ]
}

fn compare(what: &str, size: Size, mut checkers: Vec<(String, Run)>, runs: usize) {
    // For a look at one of them alone: `ONLY="peerproof, 1"`.
    let only = std::env::var("ONLY").unwrap_or_default();
    checkers.retain(|(name, _)| name.starts_with(&only));
    let mut best: Vec<Vec<Measured>> = checkers.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        for ((name, run), measured) in checkers.iter().zip(&mut best) {
            match run() {
                Some(one) => measured.push(one),
                None => println!("{name}: this run gave nothing that can be read"),
            }
        }
    }
    println!("{what}: {} states, {} transitions", size.0, size.1);
    println!(
        "{:<70} {:>9} {:>9} {:>12} {:>11}",
        "", "fastest", "slowest", "states/s", "bytes/state"
    );
    for ((name, _), measured) in checkers.iter().zip(&best) {
        report(name, size, measured);
    }
}

fn report(name: &str, size: Size, measured: &[Measured]) {
    let Some(fastest) = measured.iter().min_by_key(|one| one.time) else {
        return;
    };
    let slowest = measured
        .iter()
        .map(|one| one.time)
        .max()
        .unwrap_or_default();
    let speed = size.0 as f64 / fastest.time.as_secs_f64();
    let bytes = fastest
        .bytes
        .map_or("-".to_owned(), |bytes| format!("{bytes:.1}"));
    println!(
        "{name:<70} {:>7.2} s {:>7.2} s {speed:>12.0} {bytes:>11}",
        fastest.time.as_secs_f64(),
        slowest.as_secs_f64()
    );
}

fn ours<M: Explorable>(model: &M, threads: usize, size: Size) -> Option<Measured> {
    let explorer = Explorer::new(model).threads(threads);
    let began = Instant::now();
    let report = explorer.check(&Fact::of(model));
    let time = began.elapsed();
    assert_eq!(report.verdict, Verdict::Holds);
    assert_eq!((report.states, report.transitions), size);
    Some(Measured {
        time,
        bytes: Some(report.bytes_per_state),
    })
}

fn stateright<M: Explorable + Clone>(
    model: &M,
    breadth_first: bool,
    size: Size,
) -> Option<Measured> {
    let model = model.clone();
    let began = Instant::now();
    let builder = model.checker().threads(1);
    let states = if breadth_first {
        builder.spawn_bfs().join().unique_state_count()
    } else {
        builder.spawn_dfs().join().unique_state_count()
    };
    let time = began.elapsed();
    assert_eq!(states, size.0);
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
        assert!((states - COUNTED.0 as f64).abs() < 10.0, "{said}");
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

//! The explorer beside Stateright and SPIN: seven counters from 0 to 9, and the corrected Chord with five identifiers
//! and lists of two.
//!
//! A plain program: one run of a checker takes seconds, needs hundreds of megabytes, and tells its own states, so
//! repeated sampling would add nothing but waiting. Every checker runs `RUNS` times, in turns, and the fastest run of
//! each is reported beside the slowest.
//!
//! Stateright's depth-first search keeps a whole path for each state that waits, which is more than a machine has where
//! paths are long. So Stateright runs in a process of its own with so much address space and no more.

#[path = "../tests/spin/verifier.rs"]
mod verifier;

use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use peerproof_model::chord::ring::{self, AtomicRing, Scope, Variant};
use peerproof_model::explore::{Explorable, Explorer, Fact, Pack, Verdict};
use stateright::{Checker, Model, Property};

use verifier::Verifier;

/// How often every checker runs; the environment variable `RUNS` says otherwise.
const RUNS: usize = 3;
/// States and transitions of the counters: 10^7, and seven times nine tenths of it.
const COUNTED: Size = (10_000_000, 63_000_000);
/// States and transitions of the ring, pinned by the tests.
const RINGS: Size = (777_771, 4_953_005);

/// What Stateright may use.
const GIBIBYTES: u64 = 8;
/// Names the search for the process of its own.
const SEARCH: &str = "STATERIGHT_SEARCH";

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
    /// Bytes per state, by the checker's own count; for Stateright, which has none, by the system's.
    bytes: Option<f64>,
}

/// Measures once, or says why it cannot.
type Run = Box<dyn Fn() -> Result<Measured, String>>;

fn main() {
    if let Ok(search) = std::env::var(SEARCH) {
        return search_alone(&search);
    }
    // `cargo test --benches` must not explore ten million states.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let runs = std::env::var("RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok());
    let runs = runs.unwrap_or(RUNS);
    let mut counters = checkers("counters", &Counters, COUNTED);
    counters.push(spin("counters.pml", &[], "-m1000 -w24", COUNTED));
    compare("seven counters 0..9", COUNTED, counters, runs);
    let mut rings = checkers("chord", &Ring::new(), RINGS);
    let scope = ["-DN=5", "-DR=2"];
    rings.push(spin("chord.pml", &scope, "-m200000 -w20", RINGS));
    compare(
        "chord zave2017, 5 identifiers, lists of 2",
        RINGS,
        rings,
        runs,
    );
}

/// Ours and Stateright's, on a model of that name and size.
fn checkers<M>(name: &'static str, model: &M, size: Size) -> Vec<(String, Run)>
where
    M: Explorable + Clone,
{
    let (one, two) = (model.clone(), model.clone());
    vec![
        (
            "peerproof, 1 thread".into(),
            Box::new(move || Ok(ours(&one, 1, size))),
        ),
        (
            "peerproof, 2 threads".into(),
            Box::new(move || Ok(ours(&two, 2, size))),
        ),
        (
            "Stateright BFS, 1 thread".into(),
            Box::new(move || stateright(&format!("{name} breadth first"), size)),
        ),
        (
            "Stateright DFS, 1 thread".into(),
            Box::new(move || stateright(&format!("{name} depth first"), size)),
        ),
    ]
}

fn compare(what: &str, size: Size, mut checkers: Vec<(String, Run)>, runs: usize) {
    // For a look at one of them alone: `ONLY="peerproof, 1"`.
    let only = std::env::var("ONLY").unwrap_or_default();
    checkers.retain(|(name, _)| name.starts_with(&only));
    let mut results: Vec<Result<Vec<Measured>, String>> =
        checkers.iter().map(|_| Ok(Vec::new())).collect();
    for _ in 0..runs {
        for ((_, run), result) in checkers.iter().zip(&mut results) {
            // What could not be measured once is not tried again.
            let Ok(measured) = result else { continue };
            match run() {
                Ok(one) => measured.push(one),
                Err(why) => *result = Err(why),
            }
        }
    }
    println!("{what}: {} states, {} transitions", size.0, size.1);
    println!(
        "{:<70} {:>9} {:>9} {:>12} {:>11}",
        "", "fastest", "slowest", "states/s", "bytes/state"
    );
    for ((name, _), result) in checkers.iter().zip(&results) {
        match result {
            Ok(measured) => report(name, size, measured),
            Err(why) => println!("{name:<70} {why}"),
        }
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

fn ours<M: Explorable>(model: &M, threads: usize, size: Size) -> Measured {
    let explorer = Explorer::new(model).threads(threads);
    let began = Instant::now();
    let report = explorer.check(&Fact::of(model));
    let time = began.elapsed();
    assert_eq!(report.verdict, Verdict::Holds);
    assert_eq!((report.states, report.transitions), size);
    Measured {
        time,
        bytes: Some(report.bytes_per_state),
    }
}

/// Runs Stateright's search of that name in a process that has only so much address space.
fn stateright(search: &str, size: Size) -> Result<Measured, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let limited = format!("ulimit -v {} && exec \"$0\"", GIBIBYTES << 20);
    let output = Command::new("sh")
        .args(["-c", &limited])
        .arg(program)
        .env(SEARCH, search)
        .output()
        .map_err(|error| format!("sh: {error}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    if complaint.contains("memory allocation of") {
        return Err(format!("ran out of {GIBIBYTES} GiB"));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = said
        .split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect();
    let [states, seconds, bytes] = numbers[..] else {
        return Err(format!("{}: {complaint}", output.status));
    };
    assert_eq!(states as usize, size.0);
    Ok(Measured {
        time: Duration::from_secs_f64(seconds),
        bytes: Some(bytes / states).filter(|bytes| bytes.is_finite()),
    })
}

/// What that process does: it prints states, seconds, and the most bytes that were resident at once.
fn search_alone(search: &str) {
    let (states, time) = match search {
        "counters breadth first" => search_all(&Counters, true),
        "counters depth first" => search_all(&Counters, false),
        "chord breadth first" => search_all(&Ring::new(), true),
        "chord depth first" => search_all(&Ring::new(), false),
        _ => panic!("no search is called {search}"),
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        let kibibytes = line.strip_prefix("VmHWM:")?.split_whitespace().next()?;
        kibibytes.parse::<f64>().ok()
    });
    let bytes = peak.map_or(f64::NAN, |kibibytes| kibibytes * 1024.0);
    println!("{states} {} {bytes}", time.as_secs_f64());
}

fn search_all<M: Explorable + Clone>(model: &M, breadth_first: bool) -> (usize, Duration) {
    let model = model.clone();
    let began = Instant::now();
    let builder = model.checker().threads(1);
    let states = if breadth_first {
        builder.spawn_bfs().join().unique_state_count()
    } else {
        builder.spawn_dfs().join().unique_state_count()
    };
    (states, began.elapsed())
}

/// SPIN on a model of ours in Promela.
fn spin(model: &str, definitions: &[&str], flags: &'static str, size: Size) -> (String, Run) {
    const BUILD: &str = "-O3 -DSAFETY -DNOREDUCE -DMEMLIM=4096";
    let name = format!("SPIN (gcc {BUILD}; pan {flags})");
    let verifier = Verifier::build(model, definitions, BUILD).map(Rc::new);
    let run = move || {
        let verifier = verifier.clone()?;
        let began = Instant::now();
        let said = verifier.run(flags)?;
        let time = began.elapsed();
        let states = said.number("states, stored")?;
        // The end of the loop and the beginning are states of their own for SPIN.
        let surplus = states - size.0 as f64;
        assert!((0.0..2.0).contains(&surplus), "{said:?}");
        let megabytes = said.number("total actual memory usage")?;
        Ok(Measured {
            time,
            bytes: Some(megabytes * 1_048_576.0 / states),
        })
    };
    (name, Box::new(run))
}

//! SPIN, which shares no code with this project, visits as many states of the corrected Chord as the explorer does, and
//! takes as many steps: `benches/chord.pml` says in Promela what `src/chord/ring` says in Rust.
//!
//! Where spin or gcc is not installed the tests are ignored, and say so; with PEERPROOF_REQUIRE_CLIENTS=1 they fail.

mod verifier;

use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::ring::{AtomicRing, Scope, Variant};
use peerproof_model::chord::rules::Rules;
use peerproof_model::explore::{Explorer, Limits};
use stateright::Model;

use verifier::Verifier;

/// Identifiers and lengths of lists.
const SCOPES: [(u8, u8); 4] = [(3, 2), (4, 2), (5, 3), (5, 2)];

/// States, transitions.
type Counts = (usize, usize);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var("PEERPROOF_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    let absence = absence();
    let trial = |name: &str, run: Box<dyn FnOnce() -> Result<(), Failed> + Send>| match &absence {
        None => Trial::test(name, run),
        Some(reason) if required => {
            let reason = reason.clone();
            Trial::test(name, move || Err(reason.into()))
        }
        Some(reason) => Trial::test(name, || Ok(()))
            .with_kind(format!("absent: {reason}"))
            .with_ignored_flag(true),
    };
    let mut trials: Vec<Trial> = SCOPES
        .into_iter()
        .map(|(ids, successors)| {
            let name = format!("spin_agrees_about_{ids}_identifiers_and_lists_of_{successors}");
            trial(&name, Box::new(move || agree(ids, successors)))
        })
        .collect();
    let name = "spin_disagrees_with_every_broken_rule";
    trials.push(trial(name, Box::new(disagree)));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn agree(ids: u8, successors: u8) -> Result<(), Failed> {
    let ours = ours(ids, successors, None, None);
    let theirs = theirs(ids, successors)?;
    if ours != theirs {
        return Err(format!("ours {ours:?}, SPIN's {theirs:?}").into());
    }
    Ok(())
}

/// Shows that the other trials would notice: whatever a rule of the ring is broken by, the counts are others.
fn disagree() -> Result<(), Failed> {
    let of_the_ring = |mutant: &&Mutant| **mutant <= Mutant::NeverNotifies;
    let mut unnoticed: Vec<Mutant> = Mutant::ALL.iter().filter(of_the_ring).copied().collect();
    for (ids, successors) in &SCOPES[1..] {
        let theirs = theirs(*ids, *successors)?;
        let most = Some(2 * theirs.0);
        unnoticed.retain(|mutant| ours(*ids, *successors, Some(*mutant), most) == theirs);
    }
    if !unnoticed.is_empty() {
        return Err(format!("nothing tells {unnoticed:?} from the rules").into());
    }
    Ok(())
}

fn ring(ids: u8, successors: u8) -> AtomicRing {
    AtomicRing::new(Scope::new(Variant::Zave2017, ids, successors)).expect("a possible scope")
}

/// Counts ours, as far as so many states: a broken ring may have very many.
fn ours(ids: u8, successors: u8, mutant: Option<Mutant>, most: Option<usize>) -> Counts {
    let ring = ring(ids, successors).with(Rules { mutant });
    let limits = Limits {
        states: most,
        ..Limits::default()
    };
    let report = Explorer::new(&ring).limits(limits).check(&[]);
    (report.states, report.transitions)
}

fn theirs(ids: u8, successors: u8) -> Result<Counts, Failed> {
    let definitions = [format!("-DN={ids}"), format!("-DR={successors}")];
    let definitions: Vec<&str> = definitions.iter().map(String::as_str).collect();
    let verifier = Verifier::build("chord.pml", &definitions, "-O1 -DSAFETY -DNOREDUCE")?;
    let said = verifier.run("-m1000000 -w20")?;
    let states = said.number("states, stored")? as usize;
    let transitions = said.number("transitions (= stored+matched)")? as usize;
    // Before the first ring there is a state without any, and SPIN counts as transitions that it gets there, and one
    // from there to each ring where runs may start.
    let starts = ring(ids, successors).init_states().len();
    Ok((states - 1, transitions - 1 - starts))
}

/// Why there can be no verifier: a program that is missing.
fn absence() -> Option<String> {
    let missing = |(program, asked): (&str, &str)| {
        let error = Command::new(program).arg(asked).output().err()?;
        Some(format!("{program}: {error}"))
    };
    [("spin", "-V"), ("gcc", "--version")]
        .into_iter()
        .find_map(missing)
}

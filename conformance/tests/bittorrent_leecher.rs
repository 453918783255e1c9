//! The leecher suite against the reference leecher, sound and broken.

use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof::case::{CaseInfo, Outcome, Verdict};
use peerproof::suite::bittorrent::leecher::LeecherSuite;
use peerproof::suite::{Break, Options, Suite};
use peerproof::target::Target;
use peerproof_model::bittorrent::mutant::{Mutant, Side};

/// The reference answers at once: what it has not done by then it will not do.
fn options(case: &CaseInfo) -> Options {
    Options {
        patience: Duration::from_millis(800),
        // The slow case waits for an interval of eight seconds.
        long_patience: Duration::from_secs(if case.slow { 15 } else { 5 }),
        ..Options::default()
    }
}

fn play(case: &CaseInfo, bug: Option<&str>, seed: u64) -> Result<Outcome, Failed> {
    let target = Target::Embedded {
        bug: bug.map(str::to_owned),
    };
    let session = LeecherSuite.open(&target, &options(case))?;
    Ok(session.play(case, seed))
}

fn passes(case: &CaseInfo) -> Result<(), Failed> {
    for seed in [1, 2] {
        let outcome = play(case, None, seed)?;
        if outcome.verdict != Verdict::Pass {
            return Err(format!(
                "{:?} with seed {seed}: {}",
                outcome.verdict, outcome.observed
            )
            .into());
        }
    }
    Ok(())
}

/// A break is caught when the declared case sees its property broken, not when it times out.
fn catches(case: &CaseInfo, known: &Break) -> Result<(), Failed> {
    let outcome = play(case, Some(known.name), 1)?;
    match outcome.verdict {
        Verdict::Fail | Verdict::NonStrict => Ok(()),
        other => Err(format!("{other:?}: {}", outcome.observed).into()),
    }
}

fn every_leecher_mutant_is_served() -> Result<(), Failed> {
    let names: Vec<&str> = LeecherSuite
        .breaks()
        .iter()
        .map(|known| known.name)
        .collect();
    let missing = Mutant::of(Side::Leecher).filter(|mutant| !names.contains(&mutant.name()));
    // Tit for tat needs rates over many seconds: the model checks it.
    let missing: Vec<&str> = missing
        .map(Mutant::name)
        .filter(|name| *name != "favours-free-riders")
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("without a case: {missing:?}").into())
    }
}

fn claims_and_properties_are_known() -> Result<(), Failed> {
    let claims = LeecherSuite.claims();
    let properties = LeecherSuite.properties();
    for case in LeecherSuite.cases() {
        if !properties.contains(&case.property) {
            return Err(format!("{}: no property {}", case.id, case.property).into());
        }
        for claim in case.claims {
            if !claims.iter().any(|known| known.id == *claim) {
                return Err(format!("{}: no claim {claim}", case.id).into());
            }
        }
    }
    Ok(())
}

fn a_running_client_needs_a_folder() -> Result<(), Failed> {
    let target = Target::Address(([127, 0, 0, 1], 9).into());
    match LeecherSuite.open(&target, &Options::default()) {
        Err(peerproof::suite::OpenError::Usage(why)) if why.contains("--torrents") => Ok(()),
        Err(other) => Err(other.into()),
        Ok(_) => Err("it opened".into()),
    }
}

fn main() {
    let mut arguments = Arguments::from_args();
    // Waiting is most of what these tests do.
    arguments.test_threads.get_or_insert(8);
    let mut trials = vec![
        Trial::test(
            "every_leecher_mutant_is_served",
            every_leecher_mutant_is_served,
        ),
        Trial::test(
            "claims_and_properties_are_known",
            claims_and_properties_are_known,
        ),
        Trial::test(
            "a_running_client_needs_a_folder",
            a_running_client_needs_a_folder,
        ),
    ];
    let cases = LeecherSuite.cases();
    for case in cases.clone() {
        trials.push(Trial::test(format!("sound/{}", case.id), move || {
            passes(&case)
        }));
    }
    for known in LeecherSuite.breaks() {
        let case = cases
            .iter()
            .find(|case| case.id == known.caught_by)
            .copied();
        trials.push(Trial::test(
            format!("break/{}", known.name),
            move || match case {
                Some(case) => catches(&case, known),
                None => Err(format!("no case {}", known.caught_by).into()),
            },
        ));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

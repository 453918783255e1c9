//! `peerproof explain`: what a case or a claim is, why, where it is said, how to reproduce.

use std::io::Write;

use anstyle::Style;
use peerproof_model::claim::{Claim, Strength};

use super::{Catalogue, Failure, GOOD, nearest};
use crate::case::{CaseInfo, Level};
use crate::report::claims;
use crate::suite::Suite;

const BOLD: Style = Style::new().bold();

#[derive(clap::Args)]
pub(super) struct Args {
    /// The id of a case or a claim, as `peerproof list` and the reports show it
    id: String,
}

pub(super) fn run(args: &Args, catalogue: &Catalogue, out: &mut dyn Write) -> Result<u8, Failure> {
    for suite in &catalogue.suites {
        if let Some(case) = suite.cases().into_iter().find(|case| case.id == args.id) {
            explain_case(*suite, &case, out)?;
            return Ok(GOOD);
        }
    }
    let claim = catalogue
        .suites
        .iter()
        .flat_map(|suite| suite.claims())
        .find(|claim| claim.id == args.id);
    match claim {
        Some(claim) => {
            explain_claim(catalogue, claim, out)?;
            Ok(GOOD)
        }
        None => Err(unknown(catalogue, &args.id)),
    }
}

fn unknown(catalogue: &Catalogue, id: &str) -> Failure {
    let suites = || catalogue.suites.iter();
    let cases: Vec<CaseInfo> = suites().flat_map(|suite| suite.cases()).collect();
    let claims = suites()
        .flat_map(|suite| suite.claims())
        .map(|claim| claim.id);
    let mut ids: Vec<&str> = cases.iter().map(|case| case.id).chain(claims).collect();
    ids.sort_unstable();
    ids.dedup();
    let hint = nearest::hint(id, ids);
    Failure::usage(format!(
        "no case or claim is called `{id}`; {hint}`peerproof list` names the cases and their claims"
    ))
}

fn explain_case(suite: &dyn Suite, case: &CaseInfo, out: &mut dyn Write) -> Result<(), Failure> {
    let level = match case.level {
        Level::Must => "must: a target that breaks it fails",
        Level::Should => "should: a target that does otherwise is called non-strict",
        Level::May => "may: a choice that is only reported",
    };
    writeln!(out, "{BOLD}{}{BOLD:#}\n", case.id)?;
    writeln!(out, "  what      {}", case.story)?;
    writeln!(out, "  expected  {}", case.expected)?;
    writeln!(out, "  level     {level}")?;
    writeln!(out, "  asks      {}", case.property)?;
    if case.slow {
        writeln!(
            out,
            "  slow      needs minutes by its nature; runs with --slow"
        )?;
    }
    if case.alone {
        writeln!(
            out,
            "  alone     runs while no other case talks to the target"
        )?;
    }
    for claim in claims(suite, case) {
        writeln!(out, "\n  {BOLD}{}{BOLD:#}  {}", claim.id, claim.source)?;
        writeln!(out, "  {}", claim.wording)?;
    }
    let caught: Vec<_> = suite
        .breaks()
        .iter()
        .filter(|it| it.caught_by == case.id)
        .collect();
    let slow = if case.slow { " --slow" } else { "" };
    let run = format!("peerproof test {} --case {}{slow}", suite.name(), case.id);
    writeln!(out, "\n  see it kept    {run}")?;
    for it in caught {
        writeln!(out, "  see it broken  {run} --break {}", it.name)?;
    }
    Ok(())
}

fn explain_claim(catalogue: &Catalogue, claim: &Claim, out: &mut dyn Write) -> Result<(), Failure> {
    let strength = match claim.strength {
        Strength::Must => "must",
        Strength::Should => "should",
        Strength::May => "may",
    };
    writeln!(out, "{BOLD}{}{BOLD:#}\n", claim.id)?;
    writeln!(out, "  says      {}", claim.wording)?;
    writeln!(out, "  source    {}", claim.source)?;
    writeln!(out, "  strength  {strength}")?;
    if claim.optional {
        writeln!(out, "  optional  a node may lack the whole feature")?;
    }
    writeln!(out, "\n  tested by")?;
    for suite in &catalogue.suites {
        for case in suite
            .cases()
            .iter()
            .filter(|case| case.claims.contains(&claim.id))
        {
            writeln!(out, "    {}", case.id)?;
        }
    }
    Ok(())
}

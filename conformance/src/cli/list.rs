//! `peerproof list`: what there is to judge.

use std::io::Write;

use anstyle::Style;

use super::{Catalogue, Failure, GOOD, suite};
use crate::case::Level;
use crate::suite::Suite;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

#[derive(clap::Args)]
pub(super) struct Args {
    /// The suite whose cases to list; without one, every suite
    suite: Option<String>,
    /// List the seeded violations of the reference nodes instead of the cases
    #[arg(long)]
    breaks: bool,
}

pub(super) fn run(args: &Args, catalogue: &Catalogue, out: &mut dyn Write) -> Result<u8, Failure> {
    let suites = match &args.suite {
        Some(name) => vec![suite(catalogue, name)?],
        None => catalogue.suites.clone(),
    };
    for suite in suites {
        writeln!(out, "{BOLD}{}{BOLD:#}  {}", suite.name(), suite.about())?;
        if args.breaks {
            breaks(suite, out)?;
        } else {
            cases(suite, out)?;
        }
        writeln!(out)?;
    }
    Ok(GOOD)
}

fn cases(suite: &dyn Suite, out: &mut dyn Write) -> Result<(), Failure> {
    let cases = suite.cases();
    let width = cases.iter().map(|case| case.id.len()).max().unwrap_or(0);
    for case in cases {
        let level = match case.level {
            Level::Must => "must",
            Level::Should => "should",
            Level::May => "may",
        };
        let slow = if case.slow { "  slow" } else { "" };
        let claims = case.claims.join(", ");
        writeln!(
            out,
            "  {:width$}  {level:6}  {DIM}{claims}{DIM:#}{slow}",
            case.id
        )?;
    }
    Ok(())
}

fn breaks(suite: &dyn Suite, out: &mut dyn Write) -> Result<(), Failure> {
    let breaks = suite.breaks();
    let width = breaks.iter().map(|it| it.name.len()).max().unwrap_or(0);
    for it in breaks {
        writeln!(
            out,
            "  {:width$}  {}; {DIM}caught by {}{DIM:#}",
            it.name, it.what, it.caught_by
        )?;
    }
    Ok(())
}

//! The seeder suite against the reference seeder, sound and broken.

mod slow_link;

use std::net::Ipv4Addr;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof::case::{CaseInfo, Verdict};
use peerproof::run::{Selection, SuiteReport, Unwatched, run};
use peerproof::serve::bittorrent::peer::Seeder;
use peerproof::serve::{ServeOptions, Server as _};
use peerproof::suite::bittorrent::seeder::SeederSuite;
use peerproof::suite::{Break, Options, Suite};
use peerproof::target::Target;
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::mutant::{Mutant, Side};

fn judge(
    bug: Option<&str>,
    options: &Options,
    selection: &Selection,
) -> Result<SuiteReport, Failed> {
    let target = Target::Embedded {
        bug: bug.map(str::to_owned),
    };
    let session = SeederSuite.open(&target, options)?;
    let seed = options.seed;
    Ok(run(&SeederSuite, &*session, selection, seed, &Unwatched))
}

fn only(case: &CaseInfo) -> Result<Selection, Failed> {
    Ok(Selection {
        patterns: vec![globset::Glob::new(case.id)?.compile_matcher()],
        slow: true,
        ..Selection::default()
    })
}

fn every_case_passes(seed: u64) -> Result<(), Failed> {
    let options = Options {
        seed,
        ..Options::default()
    };
    passes(&judge(None, &options, &Selection::default())?)
}

/// A target is no worse for being far away.
fn every_case_passes_over_a_slow_link() -> Result<(), Failed> {
    let room = tempfile::tempdir()?;
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let metainfo = Metainfo::from_content(b"far", 1 << 16, &content, None).ok_or("no torrent")?;
    let torrent = room.path().join("far.torrent");
    std::fs::write(&torrent, metainfo.encode())?;
    let data = room.path().join("far");
    std::fs::write(&data, content)?;
    let seeder = Seeder.start(&ServeOptions {
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        bug: None,
        seed: 1,
        torrent: Some(torrent.clone()),
        data: Some(data),
    })?;
    let target = Target::Address(slow_link::to(seeder.address())?);
    let options = Options {
        torrent: Some(torrent),
        ..Options::default()
    };
    let session = SeederSuite.open(&target, &options)?;
    let selection = Selection::default();
    let report = run(&SeederSuite, &*session, &selection, 1, &Unwatched);
    let others: Vec<_> = report
        .outcomes()
        .filter(|(_, outcome)| outcome.verdict != Verdict::Pass)
        .map(|(case, outcome)| (case.id, outcome.verdict))
        .collect();
    // Who runs already states nothing to the kit, and sees the address of the link where the kit has others.
    let expected = [
        ("bittorrent-seeder/slots/stated", Verdict::Unimplemented),
        ("bittorrent-seeder/fast/allowed-set", Verdict::NonStrict),
    ];
    if others == expected {
        Ok(())
    } else {
        Err(format!("{others:?}").into())
    }
}

fn passes(report: &SuiteReport) -> Result<(), Failed> {
    let wrong: Vec<String> = report
        .outcomes()
        .filter(|(_, outcome)| outcome.verdict != Verdict::Pass)
        .map(|(case, outcome)| format!("{} {:?}: {}", case.id, outcome.verdict, outcome.observed))
        .collect();
    if wrong.is_empty() && report.outcomes().count() >= 35 {
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

/// A break is caught when the declared case sees its property broken, not when it times out.
fn catches(case: &CaseInfo, known: &Break) -> Result<(), Failed> {
    let options = Options {
        // The reference answers at once; who waits for the answer of a broken one need not wait for long.
        patience: Duration::from_secs(1),
        long_patience: Duration::from_secs(15),
        ..Options::default()
    };
    let report = judge(Some(known.name), &options, &only(case)?)?;
    let (_, outcome) = report.outcomes().next().ok_or("the case did not run")?;
    match outcome.verdict {
        Verdict::Fail | Verdict::NonStrict => Ok(()),
        other => Err(format!("{other:?}: {}", outcome.observed).into()),
    }
}

fn every_seeder_mutant_is_served() -> Result<(), Failed> {
    let names: Vec<&str> = SeederSuite.breaks().iter().map(|it| it.name).collect();
    let missing: Vec<&str> = Mutant::of(Side::Seeder)
        .map(Mutant::name)
        .filter(|name| !names.contains(name))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("without a case: {missing:?}").into())
    }
}

fn claims_and_properties_are_known() -> Result<(), Failed> {
    let claims = SeederSuite.claims();
    let properties = SeederSuite.properties();
    for case in SeederSuite.cases() {
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

fn main() {
    let mut arguments = Arguments::from_args();
    // Waiting is most of what these tests do.
    arguments.test_threads.get_or_insert(6);
    let mut trials = vec![
        Trial::test(
            "every_seeder_mutant_is_served",
            every_seeder_mutant_is_served,
        ),
        Trial::test(
            "claims_and_properties_are_known",
            claims_and_properties_are_known,
        ),
        Trial::test("sound/every-case-passes", || every_case_passes(1)),
        Trial::test("sound/every-case-passes-with-another-seed", || {
            every_case_passes(2)
        }),
        Trial::test(
            "sound/every-case-passes-over-a-slow-link",
            every_case_passes_over_a_slow_link,
        ),
    ];
    let cases = SeederSuite.cases();
    for known in SeederSuite.breaks() {
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

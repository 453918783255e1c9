//! The suite `chord` against the reference node, sound and broken.

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof::case::{CaseInfo, Verdict};
use peerproof::run::{Selection, SuiteReport, Unwatched, WhyNot, run};
use peerproof::suite::chord::ChordSuite;
use peerproof::suite::{Break, OpenError, Options, Suite};
use peerproof::target::Target;

fn judge(
    bug: Option<&str>,
    options: &Options,
    selection: &Selection,
) -> Result<SuiteReport, Failed> {
    let target = Target::Embedded {
        bug: bug.map(str::to_owned),
    };
    let session = ChordSuite.open(&target, options)?;
    let seed = options.seed;
    Ok(run(&ChordSuite, &*session, selection, seed, &Unwatched))
}

fn only(id: &str) -> Result<Selection, Failed> {
    Ok(Selection {
        patterns: vec![globset::Glob::new(id)?.compile_matcher()],
        slow: true,
        ..Selection::default()
    })
}

/// The reference passes a case. Only an overloaded machine may keep it from being judged, and then not for ever.
fn passes(case: &CaseInfo) -> Result<(), Failed> {
    let mut last = String::new();
    for seed in 1..=3 {
        let options = Options {
            seed,
            ..Options::default()
        };
        let report = judge(None, &options, &only(case.id)?)?;
        let (_, outcome) = report.outcomes().next().ok_or("the case did not run")?;
        match outcome.verdict {
            Verdict::Pass => return Ok(()),
            Verdict::Inconclusive if outcome.observed.contains("kept the kit waiting") => {
                last.clone_from(&outcome.observed);
            }
            other => return Err(format!("{other:?}: {}", outcome.observed).into()),
        }
    }
    Err(format!("never judged: {last}").into())
}

/// A break is caught when the declared case sees its property broken.
fn catches(known: &Break) -> Result<(), Failed> {
    let report = judge(
        Some(known.name),
        &Options::default(),
        &only(known.caught_by)?,
    )?;
    let (_, outcome) = report.outcomes().next().ok_or("the case did not run")?;
    match outcome.verdict {
        Verdict::Fail | Verdict::NonStrict => Ok(()),
        other => Err(format!("{other:?}: {}", outcome.observed).into()),
    }
}

/// A program as the nodes of a ring, judged by some cases.
fn judge_program(line: &str, pattern: &str) -> Result<SuiteReport, Failed> {
    let options = Options {
        patience: Duration::from_millis(400),
        period: Some(Duration::from_millis(20)),
        ..Options::default()
    };
    let session = ChordSuite.open(&Target::Command(line.to_owned()), &options)?;
    let selection = only(pattern)?;
    Ok(run(&ChordSuite, &*session, &selection, 1, &Unwatched))
}

/// A node that does nothing of use passes nothing, and keeps nobody waiting for ever.
fn useless(line: &str) -> Result<(), Failed> {
    let report = judge_program(line, "chord/{single,join}/*")?;
    let all = ChordSuite.cases();
    let some = all
        .iter()
        .filter(|case| case.id.starts_with("chord/single/"));
    for case in some {
        let outcome = report.outcomes().find(|(info, _)| info.id == case.id);
        let (_, outcome) = outcome.ok_or("a case did not run")?;
        if outcome.verdict != Verdict::Fail {
            return Err(format!("{} {:?}: {}", case.id, outcome.verdict, outcome.observed).into());
        }
    }
    match report.count(Verdict::Pass) {
        0 => Ok(()),
        passed => Err(format!("{passed} cases passed").into()),
    }
}

/// A node that can join alone and tell its state, and says that it can do no more.
const HALF_BUILT: &str = r#"while read -r line; do
    number=$(printf %s "$line" | sed 's/.*"msg_id":\([0-9]*\).*/\1/')
    case "$line" in
        *'"type":"init"'*) say='"init_ok","operations":["join","state"]' ;;
        *'"type":"join"'*) say='"join_ok"' ;;
        *'"type":"state"'*) say='"state_ok","member":true,"id":{id},"successors":[{id}],"predecessor":null' ;;
        *) say='"error","code":10,"text":"not yet"' ;;
    esac
    printf '{"src":"{name}","dest":"kit","body":{"in_reply_to":%s,"type":%s}}\n' "$number" "$say"
done"#;

fn a_half_built_node_is_told_what_to_do_next() -> Result<(), Failed> {
    let report = judge_program(HALF_BUILT, "chord/single/*")?;
    let verdicts: Vec<(&str, Verdict)> = report
        .outcomes()
        .map(|(case, outcome)| (case.id, outcome.verdict))
        .collect();
    let expected = [
        ("chord/single/state", Verdict::Pass),
        ("chord/single/owns-everything", Verdict::Unimplemented),
        ("chord/single/stores", Verdict::Unimplemented),
    ];
    if verdicts != expected {
        return Err(format!("{verdicts:?}").into());
    }
    let advice = ChordSuite.advice(&report).ok_or("no advice")?;
    if advice.contains("the node has no `lookup`") {
        Ok(())
    } else {
        Err(advice.into())
    }
}

/// A run that is to end with the first failure ends there, and says so of the others.
fn ends_with_the_first_failure() -> Result<(), Failed> {
    let selection = Selection {
        until_first_fail: true,
        ..Selection::default()
    };
    let report = judge(Some("owns-nothing-alone"), &Options::default(), &selection)?;
    let last = report.outcomes().last();
    let (case, outcome) = last.ok_or("nothing ran")?;
    let ended = report
        .cases
        .iter()
        .filter(|case| case.why_not == Some(WhyNot::Ended));
    let rest = report.cases.len() - report.outcomes().count();
    if case.id == "chord/single/owns-everything"
        && outcome.verdict == Verdict::Fail
        && ended.count() == rest
        && rest > 30
    {
        Ok(())
    } else {
        Err(format!(
            "ended with {} and {:?}, {rest} left",
            case.id, outcome.verdict
        )
        .into())
    }
}

/// What fails comes with a schedule that is shorter than the story, and with the name of what is wrong.
fn a_failure_has_a_short_schedule_and_a_name() -> Result<(), Failed> {
    let options = Options {
        shrinking: Duration::from_secs(60),
        ..Options::default()
    };
    let id = "chord/lecture/join-of-40-moves-keys";
    let report = judge(Some("lists-moved-keys"), &options, &only(id)?)?;
    let (_, outcome) = report.outcomes().next().ok_or("the case did not run")?;
    let story = 6 + 7;
    // The figures of the ring, the steps, and what they show.
    let steps = outcome.schedule.len().saturating_sub(2);
    let shows = outcome
        .schedule
        .last()
        .is_some_and(|line| line.contains("owns since it has joined"));
    let named = outcome
        .observed
        .contains("diagnosis: keeps keys after a join");
    if named && shows && steps < story {
        Ok(())
    } else {
        Err(format!("{}\n{}", outcome.observed, outcome.schedule.join("\n")).into())
    }
}

fn an_address_is_no_target() -> Result<(), Failed> {
    let address = "127.0.0.1:1".parse()?;
    match ChordSuite.open(&Target::Address(address), &Options::default()) {
        Err(OpenError::Usage(why)) if why.contains("--node CMD") => Ok(()),
        Err(other) => Err(other.to_string().into()),
        Ok(_) => Err("it was opened".into()),
    }
}

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = Vec::new();
    for case in ChordSuite.cases() {
        trials.push(Trial::test(format!("passes {}", case.id), move || {
            passes(&case)
        }));
    }
    for known in ChordSuite.breaks() {
        let name = format!("catches {} by {}", known.name, known.caught_by);
        trials.push(Trial::test(name, move || catches(known)));
    }
    for (name, line) in [
        ("silent", "exec cat > /dev/null"),
        ("crashing", "read -r line; exit 3"),
        ("garbage", "while read -r line; do echo garbage; done"),
    ] {
        trials.push(Trial::test(
            format!("a {name} node passes nothing"),
            move || useless(line),
        ));
    }
    type Check = fn() -> Result<(), Failed>;
    let checks: [(&str, Check); 4] = [
        (
            "a half-built node is told what to do next",
            a_half_built_node_is_told_what_to_do_next,
        ),
        (
            "a run ends with the first failure",
            ends_with_the_first_failure,
        ),
        (
            "a failure has a short schedule and a name",
            a_failure_has_a_short_schedule_and_a_name,
        ),
        ("an address is no target", an_address_is_no_target),
    ];
    trials.extend(checks.map(|(name, check)| Trial::test(name, check)));
    let mut arguments = Arguments::from_args();
    // They wait more than they work.
    arguments.test_threads.get_or_insert(8);
    libtest_mimic::run(&arguments, trials).exit_code()
}

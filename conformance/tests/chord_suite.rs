//! The suite `chord` against the reference node, sound and broken.

mod needing;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use needing::needing;
use peerproof::case::{CaseInfo, Outcome, Verdict};
use peerproof::control::ring::Network;
use peerproof::fleet::{Isolation, can_isolate};
use peerproof::run::{Selection, SuiteReport, Unwatched, WhyNot, run};
use peerproof::suite::chord::ChordSuite;
use peerproof::suite::{self, Break, OpenError, Options, Suite};
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

/// Whether the machine was too busy to judge.
fn overloaded(outcome: &Outcome) -> bool {
    outcome.verdict == Verdict::Inconclusive
        && outcome.observed.contains("kept the kit or a node waiting")
}

/// A run in which everything was judged: only an overloaded machine may keep it from that, and then not for ever.
fn judged(mut play: impl FnMut() -> Result<SuiteReport, Failed>) -> Result<SuiteReport, Failed> {
    for _ in 0..3 {
        let report = play()?;
        if !report.outcomes().any(|(_, outcome)| overloaded(outcome)) {
            return Ok(report);
        }
    }
    Err("never judged: the machine is too busy".into())
}

/// What did not pass, a line each.
fn not_passed(report: &SuiteReport) -> Vec<String> {
    report
        .outcomes()
        .filter(|(_, outcome)| outcome.verdict != Verdict::Pass)
        .map(|(case, outcome)| format!("{} {:?}: {}", case.id, outcome.verdict, outcome.observed))
        .collect()
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
            Verdict::Inconclusive if overloaded(outcome) => {
                last.clone_from(&outcome.observed);
            }
            other => return Err(format!("{other:?}: {}", outcome.observed).into()),
        }
    }
    Err(format!("never judged: {last}").into())
}

/// The reference passes over sockets as well, but for the cases that this network cannot play.
fn passes_over_sockets(isolation: Isolation, not_run: usize) -> Result<(), Failed> {
    let options = Options {
        network: Some(Network::Sockets),
        isolation,
        ..Options::default()
    };
    let report = judged(|| judge(None, &options, &Selection::default()))?;
    let wrong = not_passed(&report);
    let skipped = report
        .cases
        .iter()
        .filter(|case| case.why_not == Some(WhyNot::Network));
    match (wrong.is_empty(), skipped.count()) {
        (true, skipped) if skipped == not_run => Ok(()),
        (_, skipped) => Err(format!("{skipped} not run; {}", wrong.join("\n")).into()),
    }
}

/// What a failure is called, by the beginning of the name; nobody is told a name that is not true of the break.
const NAMES: &[(&str, &str)] = &[
    ("keeps-dead-successor", "dead successor kept"),
    ("keeps-dead-predecessor", "dead predecessor kept"),
    ("never-notifies", "nobody is told of a newcomer"),
    ("fingers-off-by-one", "fingers off by one"),
    ("never-hands-over", "no keys are handed over to a newcomer"),
    (
        "acknowledges-early",
        "what a crashed node had acknowledged is gone",
    ),
    (
        "forgets-deletions",
        "an old copy brings a deleted value back",
    ),
    ("computes-offline", "dead successor kept"),
    ("knows-the-assignment", "ring computed offline"),
    ("lies-in-state", "its state is not what it acts on"),
    ("loses-keys-on-leave", "what a leaving node kept is gone"),
    ("walks-the-ring", "lookups follow successors only"),
    ("forgets-the-wrap", "the circle has an end"),
    ("keeps-old-state", "what a node kept comes back with it"),
    ("no-replicas", "replicas only on the owner"),
    ("lists-moved-keys", "keeps keys after a join"),
    ("owns-nothing-alone", "the arc from a node to itself"),
];

/// The same where the moment at which the ring breaks decides whether it shows.
const NAMES_AT_TIMES: &[(&str, &str)] = &[("settles-down", "dead successor kept")];

fn named_truly(known: &Break, observed: &str) -> Result<(), Failed> {
    let said = observed.split_once("; diagnosis: ").map(|(_, name)| name);
    let name_in = |names: &[(&str, &'static str)]| {
        let mut names = names.iter().filter(|(name, _)| *name == known.name);
        names.next().map(|(_, name)| *name)
    };
    let expected = name_in(NAMES).or(name_in(NAMES_AT_TIMES));
    let is_true = match (said, expected) {
        (Some(said), Some(expected)) => said.starts_with(expected),
        (Some(_), None) => false,
        (None, _) => name_in(NAMES).is_none(),
    };
    if is_true {
        Ok(())
    } else {
        Err(format!(
            "{} is called {said:?}, not {expected:?}: {observed}",
            known.name
        )
        .into())
    }
}

/// What a case says of a break; it is to see its property broken.
fn noticed(case: &str, bug: &str, options: &Options) -> Result<String, Failed> {
    let report = judge(Some(bug), options, &only(case)?)?;
    let (_, outcome) = report.outcomes().next().ok_or("the case did not run")?;
    match outcome.verdict {
        Verdict::Fail | Verdict::NonStrict => Ok(outcome.observed.clone()),
        other => Err(format!("{other:?}: {}", outcome.observed).into()),
    }
}

/// A break is caught when the declared case sees its property broken.
fn catches(known: &Break, options: &Options) -> Result<(), Failed> {
    named_truly(known, &noticed(known.caught_by, known.name, options)?)
}

/// A break for each case that none is declared for: a case that cannot fail is worse than none.
const ALSO: &[(&str, &str)] = &[
    ("chord/join/at-once", "never-notifies"),
    ("chord/join/duplicate-id", "never-notifies"),
    ("chord/lecture/fingers-of-80", "fingers-off-by-one"),
    ("chord/replicas/no-key-lost-after-crashes", "no-replicas"),
    ("chord/crash/two-neighbours", "keeps-dead-successor"),
    ("chord/rejoin/same-id", "never-forgives"),
    ("chord/churn/lookups-during-churn", "forgets-the-wrap"),
    ("chord/partition/heals", "never-notifies"),
    ("chord/network/reordering", "keeps-the-first-value"),
];

/// A case notices a break that is declared for another one.
fn notices(case: &str, bug: &str) -> Result<(), Failed> {
    noticed(case, bug, &Options::default()).map(drop)
}

fn every_case_has_a_break() -> Result<(), Failed> {
    let breaks = ChordSuite.breaks();
    let declared = |case: &str| breaks.iter().any(|known| known.caught_by == case);
    for case in ChordSuite.cases() {
        let other = ALSO.iter().any(|(also, _)| *also == case.id);
        if declared(case.id) == other {
            return Err(format!("{}: no break, or one too many", case.id).into());
        }
    }
    Ok(())
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
    let report = judged(|| judge_program(line, "chord/{single,join}/*"))?;
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
    // The figures of the ring, the steps, what they show, and perhaps what the specification does not explain.
    let lines = &outcome.schedule;
    let shown = lines.iter().position(|line| line.starts_with("broken "));
    let steps = shown.map_or(story, |shown| shown - 1);
    let shows = shown.is_some_and(|at| lines[at].contains("owns since it has joined"));
    let named = outcome
        .observed
        .contains("diagnosis: keeps keys after a join");
    if named && shows && steps < story {
        Ok(())
    } else {
        Err(format!("{}\n{}", outcome.observed, outcome.schedule.join("\n")).into())
    }
}

/// What cannot be judged is a wrong use, with a word about what to do instead.
fn wrong_uses_are_told_what_to_do() -> Result<(), Failed> {
    let adapter = Target::Adapter("no/such/file.toml".into());
    let kit = Some(Network::Kit);
    let uses = [
        (Target::Address("127.0.0.1:1".parse()?), None, "--node CMD"),
        (adapter.clone(), kit, "sockets of their own"),
        (adapter, None, "no/such/file.toml"),
        (
            Target::Command(" ".to_owned()),
            None,
            "the command line is empty",
        ),
    ];
    for (target, network, expected) in uses {
        let options = Options {
            network,
            ..Options::default()
        };
        match ChordSuite.open(&target, &options) {
            Err(OpenError::Usage(why)) if why.contains(expected) => {}
            Err(other) => return Err(format!("{target:?}: {other}").into()),
            Ok(_) => return Err(format!("{target:?} was opened").into()),
        }
    }
    for line in ["exec no-such-command", "/dev/null"] {
        let target = Target::Command(line.to_owned());
        match ChordSuite.open(&target, &Options::default()) {
            Err(OpenError::Unreachable(why)) if why.contains("--node takes a command line") => {}
            Err(other) => return Err(format!("{line}: {other}").into()),
            Ok(_) => return Err(format!("{line} was opened").into()),
        }
    }
    let adapter = Target::Adapter("some.toml".into());
    for suite in suite::all().into_iter().filter(|it| it.name() != "chord") {
        let opened = suite.open(&adapter, &Options::default());
        if !matches!(opened, Err(OpenError::Usage(_))) {
            return Err(format!("{} takes an adapter", suite.name()).into());
        }
    }
    Ok(())
}

/// A node that somebody else wrote, in another language, passes over both networks.
fn the_node_in_python(network: Network, isolation: Isolation) -> Result<(), Failed> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/nodes/ring_node.py");
    let options = Options {
        network: Some(network),
        isolation,
        patience: Duration::from_secs(10),
        ..Options::default()
    };
    let target = Target::Command(format!("exec python3 '{}'", file.display()));
    passes_all(&target, &options, "chord/{single,join,rejoin}/*", 10)
}

/// A node that takes one command after the other, and ends when it finds nobody to join through.
fn the_node_behind_commands() -> Result<(), Failed> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/adapters/cmd_ring.toml");
    let options = Options {
        patience: Duration::from_secs(2),
        ..Options::default()
    };
    let target = Target::Adapter(file);
    passes_all(&target, &options, "chord/{join/told-*,lookup/every-*}", 2)
}

fn passes_all(
    target: &Target,
    options: &Options,
    pattern: &str,
    cases: usize,
) -> Result<(), Failed> {
    let session = ChordSuite.open(target, options)?;
    let selection = only(pattern)?;
    let report = judged(|| Ok(run(&ChordSuite, &*session, &selection, 1, &Unwatched)))?;
    let wrong = not_passed(&report);
    match (wrong.is_empty(), report.outcomes().count()) {
        (true, count) if count == cases => Ok(()),
        (_, count) => Err(format!("{count} cases: {}", wrong.join("\n")).into()),
    }
}

/// A node behind an adapter lives, and is asked, within its namespace.
fn behind_an_adapter(style: &str) -> Result<(), Failed> {
    let file = format!("examples/adapters/{style}_ring.toml");
    let options = Options {
        isolation: Isolation::Namespaces,
        patience: Duration::from_secs(10),
        ..Options::default()
    };
    let target = Target::Adapter(Path::new(env!("CARGO_MANIFEST_DIR")).join(file));
    passes_all(&target, &options, "chord/{single/*,join/one-by-one}", 4)
}

/// What is judged where every node has a network namespace.
fn in_namespaces() -> Vec<Trial> {
    let mut trials = vec![
        needing("the reference passes in namespaces", can_isolate(), || {
            passes_over_sockets(Isolation::Namespaces, 3)
        }),
        needing(
            "a node in Python passes in namespaces",
            can_isolate(),
            || the_node_in_python(Network::Sockets, Isolation::Namespaces),
        ),
    ];
    for style in ["prompt", "cmd", "http"] {
        let name = format!("an adapter ({style}) passes in namespaces");
        trials.push(needing(name, can_isolate(), move || {
            behind_an_adapter(style)
        }));
    }
    let bugs = ["stores-nothing", "keeps-dead-successor", "lies-in-state"];
    for known in ChordSuite.breaks() {
        if bugs.contains(&known.name) {
            let name = format!("catches {} in namespaces", known.name);
            trials.push(needing(name, can_isolate(), move || {
                let options = Options {
                    network: Some(Network::Sockets),
                    isolation: Isolation::Namespaces,
                    ..Options::default()
                };
                catches(known, &options)
            }));
        }
    }
    trials
}

/// The page about the suite has a row for every case, with its level and the fact that it asks, in order.
fn the_page_has_every_case() -> Result<(), Failed> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/spec/chord-suite.md");
    let page = std::fs::read_to_string(page)?;
    let rows: Vec<&str> = page.lines().filter(|line| line.ends_with("` |")).collect();
    let row = |case: &CaseInfo| {
        let id = case.id.trim_start_matches("chord/");
        let level = format!("{:?}", case.level).to_lowercase();
        format!("| {id} | {level} | `{}` |", case.property)
    };
    let expected: Vec<String> = ChordSuite.cases().iter().map(row).collect();
    if rows == expected {
        return Ok(());
    }
    let differs = rows
        .iter()
        .zip(&expected)
        .find(|(shown, expected)| shown != expected);
    Err(format!("{} rows, not {}: {differs:?}", rows.len(), expected.len()).into())
}

/// Every case asks a property that there is, and names claims that there are.
fn cases_name_properties_and_claims() -> Result<(), Failed> {
    let (properties, claims) = (ChordSuite.properties(), ChordSuite.claims());
    for case in ChordSuite.cases() {
        let known = |id: &str| claims.iter().any(|claim| claim.id == id);
        if !properties.contains(&case.property) || !case.claims.iter().all(|id| known(id)) {
            return Err(format!("{} names what there is not", case.id).into());
        }
    }
    Ok(())
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
        trials.push(Trial::test(name, move || {
            catches(known, &Options::default())
        }));
    }
    for (case, bug) in ALSO {
        let name = format!("{case} notices {bug}");
        trials.push(Trial::test(name, move || notices(case, bug)));
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
    let checks: [(&str, Check); 11] = [
        ("a node behind commands passes", the_node_behind_commands),
        ("every case has a break", every_case_has_a_break),
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
        (
            "wrong uses are told what to do",
            wrong_uses_are_told_what_to_do,
        ),
        ("the reference passes over sockets", || {
            passes_over_sockets(Isolation::Loopback, 4)
        }),
        ("the page has every case", the_page_has_every_case),
        (
            "cases name properties and claims that there are",
            cases_name_properties_and_claims,
        ),
        ("a node in Python passes through the kit", || {
            the_node_in_python(Network::Kit, Isolation::Loopback)
        }),
        ("a node in Python passes over sockets", || {
            the_node_in_python(Network::Sockets, Isolation::Loopback)
        }),
    ];
    trials.extend(checks.map(|(name, check)| Trial::test(name, check)));
    trials.extend(in_namespaces());
    let mut arguments = Arguments::from_args();
    // They wait more than they work.
    arguments.test_threads.get_or_insert(8);
    libtest_mimic::run(&arguments, trials).exit_code()
}

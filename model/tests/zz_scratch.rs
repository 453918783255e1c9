use std::sync::Arc;
use std::time::Duration;
use peerproof_model::chord::node::Request;
use peerproof_model::chord::ring::Variant;
use peerproof_model::chord::system::{Detector, Scope, facts_of_states, ring};
use peerproof_model::explore::{Limits, Progress, PropertyVerdict, Verdict, check_facts};
use peerproof_model::space::circle::Circle;
use peerproof_model::system::{Act, Expiries, Network};

fn run(label: &str, scope: &Scope, limit: usize, show: bool) {
    let model = Arc::new(ring(scope, None));
    let mut facts = model.facts();
    facts.extend(facts_of_states(scope));
    let mut broken: Vec<String> = vec![];
    loop {
        let limits = Limits { states: Some(limit), time: Some(Duration::from_secs(60)), ..Limits::default() };
        let report = check_facts(&model, facts.clone(), limits, Progress::unwatched());
        match report.verdict {
            Verdict::Violated { property } => {
                let trace = &report.property(property).unwrap().trace;
                broken.push(format!("{property}@{}", trace.len()));
                if show { for name in trace.names(&*model) { println!("      {name}"); }
                    let f = model.findings_along(trace).unwrap(); println!("   => {:?}", f.last()); }
                facts.retain(|f| report.properties.iter().all(|p| p.name != f.name || p.verdict != PropertyVerdict::Violated));
            }
            v => { println!("{label}: {v:?} states {} trans {} depth {} {:.1}s broken {broken:?}", report.states, report.transitions, report.depth, report.seconds); return; }
        }
    }
}
fn j(p: u8, via: u64) -> Act<Request> { Act::Join(p, Some(Request::Join(Circle::SHA1.point(via)))) }

#[test]
fn scratch() {
    for scope in Scope::all() { run(scope.name, &scope, 400_000, false); }
    let s = Scope { rounds: Expiries::Times(2), ..Scope::suspicion() };
    run("suspicion 2", &s, 600_000, true);
    run("late", &Scope::late_answers(), 400_000, true);
    run("write", &Scope::write(), 400_000, true);
    run("delete", &Scope::delete(), 400_000, true);
    run("2003", &Scope::join_and_crash_2003(), 400_000, true);
    run("two 2003", &Scope::two_joins_2003(), 400_000, true);
}

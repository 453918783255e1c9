//! The pages of the specification name every fact, every mutant and everything that is disputed.

use std::collections::BTreeSet;

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::ring::{AtomicRing, State};
use peerproof_model::chord::{claims, properties};

use super::equipped;
use super::killers::{KILLERS, Killer, OCCASIONS};

/// Every page about Chord, one after the other.
fn page() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec");
    let files = std::fs::read_dir(folder).expect("the pages of the specification");
    let paths = files.map(|file| file.expect("a file").path());
    let about_chord = paths.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("chord"))
    });
    let pages: Vec<String> = about_chord
        .map(|path| std::fs::read_to_string(path).expect("a page"))
        .collect();
    assert!(!pages.is_empty());
    pages.join("\n")
}

/// Everything between backticks.
fn names(page: &str) -> BTreeSet<&str> {
    page.split('`').skip(1).step_by(2).collect()
}

#[test]
fn facts_mutants_and_disputes_are_on_a_page() {
    let page = page();
    let named = names(&page);
    let shape = properties::shape::<State>()
        .into_iter()
        .map(|property| property.name);
    let upkeep = properties::upkeep::<u8>()
        .into_iter()
        .map(|property| property.name);
    let steps = AtomicRing::upkeep_facts().into_iter().map(|fact| fact.name);
    let mutants = Mutant::ALL
        .iter()
        .filter(|mutant| !mutant.needs_messages())
        .flat_map(|mutant| [mutant.name(), mutant.breaks()]);
    let disputed = claims::all()
        .filter(|claim| claim.wording.contains("Differs") || claim.wording.contains("Disputed"));
    let disputed: Vec<_> = disputed.map(|claim| claim.id).collect();
    assert_eq!(disputed.len(), 5);
    let all = shape
        .chain(upkeep)
        .chain(steps)
        .chain(mutants)
        .chain(disputed);
    let missing: Vec<_> = all.filter(|name| !named.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The page has a line for every killer and for every occasion, as the tests ask them, and no other.
#[test]
fn the_page_says_what_breaks_and_what_tests_each_property() {
    let page = page();
    let table = |heading: &str| -> Vec<String> {
        let lines = page.lines().skip_while(|line| *line != heading).skip(2);
        let rows = lines.take_while(|line| line.starts_with('|'));
        rows.map(str::to_owned).collect()
    };
    let killers: Vec<String> = KILLERS.iter().map(Killer::line).collect();
    assert_eq!(
        table("| property | broken by | identifiers | r | steps |"),
        killers
    );
    let of_upkeep: Vec<String> = equipped::KILLERS.iter().map(equipped::line).collect();
    assert_eq!(
        table("| property | broken by | identifiers | r | with | steps |"),
        of_upkeep
    );
    let occasions: Vec<String> = OCCASIONS
        .iter()
        .map(|(name, (ids, successors), steps)| {
            format!("| `{name}` | {ids} | {successors} | {steps} |")
        })
        .collect();
    assert_eq!(table("| property | identifiers | r | steps |"), occasions);
}

/// Every id of a claim on a page is one.
#[test]
fn claims_on_the_pages_exist() {
    let page = page();
    let ids = names(&page).into_iter().filter(|name| {
        let source = name.split_once('/').map(|(source, _)| source);
        source.is_some_and(|source| {
            claims::all().any(|claim| claim.id.starts_with(&format!("{source}/")))
        })
    });
    let unknown: Vec<_> = ids.filter(|id| claims::by_id(id).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

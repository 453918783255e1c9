//! The page of the specification names every fact, and nothing that does not exist.

use std::collections::BTreeSet;

use peerproof_model::bittorrent::{claims, properties};

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/spec/bittorrent.md");
    std::fs::read_to_string(path).expect("the page of the specification")
}

/// Everything between backticks.
fn names(page: &str) -> BTreeSet<&str> {
    page.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_fact_is_on_the_page() {
    let page = page();
    let named = names(&page);
    let peers = properties::peer().map(|property| property.name);
    let swarms = properties::swarm::PROPERTIES
        .iter()
        .map(|property| property.name);
    let trackers = properties::of_trackers().map(|property| property.name);
    let missing: Vec<_> = peers
        .chain(swarms)
        .chain(trackers)
        .filter(|name| !named.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_figure_that_differs_between_the_lectures_is_on_the_page() {
    let page = page();
    let named = names(&page);
    let disputed = claims::LECTURES
        .iter()
        .filter(|claim| claim.wording.contains("Differs") || claim.wording.contains("Disputed"));
    let disputed: Vec<_> = disputed.map(|claim| claim.id).collect();
    assert!(disputed.len() >= 7, "{disputed:?}");
    for id in disputed {
        assert!(named.contains(id), "{id}");
    }
}

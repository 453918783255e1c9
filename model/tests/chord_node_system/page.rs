//! docs/spec/chord-messages.md says what is counted and found.

use super::asked::{ASKED, UNASKED};
use super::stories::{SPLIT, replayed};
use super::*;

#[test]
fn the_page_says_where_each_fact_is_put_to_the_test() {
    let page = page();
    let named = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    for (fact, scopes) in UNASKED {
        let all_but = if scopes.is_empty() {
            "everywhere".to_owned()
        } else {
            format!("everywhere but in {}", named(scopes))
        };
        let row = format!("| `{fact}` | {all_but} |");
        assert!(page.contains(&row), "the page lacks\n{row}");
    }
    for (fact, scopes) in ASKED {
        let row = format!("| `{fact}` | only in {} |", named(scopes));
        assert!(page.contains(&row), "the page lacks\n{row}");
    }
}

fn page() -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/spec/chord-messages.md"
    );
    std::fs::read_to_string(path).expect("the page of the specification")
}

/// The number as the page writes it.
fn grouped(number: usize) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1_000, number % 1_000)
    }
}

#[test]
fn the_page_has_every_scope_with_its_counts_and_what_breaks_in_it() {
    let page = page();
    for (name, states, transitions, depth, broken) in COUNTED {
        let counts = [grouped(*states), grouped(*transitions), depth.to_string()].join(" | ");
        let row = format!("| `{name}` |");
        let line = page
            .lines()
            .find(|line| line.starts_with(&row))
            .expect(name);
        assert!(line.contains(&format!("| {counts} |")), "{name}");
        for (property, length) in *broken {
            assert!(
                line.contains(&format!("`{property}` {length}")),
                "{name}, {property}"
            );
        }
    }
}

/// The diagrams of the page: scope, and the fact that breaks, or the steps of a trace that was found before.
const DRAWN: &[(&str, &str)] = &[
    ("join-and-crash-2003", "everyone_has_a_live_successor"),
    ("late-join", "everyone_has_a_live_successor"),
    ("suspicion", "no_loopy_ring"),
    ("lookup-suspicion", "a_lookup_names_the_owner"),
    ("two-joins-2003", "ordered_merges"),
];

#[test]
fn the_page_draws_shortest_traces() {
    let page = page();
    let mut drawn = Vec::new();
    for (name, property) in DRAWN {
        let scope = scope(name);
        let model = Arc::new(ring(&scope, None));
        let asked = vec![fact(&scope, &model, property)];
        let report = check_facts(&model, asked, Limits::default(), Progress::unwatched());
        let diagram = model
            .mermaid(&report.properties[0].trace)
            .expect("it replays");
        drawn.push((*name, diagram));
    }
    let (model, _, trace) = replayed(&Scope::suspicion_unbounded(), SPLIT);
    drawn.push(("the split", model.mermaid(&trace).expect("it replays")));
    for (name, diagram) in &drawn {
        if !page.contains(diagram) {
            println!("{name} is to be drawn so:\n{diagram}");
        }
    }
    assert!(drawn.iter().all(|(_, diagram)| page.contains(diagram)));
}

#[test]
fn the_page_names_every_mutant_of_this_list() {
    let page = page();
    for (mutant, ..) in KILLED {
        for name in [mutant.name(), mutant.breaks()] {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}

//! The statements that Chord nodes and rings are held to.

mod control;
mod lectures;
mod papers;
mod wire;
mod zave;

pub use control::CONTROL;
pub use lectures::LECTURES;
pub use papers::PAPERS;
pub use wire::WIRE;
pub use zave::ZAVE;

use crate::claim::{Claim, Source, Strength};

/// Every claim, whoever it is about.
pub fn all() -> impl Iterator<Item = &'static Claim> {
    [LECTURES, PAPERS, ZAVE, WIRE, CONTROL]
        .into_iter()
        .flatten()
}

/// The claim of that id.
pub fn by_id(id: &str) -> Option<&'static Claim> {
    all().find(|claim| claim.id == id)
}

/// A claim; what a source mentions as a choice may be missing as a whole.
const fn claim(
    id: &'static str,
    strength: Strength,
    (document, section): (&'static str, &'static str),
    wording: &'static str,
) -> Claim {
    Claim {
        id,
        source: Source { document, section },
        wording,
        strength,
        optional: matches!(strength, Strength::May),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::chord::properties;
    use crate::chord::ring::State;

    #[test]
    fn no_id_is_given_twice_and_wordings_are_sentences() {
        let mut ids = BTreeSet::new();
        for claim in all() {
            assert!(ids.insert(claim.id), "{} is given twice", claim.id);
            let (source, name) = claim.id.split_once('/').expect("a source and a name");
            for part in [source, name] {
                let plain =
                    |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                assert!(!part.is_empty() && part.bytes().all(plain), "{}", claim.id);
            }
            assert!(claim.wording.ends_with('.'), "{}", claim.id);
        }
    }

    #[test]
    fn every_property_makes_a_claim_precise() {
        let shape = properties::shape::<State>();
        let shape = shape
            .iter()
            .map(|property| (property.name, property.claims));
        let upkeep = properties::upkeep::<u8>();
        let upkeep = upkeep
            .iter()
            .map(|property| (property.name, property.claims));
        let run = properties::run::run();
        let run = run.iter().map(|property| (property.name, property.claims));
        for (name, claims) in shape.chain(upkeep).chain(run) {
            assert!(!claims.is_empty(), "{name}");
            for claim in claims {
                assert!(
                    by_id(claim).is_some(),
                    "{name} names {claim}, which nobody claims"
                );
            }
        }
    }
}

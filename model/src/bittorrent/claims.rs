//! The statements that BitTorrent software is held to.

mod lectures;
mod leecher;
mod peer;
mod seeder;
mod tracker;

pub use lectures::LECTURES;
pub use leecher::LEECHER;
pub use peer::PEER;
pub use seeder::SEEDER;
pub use tracker::TRACKER;

use crate::claim::Claim;

/// Every claim, whoever it is about.
pub fn all() -> impl Iterator<Item = &'static Claim> {
    [PEER, LEECHER, SEEDER, TRACKER, LECTURES]
        .into_iter()
        .flatten()
}

/// The claim of that id.
pub fn by_id(id: &str) -> Option<&'static Claim> {
    all().find(|claim| claim.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::bittorrent::properties;

    #[test]
    fn no_id_is_given_twice() {
        let mut ids = BTreeSet::new();
        for claim in all() {
            assert!(ids.insert(claim.id), "{} is given twice", claim.id);
        }
    }

    #[test]
    fn ids_are_short_and_wordings_are_sentences() {
        for claim in all() {
            let (source, name) = claim.id.split_once('/').expect("a source and a name");
            let plain = |text: &str| {
                let bytes = text.bytes();
                bytes.clone().count() > 0
                    && bytes
                        .clone()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            assert!(plain(source) && plain(name), "{}", claim.id);
            assert!(claim.wording.ends_with('.'), "{}", claim.id);
        }
    }

    #[test]
    fn every_property_makes_a_claim_precise() {
        let peers = properties::peer().map(|property| (property.name, property.claims));
        let staying = properties::of_staying_peers();
        let staying = staying.map(|property| (property.name, property.claims));
        let swarms = properties::swarm::PROPERTIES.iter();
        let swarms = swarms.map(|property| (property.name, property.claims));
        let trackers = properties::of_trackers().map(|property| (property.name, property.claims));
        for (name, claims) in peers.chain(staying).chain(swarms).chain(trackers) {
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

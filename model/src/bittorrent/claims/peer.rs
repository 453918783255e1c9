//! What every peer is held to beyond its part as seeder or leecher: requests and the choice of whom to serve.

use crate::claim::Strength::{May, Must, Should};
use crate::claim::{Claim, Source, Strength};

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
        optional: false,
    }
}

const PROTOCOL: (&str, &str) = ("BEP 3", "peer protocol");
const CHOKING: (&str, &str) = ("BEP 3", "peer messages, choking");

/// The claims of all peers.
pub static PEER: &[Claim] = &[
    claim(
        "bep3/dialler-speaks-first",
        Must,
        PROTOCOL,
        "Whoever dials begins with its handshake; whoever was dialled may wait for it, to learn which torrent is meant.",
    ),
    claim(
        "bep3/request-what-is-missing",
        Must,
        PROTOCOL,
        "Interest and requests are for pieces that are not here yet: nothing that was verified is fetched again.",
    ),
    claim(
        "bep3/tit-for-tat",
        Should,
        CHOKING,
        "The regular slots go to those interested neighbours that gave most: whoever gives nothing has only the optimistic one while givers wait.",
    ),
    claim(
        "bep3/seeds-choose-by-upload",
        Should,
        CHOKING,
        "A peer that has everything gives its slots by how fast it uploads to each neighbour.",
    ),
    claim(
        "bep3/choke-round",
        Should,
        CHOKING,
        "Who is choked is decided anew every ten seconds, and not more often, so that connections do not swing.",
    ),
    claim(
        "bep3/optimistic-unchoke",
        Should,
        CHOKING,
        "One neighbour is unchoked whatever it gives, and another one every 30 seconds.",
    ),
    claim(
        "bep3/new-neighbours-are-likelier",
        May,
        CHOKING,
        "A new connection is three times as likely to be the next optimistic one.",
    ),
];

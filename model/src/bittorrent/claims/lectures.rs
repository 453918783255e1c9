//! What the lecture texts say, and where they differ. Our default is what deployed software does.

use crate::claim::Strength::{May, Must, Should};
use crate::claim::{Claim, Source, Strength};

const fn claim(
    id: &'static str,
    strength: Strength,
    document: &'static str,
    wording: &'static str,
) -> Claim {
    Claim {
        id,
        source: Source {
            document,
            section: "BitTorrent",
        },
        wording,
        strength,
        optional: false,
    }
}

const ALL: &str = "Lecture texts 000 to 003";
const FIRST: &str = "Lecture texts 000 to 002";
const LAST: &str = "Lecture text 003";

/// The claims of the lecture texts.
pub static LECTURES: &[Claim] = &[
    claim(
        "lecture/torrent-file",
        Must,
        ALL,
        "The torrent file has name, length, piece length, the SHA-1 of each piece, and the tracker's URL.",
    ),
    claim(
        "lecture/tracker-knows-the-peers",
        Must,
        ALL,
        "The tracker knows the peers of a file by their heartbeats, joins and leaves.",
    ),
    claim(
        "lecture/tracker-returns-fifty",
        Should,
        ALL,
        "The tracker returns a random subset of the peers, typically 50.",
    ),
    claim(
        "lecture003/tracker-knows-the-chunks",
        May,
        LAST,
        "The tracker also knows which chunks each peer has. Disputed: lecture text 002 draws some peers only, and announces carry byte counts, not chunks.",
    ),
    claim(
        "lecture/tracker-is-needed",
        Must,
        ALL,
        "The tracker is a single point of failure: without it nobody finds new peers.",
    ),
    claim(
        "lecture/leechers-become-seeds",
        Must,
        ALL,
        "Seeds have everything; a leecher that has everything is a seed.",
    ),
    claim(
        "lecture/one-copy-before-the-seed-goes",
        Must,
        ALL,
        "At least one complete copy must have left the initial seed before it may go.",
    ),
    claim(
        "lecture000/blocks-of-32-to-256-kb",
        May,
        FIRST,
        "Files are cut into blocks of 32 to 256 KB. Differs from lecture text 003.",
    ),
    claim(
        "lecture003/pieces-and-sub-pieces",
        Should,
        LAST,
        "Pieces are typically 256 KB, the sub-pieces that are requested 16 KB. Differs from lecture texts 000 to 002.",
    ),
    claim(
        "lecture003/random-first-piece",
        Should,
        LAST,
        "The first piece is a random one, until one piece is complete. Differs from lecture texts 000 to 002.",
    ),
    claim(
        "lecture000/one-random-choice",
        May,
        FIRST,
        "The exception from rarest first is that a new node may pick one random neighbour. Differs from lecture text 003.",
    ),
    claim(
        "lecture/rarest-first",
        Should,
        ALL,
        "The next piece is the one that is rarest among the neighbours.",
    ),
    claim(
        "lecture003/strict-priority",
        Should,
        LAST,
        "A started piece is finished before sub-pieces of another one are requested.",
    ),
    claim(
        "lecture003/endgame",
        Should,
        LAST,
        "When every missing sub-piece is requested, the outstanding ones are requested from everyone who has them, and cancelled on arrival.",
    ),
    claim(
        "lecture/tit-for-tat",
        Should,
        ALL,
        "A peer uploads to those from which it downloads fastest.",
    ),
    claim(
        "lecture/seeds-do-the-same",
        Should,
        FIRST,
        "Seeds do the same, by the rate at which they upload.",
    ),
    claim(
        "lecture000/five-unchoked",
        May,
        FIRST,
        "At most 5 neighbours are uploaded to at a time. Differs from lecture text 003.",
    ),
    claim(
        "lecture003/four-unchoked",
        Should,
        LAST,
        "At most 4 neighbours are uploaded to at a time: the 3 fastest and 1 optimistic one. Differs from lecture texts 000 to 002.",
    ),
    claim(
        "lecture/choke-round",
        Should,
        ALL,
        "Who is uploaded to is decided anew every 10 seconds, by the rate received.",
    ),
    claim(
        "lecture003/optimistic-unchoke",
        Should,
        LAST,
        "Every 30 seconds an interested neighbour, drawn at random, is unchoked optimistically.",
    ),
];

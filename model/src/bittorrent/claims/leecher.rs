//! What a downloading peer is held to.

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

const TRACKERS: (&str, &str) = ("BEP 3", "trackers");
const PROTOCOL: (&str, &str) = ("BEP 3", "peer protocol");
const MESSAGES: (&str, &str) = ("BEP 3", "peer messages");

/// The claims of downloading peers: tracker, connection, interest, requests, pieces, order.
pub static LEECHER: &[Claim] = &[
    claim(
        "bep3/announce-started",
        Must,
        TRACKERS,
        "The announce that begins a download has the event started.",
    ),
    claim(
        "bep3/announce-parameters",
        Must,
        TRACKERS,
        "An announce names the torrent by the 20 bytes of its info hash, the peer by 20 bytes, and the port where it listens, percent-encoded where needed.",
    ),
    claim(
        "bep3/announce-port",
        Must,
        TRACKERS,
        "The announced port is the one where the peer listens.",
    ),
    claim(
        "bep3/announce-left",
        Must,
        TRACKERS,
        "left is the number of bytes that the peer still has to download.",
    ),
    claim(
        "bep3/announce-downloaded",
        Should,
        TRACKERS,
        "downloaded is the number of bytes downloaded so far.",
    ),
    claim(
        "bep3/announce-uploaded",
        Should,
        TRACKERS,
        "uploaded is the number of bytes uploaded so far.",
    ),
    claim(
        "bep3/announce-completed",
        Must,
        TRACKERS,
        "An announce with the event completed is sent when the download is complete.",
    ),
    claim(
        "bep3/announce-completed-once",
        Must,
        TRACKERS,
        "No completed is sent when everything was there at the start.",
    ),
    claim(
        "bep3/announce-stopped",
        Must,
        TRACKERS,
        "A peer that ceases downloading sends an announce with the event stopped.",
    ),
    claim(
        "bep3/announce-interval",
        Should,
        TRACKERS,
        "Regular announces are as far apart as the tracker's interval says, unless an event happens or more peers are needed.",
    ),
    claim(
        "bep3/failure-reason-alone",
        Must,
        TRACKERS,
        "An answer with a failure reason needs no other keys: it says why the query failed, and no peers are taken from it.",
    ),
    claim(
        "bep3/peers-are-dialled",
        Must,
        TRACKERS,
        "The answer lists peers as dictionaries with peer id, ip and port.",
    ),
    claim(
        "bep23/compact-asked-for",
        Should,
        ("BEP 23", "overview"),
        "A peer says compact=1 to ask for the compact form of the peer list.",
    ),
    claim(
        "bep23/compact-understood",
        Must,
        ("BEP 23", "overview"),
        "A tracker may answer with a string of six bytes for each peer.",
    ),
    claim(
        "tracker/tracker-id-echoed",
        May,
        (
            "Tracker protocol as deployed (wiki.theory.org)",
            "tracker response",
        ),
        "A tracker id that an answer names is sent back with later announces as trackerid.",
    ),
    claim(
        "bep3/handshake",
        Must,
        PROTOCOL,
        "A connection begins with byte 19, the name of the protocol, eight reserved bytes, the info hash and the peer id.",
    ),
    claim(
        "bep3/peer-id-in-handshake",
        Must,
        PROTOCOL,
        "The peer id of the handshake is the one that tracker requests report.",
    ),
    claim(
        "bep3/foreign-torrent-closed",
        Must,
        PROTOCOL,
        "When both sides do not send the same info hash, the connection is severed.",
    ),
    claim(
        "bep3/unexpected-peer-id-closed",
        Should,
        PROTOCOL,
        "When the peer id is not the one that the dialling side expects, it severs the connection.",
    ),
    claim(
        "bep3/interest-up-to-date",
        Must,
        PROTOCOL,
        "Interest is kept up to date at all times: a peer says whether it lacks something that the neighbour has.",
    ),
    claim(
        "bep3/choked-requests-are-not-answered",
        Must,
        PROTOCOL,
        "Data flows whenever one side is interested and the other is not choking: while choked nothing is requested.",
    ),
    claim(
        "bep3/request-what-was-announced",
        Must,
        MESSAGES,
        "Only pieces that the neighbour announced by bitfield and have are requested from it.",
    ),
    claim(
        "bep3/request-bounds",
        Must,
        MESSAGES,
        "A request names a range inside its piece.",
    ),
    claim(
        "bep3/request-length",
        Must,
        MESSAGES,
        "Requests ask for 2^14 bytes at most: connections that ask for more are closed.",
    ),
    claim(
        "bep3/requests-pipelined",
        Should,
        PROTOCOL,
        "Several requests are kept under way at once, for the sake of good throughput.",
    ),
    claim(
        "bep10/reqq",
        Should,
        ("BEP 10", "handshake message, reqq"),
        "reqq is the number of outstanding requests that a peer keeps without dropping any.",
    ),
    claim(
        "bep3/request-again-after-choke",
        Must,
        PROTOCOL,
        "A choke drops the requests under way: what is still wanted is requested again later.",
    ),
    claim(
        "bep3/request-again-elsewhere",
        Must,
        PROTOCOL,
        "What a broken connection did not deliver is requested from somebody else who has it.",
    ),
    claim(
        "bep3/bad-piece-refetched",
        Must,
        ("BEP 3", "info dictionary, pieces"),
        "A piece counts only when its SHA-1 is that of the metainfo; otherwise it is fetched again.",
    ),
    claim(
        "bep3/bitfield-only-at-the-start",
        Must,
        MESSAGES,
        "The bitfield message is only ever sent as the first message; later pieces are announced by have.",
    ),
    claim(
        "bep3/have-after-verification",
        Must,
        MESSAGES,
        "have names a piece that was just completed and whose hash was checked.",
    ),
    claim(
        "bep3/download-completes",
        Must,
        PROTOCOL,
        "A download ends with every piece when sound neighbours offer all of them, whatever others did.",
    ),
    claim(
        "bep3/seed-serves",
        Should,
        PROTOCOL,
        "A peer that has a piece serves it to interested neighbours that it does not choke.",
    ),
    claim(
        "bep3/endgame",
        Should,
        PROTOCOL,
        "Only when everything missing is requested may blocks be requested from several neighbours at once.",
    ),
    claim(
        "bep3/endgame-cancel",
        Should,
        MESSAGES,
        "When a block arrives that was requested from several neighbours, the other requests are cancelled.",
    ),
    claim(
        "cohen2003/strict-priority",
        Should,
        (
            "Cohen, Incentives build robustness in BitTorrent (2003)",
            "2.4.1 strict priority",
        ),
        "Once a block of a piece was requested, the other blocks of that piece come before blocks of other pieces.",
    ),
    claim(
        "cohen2003/rarest-first",
        Should,
        (
            "Cohen, Incentives build robustness in BitTorrent (2003)",
            "2.4.2 rarest first",
        ),
        "The next piece is one that the fewest neighbours have, after a few first pieces taken at random. BEP 3 describes a random order.",
    ),
];

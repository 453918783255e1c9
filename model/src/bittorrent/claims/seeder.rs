//! What a peer that serves is held to, beyond what every peer is held to as a downloader.

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

/// A claim about something that a peer may lack.
const fn extension(
    id: &'static str,
    strength: Strength,
    source: (&'static str, &'static str),
    wording: &'static str,
) -> Claim {
    Claim {
        optional: true,
        ..claim(id, strength, source, wording)
    }
}

const PROTOCOL: (&str, &str) = ("BEP 3", "peer protocol");
const MESSAGES: (&str, &str) = ("BEP 3", "peer messages");
const FAST: (&str, &str) = ("BEP 6", "Fast Extension");
const HAVE_ALL: (&str, &str) = ("BEP 6", "Have All/Have None");
const REJECT: (&str, &str) = ("BEP 6", "Reject Request");
const ALLOWED: (&str, &str) = ("BEP 6", "Allowed Fast");
const EXTENDED: (&str, &str) = ("BEP 10", "handshake message");
const METADATA: (&str, &str) = ("BEP 9", "extension message");
const WIKI: (&str, &str) = (
    "Peer protocol as deployed (wiki.theory.org)",
    "peer wire protocol",
);

/// The claims of serving peers: handshake, declaration, unchoke, blocks, the fast extension, metadata.
pub static SEEDER: &[Claim] = &[
    claim(
        "bep3/reserved-bits",
        Should,
        PROTOCOL,
        "The eight reserved bytes are there for extensions; a bit that says nothing to a peer changes nothing for it.",
    ),
    claim(
        "bep3/byte-stream",
        Must,
        PROTOCOL,
        "A connection is a stream of bytes: where it is cut into segments means nothing.",
    ),
    claim(
        "bep3/one-peer-id",
        Should,
        PROTOCOL,
        "A peer chooses its peer id at the start of a download, and that one is in its handshakes.",
    ),
    claim(
        "deployed/own-peer-id-closed",
        May,
        WIKI,
        "A connection with oneself is of no use, and deployed peers close it.",
    ),
    claim(
        "deployed/serves-on",
        Must,
        PROTOCOL,
        "What one neighbour does wrong does not end the service of the others.",
    ),
    claim(
        "bep3/pieces-are-announced",
        Must,
        MESSAGES,
        "The bitfield has the bits of the pieces that the peer has; only who has nothing may skip it.",
    ),
    claim(
        "bep3/bitfield-first-only",
        Must,
        MESSAGES,
        "A bitfield is only ever sent as the first message.",
    ),
    claim(
        "bep3/bitfield-length",
        Must,
        MESSAGES,
        "A bitfield has one bit for each piece, high bit first, and no further bytes.",
    ),
    claim(
        "bep3/bitfield-spare-bits",
        Must,
        MESSAGES,
        "Spare bits at the end of a bitfield are zero.",
    ),
    claim(
        "deployed/bad-bitfield-closed",
        Should,
        WIKI,
        "A peer that is sent a bitfield of the wrong length or with spare bits set drops the connection.",
    ),
    claim(
        "bep3/have-in-range",
        May,
        MESSAGES,
        "A have names a piece that the sender has just completed: one of the torrent.",
    ),
    claim(
        "bep3/upload-slots",
        Must,
        MESSAGES,
        "A peer caps its simultaneous uploads, and unchokes interested neighbours up to that number.",
    ),
    extension(
        "bep3/stated-upload-slots",
        Must,
        MESSAGES,
        "A peer that states how many neighbours it serves at a time serves no more.",
    ),
    extension(
        "bep3/no-blocks-while-choking",
        Must,
        PROTOCOL,
        "Choking is a notification that no data will be sent until unchoking happens; connections begin choked. A peer may unchoke everybody at once.",
    ),
    claim(
        "bep3/piece-answers-request",
        Must,
        MESSAGES,
        "A piece message answers a request: the same piece, the same offset, as many bytes.",
    ),
    claim(
        "bep3/piece-content",
        Must,
        MESSAGES,
        "The blocks of a piece are those of the content: together they have the hash of the metainfo.",
    ),
    claim(
        "bep3/cancel",
        May,
        MESSAGES,
        "A cancel takes a request back; its block need not be sent any more.",
    ),
    claim(
        "bep3/keep-alive-ignored",
        Must,
        PROTOCOL,
        "A message of length zero is a keep-alive, and ignored.",
    ),
    claim(
        "bep3/keep-alive",
        Should,
        PROTOCOL,
        "Keep-alives are generally sent once every two minutes.",
    ),
    claim(
        "bep3/message-layout",
        Must,
        PROTOCOL,
        "Behind the handshake come messages: four bytes of length, high byte first, then that many bytes.",
    ),
    claim(
        "bep3/malformed-closed",
        Should,
        MESSAGES,
        "Every message has the length that its type demands; bytes that are no message end the connection.",
    ),
    claim(
        "deployed/unknown-ids-skipped",
        Should,
        (
            "BEP 3",
            "peer messages; extension points of deployed software",
        ),
        "A message of an unknown type is skipped by its length, so that new types can be added.",
    ),
    extension(
        "bep6/negotiated",
        Must,
        FAST,
        "The fast extension is enabled only if both ends set its bit; without it none of its messages is sent.",
    ),
    extension(
        "bep6/closed-without-negotiation",
        Must,
        FAST,
        "A peer that is sent a message of the fast extension while it is disabled closes the connection.",
    ),
    extension(
        "bep6/declaration",
        Must,
        HAVE_ALL,
        "Exactly one of bitfield, have all and have none is sent, immediately after the handshake.",
    ),
    extension(
        "bep6/one-answer",
        Must,
        FAST,
        "Every request results in exactly one answer: the piece or a reject.",
    ),
    extension(
        "bep6/choked-rejected",
        Should,
        REJECT,
        "A request of a choked neighbour is rejected, unless its piece is in the allowed-fast set.",
    ),
    extension(
        "bep6/allowed-fast-set",
        Should,
        ("BEP 6", "Allowed Fast Set Generation"),
        "The allowed-fast set is generated from the neighbour's address and the info hash.",
    ),
    extension(
        "bep6/allowed-fast-served",
        May,
        ALLOWED,
        "A piece that is allowed fast is served although the neighbour is choked, or its request rejected.",
    ),
    extension(
        "bep6/unasked-block-closed",
        Must,
        FAST,
        "A peer that is sent a piece which it never requested closes the connection.",
    ),
    extension(
        "bep6/unasked-reject-closed",
        Should,
        REJECT,
        "A peer that is sent a reject for a request which it never sent closes the connection.",
    ),
    extension(
        "bep10/negotiated",
        Must,
        ("BEP 10", "extension protocol"),
        "Extended messages are sent only where both ends set the bit of the extension protocol.",
    ),
    extension(
        "bep10/handshake",
        Should,
        EXTENDED,
        "The extension handshake, a bencoded dictionary, is sent to every peer that supports the protocol.",
    ),
    extension(
        "bep10/unique-ids",
        Must,
        EXTENDED,
        "No two extension messages share an id.",
    ),
    extension(
        "bep10/unknown-ignored",
        Should,
        EXTENDED,
        "Names and messages that a peer does not know are ignored.",
    ),
    extension(
        "bep10/handshake-again",
        Should,
        EXTENDED,
        "The extension handshake may be sent more than once, and nobody is disconnected for it.",
    ),
    extension(
        "bep9/metadata-size",
        Must,
        ("BEP 9", "extension header"),
        "metadata_size is the number of bytes of the metadata.",
    ),
    extension(
        "bep9/data",
        Must,
        METADATA,
        "A metadata request is answered by its block, 16384 bytes or the rest in the last one, which hash to the info hash.",
    ),
    extension(
        "bep9/reject",
        Should,
        METADATA,
        "A metadata request that cannot be served is answered by a reject of the same block.",
    ),
    extension(
        "bep9/unknown-type-ignored",
        Must,
        METADATA,
        "A metadata message of an unrecognised type is ignored.",
    ),
];

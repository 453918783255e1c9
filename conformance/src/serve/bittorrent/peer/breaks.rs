//! Which case catches which seeded violation, declared beforehand.

use crate::suite::Break;

macro_rules! breaks {
    ($($name:literal caught by $case:literal: $what:literal;)*) => {
        [$(Break {
            name: $name,
            what: $what,
            caught_by: concat!("bittorrent-seeder/", $case),
        }),*]
    };
}

/// The violations of the reference seeder: those of its state machine, then those of its bytes.
pub static SEEDER_BREAKS: [Break; 41] = breaks! {
    "wrong-info-hash" caught by "handshake/names-the-torrent": "Answers with the info hash of another torrent.";
    "keeps-foreign-torrents" caught by "handshake/foreign-torrent": "Keeps a link whose handshake names another torrent.";
    "keeps-itself" caught by "handshake/own-peer-id": "Keeps a link with its own peer id.";
    "never-declares" caught by "bitfield/complete": "Never says which pieces it has.";
    "late-bitfield" caught by "bitfield/first": "Says something else before its bitfield.";
    "spare-bits" caught by "bitfield/fits": "Sets a spare bit in its bitfield.";
    "bitfield-lies" caught by "bitfield/complete": "Hides its first piece and claims those it lacks.";
    "tolerates-bad-bitfield" caught by "bitfield/too-long": "Keeps a link on which a bitfield had the wrong length or spare bits.";
    "tolerates-late-bitfield" caught by "bitfield/late": "Keeps a link on which a bitfield came late.";
    "tolerates-malformed" caught by "malformed/request-too-short": "Keeps a link on which bytes came that are no message.";
    "closes-on-unknown" caught by "unknown/with-payload": "Ends a link on which an unknown message came.";
    "never-unchokes" caught by "unchoke/after-interest": "Never lets anybody request.";
    "extra-slot" caught by "slots/stated": "Unchokes one neighbour more than it has slots.";
    "serves-choked" caught by "choked/no-block": "Answers the requests of neighbours that it chokes.";
    "wrong-data" caught by "block/whole-piece": "Sends blocks whose first byte is wrong.";
    "short-blocks" caught by "block/as-asked": "Sends blocks that lack their last byte.";
    "drops-requests" caught by "request/inside-a-piece": "Answers only requests at the beginning of a piece.";
    "serves-beyond-the-end" caught by "bounds/beyond-the-piece": "Pads a block that ends beyond its piece.";
    "serves-empty" caught by "bounds/empty": "Answers a request for no bytes with an empty block.";
    "serves-oversized" caught by "bounds/over-128-kib": "Serves blocks of any length.";
    "ignores-cancel" caught by "cancel/dropped": "Sends blocks that were cancelled before their turn came.";
    "fast-uninvited" caught by "fast/only-negotiated": "Uses the fast extension's messages without negotiation.";
    "tolerates-uninvited-fast" caught by "fast/uninvited-have-none": "Keeps a link on which fast messages came without negotiation.";
    "never-rejects" caught by "fast/one-answer": "Never sends a reject.";
    "wrong-allowed-fast" caught by "fast/allowed-set": "Offers other pieces than the generated ones.";
    "extends-uninvited" caught by "extension/only-negotiated": "Sends an extension handshake without negotiation.";
    "wrong-metadata-size" caught by "metadata/size": "Announces a metadata size that is one too many.";
    "wrong-metadata" caught by "metadata/content": "Sends metadata whose first byte is wrong.";
    "never-rejects-metadata" caught by "metadata/beyond-the-end": "Is silent about metadata that does not exist.";
    "needs-whole-handshake" caught by "handshake/byte-by-byte": "Reads a handshake only where it comes in one piece.";
    "needs-whole-messages" caught by "request/byte-by-byte": "Reads a message only where it comes in one piece.";
    "dies-of-huge-length" caught by "survives/huge-length": "Stops serving anybody after a length prefix beyond every bound.";
    "waits-for-huge-message" caught by "malformed/huge-length": "Waits for a message of any announced length.";
    "closes-on-keep-alive" caught by "keep-alive/ignored": "Hangs up on keep-alives.";
    "closes-on-unknown-bits" caught by "handshake/unknown-bits": "Hangs up on reserved bits that it does not know.";
    "new-peer-id-each-time" caught by "handshake/same-peer-id": "Gives another peer id on every connection.";
    "one-connection" caught by "connections/several": "Takes one connection at a time.";
    "shared-extension-id" caught by "extension/unique-ids": "Gives two extensions one id.";
    "metadata-under-own-id" caught by "metadata/answered": "Sends metadata under its own id for it.";
    "no-keep-alives" caught by "keep-alive/sent": "Never sends keep-alives.";
    "little-endian-lengths" caught by "message/well-formed": "Sends length prefixes with the low byte first.";
};

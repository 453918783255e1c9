//! The seeded violations of the reference tracker: those of its specification, and those that exist only on the wire.

use std::sync::LazyLock;

use peerproof_model::bittorrent::mutant::{Mutant, Side};

use crate::suite::Break;

/// A seeded violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// Of the specification.
    Model(Mutant),
    /// Of the server.
    Wire(WireBug),
}

impl Bug {
    pub(super) fn by_name(name: &str) -> Option<Self> {
        let model = Mutant::of(Side::Tracker).find(|mutant| mutant.name() == name);
        let wire = || WireBug::ALL.iter().find(|bug| bug.as_break().name == name);
        model
            .map(Self::Model)
            .or_else(|| wire().map(|bug| Self::Wire(*bug)))
    }

    pub(super) fn mutant(self) -> Option<Mutant> {
        match self {
            Self::Model(mutant) => Some(mutant),
            Self::Wire(_) => None,
        }
    }
}

macro_rules! wire_bugs {
    ($($variant:ident $name:literal caught by $case:literal: $what:literal;)*) => {
        /// What only the server does wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum WireBug {
            $(#[doc = $what] $variant,)*
        }

        impl WireBug {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn as_break(self) -> Break {
                match self {
                    $(Self::$variant => Break {
                        name: $name,
                        what: $what,
                        caught_by: concat!("bittorrent-tracker/", $case),
                    },)*
                }
            }
        }
    };
}

wire_bugs! {
    RaggedLists "ragged-lists" caught by "http/compact-entries": "Puts a byte too many into a compact list.";
    UnsortedKeys "unsorted-keys" caught by "http/canonical-bencoding": "Puts a key of its dictionaries into the wrong place.";
    HalfAnswers "half-answers" caught by "http/announce": "Leaves out the last byte of its dictionaries.";
    AlwaysDictionaries "always-dictionaries" caught by "http/compact-by-default": "Lists peers as dictionaries, whatever was asked for.";
    RefusesDictionaries "refuses-dictionaries" caught by "http/compact-is-advice": "Refuses announces with compact=0.";
    Ipv6Noise "ipv6-noise" caught by "http/peers6-holds-ipv6": "Adds an address of its own to peers6.";
    UnknownAddresses "unknown-addresses" caught by "http/only-announced-peers": "Adds an address that nobody announced.";
    ForgetsOnReannounce "forgets-on-reannounce" caught by "http/reannounce-keeps-the-peer": "Takes an announce without an event for a farewell.";
    KeepsTheStopped "keeps-the-stopped" caught by "http/counts-after-events": "Ignores that a peer stopped.";
    SmallWishesOnly "small-wishes-only" caught by "http/numwant-huge": "Refuses an announce that wants very many peers.";
    SeedersByEvent "seeders-by-event" caught by "http/left-zero-is-a-seeder": "Takes for a seeder only who announces completed.";
    SeedersComplete "seeders-complete" caught by "http/a-seeder-has-not-completed": "Counts a seeder that starts as a completed download.";
    CountsAnnounces "counts-too-many" caught by "http/reannounce-counts-once": "Counts one leecher more than there are in scrapes.";
    NoScrapeAnswer "no-scrape-answer" caught by "http/scrape": "Answers scrapes by something that is no dictionary.";
    FirstHashOnly "first-hash-only" caught by "http/scrape-several": "Looks at the first torrent of a scrape only.";
    UpperCaseOnly "upper-case-only" caught by "http/escaping-lower-case": "Refuses lower-case digits in escapes.";
    LowerCaseOnly "lower-case-only" caught by "http/escaping-upper-case": "Refuses upper-case digits in escapes.";
    EscapesOnly "escapes-only" caught by "http/escaping-mixed": "Refuses peer ids with bytes that are not escaped.";
    StrictOrder "strict-order" caught by "http/order-of-parameters": "Refuses announces whose first parameter is not info_hash.";
    RefusesEmptyEvent "refuses-empty-event" caught by "http/empty-event": "Refuses an event without a name.";
    KnownParametersOnly "known-parameters-only" caught by "http/unknown-parameters": "Refuses parameters that it does not know.";
    RefusesHttp10 "refuses-http-1.0" caught by "http/version-1.0": "Refuses requests of HTTP/1.0.";
    OneSegment "one-segment" caught by "http/in-segments": "Takes the first segment of a request for all of it.";
    OneAtATime "one-at-a-time" caught by "http/half-sent": "Serves one connection at a time, however slow it is.";
    HoldsGrudges "holds-grudges" caught by "http/garbage": "Hangs up on everybody after one request that is none.";
    HalfReplies "half-replies" caught by "udp/whole-replies": "Ends its announce replies after the transaction id.";
    ShortConnects "short-connects" caught by "udp/connect": "Ends its connect replies within the connection id.";
    ExactLengths "exact-lengths" caught by "udp/long-announce": "Ignores packets that are longer than specified.";
    PadsShortPackets "pads-short-packets" caught by "udp/short-announce": "Takes the missing end of a packet for zeros.";
    AnyProtocolId "any-protocol-id" caught by "udp/wrong-protocol-id": "Answers connect requests of any protocol id.";
    EveryActionAnnounces "every-action-announces" caught by "udp/unknown-action": "Takes every unknown action for an announce.";
    GuessableIds "guessable-ids" caught by "udp/ids-cannot-be-guessed": "Counts its connection ids up from zero.";
    ZeroAddresses "zero-addresses" caught by "udp/source-address": "Believes the address 0 in announces.";
    ShortScrapes "short-scrapes" caught by "udp/scrape-seventy-four": "Answers for the first torrent of a scrape only.";
}

/// The case that catches a violation of the specification.
fn caught_by(mutant: Mutant) -> &'static str {
    match mutant {
        Mutant::ReturnsStopped => "bittorrent-tracker/http/stopped-peer-is-forgotten",
        Mutant::NoPeers => "bittorrent-tracker/http/peers-find-each-other",
        Mutant::OnePeer => "bittorrent-tracker/http/small-swarm-whole",
        Mutant::MixesTorrents => "bittorrent-tracker/udp/only-announced-peers",
        Mutant::WrongPorts => "bittorrent-tracker/http/only-announced-peers",
        Mutant::ListsTwice => "bittorrent-tracker/http/nobody-twice",
        Mutant::IgnoresNumwant => "bittorrent-tracker/http/numwant-zero",
        Mutant::WrongNames => "bittorrent-tracker/http/names-in-dictionaries",
        Mutant::NoInterval => "bittorrent-tracker/http/interval",
        Mutant::SwapsCounts => "bittorrent-tracker/udp/announce-counts",
        Mutant::CountsEveryCompletion => "bittorrent-tracker/http/completed-counts-once",
        Mutant::CountsNoCompletion => "bittorrent-tracker/http/completed-is-counted",
        Mutant::AcceptsMalformed => "bittorrent-tracker/http/info-hash-missing",
        Mutant::WrongTransaction => "bittorrent-tracker/udp/transaction-ids",
        Mutant::WrongAction => "bittorrent-tracker/udp/actions",
        Mutant::AnyConnectionId => "bittorrent-tracker/udp/invented-id",
        Mutant::SharedConnectionId => "bittorrent-tracker/udp/id-of-another-host",
        Mutant::EternalConnectionIds => "bittorrent-tracker/udp/id-expires",
        Mutant::RefusesConnectionIds => "bittorrent-tracker/udp/id-for-several-requests",
        Mutant::ScrapeOutOfOrder => "bittorrent-tracker/udp/scrape-order",
        Mutant::ScrapeInvents => "bittorrent-tracker/http/scrape-unknown",
        // A mutant of a peer is no break of a tracker.
        _ => "",
    }
}

/// Every break, with the case that was declared to catch it.
pub static BREAKS: LazyLock<Vec<Break>> = LazyLock::new(|| {
    let of_the_model = Mutant::of(Side::Tracker).map(|mutant| Break {
        name: mutant.name(),
        what: mutant.what(),
        caught_by: caught_by(mutant),
    });
    of_the_model
        .chain(WireBug::ALL.iter().map(|bug| bug.as_break()))
        .collect()
});

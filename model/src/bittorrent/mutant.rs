//! Seeded violations: for each fact a specification that does not keep it, declared beforehand.
//!
//! The model checker runs the peer with each of them and must find the property named here broken; the harness
//! serves the same peer on sockets and must catch it by the case declared there.

/// Whose rules a mutant breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// A peer, while it serves.
    Seeder,
    /// A peer, while it fetches.
    Leecher,
    /// A tracker.
    Tracker,
}

macro_rules! mutants {
    ($($side:ident $variant:ident $name:literal breaks $property:literal: $what:literal;)*) => {
        /// One thing that a peer or a tracker does wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutant {
            $(#[doc = $what] $variant,)*
        }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Whose rules it breaks.
            pub fn side(self) -> Side {
                match self { $(Self::$variant => Side::$side,)* }
            }

            /// Its name for `--break`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it does wrong, in one sentence.
            pub fn what(self) -> &'static str {
                match self { $(Self::$variant => $what,)* }
            }

            /// The property that it breaks, by name.
            pub fn breaks(self) -> &'static str {
                match self { $(Self::$variant => $property,)* }
            }
        }
    };
}

mutants! {
    // Any peer, seen best while it serves.
    Seeder WrongInfoHash "wrong-info-hash" breaks "the_handshake_names_the_torrent": "Answers with the info hash of another torrent.";
    Seeder KeepsForeignTorrents "keeps-foreign-torrents" breaks "a_handshake_for_another_torrent_is_closed": "Keeps a link whose handshake names another torrent.";
    Seeder KeepsItself "keeps-itself" breaks "a_connection_with_itself_is_closed": "Keeps a link with its own peer id.";
    Seeder NeverDeclares "never-declares" breaks "every_piece_is_announced": "Never says which pieces it has.";
    Seeder LateBitfield "late-bitfield" breaks "the_declaration_is_the_first_message": "Says something else before its bitfield.";
    Seeder SpareBits "spare-bits" breaks "the_bitfield_fits_the_torrent": "Sets a spare bit in its bitfield.";
    Seeder BitfieldLies "bitfield-lies" breaks "every_piece_is_announced": "Hides its first piece and claims those it lacks.";
    Seeder ToleratesBadBitfield "tolerates-bad-bitfield" breaks "a_bitfield_that_does_not_fit_is_closed": "Keeps a link on which a bitfield had the wrong length or spare bits.";
    Seeder ToleratesLateBitfield "tolerates-late-bitfield" breaks "a_late_bitfield_is_closed": "Keeps a link on which a bitfield came late.";
    Seeder ToleratesMalformed "tolerates-malformed" breaks "malformed_messages_are_closed": "Keeps a link on which bytes came that are no message.";
    Seeder ClosesOnUnknown "closes-on-unknown" breaks "unknown_messages_are_skipped": "Ends a link on which an unknown message came.";
    Seeder NeverUnchokes "never-unchokes" breaks "an_interested_neighbour_is_unchoked_while_slots_are_free": "Never lets anybody request.";
    Seeder ExtraSlot "extra-slot" breaks "never_more_unchoked_than_slots": "Unchokes one neighbour more than it has slots.";
    Seeder ServesChoked "serves-choked" breaks "choked_neighbours_get_no_blocks": "Answers the requests of neighbours that it chokes.";
    Seeder WrongData "wrong-data" breaks "blocks_have_the_bytes_of_the_torrent": "Sends blocks whose first byte is wrong.";
    Seeder ShortBlocks "short-blocks" breaks "blocks_are_what_was_asked_for": "Sends blocks that lack their last byte.";
    Seeder DropsRequests "drops-requests" breaks "requests_of_an_unchoked_neighbour_are_answered": "Answers only requests at the beginning of a piece.";
    Seeder ServesBeyondTheEnd "serves-beyond-the-end" breaks "requests_beyond_the_piece_get_no_block": "Pads a block that ends beyond its piece.";
    Seeder ServesEmpty "serves-empty" breaks "empty_requests_get_no_block": "Answers a request for no bytes with an empty block.";
    Seeder ServesOversized "serves-oversized" breaks "oversized_requests_get_no_block": "Serves blocks of any length.";
    Seeder IgnoresCancel "ignores-cancel" breaks "cancelled_requests_are_dropped": "Sends blocks that were cancelled before their turn came.";
    Seeder FastUninvited "fast-uninvited" breaks "fast_messages_only_when_both_have_the_bit": "Uses the fast extension's messages without negotiation.";
    Seeder ToleratesUninvitedFast "tolerates-uninvited-fast" breaks "uninvited_fast_messages_are_closed": "Keeps a link on which fast messages came without negotiation.";
    Seeder NeverRejects "never-rejects" breaks "with_fast_every_request_is_answered_once": "Never sends a reject.";
    Seeder WrongAllowedFast "wrong-allowed-fast" breaks "the_allowed_fast_set_is_the_generated_one": "Offers other pieces than the generated ones.";
    Seeder ExtendsUninvited "extends-uninvited" breaks "extended_messages_only_when_both_have_the_bit": "Sends an extension handshake without negotiation.";
    Seeder WrongMetadataSize "wrong-metadata-size" breaks "the_metadata_size_is_that_of_the_info": "Announces a metadata size that is one too many.";
    Seeder WrongMetadata "wrong-metadata" breaks "metadata_blocks_are_those_of_the_info": "Sends metadata whose first byte is wrong.";
    Seeder NeverRejectsMetadata "never-rejects-metadata" breaks "metadata_requests_beyond_the_end_are_rejected": "Is silent about metadata that does not exist.";

    Leecher NeverInterested "never-interested" breaks "interest_is_said": "Never says that it is interested.";
    Leecher StaysInterested "stays-interested" breaks "interest_ends_with_the_last_wanted_piece": "Never says that it has lost interest.";
    Leecher RequestsChoked "requests-choked" breaks "requests_only_while_unchoked": "Requests from neighbours that choke it.";
    Leecher RequestsUnannounced "requests-unannounced" breaks "requests_only_what_the_neighbour_has": "Requests pieces that the neighbour has not announced.";
    Leecher RequestsWhatItHas "requests-what-it-has" breaks "requests_only_what_is_missing": "Requests pieces that it has.";
    Leecher OversizedRequests "oversized-requests" breaks "requests_are_at_most_16_kib": "Requests more than 128 KiB at once.";
    Leecher RequestsBeyondTheEnd "requests-beyond-the-end" breaks "requests_lie_inside_their_piece": "Requests as much of a piece's last block as of the others, and one byte more.";
    Leecher UnboundedPipeline "unbounded-pipeline" breaks "no_more_requests_than_the_neighbour_keeps": "Requests everything at once.";
    Leecher HaveBeforeVerification "have-before-verification" breaks "only_verified_pieces_are_announced": "Announces a piece with its first block.";
    Leecher AcceptsBadPieces "accepts-bad-pieces" breaks "only_verified_pieces_are_announced": "Keeps and announces pieces whatever their hash.";
    Leecher NeverHave "never-have" breaks "every_piece_is_announced": "Does not announce the pieces that it completes.";
    Leecher InOrder "in-order" breaks "the_chosen_piece_is_a_rarest_one": "Takes the pieces in the order of their numbers.";
    Leecher RandomOrder "random-order" breaks "the_chosen_piece_is_a_rarest_one": "Takes the pieces in random order.";
    Leecher CommonestFirst "commonest-first" breaks "the_chosen_piece_is_a_rarest_one": "Takes the piece that most neighbours have.";
    Leecher NoStrictPriority "no-strict-priority" breaks "a_started_piece_is_finished_first": "Starts a new piece before it has requested the rest of the last one.";
    Leecher EarlyDuplicates "early-duplicates" breaks "duplicates_only_in_endgame": "Requests blocks that are under way from others when it could wait.";
    Leecher NoCancel "no-cancel" breaks "duplicates_are_cancelled_on_arrival": "Does not cancel a request that another neighbour has answered.";
    Leecher FavoursFreeRiders "favours-free-riders" breaks "free_riders_get_only_the_optimistic_slot_while_reciprocators_wait": "Gives its slots to those who give least.";
    Leecher KeepsStrangers "keeps-strangers" breaks "a_stranger_behind_a_dialled_address_is_closed": "Keeps a dialled link on which another peer than the expected one answers.";
    Leecher NeverStarted "never-started" breaks "the_first_announce_says_started": "Does not say that it starts.";
    Leecher NeverCompleted "never-completed" breaks "completed_is_announced": "Does not announce that its download completed.";
    Leecher CompletedTwice "completed-twice" breaks "completed_is_announced_at_most_once": "Announces twice that its download completed.";
    Leecher NeverStopped "never-stopped" breaks "stopped_is_announced_on_leaving": "Leaves without a word to the tracker.";
    Leecher WrongLeft "wrong-left" breaks "left_is_what_is_missing": "Announces what it has as what is left.";
    Leecher WrongPort "wrong-port" breaks "announces_name_the_torrent_and_a_port": "Announces port 0.";

    Tracker ReturnsStopped "returns-stopped" breaks "stopped_peers_are_not_listed": "Returns peers that said that they stopped.";
    Tracker NoPeers "no-peers" breaks "peers_find_each_other": "Never returns a peer.";
    Tracker OnePeer "one-peer" breaks "small_swarms_are_listed_whole": "Returns one peer, however many there are.";
    Tracker MixesTorrents "mixes-torrents" breaks "only_announced_peers_are_listed": "Returns peers of every torrent.";
    Tracker WrongPorts "wrong-ports" breaks "only_announced_peers_are_listed": "Returns every peer with its port plus one.";
    Tracker ListsTwice "lists-twice" breaks "nobody_is_listed_twice": "Returns every peer twice.";
    Tracker IgnoresNumwant "ignores-numwant" breaks "lists_are_no_longer_than_wanted": "Returns all peers, whatever number was wanted.";
    Tracker WrongNames "wrong-names" breaks "listed_names_are_the_announced_ones": "Returns every peer under the peer id of the one that asks.";
    Tracker NoInterval "no-interval" breaks "intervals_are_positive": "Answers with an interval of 0.";
    Tracker SwapsCounts "swaps-counts" breaks "announces_count_live_peers": "Takes seeders for leechers, and leechers for seeders.";
    Tracker CountsEveryCompletion "counts-every-completion" breaks "completions_are_counted_once": "Counts a completed download each time it is announced.";
    Tracker CountsNoCompletion "counts-no-completion" breaks "completions_are_counted": "Never counts a completed download.";
    Tracker AcceptsMalformed "accepts-malformed" breaks "malformed_announces_are_refused": "Accepts announces without the parameters they need.";
    Tracker WrongTransaction "wrong-transaction" breaks "transaction_ids_are_echoed": "Answers with another transaction id.";
    Tracker WrongAction "wrong-action" breaks "actions_answer_the_request": "Answers an announce as if it had been a scrape.";
    Tracker AnyConnectionId "any-connection-id" breaks "foreign_connection_ids_are_refused": "Accepts any connection id.";
    Tracker SharedConnectionId "shared-connection-id" breaks "foreign_connection_ids_are_refused": "Hands out one connection id to everybody.";
    Tracker EternalConnectionIds "eternal-connection-ids" breaks "connection_ids_expire": "Accepts a connection id for ever.";
    Tracker RefusesConnectionIds "refuses-connection-ids" breaks "connection_ids_are_honoured": "Accepts no connection id, its own included.";
    Tracker ScrapeOutOfOrder "scrape-out-of-order" breaks "scrapes_count_live_peers": "Answers a scrape of several torrents in reverse order.";
    Tracker ScrapeInvents "scrape-invents" breaks "scrapes_invent_nothing": "Tells of peers of torrents that nobody announced.";
}

impl Mutant {
    /// The mutant of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|mutant| mutant.name() == name)
    }

    /// The mutants of that side.
    pub fn of(side: Side) -> impl Iterator<Item = Self> {
        Self::ALL
            .iter()
            .copied()
            .filter(move |mutant| mutant.side() == side)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = Mutant::ALL.iter().map(|mutant| mutant.name()).collect();
        assert_eq!(names.len(), Mutant::ALL.len());
    }

    #[test]
    fn every_side_has_a_dozen() {
        for side in [Side::Seeder, Side::Leecher, Side::Tracker] {
            assert!(Mutant::of(side).count() >= 12, "{side:?}");
        }
    }
}

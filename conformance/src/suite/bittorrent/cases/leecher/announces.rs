//! What the target tells the tracker, and what it does with the answers.

use peerproof_model::bittorrent::message::AnnounceEvent::{Completed, Regular, Started};

use super::{scene, seed};
use crate::case::{Case, CaseInfo, Level};
use crate::suite::bittorrent::swarm::{Form, Script, Swarm};

/// The cases of this topic.
pub(super) const CASES: &[Case<Swarm>] = &[
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/first-is-started",
            story: "The target is given a torrent; the kit's tracker waits for its first announce.",
            expected: "The first announce has the event started.",
            level: Level::Must,
            claims: &["bep3/announce-started"],
            property: "the_first_announce_says_started",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_announces(1)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/parameters",
            story: "The target downloads a torrent from a seed; the kit's tracker decodes every request strictly.",
            expected: "Every announce has the 20 bytes of the info hash, the same 20 bytes of peer id, a port, and decimal counters.",
            level: Level::Must,
            claims: &["bep3/announce-parameters"],
            property: "announces_name_the_torrent_and_a_port",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.await_announce(&Completed).map(drop)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/port-accepts",
            story: "After the first announce the kit dials the announced port and shakes hands.",
            expected: "The target answers there with its handshake.",
            level: Level::Must,
            claims: &["bep3/announce-port"],
            property: "the_announced_port_accepts_peers",
            slow: false,
            alone: false,
        },
        play: |kit| {
            // The tracker of this story returns nobody, so that only the kit dials.
            kit.begin(scene([seed()]).alone())?;
            kit.dial_from(0)?;
            kit.await_neighbour(0)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/left",
            story: "The target downloads everything from a seed; the kit compares left at the start and at the completion.",
            expected: "left is the length of the torrent at the start, and 0 with the event completed.",
            level: Level::Must,
            claims: &["bep3/announce-left"],
            property: "left_is_what_is_missing",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.await_announce(&Completed).map(drop)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/downloaded",
            story: "The target downloads everything from a seed; the kit compares downloaded at the start and at the completion.",
            expected: "downloaded is 0 at the start, and at least the length of the torrent with the event completed.",
            level: Level::Should,
            claims: &["bep3/announce-downloaded"],
            property: "downloaded_is_what_was_received",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.await_announce(&Completed).map(drop)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/uploaded",
            story: "The target downloads everything and nobody asks it for a block.",
            expected: "uploaded is 0 in every announce.",
            level: Level::Should,
            claims: &["bep3/announce-uploaded"],
            property: "uploaded_is_what_was_sent",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.await_announce(&Completed).map(drop)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/completed",
            story: "The target downloads everything from a seed.",
            expected: "It announces the event completed, and not before it was given every piece.",
            level: Level::Must,
            claims: &["bep3/announce-completed"],
            property: "completed_is_announced",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.or_due(kit.await_announce(&Completed))
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/completed-once",
            story: "The target downloads everything from a seed, and is asked to leave after that.",
            expected: "It announces the event completed once.",
            level: Level::Must,
            claims: &["bep3/announce-completed"],
            property: "completed_is_announced_at_most_once",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]).tracked(Script {
                interval: 2,
                ..Script::default()
            }))?;
            kit.await_neighbour(0)?;
            kit.await_announce(&Completed)?;
            kit.calm()?;
            kit.end_target()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/no-completed-for-a-seed",
            story: "The target finds the whole content in its directory when it starts.",
            expected: "It announces started, and never completed.",
            level: Level::Must,
            claims: &["bep3/announce-completed-once"],
            property: "completed_is_announced_at_most_once",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([]).complete())?;
            kit.await_announce(&Started)?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/stopped",
            story: "The target is asked to leave in the middle of a download.",
            expected: "Its last announce has the event stopped.",
            level: Level::Must,
            claims: &["bep3/announce-stopped"],
            property: "stopped_is_announced_on_leaving",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed().choking()]))?;
            kit.await_neighbour(0)?;
            kit.end_target()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/interval",
            story: "The tracker asks for an interval of eight seconds; the kit waits for the next regular announce.",
            expected: "It does not come before the interval is over.",
            level: Level::Should,
            claims: &["bep3/announce-interval"],
            property: "regular_announces_wait_for_the_interval",
            slow: true,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed().choking()]).tracked(Script {
                interval: 8,
                ..Script::default()
            }))?;
            kit.await_announce(&Started)?;
            kit.await_announce(&Regular).map(drop)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/compact",
            story: "The kit's tracker looks whether announces ask for the compact form.",
            expected: "They say compact=1.",
            level: Level::Should,
            claims: &["bep23/compact-asked-for"],
            property: "the_compact_form_is_asked_for",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_announces(1)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/compact-peers",
            story: "The tracker returns a seed in the compact form.",
            expected: "The target dials it.",
            level: Level::Must,
            claims: &["bep23/compact-understood"],
            property: "returned_peers_are_dialled",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.or_due(kit.await_dialled(0))
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/dictionary-peers",
            story: "One tracker returns a seed in the compact form, that of a second torrent returns one as a dictionary.",
            expected: "A target that dials the first dials the second.",
            level: Level::Must,
            claims: &["bep3/peers-are-dialled"],
            property: "returned_peers_are_dialled",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_dialled(0)?;
            let form = Form::Dictionaries;
            kit.begin(scene([seed()]).tracked(Script {
                form,
                ..Script::default()
            }))?;
            kit.or_due(kit.await_dialled(0))
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/failure-reason",
            story: "The tracker refuses the announce with a failure reason; the same answer has a peer, who listens.",
            expected: "The target does not dial that peer.",
            level: Level::Must,
            claims: &["bep3/failure-reason-alone"],
            property: "peers_of_a_refusal_are_not_used",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]).tracked(Script {
                refusals: 1,
                ..Script::default()
            }))?;
            kit.await_announces(1)?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/announce/tracker-id",
            story: "The tracker's first answer has a tracker id; the target completes the download.",
            expected: "The next announce sends it back as trackerid.",
            level: Level::May,
            claims: &["tracker/tracker-id-echoed"],
            property: "the_tracker_id_is_echoed",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let tracker_id = Some(b"kit-7".to_vec());
            kit.begin(scene([seed()]).tracked(Script {
                tracker_id,
                ..Script::default()
            }))?;
            kit.await_neighbour(0)?;
            kit.await_announce(&Completed).map(drop)
        },
    },
];

//! In which order the target takes blocks and pieces.

use peerproof_model::bittorrent::message::PeerMessage::{Choke, Unchoke};
use peerproof_model::bittorrent::picking::{
    Order, RANDOM_FIRST, RAREST_FIRST, Tendency, uneven_swarm,
};

use super::{PIECES, scene, seed};
use crate::case::{Case, CaseInfo, Level, Stop};
use crate::suite::bittorrent::swarm::{Plan, Scene, Serves, Swarm, all, some};

/// The swarm in which the order is judged: pieces, neighbours, and torrents that count together.
const RARITY_PIECES: u32 = 40;
const RARITY_NEIGHBOURS: u32 = 6;
const RARITY_TORRENTS: u32 = 3;

/// The cases of this topic.
pub(super) const CASES: &[Case<Swarm>] = &[
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/order/strict-priority",
            story: "A seed serves a torrent of pieces of four blocks, one block on each request.",
            expected: "Once a block of a piece was requested, its other blocks come before blocks of other pieces.",
            level: Level::Should,
            claims: &["cohen2003/strict-priority"],
            property: "a_started_piece_is_finished_first",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]).of_blocks(4))?;
            kit.await_neighbour(0)?;
            kit.await_given()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/order/duplicates-only-in-endgame",
            story: "Two neighbours have the same four pieces and keep every request waiting; a third has the rest and chokes, then serves.",
            expected: "No block is requested of both while some block has not been requested at all.",
            level: Level::Should,
            claims: &["bep3/endgame"],
            property: "duplicates_only_in_endgame",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let four = || {
                Plan::with(some(PIECES, 0..4))
                    .choking()
                    .serving(Serves::OnCue)
            };
            kit.begin(scene([
                four(),
                four(),
                seed().choking().serving(Serves::OnCue),
            ]))?;
            kit.await_interest_in_everybody()?;
            kit.say(0, Unchoke)?;
            kit.calm()?;
            kit.say(1, Unchoke)?;
            kit.calm()?;
            // From here on duplicates can go to the third only, behind the first requests of everything else.
            kit.say(1, Choke)?;
            kit.calm()?;
            kit.say(2, Unchoke)?;
            kit.calm()?;
            kit.serve(2, Serves::AtOnce)?;
            kit.await_given()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/order/cancels-in-endgame",
            story: "Two seeds share the last requests; when both were asked for the same block, one answers it.",
            expected: "The target cancels the other request.",
            level: Level::Should,
            claims: &["bep3/endgame-cancel"],
            property: "duplicates_are_cancelled_on_arrival",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let two = |_| Plan::with(all(4)).choking().serving(Serves::OnCue);
            kit.begin(Scene::of(4, (0..2).map(two).collect()))?;
            kit.await_neighbour(0)?;
            kit.await_neighbour(1)?;
            kit.await_interested(0)?;
            kit.await_interested(1)?;
            kit.say(0, Unchoke)?;
            kit.say(1, Unchoke)?;
            let block = kit.await_duplicate(0, 1)?;
            kit.calm()?;
            kit.serve_this(1, block)?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/order/rarest-first",
            story: "Three torrents of 40 pieces that one to five of six neighbours have; one of them serves, a block at a time.",
            expected: "The order of the first requests prefers rare pieces, after the first four; a random or sequential order is documented elsewhere.",
            level: Level::Should,
            claims: &["cohen2003/rarest-first"],
            property: RAREST_FIRST.name,
            slow: false,
            alone: false,
        },
        play: |kit| {
            (0..RARITY_TORRENTS).try_for_each(|_| fetch_from_an_uneven_swarm(kit))?;
            match Tendency::of(kit.picks()).map(|tendency| (tendency.order(), tendency)) {
                Some((Some(Order::RarestFirst) | None, _)) | None => Ok(()),
                Some((Some(order), tendency)) => {
                    Err(Stop::NonStrict(format!("the order is {order}: {tendency}")))
                }
            }
        },
    },
];

fn fetch_from_an_uneven_swarm(kit: &mut Swarm) -> Result<(), Stop> {
    let swarm = uneven_swarm(RARITY_PIECES, RARITY_NEIGHBOURS, &mut kit.choices());
    let plans = swarm
        .into_iter()
        .map(|has| Plan::with(has).choking().serving(Serves::AfterHave));
    kit.begin(Scene::of(RARITY_PIECES, plans.collect()))?;
    // Interest shows that the bitfield was read: from here on the target knows how rare each piece is.
    kit.await_interest_in_everybody()?;
    kit.say(0, Unchoke)?;
    // The first pieces come one by one, so that few choices are made before they are announced.
    kit.await_have_count(0, RANDOM_FIRST)?;
    kit.serve(0, Serves::AtOnce)?;
    kit.await_given()?;
    kit.end_round();
    Ok(())
}

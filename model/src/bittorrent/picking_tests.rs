//! Pickers of each kind, simulated: how often the statistic mistakes one for another.

use super::*;
use crate::choose::Seeded;

/// The swarm of the harness's case: pieces, neighbours, and torrents that are judged together.
const PIECES: u32 = 40;
const NEIGHBOURS: u32 = 6;
const TORRENTS: u64 = 3;
const SIMULATIONS: u64 = 40_000;
/// Choices of every download that are not judged: the random first ones, and those made before they were announced.
/// Real downloaders leave 20 to 31 of 40 choices to judge, the reference 21.
const NOT_JUDGED: usize = 20;

#[derive(Clone, Copy, Debug)]
enum Picker {
    Rarest,
    /// Rarest first, but of two neighbours nothing is known during the first choices that count.
    RarestWithLateBitfields {
        late: usize,
    },
    Commonest,
    InOrder,
    InReverseOrder,
    Random,
}

impl Picker {
    /// One of `open`, where `holders` says how many neighbours have a piece, `known` how many the picker knows of.
    fn pick(
        self,
        turn: usize,
        open: &[u32],
        (holders, known): (&[u32], &[u32]),
        choose: &mut dyn Choose,
    ) -> u32 {
        let of = |counts: &[u32], piece: u32| counts[piece as usize];
        match self {
            Self::RarestWithLateBitfields { late } if turn < late => {
                least(open, |piece| of(known, piece), choose)
            }
            Self::Rarest | Self::RarestWithLateBitfields { .. } => {
                least(open, |piece| of(holders, piece), choose)
            }
            Self::Commonest => least(open, |piece| NEIGHBOURS - of(holders, piece), choose),
            Self::InOrder => open[0],
            Self::InReverseOrder => open[open.len() - 1],
            Self::Random => open[choose.choose(open.len())],
        }
    }
}

/// One of those with the least key.
fn least(open: &[u32], key: impl Fn(u32) -> u32, choose: &mut dyn Choose) -> u32 {
    let lowest = open.iter().map(|piece| key(*piece)).min();
    let lowest: Vec<u32> = open
        .iter()
        .copied()
        .filter(|piece| Some(key(*piece)) == lowest)
        .collect();
    lowest[choose.choose(lowest.len())]
}

/// The choices of one download that are judged; the first four of all are taken at random.
fn download(picker: Picker, choose: &mut dyn Choose) -> Vec<Pick> {
    let swarm = uneven_swarm(PIECES, NEIGHBOURS, choose);
    let count = |swarm: &[Pieces]| -> Vec<u32> {
        let holders = |piece| swarm.iter().filter(|has| has.contains(piece)).count() as u32;
        (0..PIECES).map(holders).collect()
    };
    let (holders, known) = (count(&swarm), count(&swarm[..swarm.len() - 2]));
    let mut open: Vec<u32> = (0..PIECES).collect();
    for turn in 0..NOT_JUDGED {
        let first = match picker {
            Picker::InOrder | Picker::InReverseOrder => {
                picker.pick(turn, &open, (&holders, &known), choose)
            }
            _ if turn >= RANDOM_FIRST as usize => picker.pick(
                turn - RANDOM_FIRST as usize,
                &open,
                (&holders, &known),
                choose,
            ),
            _ => open[choose.choose(open.len())],
        };
        open.retain(|piece| *piece != first);
    }
    let mut picks = Vec::new();
    while !open.is_empty() {
        let chosen = picker.pick(
            NOT_JUDGED - RANDOM_FIRST as usize + picks.len(),
            &open,
            (&holders, &known),
            choose,
        );
        let candidates = open.iter().map(|piece| (*piece, holders[*piece as usize]));
        picks.push(Pick {
            chosen,
            candidates: candidates.collect(),
        });
        open.retain(|piece| *piece != chosen);
    }
    picks
}

fn tendency(picker: Picker, seed: u64) -> Tendency {
    let mut choose = Seeded::new(seed);
    let picks: Vec<Pick> = (0..TORRENTS)
        .flat_map(|_| download(picker, &mut choose))
        .collect();
    Tendency::of(&picks).expect("choices that tell")
}

/// Least and greatest preference seen, and how often each order was recognised.
fn simulate(picker: Picker) -> (f64, f64, BTreeMap<String, u64>) {
    let mut range = (f64::INFINITY, f64::NEG_INFINITY);
    let mut orders = BTreeMap::new();
    for seed in 0..SIMULATIONS {
        let tendency = tendency(picker, seed);
        range = (range.0.min(tendency.rarity), range.1.max(tendency.rarity));
        let order = tendency.order();
        let order = order.map_or("too few choices".to_owned(), |order| order.to_string());
        *orders.entry(order).or_insert(0) += 1;
    }
    println!(
        "{picker:?}: preference {:.3} to {:.3}, {orders:?}",
        range.0, range.1
    );
    (range.0, range.1, orders)
}

#[test]
fn a_sound_picker_shows_the_whole_preference() {
    let (least, greatest, orders) = simulate(Picker::Rarest);
    assert!((least - 1.0).abs() < 1e-9 && (greatest - 1.0).abs() < 1e-9);
    assert_eq!(orders[&Order::RarestFirst.to_string()], SIMULATIONS);
}

#[test]
fn late_bitfields_raise_no_false_alarm() {
    // Two of six neighbours are unknown to the picker until a quarter of the judged choices of every download
    // are made, and the observer does not know that: far more noise than the harness leaves.
    let late = NOT_JUDGED - RANDOM_FIRST as usize + 5;
    let (least, _, orders) = simulate(Picker::RarestWithLateBitfields { late });
    assert_eq!(orders[&Order::RarestFirst.to_string()], SIMULATIONS);
    // No alarm in 40 000 bounds its probability by 7.5e-5 at a confidence of 95 %.
    assert!(least > THRESHOLD, "{least}");
}

#[test]
fn other_orders_are_told_from_rarest_first_and_named() {
    let named = [
        (Picker::Random, Order::Random),
        (Picker::InOrder, Order::InOrder),
        (Picker::InReverseOrder, Order::InReverseOrder),
    ];
    for (picker, order) in named {
        let (_, greatest, orders) = simulate(picker);
        assert!(greatest < THRESHOLD, "{picker:?} reached {greatest}");
        assert!(!orders.contains_key(&Order::RarestFirst.to_string()));
        let recognised = orders[&order.to_string()];
        assert!(
            recognised * 100 >= SIMULATIONS * 99,
            "{picker:?} recognised {recognised} times"
        );
    }
}

/// Where most of the common pieces are gone before the first choice that is judged, what is left may say too little.
#[test]
fn the_opposite_order_is_never_taken_for_rarest_first() {
    let (_, greatest, orders) = simulate(Picker::Commonest);
    assert!(greatest < -1.0);
    let named = [
        Order::CommonestFirst.to_string(),
        "too few choices".to_owned(),
    ];
    assert!(
        orders.keys().all(|order| named.contains(order)),
        "{orders:?}"
    );
}

#[test]
fn the_deviation_is_that_of_a_picker_that_ignores_rarity() {
    let values: Vec<Tendency> = (0..SIMULATIONS)
        .map(|seed| tendency(Picker::Random, seed))
        .collect();
    let count = values.len() as f64;
    let mean = values.iter().map(|value| value.rarity).sum::<f64>() / count;
    let variance = values.iter().map(|value| value.rarity.powi(2)).sum::<f64>() / count;
    let stated = values
        .iter()
        .map(|value| value.deviation.powi(2))
        .sum::<f64>()
        / count;
    println!(
        "mean {mean:.4}, deviation seen {:.4}, stated {:.4}",
        variance.sqrt(),
        stated.sqrt()
    );
    assert!(mean.abs() < 0.005);
    assert!((variance.sqrt() / stated.sqrt() - 1.0).abs() < 0.03);
}

#[test]
fn few_choices_tell_nothing() {
    let picks = download(Picker::Rarest, &mut Seeded::new(1));
    let few = Tendency::of(&picks[..4]).expect("candidates differ");
    assert_eq!(few.order(), None);
    assert_eq!((RAREST_FIRST.judge)(&picks[..4]), Judgement::Unknown);
    assert_eq!((RAREST_FIRST.judge)(&[]), Judgement::Unknown);
}

#[test]
fn the_classes_of_rarity_are_equal_in_size() {
    let swarm = uneven_swarm(PIECES, NEIGHBOURS, &mut Seeded::new(7));
    assert!(swarm[0].is_complete());
    let mut sizes = BTreeMap::new();
    for piece in 0..PIECES {
        let holders = swarm.iter().filter(|has| has.contains(piece)).count();
        *sizes.entry(holders).or_insert(0) += 1;
    }
    assert_eq!(
        sizes,
        BTreeMap::from([(1, 8), (2, 8), (3, 8), (4, 8), (5, 8)])
    );
}

//! The kit's network: messages between nodes that travel through the kit, with the weather that the seed makes.
//!
//! What happens to a message depends on the seed, on who sends it to whom, and on how many messages went that way
//! before: not on what other nodes do meanwhile. So the same story meets the same weather as far as it is the same.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};

use peerproof_model::choose::Seeded;
use serde_json::{Map, Value};
use sha1::{Digest as _, Sha1};

/// The most messages that are on their way at a time.
pub const MOST_IN_FLIGHT: usize = 65_536;

/// The most bytes that are on their way at a time.
pub const MOST_BYTES_IN_FLIGHT: usize = 64 << 20;

/// What happens to messages between nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// How long they take.
    pub delay: RangeInclusive<Duration>,
    /// Which part of them is lost, from 0 to 1.
    pub loss: f64,
    /// How many messages between the same two nodes arrive after one of them was lost, whatever the part that is lost:
    /// so who asks three times is heard, and is answered.
    pub spared: u32,
    /// Which part of them comes twice, from 0 to 1.
    pub duplicates: f64,
    /// Whether a message may overtake an earlier one between the same two nodes.
    pub reorder: bool,
}

impl Default for Weather {
    /// Everything arrives, once, in order, after a millisecond.
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(1)..=Duration::from_millis(1),
            loss: 0.0,
            spared: 0,
            duplicates: 0.0,
            reorder: false,
        }
    }
}

/// A message on its way.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) src: String,
    pub(super) dest: String,
    /// As the sender wrote it.
    pub(super) line: Arc<str>,
    pub(super) body: Arc<Map<String, Value>>,
}

/// Why a message does not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// The weather took it.
    Weather,
    /// Sender and receiver are on different sides.
    Partition,
    /// Too much is on its way.
    Full,
}

impl Loss {
    /// In words, for a diagram.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Weather => "lost by the network",
            Self::Partition => "lost: a partition lies between",
            Self::Full => "lost: too much is on its way",
        }
    }
}

/// The way from one node to another.
#[derive(Debug)]
struct Link {
    random: Seeded,
    /// When the last message on it arrives.
    latest: Option<Instant>,
    /// How many of the next messages arrive whatever the weather.
    spared: u32,
}

/// The network itself.
#[derive(Debug)]
pub(super) struct Kit {
    seed: u64,
    weather: Weather,
    links: BTreeMap<(String, String), Link>,
    /// What is on its way, by when it arrives.
    queue: BTreeMap<(Instant, u64), Parcel>,
    posted: u64,
    bytes: usize,
    sides: BTreeMap<String, usize>,
    held: bool,
}

impl Kit {
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
        Self {
            seed,
            weather,
            links: BTreeMap::new(),
            queue: BTreeMap::new(),
            posted: 0,
            bytes: 0,
            sides: BTreeMap::new(),
            held: false,
        }
    }

    pub(super) fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// From now on nothing passes between nodes of different sides. Nodes on no side reach everybody.
    pub(super) fn partition(&mut self, sides: &[Vec<String>]) {
        let sides = sides.iter().enumerate();
        let members =
            sides.flat_map(|(side, names)| names.iter().map(move |it| (it.clone(), side)));
        self.sides = members.collect();
    }

    pub(super) fn heal(&mut self) {
        self.sides.clear();
    }

    /// Whether messages are held where they are.
    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// How many messages are on their way.
    pub(super) fn in_flight(&self) -> usize {
        self.queue.len()
    }

    fn is_cut(&self, one: &str, other: &str) -> bool {
        match (self.sides.get(one), self.sides.get(other)) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        }
    }

    /// Takes a message at `now`; how many copies of it travel.
    pub(super) fn post(&mut self, now: Instant, parcel: &Parcel) -> Result<usize, Loss> {
        let key = (parcel.src.clone(), parcel.dest.clone());
        let seed = self.seed;
        let link = self
            .links
            .entry(key)
            .or_insert_with_key(|(src, dest)| Link {
                random: Seeded::new(link_seed(seed, src, dest)),
                latest: None,
                spared: 0,
            });
        // Always drawn, all of them: what becomes of the next message does not depend on the weather of this one.
        let fate = [(); 4].map(|()| link.random.bits());
        let lost = link.spared == 0 && part(fate[0]) < self.weather.loss;
        link.spared = match lost {
            true => self.weather.spared,
            false => link.spared.saturating_sub(1),
        };
        let copies = if part(fate[1]) < self.weather.duplicates {
            2
        } else {
            1
        };
        if self.is_cut(&parcel.src, &parcel.dest) {
            return Err(Loss::Partition);
        }
        if lost {
            return Err(Loss::Weather);
        }
        let size = copies * parcel.line.len();
        if self.queue.len() + copies > MOST_IN_FLIGHT || self.bytes + size > MOST_BYTES_IN_FLIGHT {
            return Err(Loss::Full);
        }
        self.bytes += size;
        for bits in &fate[2..2 + copies] {
            self.send(now + delay(&self.weather.delay, *bits), parcel.clone());
        }
        Ok(copies)
    }

    fn send(&mut self, due: Instant, parcel: Parcel) {
        let key = (parcel.src.clone(), parcel.dest.clone());
        let mut due = due;
        if let Some(link) = self.links.get_mut(&key) {
            if !self.weather.reorder {
                due = link.latest.map_or(due, |latest| latest.max(due));
            }
            link.latest = link.latest.max(Some(due));
        }
        self.queue.insert((due, self.posted), parcel);
        self.posted += 1;
    }

    /// When the next message arrives, unless they are held.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let first = self.queue.first_key_value().map(|((due, _), _)| *due);
        first.filter(|_| !self.held)
    }

    /// A message that arrives by `now`, and why not if it does not.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Parcel, Result<(), Loss>)> {
        self.next_due().filter(|due| *due <= now)?;
        let (_, parcel) = self.queue.pop_first()?;
        self.bytes -= parcel.line.len();
        let arrives = if self.is_cut(&parcel.src, &parcel.dest) {
            Err(Loss::Partition)
        } else {
            Ok(())
        };
        Some((parcel, arrives))
    }
}

/// A seed of its own for every way, from the one of the run.
fn link_seed(seed: u64, src: &str, dest: &str) -> u64 {
    let mut hash = Sha1::new();
    hash.update(seed.to_be_bytes());
    for name in [src, dest] {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name.as_bytes());
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Random bits as a number from 0 up to, and without, 1.
fn part(bits: u64) -> f64 {
    // 53 bits are what a double holds exactly.
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

fn delay(range: &RangeInclusive<Duration>, bits: u64) -> Duration {
    let span = range.end().saturating_sub(*range.start());
    let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX - 1);
    *range.start() + Duration::from_nanos(bits % (span + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    fn parcel(src: &str, dest: &str, text: &str) -> Parcel {
        Parcel {
            src: src.to_owned(),
            dest: dest.to_owned(),
            line: text.into(),
            body: Arc::default(),
        }
    }

    fn storm() -> Weather {
        Weather {
            delay: MILLISECOND..=50 * MILLISECOND,
            loss: 0.2,
            spared: 0,
            duplicates: 0.2,
            reorder: true,
        }
    }

    /// Everything that arrives, in order, with the time since `start`.
    fn arrivals(network: &mut Kit, start: Instant) -> Vec<(String, Duration)> {
        let mut arrived = Vec::new();
        while let Some(due) = network.next_due() {
            let (parcel, result) = network.take(due).expect("it is due");
            if result.is_ok() {
                arrived.push((parcel.line.to_string(), due - start));
            }
        }
        arrived
    }

    fn stormy_run(seed: u64) -> Vec<(String, Duration)> {
        let start = Instant::now();
        let mut network = Kit::new(seed, storm());
        for number in 0..300 {
            let _ = network.post(start, &parcel("a", "b", &number.to_string()));
        }
        arrivals(&mut network, start)
    }

    #[test]
    fn after_a_loss_so_many_arrive() {
        let start = Instant::now();
        let weather = Weather {
            loss: 0.5,
            spared: 9,
            ..Weather::default()
        };
        let mut network = Kit::new(5, weather);
        let mut fates = (0..200).map(|_| network.post(start, &parcel("a", "b", "x")).is_err());
        let lost: Vec<usize> = (0..200).filter(|_| fates.next() == Some(true)).collect();
        assert!(lost.len() > 10, "{lost:?}");
        assert!(
            lost.windows(2).all(|pair| pair[1] - pair[0] > 9),
            "{lost:?}"
        );
    }

    #[test]
    fn the_seed_makes_the_weather() {
        assert_eq!(stormy_run(7), stormy_run(7));
        assert_ne!(stormy_run(7), stormy_run(8));
        let texts: Vec<String> = stormy_run(7).into_iter().map(|(text, _)| text).collect();
        let (mut sorted, mut once) = (texts.clone(), texts.clone());
        sorted.sort_by_key(|text| text.parse::<u32>().ok());
        assert_ne!(texts, sorted, "they overtake each other");
        once.sort();
        once.dedup();
        // 240 are expected to survive and 48 of them to come twice; far from that the generator would be broken.
        assert!((200..280).contains(&once.len()), "{}", once.len());
        let twice = texts.len() - once.len();
        assert!((20..80).contains(&twice), "{twice}");
    }

    #[test]
    fn other_nodes_do_not_change_the_weather_of_two() {
        let start = Instant::now();
        let mut network = Kit::new(7, storm());
        for number in 0..300 {
            let _ = network.post(start, &parcel("c", "b", "x"));
            let _ = network.post(start, &parcel("a", "b", &number.to_string()));
            let _ = network.post(start, &parcel("b", "a", "x"));
        }
        let mut arrived = arrivals(&mut network, start);
        arrived.retain(|(text, _)| text != "x");
        assert_eq!(arrived, stormy_run(7));
    }

    #[test]
    fn without_reordering_nobody_overtakes() {
        let start = Instant::now();
        let weather = Weather {
            reorder: false,
            loss: 0.0,
            duplicates: 0.0,
            ..storm()
        };
        let mut network = Kit::new(3, weather);
        for number in 0..200 {
            let sent = network.post(start, &parcel("a", "b", &number.to_string()));
            assert_eq!(sent, Ok(1));
        }
        let texts = arrivals(&mut network, start)
            .into_iter()
            .map(|(text, _)| text);
        assert!(texts.eq((0..200).map(|number| number.to_string())));
    }

    #[test]
    fn a_partition_cuts_what_is_on_its_way_and_what_follows_until_it_is_healed() {
        let start = Instant::now();
        let mut network = Kit::new(1, Weather::default());
        assert_eq!(network.post(start, &parcel("a", "b", "1")), Ok(1));
        network.partition(&[vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]]);
        assert_eq!(
            network.post(start, &parcel("a", "b", "2")),
            Err(Loss::Partition)
        );
        assert_eq!(network.post(start, &parcel("b", "c", "3")), Ok(1));
        assert_eq!(network.post(start, &parcel("a", "elsewhere", "4")), Ok(1));
        let texts = |arrived: Vec<(String, Duration)>| -> String {
            arrived.into_iter().map(|(text, _)| text).collect()
        };
        assert_eq!(texts(arrivals(&mut network, start)), "34");
        network.heal();
        assert_eq!(network.post(start, &parcel("a", "b", "5")), Ok(1));
        assert_eq!(texts(arrivals(&mut network, start)), "5");
    }

    #[test]
    fn what_is_held_waits_and_then_comes_in_order() {
        let start = Instant::now();
        let mut network = Kit::new(1, Weather::default());
        network.hold(true);
        for number in 0..5 {
            assert_eq!(
                network.post(start, &parcel("a", "b", &number.to_string())),
                Ok(1)
            );
        }
        assert_eq!(network.next_due(), None);
        assert!(network.take(start + Duration::from_secs(9)).is_none());
        assert_eq!(network.in_flight(), 5);
        network.hold(false);
        let texts = arrivals(&mut network, start)
            .into_iter()
            .map(|(text, _)| text);
        assert_eq!(texts.collect::<String>(), "01234");
    }

    #[test]
    fn what_is_on_its_way_is_bounded() {
        let start = Instant::now();
        let mut network = Kit::new(1, Weather::default());
        let long = "x".repeat(1 << 20);
        let taken = (0..100).filter(|_| network.post(start, &parcel("a", "b", &long)).is_ok());
        assert_eq!(taken.count(), MOST_BYTES_IN_FLIGHT >> 20);
        assert_eq!(
            network.post(start, &parcel("a", "b", &long)),
            Err(Loss::Full)
        );
        assert_eq!(arrivals(&mut network, start).len(), 64);
        let taken = (0..70_000).filter(|_| network.post(start, &parcel("a", "b", "")).is_ok());
        assert_eq!(taken.count(), MOST_IN_FLIGHT);
    }
}

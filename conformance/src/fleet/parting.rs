//! What parts nodes that talk over sockets: what is cut, whichever walls there are to cut it.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::control::Place;

/// Chances are counted in parts of this.
const WHOLE: f64 = 10_000.0;

/// Walls between nodes, as rules of nftables.
pub(super) trait Walls: Debug + Send {
    /// Completes the place of a node that is about to start, so that its packets can be told.
    fn admit(&mut self, place: &mut Place) -> Result<(), String>;
    /// From now on these cuts hold, and no others.
    fn enforce(&self, cuts: &Cuts) -> Result<(), String>;
}

/// Walls, and what they cut now.
#[derive(Debug)]
pub(super) struct Parting {
    walls: Box<dyn Walls>,
    cuts: Cuts,
}

impl Parting {
    /// Nothing is cut yet.
    pub(super) fn by(walls: impl Walls + 'static) -> Self {
        Self {
            walls: Box::new(walls),
            cuts: Cuts::default(),
        }
    }

    /// Completes the place of a node that is about to start. What is cut holds for it, too.
    pub(super) fn admit(&mut self, place: &mut Place) -> Result<(), String> {
        self.walls.admit(place)?;
        if self.cuts.are_none() {
            return Ok(());
        }
        self.walls.enforce(&self.cuts)
    }

    /// From now on nodes of different sides do not reach each other. Nodes on no side reach everybody.
    pub(super) fn partition(&mut self, sides: &[Vec<String>]) -> Result<(), String> {
        let sides = sides.iter().enumerate();
        let members =
            sides.flat_map(|(side, names)| names.iter().map(move |it| (it.clone(), side)));
        self.cuts.sides = members.collect();
        self.walls.enforce(&self.cuts)
    }

    /// From now on they do.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        self.cuts.sides.clear();
        self.walls.enforce(&self.cuts)
    }

    /// From now on this part of all packets between nodes is lost.
    pub(super) fn lose(&mut self, part: f64) -> Result<(), String> {
        self.cuts.loss = part.clamp(0.0, 1.0);
        self.walls.enforce(&self.cuts)
    }
}

/// Who does not reach whom, and which part of all packets is lost.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    pub(super) sides: BTreeMap<String, usize>,
    pub(super) loss: f64,
}

impl Cuts {
    /// The smallest loss that there is: it shows whether rules can be made at all.
    pub(super) fn trial() -> Self {
        Self {
            sides: BTreeMap::new(),
            loss: 1.0 / WHOLE,
        }
    }

    pub(super) fn are_none(&self) -> bool {
        self.sides.is_empty() && self.loss == 0.0
    }

    /// What is known of the members on other sides than this one's, as a set of nftables; none if there are none.
    pub(super) fn beyond<'a, T: Display + 'a>(
        &self,
        name: &str,
        members: impl IntoIterator<Item = (&'a String, T)>,
    ) -> Option<String> {
        let own = self.sides.get(name)?;
        let others = members
            .into_iter()
            .filter(|(other, _)| self.sides.get(*other).is_some_and(|side| side != own))
            .map(|(_, known)| known.to_string());
        let others = others.collect::<Vec<_>>().join(", ");
        (!others.is_empty()).then(|| format!("{{ {others} }}"))
    }

    /// The words that choose the packets which are lost, with a space behind them; none if none is.
    pub(super) fn chance(&self) -> Option<String> {
        match (self.loss * WHOLE).round() {
            none if none <= 0.0 => None,
            some if some < WHOLE => Some(format!("numgen random mod {WHOLE} < {some} ")),
            _ => Some(String::new()),
        }
    }
}

/// Takes a table away, whether it is there or not.
pub(super) fn without(table: &str) -> String {
    format!("add table {table}\ndelete table {table}\n")
}

/// Gives nft these commands, all or none of which take effect.
pub(super) fn nft(commands: &str) -> Result<(), String> {
    feed("nft", &["-f", "-"], commands).map(drop)
}

/// Starts a program that reads commands from its standard input, and waits until it has done them; what it says.
pub(super) fn feed(program: &str, arguments: &[&str], commands: &str) -> Result<String, String> {
    let missing = |error: std::io::Error| format!("{program} cannot be run: {error}");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(commands.as_bytes()).map_err(missing)?;
    }
    let output = child.wait_with_output().map_err(missing)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let first = words.lines().next().unwrap_or("it does not say why");
    Err(format!("{program} refuses: {first}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_cut_from_those_of_other_sides() {
        let cuts = Cuts {
            sides: BTreeMap::from(
                [("n1", 0), ("n2", 0), ("n3", 1)].map(|(it, side)| (it.to_owned(), side)),
            ),
            loss: 0.0,
        };
        let members = ["n1", "n2", "n3", "n4"].map(str::to_owned);
        let beyond = |name| cuts.beyond(name, members.iter().zip(["a", "b", "c", "d"]));
        assert_eq!(beyond("n1").as_deref(), Some("{ c }"));
        assert_eq!(beyond("n3").as_deref(), Some("{ a, b }"));
        assert_eq!(beyond("n4"), None);
    }

    #[test]
    fn the_part_that_is_lost_is_chosen_by_chance() {
        let chance = |loss| {
            let sides = BTreeMap::new();
            Cuts { sides, loss }.chance()
        };
        assert_eq!(chance(0.0), None);
        assert_eq!(
            chance(0.05).as_deref(),
            Some("numgen random mod 10000 < 500 ")
        );
        assert_eq!(chance(1.0).as_deref(), Some(""));
    }
}

//! What the kit does to nodes and to what lies between them.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Map;

use super::member::Member;
use super::{Fleet, Trouble, Weather, What};
use crate::control::ring::Network;

impl Fleet {
    /// Ends a node at once, as `kill -9` does. Nobody is told.
    pub fn crash(&mut self, name: &str) {
        // What it said before counts.
        self.pump_until(Instant::now(), |_| false);
        let how = "the kit ended it";
        if let Some(member) = self.members.get_mut(name)
            && member.end(how)
        {
            self.books.lose(name, how);
            self.note(What::Crashed, name, String::new());
        }
    }

    /// Stops a node where it is, as SIGSTOP does.
    pub fn pause(&mut self, name: &str) {
        if let Some(life) = self.members.get(name).and_then(Member::life) {
            life.pause();
            self.note(What::Paused, name, String::new());
        }
    }

    /// Lets it go on, as SIGCONT does.
    pub fn resume(&mut self, name: &str) {
        if let Some(life) = self.members.get(name).and_then(Member::life) {
            life.resume();
            self.note(What::Resumed, name, String::new());
        }
    }

    /// From now on nodes of different sides do not reach each other. Nodes on no side reach everybody.
    ///
    /// # Errors
    /// This machine cannot part nodes that talk over sockets.
    pub fn partition(&mut self, sides: &[Vec<String>]) -> Result<(), Trouble> {
        match (self.plan.network, &mut self.parting) {
            (Network::Kit, _) => self.network.partition(sides),
            (Network::Sockets, Ok(parting)) => parting.partition(sides).map_err(Trouble::Kit)?,
            (Network::Sockets, Err(why)) => return Err(Trouble::Unsupported(why.clone())),
        }
        let body = Map::from_iter([("sides".to_owned(), serde_json::json!(sides))]);
        self.saw(What::Partitioned, "", None, Arc::new(body), 0, "");
        Ok(())
    }

    /// From now on they do.
    ///
    /// # Errors
    /// Those of [`Fleet::partition`].
    pub fn heal(&mut self) -> Result<(), Trouble> {
        match (self.plan.network, &mut self.parting) {
            (Network::Kit, _) => self.network.heal(),
            (Network::Sockets, Ok(parting)) => parting.heal().map_err(Trouble::Kit)?,
            (Network::Sockets, Err(why)) => return Err(Trouble::Unsupported(why.clone())),
        }
        self.note(What::Healed, "", String::new());
        Ok(())
    }

    /// From now on every message between nodes waits. The kit's own go through.
    ///
    /// # Errors
    /// Packets between nodes that talk over sockets cannot be held.
    pub fn hold(&mut self) -> Result<(), Trouble> {
        self.set_held(true)
    }

    /// Lets what waits go on, in order.
    ///
    /// # Errors
    /// Those of [`Fleet::hold`].
    pub fn release(&mut self) -> Result<(), Trouble> {
        self.set_held(false)
    }

    fn set_held(&mut self, held: bool) -> Result<(), Trouble> {
        if self.plan.network == Network::Sockets {
            let why = "what nodes say over sockets cannot be held";
            return Err(Trouble::Unsupported(why.to_owned()));
        }
        self.network.hold(held);
        let what = if held { What::Held } else { What::Released };
        self.note(what, "", String::new());
        Ok(())
    }

    /// Changes what happens to messages that are sent from now on. Over sockets only the loss counts; there it is
    /// the loss of packets, not by seed, and TCP makes a delay of it.
    ///
    /// # Errors
    /// Nodes that talk over sockets cannot get duplicates, or, on this machine, losses.
    pub fn set_weather(&mut self, weather: Weather) -> Result<(), Trouble> {
        match (self.plan.network, &mut self.parting) {
            (Network::Kit, _) => self.network.set_weather(weather),
            (Network::Sockets, _) if weather.duplicates > 0.0 || weather.reorder => {
                let why = "what nodes say over sockets cannot be doubled or reordered";
                return Err(Trouble::Unsupported(why.to_owned()));
            }
            (Network::Sockets, Ok(parting)) => {
                parting.lose(weather.loss).map_err(Trouble::Kit)?;
            }
            (Network::Sockets, Err(_)) if weather.loss <= 0.0 => {}
            (Network::Sockets, Err(why)) => return Err(Trouble::Unsupported(why.clone())),
        }
        Ok(())
    }
}

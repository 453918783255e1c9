//! `peerproof explore`: the state space of a specification in a browser.

use std::fmt::Debug;
use std::hash::Hash;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use stateright::Model;

use super::check::protocol;
use super::{Failure, GOOD, USAGE};
use crate::interrupt;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The protocol: bittorrent or chord
    protocol: String,
    /// Where to listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// bittorrent: the scope (pair). chord: a ring with messages
    #[arg(long, value_name = "NAME")]
    pub(super) scope: Option<String>,
    /// chord: the generation (zave2017)
    #[arg(long, value_name = "NAME")]
    pub(super) variant: Option<String>,
    /// chord: how many identifiers the circle has (4)
    #[arg(long, value_name = "N")]
    pub(super) ids: Option<u8>,
    /// chord: how long a successor list is (2; 1 in sigcomm2001)
    #[arg(long, value_name = "N")]
    pub(super) successors: Option<u8>,
}

impl Args {
    /// A flag that was given and that only rings with atomic operations have.
    pub(super) fn of_rings(&self) -> Option<&'static str> {
        let given = [
            (self.variant.is_some(), "--variant"),
            (self.ids.is_some(), "--ids"),
            (self.successors.is_some(), "--successors"),
        ];
        given
            .iter()
            .find(|(given, _)| *given)
            .map(|(_, flag)| *flag)
    }
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut browser = Browser {
        listen: args.listen,
        out,
    };
    protocol(&args.protocol)?.explore(args, &mut browser)?;
    Ok(GOOD)
}

/// Where a model is shown.
pub(super) struct Browser<'a> {
    listen: SocketAddr,
    out: &'a mut dyn Write,
}

impl Browser<'_> {
    /// Shows a model until the user interrupts.
    pub(super) fn show<M>(&mut self, model: M, what: &str) -> Result<(), Failure>
    where
        M: Model + Send + Sync + 'static,
        M::Action: Debug + Send + Sync + Clone + PartialEq,
        M::State: Debug + Hash + Send + Sync + Clone + PartialEq,
    {
        // The library ends the program where it cannot listen; a look beforehand says it in one line.
        let free = TcpListener::bind(self.listen).and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| Failure {
            status: USAGE,
            message: format!(
                "cannot listen on {}: {error}; --listen names another address",
                self.listen
            ),
        })?;
        let interrupt = interrupt::expect();
        // It serves until the program ends.
        thread::spawn(move || drop(model.checker().serve(address)));
        writeln!(self.out, "{what}: http://{address}/")?;
        writeln!(self.out, "Ctrl-C ends it")?;
        self.out.flush()?;
        interrupt.wait();
        Ok(())
    }
}

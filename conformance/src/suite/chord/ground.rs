//! What a run of the suite stands on: what starts nodes, how they talk, and how fast the ring turns.

use std::sync::Arc;
use std::time::Duration;

use crate::control::adapter::Adapted;
use crate::control::process::{Limits, Programs};
use crate::control::ring::Network;
use crate::control::{StartError, Starter};
use crate::fleet::{self, Isolation};
use crate::serve::chord::Reference;
use crate::suite::{OpenError, Options};
use crate::target::Target;

/// Between two rounds of stabilization, for the reference within this process.
const OWN_PERIOD: Duration = Duration::from_millis(60);

/// The same for programs, which may be slow.
const FOREIGN_PERIOD: Duration = Duration::from_millis(200);

/// No node counts as dead before so long: a busy machine keeps processes waiting.
const LEAST_TIMEOUT: Duration = Duration::from_millis(600);

/// A silent node counts as dead after so many periods, at least.
const TIMEOUT_PERIODS: u32 = 4;

/// What a run of the suite stands on.
pub(crate) struct Ground {
    pub(crate) starter: Arc<dyn Starter>,
    pub(crate) network: Network,
    pub(crate) isolation: Isolation,
    pub(crate) period: Duration,
    pub(crate) patience: Duration,
    /// How long smaller schedules are looked for, in all cases together.
    pub(crate) shrinking: Duration,
    /// How many cases may run at a time.
    pub(crate) concurrency: usize,
    pub(crate) name: String,
}

impl Ground {
    /// The ground for a target.
    pub(crate) fn open(target: &Target, options: &Options) -> Result<Self, OpenError> {
        if options.isolation == Isolation::Namespaces {
            fleet::can_isolate().map_err(|why| {
                OpenError::Usage(format!(
                    "--network namespaces: {why}; `--network sockets` does without"
                ))
            })?;
        }
        let kit = Network::Kit;
        let (starter, period, concurrency, usual) = match target {
            Target::Embedded { bug } => {
                let reference = match bug {
                    None => Reference::sound(),
                    Some(bug) => Reference::broken(bug).map_err(opened)?,
                };
                (Arc::new(reference) as Arc<dyn Starter>, OWN_PERIOD, 12, kit)
            }
            Target::Command(line) => {
                let programs = Programs::new(line, Limits::default()).map_err(opened)?;
                (
                    Arc::new(programs) as Arc<dyn Starter>,
                    FOREIGN_PERIOD,
                    2,
                    kit,
                )
            }
            Target::Adapter(_) if options.network == Some(Network::Kit) => {
                let why = "--network kit: nodes behind an adapter talk over sockets of their own";
                return Err(OpenError::Usage(why.to_owned()));
            }
            Target::Adapter(file) => {
                let adapted = Adapted::read(file, Limits::default()).map_err(opened)?;
                let sockets = Network::Sockets;
                (
                    Arc::new(adapted) as Arc<dyn Starter>,
                    FOREIGN_PERIOD,
                    2,
                    sockets,
                )
            }
            Target::Address(address) => {
                return Err(OpenError::Usage(format!(
                    "--target {address}: the ring is made of nodes that the kit starts; give `--node CMD`, \
                     a command line that starts one node and talks over standard input and output (docs/control-plane.md)"
                )));
            }
        };
        Ok(Self {
            starter,
            network: options.network.unwrap_or(usual),
            isolation: options.isolation,
            period: options.period.unwrap_or(period),
            patience: options.patience,
            shrinking: options.shrinking,
            concurrency,
            name: target.name(),
        })
    }

    /// After how long a silent node counts as dead.
    pub(crate) fn timeout(&self) -> Duration {
        (self.period * TIMEOUT_PERIODS).max(LEAST_TIMEOUT)
    }
}

fn opened(error: StartError) -> OpenError {
    match error {
        StartError::Usage(why) => OpenError::Usage(why),
        StartError::Machine(why) => OpenError::Kit(why),
    }
}

//! A ring of nodes, by their points.

use std::sync::Arc;
use std::time::{Duration, Instant};

use peerproof::control::Starter;
use peerproof::control::ring::{Figures, Init, Introducer, Network, Request};
use peerproof::fleet::{Answered, Fleet, Isolation, Plan, Trouble, Weather};
use serde_json::{Map, Value};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a trial gives, or why it failed.
pub(crate) type Worked<T = ()> = Result<T, String>;

/// A ring with m = 7 and lists of three.
pub(crate) struct Ring {
    fleet: Fleet,
    replicas: usize,
}

fn said(trouble: &Trouble) -> String {
    trouble.to_string()
}

impl Ring {
    /// A ring of nobody.
    pub(crate) fn new(
        starter: Arc<dyn Starter>,
        network: Network,
        replicas: usize,
    ) -> Worked<Self> {
        let plan = Plan {
            network,
            isolation: Isolation::default(),
            seed: 1,
            weather: Weather::default(),
            patience: PATIENCE,
        };
        let fleet = Fleet::new(starter, plan).map_err(|error| error.to_string())?;
        Ok(Self { fleet, replicas })
    }

    /// Starts a node that joins through another one, unless that is itself.
    pub(crate) fn start(&mut self, point: u64, introducer: u64) -> Worked {
        let (name, other) = (format!("n{point}"), format!("n{introducer}"));
        let through = (point != introducer).then_some(other.as_str());
        let address = self.fleet.start_through(&name, through);
        let address = address.map_err(|trouble| said(&trouble))?;
        let mut node_ids = vec![name.clone()];
        node_ids.extend(through.map(str::to_owned));
        let init = Request::Init(Init {
            node_id: name,
            node_ids,
            protocol: "chord".to_owned(),
            network: self.fleet.plan().network,
            address: address.map(|address| address.to_string()),
            introducer: through.map(|other| Introducer {
                node_id: other.to_owned(),
                address: self.fleet.address(other).map(|it| it.to_string()),
            }),
            ring: Figures {
                bits: 7,
                id: point,
                successors: 3,
                replicas: self.replicas,
                stabilize_ms: 100,
                timeout_ms: 1000,
            },
        });
        let init = serde_json::to_value(init).map_err(|error| error.to_string())?;
        self.expect(point, &init).map(drop)
    }

    /// Kills a node.
    pub(crate) fn crash(&mut self, point: u64) {
        self.fleet.crash(&format!("n{point}"));
    }

    /// Asks and waits for the answer.
    pub(crate) fn ask(&mut self, point: u64, request: &Value) -> Worked<Answered> {
        let body = request.as_object().cloned().unwrap_or_default();
        let answered = self.fleet.call(&format!("n{point}"), body);
        answered.map_err(|trouble| format!("{request}: {}", said(&trouble)))
    }

    /// Asks and waits for an answer that is no error.
    pub(crate) fn expect(&mut self, point: u64, request: &Value) -> Worked<Map<String, Value>> {
        match self.ask(point, request)? {
            Answered::Ok(body) => Ok(body),
            Answered::Error(code, text) => Err(format!("{request}: error {}: {text}", code.0)),
        }
    }

    /// Asks again and again until the answer is as wished.
    pub(crate) fn until(
        &mut self,
        point: u64,
        request: &Value,
        wished: impl Fn(&Map<String, Value>) -> bool,
    ) -> Worked {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.expect(point, request)?;
            if wished(&answer) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("n{point} still answers {answer:?}"));
            }
            self.fleet.pump_for(Duration::from_millis(50));
        }
    }
}

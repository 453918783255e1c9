//! What the kit asks.

use super::*;

impl Node {
    pub(crate) fn kit(self: &Arc<Self>, kind: &str, body: &Value) -> Answer {
        if kind == "init" {
            return self.init(body);
        }
        let config = self.config()?;
        if !lock(&self.state).member && matches!(kind, "lookup" | "put" | "get" | "delete") {
            return refuse(11, "not a member of a ring");
        }
        let key = &body["key"];
        match kind {
            "join" => self.join(config, body),
            "leave" => self.leave(config),
            "state" => Ok(self.state(config)),
            "lookup" => {
                let key = number(key)?;
                let (owner, path) = self.persist(config, || self.walk(key, &config.me, None))?;
                Ok(json!({"owner": owner.0, "hops": path.len() - 1, "path": path}))
            }
            "put" => self
                .at_owner(
                    config,
                    "write",
                    &json!({"key": key, "value": body["value"]}),
                )
                .map(|_| json!({})),
            "delete" => self
                .at_owner(config, "write", &json!({"key": key, "value": null}))
                .map(|_| json!({})),
            "get" => match self.at_owner(config, "read", &json!({"key": key}))?["value"].as_str() {
                Some(value) => Ok(json!({"value": value})),
                None => refuse(20, "no such key"),
            },
            _ => refuse(10, "there is no such operation"),
        }
    }

    pub(crate) fn init(self: &Arc<Self>, body: &Value) -> Answer {
        let ring = &body["ring"];
        let figure = |name: &str| number(&ring[name]);
        let size = |name: &str| figure(name).map(|it| usize::try_from(it).unwrap_or(1));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (name, address) = (
            text(&body["node_id"]).ok_or_else(malformed)?,
            text(&body["address"]),
        );
        let over_sockets = body["network"] == "sockets";
        let socket = match address.as_ref().filter(|_| over_sockets) {
            Some(address) => Some(
                UdpSocket::bind(address)
                    .map_err(|error| Trouble::Refused(14, error.to_string()))?,
            ),
            None => None,
        };
        let reader = socket.as_ref().and_then(|socket| socket.try_clone().ok());
        let introducer = &body["introducer"][if over_sockets { "address" } else { "node_id" }];
        let config = Config {
            me: (
                figure("id")?,
                address
                    .filter(|_| over_sockets)
                    .unwrap_or_else(|| name.clone()),
            ),
            name,
            bits: u32::try_from(figure("bits")?).map_err(|_| malformed())?,
            most_successors: size("successors")?,
            replicas: size("replicas")?.max(1),
            period: Duration::from_millis(figure("stabilize_ms")?),
            timeout: Duration::from_millis(figure("timeout_ms")?),
            introducer: text(introducer),
            socket,
        };
        lock(&self.state).successors = vec![config.me.clone()];
        if self.config.set(config).is_err() {
            return refuse(22, "init comes once");
        }
        self.questions.store(random() >> 24, Ordering::Relaxed);
        if let Some(reader) = reader {
            let node = Arc::clone(self);
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok((length, _)) = reader.recv_from(&mut buffer) {
                    node.receive(&String::from_utf8_lossy(&buffer[..length]));
                }
            });
        }
        for step in [
            Self::stabilize,
            Self::check_predecessor,
            Self::fix_fingers,
            Self::tend_keys,
            Self::find_friends,
        ] {
            self.maintain(step);
        }
        Ok(json!({}))
    }

    pub(crate) fn join(&self, config: &Config, body: &Value) -> Answer {
        if lock(&self.state).member {
            return Ok(json!({}));
        }
        let field = if config.socket.is_some() {
            "address"
        } else {
            "node_id"
        };
        let given = body["introducer"][field].as_str().map(str::to_owned);
        let mut list = vec![config.me.clone()];
        if let Some(place) = given.or_else(|| config.introducer.clone()) {
            let ask = || -> Result<Vec<Contact>, Trouble> {
                let near = self.call(&(0, place.clone()), "neighbours", json!({}), 1)?;
                let gate = contact(&near["me"]).ok_or(Trouble::Silent)?;
                let (owner, _) = self.walk(config.me.0, &gate, Some(&config.me))?;
                if owner.0 == config.me.0 {
                    return refuse(22, "somebody else has this identifier");
                }
                let near = self.call(&owner, "neighbours", json!({}), 1)?;
                Ok(std::iter::once(owner)
                    .chain(contacts(&near["successors"]))
                    .collect())
            };
            list = match ask() {
                Err(Trouble::Silent) => return refuse(11, "the introducer does not answer"),
                other => other?,
            };
        }
        let mut state = lock(&self.state);
        let friends = std::mem::take(&mut state.friends);
        *state = State {
            member: true,
            friends,
            ..State::default()
        };
        Self::follow(config, &mut state, list);
        Ok(json!({}))
    }

    pub(crate) fn leave(&self, config: &Config) -> Answer {
        loop {
            let mut state = lock(&self.state);
            let heir = state.successors[0].clone();
            if !state.member || heir == config.me {
                state.member = false;
                break;
            }
            drop(state);
            // If it does not answer, the next one inherits.
            if self.hand_over(&heir, |_| true, |state| state.member = false) {
                break;
            }
        }
        let friends = lock(&self.state).friends.clone();
        let left = State {
            friends,
            successors: vec![config.me.clone()],
            ..State::default()
        };
        let state = std::mem::replace(&mut *lock(&self.state), left);
        let about = json!({"node": config.me, "predecessor": state.predecessor, "successors": state.successors});
        let neighbours: BTreeSet<&Contact> = state
            .predecessor
            .iter()
            .chain(state.successors.first())
            .collect();
        for neighbour in neighbours.into_iter().filter(|it| **it != config.me) {
            // Whoever is gone need not be told.
            let _ = self.call(neighbour, "goodbye", about.clone(), 1);
        }
        Ok(json!({}))
    }

    pub(crate) fn state(&self, config: &Config) -> Value {
        let state = lock(&self.state);
        let successors = state
            .successors
            .iter()
            .filter(|_| state.member)
            .map(|node| node.0);
        let fingers = (0..config.bits)
            .map(|it| json!({"start": Self::start(config, it), "node": state.fingers.get(&it).map(|node| node.0)}));
        let keys = state
            .store
            .iter()
            .filter(|(_, entry)| entry.1.is_some())
            .map(|(key, _)| key);
        json!({
            "member": state.member, "id": config.me.0, "predecessor": state.predecessor.as_ref().map(|it| it.0),
            "successors": successors.collect::<Vec<_>>(), "fingers": fingers.collect::<Vec<_>>(), "keys": keys.collect::<Vec<_>>(),
        })
    }
}

//! What other nodes ask.

use super::*;

impl Node {
    pub(crate) fn foreign(self: &Arc<Self>, kind: &str, body: &Value) -> Answer {
        if !lock(&self.state).member {
            return refuse(11, "not a member of a ring");
        }
        if kind == "notify" {
            let (node, caller) = (
                Arc::clone(self),
                contact(&body["node"]).ok_or_else(malformed)?,
            );
            thread::spawn(move || node.adopt(&caller));
            return Ok(json!({}));
        }
        self.peer(kind, body)
    }

    pub(crate) fn peer(&self, kind: &str, body: &Value) -> Answer {
        let config = self.config()?;
        let mut state = lock(&self.state);
        match kind {
            "neighbours" => Ok(
                json!({"me": config.me, "predecessor": state.predecessor, "successors": state.successors}),
            ),
            "route" => Self::route(config, &state, body),
            "offer" => {
                let mut missing = Vec::new();
                for item in body["items"].as_array().into_iter().flatten() {
                    let (key, version) = (number(&item[0])?, number(&item[1])?);
                    if body["lease"] == true {
                        state.leased.insert(key, Instant::now());
                    }
                    if state.store.get(&key).is_none_or(|entry| entry.0 < version) {
                        missing.push(key);
                    }
                }
                let keepers = Self::keepers(config, &state);
                Ok(json!({"missing": missing, "keepers": keepers}))
            }
            "store" => {
                for item in body["items"].as_array().into_iter().flatten() {
                    let (key, version) = (number(&item[0])?, number(&item[1])?);
                    if state.store.get(&key).is_none_or(|entry| entry.0 < version) {
                        state
                            .store
                            .insert(key, (version, item[2].as_str().map(str::to_owned)));
                        state.leased.entry(key).or_insert_with(Instant::now);
                    }
                }
                Ok(json!({}))
            }
            "copy" => {
                let key = number(&body["key"])?;
                let items: Vec<Value> = state
                    .store
                    .get(&key)
                    .iter()
                    .map(|it| json!([key, it.0, it.1]))
                    .collect();
                Ok(json!({ "items": items }))
            }
            "goodbye" => {
                let leaver = contact(&body["node"]).ok_or_else(malformed)?;
                if state.predecessor.as_ref() == Some(&leaver) {
                    state.predecessor = contact(&body["predecessor"]).filter(|it| *it != config.me);
                }
                if let Some(place) = state.successors.iter().position(|it| *it == leaver) {
                    let mut list = state.successors[..place].to_vec();
                    list.extend(contacts(&body["successors"]));
                    Self::follow(config, &mut state, list);
                }
                state.friends.retain(|friend| *friend != leaver);
                drop(state);
                self.bury(&leaver);
                Ok(json!({}))
            }
            "write" | "read" => {
                let key = number(&body["key"])?;
                if !Self::owns(config, &state, key) {
                    return Ok(json!({"moved": true}));
                }
                drop(state);
                if kind == "write" {
                    self.write(config, key, body["value"].as_str())
                } else {
                    self.read(config, key)
                }
            }
            _ => refuse(10, "there is no such operation"),
        }
    }

    /// Who is next on the way to a key: the node itself when it is the owner. `last`: the asker was told that it is.
    pub(crate) fn route(config: &Config, state: &State, body: &Value) -> Answer {
        let key = number(&body["key"])?;
        let failed: BTreeSet<Contact> = contacts(&body["failed"]).into_iter().collect();
        let last = body["last"] == true;
        let mut live = state
            .successors
            .iter()
            .filter(|node| !failed.contains(*node));
        let successor = live.next().filter(|node| **node != config.me);
        let before = state
            .predecessor
            .as_ref()
            .filter(|node| !failed.contains(*node));
        let owns = before.map(|before| Self::within(config, before.0, key, config.me.0));
        let Some(successor) =
            successor.filter(|_| owns != Some(true) && (!last || before.is_some()))
        else {
            return Ok(json!({"next": config.me}));
        };
        if let Some(before) = before.filter(|_| last) {
            return Ok(json!({"next": before, "last": true}));
        }
        if Self::within(config, config.me.0, key, successor.0) {
            return Ok(json!({"next": successor, "last": true}));
        }
        let known = state.fingers.values().chain(&state.successors);
        let on_the_way = known
            .filter(|it| !failed.contains(*it) && Self::inside(config, config.me.0, it.0, key));
        let nearest = on_the_way.min_by_key(|it| Self::distance(config, it.0, key));
        Ok(json!({"next": nearest.unwrap_or(successor)}))
    }

    pub(crate) fn write(&self, config: &Config, key: u64, value: Option<&str>) -> Answer {
        // Clocks order what different owners write, as far as they agree; one owner's writes are in order anyway.
        let clock = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let clock = u64::try_from(clock.as_millis()).unwrap_or_default();
        let mut state = lock(&self.state);
        let version = state
            .store
            .get(&key)
            .map_or(clock, |entry| clock.max(entry.0 + 1));
        state.store.insert(key, (version, value.map(str::to_owned)));
        drop(state);
        let mut done = BTreeSet::new();
        loop {
            let keepers = Self::keepers(config, &lock(&self.state));
            let Some(next) = keepers.into_iter().find(|it| !done.contains(it)) else {
                return Ok(json!({}));
            };
            // One that is silent is buried, and the next one takes its place.
            if self
                .call(&next, "store", json!({"items": [[key, version, value]]}), 1)
                .is_ok()
            {
                done.insert(next);
            }
        }
    }

    pub(crate) fn read(&self, config: &Config, key: u64) -> Answer {
        let has = || lock(&self.state).store.get(&key).cloned();
        if has().is_none() {
            // An owner of late may lack what those after it have.
            let keepers = Self::keepers(config, &lock(&self.state));
            for keeper in keepers {
                if let Ok(copy) = self.call(&keeper, "copy", json!({"key": key}), 1) {
                    self.peer("store", &copy)?;
                }
            }
        }
        Ok(json!({"value": has().and_then(|entry| entry.1)}))
    }
}

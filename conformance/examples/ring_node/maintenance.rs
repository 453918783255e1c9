//! What keeps the ring in order, and the keys where they belong.

use super::*;

impl Node {
    pub(crate) fn maintain(self: &Arc<Self>, step: fn(&Self, &Config) -> Result<(), Trouble>) {
        let node = Arc::clone(self);
        thread::spawn(move || {
            let Some(config) = node.config.get() else {
                return;
            };
            loop {
                thread::sleep(config.period.mul_f64(0.8 + 0.1 * (random() % 5) as f64));
                if lock(&node.state).member {
                    // Whoever does not answer is buried already; the next round goes on.
                    let _ = step(&node, config);
                }
            }
        });
    }

    pub(crate) fn stabilize(&self, config: &Config) -> Result<(), Trouble> {
        let mut state = lock(&self.state);
        if state.successors.first() == Some(&config.me) {
            // Alone, or everybody that it knew of is gone.
            let others = state
                .fingers
                .values()
                .chain(&state.predecessor)
                .filter(|it| **it != config.me);
            let nearest = others
                .min_by_key(|it| Self::distance(config, config.me.0, it.0))
                .cloned();
            let Some(nearest) = nearest else {
                return Ok(());
            };
            state.successors = vec![nearest];
        }
        let mut successor = state.successors[0].clone();
        drop(state);
        let mut near = self.call(&successor, "neighbours", json!({}), 1)?;
        let between = contact(&near["predecessor"])
            .filter(|it| Self::inside(config, config.me.0, it.0, successor.0));
        if let Some(between) = between
            && let Ok(nearer) = self.call(&between, "neighbours", json!({}), 1)
        {
            (successor, near) = (between, nearer);
        }
        let mut list = vec![successor.clone()];
        list.extend(contacts(&near["successors"]));
        let mut state = lock(&self.state);
        if state.member {
            Self::follow(config, &mut state, list);
            drop(state);
            self.call(&successor, "notify", json!({"node": config.me}), 1)?;
        }
        Ok(())
    }

    /// Takes a nearer predecessor, once it has the keys that it will own.
    pub(crate) fn adopt(&self, node: &Contact) {
        let Ok(config) = self.config() else { return };
        let _one_after_the_other = lock(&self.adopting);
        let before = lock(&self.state).predecessor.clone();
        let is_nearer = before
            .as_ref()
            .is_none_or(|before| Self::inside(config, before.0, node.0, config.me.0));
        if *node == config.me || !is_nearer {
            return;
        }
        let is_theirs = |key: &u64| !Self::within(config, node.0, *key, config.me.0);
        self.hand_over(node, is_theirs, |state| {
            if state.member && (state.predecessor.is_none() || state.predecessor == before) {
                state.predecessor = Some(node.clone());
            }
        });
    }

    /// Offers keys until none of them has changed meanwhile, and does what follows at that moment; whether it could.
    pub(crate) fn hand_over(
        &self,
        node: &Contact,
        is_theirs: impl Fn(&u64) -> bool,
        then: impl FnOnce(&mut State),
    ) -> bool {
        let theirs = |state: &State| -> Entries {
            let entries = state.store.iter().filter(|(key, _)| is_theirs(key));
            entries.map(|(key, entry)| (*key, entry.clone())).collect()
        };
        loop {
            let offered = theirs(&lock(&self.state));
            if self.offer(node, &offered, false).is_err() {
                return false;
            }
            let mut state = lock(&self.state);
            if theirs(&state) == offered {
                then(&mut state);
                return true;
            }
        }
    }

    pub(crate) fn check_predecessor(&self, _: &Config) -> Result<(), Trouble> {
        let before = lock(&self.state).predecessor.clone();
        before.map_or(Ok(()), |before| {
            self.call(&before, "neighbours", json!({}), 1).map(drop)
        })
    }

    pub(crate) fn fix_fingers(&self, config: &Config) -> Result<(), Trouble> {
        let mut finger = lock(&self.state).next_finger;
        let (owner, _) = self.walk(Self::start(config, finger), &config.me, None)?;
        let mut state = lock(&self.state);
        // It is also the finger of everything between there and itself.
        while finger < config.bits
            && Self::within(config, config.me.0, Self::start(config, finger), owner.0)
        {
            state.fingers.insert(finger, owner.clone());
            finger += 1;
        }
        state.next_finger = finger % config.bits;
        Ok(())
    }

    /// Asks a former neighbour who follows this node: so two rings become one after a partition.
    pub(crate) fn find_friends(&self, config: &Config) -> Result<(), Trouble> {
        let state = lock(&self.state);
        let lost: Vec<Contact> = state
            .friends
            .iter()
            .filter(|it| !state.successors.contains(it))
            .cloned()
            .collect();
        drop(state);
        if lost.is_empty() || random() % 5 > 1 {
            return Ok(());
        }
        let friend = &lost[usize::try_from(random()).unwrap_or_default() % lost.len()];
        let (owner, _) = self.walk(
            Self::distance(config, 0, config.me.0 + 1),
            friend,
            Some(&config.me),
        )?;
        let mut state = lock(&self.state);
        if state.member && Self::inside(config, config.me.0, owner.0, state.successors[0].0) {
            let list = std::iter::once(owner)
                .chain(state.successors.clone())
                .collect();
            Self::follow(config, &mut state, list);
        }
        Ok(())
    }

    /// Gives a node what it lacks of these keys; who is to keep them in its eyes, besides itself.
    pub(crate) fn offer(
        &self,
        node: &Contact,
        entries: &Entries,
        lease: bool,
    ) -> Result<Vec<Contact>, Trouble> {
        let mut keepers = Vec::new();
        let items: Vec<Value> = entries
            .iter()
            .map(|(key, entry)| json!([key, entry.0]))
            .collect();
        for some in items.chunks(VERSIONS) {
            let answer = self.call(node, "offer", json!({"items": some, "lease": lease}), 1)?;
            keepers = contacts(&answer["keepers"]);
            let missing = answer["missing"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_u64);
            let missing = missing.filter_map(|key| {
                entries
                    .get(&key)
                    .map(|entry| json!([key, entry.0, entry.1]))
            });
            for few in missing.collect::<Vec<_>>().chunks(BATCH) {
                self.call(node, "store", json!({ "items": few }), 1)?;
            }
        }
        Ok(keepers)
    }

    pub(crate) fn tend_keys(&self, config: &Config) -> Result<(), Trouble> {
        let state = lock(&self.state);
        if state.predecessor.is_none() {
            return Ok(());
        }
        let (owned, others): (Entries, Entries) = state
            .store
            .clone()
            .into_iter()
            .partition(|(key, _)| Self::owns(config, &state, *key));
        // Keys that belong to somebody else who does not ask for them any more.
        let recent = 3 * config.period + config.timeout;
        let is_recent = |key: &u64| {
            state
                .leased
                .get(key)
                .is_some_and(|at| at.elapsed() < recent)
        };
        let strays: Entries = others
            .into_iter()
            .filter(|(key, _)| !is_recent(key))
            .collect();
        let keepers = Self::keepers(config, &state);
        drop(state);
        for keeper in keepers {
            self.offer(&keeper, &owned, true)?;
        }
        let Some(first) = strays.keys().next().copied() else {
            return Ok(());
        };
        let (owner, _) = self.walk(first, &config.me, None)?;
        if owner != config.me {
            // Nobody is between a key and its owner, so everything there is the owner's.
            let is_theirs = |key: u64| {
                key == first || Self::inside(config, first, key, owner.0) || key == owner.0
            };
            let theirs: Entries = strays
                .into_iter()
                .filter(|(key, _)| is_theirs(*key))
                .collect();
            let keepers = self.offer(&owner, &theirs, false)?;
            let mut state = lock(&self.state);
            for (key, entry) in theirs.iter().filter(|_| !keepers.contains(&config.me)) {
                if state.store.get(key) == Some(entry) && !Self::owns(config, &state, *key) {
                    state.store.remove(key);
                }
            }
        }
        Ok(())
    }
}

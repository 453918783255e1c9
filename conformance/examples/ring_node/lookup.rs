//! Lookups: the node that is asked goes from node to node itself.

use super::*;

impl Node {
    /// The owner of a key, and every node on the way to it.
    pub(crate) fn walk(
        &self,
        key: u64,
        from: &Contact,
        skip: Option<&Contact>,
    ) -> Result<(Contact, Vec<u64>), Trouble> {
        let mut failed: BTreeSet<Contact> = skip.into_iter().cloned().collect();
        let (mut path, mut last) = (vec![from.clone()], false);
        for _ in 0..64 {
            let Some(here) = path.last().cloned() else {
                break;
            };
            let Ok(answer) = self.call(
                &here,
                "route",
                json!({"key": key, "failed": failed, "last": last}),
                1,
            ) else {
                failed.insert(here);
                path.pop();
                last = false;
                continue;
            };
            let next = contact(&answer["next"]).ok_or(Trouble::Silent)?;
            last = answer["last"] == true;
            if next == here {
                return Ok((here, path.iter().map(|node| node.0).collect()));
            }
            path.push(next);
        }
        Err(Trouble::Silent)
    }

    /// Tries again for a while, because rings repair themselves.
    pub(crate) fn persist<T>(
        &self,
        config: &Config,
        attempt: impl Fn() -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let end = Instant::now() + 5 * (config.timeout + config.period);
        loop {
            match attempt() {
                Err(Trouble::Silent) if Instant::now() < end && lock(&self.state).member => {
                    thread::sleep(config.period / 2);
                }
                other => return other,
            }
        }
    }

    pub(crate) fn at_owner(&self, config: &Config, kind: &str, fields: &Value) -> Answer {
        self.persist(config, || {
            let (owner, _) = self.walk(number(&fields["key"])?, &config.me, None)?;
            let answer = self.call(&owner, kind, fields.clone(), 4)?;
            if answer["moved"] == true {
                Err(Trouble::Silent)
            } else {
                Ok(answer)
            }
        })
    }
}

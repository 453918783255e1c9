//! Looks again and again at what every node uses, and ends those that use too much.

use std::sync::{Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::census;
use super::running::Shared;

/// Between two looks.
const TICK: Duration = Duration::from_millis(100);

struct Warden {
    watched: Mutex<Vec<Weak<Shared>>>,
    more: Condvar,
}

/// From now on the node is looked at, until it is gone.
pub(super) fn watch(node: Weak<Shared>) -> std::io::Result<()> {
    static WARDEN: OnceLock<&'static Warden> = OnceLock::new();
    static RUNS: OnceLock<bool> = OnceLock::new();
    let warden = *WARDEN.get_or_init(|| {
        Box::leak(Box::new(Warden {
            watched: Mutex::default(),
            more: Condvar::new(),
        }))
    });
    let runs = *RUNS.get_or_init(|| {
        let thread = std::thread::Builder::new().name("warden".to_owned());
        thread.spawn(|| warden.run()).is_ok()
    });
    if !runs {
        return Err(std::io::Error::other("no thread that watches nodes"));
    }
    warden
        .watched
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(node);
    warden.more.notify_all();
    Ok(())
}

impl Warden {
    fn run(&self) {
        loop {
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            while watched.is_empty() {
                watched = self
                    .more
                    .wait(watched)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            watched.retain(|node| node.upgrade().is_some_and(|node| !node.is_over()));
            let nodes = watched.clone();
            drop(watched);
            let processes = census::take();
            for node in nodes.iter().filter_map(Weak::upgrade) {
                node.look(&processes);
            }
            std::thread::sleep(TICK);
        }
    }
}

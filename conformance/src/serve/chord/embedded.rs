//! Reference nodes within this process: each in a thread of its own, which ends with its [`Life`].

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Instant;

use super::breaks::Bug;
use super::desk::Desk;
use super::life::{Inbox, live};
use crate::control::{Arrival, Life, News, Place, StartError, Starter};

/// Starts reference nodes, sound or with a seeded violation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference {
    bug: Option<(&'static str, Bug)>,
}

impl Reference {
    /// Starts sound nodes.
    pub fn sound() -> Self {
        Self::default()
    }

    /// Starts nodes with the violation of that name.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn broken(name: &str) -> Result<Self, StartError> {
        let known = super::BREAKS.iter().find(|it| it.name == name);
        match (known, Bug::by_name(name)) {
            (Some(it), Some(bug)) => Ok(Self {
                bug: Some((it.name, bug)),
            }),
            _ => Err(StartError::Usage(format!(
                "the ring node has no break called `{name}`"
            ))),
        }
    }
}

impl Starter for Reference {
    fn start(&self, name: &str, inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError> {
        let place = Place {
            name: name.to_owned(),
            ..Place::default()
        };
        self.start_at(&place, inbox)
    }

    fn start_at(&self, place: &Place, inbox: Sender<Arrival>) -> Result<Box<dyn Life>, StartError> {
        let (name, namespace) = (place.name.as_str(), place.namespace.clone());
        let told = Arc::new(Inbox::default());
        let desk = Desk::new(self.bug.map(|(_, bug)| bug));
        let (own, from) = (Arc::clone(&told), name.to_owned());
        let run = move || {
            let tell = |news| {
                let arrival = Arrival {
                    from: from.clone(),
                    at: Instant::now(),
                    news,
                };
                inbox.send(arrival).is_ok()
            };
            // The thread makes the node's sockets, and ends with it.
            if let Some(Err(why)) = namespace.map(|it| it.enter()) {
                tell(News::Ended(format!("it cannot enter its network: {why}")));
                return;
            }
            live(desk, &own, |line| tell(News::Line(line)));
            // Whoever has dropped the inbox does not want to know.
            let _ = tell(News::Ended("it was ended".to_owned()));
        };
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(run);
        let thread = thread.map_err(|why| StartError::Machine(format!("no thread: {why}")))?;
        Ok(Box::new(Embedded {
            told,
            thread: Some(thread),
        }))
    }

    fn enters_namespaces(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        match self.bug {
            None => "reference".to_owned(),
            Some((name, _)) => format!("reference with {name}"),
        }
    }
}

struct Embedded {
    told: Arc<Inbox>,
    thread: Option<JoinHandle<()>>,
}

impl Life for Embedded {
    fn say(&self, line: &str) -> bool {
        self.told.offer(line)
    }

    fn pause(&self) {
        self.told.pause(true);
    }

    fn resume(&self) {
        self.told.pause(false);
    }

    fn kill(&mut self) {
        self.told.end();
        if let Some(thread) = self.thread.take() {
            // A node that has panicked is as dead as one that has ended.
            let _ = thread.join();
        }
    }

    fn last_words(&self) -> String {
        self.told.complaints()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.kill();
    }
}

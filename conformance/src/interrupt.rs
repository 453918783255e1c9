//! What must not stay behind when the user presses Ctrl-C: child processes and temporary directories.
//!
//! Whoever starts a process or makes a directory does it here, and holds the registration for as long as it lives:
//! an interrupt finds it from the moment on that it exists.
//! The handler ends the processes, removes the directories and exits with status 130.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Thread;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tempfile::TempDir;

/// The exit status of a run that the user interrupted, as shells report it for SIGINT.
pub const INTERRUPTED: i32 = 130;

enum Leftover {
    ProcessGroup(u32),
    Directory(PathBuf),
    Other(Box<dyn Fn() + Send>),
}

static LEFTOVERS: Mutex<BTreeMap<u64, Leftover>> = Mutex::new(BTreeMap::new());

/// Something that is cleaned up on an interrupt for as long as this value lives.
#[derive(Debug)]
#[must_use]
pub struct Registration(u64);

impl Drop for Registration {
    fn drop(&mut self) {
        leftovers().remove(&self.0);
    }
}

/// Starts a child that leads a process group of its own.
///
/// # Errors
/// Those of `spawn`.
pub fn start_group(spawn: impl FnOnce() -> io::Result<Child>) -> io::Result<(Child, Registration)> {
    create(spawn, |child| Leftover::ProcessGroup(child.id()))
}

/// Makes a temporary directory.
///
/// # Errors
/// Those of `make`.
pub fn make_directory(
    make: impl FnOnce() -> io::Result<TempDir>,
) -> io::Result<(TempDir, Registration)> {
    create(make, |made| Leftover::Directory(made.path().to_owned()))
}

/// Does that on an interrupt, after the processes have ended.
pub fn on_interrupt(act: impl Fn() + Send + 'static) -> Registration {
    let mut leftovers = leftovers();
    register(&mut leftovers, Leftover::Other(Box::new(act)))
}

/// Who waits for an interrupt, and whether it came.
static WAITING: Mutex<Option<Thread>> = Mutex::new(None);
static INTERRUPT: AtomicBool = AtomicBool::new(false);

/// From now on an interrupt is the ordinary end of what this thread does, not an abort of the run.
#[derive(Debug)]
#[must_use]
pub struct Expected(());

/// Makes the interrupt the ordinary end. Called before anybody is told that there is something to interrupt:
/// whoever reads that may interrupt at once. Needs [`watch`] before.
pub fn expect() -> Expected {
    *WAITING.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current());
    Expected(())
}

impl Expected {
    /// Blocks until the user interrupts; returns at once when that has happened since [`expect`].
    pub fn wait(self) {
        while !INTERRUPT.load(Ordering::SeqCst) {
            std::thread::park();
        }
    }
}

/// Handles SIGINT, SIGTERM and SIGHUP from now on: wakes who [`expect`]s one, else cleans up and exits.
/// A signal that the program was started to ignore, as by `nohup`, stays ignored.
pub fn watch() {
    let heeded = [SIGINT, SIGTERM, SIGHUP]
        .into_iter()
        .filter(|signal| !is_ignored(*signal));
    // Without a handler the system ends the program at once, and then there is nothing better to do.
    let Ok(mut signals) = Signals::new(heeded) else {
        return;
    };
    std::thread::spawn(move || signals.forever().for_each(|_| on_signal()));
}

fn on_signal() {
    if let Some(waiting) = &*WAITING.lock().unwrap_or_else(PoisonError::into_inner)
        && !INTERRUPT.swap(true, Ordering::SeqCst)
    {
        waiting.unpark();
        return;
    }
    // Held until the end: nothing new is registered, and so started, behind the handler's back.
    let _held = clean_up();
    eprintln!("peerproof: interrupted; what the run had started is ended");
    std::process::exit(INTERRUPTED);
}

/// Whether the program was started to ignore the signal, as Linux tells; elsewhere nobody tells.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

fn leftovers() -> std::sync::MutexGuard<'static, BTreeMap<u64, Leftover>> {
    LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nobody is interrupted between the making and the registration.
fn create<T>(
    make: impl FnOnce() -> io::Result<T>,
    leftover: impl FnOnce(&T) -> Leftover,
) -> io::Result<(T, Registration)> {
    let mut leftovers = leftovers();
    let made = make()?;
    let registration = register(&mut leftovers, leftover(&made));
    Ok((made, registration))
}

fn register(leftovers: &mut BTreeMap<u64, Leftover>, leftover: Leftover) -> Registration {
    let key = leftovers.last_key_value().map_or(0, |(key, _)| key + 1);
    leftovers.insert(key, leftover);
    Registration(key)
}

fn clean_up() -> std::sync::MutexGuard<'static, BTreeMap<u64, Leftover>> {
    let mut leftovers = leftovers();
    // Processes first: a node that lives could write into its directory while that is removed.
    for leftover in leftovers.values() {
        // An error means that the process is gone already.
        let _ = match leftover {
            Leftover::ProcessGroup(id) => killpg(pid(*id), Signal::SIGKILL),
            Leftover::Directory(_) | Leftover::Other(_) => Ok(()),
        };
    }
    for leftover in leftovers.values() {
        match leftover {
            Leftover::ProcessGroup(_) => {}
            Leftover::Directory(path) => {
                let _ = std::fs::remove_dir_all(path);
            }
            Leftover::Other(undo) => undo(),
        }
    }
    leftovers.clear();
    leftovers
}

/// Ids of children come from the system and fit; an impossible one addresses nobody.
fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap_or(i32::MAX))
}

//! Network namespaces: an IP stack of its own, in which there is nothing but what is put there.
//!
//! Such a namespace has no name, and no process holds it: it lives for as long as this value, or somebody in it. The
//! system takes it away with its last holder, so that nothing of it stays however the kit ends.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

/// A network namespace without a name.
#[derive(Debug)]
pub struct Namespace {
    file: File,
}

impl Namespace {
    /// A new one: its loopback device is down, and it has no other.
    ///
    /// # Errors
    /// The system has no network namespaces, or does not let this user make one.
    pub fn new() -> io::Result<Self> {
        let make = || {
            system::leave()?;
            File::open("/proc/thread-self/ns/net")
        };
        let file = on_a_thread(make)??;
        Ok(Self { file })
    }

    /// From now on this thread, and all that it starts, is in there: the sockets that it makes are.
    ///
    /// # Errors
    /// The system does not let this user.
    pub fn enter(&self) -> io::Result<()> {
        system::enter(&self.file)
    }

    /// By what programs that this user starts find it.
    pub fn path(&self) -> PathBuf {
        let (process, file) = (std::process::id(), self.file.as_raw_fd());
        PathBuf::from(format!("/proc/{process}/fd/{file}"))
    }
}

/// Does something within this namespace, if there is one; else where the caller is.
///
/// # Errors
/// The namespace cannot be entered, or there is no thread for it.
pub fn within<T: Send>(
    namespace: Option<&Namespace>,
    act: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    match namespace {
        None => Ok(act()),
        Some(namespace) => on_a_thread(|| namespace.enter().map(|()| act()))?,
    }
}

/// A thread cannot be trusted to find the way back: what changes its namespace is done on one that ends with it.
fn on_a_thread<T: Send>(act: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, act)?;
        thread
            .join()
            .map_err(|_| io::Error::other("a thread in a namespace has panicked"))
    })
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::File;
    use std::io;

    use nix::sched::{CloneFlags, setns, unshare};

    pub(super) fn leave() -> io::Result<()> {
        Ok(unshare(CloneFlags::CLONE_NEWNET)?)
    }

    pub(super) fn enter(namespace: &File) -> io::Result<()> {
        Ok(setns(namespace, CloneFlags::CLONE_NEWNET)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::File;
    use std::io;

    pub(super) fn leave() -> io::Result<()> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    pub(super) fn enter(_: &File) -> io::Result<()> {
        leave()
    }
}

//! A program in a process group of its own, with its output kept, ended for certain.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

/// How long a program may take to leave after SIGTERM before SIGKILL.
const PATIENCE: Duration = Duration::from_secs(3);
/// How much of the end of a program's output goes into an error message.
const TAIL: usize = 4_000;
/// How long to rest between two looks at a condition.
pub(crate) const REST: Duration = Duration::from_millis(25);

/// A started program and the temporary directory it lives in.
///
/// Dropping it ends its process group: SIGTERM, then SIGKILL.
pub(crate) struct Process {
    child: Child,
    home: TempDir,
    ended: bool,
}

impl Process {
    /// Starts `command` with `home` as working directory and HOME, its output in `home/output`.
    pub(crate) fn start(mut command: Command, home: TempDir) -> io::Result<Self> {
        let output = File::create(home.path().join("output"))?;
        command
            .current_dir(home.path())
            .env("HOME", home.path())
            .env("TERM", "dumb")
            .env_remove("http_proxy")
            .env_remove("HTTP_PROXY")
            .env_remove("all_proxy")
            .env_remove("ALL_PROXY")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0);
        let child = command.spawn()?;
        Ok(Self {
            child,
            home,
            ended: false,
        })
    }

    /// The directory that belongs to this program alone.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The end of what the program wrote to its standard output and error.
    pub(crate) fn output(&self) -> String {
        let bytes = fs::read(self.home.path().join("output")).unwrap_or_default();
        let start = bytes.len().saturating_sub(TAIL);
        String::from_utf8_lossy(&bytes[start..]).into_owned()
    }

    /// Whether the program still runs.
    pub(crate) fn alive(&mut self) -> bool {
        !self.ended && matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends `signal` to the process group, and does not wait.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), String> {
        let id = i32::try_from(self.child.id()).map_err(|error| error.to_string())?;
        killpg(Pid::from_raw(id), signal).map_err(|error| error.to_string())
    }

    /// Ends the process group; true when it left on SIGTERM within `patience`.
    pub(crate) fn end(&mut self, patience: Duration) -> bool {
        if self.ended {
            return true;
        }
        self.ended = true;
        // A failure means that the group is gone already, which is what is wanted.
        let _ = self.signal(Signal::SIGTERM);
        let polite = eventually(patience, || {
            matches!(self.child.try_wait(), Ok(Some(_)) | Err(_))
        });
        // The leader may have left children behind: the group is always killed before the leader is reaped for good.
        let _ = self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
        polite
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(PATIENCE);
    }
}

/// Looks at `condition` again and again until it holds or `patience` is over.
pub(crate) fn eventually(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(REST);
    }
}

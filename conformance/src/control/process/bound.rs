//! A control group that bounds how many processes and threads a node can have at a time: as root, on Linux.
//!
//! The warden looks ten times a second; in between, a node that does nothing but fork could fill a machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::interrupt;

/// How long the system has to empty the group of a node that has ended.
const BURIAL: Duration = Duration::from_secs(2);

/// Between two looks at a group.
const REST: Duration = Duration::from_millis(5);

/// A control group of one node. It goes with this value, and on an interrupt.
#[derive(Debug)]
pub(super) struct Bound {
    directory: PathBuf,
    _undo: interrupt::Registration,
}

impl Bound {
    /// A group for the node with this mark, in which the system lets there be `tasks` processes and threads.
    /// None where the machine does not let the kit make one.
    pub(super) fn make(mark: &str, tasks: u64) -> Option<Self> {
        static WORKS: OnceLock<bool> = OnceLock::new();
        let top = top()?;
        let works = || {
            let trial = format!("trial-{}", std::process::id());
            Self::below(top, &trial, tasks).is_ok_and(|bound| bound.lets_in())
        };
        if !*WORKS.get_or_init(works) {
            return None;
        }
        Self::below(top, mark, tasks).ok()
    }

    fn below(top: &Path, mark: &str, tasks: u64) -> io::Result<Self> {
        let directory = top.join(format!("peerproof-node-{mark}"));
        let undo = {
            let directory = directory.clone();
            interrupt::on_interrupt(move || take_away(&directory))
        };
        fs::create_dir(&directory)?;
        // From here on dropping it takes the directory away.
        let bound = Self {
            directory,
            _undo: undo,
        };
        fs::write(bound.directory.join("pids.max"), tasks.to_string())?;
        Ok(bound)
    }

    /// Whether a process can enter.
    fn lets_in(&self) -> bool {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo 0 >\"$1/cgroup.procs\"", "sh"])
            .arg(&self.directory);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// Whether somebody in it wanted more than there may be.
    pub(super) fn was_met(&self) -> bool {
        let events = fs::read_to_string(self.directory.join("pids.events")).unwrap_or_default();
        let mut lines = events.lines();
        let refusals = lines.find_map(|line| line.strip_prefix("max ")?.trim().parse::<u64>().ok());
        refusals.is_some_and(|count| count > 0)
    }

    /// What a process enters.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        take_away(&self.directory);
    }
}

/// A group that is not empty after a while stays.
fn take_away(directory: &Path) {
    let deadline = Instant::now() + BURIAL;
    while directory.is_dir() && fs::remove_dir(directory).is_err() && Instant::now() < deadline {
        std::thread::sleep(REST);
    }
}

/// Where groups that count processes can be made.
fn top() -> Option<&'static Path> {
    static TOP: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        if !nix::unistd::geteuid().is_root() {
            return None;
        }
        let subtree = |place: &Path| {
            fs::read_to_string(place.join("cgroup.subtree_control")).unwrap_or_default()
        };
        place(&fs::read_to_string("/proc/mounts").ok()?, subtree)
    };
    TOP.get_or_init(find).as_deref()
}

/// The first hierarchy of `/proc/mounts` that counts processes: of the first version, or of the second one where
/// `subtree` says that its groups do.
fn place(mounts: &str, subtree: impl Fn(&Path) -> String) -> Option<PathBuf> {
    let counts =
        |words: &str, separator: char| words.trim().split(separator).any(|it| it == "pids");
    mounts.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let (place, kind, options) = (fields.get(1)?, fields.get(2)?, fields.get(3)?);
        let place = Path::new(place);
        let found = match *kind {
            "cgroup" => counts(options, ','),
            "cgroup2" => counts(&subtree(place), ' '),
            _ => false,
        };
        found.then(|| place.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hierarchy_that_counts_processes_is_found() {
        let old = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0\n";
        assert_eq!(
            place(old, |_| String::new()),
            Some(PathBuf::from("/sys/fs/cgroup/pids"))
        );
        let new = "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n";
        let all = |_: &Path| "cpu memory pids\n".to_owned();
        assert_eq!(place(new, all), Some(PathBuf::from("/sys/fs/cgroup")));
        assert_eq!(place(new, |_| "hugetlb\n".to_owned()), None);
        assert_eq!(place("garbage", |_| String::new()), None);
    }
}

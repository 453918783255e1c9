//! What a node is started in: limits that the system keeps, and walls where the system has them.
//!
//! Where the system lets us, a node gets a process namespace of its own: whatever it starts is in there, whatever
//! group or session it chooses, and everything ends with the namespace. Elsewhere its group is ended, and what has
//! left the group is looked for in /proc.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// What a node may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The memory that all its processes hold together, in bytes.
    pub memory: u64,
    /// Its processes and threads together. Where the machine lets the kit see to it, there are never more than
    /// twice as many.
    pub tasks: u64,
    /// Open files of each process.
    pub open_files: u64,
    /// The size of every file that it writes, in bytes.
    pub file_size: u64,
    /// The processor time that all its processes use together.
    pub processor: Duration,
}

impl Default for Limits {
    /// Room for a virtual machine with its threads, and none for a runaway.
    fn default() -> Self {
        Self {
            memory: 1 << 30,
            tasks: 512,
            open_files: 1024,
            file_size: 256 << 20,
            processor: Duration::from_secs(600),
        }
    }
}

/// A variable that every process of a node inherits; its value names the node.
pub(super) const MARK: &str = "PEERPROOF_NODE";

/// The words in the names of variables that hold what a node has no business to know.
const SECRETS: [&str; 8] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "API_KEY",
    "PRIVATE_KEY",
    "SSH_AUTH",
];

/// By what the processes of a node are known.
pub(super) struct Inside<'a> {
    /// The value of [`MARK`].
    pub(super) mark: &'a str,
    /// The control groups that they enter.
    pub(super) groups: Vec<&'a Path>,
}

/// How a node is walled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walls {
    /// A process namespace, made by `unshare` with these arguments.
    Namespace(&'static [&'static str]),
    /// A process group.
    Group,
}

const AS_ROOT: &[&str] = &["--pid", "--fork", "--kill-child", "--mount-proc"];
const AS_USER: &[&str] = &[
    "--user",
    "--map-current-user",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
];

impl Walls {
    /// The best that this machine has.
    pub(super) fn best() -> Self {
        static BEST: OnceLock<Walls> = OnceLock::new();
        let works = |arguments: &&&'static [&str]| {
            let mut command = Command::new("unshare");
            command.args(**arguments).arg("true");
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        *BEST.get_or_init(|| {
            let found = [AS_ROOT, AS_USER].iter().find(works).copied();
            found.map_or(Self::Group, Self::Namespace)
        })
    }

    /// The command that starts `line` by the shell within the walls, with these limits and this home directory.
    pub(super) fn command(
        self,
        line: &str,
        limits: &Limits,
        home: &Path,
        place: &Inside<'_>,
    ) -> Command {
        let mut command = match self {
            Self::Namespace(arguments) => {
                let mut command = Command::new("unshare");
                command.args(arguments).arg("sh");
                command
            }
            Self::Group => Command::new("sh"),
        };
        command.args(["-c", &script(limits), "sh", line]);
        command.args(&place.groups);
        for (name, _) in std::env::vars_os() {
            if sounds_secret(&name.to_string_lossy()) {
                command.env_remove(&name);
            }
        }
        // A proxy between two ends of the loopback would only be in the way.
        for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        command
            .env("HOME", home)
            .env("TMPDIR", home)
            .env(MARK, place.mark);
        command
    }
}

fn sounds_secret(variable: &str) -> bool {
    let upper = variable.to_uppercase();
    SECRETS.iter().any(|secret| upper.contains(secret))
}

/// Sets the limits of each process and runs the line. The shell stays: it is the first process of the namespace,
/// and whoever is that must wait for orphans.
///
/// A limit that is lower already stays. Those on data and processor time bound what a process can take between two
/// looks at what it uses: they are wider, so that the looks, which can say what was too much, come first.
fn script(limits: &Limits) -> String {
    let kibibytes = limits.memory.saturating_mul(2) >> 10;
    let blocks = limits.file_size / 512;
    let seconds = limits.processor.as_secs() * 2 + 10;
    // Who cannot enter a group must not run outside of it: no rule would hold it.
    let mut script =
        "line=$1; shift; for group; do echo 0 >\"$group/cgroup.procs\" || exit 125; done; "
            .to_owned();
    for (option, value) in [
        ('c', 0),
        ('d', kibibytes),
        ('f', blocks),
        ('n', limits.open_files),
        ('t', seconds),
    ] {
        script += &format!("ulimit -{option} {value} 2>/dev/null; ");
    }
    script + "sh -c \"$line\"; exit $?"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sounds_secret_is_kept_from_nodes() {
        for name in [
            "GITHUB_TOKEN",
            "aws_secret_access_key",
            "PGPASSWORD",
            "SSH_AUTH_SOCK",
        ] {
            assert!(sounds_secret(name), "{name}");
        }
        for name in ["PATH", "JAVA_HOME", "LANG", "KEYBOARD", "XAUTHORITY"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}

//! A client that the kit starts: a command line in a process group of its own, ended with the case.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::case::Stop;
use crate::interrupt;

/// How often a program that is leaving is looked at.
const REST: Duration = Duration::from_millis(20);

/// What a command line may name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<'a> {
    /// `{torrent}`: the metainfo file.
    pub(crate) torrent: &'a Path,
    /// `{dir}`: where the content goes, or lies.
    pub(crate) dir: &'a Path,
    /// `{port}`: where to listen for peers.
    pub(crate) port: u16,
    /// `{tracker}`: the announce URL, which the metainfo has too.
    pub(crate) tracker: &'a str,
}

/// A started program. Dropping it ends its process group.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    ended: bool,
    _registration: interrupt::Registration,
}

/// The command line with its placeholders filled in. Paths are quoted for the shell.
pub(crate) fn filled(line: &str, places: Places<'_>) -> String {
    let quoted = |path: &Path| format!("'{}'", path.display().to_string().replace('\'', r"'\''"));
    line.replace("{torrent}", &quoted(places.torrent))
        .replace("{dir}", &quoted(places.dir))
        .replace("{port}", &places.port.to_string())
        .replace("{tracker}", &format!("'{}'", places.tracker))
}

impl Program {
    /// Starts a command line by the shell, with `home` as working directory.
    pub(crate) fn start(line: &str, home: &Path) -> Result<Self, Stop> {
        let child = Command::new("sh")
            .args(["-c", line])
            .current_dir(home)
            .env("HOME", home)
            .env_remove("http_proxy")
            .env_remove("HTTP_PROXY")
            .env_remove("all_proxy")
            .env_remove("ALL_PROXY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let child = child
            .map_err(|error: io::Error| Stop::Kit(format!("cannot start `{line}`: {error}")))?;
        let registration = interrupt::process_group(child.id());
        Ok(Self {
            child,
            ended: false,
            _registration: registration,
        })
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.ended || matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Asks it to leave as the keyboard does (SIGINT) and then as the machine does (SIGTERM), waits at most
    /// `patience` for both together, then ends it; whether it left by itself.
    pub(crate) fn end(&mut self, patience: Duration) -> bool {
        if self.ended {
            return true;
        }
        self.ended = true;
        let Ok(id) = i32::try_from(self.child.id()) else {
            return self.child.kill().is_ok();
        };
        let group = Pid::from_raw(id);
        let left = self.leaves(group, Signal::SIGINT, patience / 2)
            || self.leaves(group, Signal::SIGTERM, patience / 2);
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
        left
    }

    /// Whether the whole group is gone within `patience` after `signal`: the shell may leave before what it started.
    fn leaves(&mut self, group: Pid, signal: Signal, patience: Duration) -> bool {
        // A failure means that the group is gone already, which is what is wanted.
        let _ = killpg(group, signal);
        let deadline = Instant::now() + patience;
        loop {
            let _ = self.child.try_wait();
            if killpg(group, None).is_err() {
                return true;
            }
            if Instant::now() >= deadline {
                return false;
            }
            thread::sleep(REST);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nobody waits for a farewell here: what the case wanted to see, it has seen.
        self.end(Duration::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_quoted() {
        let places = Places {
            torrent: Path::new("/tmp/it's/a.torrent"),
            dir: Path::new("/tmp/d"),
            port: 7000,
            tracker: "http://127.0.0.1:1/announce",
        };
        assert_eq!(
            filled("x {torrent} -d {dir} -p {port} {tracker}", places),
            r"x '/tmp/it'\''s/a.torrent' -d '/tmp/d' -p 7000 'http://127.0.0.1:1/announce'"
        );
    }

    #[test]
    fn the_whole_group_ends() {
        let home = std::env::temp_dir();
        let mut program = Program::start("sleep 600 & sleep 600", &home).expect("a shell");
        assert!(!program.has_ended());
        assert!(program.end(Duration::from_secs(5)));
    }
}

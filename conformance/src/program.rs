//! A node that the kit starts: a command line in a process group of its own, ended with the value that holds it.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::interrupt;

/// How long a program has to leave when it is asked to.
const FAREWELL: Duration = Duration::from_secs(3);

/// How often a program that is leaving is looked at.
const REST: Duration = Duration::from_millis(20);

/// How much of the end of its output is kept.
const KEPT_OUTPUT: usize = 4 << 10;

/// A directory of the kit's own, for one program. It goes with this value, and on an interrupt.
#[derive(Debug)]
pub struct Home {
    _registration: interrupt::Registration,
    directory: tempfile::TempDir,
}

impl Home {
    /// Makes one.
    ///
    /// # Errors
    /// The machine has no place for it.
    pub fn new() -> std::io::Result<Self> {
        let make = || tempfile::Builder::new().prefix("peerproof-").tempdir();
        let (directory, registration) = interrupt::make_directory(make)?;
        Ok(Self {
            _registration: registration,
            directory,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// A started program. Dropping it ends its process group.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: Arc<Mutex<VecDeque<u8>>>,
    farewell: Duration,
    /// Whether it left by itself, once it was ended.
    left: Option<bool>,
    _registration: interrupt::Registration,
}

/// A command line with the placeholders `{name}` filled in. Values are quoted for the shell where they need it.
pub fn filled(line: &str, places: &[(&str, &str)]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=".contains(&byte);
    let is_plain = |value: &str| !value.is_empty() && value.bytes().all(plain);
    let mut filled = line.to_owned();
    for (name, value) in places {
        let value = if is_plain(value) {
            (*value).to_owned()
        } else {
            format!("'{}'", value.replace('\'', r"'\''"))
        };
        filled = filled.replace(&format!("{{{name}}}"), &value);
    }
    filled
}

/// A port of 127.0.0.1 that nobody uses now, over TCP and UDP.
///
/// # Errors
/// The machine has none.
pub fn free_address() -> std::io::Result<SocketAddr> {
    let mut last = None;
    for _ in 0..32 {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        match UdpSocket::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("no free port")))
}

impl Program {
    /// Starts a command line by the shell, in the user's own working directory, so that `./node` is what they mean.
    /// `home` is its home directory, where what it keeps for itself disturbs nobody.
    ///
    /// # Errors
    /// The shell cannot be started.
    pub fn start(line: &str, home: &Path) -> std::io::Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        // A proxy between two ends of the loopback would only be in the way.
        for proxy in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(proxy);
        }
        let (mut child, registration) = interrupt::start_group(|| command.spawn())?;
        let output = Arc::default();
        let pipes = [
            child.stdout.take().map(|pipe| Box::new(pipe) as Pipe),
            child.stderr.take().map(|pipe| Box::new(pipe) as Pipe),
        ];
        for pipe in pipes.into_iter().flatten() {
            let output = Arc::clone(&output);
            // It ends with the pipe, which ends with the program.
            std::thread::Builder::new().spawn(move || keep_end(pipe, &output))?;
        }
        Ok(Self {
            _registration: registration,
            child,
            output,
            farewell: FAREWELL,
            left: None,
        })
    }

    /// Has it end at once when it is dropped: what was wanted of it has been seen.
    pub fn skip_farewell(&mut self) {
        self.farewell = Duration::ZERO;
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.left.is_some() || matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// The end of what it wrote to standard output and standard error.
    pub fn output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = output.iter().copied().collect();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }

    /// The end of its output in words, for a report.
    pub fn last_words(&self) -> String {
        let output = self.output();
        if output.is_empty() {
            "it said nothing".to_owned()
        } else {
            format!("its last words: {output}")
        }
    }

    /// Asks it to leave by these signals, one after the other, waits at most `patience` for all of them together,
    /// then ends its group; whether it left by itself.
    pub fn end(&mut self, signals: &[Signal], patience: Duration) -> bool {
        if let Some(left) = self.left {
            return left;
        }
        let Ok(id) = i32::try_from(self.child.id()) else {
            return *self.left.insert(self.child.kill().is_ok());
        };
        let group = Pid::from_raw(id);
        let share = patience / u32::try_from(signals.len().max(1)).unwrap_or(u32::MAX);
        let left = signals
            .iter()
            .any(|signal| self.leaves(group, *signal, share));
        // An error means that the group is gone already, which is what is wanted.
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
        *self.left.insert(left)
    }

    /// Whether the whole group is gone within `patience` after `signal`: the shell may leave before what it started.
    fn leaves(&mut self, group: Pid, signal: Signal, patience: Duration) -> bool {
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
            std::thread::sleep(REST);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end(&[Signal::SIGTERM], self.farewell);
    }
}

pub(crate) type Pipe = Box<dyn Read + Send>;

/// Reads until the end and keeps the last bytes.
pub(crate) fn keep_end(mut pipe: Pipe, output: &Mutex<VecDeque<u8>>) {
    let mut buffer = [0; 4 << 10];
    while let Ok(count) = pipe.read(&mut buffer) {
        if count == 0 {
            return;
        }
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        output.extend(&buffer[..count]);
        let excess = output.len().saturating_sub(KEPT_OUTPUT);
        output.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_quoted_where_needed() {
        let places = [("torrent", "/home/it's a.torrent"), ("port", "7000")];
        assert_eq!(
            filled("x {torrent} -p {port} {other}", &places),
            r"x '/home/it'\''s a.torrent' -p 7000 {other}"
        );
        assert_eq!(filled("x {introducer} y", &[("introducer", "")]), "x '' y");
    }

    #[test]
    fn the_whole_group_ends() {
        let home = std::env::temp_dir();
        let mut program = Program::start("sleep 600 & sleep 600", &home).expect("a shell");
        assert!(!program.has_ended());
        assert!(program.end(&[Signal::SIGTERM], Duration::from_secs(5)));
    }

    #[test]
    fn only_the_end_of_the_output_is_kept() {
        let home = std::env::temp_dir();
        let line = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo last words";
        let mut program = Program::start(line, &home).expect("a shell");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !program.output().ends_with("last words") && Instant::now() < deadline {
            std::thread::sleep(REST);
        }
        assert!(program.output().ends_with("last words"));
        assert!(program.output().len() <= KEPT_OUTPUT);
        assert!(program.has_ended() || program.end(&[Signal::SIGTERM], FAREWELL));
    }
}

//! A tracker that the kit starts: a command line in a process group of its own, ended with the session.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use peerproof_model::bittorrent::message::InfoHash;

use super::arrival::HOST;
use crate::interrupt;
use crate::suite::OpenError;

/// How long a program has to leave when it is asked to.
const FAREWELL: Duration = Duration::from_secs(3);
/// How often it is looked at.
const REST: Duration = Duration::from_millis(20);

/// A started program. Dropping it ends its process group.
pub(super) struct Program {
    child: Child,
    address: SocketAddr,
    _registrations: (interrupt::Registration, interrupt::Registration),
    _home: tempfile::TempDir,
}

impl Program {
    /// Starts `line` by the shell; {port} is a free port, {whitelist} a file with the info hashes, {dir} its directory.
    pub(super) fn start(line: &str, info_hashes: &[InfoHash]) -> Result<Self, OpenError> {
        let kit =
            |error: std::io::Error| OpenError::Kit(format!("cannot prepare `{line}`: {error}"));
        let home = tempfile::Builder::new()
            .prefix("peerproof-")
            .tempdir()
            .map_err(kit)?;
        // A tracker that gives up its privileges must still read its directory.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(home.path(), open).map_err(kit)?;
        let directory = interrupt::directory(home.path());
        let whitelist = home.path().join("whitelist");
        let mut text = String::new();
        for info_hash in info_hashes {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{info_hash}");
        }
        std::fs::write(&whitelist, text).map_err(kit)?;
        let address = free_address().map_err(kit)?;
        let filled = line
            .replace("{port}", &address.port().to_string())
            .replace("{whitelist}", &whitelist.display().to_string())
            .replace("{dir}", &home.path().display().to_string());
        let child = Command::new("sh")
            .args(["-c", &filled])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let child =
            child.map_err(|error| OpenError::Usage(format!("cannot start `{line}`: {error}")))?;
        let process = interrupt::process_group(child.id());
        Ok(Self {
            child,
            address,
            _registrations: (process, directory),
            _home: home,
        })
    }

    /// Where it was told to listen.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }
}

/// A port that nobody uses, over TCP and UDP.
fn free_address() -> std::io::Result<SocketAddr> {
    let mut last = None;
    for _ in 0..32 {
        let address = TcpListener::bind((HOST, 0))?.local_addr()?;
        match UdpSocket::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("no free port")))
}

impl Drop for Program {
    fn drop(&mut self) {
        let Ok(id) = i32::try_from(self.child.id()) else {
            return;
        };
        let group = Pid::from_raw(id);
        // An error means that the group is gone already, which is what is wanted.
        let _ = killpg(group, Signal::SIGTERM);
        let deadline = Instant::now() + FAREWELL;
        while Instant::now() < deadline {
            let _ = self.child.try_wait();
            if killpg(group, None).is_err() {
                break;
            }
            std::thread::sleep(REST);
        }
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

//! Runs the whole test program in a network namespace that has nothing but a loopback device.
//!
//! Several clients bind every address or try to reach the outside whatever their options say. In such a
//! namespace nothing leaves, nothing comes in, and no port is taken by another program.
//! A namespace of process ids comes with it, so that no client outlives the test program, even when it is killed.

use std::env;
use std::process::{Command, ExitCode};

/// Set in the environment of the isolated program; says that it need not isolate itself again.
const MARK: &str = "PEERPROOF_ISOLATED";

/// Addresses that are local in the namespace and are not in 127/8, as `10.77.x.y`.
///
/// transmission drops 127/8 addresses that a tracker hands to it, but dials these.
pub(crate) const LOCAL_NETWORK: &str = "10.77.0.0/16";

/// `$0 "$@"` is not the last command on purpose: the shell stays as the first process of the namespace, and reaps.
const SCRIPT: &str =
    "ip link set lo up && ip route add local 10.77.0.0/16 dev lo && \"$0\" \"$@\"; exit $?";
const UNSHARE: [&str; 5] = ["--net", "--pid", "--fork", "--kill-child", "--"];

/// Whether this program runs in a namespace of its own, where `LOCAL_NETWORK` is local.
pub(crate) fn isolated() -> bool {
    env::var_os(MARK).is_some()
}

/// Runs this program again in a namespace when that is allowed; `None` means: go on as you are.
pub(crate) fn enter() -> Option<ExitCode> {
    if isolated() || !nix::unistd::geteuid().is_root() || !namespaces_are_allowed() {
        return None;
    }
    let program = env::current_exe().ok()?;
    let status = Command::new("unshare")
        .args(UNSHARE)
        .args(["sh", "-c", SCRIPT])
        .arg(program)
        .args(env::args_os().skip(1))
        .env(MARK, LOCAL_NETWORK)
        .status();
    match status {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            Some(ExitCode::from(code.unwrap_or(1)))
        }
        Err(error) => {
            eprintln!("real clients: cannot run in a namespace of their own: {error}");
            Some(ExitCode::FAILURE)
        }
    }
}

/// Containers often let root do everything but this; then the clients run bound to loopback only.
fn namespaces_are_allowed() -> bool {
    let probe = "ip link set lo up && ip route add local 10.77.0.0/16 dev lo";
    let allowed = Command::new("unshare")
        .args(UNSHARE)
        .args(["sh", "-c", probe])
        .output()
        .is_ok_and(|output| output.status.success());
    if !allowed {
        eprintln!(
            "real clients: no network namespace is allowed here; they run bound to loopback addresses"
        );
    }
    allowed
}

//! Nodes in network namespaces of their own reach one another, and nothing else; and nothing of that stays.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};

use libtest_mimic::Failed;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use peerproof::fleet::Isolation;

use crate::left::{groups_of, held_by, held_by_anybody, links_and_names};
use crate::needing::required;
use crate::node::{dial, dial_address, eventually, fleet_of, network, ping, refusal, running};

/// An address of this machine that others would use; nothing is sent to find it.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

pub(crate) fn no_way_out() -> Result<(), Failed> {
    let outer = outer_address();
    if outer.is_none() && required() {
        return Err("this machine has no address besides the loopback".into());
    }
    let ips = [IpAddr::from(Ipv4Addr::LOCALHOST)].into_iter().chain(outer);
    let listeners = ips.map(|ip| TcpListener::bind((ip, 0)));
    let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    let addresses = addresses.collect::<Result<Vec<SocketAddr>, _>>()?;
    // Who is not isolated gets there: somebody listens.
    let mut outside = fleet_of(Isolation::Loopback, &["n1"]);
    for address in &addresses {
        assert!(
            dial_address(&mut outside, "n1", *address, 60.0),
            "{address}"
        );
    }
    let mut inside = fleet_of(Isolation::Namespaces, &["n1", "n2"]);
    // What does not get there can dial: it gets to its neighbour.
    eventually("a connection", || dial(&mut inside, "n1", "n2", 5.0));
    assert!(ping(&mut inside, "n1", 60.0));
    for address in &addresses {
        assert!(!dial_address(&mut inside, "n1", *address, 1.0), "{address}");
    }
    // No router is asked: there is no way to anywhere else.
    let elsewhere = "203.0.113.1:9".parse()?;
    let why = refusal(&mut inside, "n1", elsewhere);
    assert_eq!(why, Some(Errno::ENETUNREACH));
    // Another fleet has the same addresses, and is another network.
    let own = inside.address("n2").ok_or("no address")?;
    let mut other = fleet_of(Isolation::Namespaces, &["n1"]);
    assert!(!dial_address(&mut other, "n1", own, 1.0), "{own}");
    // A router of this machine may answer whatever it is asked: but not as the node does.
    let got_there = dial_address(&mut outside, "n1", own, 1.0) && ping(&mut outside, "n1", 1.0);
    assert!(!got_there, "{own}");
    Ok(())
}

pub(crate) fn stopped() -> Result<(), Failed> {
    let mut fleet = fleet_of(Isolation::Namespaces, &["n1", "n2"]);
    eventually("a connection", || dial(&mut fleet, "n1", "n2", 5.0));
    assert!(ping(&mut fleet, "n1", 60.0));
    fleet.pause("n2");
    assert!(!ping(&mut fleet, "n1", 0.5));
    fleet.resume("n2");
    assert!(ping(&mut fleet, "n1", 60.0));
    Ok(())
}

pub(crate) fn goes_with_its_fleet() -> Result<(), Failed> {
    let before = links_and_names();
    let mut fleet = fleet_of(Isolation::Namespaces, &["n1", "n2"]);
    let own = BTreeSet::from(["n1", "n2"].map(|name| network(&mut fleet, name)));
    assert_eq!(own.len(), 2);
    assert!(own.is_subset(&held_by("self")));
    assert_eq!(links_and_names(), before);
    // Who has ended comes back to the same place.
    fleet.crash("n2");
    fleet.start("n2")?;
    assert!(own.contains(&network(&mut fleet, "n2")));
    drop(fleet);
    eventually("they are gone", || held_by_anybody().is_disjoint(&own));
    Ok(())
}

pub(crate) fn interrupted(signal: Signal) -> Result<(), Failed> {
    let before = links_and_names();
    let room = tempfile::tempdir()?;
    // The name tells its nodes from those of other runs.
    let sleeper = format!("sleep 7005.{}{}", std::process::id(), signal as i32);
    let node = format!("{sleeper} & exec cat > /dev/null");
    let mut child = program()
        .args(["--network", "namespaces", "--node", &node])
        .current_dir(&room)
        .env("TMPDIR", room.path())
        .stderr(Stdio::null())
        .spawn()?;
    eventually("a node", || running(&sleeper) > 0);
    let held = held_by(&child.id().to_string());
    assert!(held.len() >= 2, "a hub and a node: {held:?}");
    assert!(held.is_subset(&held_by_anybody()));
    kill(pid(&child), signal)?;
    child.wait()?;
    eventually("no node", || running(&sleeper) == 0);
    eventually("no namespace", || held_by_anybody().is_disjoint(&held));
    assert_eq!(links_and_names(), before);
    if signal == Signal::SIGKILL {
        // Nobody was there any more to take them away.
        for group in groups_of(child.id()) {
            std::fs::remove_dir(group)?;
        }
    }
    Ok(())
}

/// What is missing is told in one line, with what to do, as a wrong use.
pub(crate) fn refused() -> Result<(), Failed> {
    let output = program()
        .args(["--network", "namespaces"])
        .env("PATH", "/nowhere")
        .output()?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    for words in ["install iproute2", "install nftables", "--network sockets"] {
        assert!(said.contains(words), "{said}");
    }
    let is_root = nix::unistd::geteuid().is_root();
    assert_eq!(said.contains("root (use sudo)"), !is_root, "{said}");
    Ok(())
}

fn program() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"));
    command
        .args(["test", "chord", "--case", "chord/join/*"])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}

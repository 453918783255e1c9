//! What needs more of the machine: nodes that talk over sockets of their own, and walls that nothing gets through.
//!
//! That takes namespaces, nftables and control groups, most of them as root. Where they are missing, those tests show
//! as ignored and say why; with PEERPROOF_REQUIRE_CLIENTS=1 they fail.

mod isolation;
mod left;
#[path = "../needing/mod.rs"]
mod needing;
mod node;
mod parting;

use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};

use libtest_mimic::{Arguments, Failed, Trial};
use nix::sys::signal::Signal;
use peerproof::control::process::{Limits, Programs};
use peerproof::control::{Arrival, Life, News, Starter as _};
use peerproof::fleet::{Isolation, Trouble, can_isolate, can_part_sockets};

use needing::needing;
use node::{PATIENCE, dial, eventually, fleet_of, ping, running};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test(
            "every_node_listens_at_its_own_address_also_after_a_crash",
            || addresses(Isolation::Loopback),
        ),
        walled("nothing_gets_out_of_a_namespace", namespace),
        bounded("a_node_that_forks_meets_a_bound", bound),
        needing(
            "a_program_that_lacks_something_says_what",
            Ok(()),
            isolation::refused,
        ),
    ];
    for isolation in [Isolation::Loopback, Isolation::Namespaces] {
        let has = || match isolation {
            Isolation::Loopback => can_part_sockets(),
            Isolation::Namespaces => can_isolate(),
        };
        let name = |what: &str| format!("{isolation:?}: {what}");
        trials.extend([
            needing(
                name("a_partition_cuts_connections_that_stand_and_new_ones"),
                has(),
                move || parting::partition(isolation),
            ),
            needing(name("losses_are_those_of_the_weather"), has(), move || {
                parting::losses(isolation)
            }),
        ]);
    }
    type Check = fn() -> Result<(), Failed>;
    let isolated: [(&str, Check); 4] = [
        ("every_node_in_a_namespace_keeps_its_address", || {
            addresses(Isolation::Namespaces)
        }),
        (
            "a_node_in_a_namespace_reaches_no_address_of_this_machine",
            isolation::no_way_out,
        ),
        (
            "a_node_in_a_namespace_is_stopped_and_goes_on",
            isolation::stopped,
        ),
        (
            "a_namespace_goes_with_its_fleet",
            isolation::goes_with_its_fleet,
        ),
    ];
    trials.extend(isolated.map(|(name, check)| needing(name, can_isolate(), check)));
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let name = format!("no_namespace_is_left_by_a_run_that_ends_by_{signal}");
        trials.push(needing(name, can_isolate(), move || {
            isolation::interrupted(signal)
        }));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // When all fleets are gone, so are their rules and namespaces.
    let left = left::behind();
    if left.is_empty() {
        return conclusion.exit_code();
    }
    eprintln!("left behind: {left:?}");
    ExitCode::FAILURE
}

fn walled(name: &str, run: fn() -> Result<(), Failed>) -> Trial {
    let programs = Programs::new("true", Limits::default()).expect("programs");
    let has = programs.holds_every_process().then_some(());
    needing(name, has.ok_or("no process namespaces".to_owned()), run)
}

fn bounded(name: &str, run: fn() -> Result<(), Failed>) -> Trial {
    let programs = Programs::new("true", Limits::default()).expect("programs");
    let has = programs.bounds_tasks().then_some(());
    needing(
        name,
        has.ok_or("no control groups that count processes".to_owned()),
        run,
    )
}

/// A program that runs alone, and what it says.
fn alone(line: &str, limits: Limits) -> (Box<dyn Life>, Receiver<Arrival>) {
    let programs = Programs::new(line, limits).expect("programs");
    let (outbox, inbox) = channel();
    (programs.start("n1", outbox).expect("a program"), inbox)
}

fn namespace() -> Result<(), Failed> {
    // An orphan in a session of its own that does not know where it comes from.
    let line = "(env -i setsid sleep 7005.1 &); echo up; exec sleep 7005.2";
    let (mut life, inbox) = alone(line, Limits::default());
    assert_eq!(
        inbox.recv_timeout(PATIENCE)?.news,
        News::Line("up".to_owned())
    );
    eventually("both", || {
        running("sleep 7005.1") * running("sleep 7005.2") == 1
    });
    life.kill();
    eventually("none", || {
        running("sleep 7005.1") + running("sleep 7005.2") == 0
    });
    Ok(())
}

fn bound() -> Result<(), Failed> {
    let limits = Limits {
        tasks: 100,
        ..Limits::default()
    };
    // Two thousand children at most.
    let line = r#"exec python3 -c '
import os, time
for number in range(2000):
    try:
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
    except OSError:
        time.sleep(0.01)
time.sleep(600)
'"#;
    let (_life, inbox) = alone(line, limits);
    let News::Overused(how) = inbox.recv_timeout(PATIENCE)?.news else {
        return Err("it was not ended".into());
    };
    let words = how.strip_prefix("it had ").ok_or(how.clone())?;
    let count: u64 = words.split(' ').next().unwrap_or_default().parse()?;
    // The first process of the namespace is not in the group.
    assert!((101..=201).contains(&count), "{how}");
    Ok(())
}

fn addresses(isolation: Isolation) -> Result<(), Failed> {
    let mut fleet = fleet_of(isolation, &["n1", "n2"]);
    let addresses = ["n1", "n2"].map(|name| fleet.address(name).expect("an address"));
    assert_ne!(addresses[0].ip(), addresses[1].ip());
    let is_loopback = isolation == Isolation::Loopback;
    assert!(
        addresses
            .iter()
            .all(|it| it.ip().is_loopback() == is_loopback)
    );
    eventually("a connection", || dial(&mut fleet, "n1", "n2", 5.0));
    assert!(ping(&mut fleet, "n1", 60.0));
    fleet.crash("n2");
    assert_eq!(fleet.start("n2")?, Some(addresses[1]));
    eventually("a new connection", || dial(&mut fleet, "n1", "n2", 5.0));
    assert!(matches!(fleet.hold(), Err(Trouble::Unsupported(_))));
    Ok(())
}

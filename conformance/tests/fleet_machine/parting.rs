//! Nodes are parted, and lose what they say, whichever way the machine does it.

use libtest_mimic::Failed;
use peerproof::fleet::{Isolation, Trouble, Weather};

use crate::node::{dial, eventually, fleet_of, ping};

pub(crate) fn partition(isolation: Isolation) -> Result<(), Failed> {
    let mut fleet = fleet_of(isolation, &["n1", "n2", "n3"]);
    eventually("a connection", || dial(&mut fleet, "n1", "n2", 5.0));
    eventually("another one", || dial(&mut fleet, "n2", "n3", 5.0));
    eventually("a third one", || dial(&mut fleet, "n3", "n1", 5.0));
    assert!(ping(&mut fleet, "n1", 60.0) && ping(&mut fleet, "n2", 60.0));
    let sides = [
        vec!["n1".to_owned(), "n3".to_owned()],
        vec!["n2".to_owned()],
    ];
    fleet.partition(&sides)?;
    // What stands in either direction carries nothing, and nothing new comes about.
    assert!(!ping(&mut fleet, "n1", 0.5));
    assert!(!ping(&mut fleet, "n2", 0.5));
    assert!(!dial(&mut fleet, "n1", "n2", 0.5));
    assert!(!dial(&mut fleet, "n2", "n1", 0.5));
    // Within a side all is well.
    assert!(ping(&mut fleet, "n3", 60.0));
    // A node that comes back meanwhile is on its side, too.
    fleet.crash("n2");
    fleet.start("n2")?;
    assert!(!dial(&mut fleet, "n2", "n1", 0.5));
    fleet.heal()?;
    eventually("a connection afterwards", || {
        dial(&mut fleet, "n2", "n1", 5.0)
    });
    assert!(ping(&mut fleet, "n2", 60.0));
    Ok(())
}

pub(crate) fn losses(isolation: Isolation) -> Result<(), Failed> {
    let mut fleet = fleet_of(isolation, &["n1", "n2"]);
    eventually("a connection", || dial(&mut fleet, "n1", "n2", 5.0));
    let all = Weather {
        loss: 1.0,
        ..Weather::default()
    };
    fleet.set_weather(all)?;
    assert!(!ping(&mut fleet, "n1", 0.5));
    fleet.set_weather(Weather::default())?;
    eventually("a new connection", || dial(&mut fleet, "n1", "n2", 5.0));
    assert!(ping(&mut fleet, "n1", 60.0));
    let doubled = Weather {
        duplicates: 0.5,
        ..Weather::default()
    };
    assert!(matches!(
        fleet.set_weather(doubled),
        Err(Trouble::Unsupported(_))
    ));
    Ok(())
}

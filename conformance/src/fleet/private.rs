//! A private network: nodes that talk over sockets live in a network namespace each, and reach nothing but one another.
//!
//! ```text
//! node n1              hub                 node n2
//! eth0 10.77.1.1 ----- v0  bridge  v1 ----- eth0 10.77.1.2
//! ```
//!
//! The hub is a namespace, too: it has no address, and no way out. What is cut is cut at its bridge, outside of the
//! nodes' namespaces, and every packet passes once.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::parting::{Cuts, Walls, feed, nft, without};
use crate::control::Place;
use crate::control::namespace::{Namespace, within};

/// The network's first two bytes. It is there within the namespaces only.
const NETWORK: [u8; 2] = [10, 77];

/// Where nodes listen: each has an address for itself.
const PORT: u16 = 7000;

/// The last bytes of addresses, without those that some programs take for special: 1 to 254.
const LAST: u16 = 254;

/// How long a link may take until it carries packets.
const MOST_WAIT: Duration = Duration::from_secs(10);

/// Between two looks at it.
const REST: Duration = Duration::from_millis(2);

/// Where the rules are.
const TABLE: &str = "bridge peerproof";

/// What nodes send. Who has which address goes on being told: a cut is silence, not an error of the sender's system.
const PACKETS: &str = "meta protocol != arp";

/// The private network of one fleet. It goes with this value, and with the kit.
#[derive(Debug)]
pub(super) struct Private {
    hub: Namespace,
    rooms: BTreeMap<String, Room>,
}

/// Where one node lives, also after it has ended: it may come back.
#[derive(Debug)]
struct Room {
    /// What its address and its port at the bridge are made of.
    number: u16,
    namespace: Arc<Namespace>,
}

impl Room {
    fn ip(&self) -> Ipv4Addr {
        ip_of(self.number)
    }

    /// Its port at the bridge.
    fn port(&self) -> String {
        format!("v{}", self.number)
    }
}

fn ip_of(number: u16) -> Ipv4Addr {
    let [network, subnet] = NETWORK;
    // There are no more rooms than fit.
    let byte = |number: u16| u8::try_from(number + 1).unwrap_or(u8::MAX);
    Ipv4Addr::new(network, subnet, byte(number / LAST), byte(number % LAST))
}

impl Private {
    /// A network without nodes.
    ///
    /// # Errors
    /// Those of [`Private::works`].
    pub(super) fn new() -> Result<Self, String> {
        Self::works()?;
        Self::bare()
    }

    /// Whether this machine can do it; it is tried once.
    ///
    /// # Errors
    /// Why not, and what to do, in one sentence.
    pub(super) fn works() -> Result<(), String> {
        static WORKS: OnceLock<Result<(), String>> = OnceLock::new();
        let works = WORKS.get_or_init(|| {
            if !cfg!(target_os = "linux") {
                return Err("only Linux has network namespaces".to_owned());
            }
            let missing = missing();
            if !missing.is_empty() {
                return Err(format!("network namespaces need {}", missing.join(" and ")));
            }
            let private = Self::bare()?;
            private.new_room()?;
            // A rule of the kind that will be needed.
            private.enforce(&Cuts::trial())
        });
        works.clone()
    }

    fn bare() -> Result<Self, String> {
        let hub = Namespace::new().map_err(|error| format!("no network namespace: {error}"))?;
        ip(&hub, "link add bridge up type bridge\n")?;
        let rooms = BTreeMap::new();
        Ok(Self { hub, rooms })
    }

    fn new_room(&self) -> Result<Room, String> {
        let number = u16::try_from(self.rooms.len()).unwrap_or(u16::MAX);
        if number >= LAST * LAST {
            return Err("the private network is full".to_owned());
        }
        let namespace = Namespace::new().map_err(|error| format!("no namespace: {error}"))?;
        let room = Room {
            number,
            namespace: Arc::new(namespace),
        };
        let (port, place, address) = (room.port(), room.namespace.path(), room.ip());
        let place = place.display();
        ip(
            &self.hub,
            &format!("link add {port} up master bridge type veth peer name eth0 netns {place}\n"),
        )?;
        let set_up = format!("link set lo up\naddr add {address}/16 dev eth0\nlink set eth0 up\n");
        // Until then packets are lost, and who answers late counts as dead.
        until(&room.namespace, &set_up, "eth0", " state UP ")?;
        until(&self.hub, "", &port, " state forwarding ")?;
        Ok(room)
    }

    fn rules(&self, cuts: &Cuts) -> String {
        let mut rules = String::new();
        let ports = || {
            let rooms = self.rooms.iter();
            rooms.map(|(name, room)| (name, format!("\"{}\"", room.port())))
        };
        for (name, port) in ports() {
            if let Some(beyond) = cuts.beyond(name, ports()) {
                rules += &format!("    iifname {port} oifname {beyond} {PACKETS} drop\n");
            }
        }
        if let Some(chance) = cuts.chance() {
            rules += &format!("    {PACKETS} {chance}drop\n");
        }
        let clear = without(TABLE);
        format!(
            "{clear}table {TABLE} {{\n  chain between {{\n    \
             type filter hook forward priority 0; policy accept;\n{rules}  }}\n}}\n"
        )
    }
}

/// Has `ip` do this; what it shows, with all details.
fn ip(namespace: &Namespace, commands: &str) -> Result<String, String> {
    let run = || feed("ip", &["-details", "-batch", "-"], commands);
    within(Some(namespace), run)
        .map_err(|error| format!("the namespace cannot be entered: {error}"))?
}

/// Has `ip` do this, and waits until it shows these words of a link: links come up behind the back of whoever sets
/// them up.
fn until(namespace: &Namespace, set_up: &str, link: &str, words: &str) -> Result<(), String> {
    let show = format!("link show dev {link}\n");
    let deadline = Instant::now() + MOST_WAIT;
    let mut shown = ip(namespace, &(set_up.to_owned() + &show))?;
    while !shown.contains(words) {
        if Instant::now() > deadline {
            return Err(format!("the link {link} does not come up"));
        }
        std::thread::sleep(REST);
        shown = ip(namespace, &show)?;
    }
    Ok(())
}

/// Everything that is missing here, and what to do about it.
fn missing() -> Vec<&'static str> {
    let runs = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command
            .arg(argument)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let needed = [
        (nix::unistd::geteuid().is_root(), "root (use sudo)"),
        (runs("ip", "-V"), "the program `ip` (install iproute2)"),
        (
            runs("nft", "--version"),
            "the program `nft` (install nftables)",
        ),
    ];
    let missing = needed.into_iter().filter(|(is_there, _)| !is_there);
    missing.map(|(_, what)| what).collect()
}

impl Walls for Private {
    fn admit(&mut self, place: &mut Place) -> Result<(), String> {
        let name = &place.name;
        if !self.rooms.contains_key(name) {
            let room = self.new_room()?;
            self.rooms.insert(name.clone(), room);
        }
        let room = self.rooms.get(name).ok_or("no room")?;
        place.address = Some((room.ip(), PORT).into());
        place.namespace = Some(Arc::clone(&room.namespace));
        Ok(())
    }

    fn enforce(&self, cuts: &Cuts) -> Result<(), String> {
        let commands = match cuts.are_none() {
            true => without(TABLE),
            false => self.rules(cuts),
        };
        within(Some(&self.hub), || nft(&commands))
            .map_err(|error| format!("the hub cannot be entered: {error}"))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_has_an_address_of_its_own_that_looks_like_one() {
        assert_eq!(ip_of(0), Ipv4Addr::new(10, 77, 1, 1));
        assert_eq!(ip_of(LAST), Ipv4Addr::new(10, 77, 2, 1));
        assert_eq!(ip_of(LAST * LAST - 1), Ipv4Addr::new(10, 77, 254, 254));
    }
}

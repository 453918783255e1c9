//! Walls between nodes that talk over loopback addresses: by control groups, as root, on Linux.
//!
//! A node's own address does not tell its packets: whoever connects without binding first comes from 127.0.0.1.
//! So every node lives in a control group of its own, and the rules ask which group the socket at hand belongs to.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::parting::{Cuts, Walls, nft, without};
use crate::control::Place;
use crate::interrupt;

/// Where nft looks for control groups.
const GROUPS: &str = "/sys/fs/cgroup";

/// How long the system has to empty the group of a node that has ended.
const BURIAL: Duration = Duration::from_secs(3);

/// Between two looks at a group.
const REST: Duration = Duration::from_millis(10);

/// The rules of one fleet. Dropping it takes them away; so does an interrupt.
#[derive(Debug)]
pub(super) struct Firewall {
    table: String,
    /// The directory of the fleet's control groups.
    groups: PathBuf,
    members: BTreeMap<String, SocketAddr>,
    _undo: interrupt::Registration,
}

impl Firewall {
    /// Rules that forbid nothing yet.
    ///
    /// # Errors
    /// This machine cannot do it: why, in one sentence.
    pub(super) fn new() -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !nix::unistd::geteuid().is_root() {
            return Err("only root can part nodes that talk over sockets".to_owned());
        }
        let mount = mount(&fs::read_to_string("/proc/mounts").unwrap_or_default())?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("peerproof-{}-{number}", std::process::id());
        let table = format!("inet {}", name.replace('-', "_"));
        let groups = mount.join(&name);
        let undo = {
            let (table, groups) = (table.clone(), groups.clone());
            interrupt::on_interrupt(move || take_away(&table, &groups))
        };
        fs::create_dir(&groups)
            .map_err(|error| format!("no control group at {}: {error}", groups.display()))?;
        let firewall = Self {
            table,
            groups,
            members: BTreeMap::new(),
            _undo: undo,
        };
        // A rule of the kind that will be needed, so that what is missing shows now.
        let chance = Cuts::trial().chance();
        let trial = firewall.rules_for(&[(&firewall.groups, None)], chance.as_deref(), 1);
        nft(&trial).and_then(|()| firewall.enforce(&Cuts::default()))?;
        Ok(firewall)
    }

    /// One transaction: the rules that were there go, these come. Groups are `level` steps below the topmost.
    fn rules_for(
        &self,
        groups: &[(&Path, Option<String>)],
        chance: Option<&str>,
        level: usize,
    ) -> String {
        let table = &self.table;
        let (mut out, mut into) = (String::new(), String::new());
        for (group, beyond) in groups {
            let group = group.strip_prefix(GROUPS).unwrap_or(group).display();
            let socket = format!("    socket cgroupv2 level {level} \"{group}\" ");
            if let Some(beyond) = beyond {
                out += &format!("{socket}ip daddr {beyond} drop\n");
                into += &format!("{socket}ip saddr {beyond} drop\n");
            }
            if let Some(chance) = chance {
                into += &format!("{socket}ip daddr 127.0.0.0/8 {chance}drop\n");
            }
        }
        let clear = without(table);
        format!(
            "{clear}table {table} {{\n  \
             chain out {{\n    type filter hook output priority 0; policy accept;\n{out}  }}\n  \
             chain into {{\n    type filter hook input priority 0; policy accept;\n{into}  }}\n}}\n"
        )
    }
}

impl Walls for Firewall {
    /// Gives the node the control group in which it is to be started.
    fn admit(&mut self, place: &mut Place) -> Result<(), String> {
        let name = &place.name;
        let address = place.address.ok_or("a node without an address")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !name.bytes().all(is_plain) {
            return Err(format!("no name for a control group: `{name}`"));
        }
        let group = self.groups.join(name);
        match fs::create_dir(&group) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(format!("no control group for {name}: {error}"));
            }
            _ => {}
        }
        self.members.insert(name.clone(), address);
        place.group = Some(group);
        Ok(())
    }

    fn enforce(&self, cuts: &Cuts) -> Result<(), String> {
        if cuts.are_none() {
            return nft(&without(&self.table));
        }
        let members = || self.members.iter().map(|(name, it)| (name, it.ip()));
        let groups: Vec<(PathBuf, Option<String>)> = members()
            .map(|(name, _)| (self.groups.join(name), cuts.beyond(name, members())))
            .collect();
        let groups: Vec<(&Path, Option<String>)> = groups
            .iter()
            .map(|(group, beyond)| (group.as_path(), beyond.clone()))
            .collect();
        nft(&self.rules_for(&groups, cuts.chance().as_deref(), 2))
    }
}

impl Drop for Firewall {
    fn drop(&mut self) {
        take_away(&self.table, &self.groups);
    }
}

/// Where the second version of control groups is mounted, whole: rules count steps from the topmost group.
fn mount(mounts: &str) -> Result<PathBuf, String> {
    let mut lines = mounts
        .lines()
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let found = lines.find_map(|fields| match fields[..] {
        [_, place, "cgroup2", ..] if Path::new(place).starts_with(GROUPS) => Some(place.to_owned()),
        _ => None,
    });
    let place = PathBuf::from(found.ok_or("control groups of version 2 are not mounted here")?);
    let is_top = fs::metadata(&place).is_ok_and(|it| it.ino() == 1);
    if is_top {
        Ok(place)
    } else {
        Err("the topmost control group is not visible here".to_owned())
    }
}

/// Rules and groups go. Groups that are not empty after a while stay.
fn take_away(table: &str, groups: &Path) {
    let _ = nft(&without(table));
    let deadline = Instant::now() + BURIAL;
    for entry in fs::read_dir(groups).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            while fs::remove_dir(entry.path()).is_err() && Instant::now() < deadline {
                std::thread::sleep(REST);
            }
        }
    }
    let _ = fs::remove_dir(groups);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_ask_for_the_group_of_the_socket() {
        let firewall = Firewall {
            table: "inet t".to_owned(),
            groups: PathBuf::from("/sys/fs/cgroup/unified/peerproof-1"),
            members: BTreeMap::new(),
            _undo: interrupt::on_interrupt(|| {}),
        };
        let group = firewall.groups.join("n3");
        let beyond = Some("{ 127.0.9.1, 127.0.9.2 }".to_owned());
        let rules = firewall.rules_for(&[(&group, beyond)], Some("by chance "), 2);
        let socket = "socket cgroupv2 level 2 \"unified/peerproof-1/n3\"";
        for rule in [
            format!("{socket} ip daddr {{ 127.0.9.1, 127.0.9.2 }} drop"),
            format!("{socket} ip saddr {{ 127.0.9.1, 127.0.9.2 }} drop"),
            format!("{socket} ip daddr 127.0.0.0/8 by chance drop"),
        ] {
            assert_eq!(rules.matches(&rule).count(), 1, "{rule} in {rules}");
        }
        // Nothing of this was ever made on the machine.
        std::mem::forget(firewall);
    }

    #[test]
    fn a_machine_without_control_groups_says_so() {
        let old =
            "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n";
        assert!(mount(old).is_err_and(|why| why.contains("version 2")));
    }
}

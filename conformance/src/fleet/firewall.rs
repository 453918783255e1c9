//! Partitions and losses between nodes that talk over sockets: by nftables, as root, on Linux.
//!
//! A node's own address does not tell its packets: whoever connects without binding first comes from 127.0.0.1.
//! So every node lives in a control group of its own, and the rules ask which group the socket at hand belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::interrupt;

/// Where nft looks for control groups.
const GROUPS: &str = "/sys/fs/cgroup";

/// How long the system has to empty the group of a node that has ended.
const BURIAL: Duration = Duration::from_secs(3);

/// Between two looks at a group.
const REST: Duration = Duration::from_millis(10);

/// Chances are counted in parts of this.
const WHOLE: f64 = 10_000.0;

/// The rules of one fleet. Dropping it takes them away; so does an interrupt.
#[derive(Debug)]
pub(super) struct Firewall {
    table: String,
    /// The directory of the fleet's control groups.
    groups: PathBuf,
    members: BTreeMap<String, SocketAddr>,
    sides: BTreeMap<String, usize>,
    loss: f64,
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
        let table = name.replace('-', "_");
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
            sides: BTreeMap::new(),
            loss: 0.0,
            _undo: undo,
        };
        // A rule of the kind that will be needed, so that what is missing shows now.
        let trial = firewall.rules_for(&[(&firewall.groups, BTreeSet::new())], 1.0 / WHOLE, 1);
        nft(&trial).and_then(|()| firewall.clear())?;
        Ok(firewall)
    }

    /// The control group in which a node is to be started.
    pub(super) fn group_for(&mut self, name: &str, address: SocketAddr) -> Result<PathBuf, String> {
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
        self.members.insert(name.to_owned(), address);
        self.apply()?;
        Ok(group)
    }

    /// From now on nodes of different sides do not reach each other. Nodes on no side reach everybody.
    pub(super) fn partition(&mut self, sides: &[Vec<String>]) -> Result<(), String> {
        let sides = sides.iter().enumerate();
        let members =
            sides.flat_map(|(side, names)| names.iter().map(move |it| (it.clone(), side)));
        self.sides = members.collect();
        self.apply()
    }

    /// From now on they do.
    pub(super) fn heal(&mut self) -> Result<(), String> {
        self.sides.clear();
        self.apply()
    }

    /// From now on this part of all packets between nodes is lost.
    pub(super) fn lose(&mut self, part: f64) -> Result<(), String> {
        self.loss = part.clamp(0.0, 1.0);
        self.apply()
    }

    fn apply(&self) -> Result<(), String> {
        if self.sides.is_empty() && self.loss == 0.0 {
            return self.clear();
        }
        let groups: Vec<(PathBuf, BTreeSet<String>)> = self
            .members
            .keys()
            .map(|name| (self.groups.join(name), self.beyond(name)))
            .collect();
        let groups: Vec<(&PathBuf, BTreeSet<String>)> = groups
            .iter()
            .map(|(group, beyond)| (group, beyond.clone()))
            .collect();
        nft(&self.rules_for(&groups, self.loss, 2))
    }

    /// The addresses on other sides than this node's.
    fn beyond(&self, name: &str) -> BTreeSet<String> {
        let Some(own) = self.sides.get(name) else {
            return BTreeSet::new();
        };
        let others = self.members.iter().filter(|(other, _)| {
            let side = self.sides.get(*other);
            side.is_some_and(|side| side != own)
        });
        others
            .map(|(_, address)| address.ip().to_string())
            .collect()
    }

    /// One transaction: the rules that were there go, these come. Groups are `level` steps below the topmost.
    fn rules_for(
        &self,
        groups: &[(&PathBuf, BTreeSet<String>)],
        loss: f64,
        level: usize,
    ) -> String {
        let table = &self.table;
        let chance = (loss * WHOLE).round();
        let (mut out, mut into) = (String::new(), String::new());
        for (group, beyond) in groups {
            let group = group.strip_prefix(GROUPS).unwrap_or(group).display();
            let socket = format!("    socket cgroupv2 level {level} \"{group}\" ");
            if !beyond.is_empty() {
                let beyond = beyond
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ");
                out += &format!("{socket}ip daddr {{ {beyond} }} drop\n");
                into += &format!("{socket}ip saddr {{ {beyond} }} drop\n");
            }
            let any = match chance {
                none if none <= 0.0 => continue,
                some if some < WHOLE => format!("numgen random mod {WHOLE} < {some} "),
                _ => String::new(),
            };
            into += &format!("{socket}ip daddr 127.0.0.0/8 {any}drop\n");
        }
        format!(
            "add table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n  \
             chain out {{\n    type filter hook output priority 0; policy accept;\n{out}  }}\n  \
             chain into {{\n    type filter hook input priority 0; policy accept;\n{into}  }}\n}}\n"
        )
    }

    fn clear(&self) -> Result<(), String> {
        let table = &self.table;
        nft(&format!(
            "add table inet {table}\ndelete table inet {table}\n"
        ))
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

/// Gives nft these commands, all or none of which take effect.
fn nft(commands: &str) -> Result<(), String> {
    let missing = |error: std::io::Error| format!("nft cannot be run: {error}");
    let mut child = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(commands.as_bytes()).map_err(missing)?;
    }
    let output = child.wait_with_output().map_err(missing)?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let first = words.lines().next().unwrap_or("it does not say why");
    Err(format!("nft refuses: {first}"))
}

/// Rules and groups go. Groups that are not empty after a while stay.
fn take_away(table: &str, groups: &Path) {
    let _ = nft(&format!(
        "add table inet {table}\ndelete table inet {table}\n"
    ));
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

    fn firewall() -> Firewall {
        let address = |last: u8| SocketAddr::from(([127, 0, 9, last], 7000));
        let members = ["n1", "n2", "n3", "n4"].into_iter().zip(1..);
        Firewall {
            table: "t".to_owned(),
            groups: PathBuf::from("/sys/fs/cgroup/unified/peerproof-1"),
            members: members
                .map(|(name, last)| (name.to_owned(), address(last)))
                .collect(),
            sides: BTreeMap::from(
                [("n1", 0), ("n2", 0), ("n3", 1)].map(|(it, side)| (it.to_owned(), side)),
            ),
            loss: 0.0,
            _undo: interrupt::on_interrupt(|| {}),
        }
    }

    #[test]
    fn a_node_is_cut_from_the_addresses_of_other_sides() {
        let firewall = firewall();
        assert_eq!(
            firewall.beyond("n1"),
            BTreeSet::from(["127.0.9.3".to_owned()])
        );
        let both = ["127.0.9.1", "127.0.9.2"].map(str::to_owned);
        assert_eq!(firewall.beyond("n3"), BTreeSet::from(both));
        assert_eq!(firewall.beyond("n4"), BTreeSet::new());
        let group = firewall.groups.join("n3");
        let rules = firewall.rules_for(&[(&group, firewall.beyond("n3"))], 0.05, 2);
        let socket = "socket cgroupv2 level 2 \"unified/peerproof-1/n3\"";
        for rule in [
            format!("{socket} ip daddr {{ 127.0.9.1, 127.0.9.2 }} drop"),
            format!("{socket} ip saddr {{ 127.0.9.1, 127.0.9.2 }} drop"),
            format!("{socket} ip daddr 127.0.0.0/8 numgen random mod 10000 < 500 drop"),
        ] {
            assert_eq!(rules.matches(&rule).count(), 1, "{rule} in {rules}");
        }
        let rules = firewall.rules_for(&[(&group, BTreeSet::new())], 1.0, 2);
        assert!(
            rules.contains(&format!("{socket} ip daddr 127.0.0.0/8 drop")),
            "{rules}"
        );
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

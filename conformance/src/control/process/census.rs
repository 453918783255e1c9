//! Which processes there are, and which of them belong to a node. From /proc: elsewhere than on Linux nobody tells.

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

/// A process, as /proc tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) id: i32,
    parent: i32,
    group: i32,
    /// `T` is stopped, `Z` has ended and nobody has asked for its status.
    pub(super) state: char,
    pub(super) threads: u64,
    /// When it began, in the machine's own unit: with the id it names a process for good.
    began: u64,
    /// The processor time that it and its ended children used, in hundredths of a second.
    pub(super) hundredths: u64,
    /// The memory it holds, in pages.
    pages: u64,
}

/// One process for good: ids are used again.
pub(super) type Name = (i32, u64);

impl Process {
    /// Reads a line of `/proc/<id>/stat`.
    fn parse(line: &str) -> Option<Self> {
        // The second field is the program's name in parentheses; it may hold anything, parentheses too.
        let (id, rest) = line.split_once(" (")?;
        let (_, rest) = rest.rsplit_once(") ")?;
        // From the third field on; proc(5) counts from 1.
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        let number = |at: usize| field(at)?.parse::<i64>().ok();
        let count = |at: usize| number(at).map(|it| u64::try_from(it).unwrap_or(0));
        Some(Self {
            id: id.trim().parse().ok()?,
            state: field(3)?.chars().next()?,
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            hundredths: [14, 15, 16, 17]
                .iter()
                .try_fold(0, |sum, at| Some(sum + count(*at)?))?,
            threads: count(20)?,
            began: count(22)?,
            pages: count(24)?,
        })
    }

    pub(super) fn name(&self) -> Name {
        (self.id, self.began)
    }

    /// Whether it still does something, or could.
    pub(super) fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }

    /// The memory it holds, in bytes; what it shares with others counts in full.
    pub(super) fn memory(&self) -> u64 {
        self.pages * page_size()
    }

    /// The same, with its share alone of what it shares with others. Not for every look: it takes the system longer.
    pub(super) fn share(&self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.id));
        let rollup = rollup.unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kibibytes = line.and_then(kibibytes);
        kibibytes.map_or_else(|| self.memory(), |count| count << 10)
    }
}

/// All processes that this one may see.
pub(super) fn take() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let id: i32 = name.to_str()?.parse().ok()?;
            Process::parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
        })
        .collect()
}

/// Those that belong to the node whose first process is `root`: it, its group, its descendants,
/// and those that were seen to belong to it before, with their descendants.
pub(super) fn members(all: &[Process], root: i32, seen: &BTreeSet<Name>) -> Vec<Process> {
    let belongs = |it: &&Process| it.id == root || it.group == root || seen.contains(&it.name());
    let mut members: Vec<Process> = all.iter().filter(belongs).copied().collect();
    let mut known: BTreeSet<i32> = members.iter().map(|it| it.id).collect();
    let mut at = 0;
    while let Some(parent) = members.get(at).map(|it| it.id) {
        for child in all.iter().filter(|it| it.parent == parent) {
            if known.insert(child.id) {
                members.push(*child);
            }
        }
        at += 1;
    }
    members
}

/// Those that carry `mark` in the environment that they were started with.
pub(super) fn marked(mark: &str) -> Vec<i32> {
    let carries = |process: &Process| {
        let environment = fs::read(format!("/proc/{}/environ", process.id)).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|it| it == mark.as_bytes())
    };
    take()
        .iter()
        .filter(|it| carries(it))
        .map(|it| it.id)
        .collect()
}

/// The number of a line such as `  12 kB`.
fn kibibytes(text: &str) -> Option<u64> {
    text.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// In bytes. 4 KiB where nobody tells.
fn page_size() -> u64 {
    static SIZE: OnceLock<u64> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        let line = maps
            .lines()
            .find_map(|it| it.strip_prefix("KernelPageSize:"));
        line.and_then(kibibytes).unwrap_or(4) << 10
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of a running system, with a name made up to mislead.
    const LINE: &str =
        "4242 (a) b (c) S 17 18 19 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 7 0 9999 1000 250 0";

    fn process(id: i32, parent: i32, group: i32) -> Process {
        let process = Process::parse(LINE).expect("a line");
        Process {
            id,
            parent,
            group,
            ..process
        }
    }

    #[test]
    fn a_line_is_read_by_the_manual() {
        let process = Process::parse(LINE).expect("a line");
        assert_eq!((process.id, process.parent, process.group), (4242, 17, 18));
        assert_eq!(process.state, 'S');
        assert_eq!(process.hundredths, 127);
        assert_eq!(process.threads, 7);
        assert_eq!(process.name(), (4242, 9999));
        assert_eq!(process.pages, 250);
        assert_eq!(Process::parse("4242 (sh) S 1"), None);
        assert_eq!(Process::parse(""), None);
    }

    #[test]
    fn descendants_belong_to_a_node_in_any_group() {
        // 10 started 11, which started 12 in a group of its own; 13 is an orphan of the group; 20 is a stranger.
        let all = [
            process(12, 11, 12),
            process(13, 1, 10),
            process(10, 1, 10),
            process(11, 10, 10),
            process(20, 1, 20),
        ];
        let ids = |seen: &BTreeSet<Name>| {
            let members = members(&all, 10, seen);
            members.iter().map(|it| it.id).collect::<BTreeSet<_>>()
        };
        assert_eq!(ids(&BTreeSet::new()), BTreeSet::from([10, 11, 12, 13]));
        let orphan = BTreeSet::from([all[4].name()]);
        assert!(ids(&orphan).contains(&20));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_there() {
        let own = i32::try_from(std::process::id()).expect("an id");
        let processes = take();
        let process = processes.iter().find(|it| it.id == own).expect("this one");
        assert!(process.lives() && process.memory() > 0 && process.share() > 0);
    }
}

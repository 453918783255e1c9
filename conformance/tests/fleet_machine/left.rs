//! What a run may not leave behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The rules, control groups and namespaces of this process that are still there.
pub(crate) fn behind() -> Vec<String> {
    let tables = std::process::Command::new("nft")
        .args(["list", "tables"])
        .output();
    let tables = tables.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let tables = tables.unwrap_or_default();
    let table = format!("peerproof_{}_", std::process::id());
    let tables = tables
        .lines()
        .filter(|it| it.contains(&table))
        .map(str::to_owned);
    let groups = groups_of(std::process::id());
    let groups = groups.iter().map(|it| it.display().to_string());
    tables.chain(groups).chain(held_by("self")).collect()
}

/// The control groups of nodes that this process has started.
pub(crate) fn groups_of(process: u32) -> Vec<PathBuf> {
    let places = [
        "/sys/fs/cgroup",
        "/sys/fs/cgroup/unified",
        "/sys/fs/cgroup/pids",
    ];
    let entries = places
        .iter()
        .filter_map(|it| std::fs::read_dir(it).ok())
        .flatten()
        .flatten();
    let marks = [
        format!("peerproof-{process}-"),
        format!("peerproof-node-{process}-"),
    ];
    let is_of_it = |path: &PathBuf| {
        let path = path.display().to_string();
        marks.iter().any(|mark| path.contains(mark))
    };
    entries.map(|it| it.path()).filter(is_of_it).collect()
}

/// The network namespaces that a process holds, by open files and by threads in them, besides this machine's.
pub(crate) fn held_by(process: &str) -> BTreeSet<String> {
    let home = Path::new("/proc").join(process);
    let entries = |name: &str| std::fs::read_dir(home.join(name)).into_iter().flatten();
    let files = entries("fd").flatten().map(|it| it.path());
    let threads = entries("task").flatten().map(|it| it.path().join("ns/net"));
    let machine = std::fs::read_link("/proc/self/ns/net").ok();
    files
        .chain(threads)
        .filter_map(|it| std::fs::read_link(it).ok())
        .filter(|it| Some(it) != machine.as_ref())
        .map(|it| it.display().to_string())
        .filter(|it| it.starts_with("net:["))
        .collect()
}

/// The network namespaces that any process holds, besides this machine's.
pub(crate) fn held_by_anybody() -> BTreeSet<String> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.map(|it| it.file_name().to_string_lossy().into_owned());
    let processes = names.filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
    processes.flat_map(|it| held_by(&it)).collect()
}

/// The network devices of this machine, and the namespaces that have a name.
pub(crate) fn links_and_names() -> BTreeSet<String> {
    let places = ["/sys/class/net", "/run/netns"];
    let entries = places
        .iter()
        .filter_map(|it| std::fs::read_dir(it).ok())
        .flatten()
        .flatten();
    entries.map(|it| it.path().display().to_string()).collect()
}

//! The built program as a shell sees it: streams, exit statuses, signals.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn peerproof(args: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"));
    command.args(args).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    peerproof(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn help_and_version_are_no_errors() {
    for (args, says) in [
        (&["--version"][..], env!("CARGO_PKG_VERSION")),
        (&["--help"], "test"),
        (&["help", "test"], "--target"),
        (&["test", "--help"], "--captures"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(text(&output.stdout).contains(says), "{args:?}");
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn no_arguments_at_all_show_the_help_as_a_mistake() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("Usage:"));
}

#[test]
fn a_mistake_is_one_line_on_standard_error() {
    let output = run(&["test", "no-such-suite"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let said = text(&output.stderr);
    assert!(
        said.starts_with("peerproof: no suite is called `no-such-suite`"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn what_is_no_terminal_gets_no_colours() {
    for args in [
        &["list"][..],
        &["--help"],
        &["test", "--help"],
        &["frobnicate"],
    ] {
        let output = run(args);
        assert!(
            !output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b),
            "{args:?}"
        );
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    // The pipe is closed before the program writes: the reading end is dropped at once.
    for args in [&["list"][..], &["--help"], &["vectors", "verify"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = peerproof(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(text(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn vectors_are_verified_exported_and_decoded() {
    let output = run(&["vectors", "verify"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).ends_with(" vectors, 0 disagreements\n"));
    let directory = tempfile::tempdir().unwrap();
    let new = directory.path().join("new");
    let output = run(&["vectors", "export", new.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(new.join(name)).unwrap()).unwrap()
    };
    assert!(read("schema.json")["$schema"].is_string());
    assert_eq!(read("bittorrent/handshake.json")["message"], "handshake");
}

#[test]
fn bytes_are_decoded_to_json_or_refused_with_the_place() {
    // BEP 3: `have` has id 4 and a piece index.
    let output = run(&[
        "vectors",
        "decode",
        "bittorrent/have",
        "00 00 00 05 04 00 00 00 07",
    ]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["piece"], 7, "{value}");
    let output = run(&["vectors", "decode", "bittorrent/have", "0000000604000000"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("this is no bittorrent/have: "));
    for (args, says) in [
        (["bittorrent/hav", "00"], "did you mean `bittorrent/have`"),
        (["bittorrent/have", "0x"], "not in hexadecimal digits"),
    ] {
        let output = peerproof(&["vectors", "decode"])
            .args(args)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(said.contains(says), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_node_command_runs_where_the_user_is_and_at_home_elsewhere() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let node = directory.path().join("my-node");
    let text = format!(
        "#!/bin/sh\npwd -P > where\ntest \"$HOME\" != \"$(pwd -P)\" || exit 9\nexec {} serve bittorrent-leecher --listen 127.0.0.1:$1 --torrent $2\n",
        assert_cmd::cargo::cargo_bin!("peerproof").display()
    );
    std::fs::write(&node, text).unwrap();
    std::fs::set_permissions(&node, std::fs::Permissions::from_mode(0o755)).unwrap();
    let case = "bittorrent-leecher/handshake/names-the-torrent";
    let output = peerproof(&["test", "bittorrent-leecher", "--case", case])
        .args(["--node", "exec ./my-node {port} {torrent}"])
        .current_dir(&directory)
        .output()
        .unwrap();
    let said = text_of(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let where_it_ran = std::fs::read_to_string(directory.path().join("where")).unwrap();
    let expected = directory.path().canonicalize().unwrap();
    assert_eq!(where_it_ran.trim_end(), expected.to_str().unwrap());
}

fn text_of(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

#[test]
fn raw_bytes_come_from_standard_input() {
    use std::io::Write;
    let mut child = peerproof(&["vectors", "decode", "bittorrent/bencode", "--raw"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"d3:cow3:mooe")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["dict"][0]["key"], hex::encode("cow"));
}

#[test]
fn an_interrupted_run_leaves_no_process_and_no_directory() {
    use nix::sys::signal::{Signal, kill, killpg};
    use nix::unistd::Pid;
    for (suite, signal) in [
        ("bittorrent-seeder", Signal::SIGINT),
        ("bittorrent-leecher", Signal::SIGTERM),
        ("bittorrent-tracker", Signal::SIGHUP),
    ] {
        let room = tempfile::tempdir().unwrap();
        let scratch = room.path().join("scratch");
        // The shell leads the group; what it starts would outlive it. Several may start at once, and none may find the
        // file of another half written. The name of the torrent only pleases the leecher suite.
        let node = "echo $$ > part.$$; mv part.$$ group; sleep 600 & wait; : {torrent}";
        let mut child = begun(suite, node, room.path(), &scratch);
        let group = room.path().join("group");
        while !group.exists() {
            assert!(child.try_wait().unwrap().is_none(), "{suite} has ended");
            std::thread::yield_now();
        }
        let group = std::fs::read_to_string(&group).unwrap();
        let group = Pid::from_raw(group.trim().parse().unwrap());
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{suite}");
        assert!(text(&output.stderr).contains("interrupted"), "{suite}");
        // Somebody has to take note of the dead before the group is gone.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while killpg(group, None).is_ok() && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(killpg(group, None).is_err(), "{suite} leaves its node");
        let left: Vec<_> = std::fs::read_dir(&scratch).unwrap().collect();
        assert!(left.is_empty(), "{suite} leaves {left:?}");
    }
}

/// A run that was just begun in `room`; its temporary files lie in `scratch`, which is made.
fn begun(suite: &str, node: &str, room: &Path, scratch: &Path) -> Child {
    std::fs::create_dir(scratch).unwrap();
    peerproof(&["test", suite, "--node", node])
        .current_dir(room)
        .env("TMPDIR", scratch)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Nodes of a ring may live in a namespace of their own, where their numbers are others: they are known by what they run.
#[test]
fn an_interrupted_run_of_a_ring_leaves_no_process_and_no_directory() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let room = tempfile::tempdir().unwrap();
    let scratch = room.path().join("scratch");
    let mark = format!("600.{}", std::process::id());
    let node = format!("sleep {mark} & echo > started; exec cat > /dev/null");
    let mut child = begun("chord", &node, room.path(), &scratch);
    while !(room.path().join("started").exists() && runs(&mark)) {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        std::thread::yield_now();
    }
    kill(
        Pid::from_raw(i32::try_from(child.id()).unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while runs(&mark) && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(!runs(&mark), "a node lives on");
    let left: Vec<_> = std::fs::read_dir(&scratch).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Whether `sleep` with that argument runs anywhere on the machine.
fn runs(argument: &str) -> bool {
    let wanted = format!("sleep\0{argument}\0");
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut lines =
        processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines.any(|line| line == wanted.as_bytes())
}

#[test]
fn a_signal_that_is_ignored_from_the_start_stays_ignored_and_the_others_still_clean_up() {
    use nix::sys::signal::{Signal, kill, killpg};
    use nix::unistd::Pid;
    let room = tempfile::tempdir().unwrap();
    let node = "echo $$ > part.$$; mv part.$$ group; sleep 600 & wait";
    // As `nohup` does, and as shells do for what runs in the background.
    let line = format!(
        "trap '' HUP INT; exec {} test bittorrent-seeder --node '{node}'",
        assert_cmd::cargo::cargo_bin!("peerproof").display()
    );
    let mut child = Command::new("sh")
        .args(["-c", &line])
        .current_dir(&room)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let file = room.path().join("group");
    while !file.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        std::thread::yield_now();
    }
    let group = std::fs::read_to_string(&file).unwrap();
    let group = Pid::from_raw(group.trim().parse().unwrap());
    let program = Pid::from_raw(i32::try_from(child.id()).unwrap());
    for ignored in [Signal::SIGHUP, Signal::SIGINT] {
        kill(program, ignored).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "{ignored} ended it");
        assert!(killpg(group, None).is_ok(), "{ignored} ended the node");
    }
    kill(program, Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while killpg(group, None).is_ok() && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    assert!(killpg(group, None).is_err(), "the node is left");
}

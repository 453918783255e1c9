//! Captures as tshark sees them: a foreign dissector says whether the frames are right.
//!
//! Without tshark every trial shows as ignored, with the reason; with PEERPROOF_REQUIRE_CLIENTS=1 it fails.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof::record::{Channel, Event, Happening, Recording, Transport};
use peerproof::report::capture;

const CASE: &str = "bittorrent-seeder/request/whole-piece";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = vec![
        trial("a download over IPv4", || {
            download("127.0.0.1:40000", "127.0.0.1:51413")
        }),
        trial("a download over IPv6", || {
            download("[::1]:40000", "[::1]:51413")
        }),
        trial("the target's half of a close", half_closed),
        trial("a refused connection", refused),
        trial("datagrams", datagrams),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(name: &str, run: fn() -> Result<(), Failed>) -> Trial {
    let version = Command::new("tshark").arg("--version").output();
    match version {
        Ok(output) if output.status.success() => Trial::test(name, run),
        _ if std::env::var("PEERPROOF_REQUIRE_CLIENTS").is_ok_and(|value| value == "1") => {
            Trial::test(name, || Err("tshark is not installed".into()))
        }
        _ => Trial::test(name, || Ok(()))
            .with_kind("absent: tshark is not installed")
            .with_ignored_flag(true),
    }
}

fn channel(transport: Transport, kit: &str, target: &str) -> Channel {
    Channel {
        name: "peer 1".to_owned(),
        transport,
        kit: kit.parse().unwrap(),
        target: target.parse().unwrap(),
        peer: None,
        opened_by_target: false,
    }
}

fn recording(channel: Channel, happenings: Vec<Happening>) -> Recording {
    let events = happenings.into_iter().zip(0..).map(|(what, at)| Event {
        at: Duration::from_millis(at),
        channel: Some(0),
        what,
        label: String::new(),
        bytes: 0,
    });
    Recording::new(vec![channel], events)
}

fn handshake() -> Vec<u8> {
    // BEP 3: 19, the protocol's name, eight reserved bytes, info-hash, peer id.
    let mut bytes = vec![19];
    bytes.extend(b"BitTorrent protocol");
    bytes.extend([0; 8]);
    bytes.extend([0x59; 20]);
    bytes.extend(b"-PP0100-abcdefghijkl");
    bytes
}

/// What tshark says of each packet: the wanted fields.
fn dissect(capture: &Path, fields: &[&str], more: &[&str]) -> Result<Vec<Vec<String>>, Failed> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(capture);
    for check in ["ip", "tcp", "udp"] {
        command.args(["-o", &format!("{check}.check_checksum:TRUE")]);
    }
    command.args(more).args(["-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = String::from_utf8(output.stdout)?;
    let split = |line: &str| line.split('\t').map(str::to_owned).collect();
    Ok(text.lines().map(split).collect())
}

fn written(recording: &Recording) -> Result<(tempfile::TempDir, std::path::PathBuf), Failed> {
    let directory = tempfile::tempdir()?;
    let path = capture::write_file(directory.path(), CASE, 1, recording)?;
    Ok((directory, path))
}

/// Nothing that Wireshark would mark: no bad checksum, no lost segment, nothing malformed.
fn assert_spotless(capture: &Path) -> Result<(), Failed> {
    let fields = [
        "frame.comment",
        "ip.checksum.status",
        "tcp.checksum.status",
        "udp.checksum.status",
        "tcp.analysis.flags",
        "_ws.malformed",
        "_ws.expert.severity",
    ];
    let packets = dissect(capture, &fields, &[])?;
    assert!(!packets.is_empty());
    for packet in packets {
        let [comment, ip, tcp, udp, analysis, malformed, severity] = packet.as_slice() else {
            return Err(format!("{packet:?}").into());
        };
        assert!(comment.starts_with(CASE), "{packet:?}");
        // 1 says good, and an absent header says nothing.
        for status in [ip, tcp, udp] {
            assert!(status == "1" || status.is_empty(), "{packet:?}");
        }
        assert!(!tcp.is_empty() || !udp.is_empty(), "{packet:?}");
        assert_eq!(
            (analysis.as_str(), malformed.as_str()),
            ("", ""),
            "{packet:?}"
        );
        for severity in severity.split(',').filter(|it| !it.is_empty()) {
            // Notes and chats are below 0x600000, warnings and errors are not.
            assert!(severity.parse::<u32>()? < 0x60_0000, "{packet:?}");
        }
    }
    Ok(())
}

fn download(kit: &str, target: &str) -> Result<(), Failed> {
    let mut piece = vec![0, 0, 0x40, 9, 7, 0, 0, 0, 0, 0, 0, 0, 0];
    piece.extend((0..16_384_u32).map(|at| (at * 7 % 251) as u8));
    let recording = recording(
        channel(Transport::Tcp, kit, target),
        vec![
            Happening::Opened,
            Happening::Sent(handshake()),
            Happening::Received(handshake()),
            Happening::Received(vec![0, 0, 0, 2, 5, 0x80]),
            Happening::Sent(vec![0, 0, 0, 1, 2]),
            Happening::Received(vec![0, 0, 0, 1, 1]),
            Happening::Sent(vec![0, 0, 0, 13, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0]),
            Happening::Received(piece.clone()),
            Happening::Note,
            Happening::ClosedByKit,
            Happening::ClosedByTarget,
        ],
    );
    let (_directory, path) = written(&recording)?;
    assert_spotless(&path)?;
    let packets = dissect(
        &path,
        &["bittorrent.msg.type", "tcp.len"],
        &["-Y", "bittorrent"],
    )?;
    let types: Vec<&str> = packets
        .iter()
        .flat_map(|packet| packet[0].split(','))
        .filter(|it| !it.is_empty())
        .collect();
    // Bitfield, interested, unchoke, request, piece: the heuristic alone finds them, after the handshake.
    assert_eq!(types, ["5", "2", "1", "6", "7"], "{packets:?}");
    assert!(
        packets.len() >= 7,
        "two handshakes, five messages: {packets:?}"
    );
    let blocks = dissect(
        &path,
        &["bittorrent.piece.data"],
        &["-Y", "bittorrent.piece.data"],
    )?;
    assert_eq!(
        blocks.concat().concat().replace(':', ""),
        hex::encode(&piece[13..])
    );
    let longest = dissect(&path, &["tcp.len"], &[])?;
    let longest = longest
        .concat()
        .iter()
        .map(|it| it.parse::<usize>())
        .collect::<Result<Vec<_>, _>>()?;
    assert_eq!(longest.into_iter().max(), Some(capture::SEGMENT));
    // Relative times survive: the request came at six milliseconds.
    let times = dissect(
        &path,
        &["frame.time_epoch"],
        &["-Y", "bittorrent.msg.type == 6"],
    )?;
    assert!(times[0][0].parse::<f64>()? == 0.006, "{times:?}");
    Ok(())
}

fn half_closed() -> Result<(), Failed> {
    let mut channel = channel(Transport::Tcp, "127.0.0.1:8000", "127.0.0.1:50000");
    channel.opened_by_target = true;
    let recording = recording(
        channel,
        vec![
            Happening::Opened,
            Happening::Received(b"GET /announce HTTP/1.0\r\n\r\n".to_vec()),
            Happening::ClosedByTarget,
            Happening::Sent(b"HTTP/1.0 200 OK\r\n\r\nde".to_vec()),
            Happening::ClosedByKit,
        ],
    );
    let (_directory, path) = written(&recording)?;
    assert_spotless(&path)?;
    let flags = dissect(&path, &["tcp.srcport", "tcp.flags"], &[])?;
    let flags: Vec<String> = flags.iter().map(|it| it.join(" ")).collect();
    let expected = [
        // The target opens: SYN, SYN ACK, ACK.
        "50000 0x0002",
        "8000 0x0012",
        "50000 0x0010",
        // It asks, and closes its half.
        "50000 0x0018",
        "8000 0x0010",
        "50000 0x0011",
        "8000 0x0010",
        // The answer, and the other half.
        "8000 0x0018",
        "50000 0x0010",
        "8000 0x0011",
        "50000 0x0010",
    ];
    assert_eq!(flags, expected);
    Ok(())
}

fn refused() -> Result<(), Failed> {
    let recording = recording(
        channel(Transport::Tcp, "127.0.0.1:40000", "127.0.0.1:6881"),
        vec![Happening::ClosedByTarget],
    );
    let (_directory, path) = written(&recording)?;
    let fields = [
        "tcp.srcport",
        "tcp.flags",
        "tcp.checksum.status",
        "tcp.ack_raw",
    ];
    let packets: Vec<String> = dissect(&path, &fields, &[])?
        .iter()
        .map(|it| it.join(" "))
        .collect();
    assert_eq!(packets, ["40000 0x0002 1 0", "6881 0x0014 1 1001"]);
    Ok(())
}

fn datagrams() -> Result<(), Failed> {
    // BEP 5's example of a ping, and its answer.
    let ping = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe";
    let pong = b"d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re";
    for (kit, target) in [
        ("127.0.0.1:40000", "127.0.0.1:6881"),
        ("[::1]:40000", "[::1]:6881"),
    ] {
        let recording = recording(
            channel(Transport::Udp, kit, target),
            vec![
                Happening::Sent(ping.to_vec()),
                Happening::Received(pong.to_vec()),
            ],
        );
        let (_directory, path) = written(&recording)?;
        assert_spotless(&path)?;
        let decode = ["-d", "udp.port==6881,bt-dht"];
        let packets = dissect(
            &path,
            &["udp.dstport", "_ws.col.Protocol", "udp.payload"],
            &decode,
        )?;
        let packets: Vec<String> = packets
            .iter()
            .map(|it| it.join(" ").to_lowercase())
            .collect();
        let (ping, pong) = (hex::encode(ping), hex::encode(pong));
        assert_eq!(
            packets,
            [
                format!("6881 bt-dht {ping}"),
                format!("40000 bt-dht {pong}")
            ]
        );
    }
    Ok(())
}

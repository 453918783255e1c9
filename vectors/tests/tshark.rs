//! tshark, which shares no code with this project, dissects every valid message between peers.
//!
//! Each vector becomes a TCP stream on port 6881: a handshake in both directions, then the message. tshark must find
//! no malformed packet, and must see in each stream a message of the id that the vector has.
//! Where tshark is not installed the test is ignored, and says so; with PEERPROOF_REQUIRE_CLIENTS=1 it fails.

use libtest_mimic::{Arguments, Failed, Trial};
use pcap_file::DataLink;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionBlock;
use peerproof_vectors::{Verdict, load_all};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// A handshake that announces the extension protocol, the fast extension and the DHT.
const HANDSHAKE: &str = "13426974546f7272656e742070726f746f636f6c0000000000100005\
    597b180c1a170a585dfc5e85d834d69013ceda172d5858303030312d6162636465666768696a6b6c";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let required = std::env::var("PEERPROOF_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    let absence = Command::new("tshark")
        .arg("--version")
        .output()
        .err()
        .map(|error| format!("tshark: {error}"));
    let trial = |name: &str, run: fn() -> Result<(), Failed>| match absence.clone() {
        None => Trial::test(name, run),
        Some(reason) if required => Trial::test(name, move || Err(reason.into())),
        Some(reason) => Trial::test(name, || Ok(()))
            .with_kind(format!("absent: {reason}"))
            .with_ignored_flag(true),
    };
    let trials = vec![
        trial(
            "tshark_dissects_every_valid_message_between_peers",
            dissect_all,
        ),
        trial(
            "tshark_takes_no_message_of_the_wrong_length",
            refuse_wrong_length,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A message to be seen by tshark.
struct Message {
    case: String,
    bytes: Vec<u8>,
}

/// Every valid message between peers; payloads of extensions become extended messages. The handshake itself opens
/// every stream, and each valid one is one more stream.
fn messages() -> Result<Vec<Message>, Failed> {
    let mut messages = Vec::new();
    for file in load_all()? {
        let extension = match file.message.as_str() {
            "extension-handshake" => Some(0),
            "ut-metadata" => Some(3),
            "ut-pex" => Some(1),
            "handshake" => None,
            _ if file
                .bytes_are
                .starts_with("one message with its length prefix") =>
            {
                None
            }
            _ => continue,
        };
        for case in file
            .cases
            .iter()
            .filter(|case| case.result == Verdict::Valid)
        {
            let mut bytes = case.raw();
            if let Some(id) = extension {
                let length = u32::try_from(bytes.len() + 2)?;
                bytes = [&length.to_be_bytes()[..], &[0x14, id], &bytes].concat();
            }
            messages.push(Message {
                case: format!("{}/{}", file.message, case.id),
                bytes,
            });
        }
    }
    Ok(messages)
}

fn dissect_all() -> Result<(), Failed> {
    let messages = messages()?;
    let folder = tempfile::tempdir()?;
    let capture = folder.path().join("vectors.pcapng");
    write_capture(&capture, &messages)?;
    let malformed = ["-Y", "_ws.malformed", "-T", "fields", "-e", "frame.comment"];
    let malformed = tshark(&capture, &malformed)?;
    if !malformed.is_empty() {
        return Err(format!("malformed in the eyes of tshark:\n{malformed}").into());
    }
    let ids = last_ids(&capture)?;
    for (stream, message) in messages.iter().enumerate() {
        let seen = ids.get(&stream);
        let expected = shown_id(message).map_or(String::new(), |id| id.to_string());
        if seen != Some(&expected) {
            let case = &message.case;
            return Err(format!("{case}: tshark saw {seen:?}, expected {expected:?}").into());
        }
    }
    Ok(())
}

/// The id that tshark shows: that behind the length prefix.
fn shown_id(message: &Message) -> Option<u8> {
    // Handshakes and keep-alives have no id. Ids that tshark does not know, and extended messages longer than
    // 16384 bytes, it shows as mere data.
    let hidden = message.bytes.first() == Some(&0x13)
        || message.case.starts_with("unknown/")
        || message.case == "ut-metadata/whole-block";
    message.bytes.get(4).copied().filter(|_| !hidden)
}

/// Shows that the other trial would notice: a request of nine bytes lacks its length.
fn refuse_wrong_length() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let capture = folder.path().join("wrong-length.pcapng");
    let bytes = vec![0, 0, 0, 9, 6, 0, 0, 0, 0, 0, 0, 0, 0];
    write_capture(
        &capture,
        &[Message {
            case: "request-without-length".to_owned(),
            bytes,
        }],
    )?;
    match last_ids(&capture)?.get(&0).map(String::as_str) {
        Some("") => Ok(()),
        other => Err(format!("tshark saw {other:?}").into()),
    }
}

/// For each stream the message id in its last packet that tshark takes for BitTorrent; empty if it shows none.
fn last_ids(capture: &Path) -> Result<BTreeMap<usize, String>, Failed> {
    let fields = [
        "-Y",
        "bittorrent",
        "-T",
        "fields",
        "-e",
        "tcp.stream",
        "-e",
        "bittorrent.msg.type",
    ];
    let mut ids = BTreeMap::new();
    for line in tshark(capture, &fields)?.lines() {
        let (stream, id) = line.split_once('\t').ok_or("two fields were asked for")?;
        ids.insert(stream.parse()?, id.to_owned());
    }
    Ok(ids)
}

fn tshark(capture: &Path, arguments: &[&str]) -> Result<String, Failed> {
    let output = Command::new("tshark")
        .arg("-r")
        .arg(capture)
        .args(arguments)
        .output()?;
    if !output.status.success() {
        return Err(format!("tshark failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn write_capture(path: &Path, messages: &[Message]) -> Result<(), Failed> {
    let mut writer = PcapNgWriter::new(File::create(path)?)?;
    writer.write_pcapng_block(InterfaceDescriptionBlock {
        linktype: DataLink::RAW,
        snaplen: 0,
        options: vec![],
    })?;
    let handshake = hex::decode(HANDSHAKE)?;
    let mut at = Duration::ZERO;
    for (stream, message) in messages.iter().enumerate() {
        let port = u16::try_from(20_000 + stream)?;
        for packet in conversation(port, &handshake, &message.bytes)? {
            at += Duration::from_millis(1);
            writer.write_pcapng_block(EnhancedPacketBlock {
                interface_id: 0,
                timestamp: at,
                original_len: u32::try_from(packet.len())?,
                data: packet.into(),
                options: vec![EnhancedPacketOption::Comment(message.case.as_str().into())],
            })?;
        }
    }
    Ok(())
}

const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// A connection from `port` to 6881: handshakes in both directions, then the message.
fn conversation(port: u16, handshake: &[u8], message: &[u8]) -> Result<Vec<Vec<u8>>, Failed> {
    let shaken = 1 + u32::try_from(handshake.len())?;
    let mut packets = vec![
        packet(port, 6881, SYN, 0, 0, &[])?,
        packet(6881, port, SYN | ACK, 0, 1, &[])?,
        packet(port, 6881, ACK, 1, 1, &[])?,
    ];
    if message.first() == Some(&0x13) {
        packets.push(packet(port, 6881, PSH | ACK, 1, 1, message)?);
        return Ok(packets);
    }
    packets.push(packet(port, 6881, PSH | ACK, 1, 1, handshake)?);
    packets.push(packet(6881, port, PSH | ACK, 1, shaken, handshake)?);
    packets.push(packet(port, 6881, PSH | ACK, shaken, shaken, message)?);
    Ok(packets)
}

/// An IPv4 packet on loopback. Checksums stay zero: tshark does not verify them unless asked to.
fn packet(
    from: u16,
    to: u16,
    flags: u8,
    sequence: u32,
    acknowledged: u32,
    data: &[u8],
) -> Result<Vec<u8>, Failed> {
    let length = u16::try_from(40 + data.len())?;
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    packet.extend(from.to_be_bytes());
    packet.extend(to.to_be_bytes());
    packet.extend(sequence.to_be_bytes());
    packet.extend(acknowledged.to_be_bytes());
    packet.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    packet.extend_from_slice(data);
    Ok(packet)
}

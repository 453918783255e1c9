//! Seeders that mean harm: `peerproof test bittorrent-seeder` ends in time, in bounded memory, and says what it saw.
//!
//! The program runs as a process of its own, so that its memory is told from that of the hostile seeder.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::wire::peer::HANDSHAKE_LENGTH;
use serde_json::Value;

/// A hundred cases of a few waits each, eight at a time, with room for a busy machine.
const END: Duration = Duration::from_secs(90);
/// The most memory that the program may ever have.
const MEMORY: usize = 256 << 20;

/// What a hostile seeder does with a connection; its own handshake is the argument.
type Harm = fn(&mut TcpStream, &[u8; HANDSHAKE_LENGTH], &AtomicBool) -> std::io::Result<()>;

/// A hostile seeder; it ends when dropped.
struct Hostile {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hostile {
    fn start(harm: Harm, handshake: [u8; HANDSHAKE_LENGTH]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut served: Vec<JoinHandle<()>> = Vec::new();
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                served.retain(|thread| !thread.is_finished());
                let stop = Arc::clone(&stopped);
                served.push(std::thread::spawn(move || {
                    // The kit may hang up in the middle of it, which is what it is there for.
                    drop(serve(stream, harm, &handshake, &stop));
                }));
            }
            served
                .into_iter()
                .for_each(|thread| thread.join().expect("no panic"));
        });
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }
}

fn serve(
    stream: std::io::Result<TcpStream>,
    harm: Harm,
    handshake: &[u8; HANDSHAKE_LENGTH],
    stop: &AtomicBool,
) -> std::io::Result<()> {
    let mut stream = stream?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    stream.set_write_timeout(Some(Duration::from_millis(500)))?;
    let mut theirs = [0; HANDSHAKE_LENGTH];
    stream.read_exact(&mut theirs)?;
    harm(&mut stream, handshake, stop)
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        let ended = self.thread.take().map(JoinHandle::join);
        let sound = ended.is_some_and(|ended| ended.is_ok());
        assert!(
            sound || std::thread::panicking(),
            "the hostile seeder panicked"
        );
    }
}

/// A torrent that the hostile seeder pretends to serve.
fn torrent(room: &Path) -> (std::path::PathBuf, [u8; HANDSHAKE_LENGTH]) {
    let content = vec![7; 300_000];
    let metainfo = Metainfo::from_content(b"bait", 1 << 15, &content, None).expect("a torrent");
    let file = room.join("bait.torrent");
    std::fs::write(&file, metainfo.encode()).expect("a file");
    let mut handshake = [0; HANDSHAKE_LENGTH];
    handshake[..20].copy_from_slice(b"\x13BitTorrent protocol");
    // Both extensions, so that nothing is left out.
    handshake[25] = 0x10;
    handshake[27] = 0x04;
    handshake[28..48].copy_from_slice(&metainfo.info_hash().0);
    handshake[48..].copy_from_slice(b"-XX0000-hostilehosti");
    (file, handshake)
}

/// Plays the suite against a hostile seeder: it ends in time and in bounded memory, without an error of its own, and
/// no block counts as served. Returns the cases of its report.
fn survives(harm: Harm) -> Vec<Value> {
    let room = tempfile::tempdir().expect("a directory");
    let (file, handshake) = torrent(room.path());
    let began = Instant::now();
    let hostile = Hostile::start(harm, handshake);
    let output = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args([
            "test",
            "bittorrent-seeder",
            "--patience",
            "0.1",
            "--json",
            "-",
        ])
        .args(["--target", &hostile.address.to_string(), "--torrent"])
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(began.elapsed() < END, "{:?}", began.elapsed());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        matches!(output.status.code(), Some(1 | 3)),
        "{}: {said}",
        output.status
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let cases = report["cases"].as_array().unwrap().clone();
    assert!(cases.len() > 35, "{} cases", cases.len());
    for case in &cases {
        assert_ne!(case["verdict"], "error", "{case:#}");
        let served = case["id"].as_str().unwrap().contains("/block/");
        assert!(!served || case["verdict"] != "pass", "{case:#}");
    }
    let memory = highest_memory();
    assert!(memory < MEMORY, "{memory} bytes");
    cases
}

/// The most memory that any of the programs ever had which this process ran until now.
fn highest_memory() -> usize {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    usize::try_from(usage.max_rss()).unwrap() << 10
}

/// The verdict of a case is the expected one, unless the machine was too busy with the other tests to judge.
fn is(cases: &[Value], id: &str, expected: &str) {
    let id = format!("bittorrent-seeder/{id}");
    let case = cases.iter().find(|case| case["id"] == id.as_str());
    let case = case.expect("the case ran");
    let observed = case["observed"].as_str().unwrap();
    let busy =
        case["verdict"] == "inconclusive" && observed.contains("this machine did not run the kit");
    assert!(busy || case["verdict"] == expected, "{case:#}");
}

/// Says it again and again until the kit hangs up.
fn flood(
    stream: &mut TcpStream,
    handshake: &[u8],
    stop: &AtomicBool,
    mut next: impl FnMut(u32) -> Vec<u8>,
) -> std::io::Result<()> {
    stream.write_all(handshake)?;
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let bytes: Vec<u8> = (0..64)
            .flat_map(|_| {
                number += 1;
                next(number)
            })
            .collect();
        stream.write_all(&bytes)?;
    }
    Ok(())
}

fn wait(stop: &AtomicBool) {
    let deadline = Instant::now() + Duration::from_secs(1);
    while !stop.load(Ordering::SeqCst) && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_silent_seeder() {
    let report = survives(|_, _, stop| {
        wait(stop);
        Ok(())
    });
    is(&report, "handshake/answered", "fail");
}

#[test]
fn a_seeder_that_hangs_up() {
    let report = survives(|_, _, _| Ok(()));
    is(&report, "handshake/answered", "fail");
}

#[test]
fn a_seeder_that_falls_silent_behind_its_handshake() {
    let report = survives(|stream, handshake, stop| {
        stream.write_all(handshake)?;
        wait(stop);
        Ok(())
    });
    is(&report, "handshake/answered", "pass");
    is(&report, "bitfield/complete", "fail");
}

#[test]
fn a_seeder_that_drips() {
    survives(|stream, handshake, stop| {
        for byte in handshake.iter().chain(&[0; 4000]) {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            stream.write_all(&[*byte])?;
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(())
    });
}

#[test]
fn a_seeder_that_ends_in_the_middle_of_a_message() {
    survives(|stream, handshake, _| {
        stream.write_all(handshake)?;
        stream.write_all(b"\0\0\0\x03\x05\xff")
    });
}

#[test]
fn a_seeder_that_announces_an_endless_message() {
    let report = survives(|stream, handshake, stop| {
        stream.write_all(handshake)?;
        stream.write_all(b"\xff\xff\xff\xff\x07")?;
        while !stop.load(Ordering::SeqCst) {
            stream.write_all(&[0; 16 << 10])?;
        }
        Ok(())
    });
    is(&report, "bitfield/complete", "inconclusive");
}

#[test]
fn a_seeder_that_floods_with_keep_alives() {
    survives(|stream, handshake, stop| flood(stream, handshake, stop, |_| vec![0; 4]));
}

#[test]
fn a_seeder_that_floods_with_messages_that_are_never_the_same() {
    survives(|stream, handshake, stop| {
        flood(stream, handshake, stop, |number| {
            let mut offer = b"\0\0\0\x05\x11".to_vec();
            offer.extend_from_slice(&number.to_be_bytes());
            offer
        })
    });
}

#[test]
fn a_seeder_that_floods_with_requests_that_are_never_the_same() {
    survives(|stream, handshake, stop| {
        flood(stream, handshake, stop, |number| {
            let mut request = b"\0\0\0\x0d\x06".to_vec();
            request.extend_from_slice(&number.to_be_bytes());
            request.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0x40, 0]);
            request
        })
    });
}

#[test]
fn a_seeder_that_floods_with_blocks_that_nobody_asked_for() {
    let report = survives(|stream, handshake, stop| {
        stream.write_all(handshake)?;
        stream.write_all(b"\0\0\0\x01\x0e\0\0\0\x01\x01")?;
        flood(stream, &[], stop, |number| {
            let mut block = (9_u32 + (1 << 14)).to_be_bytes().to_vec();
            block.push(7);
            block.extend_from_slice(&(number % 10).to_be_bytes());
            block.extend_from_slice(&0_u32.to_be_bytes());
            block.resize(block.len() + (1 << 14), 1);
            block
        })
    });
    is(&report, "block/as-asked", "fail");
}

#[test]
fn a_seeder_that_floods_with_extension_handshakes() {
    survives(|stream, handshake, stop| {
        flood(stream, handshake, stop, |_| {
            let payload = [b"d1:m".as_slice(), &[b'd'; 8000]].concat();
            let mut message = (payload.len() as u32 + 2).to_be_bytes().to_vec();
            message.extend_from_slice(&[20, 0]);
            message.extend_from_slice(&payload);
            message
        })
    });
}

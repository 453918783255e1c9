//! Seeders that mean harm: the suite `bittorrent-seeder` ends in time, in bounded memory, and says what it saw.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use peerproof::case::{CaseInfo, Outcome, Verdict};
use peerproof::record::{KEPT_BYTES, Recording};
use peerproof::run::{Progress, Selection, SuiteReport, run};
use peerproof::suite::bittorrent::seeder::SeederSuite;
use peerproof::suite::{Options, Suite};
use peerproof::target::Target;
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::wire::peer::HANDSHAKE_LENGTH;

/// The kit waits so long for each answer.
const PATIENCE: Duration = Duration::from_millis(100);
/// A hundred cases of a few waits each, eight at a time, with room for a busy machine.
const END: Duration = Duration::from_secs(90);

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

/// As the program does it: what no report shows is forgotten as cases end.
struct Forgetful;

impl Progress for Forgetful {
    fn begins(&self, _: &CaseInfo) {}
    fn ended(&self, case: &CaseInfo, outcome: &mut Outcome) {
        let events = outcome.recording.events.iter();
        let kept: usize = events.map(|event| event.bytes).sum();
        let bound = KEPT_BYTES + outcome.recording.dropped_bytes;
        assert!(kept <= bound, "{}: {kept}", case.id);
        outcome.recording = Recording::default();
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

/// The suite ends in time without an error of its own, and no block counts as served.
fn survives(harm: Harm) -> SuiteReport {
    let room = tempfile::tempdir().expect("a directory");
    let (file, handshake) = torrent(room.path());
    let began = Instant::now();
    let hostile = Hostile::start(harm, handshake);
    let options = Options {
        torrent: Some(file),
        patience: PATIENCE,
        long_patience: PATIENCE * 4,
        ..Options::default()
    };
    let session = SeederSuite.open(&Target::Address(hostile.address), &options);
    let session = session.expect("something answers");
    let report = run(
        &SeederSuite,
        &*session,
        &Selection::default(),
        1,
        &Forgetful,
    );
    assert!(began.elapsed() < END, "{:?}", began.elapsed());
    for (case, outcome) in report.outcomes() {
        let why = &outcome.observed;
        assert_ne!(outcome.verdict, Verdict::Error, "{}: {why}", case.id);
        let served = case.id.contains("/block/");
        assert!(
            !served || outcome.verdict != Verdict::Pass,
            "{}: {why}",
            case.id
        );
    }
    assert!(matches!(report.exit_status(), 1 | 3));
    let memory = highest_memory();
    assert!(memory < 256 << 20, "{memory} bytes");
    report
}

/// The most memory that this process ever had.
fn highest_memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .expect("a number of kB");
    kilobytes.parse::<usize>().expect("a number") << 10
}

/// The verdict of a case is the expected one, unless the machine was too busy with the other tests to judge.
fn is(report: &SuiteReport, id: &str, expected: Verdict) {
    let id = format!("bittorrent-seeder/{id}");
    let found = report.outcomes().find(|(case, _)| case.id == id);
    let (_, outcome) = found.expect("the case ran");
    let busy = outcome.verdict == Verdict::Inconclusive
        && outcome
            .observed
            .contains("this machine did not run the kit");
    assert!(
        busy || outcome.verdict == expected,
        "{id}: {}",
        outcome.observed
    );
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
    is(&report, "handshake/answered", Verdict::Fail);
}

#[test]
fn a_seeder_that_hangs_up() {
    let report = survives(|_, _, _| Ok(()));
    is(&report, "handshake/answered", Verdict::Fail);
}

#[test]
fn a_seeder_that_falls_silent_behind_its_handshake() {
    let report = survives(|stream, handshake, stop| {
        stream.write_all(handshake)?;
        wait(stop);
        Ok(())
    });
    is(&report, "handshake/answered", Verdict::Pass);
    is(&report, "bitfield/complete", Verdict::Fail);
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
    is(&report, "bitfield/complete", Verdict::Inconclusive);
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
    is(&report, "block/as-asked", Verdict::Fail);
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

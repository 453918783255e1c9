//! Trackers that mean harm: the suite `bittorrent-tracker` ends in time, in bounded memory, and says what it saw.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use peerproof::case::{CaseInfo, Level, Outcome, Verdict};
use peerproof::record::{KEPT_BYTES, Recording};
use peerproof::run::{Progress, Selection, SuiteReport, run};
use peerproof::suite::bittorrent::tracker::TrackerSuite;
use peerproof::suite::{OpenError, Options, Suite};
use peerproof::target::Target;

/// The kit waits so long for each answer.
const PATIENCE: Duration = Duration::from_millis(60);
/// A hundred cases of a few answers each, four at a time, with room for a busy machine.
const END: Duration = Duration::from_secs(60);

/// What a hostile tracker does with a connection, once a request came.
type Harm = fn(&mut TcpStream, &AtomicBool) -> std::io::Result<()>;

/// A hostile tracker; it ends when dropped.
struct Hostile {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hostile {
    /// Harms every connection, and answers every datagram with each of `datagrams`.
    fn start(harm: Harm, datagrams: &'static [&'static [u8]]) -> Self {
        let (listener, socket) = (0..32)
            .find_map(|_| {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
                let socket = UdpSocket::bind(listener.local_addr().ok()?).ok()?;
                Some((listener, socket))
            })
            .expect("a port that is free over TCP and UDP");
        let address = listener.local_addr().expect("it is bound");
        let stop = Arc::new(AtomicBool::new(false));
        let (of_tcp, of_udp) = (Arc::clone(&stop), Arc::clone(&stop));
        let tcp = std::thread::spawn(move || {
            let mut served = Vec::new();
            for stream in listener.incoming() {
                if of_tcp.load(Ordering::SeqCst) {
                    break;
                }
                let stop = Arc::clone(&of_tcp);
                served.push(std::thread::spawn(move || drop(serve(stream, harm, &stop))));
            }
            served
                .into_iter()
                .for_each(|thread| thread.join().expect("no panic"));
        });
        socket
            .set_read_timeout(Some(Duration::from_millis(20)))
            .expect("a time-out");
        let udp = std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while !of_udp.load(Ordering::SeqCst) {
                let Ok((_, from)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                for datagram in datagrams {
                    let _ = socket.send_to(datagram, from);
                }
            }
        });
        Self {
            address,
            stop,
            threads: vec![tcp, udp],
        }
    }
}

fn serve(stream: std::io::Result<TcpStream>, harm: Harm, stop: &AtomicBool) -> std::io::Result<()> {
    let mut stream = stream?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    stream.set_write_timeout(Some(Duration::from_millis(500)))?;
    let mut request = [0; 4096];
    if stream.read(&mut request)? > 0 {
        harm(&mut stream, stop)?;
    }
    Ok(())
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        for thread in self.threads.drain(..) {
            assert!(
                thread.join().is_ok() || std::thread::panicking(),
                "the hostile tracker panicked"
            );
        }
    }
}

/// As the program does it: what no report shows is forgotten as cases end.
struct Forgetful;

impl Progress for Forgetful {
    fn begins(&self, _: &CaseInfo) {}
    fn ended(&self, case: &CaseInfo, outcome: &mut Outcome) {
        let kept: usize = outcome
            .recording
            .events
            .iter()
            .map(|event| event.bytes)
            .sum();
        assert!(
            kept <= KEPT_BYTES + outcome.recording.dropped_bytes,
            "{}: {kept}",
            case.id
        );
        outcome.recording = Recording::default();
    }
}

fn judge(hostile: &Hostile) -> SuiteReport {
    let options = Options {
        patience: PATIENCE,
        ..Options::default()
    };
    let session = TrackerSuite.open(&Target::Address(hostile.address), &options);
    let session = session.expect("something answers");
    run(
        &TrackerSuite,
        &*session,
        &Selection::default(),
        1,
        &Forgetful,
    )
}

/// The suite ends in time without an error of its own, and nothing that the tracker must do counts as done.
fn survives(harm: Harm, datagrams: &'static [&'static [u8]]) -> SuiteReport {
    let began = Instant::now();
    let hostile = Hostile::start(harm, datagrams);
    let report = judge(&hostile);
    assert!(began.elapsed() < END, "{:?}", began.elapsed());
    for (case, outcome) in report.outcomes() {
        assert_ne!(
            outcome.verdict,
            Verdict::Error,
            "{}: {}",
            case.id,
            outcome.observed
        );
        let served = case.level == Level::Must && case.id.ends_with("/announce");
        assert!(
            !served || outcome.verdict != Verdict::Pass,
            "{}: {}",
            case.id,
            outcome.observed
        );
    }
    assert!(matches!(report.exit_status(), 1 | 3));
    assert!(highest_memory() < 256 << 20, "{} bytes", highest_memory());
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

fn verdict_of(report: &SuiteReport, id: &str) -> Verdict {
    let id = format!("bittorrent-tracker/{id}");
    let found = report.outcomes().find(|(case, _)| case.id == id);
    found
        .map(|(_, outcome)| outcome.verdict)
        .expect("the case ran")
}

fn wait(stop: &AtomicBool) {
    let deadline = Instant::now() + Duration::from_secs(1);
    while !stop.load(Ordering::SeqCst) && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_silent_tracker() {
    survives(
        |_, stop| {
            wait(stop);
            Ok(())
        },
        &[],
    );
}

#[test]
fn a_tracker_that_hangs_up() {
    survives(|_, _| Ok(()), &[&[]]);
}

#[test]
fn a_tracker_whose_body_never_ends() {
    let report = survives(
        |stream, stop| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nd8:intervali1800e5:peers")?;
            while !stop.load(Ordering::SeqCst) {
                stream.write_all(&[b'9'; 16 << 10])?;
            }
            Ok(())
        },
        &[&[0; 16], &[0xff; 1400]],
    );
    assert_eq!(verdict_of(&report, "http/unknown-torrent"), Verdict::Fail);
}

#[test]
fn a_tracker_whose_head_never_ends() {
    survives(
        |stream, stop| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            while !stop.load(Ordering::SeqCst) {
                stream.write_all(b"X-More: and more\r\n")?;
            }
            Ok(())
        },
        &[],
    );
}

#[test]
fn a_tracker_that_drips() {
    survives(
        |stream, stop| {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\nd8:intervali9e5:peers0:e";
            for byte in answer.iter().cycle() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                stream.write_all(&[*byte])?;
                std::thread::park_timeout(Duration::from_millis(10));
            }
            Ok(())
        },
        &[],
    );
}

#[test]
fn a_tracker_that_ends_too_early() {
    survives(
        |stream, _| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nd8:interval"),
        &[b"\0\0\0\x01\0\0"],
    );
}

#[test]
fn a_tracker_that_talks_nonsense() {
    let report = survives(
        |stream, _| stream.write_all(b"\x13BitTorrent protocol\0\xff\xfe\r\n\r\n"),
        &[
            b"\0\0\0\x07nonsense",
            b"",
            b"\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x01",
        ],
    );
    assert_eq!(verdict_of(&report, "http/unknown-torrent"), Verdict::Fail);
}

#[test]
fn a_tracker_that_redirects_to_itself() {
    let report = survives(
        |stream, _| {
            stream.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: /announce\r\nContent-Length: 0\r\n\r\n",
            )
        },
        &[],
    );
    assert_eq!(verdict_of(&report, "http/announce"), Verdict::Inconclusive);
}

#[test]
fn a_tracker_that_promises_more_than_there_is() {
    survives(
        |stream, _| {
            stream.write_all(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffe\r\nd",
            )
        },
        &[],
    );
    survives(
        |stream, _| {
            let deep = "l".repeat(100_000);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", deep.len());
            stream.write_all((head + &deep).as_bytes())
        },
        &[],
    );
    survives(
        |stream, _| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\nd8:intervali9e5:peers18446744073709551615:e")
        },
        &[],
    );
}

#[test]
fn a_tracker_that_floods_with_datagrams() {
    static FLOOD: [&[u8]; 500] = [b"\0\0\0\x02\xde\xad\xbe\xef and so on and so on"; 500];
    survives(|_, _| Ok(()), &FLOOD);
}

#[test]
fn a_tracker_that_is_not_there() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
    let target = Target::Address(port.expect("a free port"));
    let options = Options {
        patience: PATIENCE,
        ..Options::default()
    };
    let opened = TrackerSuite.open(&target, &options);
    assert!(matches!(opened, Err(OpenError::Unreachable(_))));
}

#[test]
fn a_tracker_that_refuses_the_kits_torrents() {
    let hostile = Hostile::start(
        |stream, _| {
            let body = "d14:failure reason11:not on liste";
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((head + body).as_bytes())
        },
        &[],
    );
    let options = Options {
        patience: PATIENCE,
        ..Options::default()
    };
    match TrackerSuite.open(&Target::Address(hostile.address), &options) {
        Err(OpenError::Usage(why)) => assert!(why.contains("--print-info-hashes"), "{why}"),
        other => panic!("{:?}", other.map(|_| "a session")),
    }
}

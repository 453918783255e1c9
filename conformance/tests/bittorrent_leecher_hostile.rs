//! Leechers that mean harm: `peerproof test bittorrent-leecher` ends in time, in bounded memory, and says what it saw.
//!
//! The kit starts this very file as the leecher, with the name of the harm that it does.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use nix::sys::resource::{UsageWho, getrusage};
use peerproof_model::bittorrent::message::{
    AnnounceEvent, AnnounceRequest, AnnounceResponse, Peers,
};
use peerproof_model::bittorrent::metainfo::Metainfo;
use peerproof_model::bittorrent::wire::tracker_http::{
    decode_announce_response_tolerant, encode_announce,
};
use serde_json::Value;

/// Half a hundred cases of a few waits each, six at a time, with room for a busy machine.
const END: Duration = Duration::from_secs(120);
/// The most memory that the program may ever have.
const MEMORY: usize = 256 << 20;

/// What a hostile leecher does.
type Harm = fn(&Scene);

/// Every harm by its name; everything ends when the kit ends its process.
const HARMS: &[(&str, Harm)] = &[
    ("is-silent", |_| forever()),
    ("is-gone-at-once", |_| {}),
    ("announces-for-ever", |scene| {
        loop {
            drop(scene.announce());
        }
    }),
    ("never-ends-its-announce", |scene| {
        if let Ok(mut tracker) = TcpStream::connect(scene.tracker) {
            while tracker.write_all(&[b'a'; 1 << 10]).is_ok() {}
        }
        forever();
    }),
    ("connects-for-ever", |scene| {
        let peers = scene.announce().unwrap_or_default();
        loop {
            for peer in &peers {
                drop(TcpStream::connect(peer));
            }
        }
    }),
    ("falls-silent-behind-its-handshake", |scene| {
        scene.meet(&|stream| {
            stream.write_all(&scene.handshake)?;
            forever()
        });
    }),
    ("drips", |scene| {
        scene.meet(&|stream| {
            for byte in scene.handshake.iter().chain(&[0; 4_000]) {
                stream.write_all(&[*byte])?;
                std::thread::park_timeout(Duration::from_millis(10));
            }
            Ok(())
        });
    }),
    ("ends-in-the-middle-of-a-message", |scene| {
        scene.meet(&|stream| {
            stream.write_all(&scene.handshake)?;
            stream.write_all(b"\0\0\0\x03\x05\xff")
        });
    }),
    ("announces-an-endless-message", |scene| {
        scene.flood(b"\xff\xff\xff\xff\x07", &[0; 16 << 10]);
    }),
    ("floods-with-keep-alives", |scene| {
        scene.flood(&[], &[0; 4 << 10]);
    }),
    ("floods-with-requests", |scene| {
        let request = b"\0\0\0\x0d\x06\0\0\0\0\0\0\0\0\0\0\x40\0";
        scene.flood(b"\0\0\0\x01\x02", &request.repeat(100));
    }),
    ("floods-with-blocks", |scene| {
        let mut block = (9_u32 + (1 << 14)).to_be_bytes().to_vec();
        block.extend_from_slice(&[7, 0, 0, 0, 0, 0, 0, 0, 0]);
        block.resize(block.len() + (1 << 14), 1);
        scene.flood(&[], &block);
    }),
];

/// What the kit tells the leecher.
struct Scene {
    tracker: SocketAddr,
    request: AnnounceRequest,
    handshake: Vec<u8>,
}

impl Scene {
    fn read(torrent: &Path, port: u16) -> Self {
        let metainfo = Metainfo::parse(&std::fs::read(torrent).unwrap()).unwrap();
        let tracker = metainfo.announce.clone().unwrap();
        let tracker = tracker.trim_start_matches("http://");
        let tracker = tracker.split('/').next().unwrap().parse().unwrap();
        let mut handshake = b"\x13BitTorrent protocol\0\0\0\0\0\x10\0\x04".to_vec();
        handshake.extend_from_slice(&metainfo.info_hash().0);
        handshake.extend_from_slice(b"-XX0000-hostilehosti");
        let request = AnnounceRequest {
            info_hash: metainfo.info_hash(),
            peer_id: peerproof_model::bittorrent::message::PeerId(*b"-XX0000-hostilehosti"),
            port,
            uploaded: 0,
            downloaded: 0,
            left: metainfo.total_len(),
            event: AnnounceEvent::Started,
            ip: None,
            numwant: None,
            key: None,
            compact: Some(true),
            no_peer_id: None,
            trackerid: None,
            other: Vec::new(),
        };
        Self {
            tracker,
            request,
            handshake,
        }
    }

    /// The peers that the kit's tracker names.
    fn announce(&self) -> std::io::Result<Vec<SocketAddrV4>> {
        let mut stream = TcpStream::connect(self.tracker)?;
        let path = encode_announce("/announce", &self.request);
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        let head = reply.windows(4).position(|end| end == b"\r\n\r\n");
        let body = head.map_or(&[][..], |head| &reply[head + 4..]);
        Ok(match decode_announce_response_tolerant(body) {
            Ok((AnnounceResponse::Success(success), _)) => match success.peers {
                Some(Peers::Compact(peers)) => peers,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        })
    }

    /// Does harm to everybody whom the tracker names, and to everybody who calls, again and again.
    fn meet(&self, harm: &(dyn Fn(&mut TcpStream) -> std::io::Result<()> + Sync)) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.request.port));
        let peers = self.announce().unwrap_or_default();
        std::thread::scope(|scope| {
            if let Ok(listener) = listener {
                scope.spawn(move || {
                    for stream in listener.incoming().flatten() {
                        scope.spawn(move || {
                            let mut stream = stream;
                            drop(harm(&mut stream));
                        });
                    }
                });
            }
            for peer in peers {
                scope.spawn(move || {
                    while let Ok(mut stream) = TcpStream::connect(peer) {
                        drop(harm(&mut stream));
                    }
                });
            }
        });
        forever();
    }

    /// Shakes hands, says `first`, and then `again` until the kit hangs up.
    fn flood(&self, first: &[u8], again: &[u8]) {
        self.meet(&|stream| {
            stream.write_all(&self.handshake)?;
            stream.write_all(first)?;
            loop {
                stream.write_all(again)?;
            }
        });
    }
}

fn forever() -> ! {
    loop {
        std::thread::park();
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, "--do", harm, torrent, port] =
        *arguments.iter().map(String::as_str).collect::<Vec<_>>()
    {
        let (_, harm) = HARMS.iter().find(|(name, _)| *name == harm).unwrap();
        harm(&Scene::read(Path::new(torrent), port.parse().unwrap()));
        return ExitCode::SUCCESS;
    }
    let trials = HARMS
        .iter()
        .map(|(name, _)| Trial::test(format!("a leecher that {name}"), || survives(name)));
    let mut arguments = Arguments::from_args();
    // The kit waits for them more than anybody works.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The program ends in time and in bounded memory, without an error of its own, and nothing that only a leecher
/// at work can show counts as passed.
fn survives(harm: &str) -> Result<(), Failed> {
    let began = Instant::now();
    let leecher = std::env::current_exe()?;
    let line = format!(
        "exec '{}' --do {harm} {{torrent}} {{port}}",
        leecher.display()
    );
    let output = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args([
            "test",
            "bittorrent-leecher",
            "--patience",
            "0.1",
            "--json",
            "-",
        ])
        .args(["--node", &line])
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !matches!(output.status.code(), Some(1 | 3)) {
        return Err(format!("{}: {said}", output.status).into());
    }
    if began.elapsed() > END {
        return Err(format!("it took {:?}", began.elapsed()).into());
    }
    let report: Value = serde_json::from_slice(&output.stdout)?;
    let cases = report["cases"].as_array().ok_or("no cases")?;
    if cases.len() < 40 {
        return Err(format!("{} cases", cases.len()).into());
    }
    for case in cases {
        let id = case["id"].as_str().unwrap_or_default();
        let works = ["/seeding/", "/piece/", "/order/"];
        let is_work = works.iter().any(|topic| id.contains(topic));
        if case["verdict"] == "error" || (is_work && case["verdict"] == "pass") {
            return Err(format!("{case:#}").into());
        }
    }
    let memory = usize::try_from(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())? << 10;
    if memory > MEMORY {
        return Err(format!("{memory} bytes").into());
    }
    Ok(())
}

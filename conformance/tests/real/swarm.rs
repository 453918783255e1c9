//! A tracker and one seed inside the test, for a leecher to download from.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::torrent::Torrent;
use crate::wire;

const SEED_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 1, 1);
const SEED_ID: [u8; 20] = *b"-PP0000-the-only-see";

/// The tracker, bound before the torrent is made since its address is part of the metainfo.
pub(crate) struct Tracker {
    listener: TcpListener,
}

impl Tracker {
    /// A tracker on a port of 127.0.0.1.
    pub(crate) fn bind() -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
        })
    }

    /// Its announce URL.
    pub(crate) fn announce(&self) -> io::Result<String> {
        Ok(format!("http://{}/announce", self.listener.local_addr()?))
    }

    /// Serves until the test ends: hands out the seed, and has the seed dial the leecher when `dial` is set.
    ///
    /// Every announce's request line comes out of the receiver; every trouble of the seed goes into the log.
    pub(crate) fn serve(
        self,
        torrent: Arc<Torrent>,
        dial: bool,
    ) -> io::Result<(Receiver<String>, Log)> {
        let seed = TcpListener::bind((SEED_ADDRESS, 0))?;
        let seed_port = seed.local_addr()?.port();
        let (sender, receiver) = channel();
        let log = Log::default();
        let (seed_torrent, seed_log) = (Arc::clone(&torrent), log.clone());
        thread::spawn(move || {
            for stream in seed.incoming().flatten() {
                let (torrent, log) = (Arc::clone(&seed_torrent), seed_log.clone());
                thread::spawn(move || {
                    log.note("dialled by the leecher", serve_peer(stream, &torrent));
                });
            }
        });
        let dialling_log = log.clone();
        thread::spawn(move || {
            for stream in self.listener.incoming().flatten() {
                let Ok(line) = answer_announce(stream, seed_port) else {
                    continue;
                };
                if let (true, Some(port)) = (dial, announced_port(&line)) {
                    let (torrent, log) = (Arc::clone(&torrent), dialling_log.clone());
                    thread::spawn(move || {
                        log.note("dialling the leecher", dial_leecher(port, &torrent));
                    });
                }
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Ok((receiver, log))
    }
}

/// What the seed's connections came to, for the message of a failed test.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: &str, outcome: io::Result<()>) {
        if let (Err(error), Ok(mut lines)) = (outcome, self.0.lock()) {
            lines.push(format!("{what}: {error}"));
        }
    }

    /// The lines so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().map(|lines| lines.clone()).unwrap_or_default()
    }
}

fn answer_announce(stream: TcpStream, seed_port: u16) -> io::Result<String> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut header = String::new();
    while reader.read_line(&mut header)? > 2 {
        header.clear();
    }
    let mut body =
        b"d8:completei1e10:incompletei1e8:intervali2e12:min intervali1e5:peers6:".to_vec();
    body.extend_from_slice(&SEED_ADDRESS.octets());
    body.extend_from_slice(&seed_port.to_be_bytes());
    body.push(b'e');
    let stream = reader.get_mut();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)?;
    Ok(line.trim_end().to_owned())
}

fn announced_port(line: &str) -> Option<u16> {
    let query = line.split(' ').nth(1)?.split_once('?')?.1;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("port="))?
        .parse()
        .ok()
}

fn dial_leecher(port: u16, torrent: &Torrent) -> io::Result<()> {
    let mut stream = wire::connect(SEED_ADDRESS, SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(&wire::handshake(torrent.info_hash, SEED_ID))?;
    wire::read_handshake(&mut stream, torrent.info_hash)?;
    serve_blocks(&mut stream, torrent)
}

/// A client that opens with an encrypted handshake, as aria2 does, is hung up on, and comes again in plaintext.
fn serve_peer(mut stream: TcpStream, torrent: &Torrent) -> io::Result<()> {
    wire::read_handshake(&mut stream, torrent.info_hash)?;
    stream.write_all(&wire::handshake(torrent.info_hash, SEED_ID))?;
    serve_blocks(&mut stream, torrent)
}

fn serve_blocks(stream: &mut TcpStream, torrent: &Torrent) -> io::Result<()> {
    stream.set_read_timeout(None)?;
    let mut bits = vec![0_u8; torrent.pieces().div_ceil(8)];
    for piece in 0..torrent.pieces() {
        bits[piece / 8] |= 0x80 >> (piece % 8);
    }
    stream.write_all(&wire::message(5, &bits))?;
    stream.write_all(&wire::message(1, &[]))?;
    loop {
        let (id, payload) = wire::read_message(stream)?;
        if id != 6 {
            continue;
        }
        let word = |at: usize| -> Option<usize> {
            let bytes = payload.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        };
        let asked = word(0).zip(word(4)).zip(word(8));
        let Some(block) =
            asked.and_then(|((piece, begin), length)| torrent.block(piece, begin, length))
        else {
            return Err(io::Error::other(format!(
                "a request that the torrent cannot answer: {payload:02x?}"
            )));
        };
        stream.write_all(&wire::message(7, &[&payload[..8], block].concat()))?;
    }
}

//! The least that each client must do before the suites may judge it.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use crate::clients::{Software, free_port, opentracker};
use crate::process::eventually;
use crate::swarm::Tracker;
use crate::torrent::Torrent;
use crate::{trial, wire};

const PIECE: usize = 32 * 1024;
const BLOCK: usize = 16 * 1024;
/// transmission looks at interest and choking every 10 s only.
const UNCHOKE: Duration = Duration::from_secs(25);
const DOWNLOAD: Duration = Duration::from_secs(60);
/// ctorrent takes 12 s to leave.
const LEAVE: Duration = Duration::from_secs(30);
const OWN_ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);

/// One trial for every client and role.
pub(crate) fn trials() -> Vec<Trial> {
    let seeders = Software::SEEDERS
        .map(|software| trial(software, "serves-a-block", move || serves_a_block(software)));
    let leechers = Software::LEECHERS.map(|software| {
        trial(software, "completes-a-download", move || {
            completes_a_download(software)
        })
    });
    let tracker = trial(
        Software::Opentracker,
        "answers-http-and-udp",
        answers_http_and_udp,
    );
    seeders
        .into_iter()
        .chain(leechers)
        .chain([tracker])
        .collect()
}

fn serves_a_block(software: Software) -> Result<(), Failed> {
    let room = tempfile::tempdir()?;
    let torrent = Torrent::new(3 * PIECE, PIECE, "http://127.0.0.1:9/announce");
    let client = software.seed(&torrent.lay_out(room.path(), free_port(), true)?)?;
    let mut stream = wire::connect(OWN_ADDRESS, client.address)?;
    stream.set_read_timeout(Some(UNCHOKE))?;
    stream.write_all(&wire::handshake(
        torrent.info_hash,
        *b"-PP0000-a-mere-smoke",
    ))?;
    wire::read_handshake(&mut stream, torrent.info_hash)?;
    stream.write_all(&wire::message(2, &[]))?;
    while wire::read_message(&mut stream)?.0 != 1 {}
    let request = [
        0_u32.to_be_bytes(),
        0_u32.to_be_bytes(),
        16_384_u32.to_be_bytes(),
    ]
    .concat();
    stream.write_all(&wire::message(6, &request))?;
    let payload = loop {
        if let (7, payload) = wire::read_message(&mut stream)? {
            break payload;
        }
    };
    let expected = [&[0; 8], &torrent.data[..BLOCK]].concat();
    if payload == expected {
        Ok(())
    } else {
        Err(format!("block 0 of piece 0 came wrong; {}", client.output()).into())
    }
}

fn completes_a_download(software: Software) -> Result<(), Failed> {
    let room = tempfile::tempdir()?;
    let tracker = Tracker::bind()?;
    let torrent = Arc::new(Torrent::new(3 * PIECE, PIECE, &tracker.announce()?));
    let (announces, log) = tracker.serve(Arc::clone(&torrent), !software.dials_loopback())?;
    let job = torrent.lay_out(room.path(), free_port(), false)?;
    let mut client = software.leech(&job)?;
    let file = Torrent::file(&job);
    let complete = eventually(DOWNLOAD, || {
        fs::read(&file).is_ok_and(|content| content == torrent.data)
    });
    if !complete {
        let announces: Vec<String> = announces.try_iter().collect();
        let output = client.output();
        return Err(format!(
            "not complete; announces {announces:#?}; {:#?}; {output}",
            log.lines()
        )
        .into());
    }
    if !client.alive() {
        return Err(format!("it left after completion: {}", client.output()).into());
    }
    let mut seen: Vec<String> = Vec::new();
    if software == Software::Rtorrent {
        // Whether it announces on its way out is a matter of its timing (docs/findings.md): nothing here depends on it.
        seen.extend(announces.try_iter());
        let first = seen.first();
        return if first.is_some_and(|line| line.contains("event=started")) {
            Ok(())
        } else {
            Err(format!("it did not start: {seen:#?}").into())
        };
    }
    client.stop()?;
    let stopped = eventually(LEAVE, || {
        seen.extend(announces.try_iter());
        seen.last()
            .is_some_and(|line| line.contains("event=stopped"))
    });
    let started = seen
        .first()
        .is_some_and(|line| line.contains("event=started"));
    if started && stopped {
        Ok(())
    } else {
        Err(format!("not from started to stopped: {seen:#?}").into())
    }
}

fn answers_http_and_udp() -> Result<(), Failed> {
    let info_hash = *b"any twenty bytes do!";
    let tracker = opentracker(&[info_hash], free_port())?;
    let escaped: String = info_hash
        .iter()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    let path = format!(
        "/announce?info_hash={escaped}&peer_id=-PP0000-over-http-aa&port=7001&uploaded=0&downloaded=0&left=1\
         &compact=1&event=started"
    );
    let answer = wire::http_get(OWN_ADDRESS, tracker.address, &path)?;
    let peer = [
        b"5:peers6:".as_slice(),
        &OWN_ADDRESS.octets(),
        &7001_u16.to_be_bytes(),
    ]
    .concat();
    if !answer.windows(peer.len()).any(|window| window == peer) {
        return Err(format!("over HTTP: {}", String::from_utf8_lossy(&answer)).into());
    }
    answers_udp_announce(tracker.address, info_hash)
}

/// A second peer announces over UDP and is told of the first.
fn answers_udp_announce(tracker: SocketAddrV4, info_hash: [u8; 20]) -> Result<(), Failed> {
    let connection_id = wire::udp_connection_id(tracker, 7)?;
    let mut request = connection_id.to_vec();
    request.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 8]);
    request.extend_from_slice(&info_hash);
    request.extend_from_slice(b"-PP0000-over-udp-bbb");
    // downloaded, left, uploaded; event started; ip, key; num_want -1; port.
    request.extend_from_slice(&[
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    request.extend_from_slice(&[0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    request.extend_from_slice(&7002_u16.to_be_bytes());
    let answer = wire::udp_exchange(tracker, &request)?;
    let first_peer = [OWN_ADDRESS.octets().as_slice(), &7001_u16.to_be_bytes()].concat();
    let lists_it = answer
        .get(20..)
        .is_some_and(|peers| peers.chunks(6).any(|peer| peer == first_peer));
    if answer.starts_with(&[0, 0, 0, 1, 0, 0, 0, 8]) && lists_it {
        Ok(())
    } else {
        Err(format!("over UDP: {answer:02x?}").into())
    }
}

//! One HTTP connection: one request, one answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use peerproof_model::bittorrent::message::{AnnounceResponse, Peers, ScrapeResponse, TrackerPeer};
use peerproof_model::bittorrent::node::Message;
use peerproof_model::bittorrent::wire::tracker_http::{
    decode_announce, decode_scrape, encode_announce_response, encode_scrape_response,
};

use super::Shared;
use super::breaks::WireBug;

/// The longest head of a request.
const HEAD_LIMIT: usize = 16 << 10;
/// The most header lines of a request.
const HEADER_LIMIT: usize = 64;
/// How long a client has for its request.
const PATIENCE: Duration = Duration::from_secs(10);
/// After so long without a byte the server looks whether it should stop.
const LOOK: Duration = Duration::from_millis(50);

/// What the head of a request asks for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    method: String,
    target: Vec<u8>,
    minor: u8,
}

enum Head {
    Whole(Asked),
    Partial,
    Bad,
}

/// Serves a connection until its end.
pub(super) fn serve(mut stream: TcpStream, shared: &Shared) {
    let Ok(from) = stream.peer_addr() else { return };
    if shared.offended.load(Ordering::SeqCst) {
        return;
    }
    let answer = match read(&mut stream, shared) {
        Some(Head::Whole(asked)) => answer(from, &asked, shared),
        Some(Head::Bad) => {
            if shared.is(WireBug::HoldsGrudges) {
                shared.offended.store(true, Ordering::SeqCst);
            }
            Some((400, b"this is no HTTP request".to_vec()))
        }
        Some(Head::Partial) => Some((431, b"the head of the request is too long".to_vec())),
        None => None,
    };
    let Some((status, body)) = answer else { return };
    let reason = if status == 200 { "OK" } else { "Refused" };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.set_write_timeout(Some(PATIENCE));
    // A client that has gone needs no answer.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

/// The head of the request; partial when it is too long, nothing when the client was too slow or left.
fn read(stream: &mut TcpStream, shared: &Shared) -> Option<Head> {
    let deadline = Instant::now() + PATIENCE;
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    stream.set_read_timeout(Some(LOOK)).ok()?;
    while Instant::now() < deadline && !shared.stopping.load(Ordering::SeqCst) {
        match stream.read(&mut chunk) {
            Ok(0) => return None,
            Ok(count) => received.extend_from_slice(&chunk[..count]),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                continue;
            }
            Err(_) => return None,
        }
        match head(&received) {
            Head::Partial if shared.is(WireBug::OneSegment) => return Some(Head::Bad),
            Head::Partial if received.len() < HEAD_LIMIT => {}
            other => return Some(other),
        }
    }
    None
}

fn head(bytes: &[u8]) -> Head {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_LIMIT];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) => Head::Partial,
        Ok(httparse::Status::Complete(_)) => Head::Whole(Asked {
            method: request.method.unwrap_or_default().to_owned(),
            target: request.path.unwrap_or_default().as_bytes().to_vec(),
            minor: request.version.unwrap_or_default(),
        }),
        Err(_) => Head::Bad,
    }
}

/// Status and body of the answer.
fn answer(from: SocketAddr, asked: &Asked, shared: &Shared) -> Option<(u16, Vec<u8>)> {
    let refused = |status: u16, why: &str| Some((status, why.as_bytes().to_vec()));
    if asked.method != "GET" {
        return refused(405, "a tracker is asked by GET");
    }
    if asked.minor == 0 && shared.is(WireBug::RefusesHttp10) {
        return refused(505, "HTTP/1.0 is history");
    }
    let target = asked.target.as_slice();
    let path = target
        .split(|byte| *byte == b'?')
        .next()
        .unwrap_or_default();
    match path {
        b"/announce" => announce(from, target, shared),
        b"/scrape" => scrape(from, target, shared),
        _ => refused(404, "there is nothing here"),
    }
}

fn announce(from: SocketAddr, target: &[u8], shared: &Shared) -> Option<(u16, Vec<u8>)> {
    if let Some(why) = disliked(target, shared) {
        return Some((400, why.as_bytes().to_vec()));
    }
    let message = match decode_announce(target) {
        Ok(mut request) => {
            if shared.is(WireBug::RefusesDictionaries) && request.compact == Some(false) {
                return Some((400, b"only compact lists here".to_vec()));
            }
            shared.misread(&mut request.event, &mut request.left);
            if shared.is(WireBug::AlwaysDictionaries) {
                request.compact = Some(false);
            }
            Message::Announce(request)
        }
        Err(error) => Message::Malformed(error.to_string()),
    };
    let Some(Message::Announced(mut response)) = shared.ask(from, message) else {
        return None;
    };
    if let AnnounceResponse::Success(success) = &mut response {
        if shared.is(WireBug::Ipv6Noise) {
            let noise = "[2001:db8::1]:6881".parse().ok();
            success.peers6 = noise.map(|peer| vec![peer]);
        }
        if shared.is(WireBug::UnknownAddresses) {
            add_stranger(&mut success.peers);
        }
    }
    let body = encode_announce_response(&response);
    Some((200, garbled(body, shared)))
}

fn add_stranger(peers: &mut Option<Peers>) {
    match peers {
        Some(Peers::Compact(peers)) => {
            peers.extend("192.0.2.1:6881".parse::<std::net::SocketAddrV4>());
        }
        Some(Peers::Dictionaries(peers)) => {
            peers.push(TrackerPeer {
                peer_id: None,
                ip: b"192.0.2.1".to_vec(),
                port: 6881,
            });
        }
        None => {}
    }
}

/// Why a tracker with one of these breaks does not like the form of a request.
fn disliked(target: &[u8], shared: &Shared) -> Option<&'static str> {
    let text = String::from_utf8_lossy(target);
    let escapes = || {
        text.split('%')
            .skip(1)
            .map(|rest| rest.chars().take(2).collect::<String>())
    };
    let wrong_case = |upper: bool| {
        escapes().any(|digits| {
            digits
                .chars()
                .any(|digit| digit.is_ascii_uppercase() == upper && digit.is_ascii_alphabetic())
        })
    };
    if shared.is(WireBug::UpperCaseOnly) && wrong_case(false) {
        Some("digits of escapes are upper-case letters")
    } else if shared.is(WireBug::LowerCaseOnly) && wrong_case(true) {
        Some("digits of escapes are lower-case letters")
    } else if shared.is(WireBug::EscapesOnly) && !text.contains("peer_id=%2") {
        Some("every byte is escaped")
    } else if shared.is(WireBug::StrictOrder) && !text.contains("?info_hash=") {
        Some("info_hash comes first")
    } else if shared.is(WireBug::RefusesEmptyEvent)
        && text.contains("event=&") | text.ends_with("event=")
    {
        Some("an event has a name")
    } else if shared.is(WireBug::KnownParametersOnly) && text.contains("supportcrypto") {
        Some("an unknown parameter")
    } else if shared.is(WireBug::SmallWishesOnly) && text.contains("numwant=4294967295") {
        Some("too many peers are wanted")
    } else {
        None
    }
}

fn scrape(from: SocketAddr, target: &[u8], shared: &Shared) -> Option<(u16, Vec<u8>)> {
    if shared.is(WireBug::NoScrapeAnswer) {
        return Some((200, b"soon".to_vec()));
    }
    let mut request = match decode_scrape(target) {
        Ok(request) => request,
        Err(error) => return Some((400, error.to_string().into_bytes())),
    };
    if shared.is(WireBug::FirstHashOnly) {
        request.info_hashes.truncate(1);
    }
    match shared.ask(from, Message::Scrape(request)) {
        Some(Message::Scraped(ScrapeResponse::Files(mut files))) => {
            if shared.is(WireBug::CountsAnnounces) {
                files.values_mut().for_each(|entry| entry.incomplete += 1);
            }
            let body = encode_scrape_response(&ScrapeResponse::Files(files));
            Some((200, garbled(body, shared)))
        }
        _ => None,
    }
}

/// The body as a break writes it.
fn garbled(mut body: Vec<u8>, shared: &Shared) -> Vec<u8> {
    if shared.is(WireBug::UnsortedKeys) && body.starts_with(b"d") {
        // A key behind all others moves to the front.
        body.splice(1..1, *b"8:zzzzzzzzi1e");
    }
    if shared.is(WireBug::RaggedLists)
        && let Some(at) = body
            .windows(9)
            .position(|window| window.starts_with(b"5:peers") && window[7].is_ascii_digit())
    {
        ragged(&mut body, at + 7);
    }
    if shared.is(WireBug::HalfAnswers) {
        body.pop();
    }
    body
}

/// Adds a byte to the string that begins at `at`.
fn ragged(body: &mut Vec<u8>, at: usize) {
    let Some(colon) = body[at..]
        .iter()
        .position(|byte| *byte == b':')
        .map(|colon| at + colon)
    else {
        return;
    };
    let length: usize = String::from_utf8_lossy(&body[at..colon])
        .parse()
        .unwrap_or(0);
    if length == 0 {
        return;
    }
    let end = (colon + 1 + length).min(body.len());
    body.insert(end, 0);
    body.splice(at..colon, (length + 1).to_string().into_bytes());
}

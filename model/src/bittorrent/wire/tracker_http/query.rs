//! The path and query of a GET request to a tracker, with raw bytes in percent-encoding.

use crate::bittorrent::message::{AnnounceEvent, AnnounceRequest, InfoHash, PeerId, ScrapeRequest};
use crate::bittorrent::wire::{ErrorClass, WireError};
use std::fmt::Write;
use std::str::FromStr;

/// The longest path with query that is decoded.
pub const QUERY_LIMIT: usize = 8192;

/// One parameter of a query, decoded.
struct Parameter {
    name: Vec<u8>,
    value: Vec<u8>,
    /// Where the parameter starts, and where its value starts.
    start: usize,
    value_start: usize,
}

impl Parameter {
    fn fault(&self, name: &'static str) -> WireError {
        WireError::new(ErrorClass::Parameter(name), self.value_start)
    }

    fn bytes20(&self, name: &'static str) -> Result<[u8; 20], WireError> {
        <[u8; 20]>::try_from(self.value.as_slice()).map_err(|_| self.fault(name))
    }

    /// Decimal digits without a sign.
    fn number<T: FromStr>(&self, name: &'static str) -> Result<T, WireError> {
        let digits = self.value.iter().all(u8::is_ascii_digit);
        let text = str::from_utf8(&self.value).ok().filter(|_| digits);
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| self.fault(name))
    }

    fn flag(&self, name: &'static str) -> Result<bool, WireError> {
        match self.value.as_slice() {
            b"0" => Ok(false),
            b"1" => Ok(true),
            _ => Err(self.fault(name)),
        }
    }
}

/// Splits path and query into decoded parameters.
fn parameters(path: &[u8]) -> Result<Vec<Parameter>, WireError> {
    if path.len() > QUERY_LIMIT {
        return Err(WireError::new(ErrorClass::QueryLength, QUERY_LIMIT));
    }
    let mark = path.iter().position(|byte| *byte == b'?');
    let mut at = mark.ok_or(WireError::new(ErrorClass::MissingQuery, path.len()))? + 1;
    let mut found = Vec::new();
    while at < path.len() {
        let end = path[at..]
            .iter()
            .position(|byte| *byte == b'&')
            .map_or(path.len(), |length| at + length);
        if end > at {
            let equals = path[at..end]
                .iter()
                .position(|byte| *byte == b'=')
                .map_or(end, |length| at + length);
            let value_start = (equals + 1).min(end);
            found.push(Parameter {
                name: unescape(path, at, equals)?,
                value: unescape(path, value_start, end)?,
                start: at,
                value_start,
            });
        }
        at = end + 1;
    }
    Ok(found)
}

/// Decodes percent-encoding in `path[start..end]`. A plus sign stands for itself: trackers take raw bytes.
fn unescape(path: &[u8], start: usize, end: usize) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::with_capacity(end - start);
    let mut at = start;
    while at < end {
        match path[at] {
            b'%' => {
                let byte = path[..end].get(at + 1..at + 3).and_then(hex_byte);
                bytes.push(byte.ok_or(WireError::new(ErrorClass::PercentEncoding, at))?);
                at += 3;
            }
            byte if byte.is_ascii_graphic() => {
                bytes.push(byte);
                at += 1;
            }
            _ => return Err(WireError::new(ErrorClass::UnescapedByte, at)),
        }
    }
    Ok(bytes)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Fills an option, and refuses the second parameter of a name.
fn once<T>(
    slot: &mut Option<T>,
    value: T,
    name: &'static str,
    at: &Parameter,
) -> Result<(), WireError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(WireError::new(
            ErrorClass::DuplicateParameter(name),
            at.start,
        )),
    }
}

/// Decodes the path and query of an announce. The path itself is the tracker's affair.
pub fn decode_announce(path: &[u8]) -> Result<AnnounceRequest, WireError> {
    let mut request = AnnounceRequest::default();
    let (mut info_hash, mut peer_id, mut port, mut event) = (None, None, None, None);
    let (mut uploaded, mut downloaded, mut left) = (None, None, None);
    for parameter in parameters(path)? {
        let at = &parameter;
        match at.name.as_slice() {
            b"info_hash" => once(
                &mut info_hash,
                InfoHash(at.bytes20("info_hash")?),
                "info_hash",
                at,
            )?,
            b"peer_id" => once(&mut peer_id, PeerId(at.bytes20("peer_id")?), "peer_id", at)?,
            b"port" => once(&mut port, at.number("port")?, "port", at)?,
            b"uploaded" => once(&mut uploaded, at.number("uploaded")?, "uploaded", at)?,
            b"downloaded" => once(&mut downloaded, at.number("downloaded")?, "downloaded", at)?,
            b"left" => once(&mut left, at.number("left")?, "left", at)?,
            b"event" => once(&mut event, event_of(&at.value), "event", at)?,
            b"ip" => once(&mut request.ip, at.value.clone(), "ip", at)?,
            b"numwant" => once(&mut request.numwant, at.number("numwant")?, "numwant", at)?,
            b"key" => once(&mut request.key, at.value.clone(), "key", at)?,
            b"compact" => once(&mut request.compact, at.flag("compact")?, "compact", at)?,
            b"no_peer_id" => once(
                &mut request.no_peer_id,
                at.flag("no_peer_id")?,
                "no_peer_id",
                at,
            )?,
            b"trackerid" => once(&mut request.trackerid, at.value.clone(), "trackerid", at)?,
            _ => request.other.push((parameter.name, parameter.value)),
        }
    }
    let missing = |name| WireError::new(ErrorClass::MissingParameter(name), path.len());
    request.info_hash = info_hash.ok_or_else(|| missing("info_hash"))?;
    request.peer_id = peer_id.ok_or_else(|| missing("peer_id"))?;
    request.port = port.ok_or_else(|| missing("port"))?;
    request.uploaded = uploaded.ok_or_else(|| missing("uploaded"))?;
    request.downloaded = downloaded.ok_or_else(|| missing("downloaded"))?;
    request.left = left.ok_or_else(|| missing("left"))?;
    request.event = event.unwrap_or_default();
    Ok(request)
}

fn event_of(value: &[u8]) -> AnnounceEvent {
    match value {
        b"" => AnnounceEvent::Regular,
        b"started" => AnnounceEvent::Started,
        b"completed" => AnnounceEvent::Completed,
        b"stopped" => AnnounceEvent::Stopped,
        b"paused" => AnnounceEvent::Paused,
        other => AnnounceEvent::Other(other.to_vec()),
    }
}

/// Decodes the path and query of a scrape.
pub fn decode_scrape(path: &[u8]) -> Result<ScrapeRequest, WireError> {
    if !path.contains(&b'?') && path.len() <= QUERY_LIMIT {
        return Ok(ScrapeRequest::default());
    }
    let mut info_hashes = Vec::new();
    for parameter in parameters(path)? {
        if parameter.name == b"info_hash" {
            info_hashes.push(InfoHash(parameter.bytes20("info_hash")?));
        }
    }
    Ok(ScrapeRequest { info_hashes })
}

/// Appends name and value to a path, behind `?` or, if it has a query already, behind `&`.
fn put(path: &mut String, name: &[u8], value: &[u8]) {
    path.push(if path.contains('?') { '&' } else { '?' });
    put_escaped(path, name);
    path.push('=');
    put_escaped(path, value);
}

fn put_escaped(path: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

/// The path of an announce: `path` of the tracker's URL, which may have a query, and the parameters.
pub fn encode_announce(path: &str, request: &AnnounceRequest) -> String {
    let mut out = path.to_owned();
    put(&mut out, b"info_hash", &request.info_hash.0);
    put(&mut out, b"peer_id", &request.peer_id.0);
    let event: &[u8] = match &request.event {
        AnnounceEvent::Regular => b"",
        AnnounceEvent::Started => b"started",
        AnnounceEvent::Completed => b"completed",
        AnnounceEvent::Stopped => b"stopped",
        AnnounceEvent::Paused => b"paused",
        AnnounceEvent::Other(other) => other,
    };
    let numbers = [
        ("port", Some(u64::from(request.port))),
        ("uploaded", Some(request.uploaded)),
        ("downloaded", Some(request.downloaded)),
        ("left", Some(request.left)),
        ("numwant", request.numwant.map(u64::from)),
        ("compact", request.compact.map(u64::from)),
        ("no_peer_id", request.no_peer_id.map(u64::from)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            put(&mut out, name.as_bytes(), number.to_string().as_bytes());
        }
    }
    let texts = [
        ("event", (!event.is_empty()).then_some(event)),
        ("ip", request.ip.as_deref()),
        ("key", request.key.as_deref()),
        ("trackerid", request.trackerid.as_deref()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            put(&mut out, name.as_bytes(), text);
        }
    }
    for (name, value) in &request.other {
        put(&mut out, name, value);
    }
    out
}

/// The path of a scrape, from the path of the scrape URL (see [`scrape_path`]).
pub fn encode_scrape(path: &str, request: &ScrapeRequest) -> String {
    let mut out = path.to_owned();
    for info_hash in &request.info_hashes {
        put(&mut out, b"info_hash", &info_hash.0);
    }
    out
}

/// The path for scrapes of a tracker whose announce path is given: the text `announce` right behind the last slash
/// becomes `scrape` (BEP 48). None if another text stands there, since such a tracker has no scrape.
pub fn scrape_path(announce_path: &str) -> Option<String> {
    let (directory, last) = announce_path.rsplit_once('/')?;
    let rest = last.strip_prefix("announce")?;
    Some(format!("{directory}/scrape{rest}"))
}

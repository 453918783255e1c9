//! What the bytes of an answer mean, given the question.

use std::net::SocketAddr;

use peerproof_model::bencode::Tolerance;
use peerproof_model::bittorrent::message::{
    AnnounceEvent, AnnounceResponse, ScrapeResponse, UdpRequest,
};
use peerproof_model::bittorrent::tracker_view::{Answer, Exchange, Question};
use peerproof_model::bittorrent::wire::WireError;
use peerproof_model::bittorrent::wire::tracker_http::{
    decode_announce_response_tolerant, decode_scrape_response_tolerant,
};
use peerproof_model::bittorrent::wire::tracker_udp::{Family, decode_response};

use super::http::Response;

/// A question over HTTP with its answer.
pub(super) fn http_exchange(from: SocketAddr, question: Question, response: Response) -> Exchange {
    let (answer, departure) = match response {
        Response::Closed => (Answer::Closed, None),
        Response::Nothing => (Answer::Nothing, None),
        Response::NotHttp(why) => (Answer::NotHttp(why), None),
        Response::TooLong => (too_long(&question), None),
        Response::Whole { status, body } => read(&question, status, &body),
    };
    Exchange {
        from,
        question,
        answer,
        departure,
    }
}

/// A busy tracker may have more to tell of all its torrents than the kit reads; nothing else is that long.
fn too_long(question: &Question) -> Answer {
    match question {
        Question::Scrape(request) if request.info_hashes.is_empty() => Answer::Status(200),
        _ => Answer::NotHttp("it is longer than any answer to this".to_owned()),
    }
}

fn read(question: &Question, status: u16, body: &[u8]) -> (Answer, Option<String>) {
    let good = (200..300).contains(&status);
    let read = match question {
        // Whatever is said to something that is no announce is right.
        Question::Other(_) => return (Answer::Status(status), None),
        Question::Scrape(_) => scraped(body),
        _ => announced(body),
    };
    match read {
        Ok((answer, departures)) if good || failure(&answer) => (answer, told(&departures)),
        Err(error) if good => (Answer::Malformed(error), None),
        _ => (Answer::Status(status), None),
    }
}

fn announced(body: &[u8]) -> Result<(Answer, Vec<Tolerance>), WireError> {
    let (response, departures) = decode_announce_response_tolerant(body)?;
    Ok((Answer::Announced(response), departures))
}

fn scraped(body: &[u8]) -> Result<(Answer, Vec<Tolerance>), WireError> {
    let (response, departures) = decode_scrape_response_tolerant(body)?;
    Ok((Answer::Scraped(response), departures))
}

fn failure(answer: &Answer) -> bool {
    matches!(
        answer,
        Answer::Announced(AnnounceResponse::Failure(_))
            | Answer::Scraped(ScrapeResponse::Failure(_))
    )
}

fn told(departures: &[Tolerance]) -> Option<String> {
    let first = departures.first()?;
    Some(format!("{:?} at byte {}", first.kind, first.offset))
}

/// A question over UDP with its answer.
pub(super) fn udp_exchange(
    from: SocketAddr,
    question: Question,
    answer: Option<&[u8]>,
) -> Exchange {
    let family = if from.is_ipv4() {
        Family::V4
    } else {
        Family::V6
    };
    let answer = match answer.map(|datagram| decode_response(datagram, family)) {
        None => Answer::Nothing,
        Some(Ok((response, _))) => Answer::Reply(response),
        Some(Err(error)) => Answer::Malformed(error),
    };
    Exchange {
        from,
        question,
        answer,
        departure: None,
    }
}

/// The transaction id of a datagram from a tracker.
pub(super) fn transaction(datagram: &[u8]) -> Option<u32> {
    let bytes: [u8; 4] = datagram.get(4..8)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

/// A question in words.
pub(super) fn label(question: &Question) -> String {
    match question {
        Question::Announce(request) => format!("announces{}", event(&request.event)),
        Question::Scrape(request) => format!("scrapes {} torrents", request.info_hashes.len()),
        Question::MalformedAnnounce(flaw) => format!("announces with {flaw}"),
        Question::Other(what) | Question::MalformedDatagram(what) => (*what).to_owned(),
        Question::Datagram(UdpRequest::Connect { .. }) => "connects".to_owned(),
        Question::Datagram(UdpRequest::Announce(announce)) => {
            format!("announces{}", event(&announce.event))
        }
        Question::Datagram(UdpRequest::Scrape { info_hashes, .. }) => {
            format!("scrapes {} torrents", info_hashes.len())
        }
    }
}

fn event(event: &AnnounceEvent) -> &'static str {
    match event {
        AnnounceEvent::Regular => "",
        AnnounceEvent::Started => " started",
        AnnounceEvent::Completed => " completed",
        AnnounceEvent::Stopped => " stopped",
        AnnounceEvent::Paused => " paused",
        AnnounceEvent::Other(_) => " an unknown event",
    }
}

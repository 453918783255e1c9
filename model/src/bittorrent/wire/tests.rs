//! Round trips of every codec, hostile bytes, and the rules of streams. Golden bytes live in the vectors crate.

use super::peer::{self, FrameDecoder, HandshakeDecoder};
use super::tracker_udp::Family;
use super::{ErrorClass, WireError, extension, tracker_http, tracker_udp};
use crate::bittorrent::message::*;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..most)
}

fn block() -> impl Strategy<Value = BlockRequest> {
    any::<(u32, u32, u32)>().prop_map(|(index, begin, length)| BlockRequest {
        index,
        begin,
        length,
    })
}

fn peer_message() -> impl Strategy<Value = PeerMessage> {
    prop_oneof![
        Just(PeerMessage::KeepAlive),
        Just(PeerMessage::Choke),
        Just(PeerMessage::Unchoke),
        Just(PeerMessage::Interested),
        Just(PeerMessage::NotInterested),
        Just(PeerMessage::HaveAll),
        Just(PeerMessage::HaveNone),
        any::<u32>().prop_map(PeerMessage::Have),
        any::<u32>().prop_map(PeerMessage::SuggestPiece),
        any::<u32>().prop_map(PeerMessage::AllowedFast),
        any::<u16>().prop_map(PeerMessage::Port),
        bytes(40).prop_map(PeerMessage::Bitfield),
        block().prop_map(PeerMessage::Request),
        block().prop_map(PeerMessage::Cancel),
        block().prop_map(PeerMessage::RejectRequest),
        (any::<(u32, u32)>(), bytes(40)).prop_map(|((index, begin), data)| PeerMessage::Piece {
            index,
            begin,
            data
        }),
        (any::<u8>(), bytes(40)).prop_map(|(id, payload)| PeerMessage::Extended { id, payload }),
        (0x15_u8.., bytes(40)).prop_map(|(id, payload)| PeerMessage::Unknown { id, payload }),
    ]
}

fn handshake() -> impl Strategy<Value = Handshake> {
    any::<([u8; 8], [u8; 20], [u8; 20])>().prop_map(|(reserved, info_hash, peer_id)| Handshake {
        reserved: Reserved(reserved),
        info_hash: InfoHash(info_hash),
        peer_id: PeerId(peer_id),
    })
}

fn v4() -> impl Strategy<Value = SocketAddrV4> {
    any::<(u32, u16)>().prop_map(|(ip, port)| SocketAddrV4::new(Ipv4Addr::from(ip), port))
}

fn v6() -> impl Strategy<Value = SocketAddrV6> {
    any::<(u128, u16)>().prop_map(|(ip, port)| SocketAddrV6::new(Ipv6Addr::from(ip), port, 0, 0))
}

fn ip() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|ip| IpAddr::V4(Ipv4Addr::from(ip))),
        any::<u128>().prop_map(|ip| IpAddr::V6(Ipv6Addr::from(ip)))
    ]
}

prop_compose! {
    fn extension_handshake()(
        m in btree_map(bytes(12), any::<u8>(), 0..5),
        p in any::<Option<u16>>(),
        v in option::of(bytes(12)),
        yourip in option::of(ip()),
        ipv4 in any::<Option<u32>>(),
        ipv6 in any::<Option<u128>>(),
        reqq in any::<Option<u32>>(),
        metadata_size in any::<Option<u32>>(),
        upload_only in any::<Option<bool>>(),
    ) -> ExtensionHandshake {
        let (ipv4, ipv6) = (ipv4.map(Ipv4Addr::from), ipv6.map(Ipv6Addr::from));
        ExtensionHandshake { m, p, v, yourip, ipv4, ipv6, reqq, metadata_size, upload_only }
    }
}

fn metadata_message() -> impl Strategy<Value = MetadataMessage> {
    prop_oneof![
        any::<u32>().prop_map(|piece| MetadataMessage::Request { piece }),
        any::<u32>().prop_map(|piece| MetadataMessage::Reject { piece }),
        (0_u32..3, vec(any::<u8>(), 1..40)).prop_map(|(piece, data)| {
            let total_size =
                piece * extension::METADATA_BLOCK + u32::try_from(data.len()).expect("short");
            MetadataMessage::Data {
                piece,
                total_size,
                data,
            }
        }),
        (3_i64..).prop_map(|msg_type| MetadataMessage::Unknown { msg_type }),
    ]
}

prop_compose! {
    fn pex_message()(
        added in vec((v4(), any::<u8>()), 0..4),
        added6 in vec((v6(), any::<u8>()), 0..4),
        dropped in vec(v4(), 0..4),
        dropped6 in vec(v6(), 0..4),
    ) -> PexMessage {
        PexMessage {
            added: added.into_iter().map(|(address, flags)| PexPeer { address, flags }).collect(),
            added6: added6.into_iter().map(|(address, flags)| PexPeer { address, flags }).collect(),
            dropped,
            dropped6,
        }
    }
}

fn event() -> impl Strategy<Value = AnnounceEvent> {
    use AnnounceEvent::{Completed, Other, Paused, Regular, Started, Stopped};
    let other = Just(Other(b"a&b".to_vec()));
    prop_oneof![
        Just(Regular),
        Just(Started),
        Just(Completed),
        Just(Stopped),
        Just(Paused),
        other
    ]
}

prop_compose! {
    fn announce_request()(
        (info_hash, peer_id) in any::<([u8; 20], [u8; 20])>(),
        (port, uploaded, downloaded, left) in any::<(u16, u64, u64, u64)>(),
        event in event(),
        ip in option::of(bytes(8)),
        numwant in any::<Option<u32>>(),
        key in option::of(bytes(8)),
        (compact, no_peer_id) in any::<(Option<bool>, Option<bool>)>(),
        trackerid in option::of(bytes(8)),
        other in vec((vec(b'A'..=b'Z', 1..4), bytes(8)), 0..3),
    ) -> AnnounceRequest {
        AnnounceRequest {
            info_hash: InfoHash(info_hash), peer_id: PeerId(peer_id),
            port, uploaded, downloaded, left, event, ip, numwant, key, compact, no_peer_id, trackerid, other,
        }
    }
}

fn failure() -> impl Strategy<Value = TrackerFailure> {
    let retry_in = prop_oneof![
        any::<u32>().prop_map(RetryIn::Minutes),
        Just(RetryIn::Never)
    ];
    (bytes(20), option::of(retry_in))
        .prop_map(|(reason, retry_in)| TrackerFailure { reason, retry_in })
}

fn peers() -> impl Strategy<Value = Peers> {
    let peer = (any::<Option<[u8; 20]>>(), bytes(12), any::<u16>()).prop_map(|(id, ip, port)| {
        TrackerPeer {
            peer_id: id.map(PeerId),
            ip,
            port,
        }
    });
    prop_oneof![
        vec(v4(), 0..5).prop_map(Peers::Compact),
        vec(peer, 0..5).prop_map(Peers::Dictionaries)
    ]
}

prop_compose! {
    fn announce_success()(
        (interval, min_interval) in any::<(u32, Option<u32>)>(),
        tracker_id in option::of(bytes(8)),
        (complete, incomplete, downloaded) in any::<(Option<u32>, Option<u32>, Option<u32>)>(),
        external_ip in option::of(ip()),
        warning in option::of(bytes(8)),
        peers in peers(),
        peers6 in option::of(vec(v6(), 0..3)),
    ) -> AnnounceSuccess {
        AnnounceSuccess {
            interval, min_interval, tracker_id, complete, incomplete, downloaded, external_ip, warning,
            peers: Some(peers), peers6,
        }
    }
}

fn announce_response() -> impl Strategy<Value = AnnounceResponse> {
    prop_oneof![
        failure().prop_map(AnnounceResponse::Failure),
        announce_success().prop_map(AnnounceResponse::Success)
    ]
}

fn scrape_response() -> impl Strategy<Value = ScrapeResponse> {
    let entry =
        any::<(u32, u32, u32)>().prop_map(|(complete, downloaded, incomplete)| ScrapeEntry {
            complete,
            downloaded,
            incomplete,
        });
    prop_oneof![
        failure().prop_map(ScrapeResponse::Failure),
        btree_map(any::<[u8; 20]>().prop_map(InfoHash), entry, 0..4)
            .prop_map(ScrapeResponse::Files),
    ]
}

prop_compose! {
    fn udp_announce()(
        (connection_id, transaction_id) in any::<(u64, u32)>(),
        (info_hash, peer_id) in any::<([u8; 20], [u8; 20])>(),
        (downloaded, left, uploaded) in any::<(u64, u64, u64)>(),
        event in event().prop_filter("UDP has four events", |event| {
            !matches!(event, AnnounceEvent::Paused | AnnounceEvent::Other(_))
        }),
        (ip, key, num_want, port) in any::<(u32, u32, i32, u16)>(),
        url_data in option::of(bytes(600)),
    ) -> UdpAnnounce {
        UdpAnnounce {
            connection_id, transaction_id, info_hash: InfoHash(info_hash), peer_id: PeerId(peer_id),
            downloaded, left, uploaded, event, ip: Ipv4Addr::from(ip), key, num_want, port, url_data,
        }
    }
}

fn udp_request() -> impl Strategy<Value = UdpRequest> {
    let hashes = vec(any::<[u8; 20]>().prop_map(InfoHash), 0..4);
    prop_oneof![
        any::<u32>().prop_map(|transaction_id| UdpRequest::Connect { transaction_id }),
        udp_announce().prop_map(UdpRequest::Announce),
        (any::<(u64, u32)>(), hashes).prop_map(|((connection_id, transaction_id), info_hashes)| {
            UdpRequest::Scrape {
                connection_id,
                transaction_id,
                info_hashes,
            }
        }),
    ]
}

fn udp_response(family: Family) -> impl Strategy<Value = UdpResponse> {
    let peer = match family {
        Family::V4 => v4().prop_map(SocketAddr::V4).boxed(),
        Family::V6 => v6().prop_map(SocketAddr::V6).boxed(),
    };
    let entry =
        any::<(u32, u32, u32)>().prop_map(|(seeders, completed, leechers)| UdpScrapeEntry {
            seeders,
            completed,
            leechers,
        });
    prop_oneof![
        any::<(u32, u64)>().prop_map(|(transaction_id, connection_id)| UdpResponse::Connect {
            transaction_id,
            connection_id
        }),
        (any::<(u32, u32, u32, u32)>(), vec(peer, 0..4)).prop_map(
            |((transaction_id, interval, leechers, seeders), peers)| {
                UdpResponse::Announce {
                    transaction_id,
                    interval,
                    leechers,
                    seeders,
                    peers,
                }
            }
        ),
        (any::<u32>(), vec(entry, 0..4)).prop_map(|(transaction_id, entries)| {
            UdpResponse::Scrape {
                transaction_id,
                entries,
            }
        }),
        (any::<u32>(), bytes(20)).prop_map(|(transaction_id, message)| UdpResponse::Error {
            transaction_id,
            message
        }),
    ]
}

/// Every message of a stream pushed in chunks of the given sizes, in turn.
fn drain(stream: &[u8], chunks: &[usize], bound: usize) -> Result<Vec<PeerMessage>, WireError> {
    let mut decoder = FrameDecoder::new(bound);
    let (mut messages, mut at) = (Vec::new(), 0);
    for size in chunks.iter().cycle() {
        let end = stream.len().min(at + size);
        decoder.push(&stream[at..end]);
        at = end;
        while let Some(message) = decoder.next_message()? {
            messages.push(message);
        }
        assert!(
            decoder.pending() < bound + 4,
            "less than one message is held"
        );
        if at == stream.len() {
            return Ok(messages);
        }
    }
    unreachable!("there is a chunk size")
}

proptest! {
    #[test]
    fn handshakes_round_trip(handshake in handshake()) {
        prop_assert_eq!(peer::decode_handshake(&peer::encode_handshake(&handshake)), Ok(handshake));
    }

    #[test]
    fn peer_messages_round_trip(message in peer_message()) {
        let mut encoded = Vec::new();
        peer::encode_message(&message, &mut encoded);
        prop_assert_eq!(peer::decode_message(&encoded), Ok(message));
    }

    #[test]
    fn accepted_peer_messages_encode_to_the_same_bytes(id in 0_u8..0x18, payload in bytes(16)) {
        let length = u32::try_from(payload.len() + 1).expect("short");
        let input = [&length.to_be_bytes()[..], &[id], &payload].concat();
        if let Ok(message) = peer::decode_message(&input) {
            let mut encoded = Vec::new();
            peer::encode_message(&message, &mut encoded);
            prop_assert_eq!(encoded, input);
        }
    }

    #[test]
    fn a_stream_decodes_alike_in_chunks_of_any_size(
        messages in vec(peer_message(), 0..12),
        chunks in vec(1_usize..50, 1..8),
    ) {
        let mut stream = Vec::new();
        for message in &messages {
            peer::encode_message(message, &mut stream);
        }
        prop_assert_eq!(drain(&stream, &chunks, 100), Ok(messages));
    }

    #[test]
    fn a_hostile_stream_fails_alike_in_chunks_of_any_size(
        stream in vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 1..80),
        chunks in vec(1_usize..20, 1..8),
    ) {
        prop_assert_eq!(drain(&stream, &chunks, 100), drain(&stream, &[stream.len()], 100));
    }

    #[test]
    fn extension_messages_round_trip(
        handshake in extension_handshake(), metadata in metadata_message(), pex in pex_message(),
    ) {
        let encoded = extension::encode_handshake(&handshake);
        prop_assert_eq!(extension::decode_handshake(&encoded), Ok(handshake));
        let encoded = extension::encode_metadata(&metadata);
        prop_assert_eq!(extension::decode_metadata(&encoded), Ok(metadata));
        let encoded = extension::encode_pex(&pex);
        prop_assert_eq!(extension::decode_pex(&encoded), Ok(pex));
    }

    #[test]
    fn announces_over_http_round_trip(request in announce_request(), hashes in vec(any::<[u8; 20]>(), 0..3)) {
        let path = tracker_http::encode_announce("/announce", &request);
        prop_assert_eq!(tracker_http::decode_announce(path.as_bytes()), Ok(request));
        let scrape = ScrapeRequest { info_hashes: hashes.into_iter().map(InfoHash).collect() };
        let path = tracker_http::encode_scrape("/scrape", &scrape);
        prop_assert_eq!(tracker_http::decode_scrape(path.as_bytes()), Ok(scrape));
    }

    #[test]
    fn replies_over_http_round_trip(announce in announce_response(), scrape in scrape_response()) {
        let body = tracker_http::encode_announce_response(&announce);
        prop_assert_eq!(tracker_http::decode_announce_response(&body), Ok(announce));
        let body = tracker_http::encode_scrape_response(&scrape);
        prop_assert_eq!(tracker_http::decode_scrape_response(&body), Ok(scrape));
    }

    #[test]
    fn datagrams_round_trip(
        request in udp_request(), v4 in udp_response(Family::V4), v6 in udp_response(Family::V6),
    ) {
        let encoded = tracker_udp::encode_request(&request);
        prop_assert_eq!(tracker_udp::decode_request(&encoded), Ok((request, encoded.len())));
        for (response, family) in [(v4, Family::V4), (v6, Family::V6)] {
            let encoded = tracker_udp::encode_response(&response);
            prop_assert_eq!(tracker_udp::decode_response(&encoded, family), Ok((response, encoded.len())));
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic_and_offsets_lie_inside(input in bytes(120)) {
        let errors = [
            peer::decode_handshake(&input).err(),
            peer::decode_message(&input).err(),
            extension::decode_handshake(&input).err(),
            extension::decode_metadata(&input).err(),
            extension::decode_pex(&input).err(),
            tracker_http::decode_announce(&input).err(),
            tracker_http::decode_scrape(&input).err(),
            tracker_http::decode_announce_response(&input).err(),
            tracker_http::decode_scrape_response(&input).err(),
            tracker_udp::decode_request(&input).err(),
            tracker_udp::decode_response(&input, Family::V4).err(),
            tracker_udp::decode_response(&input, Family::V6).err(),
        ];
        for error in errors.into_iter().flatten() {
            prop_assert!(error.offset <= input.len(), "{error}");
        }
    }
}

#[test]
fn an_overlong_length_prefix_is_refused_before_its_message_arrives() {
    let mut decoder = FrameDecoder::new(peer::frame_bound(9));
    decoder.push(&[0, 0, 0, 0, 0xFF, 0xFF, 0xFF]);
    assert_eq!(decoder.next_message(), Ok(Some(PeerMessage::KeepAlive)));
    assert_eq!(decoder.next_message(), Ok(None));
    decoder.push(&[0xFF]);
    let refused = Err(WireError {
        class: ErrorClass::FrameLength,
        offset: 4,
    });
    assert_eq!(decoder.next_message(), refused);
    decoder.push(&[0, 0, 0, 0]);
    assert_eq!(
        decoder.next_message(),
        refused,
        "the boundary is lost for ever"
    );
    assert_eq!(decoder.pending(), 0);
}

#[test]
fn a_length_that_does_not_fit_its_id_is_refused_before_the_message_arrives() {
    let mut decoder = FrameDecoder::new(peer::frame_bound(9));
    decoder.push(&[0, 0, 0, 9, 4]);
    assert_eq!(
        decoder.next_message(),
        Err(WireError {
            class: ErrorClass::MessageLength,
            offset: 0
        })
    );
}

#[test]
fn the_bound_grows_with_the_bitfield() {
    assert_eq!(peer::frame_bound(9), 16384 + 1024);
    assert_eq!(peer::frame_bound(8_000_000), 1_000_001);
}

#[test]
fn a_handshake_is_refused_at_the_first_byte_that_differs() {
    let mut decoder = HandshakeDecoder::new();
    assert_eq!(decoder.push(b"\x13Bit"), Ok((4, None)));
    assert_eq!(
        decoder.push(b"t"),
        Err(WireError {
            class: ErrorClass::ProtocolName,
            offset: 4
        })
    );
}

#[test]
fn a_foreign_info_hash_is_refused_and_the_own_one_is_known_before_the_peer_id() {
    let handshake = Handshake {
        reserved: Reserved::NONE,
        info_hash: InfoHash([7; 20]),
        peer_id: PeerId([9; 20]),
    };
    let encoded = peer::encode_handshake(&handshake);
    let mut decoder = HandshakeDecoder::expecting(InfoHash([7; 20]));
    assert_eq!(decoder.push(&encoded[..47]), Ok((47, None)));
    assert_eq!(decoder.info_hash(), None);
    assert_eq!(decoder.push(&encoded[47..48]), Ok((1, None)));
    assert_eq!(decoder.info_hash(), Some(InfoHash([7; 20])));
    let rest = [&encoded[48..], &[0, 0, 0, 0]].concat();
    assert_eq!(
        decoder.push(&rest),
        Ok((20, Some(handshake))),
        "what follows the handshake is left"
    );
    let foreign = HandshakeDecoder::expecting(InfoHash([8; 20])).push(&encoded);
    assert_eq!(
        foreign,
        Err(WireError {
            class: ErrorClass::InfoHash,
            offset: 28
        })
    );
}

#[test]
fn scrape_paths_follow_the_convention() {
    // The examples of the convention that BEP 48 describes.
    let path = |announce| tracker_http::scrape_path(announce);
    assert_eq!(path("/announce").as_deref(), Some("/scrape"));
    assert_eq!(path("/x/announce").as_deref(), Some("/x/scrape"));
    assert_eq!(path("/announce.php").as_deref(), Some("/scrape.php"));
    assert_eq!(path("/a"), None);
    assert_eq!(
        path("/announce?x2%0644").as_deref(),
        Some("/scrape?x2%0644")
    );
    assert_eq!(path("/announce?x=2/4"), None);
    assert_eq!(path("/x%064announce"), None);
}

#[test]
fn peer_exchange_faults_are_named() {
    use extension::{PexFault, pex_faults};
    let address = |port| SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), port);
    let added = |ports: std::ops::Range<u16>| -> Vec<_> {
        ports
            .map(|port| PexPeer {
                address: address(port),
                flags: 0,
            })
            .collect()
    };
    let fifty_one = PexMessage {
        added: added(1..52),
        ..PexMessage::default()
    };
    assert_eq!(pex_faults(&fifty_one, true), []);
    assert_eq!(pex_faults(&fifty_one, false), [PexFault::TooManyAdded]);
    let confused = PexMessage {
        added: added(1..3),
        dropped: vec![address(2), address(2)],
        ..PexMessage::default()
    };
    assert_eq!(
        pex_faults(&confused, false),
        [PexFault::Duplicate, PexFault::AddedAndDropped]
    );
}

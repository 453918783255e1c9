//! Bencode against bendy and bt_bencode, and messages between peers against a copy of their bytes.
//!
//! `cargo bench -p peerproof-model --bench codecs`. Every decoder builds an owned tree of values. bt_bencode recurses
//! without a limit, so only shallow input is fed to it.

#![allow(
    missing_docs,
    reason = "the macros of criterion make undocumented functions"
)]
#![allow(clippy::unwrap_used, reason = "the inputs are our own")]

use bendy::decoding::FromBencode;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use peerproof_model::bencode::{self, Value};
use peerproof_model::bittorrent::message::{BlockRequest, PeerMessage};
use peerproof_model::bittorrent::wire::peer::{FrameDecoder, encode_message, frame_bound};
use std::hint::black_box;

/// Name and value of each input: few large strings, many small values, and one small message.
fn inputs() -> Vec<(&'static str, Value)> {
    let file = |at: i64| {
        let path = vec![
            Value::from("directory"),
            Value::from(format!("file-{at:04}").as_str()),
        ];
        Value::dict([
            ("length", Value::from(at * 1000)),
            ("path", Value::List(path)),
        ])
    };
    let info = |files: i64, pieces: usize| {
        Value::dict([
            ("files", Value::List((0..files).map(file).collect())),
            ("name", Value::from("name")),
            ("piece length", Value::Integer(1 << 18)),
            ("pieces", Value::Bytes(vec![0x5A; 20 * pieces])),
        ])
    };
    let torrent = |info| {
        Value::dict([
            ("announce", Value::from("http://tracker.example/announce")),
            ("info", info),
        ])
    };
    let extensions = ["lt_donthave", "ut_holepunch", "ut_metadata", "ut_pex"];
    let m = extensions
        .iter()
        .zip(1..)
        .map(|(name, id)| (*name, Value::Integer(id)));
    let handshake = Value::dict([
        ("m", Value::dict(m)),
        ("metadata_size", Value::Integer(31235)),
        ("reqq", Value::Integer(250)),
        ("v", Value::from("Peerproof 0.1")),
    ]);
    vec![
        ("one file, 5000 pieces", torrent(info(1, 5000))),
        ("1000 files", torrent(info(1000, 100))),
        ("extension handshake", handshake),
    ]
}

fn bendy_decode(bytes: &[u8]) -> bendy::value::Value<'static> {
    let mut decoder = bendy::decoding::Decoder::new(bytes).with_max_depth(100);
    let object = decoder.next_object().unwrap().unwrap();
    bendy::value::Value::decode_bencode_object(object).unwrap()
}

fn bendy_encode(value: &bendy::value::Value<'_>) -> Vec<u8> {
    let mut encoder = bendy::encoding::Encoder::new().with_max_depth(100);
    encoder.emit(value).unwrap();
    encoder.get_output().unwrap()
}

fn bencode_against_others(criterion: &mut Criterion) {
    for (name, value) in inputs() {
        let bytes = value.encode();
        let bendy_value = bendy_decode(&bytes);
        let bt_value: bt_bencode::Value = bt_bencode::from_slice(&bytes).unwrap();
        assert_eq!(bendy_encode(&bendy_value), bytes);
        assert_eq!(bt_bencode::to_vec(&bt_value).unwrap(), bytes);
        let mut group = criterion.benchmark_group("bencode decode");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("peerproof", name),
            &bytes,
            |bencher, bytes| {
                bencher.iter(|| bencode::decode(black_box(bytes)).unwrap());
            },
        );
        group.bench_with_input(BenchmarkId::new("bendy", name), &bytes, |bencher, bytes| {
            bencher.iter(|| bendy_decode(black_box(bytes)));
        });
        group.bench_with_input(
            BenchmarkId::new("bt_bencode", name),
            &bytes,
            |bencher, bytes| {
                bencher.iter(|| {
                    bt_bencode::from_slice::<bt_bencode::Value>(black_box(bytes)).unwrap()
                });
            },
        );
        group.finish();
        let mut group = criterion.benchmark_group("bencode encode");
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::new("peerproof", name), |bencher| {
            bencher.iter(|| black_box(&value).encode());
        });
        group.bench_function(BenchmarkId::new("bendy", name), |bencher| {
            bencher.iter(|| bendy_encode(black_box(&bendy_value)));
        });
        group.bench_function(BenchmarkId::new("bt_bencode", name), |bencher| {
            bencher.iter(|| bt_bencode::to_vec(black_box(&bt_value)).unwrap());
        });
        group.finish();
    }
}

/// What a seeder sends: blocks; and what a leecher sends: requests and haves.
fn streams() -> [(&'static str, Vec<PeerMessage>); 2] {
    let block = |index| PeerMessage::Piece {
        index,
        begin: 0,
        data: vec![0x5A; 1 << 14],
    };
    let small = |index| {
        [
            PeerMessage::Have(index),
            PeerMessage::Request(BlockRequest {
                index,
                begin: 0,
                length: 1 << 14,
            }),
            PeerMessage::KeepAlive,
        ]
    };
    [
        ("64 blocks", (0..64).map(block).collect()),
        ("1500 small messages", (0..500).flat_map(small).collect()),
    ]
}

fn encode_all(messages: &[PeerMessage]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        encode_message(message, &mut out);
    }
    out
}

/// Decodes a stream that arrives in reads of 64 KiB.
fn decode_all(stream: &[u8]) -> usize {
    let mut decoder = FrameDecoder::new(frame_bound(0));
    let mut count = 0;
    for read in stream.chunks(1 << 16) {
        decoder.push(read);
        while let Some(message) = decoder.next_message().unwrap() {
            black_box(message);
            count += 1;
        }
    }
    count
}

fn peer_messages_against_a_copy(criterion: &mut Criterion) {
    for (name, messages) in streams() {
        let stream = encode_all(&messages);
        assert_eq!(decode_all(&stream), messages.len());
        let mut group = criterion.benchmark_group("peer messages");
        group.throughput(Throughput::Bytes(stream.len() as u64));
        group.bench_function(BenchmarkId::new("copy", name), |bencher| {
            bencher.iter(|| black_box(&stream).clone());
        });
        group.bench_function(BenchmarkId::new("encode", name), |bencher| {
            bencher.iter(|| encode_all(black_box(&messages)));
        });
        group.bench_function(BenchmarkId::new("decode", name), |bencher| {
            bencher.iter(|| decode_all(black_box(&stream)));
        });
        group.finish();
    }
}

criterion_group!(
    benches,
    bencode_against_others,
    peer_messages_against_a_copy
);
criterion_main!(benches);

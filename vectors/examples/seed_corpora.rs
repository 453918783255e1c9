//! Writes the golden vectors as seeds of the fuzz targets.
//!
//! `cargo run -p peerproof-vectors --example seed_corpora` fills `fuzz/corpus/<target>`; another folder may be named.
//! The files are the bytes of the cases, valid or not, since an almost valid input is a good seed too.

use peerproof_vectors::{VectorFile, files, load_all, messages};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let corpus = std::env::args_os()
        .nth(1)
        .map_or_else(default, PathBuf::from);
    let mut written = 0;
    for file in load_all()? {
        for case in &file.cases {
            for (target, seed) in seeds(&file, &case.raw()) {
                written += write(
                    &corpus,
                    target,
                    &format!("{}-{}", file.message, case.id),
                    &seed,
                )?;
            }
        }
    }
    for (name, text) in files() {
        written += write(
            &corpus,
            "vector_file",
            &name.replace('/', "-"),
            text.as_bytes(),
        )?;
    }
    println!("{written} seeds in {}", corpus.display());
    Ok(())
}

fn write(corpus: &Path, target: &str, name: &str, seed: &[u8]) -> Result<usize, Box<dyn Error>> {
    let folder = corpus.join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), seed)?;
    Ok(1)
}

/// The targets that read bytes of this message, each with the seed in its form.
fn seeds(file: &VectorFile, bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let choice = messages().position(|(_, message)| message == file.message);
    let choice = choice
        .and_then(|choice| u8::try_from(choice).ok())
        .unwrap_or(0);
    let mut seeds = vec![("vector_decode", [&[choice], bytes].concat())];
    match file.message.as_str() {
        "bencode" => seeds.push(("bencode", bytes.to_vec())),
        "metainfo" => {
            seeds.push(("metainfo", bytes.to_vec()));
            seeds.push(("bencode", bytes.to_vec()));
        }
        "handshake" => seeds.push(("handshake", bytes.to_vec())),
        "extension-handshake" | "ut-metadata" | "ut-pex" => {
            seeds.push(("extension", bytes.to_vec()));
        }
        "http-announce-request" | "http-scrape-request" => {
            seeds.push(("tracker_http_request", bytes.to_vec()));
        }
        "http-announce-response" | "http-scrape-response" => {
            seeds.push(("tracker_http_reply", bytes.to_vec()));
        }
        "udp-tracker-request" => seeds.push(("tracker_udp_request", bytes.to_vec())),
        "udp-tracker-response" => seeds.push(("tracker_udp_response", bytes.to_vec())),
        "allowed-fast-set" => {}
        // Every other file is about one message of the stream between peers; the first byte is the chunk size.
        _ => {
            seeds.push(("peer_stream", [&[7], bytes].concat()));
            seeds.extend(connections(bytes).map(|seed| ("peer_connection", seed)));
        }
    }
    seeds
}

/// The message on a connection with a handshake, to a peer that seeds and to one that fetches.
fn connections(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    const SEEDS: u8 = 1;
    const SHAKEN_WITH_EVERY_BIT: u8 = 4 + 8;
    // A chunk is a multiple of four bytes long, 252 at the most.
    let fours = u8::try_from(bytes.len().div_ceil(4)).unwrap_or(63).min(63);
    [SHAKEN_WITH_EVERY_BIT, SHAKEN_WITH_EVERY_BIT + SEEDS]
        .into_iter()
        .map(move |choice| [&[choice, 1, fours << 2], bytes].concat())
}

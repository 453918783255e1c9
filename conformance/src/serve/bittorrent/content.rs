//! Torrents with their content: made from a seed, or read from files.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use peerproof_model::bittorrent::metainfo::{Content, Metainfo};
use peerproof_model::bittorrent::view::Torrent;
use peerproof_model::choose::Seeded;
use sha1::{Digest, Sha1};

use crate::suite::OpenError;

/// Bytes of a piece of a torrent that is made: more than anybody serves at once, so that requests can be too long.
const PIECE_LENGTH: u32 = 256 << 10;

/// Pieces of a torrent that is made: more than an allowed-fast set has, and spare bits in the bitfield.
const PIECES: u32 = 27;

/// Bytes of its last piece: shorter than the others, and no multiple of a block.
const LAST_PIECE: u32 = 100_001;

/// The name of its file.
pub(crate) const NAME: &str = "peerproof.bin";

/// The largest torrent file that is read.
const LARGEST_METAINFO: u64 = 16 << 20;

/// The largest content that is held.
const LARGEST_CONTENT: u64 = 1 << 30;

/// Makes a torrent of one file whose content comes from `seed`.
pub(crate) fn make(seed: u64, announce: Option<&str>) -> Result<Arc<Torrent>, OpenError> {
    let length = (PIECES - 1) as usize * PIECE_LENGTH as usize + LAST_PIECE as usize;
    let mut content = vec![0; length];
    Seeded::new(seed).fill(&mut content);
    let metainfo = Metainfo::from_content(NAME.as_bytes(), PIECE_LENGTH, &content, announce)
        .ok_or_else(|| OpenError::Kit("the torrent cannot be made".to_owned()))?;
    Ok(Arc::new(Torrent {
        metainfo,
        content: Some(content.into()),
    }))
}

/// Reads a torrent file.
///
/// # Errors
/// It cannot be read, or is no torrent that has pieces.
pub(crate) fn metainfo(file: &Path) -> Result<Metainfo, OpenError> {
    let usage = |why: String| OpenError::Usage(format!("--torrent {}: {why}", file.display()));
    let open = fs::File::open(file).map_err(|error| usage(error.to_string()))?;
    let mut bytes = Vec::new();
    open.take(LARGEST_METAINFO + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| usage(error.to_string()))?;
    if bytes.len() as u64 > LARGEST_METAINFO {
        return Err(usage(format!("more than {LARGEST_METAINFO} bytes")));
    }
    let (metainfo, _) =
        Metainfo::parse_tolerant(&bytes).map_err(|error| usage(format!("no torrent: {error}")))?;
    if metainfo.total_len() == 0 {
        return Err(usage("the torrent has no content".to_owned()));
    }
    Ok(metainfo)
}

/// Reads a torrent with its content, which lies at `data`: the file itself or the directory around it.
///
/// # Errors
/// Something cannot be read, or is not what the torrent says.
pub(crate) fn load(torrent: &Path, data: &Path) -> Result<Arc<Torrent>, OpenError> {
    let metainfo = metainfo(torrent)?;
    if metainfo.total_len() > LARGEST_CONTENT {
        let why = format!("more than {LARGEST_CONTENT} bytes of content");
        return Err(OpenError::Usage(why));
    }
    let mut content = Vec::new();
    for (path, length) in files(&metainfo, data) {
        let wrong = |why: String| OpenError::Usage(format!("--data: {}: {why}", path.display()));
        let file = fs::File::open(&path).map_err(|error| wrong(error.to_string()))?;
        let before = content.len();
        file.take(length)
            .read_to_end(&mut content)
            .map_err(|error| wrong(error.to_string()))?;
        if (content.len() - before) as u64 != length {
            return Err(wrong(format!("shorter than {length} bytes")));
        }
    }
    let pieces = content.chunks(metainfo.info().layout.piece_length() as usize);
    let right = pieces.map(|piece| <[u8; 20]>::from(Sha1::digest(piece)));
    if !right.eq(metainfo.info().pieces.iter().copied()) {
        let why = format!("--data {}: not the content of the torrent", data.display());
        return Err(OpenError::Usage(why));
    }
    Ok(Arc::new(Torrent {
        metainfo,
        content: Some(content.into()),
    }))
}

/// Where the files of a torrent lie, with their lengths.
fn files(metainfo: &Metainfo, data: &Path) -> Vec<(PathBuf, u64)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let name = data.join(text(&metainfo.info().name));
    match &metainfo.info().content {
        Content::Single(length) if data.is_dir() => vec![(name, *length)],
        Content::Single(length) => vec![(data.to_owned(), *length)],
        Content::Multi(files) => {
            let around = if name.is_dir() { name } else { data.to_owned() };
            let place = |path: &[Vec<u8>]| {
                path.iter()
                    .fold(around.clone(), |place, part| place.join(text(part)))
            };
            files
                .iter()
                .map(|file| (place(&file.path), file.length))
                .collect()
        }
    }
}

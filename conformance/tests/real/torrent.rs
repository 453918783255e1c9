//! A single-file torrent made up for a test.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha1::{Digest, Sha1};

use crate::clients::Job;

const NAME: &str = "proof.bin";

/// Data and the metainfo that describes it.
pub(crate) struct Torrent {
    /// The content of the file.
    pub(crate) data: Vec<u8>,
    /// Bytes per piece.
    pub(crate) piece_length: usize,
    /// SHA-1 of the raw info dictionary.
    pub(crate) info_hash: [u8; 20],
    metainfo: Vec<u8>,
}

impl Torrent {
    /// `length` bytes that repeat nowhere near, with an announce URL.
    pub(crate) fn new(length: usize, piece_length: usize, announce: &str) -> Self {
        let data = bytes_from_counter(length);
        let pieces: Vec<u8> = data.chunks(piece_length).flat_map(Sha1::digest).collect();
        let mut info = format!(
            "d6:lengthi{length}e4:name{}:{NAME}12:piece lengthi{piece_length}e6:pieces{}:",
            NAME.len(),
            pieces.len()
        )
        .into_bytes();
        info.extend_from_slice(&pieces);
        info.push(b'e');
        let info_hash = Sha1::digest(&info).into();
        let mut metainfo = format!("d8:announce{}:{announce}4:info", announce.len()).into_bytes();
        metainfo.extend_from_slice(&info);
        metainfo.push(b'e');
        Self {
            data,
            piece_length,
            info_hash,
            metainfo,
        }
    }

    /// Number of pieces.
    pub(crate) fn pieces(&self) -> usize {
        self.data.len().div_ceil(self.piece_length)
    }

    /// The bytes of a block, if the torrent has them.
    pub(crate) fn block(&self, piece: usize, begin: usize, length: usize) -> Option<&[u8]> {
        let start = piece.checked_mul(self.piece_length)?.checked_add(begin)?;
        self.data.get(start..start.checked_add(length)?)
    }

    /// The file as a finished leecher leaves it below `job.directory`.
    pub(crate) fn file(job: &Job) -> PathBuf {
        job.directory.join(NAME)
    }

    /// Writes the metainfo file, and the data when `complete`, below `room`.
    pub(crate) fn lay_out(&self, room: &Path, port: u16, complete: bool) -> io::Result<Job> {
        let directory = room.join("data");
        fs::create_dir_all(&directory)?;
        let metainfo = room.join("proof.torrent");
        fs::write(&metainfo, &self.metainfo)?;
        if complete {
            fs::write(directory.join(NAME), &self.data)?;
        }
        Ok(Job {
            metainfo,
            info_hash: self.info_hash,
            name: NAME.to_owned(),
            directory,
            port,
        })
    }
}

fn bytes_from_counter(length: usize) -> Vec<u8> {
    let blocks = (0_u64..).map(|counter| Sha1::digest(counter.to_be_bytes()));
    blocks.flatten().take(length).collect()
}

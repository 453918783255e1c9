//! The allowed-fast set (BEP 6): pieces that a peer may request while choked.

use crate::bittorrent::message::InfoHash;
use sha1::{Digest, Sha1};
use std::net::Ipv4Addr;

/// The first `k` allowed-fast pieces for a peer at `ip`, in the order in which BEP 6 generates them.
///
/// With fewer than `k` pieces the set is every piece that the generator reaches: it stops when it has all of them,
/// which BEP 6 leaves open and would otherwise never end.
pub fn allowed_fast_set(ip: Ipv4Addr, info_hash: &InfoHash, pieces: u32, k: usize) -> Vec<u32> {
    let [a, b, c, _] = ip.octets();
    let mut seed = vec![a, b, c, 0];
    seed.extend_from_slice(&info_hash.0);
    let mut digest: [u8; 20] = Sha1::digest(&seed).into();
    let wanted = k.min(pieces as usize);
    let mut set = Vec::with_capacity(wanted.min(1024));
    while set.len() < wanted {
        for word in digest.as_chunks::<4>().0 {
            let piece = u32::from_be_bytes(*word) % pieces;
            if set.len() < wanted && !set.contains(&piece) {
                set.push(piece);
            }
        }
        digest = Sha1::digest(digest).into();
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO_HASH: InfoHash = InfoHash([0xAA; 20]);
    const PEER: Ipv4Addr = Ipv4Addr::new(80, 4, 4, 200);

    #[test]
    fn both_vectors_of_bep_6_are_reproduced() {
        let seven = [1059, 431, 808, 1217, 287, 376, 1188];
        assert_eq!(allowed_fast_set(PEER, &INFO_HASH, 1313, 7), seven);
        let nine = [1059, 431, 808, 1217, 287, 376, 1188, 353, 508];
        assert_eq!(allowed_fast_set(PEER, &INFO_HASH, 1313, 9), nine);
    }

    #[test]
    fn a_torrent_smaller_than_the_set_allows_every_piece() {
        let mut set = allowed_fast_set(PEER, &INFO_HASH, 5, 10);
        set.sort_unstable();
        assert_eq!(set, [0, 1, 2, 3, 4]);
        assert!(allowed_fast_set(PEER, &INFO_HASH, 0, 10).is_empty());
        assert!(allowed_fast_set(PEER, &INFO_HASH, 10, 0).is_empty());
    }
}
